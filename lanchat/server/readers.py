"""The threads that read a host's links: one at a time for each, and all of them at rest in the end."""

import threading
import time
from collections.abc import Callable

from lanchat.network.link import Link


class Readers:
    """Any thread."""

    def __init__(self) -> None:
        self._threads: set[threading.Thread] = set()
        self._links: set[Link] = set()
        self._lock = threading.Lock()  # guards both

    def start(self, link: Link, read: Callable[[], None]) -> None:
        """Call this in a thread of its own. For a link that is read already: its reader hands it on, and ends.

        Raises:
            RuntimeError: there is no thread left.
        """

        def run() -> None:
            try:
                read()
            finally:
                with self._lock:
                    self._threads.discard(reader)

        reader = threading.Thread(target=run, name=f"reader-{link.fileno()}")
        with self._lock:  # held while it starts: `finish` must join none that has not
            reader.start()
            self._threads.add(reader)
            self._links.add(link)

    @property
    def links(self) -> list[Link]:
        """Those that are read now."""
        with self._lock:
            return list(self._links)

    def done(self, link: Link) -> None:
        """Nobody reads this link any more."""
        with self._lock:
            self._links.discard(link)

    def finish(self, limit: float) -> None:
        """Wait until all readers are at rest; after `limit` seconds drop the links of those that are not."""
        deadline = time.monotonic() + limit
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        while threads:  # one may have handed on to another in the meantime
            with self._lock:
                links, threads = list(self._links), list(self._threads)
            for link in links:
                link.drop("", "the room is closed")
            for thread in threads:
                thread.join()
