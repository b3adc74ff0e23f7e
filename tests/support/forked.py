"""The tests' end of the fork server in tests/support/forks.py, and the processes that it gives."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from multiprocessing.connection import wait
from pathlib import Path
from typing import IO

from tests.support.forks import ENTER, NUMBER, Request
from tests.support.shaken import Shaker

if sys.platform != "linux":  # not `assert`: mypy would not know the names below on other systems
    raise ImportError("forks need Linux")

_TOP = Path(__file__).parents[2]
_NETWORK = "/proc/thread-self/ns/net"
_HEEDED = ("PYTHON", "LANG", "LC_", "TZ")  # names that begin so are heeded by Python when it starts, and only then


class ForkServer:
    """Starts programs that have their imports behind them. One thread at a time.

    Making one does not wait until it is ready; the first program does.
    """

    def __init__(self, shaker: Shaker | None = None, control: socket.socket | None = None) -> None:
        self._shaker = shaker
        self._heeded = _heeded(os.environ)
        self._server: subprocess.Popen[bytes] | None = None
        if control is None:
            self._server, (control,) = _start(1)
        self._control = control

    def can_start(self, argv: Sequence[str], env: Mapping[str, str]) -> bool:
        """Whether this is a Python like its own, with or without `nsenter --net=FILE` before it."""
        _, program = _split_network(argv)
        return program[:1] == [sys.executable] and program[1:2] in (["-m"], ["-c"]) and _heeded(env) == self._heeded

    def start(
        self, argv: Sequence[str], streams: Sequence[int], env: Mapping[str, str], keep: Sequence[int], terminal: bool
    ) -> "Forked":
        """Start what it can start.

        Args:
            streams: what are its stdin, stdout and stderr: descriptors, PIPE or DEVNULL.
            keep: descriptors that it gets besides.
            terminal: whether its stdin is to be the controlling terminal of a new session.

        Raises:
            RuntimeError: the server is no more.
        """
        network, program = _split_network(argv)
        shaken = None if self._shaker is None else self._shaker.for_a_program()
        request = Request(program[1:], dict(env), os.getcwd(), list(keep), terminal, bool(network), shaken)
        with ExitStack() as kept, ExitStack() as lent:
            ours: list[IO[bytes] | None] = []
            files: list[int] = []
            for number, stream in enumerate(streams):
                mine, theirs = _ends(number, stream)
                ours.append(None if mine is None else kept.enter_context(mine))
                files.append(theirs)
                if theirs != stream:
                    lent.callback(os.close, theirs)
            status, told = os.pipe()
            kept.callback(os.close, status)
            lent.callback(os.close, told)
            files += [told, *keep]
            if network:
                files.append(os.open(network, os.O_RDONLY))
                lent.callback(os.close, files[-1])
            try:
                socket.send_fds(self._control, [request.to_bytes()], files)
                lent.close()  # else no end of the server's would be noticed
                forked = Forked(status, ours)
            except (BrokenPipeError, EOFError):
                raise RuntimeError("the fork server is no more; why, it has said on stderr") from None
            kept.pop_all()
        return forked

    def close(self) -> None:
        """What it has started ends now."""
        with self._control:
            self._control.shutdown(socket.SHUT_WR)
            self._control.recv(1)  # until it has closed its end
        if self._server is not None:
            self._server.wait()


class ForkServers:
    """Fork servers for the workers of a run: one process imports for all of them, and the others are its forks.

    Args:
        number: of the workers.
    """

    def __init__(self, number: int) -> None:
        self._network = os.stat(_NETWORK)
        self._server, self._controls = _start(number)

    def take(self, at: int, shaker: Shaker | None = None) -> ForkServer:
        """That of this worker, which calls this once, in the network that its programs are to have."""
        control = self._controls.pop(at)
        for other in self._controls:
            other.close()
        if not os.path.samestat(os.stat(_NETWORK), self._network):
            with open(_NETWORK) as network:
                socket.send_fds(control, [ENTER], [network.fileno()])
        return ForkServer(shaker, control)

    def close(self) -> None:
        """Once the workers are over."""
        for control in self._controls:
            control.close()
        self._server.wait()


def _start(number: int) -> tuple[subprocess.Popen[bytes], list[socket.socket]]:
    """So many servers, as the process that forks all but one of them; and the sockets that lead to them."""
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(number)]
    files = [theirs.fileno() for _, theirs in pairs]
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.forks", *map(str, files)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd=_TOP,
        pass_fds=files,
        start_new_session=True,  # a Ctrl-C for the tests is none for it
    )
    for _, theirs in pairs:
        theirs.close()
    return server, [ours for ours, _ in pairs]


class Forked:
    """A program of the fork server: what tests use of `subprocess.Popen`. One thread uses it, and waits for its end."""

    def __init__(self, status: int, ours: Sequence[IO[bytes] | None]) -> None:
        self._status = status
        self.stdin, self.stdout, self.stderr = ours
        self.returncode: int | None = None
        self.pid = self._hear()

    def poll(self) -> int | None:
        if self.returncode is None and wait([self._status], 0):
            self._end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; of a signal: minus its number.

        Raises:
            subprocess.TimeoutExpired: it is not over.
        """
        if self.returncode is None and not wait([self._status], timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        """Does nothing to what is over."""
        if self.poll() is None:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass  # over, and about to be told

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _hear(self) -> int:
        if not (said := os.read(self._status, NUMBER.size)):
            raise EOFError("the fork server is no more")
        number: int
        (number,) = NUMBER.unpack(said)
        return number

    def _end(self) -> None:
        self.returncode = self._hear()
        os.close(self._status)


def _heeded(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(_HEEDED)}


def _split_network(argv: Sequence[str]) -> tuple[str, list[str]]:
    """The network namespace that a command begins by entering, if it does, and the rest of it."""
    match argv:
        case ["nsenter", option, "--", *rest] if option.startswith("--net="):
            return option.removeprefix("--net="), rest
        case ["nsenter", option, *rest] if option.startswith("--net="):
            return option.removeprefix("--net="), rest
    return "", list(argv)


def _ends(number: int, stream: int) -> tuple[IO[bytes] | None, int]:
    """Of the program's stream of this number: our end, if we have one, and its own."""
    if stream == subprocess.DEVNULL:
        return None, os.open(os.devnull, os.O_RDWR)
    if stream != subprocess.PIPE:
        return None, stream
    reading, writing = os.pipe()
    return (open(writing, "wb"), reading) if number == 0 else (open(reading, "rb"), writing)
