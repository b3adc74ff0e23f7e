"""One connection: a socket, its channel (TLS or plain), a bounded outbox, and deadlines.

The socket blocks, and only the link's reader thread reads it. All else is for any thread; see `network/sending.py`.
"""

import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from lanchat.errors import LanchatError, NotLanchat
from lanchat.network.allowance import Allowance
from lanchat.network.bandwidth import Bandwidth
from lanchat.network.sending import Sending
from lanchat.network.sockets import (
    DONTWAIT,
    ReadSize,
    describe_error,
    discard,
    peer_name,
    readable,
    receive,
    tune,
    wait_at_most,
)
from lanchat.protocol.tls import Channel

if TYPE_CHECKING:
    from lanchat.network.flusher import Flusher

LEFTOVERS = 1024 * 1024  # bytes that are still read after our goodbye: more than can have been on the way


class Link(Sending):
    """One connection. What is here belongs to its reader thread, and what is in `Sending` to any."""

    def __init__(
        self, sock: socket.socket, channel: Channel, flusher: "Flusher", *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(sock, channel, flusher, clock)
        self.read_size = ReadSize()  # the reader's own
        self._read_flags, self._waits, self._has_read = 0, 0.0, False  # of `hear`; the reader's own
        self._early = b""  # plain bytes that came along with the end of the handshake; the reader's own
        self._bandwidth: Bandwidth | None = None
        tune(sock)
        sock.setblocking(bool(DONTWAIT))
        flusher.add(self)

    @property
    def peer(self) -> str:
        """The peer's address, for a log line."""
        return peer_name(self._socket)

    def limit_bytes(self, bytes: Allowance) -> None:
        """Limit the raw bytes that are read. Before the first read, or reader thread only."""
        self._bandwidth = Bandwidth(bytes, self._clock)

    @property
    def established(self) -> bool:
        """Whether the channel's handshake is done."""
        return self.channel.established

    def reset_idle(self) -> None:
        """Reset the idle timer, because the peer is waiting for us. Reader thread only."""
        self.keepalive.reset(self._clock())

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

    def receive(self, flags: int = 0) -> bytes:
        """The next plain bytes; b"" when the link is over. Waits. Reader thread only.

        Raises:
            LanchatError: the peer broke the rules of the channel.
        """
        plain, self._early = self._early, b""
        while not plain:
            if (read := self._pump(flags)) is None:
                return b""
            plain = read
        return plain

    def hear(self) -> bytes | None:
        """As `receive`, but None if nothing comes for as long as `be_patient` allows."""
        if self._read_flags:
            if self._has_read:
                return None
            self._has_read = True
        try:
            return self.receive(self._read_flags)
        except BlockingIOError:
            return None

    def be_patient(self, seconds: float) -> None:
        """Set how long `hear` waits; until this is called, it has no limit. Reader thread only, and Linux only."""
        self._read_flags = 0 if seconds else DONTWAIT
        self._has_read = False
        if seconds and seconds != self._waits:
            self._waits = seconds
            wait_at_most(self._socket, seconds)

    def quiet(self, seconds: float) -> bool:
        """Wait for this many seconds. Returns whether nothing arrived. Reader thread only."""
        return not self._early and not readable(self._socket, seconds)

    def drain(self, most: int = LEFTOVERS) -> None:
        """After `finish`: discard the bytes that the peer still sends, until it closes too. Reader thread only.

        Args:
            most: bytes, after which it stops.

        Bytes that are unread at close() make the kernel answer with a reset, which can destroy our last line on its
        way (RFC 1122, 4.2.2.13).
        """
        discard(self._socket, most)

    def close(self) -> None:
        """Close the socket. Reader thread only, at its end; may be called twice."""
        self.drop("", "closed")
        self.flusher.remove(self)
        self._socket.close()

    def _pump(self, flags: int = 0) -> bytes | None:
        """Read once from the socket, through the channel. Returns the plain bytes; None at the end of the link.

        Raises:
            BlockingIOError: nothing came in the time that was set.
        """
        if self._dropped or self.channel.ended:
            self.set_reason("lost", "the other side closed the connection")
            return None
        try:
            data = receive(self._socket, self.read_size.size, flags)
        except BlockingIOError:
            raise
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
