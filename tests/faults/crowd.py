"""Computers that may host a room, and people who talk there and write down what they see."""

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import cast

from lanchat.api.joining import join_target
from lanchat.api.targets import Target
from lanchat.client.events import Closed, Connected, Disconnected
from lanchat.errors import LogDamaged
from lanchat.protocol.address import Endpoint
from lanchat.protocol.messages import Event, Moved, Said
from lanchat.storage.identity import load_identity
from lanchat.storage.reader import LogReader
from tests.faults.cable import enter_mounts
from tests.faults.moved import Evidence, verdict
from tests.faults.node import ADDRESS, DIE, HAND_OVER, HOSTS, SAID, SPARE, TIMING
from tests.faults.program import CLOCK
from tests.support.addresses import LOOPBACK
from tests.support.program import Program
from tests.support.waiting import PATIENCE, wait_until

WINDOW = 64  # messages of one talker on their way at once


class Node:
    """A computer with a home of its own, in several lives.

    Args:
        wrap: a command that runs it: nsenter, unshare.
        address: on which it listens, and is reached.
        clock: s by which its clock is wrong.
        own_disk: its home is in a mount namespace of its own, on a disk that it may fill.
    """

    def __init__(
        self,
        folder: Path,
        nick: str,
        *,
        wrap: Sequence[str] = (),
        address: str = "127.0.0.1",
        clock: int = 0,
        own_disk: bool = False,
    ) -> None:
        self.nick, self.address = nick, address
        self.home = folder / nick
        self.said: list[str] = []
        self._folder, self._wrap, self._own_disk = folder, wrap, own_disk
        self._clock = folder / f"{nick}-clock"
        self._clock.write_text(str(clock))
        self._lives: list[Program] = []
        self._program: Program | None = None

    def start(self, *at: str, die_at: str = "") -> None:
        """
        Args:
            at: HOST:PORT where the room may be; none: open it.
            die_at: the function at which this life ends.
        """
        argv = [*self._wrap, sys.executable, "-m", "tests.faults.node", self.nick, *at]
        env = {
            "LANCHAT_HOME": str(self.home),
            ADDRESS: self.address,
            CLOCK: str(self._clock),
            SPARE: "0" if self._own_disk else None,
            DIE: die_at or None,
        }
        folder = self._folder / f"{self.nick}-life{len(self._lives) + 1}"
        self._program = Program(argv, folder, env, stdin="pipe")
        self._lives.append(self._program)

    @property
    def state(self) -> str:
        """What it has said last: "port N" while it hosts, and who its backup is."""
        lines = self.states
        return lines[-1] if lines and self._running.out.endswith("\n") else ""

    @property
    def states(self) -> list[str]:
        return self._running.lines

    @property
    def port(self) -> int:
        """At which it hosts; 0: it does not."""
        words = self.state.split()
        return int(words[1]) if words and words[0] == "port" else 0

    @property
    def at(self) -> str:
        """Where it hosts."""
        return f"{self.address}:{self.port}"

    @property
    def pid(self) -> int:
        return self._running.pid

    def say(self) -> str:
        """Its person says the next of their lines."""
        self.said.append(text := f"{self.nick}-{len(self.said) + 1}")
        self._running.say(f"{text}\n")
        return text

    def hand_over(self, nick: str) -> None:
        """Its person asks that this one's computer host the room."""
        self._running.say(f"{HAND_OVER} {nick}\n")

    @property
    def shown(self) -> list[str]:
        """What has been said, on the screen of this life."""
        return [line.removeprefix(SAID) for line in self._running.err.splitlines() if line.startswith(SAID)]

    @property
    def terms(self) -> list[tuple[str, int]]:
        """Each start of hosting: in which life of this computer, and the epoch."""
        return [
            (f"{self.nick}, life {number}", int(line.removeprefix(HOSTS)))
            for number, life in enumerate(self._lives, 1)
            for line in life.err.split("\n")[:-1]
            if line.startswith(HOSTS)
        ]

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

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
    def disk(self) -> Path:
        """Where its home is found from here; while it runs."""
        return Path(f"/proc/{self.pid}/root{self.home}")

    @property
    def events(self) -> list[Event]:
        """All of the room in its log or its copy; nothing: it has none."""
        if not self._own_disk:
            return self._read_events()
        with ThreadPoolExecutor(1) as pool, open(f"/proc/{self.pid}/ns/mnt", "rb") as namespace:
            pool.submit(enter_mounts, namespace.fileno()).result()  # the pool has one thread
            return pool.submit(self._read_events).result()

    @property
    def log(self) -> list[tuple[int, str]]:
        """The same as numbers and texts."""
        return [(event.seq, event.text if isinstance(event, Said) else "") for event in self.events]

    @property
    def moves(self) -> list[Moved]:
        """How often the room has moved, by its log or its copy."""
        return [event for event in self.events if isinstance(event, Moved)]

    def _read_events(self) -> list[Event]:
        paths = [*self.home.glob("rooms/*/log.db"), *self.home.glob("standby/*/log.db")]
        try:
            return list(LogReader(paths[0]).events()) if paths else []
        except LogDamaged:  # it is being made
            return []

    @property
    def _running(self) -> Program:
        assert self._program is not None
        return self._program


class Talker:
    """Somebody who talks, and writes down what they say and what is shown to them."""

    def __init__(self, folder: Path, nick: str, port: int) -> None:
        self.nick = nick
        self.shown: list[str] = []
        self.said: list[str] = []
        self.waits: list[float] = []
        self.connected = True
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
    """Nodes, and people who talk.

    Args:
        nodes: the first one opens the room.
        members: the last so many of them are never standbys.
        patience: s that a judgement waits for what has not come yet.
    """

    def __init__(
        self, folder: Path, nodes: Sequence[Node] = (), *, members: int = 0, patience: float = PATIENCE
    ) -> None:
        self._folder, self._patience = folder, patience
        self.nodes = list(nodes) or [Node(folder, nick) for nick in ("ann", "bob", "cat")]
        self.keepers = self.nodes[: len(self.nodes) - members]  # of the log, or a copy of it
        self.talkers: list[Talker] = []
        self.frozen: list[Node] = []

    def begin(self, talkers: int = 0, die_at: str = "", *, first_dies_at: str = "") -> None:
        """
        Args:
            die_at: the function at which the first life of the second node ends.
            first_dies_at: the same of the first node.
        """
        first, second, *others = self.nodes
        first.start(die_at=first_dies_at)
        wait_until(lambda: first.port, what="the first to host")
        second.start(first.at, die_at=die_at)
        wait_until(lambda: first.state.endswith(f"backup {second.nick}"), what="the second to be the sync standby")
        for node in others:
            node.start(first.at)
            if node in self.keepers:
                wait_until(lambda: node.events, what="a copy")  # noqa: B023
        self.talkers = [Talker(self._folder, f"t{number}", first.port) for number in range(talkers)]
        self.wait_ready()

    @property
    def host(self) -> Node | None:
        """The one that hosts, if there is one and no other."""
        hosts = self.hosts
        return hosts[0] if len(hosts) == 1 else None

    @property
    def hosts(self) -> list[Node]:
        return [node for node in self.nodes if node not in self.frozen and node.alive and node.port]

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

        try:
            return cast("Node", wait_until(ready, timeout=2 * PATIENCE, what="a host with a backup"))
        except AssertionError as error:
            states = {node.nick: node.states[-5:] for node in self.nodes if node.alive}
            raise AssertionError(f"{error}: {states}") from None

    def hear(self, number: int) -> None:
        """Until so many more lines have been shown."""
        shown = self.talkers[0].shown
        enough = len(shown) + number
        wait_until(lambda: len(shown) >= enough, what="some talk")

    def judge(self, *, apart: bool = False) -> None:
        """Everybody falls silent; then nothing is lost, twice, or missing, and all logs are equal.

        Args:
            apart: as of `Evidence`.
        """
        for talker in self.talkers:
            talker.hush()
        for talker in self.talkers:
            assert talker.room.wait_acked(PATIENCE), f"{talker.nick} waits for an ack"
        people = self.talkers or self.nodes
        last = people[0].say()
        with suppress(AssertionError):  # the verdict says what is wrong
            wait_until(lambda: all(last in one.shown for one in people), self._patience)
        with suppress(AssertionError):
            wait_until(lambda: not verdict(self._evidence(people, apart=apart)), self._patience)
        faults = verdict(self._evidence(people, apart=apart))
        assert not faults, "\n".join(faults[:20])

    def _evidence(self, people: Sequence[Talker] | Sequence[Node], *, apart: bool) -> Evidence:
        return Evidence(
            said={one.nick: [*one.said] for one in people},
            shown={one.nick: [*one.shown] for one in people},
            logs={node.nick: node.events for node in self.keepers},
            hosts=[node.nick for node in self.hosts],
            terms=[term for node in self.nodes for term in node.terms],
            apart=apart,
        )

    def close(self) -> None:
        for talker in self.talkers:
            talker.close()
        for node in reversed(self.nodes):  # else each would take the room over from the one before
            node.close()
