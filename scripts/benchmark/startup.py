"""Measures how long people wait: until a program answers, until a room is listed, until a list is drawn."""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from scripts.benchmark.servers import TITLE, Kind, environment, lanchat, running
from scripts.benchmark.terminal import Terminal, home_for

_LIMIT = 10.0  # s; longer is a failure
_HEAD = b"Rooms on this network"  # what the list begins with
PROGRAM = str(Path(sys.executable).with_name("lanchat"))


def version(times: int) -> list[float]:
    """ms of `lanchat --version`."""
    with own_home() as home:
        return [_run(["--version"], home) for _ in range(times)]


def rooms(times: int) -> list[float]:
    """ms from the start of `lanchat rooms` to its first row, while a room is open on this machine."""
    with running(announced(), core=None), own_home() as home:
        time.sleep(2)  # it is announced
        return [until_a_row(["rooms", "--wait", str(_LIMIT)], home) for _ in range(times)]


def picker(times: int) -> list[float]:
    """ms from the start of `lanchat join` in a terminal until its list is drawn, even if it is still empty."""
    return _drawn(times, _HEAD)


def picked(times: int) -> list[float]:
    """The same, until the room stands on the list."""
    return _drawn(times, TITLE.encode())


def appearing(times: int) -> list[float]:
    """ms from the start of `lanchat host` until somebody who watches already sees its room."""
    found = []
    for _ in range(times):
        with own_home() as home, _watching(home) as watcher:
            assert watcher.stdout is not None
            time.sleep(1)  # it is watching
            started = time.monotonic()
            with running(announced(), core=None):
                while TITLE.encode() not in watcher.stdout.readline():
                    pass  # a room of somebody else
                found.append(_since(started))
    return found


def announced() -> Kind:
    kind = lanchat(plain=False)
    return replace(kind, command=tuple(word for word in kind.command if word != "--no-announce"))


@contextmanager
def own_home() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="lanchat-bench-"))
    try:
        yield home_for("ann", home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _watching(home: Path) -> Iterator["subprocess.Popen[bytes]"]:
    words = [PROGRAM, "rooms", "--watch"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(home)) as process:
        try:
            yield process
        finally:
            process.terminate()


def _since(started: float) -> float:
    return (time.monotonic() - started) * 1e3


def _run(words: list[str], home: Path) -> float:
    """ms of the whole program. Without a time limit, with which subprocess would look only every 50 ms for its end."""
    started = time.monotonic()
    subprocess.run([PROGRAM, *words], env=environment(home), stdout=subprocess.DEVNULL, check=True)
    return _since(started)


def until_a_row(words: list[str], home: Path, text: str = TITLE) -> float:
    """The time ends with the row that has this text, and not with the program: nobody waits until it has closed."""
    started = time.monotonic()
    with subprocess.Popen(
        [PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(home)
    ) as process:
        assert process.stdout is not None
        found = any(text.encode() in row for row in process.stdout)
        taken = _since(started)
        process.terminate()
    if not found:
        raise RuntimeError(f"no row has {text}")
    return taken


def _drawn(times: int, text: bytes) -> list[float]:
    with running(announced(), core=None), own_home() as home:
        time.sleep(2)
        return [_until_drawn(home, text) for _ in range(times)]


def _until_drawn(home: Path, text: bytes) -> float:
    started, seen = time.monotonic(), b""
    with Terminal([PROGRAM, "join"], environment(home)) as terminal:
        while text not in seen:
            if _since(started) > _LIMIT * 1e3:
                raise RuntimeError(f"{text.decode()} was not drawn")
            seen += terminal.read(0.05)
        return _since(started)
