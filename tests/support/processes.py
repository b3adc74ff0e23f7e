"""Several processes share a run: `pytest --processes 6`. A plugin of pytest, for systems that can fork.

The tests are collected once. The processes are forks of the one that has done so, which costs next to nothing, and take
one test after another from a queue. (Those of pytest-xdist import and collect everything each, for 4 s of CPU.)
"""

import os
import random
import signal
import struct
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

import pytest

_NUMBER = struct.Struct("H")  # of a test; a pipe gives small pieces whole, to one reader each
_CAPACITY = 64 * 1024  # bytes of a pipe
_BROWSER = "_chromium"  # the fixture


@dataclass
class _Process:
    """A fork, seen from the process that prints."""

    pid: int
    said: Connection
    taken: deque[int] = field(default_factory=deque)  # the test that runs, and the one after it


class _Fork:
    """What runs in a fork. Stands in for pytest's reporter there, and hands on what it would print.

    Args:
        queue: the pipe with the numbers of the tests that nobody has taken yet.
        own: numbers of tests that it takes first.
    """

    def __init__(self, session: pytest.Session, queue: int, own: Sequence[int], said: Connection) -> None:
        self._tw = session.config.get_terminal_writer()  # pytest-timeout says there where all threads were
        self._session = session
        self._queue = queue
        self._own = deque(own)
        self._said = said

    def run(self) -> None:
        plugins = self._session.config.pluginmanager
        plugins.unregister(name="terminalreporter")
        plugins.register(self, "terminalreporter")
        if (capture := plugins.getplugin("capturemanager")) is not None:
            capture.stop_global_capturing()  # its file is that of all the others, too
            capture.start_global_capturing()
        random.seed()
        number = self._take()
        while number is not None:
            after = self._take()
            item, following = self._session.items[number], None if after is None else self._session.items[after]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self._said.send(("ended", number))
            number = after

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        config = self._session.config
        self._said.send(("report", config.hook.pytest_report_to_serializable(config=config, report=report)))

    def _take(self) -> int | None:
        number: int
        if self._own:
            number = self._own.popleft()
        elif data := os.read(self._queue, _NUMBER.size):
            (number,) = _NUMBER.unpack(data)
        else:
            return None
        self._said.send(("took", number))
        return number


class _Run:
    """A run that several processes share. Prints what they find."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._hook = session.config.hook
        self._processes: list[_Process] = []
        self._queue = -1

    def run(self, number: int) -> None:
        items = self._session.items
        together = [place for place, item in enumerate(items) if _BROWSER in getattr(item, "fixturenames", ())]
        self._queue, filled = os.pipe()
        with open(filled, "wb") as queue:  # closed before the first fork, so that each finds its end
            assert _NUMBER.size * len(items) <= _CAPACITY
            for place in sorted({*range(len(items))} - {*together}):
                queue.write(_NUMBER.pack(place))
        try:
            for first in range(number):
                self._fork([] if first else together)
            while self._processes:
                for said in wait([process.said for process in self._processes]):
                    self._hear(next(process for process in self._processes if process.said is said))
                    if self._session.shouldfail:
                        raise self._session.Failed(self._session.shouldfail)
                    if self._session.shouldstop:
                        raise self._session.Interrupted(self._session.shouldstop)
        finally:
            for process in self._processes:
                os.kill(process.pid, signal.SIGKILL)
                os.waitpid(process.pid, 0)
                process.said.close()
            os.close(self._queue)

    def _fork(self, own: Sequence[int]) -> None:
        said, saying = Pipe(duplex=False)
        if pid := os.fork():
            saying.close()
            self._processes.append(_Process(pid, said))
            return
        code = 1
        try:
            for other in [said, *(process.said for process in self._processes)]:
                other.close()
            _Fork(self._session, self._queue, own, saying).run()
            code = 0
        except (KeyboardInterrupt, BrokenPipeError):
            pass  # whoever prints has ended, or is about to
        except BaseException as error:
            with suppress(OSError):
                saying.send(("broken", repr(error)))
        finally:
            os._exit(code)  # and does nothing that is for the end of pytest

    def _hear(self, process: _Process) -> None:
        try:
            kind, what = process.said.recv()
        except (EOFError, ConnectionResetError):
            self._end(process)
            return
        match kind:
            case "took":
                process.taken.append(what)
            case "ended":
                process.taken.remove(what)
                item = self._session.items[what]
                self._hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
            case "report":
                self._report(self._hook.pytest_report_from_serializable(config=self._session.config, data=what))
            case _:
                raise RuntimeError(f"a process of this run is broken: {what}")

    def _report(self, report: Any) -> None:
        self._hook.pytest_runtest_logreport(report=report)

    def _end(self, process: _Process) -> None:
        """If a test has ended the process, that test has failed, and another process takes over."""
        self._processes.remove(process)
        process.said.close()
        code = os.waitstatus_to_exitcode(os.waitpid(process.pid, 0)[1])
        if not process.taken:
            return
        item = self._session.items[process.taken.popleft()]
        why = f"The process that ran it has ended meanwhile, with {code}."
        self._report(pytest.TestReport(item.nodeid, item.location, {item.name: 1}, "failed", why, "call"))
        self._fork([*process.taken])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--processes", type=int, default=0, metavar="NUMBER", help="so many share the run; Linux")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    number: int = session.config.option.processes
    if not number or session.config.option.collectonly or session.testsfailed:
        return None
    session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # one for all, made and removed here
    if (reporter := session.config.pluginmanager.getplugin("terminalreporter")) is not None:
        reporter.showfspath = False  # of tests that run at once
    _Run(session).run(number)
    return True
