"""kill -9 of one of two hosts, of the engine, and of both: nothing is lost or comes twice; people go on elsewhere.

A host that stands still for so long that the other one counts it as gone says nothing to anybody but that.
"""

import json
import random
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import asdict, replace

from lanchat.errors import LanchatError
from lanchat.network.connect import dial
from lanchat.protocol.address import Endpoint
from lanchat.protocol.messages import Event, Said
from lanchat.storage.reader import LogReader
from tests.faults.chronicle import Chronicle, Record, check
from tests.faults.program import EAGER, TIMING
from tests.faults.talkers import Talker
from tests.support.addresses import quiet_port
from tests.support.engines import SAFE, RedisProcess
from tests.support.program import Program
from tests.support.waiting import PATIENCE, wait_until

full = pytest.mark.full
QUICK = replace(EAGER, engine_read=0.1, engine_retry=0.05)
AGAIN = "It hosts the room again."
STILL = 8.0  # s that a host stands still; its lease is over after 5
BACK = 5.0  # s until 19 of 20 are in the room again


class OneHost:
    """A host of the room, that can be killed and started again."""

    def __init__(self, folder: Path, name: str, url: str, room: str) -> None:
        self.port, self.file = quiet_port(), folder / name / "log.db"
        self.file.parent.mkdir()
        self._folder, self._name, self._url, self._room = folder, name, url, room
        self._lives = count(1)
        self.program: Program | None = None

    def start(self) -> None:
        argv = [sys.executable, "-m", "tests.faults.engine_host", self._url, self._room, self._name]
        env = {"LANCHAT_HOME": str(self._folder / "key"), TIMING: json.dumps(asdict(QUICK))}
        life = self._folder / f"{self._name}-life{next(self._lives)}"
        self.program = Program([*argv, str(self.port), str(self.file)], life, env, stdin="pipe")
        self.program.wait_out("open")

    def kill(self) -> None:
        assert self.program is not None
        self.program.close()
        self.program = None

    def freeze(self, seconds: float) -> None:
        """It stands still for so long, as a machine that sleeps."""
        assert self.program is not None
        self.program.send(signal.SIGSTOP)
        threading.Event().wait(seconds)  # the time itself is the fault here; there is no condition to wait for
        self.program.send(signal.SIGCONT)

    def has_come_back(self, times: int) -> bool:
        """Whether it has told so often that it stood still and hosts again."""
        return self.program is not None and self.program.err.count(AGAIN) == times

    def stop(self) -> None:
        """In order."""
        assert self.program is not None
        self.program.end_input()
        ended = self.program.wait()
        assert ended.code == 0 and "Traceback" not in ended.err, ended.err
        self.kill()

    def events(self) -> list[Event]:
        return list(LogReader(self.file).events())

    @property
    def said(self) -> list[str]:
        return [text for _, text in texts(self.events())]


class Room:
    """A room with two hosts on one engine, and members who go to the one or the other."""

    def __init__(self, folder: Path, identity: Callable[[str], Any]) -> None:
        self._undo = ExitStack()
        self.engine = self._undo.enter_context(RedisProcess(folder / "redis", *SAFE))
        room = secrets.token_hex(16)
        self.hosts = [OneHost(folder, name, self.engine.url, room) for name in ("one", "two")]
        for host in self.hosts:
            host.start()
        self.chronicle = Chronicle(folder / "chronicle")
        self._undo.callback(self.chronicle.close)
        self._identity = identity
        self.talkers: list[Talker] = []

    def join(self, *nicks: str) -> None:
        for number, nick in enumerate(nicks):
            first = self.hosts[number % 2]
            way = (first, *(host for host in self.hosts if host is not first))
            talker = Talker(self.chronicle, partial(reach, way), self._identity(nick), nick, timing=QUICK)
            self.talkers.append(talker)
            self.talkers[-1].join()

    def close(self) -> None:
        for talker in self.talkers:
            talker.close()
        for host in self.hosts:
            if host.program is not None:
                host.kill()
        self._undo.close()


def reach(hosts: tuple[OneHost, ...]) -> socket.socket:
    for host in hosts[:-1]:
        with suppress(LanchatError, OSError):
            return dial((Endpoint("127.0.0.1", host.port),))
    return dial((Endpoint("127.0.0.1", hosts[-1].port),))


@pytest.fixture
def room(tmp_path: Path, identity: Any, leaves_nothing: None, own_world: Path) -> Iterator[Room]:
    room = Room(tmp_path, identity)
    yield room
    room.close()


def kill_in_rounds(room: Room, rounds: int) -> list[Record]:
    """Under load: each round a host, the engine, or both are killed, and start again once all are back."""
    room.join("ann", "bob", "cyd", "dan")
    for talker in room.talkers:
        talker.talk(rate=50)
    chance = random.Random(rounds)
    for number in range(rounds):
        heard(room, 20 + chance.randrange(40))
        victim, what = room.hosts[number % 2], number % 3
        room.chronicle.note("", "fault")
        if what != 1:
            victim.kill()
        if what != 0:
            room.engine.restart()
        wait_until(lambda: all(talker.in_room for talker in room.talkers), what="all to be back")
        if what != 1:
            victim.start()
        room.chronicle.note("", "mended")
    return settle(room)


def heard(room: Room, lines: int) -> None:
    """Everybody has heard so many more lines."""
    for talker in room.talkers:
        upto = talker.seq + lines
        wait_until(partial(lambda one, seq: one.seq >= seq, talker, upto), what=f"{talker.nick} to hear more")


def settle(room: Room) -> list[Record]:
    for talker in room.talkers:
        talker.hush()
    for talker in room.talkers:
        assert talker.ended is None and talker.member.delivery.wait_acked(PATIENCE), talker.nick
    last = room.talkers[0].say()
    wait_until(lambda: all(talker.last == last for talker in room.talkers), what="everybody to have everything")
    for talker in room.talkers:
        talker.settled()
        talker.close()
    for host in room.hosts:  # one at which nobody is now may be behind, and would take over the rest when it starts
        wait_until(partial(lambda host: host.said[-1:] == [last], host), what=f"{host.file} to have everything")
        host.stop()
    first, second = (host.events() for host in room.hosts)
    records = room.chronicle.records()
    for log in (first, second):
        verdict = check(records, log)
        assert not verdict.faults, f"{verdict}\n" + "\n".join(verdict.faults[:20])
    assert texts(first) == texts(second), "both hosts have one log"
    return records


def texts(log: list[Event]) -> list[tuple[int, str]]:
    return [(event.seq, event.text) for event in log if isinstance(event, Said)]


def times_away(records: list[Record]) -> list[float]:
    """s from each lost link to the next one of the same member."""
    lost: dict[str, float] = {}
    found = []
    for record in records:
        if record.what == "lost":
            lost.setdefault(record.who, record.at)
        elif record.what == "back" and record.who in lost:
            found.append(record.at - lost.pop(record.who))
    return found


@pytest.mark.timeout(180)
def test_a_host_the_engine_and_both_are_killed(room: Room) -> None:
    kill_in_rounds(room, 3)


@full
@pytest.mark.timeout(900)
def test_a_host_the_engine_and_both_are_killed_again_and_again(room: Room) -> None:
    away = sorted(times_away(kill_in_rounds(room, 40)))
    late = away[len(away) * 95 // 100]
    assert late < BACK, f"95 of 100 were back within {late:.1f} s: {away[-10:]}"


@full
@pytest.mark.timeout(180)
def test_a_host_that_stands_still_for_longer_than_its_lease(room: Room) -> None:
    room.join("ann", "bob", "cyd", "dan")
    for talker in room.talkers:
        talker.talk(rate=50)
    for number in range(3):
        heard(room, 20)
        still = room.hosts[number % 2]
        room.chronicle.note("", "fault")
        still.freeze(STILL)
        room.chronicle.note("", "mended")
        wait_until(partial(still.has_come_back, number // 2 + 1), what=AGAIN)
        wait_until(lambda: all(talker.in_room for talker in room.talkers), what="all to be back")
    settle(room)
