"""Programs that a test starts: each a process of its own, seen from outside.

    program = Program([sys.executable, "-m", "tests.storage.writer"], folder, stdin="pipe")
    program.say("3\\n")
    assert program.next_line() == "done"
    assert program.wait().code == 0

Nobody waits by sleeping: `wait_out`, `wait_err` and `next_line` wait for a text, `wait` for the end.

In a quick run a program is a fork of a process that has its imports behind it, which needs a third of the CPU. That is
no test of the start itself: of what is imported when, of a signal that comes in the middle of that, of what others see
of the command line. Such tests say `fresh=True`. The full run makes no forks, so that it finds where one would behave
in another way after all; nor do systems other than Linux.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from lanchat.threads import Closable
from tests.support.shaken import Shaker
from tests.support.waiting import PATIENCE, wait_until

if sys.platform != "win32":
    import fcntl
    import termios

if TYPE_CHECKING:
    from tests.support.forked import ForkServer, ForkServers

_DIE_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--") if shutil.which("setpriv") else ()

_server: "ForkServer | None" = None


class Process(Protocol):
    """What a test may ask of a program that was started in either way, as `subprocess.Popen[bytes]` has it."""

    @property
    def pid(self) -> int: ...
    @property
    def stdin(self) -> IO[bytes] | None: ...
    @property
    def stdout(self) -> IO[bytes] | None: ...
    @property
    def stderr(self) -> IO[bytes] | None: ...
    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, number: int, /) -> None: ...
    def kill(self) -> None: ...


def start(
    argv: Sequence[str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    stderr: int = 2,
    env: Mapping[str, str] | None = None,
    keep: Sequence[int] = (),
    terminal: bool = False,
    fresh: bool = False,
) -> Process:
    """Start a program. It ends at the latest with the tests, even where those are killed (Linux).

    Args:
        stdin: a descriptor, PIPE or DEVNULL, as stdout and stderr are.
        env: the whole environment, if not that of the tests.
        keep: descriptors that it gets besides.
        terminal: its stdin is to be the controlling terminal of a new session.
        fresh: not a fork, whatever it is.
    """
    env = os.environ if env is None else env
    if _server and not fresh and _server.can_start(argv, env):
        return _server.start(argv, (stdin, stdout, stderr), env, keep, terminal)
    return subprocess.Popen(
        [*_DIE_WITH_US, *argv],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=env,
        pass_fds=tuple(keep),
        start_new_session=terminal,
        preexec_fn=_take_terminal if terminal else None,
    )


@contextmanager
def forks(shaker: Shaker | None = None, servers: "ForkServers | None" = None, at: int = 0) -> Iterator[None]:
    """`start` makes forks where it can; on Linux, that is. They pause if this shaker is given.

    Args:
        servers: those of all workers, if there are some.
        at: the number of this worker.
    """
    global _server
    if sys.platform != "linux" or _server is not None:
        yield
        return
    from tests.support.forked import ForkServer

    _server = server = ForkServer(shaker) if servers is None else servers.take(at, shaker)
    try:
        yield
    finally:
        _server = None
        server.close()


@dataclass(frozen=True)
class Ended:
    """A program that is over."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def said(self) -> list[str]:
        """What it told the person."""
        return self.err.splitlines()


class Program(Closable):
    """A program that runs. One thread uses the object.

    Args:
        folder: for what it reads and writes; not there yet.
        env: on top of the environment of the tests; None takes a name out.
        stdin: "pipe" for `say()`, "nothing" for /dev/null, or the whole input.
        stdout: a descriptor, if it is not to be kept for `out`.
        fresh: not a fork, whatever it is.
    """

    def __init__(
        self,
        argv: Sequence[str],
        folder: Path,
        env: Mapping[str, str | None] | None = None,
        *,
        stdin: str = "nothing",
        stdout: int | None = None,
        fresh: bool = False,
    ) -> None:
        folder.mkdir(parents=True)
        self._out, self._err = folder / "out", folder / "err"
        self._taken = 0  # bytes of `out` that `next_line` has given
        given = subprocess.PIPE if stdin == "pipe" else subprocess.DEVNULL
        if stdin not in ("pipe", "nothing"):
            (folder / "in").write_bytes(stdin.encode(errors="surrogateescape"))
            given = os.open(folder / "in", os.O_RDONLY)
        whole = {**os.environ, **(env or {})}
        with open(self._out, "wb") as out, open(self._err, "wb") as err:
            self.process = start(
                argv,
                stdin=given,
                stdout=out.fileno() if stdout is None else stdout,
                stderr=err.fileno(),
                env={name: value for name, value in whole.items() if value is not None},
                fresh=fresh,
            )
        if given >= 0:
            os.close(given)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def out(self) -> str:
        """All it has written so far."""
        return self._out.read_text(errors="replace")

    @property
    def err(self) -> str:
        return self._err.read_text(errors="replace")

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    def say(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def end_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def wait_out(self, text: str) -> None:
        self._wait(lambda: text in self.out, f"{text!r} in its output")

    def wait_err(self, text: str) -> None:
        self._wait(lambda: text in self.err, f"{text!r} in what it tells the person")

    def next_line(self) -> str:
        """The next line of its output, once it is whole."""
        self._wait(lambda: b"\n" in self._out.read_bytes()[self._taken :], "one more line")
        line, _, _ = self._out.read_bytes()[self._taken :].partition(b"\n")
        self._taken += len(line) + 1
        return line.decode()

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, timeout: float = PATIENCE) -> Ended:
        """What it was, once it is over."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end within {timeout} s; {self._written}") from None
        return Ended(code, self.out, self.err)

    def stop(self, number: int = signal.SIGTERM) -> Ended:
        self.send(number)
        return self.wait()

    def close(self) -> None:
        """End it, whatever it does. May be called twice."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass

    @property
    def _written(self) -> str:
        return f"out: {self.out!r}; err: {self.err!r}"

    def _wait(self, condition: Callable[[], object], what: str) -> None:
        """Wait until this is so, at most as long as the program runs."""

        def so() -> bool:
            over = self.process.poll() is not None  # asked first: what it wrote before its end counts
            if condition():
                return True
            assert not over, f"it ended with {self.process.returncode}, without {what}; {self._written}"
            return False

        try:
            wait_until(so, what=what)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self._written}") from None


def _take_terminal() -> None:
    if sys.platform != "win32":
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # else no SIGWINCH and no SIGHUP would reach it
