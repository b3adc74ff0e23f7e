"""A real Redis server that a test process starts on a free port of its loopback, and ends when it ends.

All tests of a process share one, with rooms of random ids. A test that restarts or breaks a server starts its own.
LANCHAT_REDIS_SERVER is the program, for example /usr/bin/valkey-server; without it that is redis-server.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

from lanchat.server.engine.address import EngineAddress
from lanchat.threads import Closable
from tests.support.waiting import PATIENCE, wait_until

PROGRAM = os.environ.get("LANCHAT_REDIS_SERVER", "redis-server")
SAFE = ("--appendonly", "yes", "--appendfsync", "always")
_PORTS = 10  # tried, since one may be taken before the server has it, and one in a cluster needs the 10,000th behind it
_TAKEN = ("Address already in use", "too high for cluster mode")
_DIE_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--") if shutil.which("setpriv") else ()


@cache
def missing() -> str:
    """What this machine lacks for a Redis server, as a sentence; empty where it can start one."""
    if shutil.which(PROGRAM) is None:
        return f"{PROGRAM} is not installed (Debian: redis-server)."
    version = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, timeout=PATIENCE).stdout
    number = version.partition("v=")[2].partition(".")[0]
    return "" if number.isdecimal() and int(number) >= 7 else f"{PROGRAM} is older than 7.0: {version.strip()}."


def require_redis() -> None:
    """Skip the test where there is no Redis server. On CI, root on Linux must have one."""
    if not (lack := missing()):
        return
    if os.environ.get("CI") == "true" and sys.platform == "linux" and os.geteuid() == 0:
        pytest.fail(lack, pytrace=False)
    pytest.skip(lack)


class _PortTaken(Exception):
    """The server cannot listen at its port."""


class RedisProcess(Closable):
    """A running server.

    Args:
        folder: for its files, and for its log.
        options: of the server, besides what such a test needs.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        require_redis()
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._options = folder, options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        for _ in range(_PORTS):
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
            with suppress(_PortTaken):
                self.start()
                return
            (self.folder / "log").unlink()
        pytest.fail(f"Of {_PORTS} free ports a server can use none.")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def address(self) -> EngineAddress:
        return EngineAddress("127.0.0.1", self.port)

    def start(self) -> None:
        """Start it, with the data of the last time."""
        named = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "")
        log = ("--logfile", str(self.folder / "log"))
        self._process = subprocess.Popen(
            [*_DIE_WITH_US, PROGRAM, *named, *log, *self._options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(self._answers, what="the server to answer")
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None

    def restart(self) -> None:
        self.kill()
        self.start()

    def command(self, *words: str | bytes) -> bytes:
        """What it answers to a command, as it comes over the wire; only for short answers."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as sock:
            parts = [word.encode() if isinstance(word, str) else word for word in words]
            sock.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
            return sock.recv(65536)

    def close(self) -> None:
        self.kill()

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            said = (self.folder / "log").read_text()
            raise _PortTaken(said) if any(why in said for why in _TAKEN) else AssertionError(said)
        try:
            return self.command("PING").startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            time.sleep(0.01)
            return False
