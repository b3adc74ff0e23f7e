"""Links whose peers are silent need no thread: they are parked, and a few threads wait for all of them together.

One epoll watches every parked link, and a few threads wait at it. The kernel wakes one of them for each link that gets
something to read, and from then on this thread is the link's reader, until it parks it again. So a link has one reader
at a time, as always. Linux only: elsewhere each link keeps its thread.
"""

import select
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Protocol

from lanchat.network.link import Link
from lanchat.network.sockets import HasDescriptor
from lanchat.threads import Wakeup

CAN_PARK = sys.platform == "linux"
_READABLE, _ONCE = 1, 1 << 30  # EPOLLIN, EPOLLONESHOT: a link that is read must not wake another thread
_WAITING = 2  # threads that wait, at least: so one link can be read in the other's place, and no thread is started
_BRIEF = 0.005  # s that a link waits for a thread to come back, before one is started for it


class _Epoll(Protocol):
    """That of Linux, as far as it is used here."""

    def register(self, file: HasDescriptor | int, events: int, /) -> None: ...
    def modify(self, file: HasDescriptor | int, events: int, /) -> None: ...
    def unregister(self, file: HasDescriptor | int, /) -> None: ...
    def poll(self, timeout: float | None = None, maxevents: int = -1) -> list[tuple[int, int]]: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class _Parked:
    link: Link
    read: Callable[[], bool]
    woken_at: float = -inf


class Parking:
    """Watches links from `park` to `forget`. Any thread.

    A link that has something to read is read once, and parked again: the answer to a ping, or a line now and then,
    keeps no thread. One that wakes again within `silence` seconds keeps its thread until it is silent for so long.

    Args:
        silence: see `Timing.park`.

    Raises:
        OSError: this process has no file descriptors left.
        RuntimeError: the system gives no more threads.
    """

    def __init__(self, silence: float) -> None:
        self._silence = silence
        self._links: dict[int, _Parked] = {}
        self._threads: set[threading.Thread] = set()
        self._waiting = 0  # of them, at the epoll or on their way to it
        self._lock = threading.Lock()  # guards all three; held while a thread starts, so that it is counted in time
        self._returned = threading.Condition(self._lock)
        self._wakeup = Wakeup()
        try:
            self._epoll = _epoll()
            try:
                self._epoll.register(self._wakeup, _READABLE)
                with self._lock:
                    self._add()
            except BaseException:
                self._epoll.close()
                raise
        except BaseException:
            self._wakeup.close()
            raise

    def park(self, link: Link, read: Callable[[], bool]) -> bool:
        """Watch this link in place of its reader.

        Args:
            read: reads the link, and returns whether it goes on; called whenever there is something to read.

        Returns:
            Whether it is parked, and its reader must not touch it any more. Else no thread or no memory is left.
        """
        file = link.fileno()
        with self._lock:
            if not (self._waiting or self._can_add()):
                return False
            self._links[file] = _Parked(link, read)
        try:
            self._epoll.register(file, _READABLE | _ONCE)
        except OSError:
            with self._lock:
                del self._links[file]
            return False
        return True

    def forget(self, link: Link) -> None:
        """This link is over. Its reader calls this before it closes the link."""
        with self._lock:
            known = self._links.pop(link.fileno(), None) is not None
        if known:
            self._epoll.unregister(link)

    def close(self) -> None:
        """End the threads. No link is parked any more."""
        self._wakeup.set()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join()
        self._epoll.close()
        self._wakeup.close()

    def _run(self) -> None:
        """Read one link after the other. Our thread is counted as waiting."""
        try:
            while (file := self._epoll.poll(maxevents=1)[0][0]) != self._wakeup.fileno():
                if self._take(file).read():
                    self._epoll.modify(file, _READABLE | _ONCE)  # from here on another thread may read it
                with self._lock:
                    if self._waiting >= _WAITING:
                        return
                    self._waiting += 1
                    self._returned.notify()
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _take(self, file: int) -> _Parked:
        """The link with this descriptor, which is ours to read from now on. Sees to it that another thread waits."""
        now = time.monotonic()
        with self._lock:
            parked = self._links[file]
            talks = now - parked.woken_at < self._silence
            parked.woken_at = now
            self._waiting -= 1
            if talks and self._waiting < _WAITING:
                self._can_add()
            if not self._waiting and not self._returned.wait_for(lambda: self._waiting, _BRIEF):
                self._can_add()
            keeps = talks and self._waiting > 0
        parked.link.be_patient(self._silence if keeps else 0.0)
        return parked

    def _can_add(self) -> bool:
        """Start a thread that waits, if the system gives one. Requires holding the lock."""
        try:
            self._add()
        except RuntimeError:
            return False
        return True

    def _add(self) -> None:
        """Start a thread that waits. Requires holding the lock."""
        thread = threading.Thread(target=self._run, name="reader-of-parked")
        thread.start()
        self._threads.add(thread)
        self._waiting += 1


def _epoll() -> _Epoll:
    if sys.platform != "linux":
        raise OSError("There is no epoll here.")
    return select.epoll()
