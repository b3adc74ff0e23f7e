"""The threads that read a host's links: one at a time for each link, and none when the host has closed."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from lanchat.network.link import Link
from lanchat.server.parking import CAN_PARK, Parking

_LOOK_AGAIN = 0.5  # s
LINGER = 0.1  # s that a thread waits for another link, because to start and end one is a fifth of what a join costs

_log = logging.getLogger(__name__)


class _Work(NamedTuple):
    """A link to read, as `Readers.start` got it."""

    link: Link
    read: Callable[[], object]
    own: bool


class Readers:
    """Starts reader threads and waits for their end. Any thread.

    An unforeseen error in the reader of a client ends the link of this client alone: what a reader gives the hub is
    whole, so the room is sound. On the host's own link such an error is raised, because everybody would meet it.

    Args:
        linger: see LINGER.
    """

    def __init__(self, linger: float = LINGER) -> None:
        self._linger_for = linger
        self._threads: set[threading.Thread] = set()
        self._links: set[Link] = set()
        self._own: set[Link] = set()  # links of the host itself
        self._next: deque[_Work] = deque()  # links for threads that linger, of which there is one for each
        self._lingering = 0  # threads
        self._finishing = False
        self._lock = threading.Lock()  # guards all of these
        self._over, self._came = threading.Condition(self._lock), threading.Condition(self._lock)
        self._parking: Parking | None = None
        self._silence = 0.0

    def allow_parking(self, silence: float) -> None:
        """From now on links may be parked, where the system can do that. Before the first link.

        Args:
            silence: s without a byte, after which a link is parked.

        Raises:
            OSError: this process has no file descriptors left.
            RuntimeError: the system gives no more threads.
        """
        self._silence = silence
        if CAN_PARK:
            self._parking = Parking(silence)

    def start(self, link: Link, read: Callable[[], object], *, own: bool = False) -> None:
        """Read a new link, in a thread that has just done with another one, or else in a new thread.

        Args:
            read: reads the link; once it returns or raises, the link is over or parked, or has another reader thread.
            own: it is the host's own link. This holds for all threads that read it.

        Raises:
            RuntimeError: the system gives no more threads.
        """
        work = _Work(link, read, own)
        with self._lock:
            self._links.add(link)
            if own:
                self._own.add(link)
            if len(self._next) < self._lingering:
                self._next.append(work)
                self._came.notify()
                return
        self._start_thread(work)

    def go_on(self, link: Link, read: Callable[[], bool]) -> None:
        """Read on after a greeting: without a thread while the link is silent, or in a fresh one where none is parked.

        Args:
            read: reads until the link pauses, or is over; returns whether it goes on.
        """
        reading = partial(self._read, link, read, link in self._own)
        if self._parking is not None:
            link.be_patient(0.0)  # it is parked as soon as it has said all that came with the greeting
            while reading() and not self._parking.park(link, reading):
                link.be_patient(self._silence)
            return
        try:
            self._start_thread(_Work(link, reading, link in self._own))
        except RuntimeError:  # no thread is left but this one
            reading()

    @property
    def links(self) -> list[Link]:
        """The links that are read now, or parked."""
        with self._lock:
            return list(self._links)

    def leave(self, link: Link) -> None:
        """This link is over. Its reader calls this before it closes the link."""
        if self._parking is not None:
            self._parking.forget(link)

    def done(self, link: Link) -> None:
        """Note that this link is closed."""
        with self._lock:
            self._links.discard(link)
            self._own.discard(link)
            self._over.notify()

    def finish(self, limit: float) -> None:
        """Wait until all links are over. After `limit` seconds, drop those that are not. Then no reader is left."""
        with self._lock:
            self._over.wait_for(lambda: not self._links, limit)
        while links := self.links:
            for link in links:
                link.drop("", "the room is closed")
            with self._lock:
                self._over.wait_for(lambda: not self._links, _LOOK_AGAIN)  # one that was accepted late comes only now
        with self._lock:
            self._finishing = True
            self._came.notify_all()
            threads = list(self._threads)
        for thread in threads:
            thread.join()
        if self._parking is not None:
            self._parking.close()

    def _start_thread(self, work: _Work) -> None:
        threading.Thread(target=self._run, args=(work,), name=_name(work.link)).start()

    def _run(self, first: _Work) -> None:
        work: _Work | None = first
        thread = threading.current_thread()
        with self._lock:  # before its link can be over, so `finish` knows all threads when it knows that all links are
            self._threads.add(thread)
        try:
            while work is not None:
                thread.name = _name(work.link)
                self._read(*work)
                work = self._linger(thread)
        finally:
            with self._lock:
                self._threads.discard(thread)

    def _linger(self, thread: threading.Thread) -> _Work | None:
        """The next link for this thread. None: none has come for a while, or none will."""
        with self._lock:
            self._lingering += 1
            thread.name = "reader-lingers"
            self._came.wait_for(lambda: self._next or self._finishing, self._linger_for)
            self._lingering -= 1
            return self._next.popleft() if self._next else None

    def _read(self, link: Link, read: Callable[[], object], own: bool) -> bool:
        """Call this. Returns what it returns; False if an unforeseen error has ended the link."""
        try:
            return bool(read())
        except Exception:
            if own:
                raise
            _log.exception("an unforeseen error has ended the link of a client")
            return False


def _name(link: Link) -> str:
    return f"reader-{link.fileno()}"
