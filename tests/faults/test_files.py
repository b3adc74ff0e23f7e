"""Files while their sender, their host and their receiver are killed, and while every link is cut."""

import json
import random
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import asdict, replace

from lanchat.network.connect import dial
from lanchat.protocol.address import Endpoint
from lanchat.protocol.limits import FileLimits
from lanchat.server.host import Host
from lanchat.storage.blobs import Blobs
from lanchat.storage.identity import Identity
from lanchat.storage.parts import Part
from tests.faults.hosts import HostProcess
from tests.faults.program import COUNT, EAGER, TIMING, written
from tests.support.files import digest, file_of
from tests.support.longer import TIMES
from tests.support.people import joined_room
from tests.support.program import Program
from tests.support.waiting import wait_until

UNCOUNTED = 1 << 20  # bytes; a kill between a write and its count leaves a piece out, and the last one is soon over
MOST = 1.01  # bytes written for each byte of a file: nothing but the last piece comes twice


# ---- kill -9


class Carrier:
    """A sender or a receiver that can be killed and started again. See carrier.py."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.home = folder / words[0]
        self._folder, self._words = folder, words
        self._program: Program | None = None

    def start(self) -> None:
        self.home.mkdir(mode=0o700, exist_ok=True)
        argv = [sys.executable, "-m", "tests.faults.carrier", *self._words]
        env = {"LANCHAT_HOME": str(self.home), TIMING: json.dumps(asdict(EAGER))}
        life = len(list(self._folder.glob(f"{self._words[0]}-life*")))
        self._program = Program(argv, self._folder / f"{self._words[0]}-life{life}", env)

    def kill(self) -> None:
        self._running.close()

    @property
    def over(self) -> bool:
        """It has done what it had to, and has ended by itself."""
        return self._running.process.poll() == 0

    def result(self) -> str:
        """What it prints when all is done."""
        ended = self._running.wait()
        assert ended.code == 0, ended.err
        return ended.lines[-1]

    def close(self) -> None:
        if self._program is not None:
            self._program.close()

    @property
    def _running(self) -> Program:
        assert self._program is not None
        return self._program


class Counter:
    """Counts the bytes that the processes with this home write from now on."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._before = written(home)

    @property
    def written(self) -> int:
        return written(self._home) - self._before


@dataclass(frozen=True)
class Death:
    """kill -9 of somebody, and the next life, once so many bytes have been counted."""

    victim: Carrier | HostProcess
    counter: Counter
    at: int

    @property
    def is_due(self) -> bool:
        return self.counter.written >= self.at

    def happen(self) -> None:
        if isinstance(self.victim, Carrier) and self.victim.over:
            return
        self.victim.kill()
        self.victim.start()


@pytest.fixture
def host_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HostProcess]:
    monkeypatch.setenv(COUNT, "1")
    process = HostProcess(tmp_path / "host", "--no-limits", "--files", "20G")
    (tmp_path / "host").mkdir(mode=0o700)
    process.start()
    yield process
    process.close()


@pytest.mark.full
@pytest.mark.timeout(600 * TIMES)
@pytest.mark.parametrize("rounds", [1, 10 * TIMES])
def test_a_file_arrives_although_sender_host_and_receiver_are_killed(
    host_process: HostProcess, tmp_path: Path, rounds: int
) -> None:
    """Each of the three once in a round, at a random byte; now and then at the end, when it is stored or named."""
    size, chance = 24 << 20, random.Random(rounds)
    for number in range(rounds):
        source = file_of(tmp_path / "source", f"{number}.bin", size, number)
        inbox = tmp_path / f"inbox{number}"
        port = str(host_process.port)
        sender = Carrier(tmp_path, "send", port, str(source))
        receiver = Carrier(tmp_path, "get", port, source.name, str(inbox))
        at_host, at_receiver = Counter(host_process.home), Counter(receiver.home)
        deaths = [
            Death(victim, counter, min(size - UNCOUNTED, chance.randrange(1, size + size // 8)))
            for victim, counter in ((sender, at_host), (host_process, at_host), (receiver, at_receiver))
        ]
        with closing(sender), closing(receiver):
            sender.start()
            receiver.start()
            while deaths:
                due = wait_until(lambda: [each for each in deaths if each.is_due], what="the next kill")[0]  # noqa: B023
                deaths.remove(due)
                due.happen()
            assert sender.result() == digest(source)
            receiver.result()
        copies = [path for path in inbox.iterdir() if not path.name.startswith(".")]
        assert copies and {digest(path) for path in copies} == {digest(source)}
        assert at_host.written <= MOST * size
        # a receiver that is killed between the name and its report does not know that it has the file
        assert at_receiver.written <= MOST * size * len(copies)


# ---- cuts


class Way:
    """Connections to a host, all of which can be cut at once."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sockets: list[socket.socket] = []

    def dial(self) -> socket.socket:
        sock = dial((Endpoint("127.0.0.1", self._port),))
        self._sockets.append(sock)
        return sock

    def cut(self) -> None:
        sockets, self._sockets = self._sockets, []
        for sock in sockets:
            with suppress(OSError):  # it is closed
                sock.shutdown(socket.SHUT_RDWR)


@pytest.mark.timeout(600 * TIMES)
@pytest.mark.parametrize(
    ("size", "cuts"),
    [(8 << 20, 3), pytest.param(TIMES * 128 << 20, TIMES * 60, marks=pytest.mark.full)],
    ids=["few", "many"],
)
def test_a_file_arrives_although_all_links_are_cut_again_and_again(
    host: Callable[..., Host],
    identity: Callable[[str], Identity],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
    cuts: int,
) -> None:
    """It is sent and fetched at once; chat and transfers of both are cut at random bytes."""
    source = file_of(tmp_path / "source", "report.pdf", size, cuts)
    blobs = Blobs(tmp_path / "files", FileLimits(spare_part=0.0, spare_bytes=0))
    room = host("Room A", blobs=blobs)
    ways = Way(room.port), Way(room.port)
    counting = threading.Lock()  # guards both
    counted: dict[Path, int] = {}
    due = sorted(random.Random(cuts).sample(range(2 * size), cuts))
    write = Part.write

    def count_and_cut(part: Part, data: bytes) -> None:
        write(part, data)
        with counting:
            counted[part.path] = counted.get(part.path, 0) + len(data)
            if due and sum(counted.values()) >= due[0]:
                del due[0]
                for way in ways:
                    way.cut()

    monkeypatch.setattr(Part, "write", count_and_cut)
    impatient = replace(EAGER, place_every=0.05)  # who fetches is ahead of the sender, and waits
    ann, bob = (
        joined_room(way.dial, identity(nick), nick, timing=impatient, patience=None)
        for way, nick in zip(ways, ("ann", "bob"), strict=True)
    )
    try:
        sending = ann.start_sending(source, lambda transfer: None)
        fetching = bob.start_fetching(wait_until(lambda: bob.files)[0], tmp_path / "bob", lambda transfer: None)
        sending.wait(500 * TIMES)
        fetching.wait(500 * TIMES)
    finally:
        ann.close()
        bob.close()
        room.close()
        blobs.close()
    assert not due and digest(fetching.path) == digest(source)
    assert max(counted.values()) <= MOST * size, counted
