"""Programs that tests start: the real thing, or a fork of a process that has its imports behind it.

    process = start([sys.executable, "-m", "lanchat", "rooms"], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"Room A\\n"
    assert process.wait(10) == 0

A fork needs a tenth of the CPU. It is no test of the start itself: of what is imported when, of a signal that comes in
the middle of that, of what others see of the command line. Such tests say `fresh=True`. The full run makes no forks, so
that it finds where one would behave in another way after all; nor do systems other than Linux.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Protocol

if sys.platform != "win32":
    import fcntl
    import termios

if TYPE_CHECKING:
    from tests.support.forked import ForkServer

_DIE_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--") if shutil.which("setpriv") else ()
_server: "ForkServer | None" = None


class Process(Protocol):
    """What a test may ask of a program, started in either way; as `subprocess.Popen[bytes]` has it."""

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
    """Start a program. It ends at the latest with the tests, even where those are killed (on Linux).

    Args:
        stdin: a descriptor, PIPE or DEVNULL, as stdout and stderr are.
        env: the whole environment, if not that of the tests.
        keep: descriptors that it gets besides.
        terminal: its stdin is to be the controlling terminal of a new session.
        fresh: not a fork, whatever it is.
    """
    env = os.environ if env is None else env
    streams = stdin, stdout, stderr
    if _server and not fresh and _server.can_start(argv, env):
        return _server.start(argv, streams, env, keep, terminal)
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
def forks() -> Iterator[None]:
    """`start` makes forks where it can; on Linux, that is."""
    global _server
    if sys.platform != "linux":
        yield
        return
    from tests.support.forked import ForkServer

    before, _server = _server, (server := ForkServer())
    try:
        yield
    finally:
        _server = before
        server.close()


def _take_terminal() -> None:
    if sys.platform != "win32":
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # else no SIGWINCH and no SIGHUP would reach it
