"""Starts and ends the measured servers, each as a child process on its own core, with a home of its own."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lanchat.protocol.irc.names import channel_of
from lanchat.storage.identity import CERTIFICATE_FILE, KEY_FILE, load_identity
from scripts.benchmark.dialects import Dialect, Irc, Native, Plain, Relay
from scripts.benchmark.machine import SERVER_CORE, pin, raise_limits

START_LIMIT = 30.0  # s until a server listens
_STOP_LIMIT = 5.0  # s to end by itself
_HERE = Path(__file__).parent
TITLE = f"Bench {os.getpid()}"  # unique, as somebody else may run the benchmark too

# What lanchat sends for one message of check.MESSAGE_SIZE, so that the raw limit sends as much.
_SAID = (
    b'{"t":"said","seq":100000,"at":1763809999999,"by":"0123456789abcdef0123456789abcdef","nick":"m0001",'
    b'"id":"1000000000","text":"%b"}\n'
)


@dataclass(frozen=True)
class Running:
    """A server that listens."""

    port: int
    pid: int


@dataclass(frozen=True)
class Kind:
    """One row of a table: a server that can be started, and how to speak with it.

    Args:
        command: how to start it, with {port}, {home}, {certificate} and {key} filled in.
        says_port: finds the port in its stderr; None: it listens on the {port} that it was given.
    """

    name: str
    dialect: Dialect
    command: tuple[str, ...]
    says_port: re.Pattern[str] | None = None
    under_way: int = 16  # joins at once
    files: tuple[tuple[str, str], ...] = ()  # name and text; to be written into {home}, filled in as the command is


def lanchat(*, plain: bool, files: str = "") -> Kind:
    words = [
        sys.executable,
        "-m",
        "lanchat",
        "host",
        TITLE,
        "--nick",
        "hal",
        "--headless",
        "--no-limits",
        "--port",
        "0",
    ]
    words += ["--plain-port", "0", "--no-announce", *(["--files", files] if files else [])]
    if plain:
        words.append("--ephemeral")
        return Kind("lanchat, plain door", Plain(), tuple(words), re.compile(r"nc 127\.0\.0\.1 (\d+)"))
    return Kind("lanchat", Native(), tuple(words), re.compile(r"join 127\.0\.0\.1:(\d+)"))


def irc() -> Kind:
    """The IRC door, whose only channel is the room."""
    words = [sys.executable, "-m", "lanchat", "host", TITLE, "--nick", "hal", "--headless", "--no-limits"]
    words += ["--port", "0", "--irc-port", "0", "--no-announce", "--ephemeral"]
    dialect = Irc(channel=channel_of(TITLE).encode(), joins=False)
    return Kind("lanchat, IRC door", dialect, tuple(words), re.compile(r"server 127\.0\.0\.1, port (\d+)"))


def naive(*, tls: bool) -> Kind:
    return Kind("naive, TLS" if tls else "naive", Plain(tls=tls), _own("naive.py", tls))


def limit(*, tls: bool) -> Kind:
    like = _SAID if tls else b"m0001: %b\n"
    return Kind("raw limit, TLS" if tls else "raw limit", Relay(tls=tls, like=like), _own("limit.py", tls))


def drain() -> Kind:
    """The other end of the raw limit of a transfer."""
    return Kind("raw limit of a transfer", Relay(tls=True, like=_SAID), _own("drain.py", True))


@contextmanager
def running(kind: Kind, core: int | None = SERVER_CORE) -> Iterator[Running]:
    """Run the server until the end of the block.

    Raises:
        RuntimeError: it does not start.
    """
    home = Path(tempfile.mkdtemp(prefix="lanchat-bench-"))
    try:
        home.chmod(0o755)
        port = free_port()
        load_identity(home)
        names = {
            "port": port,
            "home": home,
            "certificate": home / CERTIFICATE_FILE,
            "key": home / KEY_FILE,
        }
        for name, text in kind.files:
            (home / name).write_text(text.format(**names))
        with child([word.format(**names) for word in kind.command], home, core) as process:
            try:
                port = _wait_until_it_listens(process, home / "said", kind.says_port, port)
            except TimeoutError:
                said = (home / "said").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{kind.name} does not start: {said}") from None
            yield Running(port, process.pid)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def child(words: Sequence[str], home: Path, core: int | None) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process until the end of the block. Its stderr goes to home/said."""

    def prepare() -> None:
        if core is not None:
            pin(core)
        raise_limits()

    with open(home / "said", "wb") as said:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=environment(home),
            preexec_fn=prepare,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()


def environment(home: Path) -> dict[str, str]:
    """The environment of a lanchat in the benchmark: loopback only, and no settings of whoever runs it.

    Without PYTHONDONTWRITEBYTECODE, which is common in containers: with it each start would compile all imports.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LANCHAT_")}
    clean.pop("PYTHONDONTWRITEBYTECODE", None)
    return clean | {"LANCHAT_HOME": str(home), "LANCHAT_INTERFACE": "127.0.0.1", "LANCHAT_NICK": "hal"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _own(script: str, tls: bool) -> tuple[str, ...]:
    return (sys.executable, str(_HERE / script), "{port}", *(("{certificate}", "{key}") if tls else ()))


def _wait_until_it_listens(
    process: "subprocess.Popen[bytes]", said: Path, says_port: re.Pattern[str] | None, port: int
) -> int:
    deadline = time.monotonic() + START_LIMIT
    while process.poll() is None and time.monotonic() < deadline:
        if says_port is not None:
            found = says_port.search(said.read_text(errors="replace"))
            if found:
                return int(found[1])
        else:
            try:
                socket.create_connection(("127.0.0.1", port), 1.0).close()
                return port
            except OSError:
                pass
        time.sleep(0.02)
    raise TimeoutError
