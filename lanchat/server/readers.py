"""The threads that read a host's links: one at a time for each link, and none when the host has closed."""

import logging
import threading
import time
from collections.abc import Callable

from lanchat.network.link import Link

_log = logging.getLogger(__name__)


class Readers:
    """Starts reader threads and waits for their end. Any thread.

    An unforeseen error in the reader of a client ends the link of this client alone: what a reader gives the hub is
    whole, so the room is sound. On the host's own link such an error is raised, because everybody would meet it.
    """

    def __init__(self) -> None:
        self._threads: set[threading.Thread] = set()
        self._links: set[Link] = set()
        self._own: set[Link] = set()  # links of the host itself
        self._lock = threading.Lock()  # guards all three

    def start(self, link: Link, read: Callable[[], None], *, own: bool = False) -> None:
        """Read a link in a new thread. The thread that read it before, if any, hands it on in this way and then ends.

        Args:
            read: reads the link; once it returns or raises, the link has ended or belongs to another reader thread.
            own: it is the host's own link. This holds for all threads that read it.

        Raises:
            RuntimeError: the system gives no more threads.
        """

        def run() -> None:
            try:
                read()
            except Exception:
                if own:
                    raise
                _log.exception("an unforeseen error has ended the link of a client")
            finally:
                with self._lock:
                    self._threads.discard(reader)

        reader = threading.Thread(target=run, name=f"reader-{link.fileno()}")
        with self._lock:  # held during the start, because `finish` must not join a thread that has not started
            own = own or link in self._own
            reader.start()
            self._threads.add(reader)
            self._links.add(link)
            if own:
                self._own.add(link)

    @property
    def links(self) -> list[Link]:
        """The links that are read now."""
        with self._lock:
            return list(self._links)

    def done(self, link: Link) -> None:
        """Note that nobody reads this link any more."""
        with self._lock:
            self._links.discard(link)
            self._own.discard(link)

    def finish(self, limit: float) -> None:
        """Wait until all readers have ended. After `limit` seconds, drop the links of those that have not."""
        deadline = time.monotonic() + limit
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        while threads:  # a reader may have handed its link on to another one in the meantime
            with self._lock:
                links, threads = list(self._links), list(self._threads)
            for link in links:
                link.drop("", "the room is closed")
            for thread in threads:
                thread.join()
