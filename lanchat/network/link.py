"""One connection: a socket, its channel (TLS or plain), a bounded outbox, and deadlines.

The socket blocks, and only its reader thread calls `receive()`. Any thread may call `send()`: under the link's lock the
channel seals the bytes, and they are offered to the kernel at once, without waiting. Bytes that the kernel does not
take wait in the outbox, which the flusher thread drains. The lock covers sealing and offering together, because the
order of encryption must be the order on the wire.

The contract of `send()` (after ergo's irc/socket.go):
1. it never waits;
2. it never reorders;
3. it may be called by any thread;
4. it drops a peer that does not read, with a reason, and nobody else notices. Who takes bytes, however slowly, reads.
"""

import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from lanchat.errors import LanchatError, NotLanchat
from lanchat.network.allowance import Allowance
from lanchat.network.bandwidth import Bandwidth
from lanchat.network.keepalive import Keepalive
from lanchat.network.sockets import DONTWAIT, ReadSize, describe_error, peer_name, readable, receive, tune
from lanchat.protocol.tls import Channel

if TYPE_CHECKING:
    from lanchat.network.flusher import Flusher

LEFTOVERS = 1024 * 1024  # bytes that are still read after our goodbye: more than can have been on the way


class Link:
    """One connection. `receive` and `close` belong to its reader thread, all else to any thread."""

    def __init__(
        self, sock: socket.socket, channel: Channel, flusher: "Flusher", *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._socket = sock
        self.channel = channel  # guarded by the lock, but for what its handshake has settled
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
        self.read_size = ReadSize()  # the reader's own
        self._early = b""  # plain bytes that came along with the end of the handshake; the reader's own
        self._bandwidth: Bandwidth | None = None
        self.code, self.reason = "", ""  # why the link ended, once it has: a LeftCode, and the same in words
        tune(sock)
        sock.setblocking(bool(DONTWAIT))
        flusher.add(self)

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def peer(self) -> str:
        """The peer's address, for a log line."""
        return peer_name(self._socket)

    def within(self, seconds: float | None, code: str = "", reason: str = "") -> None:
        """Set the deadline: the link is dropped after this many seconds (None: never). Each call replaces the last."""
        with self._lock:
            if not self._finishing:  # else a peer that was sent away could stay by sending more
                self._deadline_reason = code, reason
                self._deadline = None if seconds is None else self._clock() + seconds

    def limit_bytes(self, bytes: Allowance) -> None:
        """Limit the raw bytes that are read. Before the first read, or reader thread only."""
        self._bandwidth = Bandwidth(bytes, self._clock)

    @property
    def established(self) -> bool:
        """Whether the channel's handshake is done."""
        return self.channel.established

    @property
    def over(self) -> bool:
        """Whether the link has been dropped. Any thread."""
        return self._dropped

    def reset_idle(self) -> None:
        """Reset the idle timer, because the peer is waiting for us. Reader thread only."""
        self.keepalive.reset(self._clock())

    def set_reason(self, code: str, reason: str) -> None:
        """Note why the link ends, unless a reason is known already."""
        if not self.reason:
            self.code, self.reason = code, reason

    def establish(self) -> None:
        """Finish the channel's handshake. Reader thread only.

        Raises:
            NotLanchat: the peer does not speak the channel's protocol, or has gone away.
        """
        with self._lock:
            self._push(self.channel.waiting())
        while not self.channel.established:
            plain = self._pump()
            if plain is None:
                raise NotLanchat(self.reason)
            self._early = plain

    def receive(self) -> bytes:
        """The next plain bytes; b"" when the link is over. Waits. Reader thread only.

        Raises:
            LanchatError: the peer broke the rules of the channel.
        """
        plain, self._early = self._early, b""
        while not plain:
            if (read := self._pump()) is None:
                return b""
            plain = read
        return plain

    def quiet(self, seconds: float) -> bool:
        """Wait for this many seconds. Returns whether nothing arrived. Reader thread only."""
        return not self._early and not readable(self._socket, seconds)

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

    def drain(self) -> None:
        """After `finish`: discard the bytes that the peer still sends, until it closes too. Reader thread only.

        Bytes that are unread at close() make the kernel answer with a reset, which can destroy our last line on its
        way (RFC 1122, 4.2.2.13).
        """
        left = LEFTOVERS
        try:
            while not self._dropped and left > 0 and (data := receive(self._socket)):
                left -= len(data)
        except OSError:
            pass

    def drop(self, code: str, reason: str) -> None:
        """End the link now. The outbox is lost. The reader wakes up and sees the end.

        Args:
            code: why, one of `protocol.closings.LeftCode`.
            reason: the same in words, for logs and errors.
        """
        with self._lock:
            self._drop(code, reason)

    def close(self) -> None:
        """Close the socket. Reader thread only, at its end; may be called twice."""
        self.drop("", "closed")
        self.flusher.remove(self)
        self._socket.close()

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

    def _pump(self) -> bytes | None:
        """Read once from the socket, through the channel. Returns the plain bytes; None at the end of the link."""
        if self._dropped or self.channel.ended:
            self.set_reason("lost", "the other side closed the connection")
            return None
        try:
            data = receive(self._socket, self.read_size.size)
        except OSError as error:
            self.set_reason("lost", describe_error(error))
            data = b""
        if data:
            self.keepalive.received(self._clock())
        else:
            self.set_reason("lost", "the other side closed the connection")
        self.read_size.got(len(data))
        with self._lock:
            try:
                plain = self.channel.receive(data)
            except LanchatError as error:
                self.set_reason("rules", str(error))
                raise
            finally:
                self._push(self.channel.waiting())
        if self._bandwidth is not None and data:
            self._bandwidth.pay(self, len(data), len(plain))
        return plain if data or plain else None

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
