"""Tests side by side, in forks: `--workers 8` collects all tests once, then forks so many workers (Linux).

pytest-xdist, which does the same on other systems, starts each of its workers afresh: each imports and collects
everything again, for 5 s of CPU, and each report is translated twice. Of a quick run that was a sixth.

A worker is told one test at a time, and the one after it, by which pytest knows what fixtures to keep. It sends all
reports of a test in one message. A worker that dies fails the test that it ran, and another one takes its place. Tests
marked `xdist_group`, whatever the group, are run by the first worker, before all others.
"""

import argparse
import os
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any
from warnings import WarningMessage

import pytest
from _pytest.config import create_terminal_writer

_PATIENCE = 10.0  # s; so long a worker may tidy up after Ctrl-C


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--workers", type=int, metavar="N", default=0, help="run tests in so many forks (Linux)")
    parser.addoption("--worker", type=int, default=0, help=argparse.SUPPRESS)  # the number of a worker, in it


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Runs all tests in workers, if there are to be some."""
    config = session.config
    number = min(config.getoption("--workers"), len(session.items))
    if (
        not number or config.option.collectonly or session.testsfailed
    ):  # of errors in collecting, pytest has its own say
        return None
    if not hasattr(os, "fork"):
        raise pytest.UsageError("--workers needs forks; without them there is -n")
    if (reporter := config.pluginmanager.getplugin("terminalreporter")) is not None:
        reporter.showfspath = False  # tests of several files end by turns
    vars(config)["_tmp_path_factory"].getbasetemp()  # made once, for all workers
    _Run(session, number).run()
    return True


@dataclass
class _Said:
    """What a worker has to say of one test."""

    reports: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[tuple[str, str, int, str]] = field(default_factory=list)  # text, file, line, test
    exit: str = ""  # why the whole run is to end


class _Worker:
    """A fork that runs tests, seen from the process that hands them out."""

    def __init__(self, session: pytest.Session, at: int, connections: Sequence[Connection]) -> None:
        self.at = at
        self.given: deque[int] = deque()  # the test that it runs, and the one after it
        self.connection, theirs = Pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            for connection in [self.connection, *connections]:
                connection.close()  # else it would not notice when the process that hands out tests is no more
            try:
                _work(session, at, theirs)
                os._exit(0)
            except BaseException:
                traceback.print_exc(file=sys.__stderr__)
                raise
            finally:
                os._exit(1)
        theirs.close()

    def give(self, index: int | None) -> None:
        """The test after the next one; None: there is none."""
        if index is not None:
            self.given.append(index)
        with suppress(BrokenPipeError):  # its end is noticed soon
            self.connection.send(index)

    def bury(self) -> int:
        """Once it is over, or just about to be. Gives its exit code."""
        self.connection.close()
        _, how = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(how)

    def interrupt(self) -> None:
        """Let it end now, and leave nothing behind."""
        os.kill(self.pid, signal.SIGINT)
        deadline = time.monotonic() + _PATIENCE
        while not wait([self.connection], 0.05) or not self._is_at_end():
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
        self.bury()

    def _is_at_end(self) -> bool:
        try:
            self.connection.recv()
        except (EOFError, OSError):
            return True
        return False


class _Run:
    """Hands tests out to workers, and reports what comes back."""

    def __init__(self, session: pytest.Session, number: int) -> None:
        self._session = session
        together = [at for at, item in enumerate(session.items) if item.get_closest_marker("xdist_group")]
        self._together = deque(together)
        self._left = deque(sorted(set(range(len(session.items))) - set(together)))
        self._workers: dict[Connection, _Worker] = {}
        for at in range(number):
            self._fork(at)
        for _ in range(2):
            for worker in self._workers.values():
                worker.give(self._next(worker))

    def run(self) -> None:
        try:
            while self._workers:
                for connection in wait(list(self._workers)):
                    assert isinstance(connection, Connection)
                    self._hear(self._workers[connection])
        finally:
            for worker in self._workers.values():
                worker.interrupt()

    def _fork(self, at: int) -> _Worker:
        worker = _Worker(self._session, at, list(self._workers))
        self._workers[worker.connection] = worker
        return worker

    def _next(self, worker: _Worker) -> int | None:
        if self._together and worker.at == 0:
            return self._together.popleft()
        return self._left.popleft() if self._left else None

    def _hear(self, worker: _Worker) -> None:
        try:
            said: _Said = worker.connection.recv()
        except (EOFError, ConnectionResetError):
            self._bury(worker)
            return
        if said.exit:
            pytest.exit(said.exit)
        worker.given.popleft()
        hook = self._session.config.hook
        for text, file, line, test in said.warnings:
            message = WarningMessage(Warning(text), Warning, file, line)
            hook.pytest_warning_recorded.call_historic(
                kwargs={"warning_message": message, "when": "runtest", "nodeid": test, "location": None}
            )
        for data in said.reports:
            self._report(hook.pytest_report_from_serializable(config=self._session.config, data=data))
        worker.give(self._next(worker))

    def _report(self, report: pytest.TestReport) -> None:
        self._session.config.hook.pytest_runtest_logreport(report=report)
        if self._session.shouldfail:  # -x
            raise self._session.Failed(self._session.shouldfail)

    def _bury(self, worker: _Worker) -> None:
        """It has no more to do, or the test that it ran has killed it."""
        del self._workers[worker.connection]
        code = worker.bury()
        if worker.given:
            item = self._session.items[worker.given.popleft()]
            text = f"This test ended the worker that ran it, with exit code {code}."
            self._report(pytest.TestReport(item.nodeid, item.location, {}, "failed", text, "call"))
            (self._together if self._together else self._left).extendleft(worker.given)
            another = self._fork(worker.at)
            for _ in range(2):
                another.give(self._next(another))


def _work(session: pytest.Session, at: int, connection: Connection) -> None:
    """All that a worker does."""
    config = session.config
    config.option.worker = at
    _part_from_the_others(config, at)
    collector = _Collector(config)
    try:
        index = connection.recv()
        while index is not None:
            following = connection.recv()
            item, after = session.items[index], None if following is None else session.items[following]
            config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            connection.send(collector.take())
            index = following
    except pytest.exit.Exception as exit:
        connection.send(_Said(exit=exit.msg or "a test says so"))
    except (EOFError, BrokenPipeError):
        pass  # the whole run ends
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # one comes of the terminal, one of the process that heard of it
    finally:
        vars(session)["_setupstate"].teardown_exact(None)


def _part_from_the_others(config: pytest.Config, at: int) -> None:
    """Gives this fork its own folder for tmp_path, and its own files for what tests print."""
    factory = vars(config)["_tmp_path_factory"]
    factory._basetemp = factory.getbasetemp() / f"w{at}"
    factory._basetemp.mkdir(mode=0o700, exist_ok=True)
    if (capture := config.pluginmanager.getplugin("capturemanager")) is not None:
        capture.stop_global_capturing()
        capture.start_global_capturing()
        capture.suspend_global_capture()


class _Collector:
    """Takes the reports of a worker, in the place of what would print them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._said = _Said()
        self._tw = create_terminal_writer(config, sys.__stderr__)  # pytest-timeout writes stacks to it
        config.pluginmanager.unregister(name="terminalreporter")
        config.pluginmanager.register(self, "terminalreporter")
        self._said.warnings.clear()  # a new plugin is told of all that there were

    def take(self) -> _Said:
        said, self._said = self._said, _Said()
        return said

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._said.reports.append(data)

    def pytest_warning_recorded(self, warning_message: WarningMessage, nodeid: str) -> None:
        text = f"{warning_message.category.__name__}: {warning_message.message}"
        self._said.warnings.append((text, warning_message.filename, warning_message.lineno, nodeid))
