"""What scripts, agents and people who look elsewhere wait for: a message that is sent, an answer, a line, a bell."""

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from scripts.benchmark import servers, startup
from scripts.benchmark.bench import Options, run, tell
from scripts.benchmark.crowd import Crowd
from scripts.benchmark.machine import LOAD_CORE, SERVER_CORE, pin, rss_kib, wait_for_quiet
from scripts.benchmark.servers import TITLE, environment, running
from scripts.benchmark.table import many, ms, table, times
from scripts.benchmark.terminal import Terminal, home_for

RATE = 20_000  # lines a second that `lanchat tail --json -f` has to follow
_LIMIT = 10.0  # s; longer is a failure
_PAUSE = 3.1  # s from one bell to the next: a person is called at most every 3 s
_LOOKS_AWAY, _BELL = b"\x1b[O", b"\a"
_HELLO = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}}
_ROOMS = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "rooms", "arguments": {}}}


@dataclass(frozen=True)
class ScriptRow:
    what: str
    median: float
    worst: float
    ratio: float | None = None  # to `lanchat rooms`


@dataclass(frozen=True)
class FollowRow:
    asked_per_s: int
    heard_per_s: float
    behind: float  # s from the last line that was said to the last that was printed
    lost: int


def scripts(options: Options) -> Sequence[ScriptRow | FollowRow]:
    """Run the section."""
    count = 3 if options.quick else 10
    rows: list[ScriptRow | FollowRow] = []
    wait_for_quiet(options.patience)
    try:
        rows += _waits(count)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        tell(f"scripts: {type(error).__name__} {error}")
    kind, follow, ring = servers.lanchat(plain=False), Follow(2.0 if options.quick else 5.0, RATE), Ring(count)
    report = run(options, kind, 2, [follow, ring], core=LOAD_CORE)
    for result in report.results if report else ():
        if isinstance(result, list):
            rows.append(ScriptRow("a mention rings", median(result), max(result)))
        elif isinstance(result, FollowRow):
            rows.append(result)
    waits = [r for r in rows if isinstance(r, ScriptRow)]
    title = f"scripts: ms, and MB of memory, of {count}"
    shown = [(r.what, ms(r.median), ms(r.worst), times(r.ratio)) for r in waits]
    options.show(table(title, ("", "median", "worst", "of rooms"), shown))
    follows = [r for r in rows if isinstance(r, FollowRow)]
    lines = [(many(r.asked_per_s), many(r.heard_per_s), f"{r.behind:.2f}", str(r.lost)) for r in follows]
    options.show(table("tail --json -f", ("lines/s said", "printed/s", "behind, s", "lost"), lines))
    return rows


def _waits(count: int) -> list[ScriptRow]:
    """One after the other, so that a busy moment is everybody's."""
    found: dict[str, list[float]] = {}
    with running(startup.announced(), core=None) as server, startup.own_home() as home:
        time.sleep(2)  # it is announced
        address = f"127.0.0.1:{server.port}"
        for _ in range(count):
            for what, words, row in (
                ("lanchat rooms, first row", ["rooms", "--wait", str(_LIMIT)], TITLE),
                ("lanchat send TITLE, acknowledged", ["send", TITLE, "hi", "--nick", "ann", "--json"], "kept"),
                ("lanchat send ADDRESS, acknowledged", ["send", address, "hi", "--nick", "ann", "--json"], "kept"),
            ):
                found.setdefault(what, []).append(startup.until_a_row(words, home, row))
            ready, megabytes = _agent(address, home)
            found.setdefault("lanchat mcp, ready", []).append(ready)
            found.setdefault("lanchat mcp in a room, MB", []).append(megabytes)
    rooms = median(found["lanchat rooms, first row"])
    return [
        ScriptRow(what, median(taken), max(taken), median(taken) / rooms if " send " in what else None)
        for what, taken in found.items()
    ]


def _agent(address: str, home: Path) -> tuple[float, float]:
    """ms from the start of `lanchat mcp` to its first answer, and the MB that it takes once it is in a room."""
    words = [startup.PROGRAM, "mcp", "--room", address, "--nick", "agent"]
    started = time.monotonic()
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(home)
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps(_HELLO).encode() + b"\n")
            process.stdin.flush()
            process.stdout.readline()
            ready = (time.monotonic() - started) * 1e3
            deadline, inside = time.monotonic() + _LIMIT, False
            while not inside and time.monotonic() < deadline:
                process.stdin.write(json.dumps(_ROOMS).encode() + b"\n")
                process.stdin.flush()
                inside = b'\\"joined\\": true' in process.stdout.readline()
            return ready, rss_kib(process.pid) / 1024
        finally:
            process.stdin.close()


@dataclass(frozen=True)
class Follow:
    """A task for the load process: one member of the crowd talks, and `lanchat tail --json -f` prints it."""

    seconds: float
    rate: int  # lines a second

    def run(self, crowd: Crowd) -> FollowRow:
        home = home_for("tail", Path(tempfile.mkdtemp(prefix="lanchat-bench-")))
        words = [sys.executable, "-m", "lanchat", "tail", f"127.0.0.1:{crowd.target.port}", "-n0", "-f", "--json"]
        env = environment(home) | {"LANCHAT_NICK": "tail"}
        try:
            with subprocess.Popen(
                words,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=env,
                preexec_fn=lambda: pin(SERVER_CORE),
            ) as process:
                try:
                    return self._follow(crowd, process)
                finally:
                    process.terminate()
        finally:
            shutil.rmtree(home, ignore_errors=True)

    def _follow(self, crowd: Crowd, process: "subprocess.Popen[bytes]") -> FollowRow:
        assert process.stdout is not None
        out, heard = process.stdout.fileno(), bytearray()
        os.set_blocking(out, False)

        def read(timeout: float) -> bool:
            if not select.select([out], [], [], timeout)[0]:
                return False
            heard.extend(os.read(out, 1 << 20))
            return True

        deadline = time.monotonic() + _LIMIT
        while b'"came"' not in heard and time.monotonic() < deadline:
            crowd.poll(0)
            read(0.01)
        marks, speaker, said = crowd.next_marks(), crowd.members[0], 0
        text, count = marks.text(0, 0, 0), int(self.seconds * self.rate)
        started = time.monotonic()
        while said < count:
            due = min(count, int((time.monotonic() - started) * self.rate))
            if due > said:
                crowd.send(speaker, b"".join(crowd.dialect.say(text, marks.id(n)) for n in range(said, due)))
                said = due
            crowd.poll(0)
            read(0.001)
        ended = last = time.monotonic()
        final = f'"id":"{marks.id(count - 1)}"'.encode()
        while final not in heard[-4096:] and time.monotonic() - last < 2.0:
            crowd.poll(0)
            if read(0.01):
                last = time.monotonic()
        whole = followed(bytes(heard), [str(marks.id(n)) for n in range(count)])
        return FollowRow(self.rate, whole / (last - started), last - ended, count - whole)


def followed(printed: bytes, ids: Sequence[str]) -> int:
    """How many of the messages with these ids were printed, one after the other: up to the first that is missing.

    Args:
        printed: the lines of `lanchat tail --json`, of which the last may be cut off.
    """
    lines = printed[: printed.rfind(b"\n") + 1].splitlines()
    said = [event["id"] for event in map(json.loads, lines) if event["event"] == "said"]
    pairs = zip(ids, said, strict=False)
    return next((n for n, (id, found) in enumerate(pairs) if id != found), min(len(ids), len(said)))


@dataclass(frozen=True)
class Ring:
    """A task for the load process: a member of the crowd names a person whose terminal has no focus."""

    times: int

    def run(self, crowd: Crowd) -> list[float]:
        """ms from the message to the bell, each time."""
        home = home_for("zoe", Path(tempfile.mkdtemp(prefix="lanchat-bench-")))
        words = [sys.executable, "-m", "lanchat", "join", f"127.0.0.1:{crowd.target.port}"]
        try:
            with Terminal(words, environment(home) | {"LANCHAT_NICK": "zoe"}, SERVER_CORE) as terminal:
                self._quiet(crowd, terminal, 2.0)
                terminal.press(_LOOKS_AWAY)
                self._quiet(crowd, terminal, 0.5)
                return [self._rings(crowd, terminal, number) for number in range(self.times)]
        finally:
            shutil.rmtree(home, ignore_errors=True)

    def _quiet(self, crowd: Crowd, terminal: Terminal, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            crowd.poll(0)
            terminal.read(0.01)

    def _rings(self, crowd: Crowd, terminal: Terminal, number: int) -> float:
        self._quiet(crowd, terminal, _PAUSE)
        marks = crowd.next_marks()
        said = time.monotonic()
        crowd.send(crowd.members[0], crowd.dialect.say(b"zoe: look", marks.id(number)))
        while _BELL not in terminal.read(0.001):
            crowd.poll(0)
            if time.monotonic() - said > _LIMIT:
                raise TimeoutError("it does not ring")
        return (time.monotonic() - said) * 1e3
