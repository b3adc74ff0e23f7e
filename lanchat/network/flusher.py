"""One thread for all links of a host or a member: it drains outboxes and keeps deadlines."""

import selectors
import sys
import threading
import time

from lanchat.network.sending import Sending
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.threads import Wakeup

# Bytes that wait for one peer when more comes, at which it is dropped even if it takes some:
OUTBOX_LIMIT = 4 * 1024 * 1024  # all that the members of a room may say at once (protocol/limits.py), with their names
OUTBOX_SHARE = 256 * 1024  # while more than this waits for all peers together, which is what an attack may cost:
OUTBOXES_LIMIT = 64 * 1024 * 1024


class Flusher:
    """Serves each link from `add` to `remove`. These are for any thread; `close` is for the owner."""

    def __init__(self, name: str, timing: Timing = DEFAULT_TIMING) -> None:
        self.timing = timing
        self.waiting = 0  # bytes in the outboxes of all links; any thread may read it
        self._sweep, self._asleep = timing.sweep, timing.asleep  # s; see `Timing`
        self._links: set[Sending] = set()
        self._behind: set[Sending] = set()
        self._lock = threading.Lock()  # guards the two sets and the number
        self._wakeup = Wakeup()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name)
        try:
            self._thread.start()
        except BaseException:
            self._wakeup.close()
            raise

    def add(self, link: Sending) -> None:
        with self._lock:
            self._links.add(link)

    def remove(self, link: Sending) -> None:
        with self._lock:
            self._links.discard(link)
            self._behind.discard(link)

    def watch(self, link: Sending) -> None:
        """This link has an outbox: flush it when its socket takes bytes again."""
        with self._lock:
            if link in self._behind:
                return
            self._behind.add(link)
        self._wakeup.set()

    def count(self, more: int) -> None:
        """So many more bytes wait in an outbox; below 0: fewer."""
        with self._lock:
            self.waiting += more

    def expect(self, link: Sending, silence: float, sweep: float) -> None:
        """The peer of this link counts as dead after so much silence. From now on all links are looked at this often.

        Args:
            silence, sweep: in s.
        """
        link.keepalive.silence = silence
        hastier, self._sweep = sweep < self._sweep, sweep
        self._asleep = min(self.timing.asleep, silence / 2)  # what we did not hear because we slept says nothing
        if hastier:
            self._wakeup.set()

    @property
    def outbox_limit(self) -> int:
        """The bytes that may wait for one peer now. Any thread."""
        return OUTBOX_LIMIT if self.waiting <= OUTBOXES_LIMIT else OUTBOX_SHARE

    def close(self) -> None:
        self._closed = True
        self._wakeup.set()
        self._thread.join()
        self._wakeup.close()

    def _run(self) -> None:
        swept_at = time.monotonic()
        while not self._closed:
            self._flush_ready(max(0.0, swept_at + self._sweep - time.monotonic()))
            now = time.monotonic()
            if now - swept_at < self._sweep:
                continue
            with self._lock:
                links = list(self._links)
            for link in links:
                if now - swept_at > self._asleep:
                    link.forgive(now)
                link.check(now)
            swept_at = now

    def _flush_ready(self, timeout: float) -> None:
        """Wait until a socket takes bytes again, or until there is a new one to wait for.

        Each call makes its own selector: few links are behind at once, and a closed one cannot stay in it.
        """
        with _new_selector() as selector:
            selector.register(self._wakeup, selectors.EVENT_READ)
            with self._lock:
                behind = list(self._behind)
            for link in behind:
                try:
                    selector.register(link, selectors.EVENT_WRITE, link)
                except (ValueError, KeyError):  # closed meanwhile; its descriptor may belong to another link now
                    self._done(link)
            try:
                ready = selector.select(timeout)
            except OSError:  # Windows: one of them was closed just now
                return
            for key, _ in ready:
                if key.data is None:
                    self._wakeup.drain()
                elif not key.data.flush():
                    self._done(key.data)

    def _done(self, link: Sending) -> None:
        with self._lock:
            self._behind.discard(link)
        if link.fileno() >= 0 and link.flush():  # more was queued after the last flush
            self.watch(link)


def _new_selector() -> selectors.BaseSelector:
    """A selector with poll() where the system has it, because select() cannot hold a descriptor above 1023."""
    if sys.platform == "win32":
        return selectors.DefaultSelector()
    return selectors.PollSelector()
