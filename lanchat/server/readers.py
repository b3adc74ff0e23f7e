"""The threads that read a host's links: one at a time for each link, and none when the host has closed."""

import threading
import time
from collections.abc import Callable

from lanchat.network.link import Link


class Readers:
    """Starts reader threads and waits for their end. Any thread."""

    def __init__(self) -> None:
        self._threads: set[threading.Thread] = set()
        self._links: set[Link] = set()
        self._lock = threading.Lock()  # guards both

    def start(self, link: Link, read: Callable[[], None]) -> None:
        """Read a link in a new thread. The thread that read it before, if any, hands it on in this way and then ends.

        Raises:
            RuntimeError: the system gives no more threads.
        """

        def run() -> None:
            try:
                read()
            finally:
                with self._lock:
                    self._threads.discard(reader)

        reader = threading.Thread(target=run, name=f"reader-{link.fileno()}")
        with self._lock:  # held during the start, because `finish` must not join a thread that has not started
            reader.start()
            self._threads.add(reader)
            self._links.add(link)

    @property
    def links(self) -> list[Link]:
        """The links that are read now."""
        with self._lock:
            return list(self._links)

    def done(self, link: Link) -> None:
        """This link is not read any more."""
        with self._lock:
            self._links.discard(link)

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
