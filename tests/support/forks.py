"""A fork server: `python -m tests.support.forks SOCKET`. It imports all of lanchat once, then forks for each request.
With several sockets it first forks a server for each of them.

The other end is forked.py. Most of the CPU of a program that lives for a moment goes into its imports; a fork of
this process has them behind it. What is forked unwinds to the end of this file and runs there as the main module, so
that its end too is that of any Python: at-exit handlers, the wait for threads, the flush, the exit code. It only gives
back no memory: that would copy most of the pages that it has in common with the server.

A request is one packet: `Request` as JSON, with its descriptors: stdin, stdout, stderr, a status pipe, those to keep,
and a network namespace. The status pipe tells two numbers: the process id, and, when it is over, the exit code (of a
signal: minus its number). A packet `ENTER` has the network namespace in which the server is to be. The server ends, and
kills what it has started, when nobody holds the socket's other end, or no more is to come from it.
"""

import atexit
import ctypes
import fcntl
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import struct
import sys
import termios
import threading
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import TextIO

from tests.support.heeding import heed_signals
from tests.support.shaken import Shaker
from tests.support.stretching import stretching

if sys.platform != "linux":  # not `assert`: mypy would not know the names below on other systems
    raise ImportError("forks need Linux")

NUMBER = struct.Struct("i")
ENTER = b"enter"
PACKET_LIMIT = 128 * 1024  # bytes of a request; the environment is most of it
FILES_LIMIT = 64  # descriptors of a request
_NEWNET = 0x40000000  # CLONE_NEWNET of sched.h
_USED_LATER = [  # what other packages import only when it is used
    *("asyncio.unix_events", "concurrent.futures.thread", "encodings.idna", "getpass"),
    *("prompt_toolkit.input.vt100", "prompt_toolkit.output.vt100", "prompt_toolkit.shortcuts", "zeroconf.asyncio"),
]


@dataclass(frozen=True)
class Request:
    """A program to run.

    Args:
        arguments: as Python gets them: "-m", MODULE, ... or "-c", CODE, ...
        keep: the numbers under which descriptors stay open in it, besides 0, 1 and 2.
        terminal: whether its stdin is to be the controlling terminal of a new session.
        network: whether it comes with a network namespace.
        shaken: the arguments of its `Shaker`, if its threads are to pause.
    """

    arguments: list[str]
    environment: dict[str, str]
    folder: str
    keep: list[int]
    terminal: bool
    network: bool
    shaken: tuple[int, str] | None

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()  # ASCII: arguments need not be valid Unicode


@dataclass(frozen=True)
class _Fork:
    pid: int
    status: int  # its status pipe

    def tell(self, number: int) -> None:
        try:
            os.write(self.status, NUMBER.pack(number))
        except BrokenPipeError:
            pass  # nobody wants to know

    def bury(self) -> None:
        """Once it is over, or just about to be."""
        _, how = os.waitpid(self.pid, 0)
        self.tell(os.waitstatus_to_exitcode(how))
        os.close(self.status)


def serve(control: socket.socket) -> Request | None:
    """Fork for each request, until the other end is closed.

    Returns:
        In a fork: what it is to run, now that its descriptors and all else are in place. In the server: None.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if isinstance(key.data, _Fork):
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    key.data.bury()
                    continue
                data, files, _, _ = socket.recv_fds(control, PACKET_LIMIT, FILES_LIMIT)
                if not data:
                    for fork in [key.data for key in selector.get_map().values() if key.data]:
                        os.kill(fork.pid, signal.SIGKILL)
                        fork.bury()
                    return None
                if data == ENTER:
                    _enter_network(files.pop())
                    continue
                if not (pid := os.fork()):
                    selector.close()
                    control.detach()  # its number may be somebody else's soon
                    return _become(Request(**json.loads(data)), files)
                fork = _Fork(pid, files.pop(3))
                for file in files:
                    os.close(file)
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, fork)
                fork.tell(pid)


def _become(request: Request, files: list[int]) -> Request:
    """Give this fork what exec() would: its descriptors, its environment, streams that know nothing of the server's."""
    if request.network:
        _enter_network(files.pop())
    kept = dict(zip([0, 1, 2, *request.keep], files[:3] + files[4:], strict=True))
    above = max(*files, *kept) + 1  # copied there first: no number may be overwritten while it is still to be copied
    for number, copy in {number: fcntl.fcntl(file, fcntl.F_DUPFD, above) for number, file in kept.items()}.items():
        os.dup2(copy, number)
    free = 3
    for number in [*sorted(request.keep), os.sysconf("SC_OPEN_MAX")]:
        os.closerange(free, number)
        free = number + 1
    if request.terminal:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # else no SIGWINCH and no SIGHUP would reach it
    os.environ.clear()
    os.environ.update(request.environment)
    os.chdir(request.folder)
    sys.stdin = _stream(0, "r", sys.stdin)
    sys.stdout = _stream(1, "w", sys.stdout)
    sys.stderr = _stream(2, "w", sys.stderr)
    return request


def _enter_network(namespace: int) -> None:
    """Closes its descriptor."""
    if ctypes.CDLL(None, use_errno=True).setns(namespace, _NEWNET):
        raise OSError(ctypes.get_errno(), "this process cannot enter its network namespace")
    os.close(namespace)


def _stream(file: int, mode: str, like: TextIO) -> io.TextIOWrapper:
    """A standard stream as Python makes it; what the environment says of them is the same for the server."""
    assert isinstance(like, io.TextIOWrapper)
    unbuffered = like.write_through  # PYTHONUNBUFFERED
    buffer = open(file, mode + "b", 0 if unbuffered and mode == "w" else -1, closefd=False)
    line_buffering = not unbuffered and (file == 2 or os.isatty(file))
    return io.TextIOWrapper(buffer, like.encoding, like.errors, "\n", line_buffering, unbuffered)


def import_all() -> None:
    """All of lanchat, and what it imports only when it is used."""
    import lanchat

    for module in pkgutil.walk_packages(lanchat.__path__, "lanchat."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in _USED_LATER:
        importlib.import_module(name)


def _run(request: Request) -> None:
    """As `python ARGUMENTS` does, but for what a password costs."""
    how, what, *arguments = request.arguments
    sys.argv = [how, *arguments]
    if request.shaken is not None:
        Shaker(*request.shaken)
    if how == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        main = sys.modules["__main__"] = ModuleType("__main__")
        exec(compile(what, "<string>", "exec"), main.__dict__)


def _end(code: int) -> None:
    """What Python does at its end, but for giving memory back. Returns where the streams cannot be flushed, of which
    Python has more to say."""
    vars(threading)["_shutdown"]()  # which no type stub has
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except OSError:
            return
    os._exit(code & 0xFF)


if __name__ == "__main__":
    heed_signals()
    import_all()
    gc.collect()
    gc.freeze()  # what the collector of a fork does not look at need not be copied for it
    _controls = [socket.socket(fileno=int(number)) for number in sys.argv[1:]]
    while len(_controls) > 1:
        _control = _controls.pop()
        if not os.fork():
            for _other in _controls:
                _other.close()
            _controls = [_control]
        else:
            _control.close()
    if (_request := serve(_controls[0])) is not None:
        _code = 0
        try:
            with stretching(quickly=True):
                _run(_request)
        except SystemExit as _exit:
            if not isinstance(_exit.code, int | None):
                raise
            _code = _exit.code or 0
        _end(_code)
        sys.exit(_code)
