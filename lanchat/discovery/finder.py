"""The lookout: ways of seeing, the list made of what they see, and knocking to learn what is true.

    ways (own threads) -- Sighting, Vanished --> directory <-- outcomes -- probe threads
                                                     |
                        LOOKOUT THREAD: who is to be asked now, who takes too long, what the list is

One condition guards all of it; nothing waits while holding it.
"""

import logging
import selectors
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from lanchat.client.connect import read_card
from lanchat.discovery.directory import Answered, Closed, Directory, NoAnswer, NoRoom, Outcome
from lanchat.discovery.sighting import Listing, Sighting, Vanished, shown_title
from lanchat.discovery.sources import Way, every_way
from lanchat.errors import LanchatError
from lanchat.network.flusher import Flusher
from lanchat.network.interfaces import still
from lanchat.network.link import Link
from lanchat.protocol.address import Address, Endpoint
from lanchat.protocol.framing import LineSplitter
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.tls import TlsChannel, client_context
from lanchat.storage.home import home_folder
from lanchat.storage.known_hosts import KnownHosts
from lanchat.threads import Closable

PROBE_LIMIT = 2.0  # s in all: connect, TLS, card
PROBE_THREADS = 16  # at most; they are made as they are needed
SETTLE = 0.3  # s after the first room of a title, for another of the same title to show up ...
LATEST_ANSWER = 1.5  # ... but so many s of looking: who has just told everybody is silent for 1.3 (RFC 6762, 6)
MAX_PROBLEMS = 8  # sentences; they are few, and the same one is told once
FOLLOW_EVERY = 4.0  # s between two looks at our own addresses
_SHORTEST_NAP = 0.05  # s; for when more is due than may be asked

_log = logging.getLogger(__name__)


class Finder(Closable):
    """Watches the network for rooms from now until `close`. Everything public is for any thread.

    Args:
        interfaces: where to look; None or none for everywhere, but for loopback where there is anything else.
        ways: by default UDP announce, mDNS, and the places of before.
    """

    def __init__(self, interfaces: Sequence[Address] | None = None, ways: Sequence[Way] | None = None) -> None:
        self._interfaces = interfaces = interfaces or None
        self._directory = Directory(_on(interfaces))
        self._changed = threading.Condition()  # guards everything below that changes
        self._listings: tuple[Listing, ...] = ()
        self._problems: list[str] = []
        self._links: dict[Endpoint, tuple[float, Link]] = {}  # probes under way, with their deadlines
        self._asking = 0
        self._closing = False
        self._tls = client_context()
        self._flusher = Flusher("lookout-flusher")
        self._stop, self._stopped = socket.socketpair()  # readable once we close: wakes who waits to be connected
        self._pool = ThreadPoolExecutor(PROBE_THREADS, "probe")
        self._thread = threading.Thread(target=self._watch, name="lookout")
        self._thread.start()
        ways = every_way(interfaces, home_folder()) if ways is None else ways
        self._watching = [way(self._report, self._tell) for way in ways]

    def begin(self, way: Way) -> None:
        """Look in one more way, until `close`."""
        watching = way(self._report, self._tell)
        with self._changed:
            self._watching.append(watching)
            closed = self._closing
        if closed:
            watching.close()

    def listings(self) -> tuple[Listing, ...]:
        with self._changed:
            return self._listings

    def wait_change(self, since: tuple[Listing, ...], timeout: float) -> tuple[Listing, ...]:
        """The list as soon as it differs from `since`, or as it is after that many seconds."""
        with self._changed:
            timeout = min(timeout, threading.TIMEOUT_MAX)  # for a person "inf" is so many seconds, too
            self._changed.wait_for(lambda: self._listings != since or self._closing, timeout)
            return self._listings

    def problems(self) -> tuple[str, ...]:
        """What keeps us from seeing, in sentences for a person."""
        with self._changed:
            return tuple(self._problems)

    def find(self, title: str, wait: float) -> tuple[Listing, ...]:
        """The rooms of this title, as soon as one of them answers and others had a moment to show up.

        Upper and lower case count where a room has exactly this title.

        Returns:
            The rooms; after `wait` seconds perhaps only some that do not answer, or none.
        """
        began = time.monotonic()
        deadline = began + wait
        settled: float | None = None
        listings = self.listings()
        while True:
            now = time.monotonic()
            matching = _of_title(listings, title)
            if settled is None and any(listing.state == "answering" for listing in matching):
                silent = all(listing.ways == ("mdns",) for listing in matching)
                settled = max(now + SETTLE, began + LATEST_ANSWER) if silent else now + SETTLE
            until = deadline if settled is None else min(deadline, settled)
            if now >= until or self._closing:
                return matching
            listings = self.wait_change(listings, until - now)

    def close(self) -> None:
        """Stop watching. May be called twice."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            for _, link in self._links.values():
                link.drop("", "closed")
            self._changed.notify_all()
        self._stop.send(b"!")
        for watching in self._watching:
            watching.close()
        self._thread.join()
        self._pool.shutdown(cancel_futures=True)
        self._flusher.close()
        self._stop.close()
        self._stopped.close()

    def _report(self, seen: Sighting | Vanished) -> None:
        with self._changed:
            now = time.monotonic()
            match seen:
                case Sighting():
                    self._directory.see(seen, now)
                case Vanished():
                    self._directory.vanish(seen, now)
            self._changed.notify_all()

    def _tell(self, problem: str) -> None:
        with self._changed:
            if problem not in self._problems and len(self._problems) < MAX_PROBLEMS:
                self._problems.append(problem)
            self._changed.notify_all()

    def _watch(self) -> None:
        while not self._closing:
            on = _on(self._interfaces)  # asks the system, so not under the lock
            with self._changed:
                self._directory.look_on(on)
                self._keep_asking(time.monotonic() + FOLLOW_EVERY)

    def _keep_asking(self, until: float) -> None:
        """Requires holding the lock."""
        while not self._closing and (now := time.monotonic()) < until:
            for deadline, link in self._links.values():
                if now >= deadline:
                    link.drop("", "did not answer in time")
            for endpoint in self._directory.due(now, PROBE_THREADS - self._asking):
                self._ask(endpoint, now)
            self._refresh(now)
            self._changed.wait(min(self._nap(now), until - now))

    def _ask(self, endpoint: Endpoint, now: float) -> None:
        """Requires holding the lock."""
        try:
            self._pool.submit(self._probe, endpoint)
            self._asking += 1
        except RuntimeError as error:  # no thread left
            _log.warning("cannot ask %s: %s", endpoint, error)
            self._directory.answer(endpoint, NoAnswer(), now)

    def _refresh(self, now: float) -> None:
        """Requires holding the lock."""
        found = self._directory.listings(now)
        listings = tuple(sorted(found, key=lambda listing: (listing.title.casefold(), listing.key_status != "known")))
        if listings != self._listings:
            self._listings = listings
            self._changed.notify_all()

    def _nap(self, now: float) -> float:
        """Requires holding the lock."""
        times = [deadline for deadline, _ in self._links.values()]
        if (next_at := self._directory.next_at(now)) is not None:
            times.append(next_at)
        return max(_SHORTEST_NAP, min(times) - now) if times else FOLLOW_EVERY

    def _probe(self, endpoint: Endpoint) -> None:
        """Ask one place. Probe threads only."""
        outcome: Outcome = NoAnswer()
        try:
            outcome = self._knock(endpoint, time.monotonic() + PROBE_LIMIT)
        finally:
            with self._changed:
                self._asking -= 1
                self._directory.answer(endpoint, outcome, time.monotonic())
                self._changed.notify_all()

    def _knock(self, endpoint: Endpoint, deadline: float) -> Outcome:
        try:
            sock = _connect(endpoint, self._stopped, deadline)
        except ConnectionRefusedError:
            return Closed()
        except OSError:
            return NoAnswer()
        channel = TlsChannel(self._tls, server=False)
        try:
            link = Link(sock, channel, self._flusher)
        except OSError:  # it hung up at once: on some systems such a socket takes no options
            sock.close()
            return NoAnswer()
        with self._changed:
            if self._closing:
                link.drop("", "closed")
            self._links[endpoint] = deadline, link
            self._changed.notify_all()  # the lookout thread keeps the deadline
        try:
            card, host_key, _ = read_card(link, channel, LineSplitter())
        except LanchatError:
            return NoAnswer() if time.monotonic() >= deadline else NoRoom()
        finally:
            with self._changed:
                del self._links[endpoint]
            link.close()
        key = fingerprint(host_key)
        return Answered(card, key, self._key_status(card.room, key))

    def _key_status(self, room_id: str, key: str) -> str:
        """How this key stands to what we know; asked at each answer, for it may be forgotten meanwhile."""
        try:
            return KnownHosts(home_folder()).key_status(room_id, key)
        except LanchatError as error:
            self._tell(f"which rooms you have been in cannot be told: {error}")
            return ""


def _connect(endpoint: Endpoint, stopped: socket.socket, deadline: float) -> socket.socket:
    """A connection, unless `stopped` becomes readable first.

    Raises:
        OSError: there is none.
    """
    family, kind, _, _, where = socket.getaddrinfo(
        endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
    )[0]
    sock = socket.socket(family, kind)
    try:
        sock.setblocking(False)
        try:
            sock.connect(where)
        except BlockingIOError:
            _wait_connected(sock, stopped, deadline)
        sock.setblocking(True)
    except BaseException:
        sock.close()
        raise
    return sock


def _wait_connected(sock: socket.socket, stopped: socket.socket, deadline: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(stopped, selectors.EVENT_READ)
        selector.register(sock, selectors.EVENT_WRITE)
        ready = [key.fileobj for key, _ in selector.select(max(0.0, deadline - time.monotonic()))]
    if sock not in ready:
        raise TimeoutError
    if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(error, "cannot connect")  # becomes ConnectionRefusedError where it is that


def _on(interfaces: Sequence[Address] | None) -> tuple[Address, ...]:
    """Our addresses on the networks we look at."""
    on = tuple(still(interfaces))
    if interfaces is None:
        on = tuple(address for address in on if not address.is_loopback) or on
    return on


def _of_title(listings: tuple[Listing, ...], title: str) -> tuple[Listing, ...]:
    title = shown_title(title)
    exact = tuple(listing for listing in listings if listing.title == title)
    return exact or tuple(listing for listing in listings if listing.title.casefold() == title.casefold())
