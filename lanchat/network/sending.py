"""The sending half of a link: any thread sends, and one thread, the flusher, keeps the deadlines.

Under the link's lock the channel seals the bytes, and they are offered to the kernel at once, without waiting. Bytes
that the kernel does not take wait in a bounded outbox, which the flusher drains. The lock covers sealing and offering
together, because the order of encryption must be the order on the wire.

The contract of `send()` (after ergo's irc/socket.go):
1. it never waits;
2. it never reorders;
3. it may be called by any thread;
4. it drops a peer that does not read, with a reason, and nobody else notices. Who takes bytes, however slowly, reads.
"""

import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from lanchat.network.keepalive import Keepalive
from lanchat.network.sockets import DONTWAIT, describe_error
from lanchat.protocol.tls import Channel

if TYPE_CHECKING:
    from lanchat.network.flusher import Flusher


class Sending:
    """The sending half of a `Link`, which is its only subclass. Any thread, except where a method says otherwise."""

    def __init__(self, sock: socket.socket, channel: Channel, flusher: "Flusher", clock: Callable[[], float]) -> None:
        self._socket = sock
        self.channel = channel  # guarded by the lock, except what its handshake has settled
        self.flusher = flusher
        self._clock = clock
        self._lock = threading.Lock()  # guards the channel, the outbox and the flags below; for memory work only
        self._outbox: deque[bytes] | None = None  # None: never any; an empty one takes 760 bytes
        self.unsent = 0  # bytes of the outbox; any thread may read it
        self._progress_at = 0.0
        self._dropped = False
        self._finishing = False
        self._timing = flusher.timing
        self.stall = flusher.timing.stall  # s without progress of the outbox, after which the peer is dropped
        self.keepalive = Keepalive(self._timing, clock())
        self._deadline: float | None = None
        self._deadline_reason = ("", "")
        self.code, self.reason = "", ""  # why the link ended, once it has: a LeftCode, and the same in words

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def over(self) -> bool:
        """Whether the link has been dropped. Any thread."""
        return self._dropped

    def set_reason(self, code: str, reason: str) -> None:
        """Note why the link ends, unless a reason is known already."""
        if not self.reason:
            self.code, self.reason = code, reason

    def within(self, seconds: float | None, code: str = "", reason: str = "") -> None:
        """Set the deadline: the link is dropped after this many seconds (None: never). Each call replaces the last."""
        with self._lock:
            if not self._finishing:  # else a peer that was sent away could stay by sending more
                self._deadline_reason = code, reason
                self._deadline = None if seconds is None else self._clock() + seconds

    def send(self, plain: bytes, *, watched: bool = True) -> None:
        """Send bytes to the peer, all or none of them. Never waits. Not watched: the caller drains the outbox."""
        with self._lock:
            if not (self._dropped or self._finishing):
                self._push(self.channel.seal(plain), watched=watched)

    def finish(self, plain: bytes = b"") -> None:
        """Send the outbox and these last bytes, then end the link. Never waits."""
        with self._lock:
            if self._dropped or self._finishing:
                return
            if plain and self.channel.established:
                self._push(self.channel.seal(plain))
            self.channel.close()
            self._push(self.channel.waiting())
            self._finishing = True
            self._deadline = self._clock() + self._timing.linger
            self._deadline_reason = self.code, self.reason or "closed"
            if not self._outbox:
                self._end_sending()
            else:
                self.flusher.watch(self)

    def drop(self, code: str, reason: str) -> None:
        """End the link now. The outbox is lost. The reader wakes up and sees the end.

        Args:
            code: why, one of `protocol.closings.LeftCode`.
            reason: the same in words, for logs and errors.
        """
        with self._lock:
            self._drop(code, reason)

    def flush(self) -> bool:
        """Offer the outbox to the kernel. Returns whether bytes are left. Flusher thread, and `bulk.send_wait`."""
        with self._lock:
            while self._outbox:
                data = self._outbox[0]
                sent = self._offer(data)
                if self._dropped:
                    return False
                self._count(-sent)
                if sent:
                    self._progress_at = self._clock()
                if sent < len(data):
                    self._outbox[0] = data[sent:]
                    return True
                self._outbox.popleft()
            if self._finishing and not self._dropped:
                self._end_sending()
            return False

    def check(self, now: float) -> None:
        """Drop the link if it has missed a deadline, or ping the peer if that is due. Flusher thread only."""
        if self._deadline is not None and now >= self._deadline:
            self.drop(*self._deadline_reason)
        elif self._outbox and now - self._progress_at > self.stall:
            self.drop("slow", f"did not read for {self.stall:.0f} s")
        elif self.keepalive.is_dead(now):
            self.drop("silent", f"no answer for {self.keepalive.silence:.0f} s")
        elif ping := self.keepalive.due_ping(now):
            self.send(ping)

    def forgive(self, now: float) -> None:
        """Restart the timers, because this process itself was asleep and the peer's silence says nothing.

        Flusher thread only.
        """
        self.keepalive.reset(now)
        self._progress_at = now

    def _push(self, data: bytes, *, watched: bool = True) -> None:
        """Requires holding the lock."""
        if not data or self._dropped:
            return
        self.keepalive.sent = True
        if not self._outbox:
            sent = self._offer(data)
            if sent == len(data) or self._dropped:
                return
            data = data[sent:]
            self._progress_at = self._clock()
        elif self.unsent > self.flusher.outbox_limit:  # one send alone may be larger: the past, for a returning member
            self._drop("slow", "reads too slowly")
            return
        self._outbox = self._outbox or deque()
        self._outbox.append(data)
        self._count(len(data))
        if watched:
            self.flusher.watch(self)

    def _count(self, more: int) -> None:
        self.unsent += more
        self.flusher.count(more)

    def _offer(self, data: bytes) -> int:
        """Offer bytes to the kernel. Returns how many it took. Requires holding the lock."""
        try:
            return self._socket.send(data, DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            self._drop("lost", describe_error(error))
            return 0

    def _end_sending(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def _drop(self, code: str, reason: str) -> None:
        """Requires holding the lock."""
        if self._dropped:
            return
        self._dropped = True
        self.set_reason(code, reason)
        self._outbox = None
        self._count(-self.unsent)
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # close() alone does not wake a blocked recv() on Linux
