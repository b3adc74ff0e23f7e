"""The chat screen in a flood: how many lines a second it paints, and how long a typed key waits for its echo."""

import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from scripts.benchmark.check import Marks
from scripts.benchmark.crowd import Crowd
from scripts.benchmark.latency import percentiles
from scripts.benchmark.machine import SERVER_CORE
from scripts.benchmark.servers import environment
from scripts.benchmark.terminal import Terminal, home_for

_KEY_EVERY = 0.05  # s
_START_LIMIT = 10.0  # s until the screen stands
_CLEAR = b"\x15"  # Ctrl-U
# Typed one after the other; the line is emptied after each row, so that a letter seen again is one just typed.
_ROWS = ("абвгдежзиклмнопрст", "αβγδεζηθικλμνξοπρσ", "աբգդեզէըթժիլխծկհձղ")


@dataclass(frozen=True)
class Paint:
    """A task for the load process: one member of the crowd floods, and a real screen in a terminal shows it.

    Args:
        rate: lines a second; None: as many as the screen paints.
        window: without a rate, how many lines may be said and not painted yet.
    """

    seconds: float
    rate: int | None = None
    window: int = 1000

    def run(self, crowd: Crowd) -> "PaintResult":
        marks = crowd.next_marks()
        nick = f"painter{marks.run}"  # a host keeps a nick for whoever had it, and each painter has a new key
        home = home_for(nick, Path(tempfile.mkdtemp(prefix="lanchat-bench-")))
        words = [sys.executable, "-m", "lanchat", "join", f"127.0.0.1:{crowd.target.port}"]
        try:
            with Terminal(words, environment(home) | {"LANCHAT_NICK": nick}, SERVER_CORE) as terminal:
                self._wait(crowd, terminal)
                return self._flood(crowd, terminal, marks)
        finally:
            shutil.rmtree(home, ignore_errors=True)

    def _wait(self, crowd: Crowd, terminal: Terminal) -> None:
        seen, deadline = b"", time.monotonic() + _START_LIMIT
        while b"joined" not in seen and time.monotonic() < deadline:
            seen = seen[-4096:] + terminal.read(0.01)
            crowd.poll(0)

    def _flood(self, crowd: Crowd, terminal: Terminal, marks: Marks) -> "PaintResult":
        speaker = crowd.members[0]
        letters = cycle(letter.encode() for row in _ROWS for letter in (*row, "\x15"))
        text, begin = marks.text(0, 0, 0), marks.begin
        said = painted = pressed = 0
        awaited = tail = b""
        pressed_at, echoes = 0.0, []
        started = time.monotonic()
        while (now := time.monotonic() - started) < self.seconds:
            room = int(now * self.rate) - said if self.rate is not None else self.window - said + painted
            if room > 0:
                lines = [crowd.dialect.say(text, marks.id(n)) for n in range(said, said + room)]
                crowd.send(speaker, b"".join(lines))
                said += room
            crowd.poll(0)
            if now > pressed * _KEY_EVERY and not awaited:
                letter = next(letters)
                terminal.press(letter)
                pressed += 1
                if letter != _CLEAR:
                    awaited, pressed_at = letter, time.monotonic()
            data = terminal.read(0.001)
            if not data:
                continue
            if awaited and awaited in data:
                echoes.append((time.monotonic() - pressed_at) * 1e3)
                awaited = b""
            painted += (tail + data).count(begin) - tail.count(begin)
            tail = data[-8:]
        if speaker not in crowd.members:
            raise ConnectionError("the host dropped who floods, so this is no figure")
        return PaintResult(self.rate, painted / now, *percentiles(echoes), len(echoes), bool(awaited))


@dataclass(frozen=True)
class PaintResult:
    rate: int | None
    painted: float  # lines a second
    p50: float  # ms from key to echo
    p99: float
    max: float
    keys: int
    stuck: bool  # the last key was not echoed
