"""Finds rooms: runs the discovery sources, probes every address that they report, and keeps one list.

    sources (threads of their own) -- Sighting, Vanished --> directory <-- outcomes -- probe threads
                                                                 |
                                      FINDER THREAD: which addresses to probe now, and what the list is

One condition guards all of it, and no thread holds it while it waits for the network or asks the system.
"""

import dataclasses
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from lanchat.discovery.directory import Directory
from lanchat.discovery.probe import PROBE_LIMIT, probe
from lanchat.discovery.share import MAX_OF_ONE_MACHINE, Shares
from lanchat.discovery.sighting import Answered, Listing, Outcome, Sighting, Silent, Vanished, shown_title
from lanchat.discovery.sources import Source, default_sources
from lanchat.errors import LanchatError
from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.address import Address, Endpoint
from lanchat.protocol.folding import fold
from lanchat.protocol.text import same_title
from lanchat.protocol.timing import DEFAULT_TIMING
from lanchat.protocol.tls import client_context
from lanchat.storage.home import home_folder
from lanchat.storage.known_hosts import KnownHosts
from lanchat.threads import Closable, Wakeup, join_started

PROBE_THREADS = 16  # at most; each is started when it is needed
SAME_TITLE_WAIT = 0.3  # s after the first room of a title, for another room of that title to show up ...
LATEST_ANSWER = 1.5  # ... but this many s after the start: an mDNS host may have to stay silent for 1.3 (RFC 6762, 6)
MAX_PROBLEMS = 8  # sentences that say why rooms may be missing, in all and of one source; each is kept once
FOLLOW_EVERY = DEFAULT_TIMING.own_addresses  # s between two looks at our own addresses
_SHORTEST_WAIT = 0.05  # s; for when more probes are due than may start at once

_log = logging.getLogger(__name__)


class Finder(Closable):
    """Watches the network for rooms until `close`. Any thread may call its public methods.

    Args:
        on: our own addresses on the networks to search; without a choice loopback only if there is nothing else.
        sources: by default those of `default_sources`.
        wanted: the title or the id of a room that is looked for: it is listed even if its machine has many rooms.

    Raises:
        LanchatError: LANCHAT_HOME names no folder.
        OSError, RuntimeError: this process has no file descriptor or no thread left.
    """

    def __init__(
        self, on: OwnAddresses | None = None, sources: Sequence[Source] | None = None, *, wanted: str = ""
    ) -> None:
        home = home_folder(needed=False)
        self._on = on or OwnAddresses()
        self._known_hosts = KnownHosts(home)
        self._directory = Directory(_searched(self._on), Shares(_known_rooms(self._known_hosts), wanted))
        self._changed = threading.Condition()  # guards everything below that changes
        self._listings: tuple[Listing, ...] = ()
        self._trouble = _alone(self._on)
        self._problems: dict[int, list[str]] = {}  # by the number of the source
        self._probing = 0
        self._closing = False
        self._running: list[Closable] = []  # the sources
        self._tls = client_context()
        self._stop = Wakeup()
        self._pool = ThreadPoolExecutor(PROBE_THREADS, "probe")
        self._thread = threading.Thread(target=self._watch, name="finder")
        try:
            self._thread.start()
            for source in default_sources(self._on, home) if sources is None else sources:
                self.begin(source)
        except BaseException:
            self.close()
            raise

    def begin(self, source: Source) -> None:
        """Search by one more source until `close`."""
        with self._changed:
            number = len(self._problems) + 1
            self._problems[number] = []
        running = source(self._report, partial(self._add_problem, number))
        with self._changed:
            self._running.append(running)
            closed = self._closing
        if closed:
            running.close()

    def listings(self) -> tuple[Listing, ...]:
        """The rooms that are seen now: those that this person knows come first, and both parts are sorted by title."""
        with self._changed:
            return self._listings

    def wait_change(self, since: tuple[Listing, ...], timeout: float) -> tuple[Listing, ...]:
        """Wait until the list differs from `since`, for at most `timeout` seconds, and return it."""
        with self._changed:
            timeout = min(timeout, threading.TIMEOUT_MAX)  # the wait option of the command line accepts "inf"
            self._changed.wait_for(lambda: self._listings != since or self._closing, timeout)
            return self._listings

    def problems(self) -> tuple[str, ...]:
        """Why rooms may be missing from the list now, in sentences for a person."""
        with self._changed:
            crowded = [_crowded(machine) for machine in self._directory.crowded(time.monotonic())]
            found = [self._trouble, *crowded, *(problem for all in self._problems.values() for problem in all)]
        return tuple(dict.fromkeys(filter(None, found)))[:MAX_PROBLEMS]

    def find(self, title: str, wait: float) -> tuple[Listing, ...]:
        """Wait until a room of this title answers, and a moment longer for other rooms of the same title.

        A known room with this title is waited for, because another one may only pretend to be that room. If exactly one
        room with this title is known, no other is waited for, since none would be taken in its place. Rooms of exactly
        this title are preferred; if there are none, upper and lower case do not count.

        Returns:
            The rooms; after `wait` seconds perhaps only rooms that do not answer, or none.
        """
        began = time.monotonic()
        deadline = began + wait
        settled: float | None = None
        known = self._known(shown_title(title))
        listings = self.listings()
        while True:
            now = time.monotonic()
            matching = _of_title(listings, title)
            if settled is None and any(_is_there(listing, known=bool(known)) for listing in matching):
                only_mdns = all(listing.via == ("mdns",) for listing in matching)
                settled = max(now + SAME_TITLE_WAIT, began + LATEST_ANSWER) if only_mdns else now + SAME_TITLE_WAIT
                if any(known == {listing.room_id} and _is_there(listing, known=True) for listing in matching):
                    settled = now
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
            self._changed.notify_all()
        self._stop.set()
        self._close_sources()
        join_started(self._thread)
        self._pool.shutdown(cancel_futures=True)
        self._stop.close()

    def _close_sources(self) -> None:
        """Close all sources at the same time: on a busy machine each of them may take seconds."""
        closing: list[Future[None]] = []
        for running in self._running:
            try:
                closing.append(self._pool.submit(running.close))
            except RuntimeError:  # no thread left
                running.close()
        for one in closing:
            one.result()

    def _report(self, seen: Sighting | Vanished) -> None:
        with self._changed:
            now = time.monotonic()
            match seen:
                case Sighting():
                    self._directory.see(seen, now)
                case Vanished():
                    self._directory.vanish(seen, now)
            self._changed.notify_all()

    def _add_problem(self, source: int, problem: str) -> None:
        with self._changed:
            problems = self._problems.setdefault(source, [])
            if not problem:
                problems.clear()
            elif problem not in problems and len(problems) < MAX_PROBLEMS:
                problems.append(problem)
            self._changed.notify_all()

    def _watch(self) -> None:
        while not self._closing:
            own, trouble = _searched(self._on), _alone(self._on)
            with self._changed:
                self._directory.set_addresses(own)
                self._trouble = trouble
                self._start_probes(time.monotonic() + FOLLOW_EVERY)

    def _start_probes(self, until: float) -> None:
        """Start each probe when it is due, until this time. Requires holding the lock."""
        while not self._closing and (now := time.monotonic()) < until:
            for endpoint in self._directory.due(now, PROBE_THREADS - self._probing):
                self._start_probe(endpoint, now)
            self._refresh(now)
            next_at = self._directory.next_at(now)
            pause = until - now if next_at is None else max(_SHORTEST_WAIT, next_at - now)
            self._changed.wait(min(pause, until - now))

    def _start_probe(self, endpoint: Endpoint, now: float) -> None:
        """Requires holding the lock."""
        try:
            self._pool.submit(self._probe, endpoint)
            self._probing += 1
        except RuntimeError as error:  # no thread left
            _log.warning("cannot probe %s: %s", endpoint, error)
            self._directory.probed(endpoint, Silent(), now)

    def _refresh(self, now: float) -> None:
        """Requires holding the lock."""
        listings = self._directory.listings(now)
        if listings != self._listings:
            self._listings = listings
            self._changed.notify_all()

    def _probe(self, endpoint: Endpoint) -> None:
        """Probe one address. Probe threads only."""
        outcome: Outcome = Silent()
        try:
            outcome = probe(endpoint, self._tls, PROBE_LIMIT, self._stop)
            if isinstance(outcome, Answered):
                outcome = dataclasses.replace(outcome, key_status=self._key_status(outcome))
        except Exception as error:  # the pool would keep it to itself, and one stranger's answer must not end the list
            _log.warning("the probe of %s failed", endpoint, exc_info=True)
            self._add_problem(0, f"What answers at {endpoint} cannot be shown: an unforeseen {type(error).__name__}.")
        finally:
            with self._changed:
                self._probing -= 1
                self._directory.probed(endpoint, outcome, time.monotonic())
                self._changed.notify_all()

    def _known(self, title: str) -> set[str]:
        """The ids of the known rooms with this title."""
        try:
            return self._known_hosts.called(title)
        except LanchatError:
            return set()  # the first answer reports the problem

    def _key_status(self, answered: Answered) -> str:
        """Read again with each answer, because the person may forget a host meanwhile (`lanchat trust --forget`)."""
        try:
            return self._known_hosts.key_status(answered.card.room, answered.fingerprint)
        except LanchatError as error:
            self._add_problem(0, f"Cannot tell which rooms you have been in: {str(error).rstrip('.')}.")
            return ""


def _alone(on: OwnAddresses) -> str:
    """Why no room of another machine can be seen, as sentences; empty if one can."""
    trouble = on.trouble()
    return f"{trouble} Until it has one, only rooms on this machine show up." if trouble else ""


def _searched(on: OwnAddresses) -> tuple[Address, ...]:
    """Our addresses, as they are now, on the networks that are searched."""
    own = tuple(on.now())
    return own if on.chosen else tuple(address for address in own if not address.is_loopback) or own


def _known_rooms(known_hosts: KnownHosts) -> frozenset[str]:
    """The ids of the rooms that this person has been in."""
    try:
        return frozenset(known.room for known in known_hosts.all())
    except LanchatError:
        return frozenset()  # the first answer of a room reports why


def _crowded(machine: str) -> str:
    return f"{machine} has more rooms than are listed ({MAX_OF_ONE_MACHINE}). Join the others by title or address."


def _is_there(listing: Listing, *, known: bool) -> bool:
    """Whether this room answers, and is known if a room with its title is."""
    return listing.state == "answering" and (listing.key_status == "known" or not known)


def _of_title(listings: tuple[Listing, ...], title: str) -> tuple[Listing, ...]:
    """The rooms with this title: only known ones if there are any, and then only exact ones if there are any."""
    title = shown_title(title)
    called = [listing for listing in listings if fold(listing.title) == fold(title)]
    called = [listing for listing in called if listing.key_status == "known"] or called
    return tuple(listing for listing in called if same_title(listing.title) == same_title(title)) or tuple(called)
