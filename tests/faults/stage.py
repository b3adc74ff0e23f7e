"""One scenario: a host that can be killed, members who write down what they see, and the judgement in the end."""

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

from lanchat.network.connect import dial
from lanchat.protocol.address import Endpoint
from lanchat.protocol.messages import Card, Event
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.storage.identity import Identity
from lanchat.storage.member_store import DiskStore, MemberStore, NoStore
from tests.faults.cable import Cable
from tests.faults.chronicle import Chronicle, check, times
from tests.faults.hosts import HostProcess
from tests.faults.report import Figures, Findings
from tests.faults.talkers import Talker
from tests.support.namespaces import Namespace
from tests.support.waiting import wait_until

SETTLE_LIMIT = 40.0  # s for everybody to have everything, over whatever link


class Stage:
    """Made and closed by one thread. Close it, or use it in a `with`.

    Args:
        name: of the scenario.
        folder: for homes and the chronicle.
        identity: makes the key of somebody.
        findings: where the figures go.
        timing: of the members; the host is a process of its own.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        identity: Callable[[str], Identity],
        findings: Findings,
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        folder.mkdir()
        self.timing = timing
        self.name = name
        self.folder = folder
        self.rounds = 1
        self.talkers: list[Talker] = []
        self.chronicle = Chronicle(folder / "chronicle.jsonl")
        self.host = HostProcess(folder / "host")
        self._identity = identity
        self._making = threading.Lock()  # guards the making of keys
        self._findings = findings
        self._networks: list[Namespace] = []
        self._cables: list[Cable] = []
        self._closed = False

    def open(self, *options: str, wrap: Sequence[str] = (), own_network: bool = False) -> HostProcess:
        """Start the host; `lanchat host` with these options."""
        if own_network:
            self._networks.append(Namespace("host"))
            wrap = self._networks[0].prefix
        self.host = HostProcess(self.folder / "host", *options, wrap=wrap, local=not own_network)
        self.host.start()
        return self.host

    def cable(self, *, loss: float = 0.0, delay: float = 0.0, jitter: float = 0.0, seed: int = 1) -> Cable:
        """From the host's network to a new one."""
        self._networks.append(Namespace("far"))
        self._cables.append(
            Cable(self._networks[0], self._networks[-1], loss=loss, delay=delay, jitter=jitter, seed=seed)
        )
        return self._cables[-1]

    def talker(
        self, nick: str, *, owner: str = "", over: Cable | None = None, disk: bool = False, receive_buffer: int = 0
    ) -> Talker:
        """Somebody who is not in the room yet. Any thread.

        Args:
            owner: whose key it is, if not this one's.
            over: the cable between them and the host.
            disk: with a copy and an outbox on the disk.
        """
        talker = Talker(
            self.chronicle,
            self.way(over, receive_buffer),
            self.identity(owner or nick),
            nick,
            open_store=self._disk(nick) if disk else lambda card: NoStore(),
            timing=self.timing,
        )
        self.talkers.append(talker)
        return talker

    def identity(self, owner: str) -> Identity:
        with self._making:
            return self._identity(owner)

    def way(self, over: Cable | None = None, receive_buffer: int = 0) -> Callable[[], socket.socket]:
        """How to reach the host: over this cable, or on this machine."""
        address = over.near_address if over else "127.0.0.1"
        network: Namespace | None = self._networks[0] if self._networks else None
        if over is not None:
            network = self._networks[1 + self._cables.index(over)]

        def reach() -> socket.socket:
            with network.inside() if network else nullcontext():
                sock = dial((Endpoint(address, self.host.port),))
            if receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            return sock

        return reach

    def join(self, *nicks: str, owners: int = 0, at_once: int = 16, disk: bool = False) -> list[Talker]:
        """These come in, many at once.

        Args:
            owners: how many keys they have between them; 0: each their own.
        """
        talkers = [
            self.talker(nick, owner=f"owner{number % owners}" if owners else "", disk=disk)
            for number, nick in enumerate(nicks)
        ]
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(Talker.join, talkers))

    def broken(self, who: str = "") -> None:
        self.chronicle.note(who, "fault")

    def mended(self, who: str = "") -> None:
        self.chronicle.note(who, "mended")

    def settle(self, *, damaged: bool = False, timeout: float = SETTLE_LIMIT) -> Figures:
        """All fall silent and get what they lack; then the host closes, and what happened is judged.

        Args:
            damaged: a piece of the log was destroyed.

        Raises:
            AssertionError: something was lost, came twice, in another order or not at all.
        """
        self.quiet(timeout)
        for talker in self.talkers:
            talker.settled()
        log = self.host.events()
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(Talker.close, self.talkers))
        self.host.close()
        return self.judge(log, damaged=damaged)

    def quiet(self, timeout: float = SETTLE_LIMIT) -> None:
        """Nobody talks any more, all that was said is kept, and everybody has seen the same.

        Whoever has seen one more line has seen all before it. (The log's last number proves nothing: what a screen
        had when the host died is not shown there again under its new number.)
        """
        for talker in self.talkers:
            talker.hush()
        for talker in self.talkers:
            assert talker.ended is None, f"{talker.nick} has given up: {talker.ended}"
            assert talker.member.delivery.wait_acked(timeout), f"{talker.nick} waits for an acknowledgement"
        if not self.talkers:
            return
        last = self.talkers[0].say()
        wait_until(lambda: all(talker.last == last for talker in self.talkers), timeout, "everybody to have everything")
        assert self.talkers[0].member.delivery.wait_acked(timeout), "the last line waits for an acknowledgement"

    def judge(self, log: Sequence[Event], *, damaged: bool = False) -> Figures:
        records = self.chronicle.records()
        verdict = check(records, log, damaged=damaged)
        figures = Figures(self.name, self.rounds, verdict, times(records), self.host.peak)
        self._findings.figures.append(figures)
        assert not verdict.faults, f"{verdict}\n" + "\n".join(verdict.faults[:20]) + f"\nsee {self.folder}"
        return figures

    def close(self) -> None:
        """Leave nothing behind, however it went. May be called twice."""
        if self._closed:
            return
        self._closed = True
        try:
            with ThreadPoolExecutor(16) as pool:
                list(pool.map(Talker.close, self.talkers))
            self.host.close()
        finally:
            for cable in self._cables:
                cable.close()
            for network in self._networks:
                network.close()
            self.chronicle.close()

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _disk(self, nick: str) -> Callable[[Card], MemberStore]:
        return lambda card: DiskStore(self.folder / f"home-{nick}", card, lambda trouble: None)
