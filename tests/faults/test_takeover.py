"""A room with three computers that may host it: whichever hosts is killed, frozen or left, and the others go on."""

import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from lanchat.api.joining import join_target
from lanchat.api.targets import Target
from lanchat.client.events import Closed, Connected, Disconnected
from lanchat.protocol.address import Endpoint
from lanchat.protocol.messages import Said
from lanchat.storage.identity import load_identity
from lanchat.storage.reader import LogReader
from tests.faults.node import DIE, TIMING
from tests.support.addresses import LOOPBACK
from tests.support.program import Program
from tests.support.waiting import PATIENCE, wait_until

WINDOW = 64  # messages of one talker on their way at once


class Node:
    """A computer with a home of its own, in several lives."""

    def __init__(self, folder: Path, nick: str) -> None:
        self.nick, self._folder, self._lives = nick, folder, 0
        self._program: Program | None = None

    def start(self, *ports: int, die_at: str = "") -> None:
        """
        Args:
            ports: where the room may be; none: open it.
            die_at: the function at which this life ends.
        """
        self._lives += 1
        argv = [sys.executable, "-m", "tests.faults.node", self.nick, *map(str, ports)]
        env: dict[str, str | None] = {"LANCHAT_HOME": str(self._folder / self.nick), DIE: die_at or None}
        self._program = Program(argv, self._folder / f"{self.nick}-life{self._lives}", env, stdin="pipe")

    @property
    def state(self) -> str:
        """What it has said last: "port N" while it hosts, and who its backup is."""
        lines = self._running.out.splitlines()
        return lines[-1] if lines and self._running.out.endswith("\n") else ""

    @property
    def port(self) -> int:
        """At which it hosts; 0: it does not."""
        words = self.state.split()
        return int(words[1]) if words and words[0] == "port" else 0

    def send(self, number: int) -> None:
        os.kill(self._running.pid, number)

    @property
    def alive(self) -> bool:
        return self._program is not None and self._program.process.poll() is None

    def kill(self) -> None:
        if self._program is not None:
            self._program.close()
            self._program = None

    def close(self) -> None:
        if self._program is not None:
            program, self._program = self._program, None
            with program:
                program.send(signal.SIGCONT)
                program.end_input()
                program.wait()
            assert "Traceback" not in program.err, program.err

    @property
    def log(self) -> list[tuple[int, str]]:
        """All of the room in its log or its copy, as numbers and texts."""
        [path] = [
            *(self._folder / self.nick).glob("rooms/*/log.db"),
            *(self._folder / self.nick).glob("standby/*/log.db"),
        ]
        return [(event.seq, event.text if isinstance(event, Said) else "") for event in LogReader(path).events()]

    @property
    def _running(self) -> Program:
        assert self._program is not None
        return self._program


class Talker:
    """Somebody who talks, and writes down what is acknowledged and what is shown."""

    def __init__(self, folder: Path, nick: str, port: int) -> None:
        self.nick = nick
        self.shown: list[str] = []
        self.said: list[str] = []
        self.waits: list[float] = []
        self.connected = True
        self._ids: dict[str, str] = {}
        self.acked: set[str] = set()
        self.room = join_target(
            Target((Endpoint("127.0.0.1", port),)),
            nick,
            patience=None,
            on=LOOPBACK,
            drop_oldest=False,
            keeping="nothing",
            identity=load_identity(folder / f"key-{nick}"),
            timing=TIMING,
        )
        self._lost_at = 0.0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    def talk(self, rate: float) -> None:
        self._threads.append(threading.Thread(target=self._talk, args=(1 / rate,)))
        self._threads[-1].start()

    def hush(self) -> None:
        self._stop.set()
        for thread in self._threads[1:]:
            thread.join()

    def say(self) -> str:
        self.said.append(text := f"{self.nick}-{len(self.said) + 1}")
        self.room.send(text)
        return text

    def close(self) -> None:
        self.hush()
        self.room.close()
        self._threads[0].join()

    def _talk(self, pause: float) -> None:
        while not self._stop.wait(pause):
            if self.room.wait_acked(0.1, below=WINDOW):
                self.say()

    def _listen(self) -> None:
        while True:
            for item in self.room.take(1.0):
                self.room.follow(item)
                match item:
                    case Said(text=text):
                        self.shown.append(text)
                    case Disconnected():
                        self._lost_at = self._lost_at or time.monotonic()
                        self.connected = False
                    case Connected():
                        if self._lost_at:
                            self.waits.append(time.monotonic() - self._lost_at)
                        self._lost_at, self.connected = 0.0, True
                    case Closed():
                        return
                    case _:
                        pass


class Crowd:
    """Three nodes, and people who talk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.nodes = [Node(folder, nick) for nick in ("ann", "bob", "cat")]
        self.talkers: list[Talker] = []
        self.frozen: list[Node] = []

    def begin(self, talkers: int, die_at: str = "") -> None:
        """
        Args:
            die_at: the function at which the first life of bob ends.
        """
        ann, bob, cat = self.nodes
        ann.start()
        wait_until(lambda: ann.port, what="ann to host")
        bob.start(ann.port, die_at=die_at)
        wait_until(lambda: ann.state.endswith("backup bob"), what="bob to be the sync standby")
        cat.start(ann.port)
        self.talkers = [Talker(self._folder, f"t{number}", ann.port) for number in range(talkers)]
        self.wait_ready()

    @property
    def host(self) -> Node | None:
        """The one that hosts, if there is one and no other."""
        hosts = [node for node in self.nodes if node not in self.frozen and node.alive and node.port]
        return hosts[0] if len(hosts) == 1 else None

    def wait_host(self) -> Node:
        """Until exactly one hosts. Returns it."""
        return cast("Node", wait_until(lambda: self.host, what="a host"))

    def wait_ready(self) -> Node:
        """Until one hosts with a backup, and everybody is there. Returns it."""

        def ready() -> Node | None:
            host = self.host
            others = [node for node in self.nodes if node is not host]
            there = all(node.state.startswith("member backup") for node in others)
            talking = all(talker.connected and talker.room.backup for talker in self.talkers)
            return host if host is not None and "backup" in host.state and there and talking else None

        return cast("Node", wait_until(ready, timeout=2 * PATIENCE, what="a host with a backup"))

    def hear(self, number: int) -> None:
        """Until so many more lines have been shown."""
        shown = self.talkers[0].shown
        enough = len(shown) + number
        wait_until(lambda: len(shown) >= enough, what="some talk")

    def judge(self) -> None:
        """Everybody falls silent; then nothing is lost, twice, or missing, and all logs are equal."""
        for talker in self.talkers:
            talker.hush()
        for talker in self.talkers:
            assert talker.room.wait_acked(PATIENCE), f"{talker.nick} waits for an ack"
        last = self.talkers[0].say()
        wait_until(lambda: all(last in talker.shown[-3:] for talker in self.talkers), what="the last line")
        said = Counter(text for talker in self.talkers for text in talker.said)
        for talker in self.talkers:
            shown = Counter(talker.shown)
            assert sorted((said - shown).elements()) == [], f"{talker.nick} lacks something"
            assert sorted((shown - said).elements()) == [], f"{talker.nick} has something twice"
        assert self.talkers[0].room.wait_acked(PATIENCE)
        first, *others = self.nodes
        wait_until(lambda: all(node.log == first.log for node in others), what="equal logs")
        assert Counter(text for _, text in first.log if text) == said, "the log"

    def close(self) -> None:
        for talker in self.talkers:
            talker.close()
        for node in self.nodes:
            node.close()


@pytest.fixture
def crowd(tmp_path: Path, leaves_nothing: None, own_world: Path) -> Iterator[Crowd]:
    made = Crowd(tmp_path)
    yield made
    made.close()


def kill_hosts(crowd: Crowd, rounds: int, talkers: int, rate: int) -> float:
    """Returns the s in which 95 % of the talkers were back."""
    crowd.begin(talkers)
    chance = random.Random(rounds)
    for talker in crowd.talkers:
        talker.talk(rate)
    for _ in range(rounds):
        host = crowd.wait_ready()
        crowd.hear(chance.randrange(20, 60))
        host.kill()
        host.start(crowd.wait_host().port)
    crowd.wait_ready()
    crowd.judge()
    waits = sorted(wait for talker in crowd.talkers for wait in talker.waits)
    return waits[int(0.95 * (len(waits) - 1))]


def test_whichever_hosts_is_killed_under_load(crowd: Crowd) -> None:
    assert kill_hosts(crowd, rounds=3, talkers=2, rate=50) < PATIENCE


@pytest.mark.full
@pytest.mark.timeout(2400)
def test_whichever_hosts_is_killed_two_hundred_times(crowd: Crowd) -> None:
    print(f"back within {kill_hosts(crowd, rounds=200, talkers=10, rate=20):.2f} s (p95)")


def test_a_host_that_freezes_is_replaced_and_comes_over_when_it_thaws(crowd: Crowd) -> None:
    crowd.begin(talkers=2)
    ann = crowd.nodes[0]
    for talker in crowd.talkers:
        talker.talk(50)
    crowd.hear(30)
    crowd.frozen = [ann]
    ann.send(signal.SIGSTOP)
    crowd.wait_host()
    wait_until(lambda: all(talker.waits and talker.connected for talker in crowd.talkers), what="all to be back")
    crowd.hear(30)
    ann.send(signal.SIGCONT)
    crowd.frozen = []
    crowd.wait_ready()
    crowd.judge()


STEPS = [  # of a takeover
    "lanchat.storage.replica:Replica.finish",
    "lanchat.storage.sqlite_log:begin_term",
    "lanchat.storage.store:Store.begin",
    "lanchat.server.host:Host.start",
    "lanchat.server.hub:Hub.begin",
    "lanchat.api.standby:Standby.settled",
]


@pytest.mark.parametrize("step", [STEPS[1], *(pytest.param(step, marks=pytest.mark.full) for step in STEPS)])
def test_a_standby_that_dies_while_it_takes_over_is_replaced(crowd: Crowd, step: str) -> None:
    crowd.begin(talkers=2, die_at=step)
    ann, bob, _ = crowd.nodes
    for talker in crowd.talkers:
        talker.talk(50)
    crowd.hear(30)
    ann.kill()
    wait_until(lambda: not bob.alive, what="bob to die")
    new = crowd.wait_host().port
    for node in (ann, bob):
        node.kill()
        node.start(new)
    crowd.wait_ready()
    crowd.judge()
