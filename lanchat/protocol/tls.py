"""Channels, bytes <-> bytes: TLS 1.3 in memory, and the same interface without encryption for plain doors.

One `ssl.SSLSocket` used by a reading and a writing thread corrupts the stream and crashes the interpreter
(openssl#20446, cpython#151508; a hostile peer can force it with KeyUpdate). So the socket stays plain and TLS runs
here, between two MemoryBIO. A channel is not thread safe: the link holds its lock around every call. No call ever
waits.
"""

import ssl
from pathlib import Path
from typing import Protocol

from lanchat.errors import NotLanchat, ProtocolError

_RECORD = 16 * 1024  # bytes; the most that one TLS record holds
_HANDSHAKE = 0x16  # the first byte of TLS (RFC 8446, section 5.1), with which no word begins
_SMALL = 3 * 1024  # bytes of a record in the first long sends: see `seal`
_FIRST = 32  # long sends, at most, of a link that is busy only while many come into a room
_ENDS = (ssl.SSLEOFError, ssl.SSLZeroReturnError)  # of the socket; Python 3.11.2 raises the second in a handshake

Context = ssl.SSLContext


class Channel(Protocol):
    """The layer between a link's socket and its lines."""

    @property
    def established(self) -> bool: ...

    @property
    def ended(self) -> bool: ...

    def receive(self, data: bytes) -> bytes:
        """Take bytes from the socket (b"": its end). Returns the plain bytes that are complete."""

    def seal(self, plain: bytes) -> bytes:
        """The bytes to put on the socket for these plain bytes, in the order of the calls.

        After the peer has ended or broken the channel they may be none. That is never an error, because the sending
        thread cannot know yet what the reader has just met.
        """

    def waiting(self) -> bytes:
        """The bytes that the channel itself wants to send: handshake, key update, close."""

    def close(self) -> None:
        """End the channel. The bytes to send for that are in `waiting()`."""


class TlsChannel:
    """One end of a TLS 1.3 connection in memory. Owned by one link, under its lock."""

    def __init__(self, context: ssl.SSLContext, *, server: bool) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side=server)
        self.established = False
        self.ended = False
        self._long = 0  # sends that took more than a small record
        if not server:
            self._handshake()

    def receive(self, data: bytes) -> bytes:
        """See Channel.

        Raises:
            NotLanchat: the first bytes are not TLS.
            ProtocolError: later bytes are not valid TLS.
        """
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        if not self.established and not self._handshake():
            return b""
        return self._read()

    def seal(self, plain: bytes) -> bytes:
        if not self.established:
            raise ValueError("nothing can be sealed before the handshake is done")
        # A BIO keeps the memory that it has grown to. Most links have few long sends in their life, the welcome and the
        # notices when many come at once; only those in a busy room have more, and for them full records are a quarter
        # faster.
        size = _RECORD if self._long > _FIRST else _SMALL
        self._long += len(plain) > _SMALL
        records = []
        try:
            for at in range(0, len(plain), size):
                self._object.write(plain[at : at + size])
                records.append(self._outgoing.read())
        except ssl.SSLError:
            pass  # the peer has gone without a goodbye, or broken the channel: nothing can be sent to it any more
        return records[0] if len(records) == 1 else b"".join(records)

    def waiting(self) -> bytes:
        return self._outgoing.read()

    def close(self) -> None:
        try:
            self._object.unwrap()
        except (ssl.SSLError, ValueError):
            pass  # close_notify is written; the peer's own is not worth waiting for (trio, _ssl.py)

    def peer_certificate(self) -> bytes:
        """The peer's certificate, DER. OpenSSL has checked that the peer holds its key (RFC 8446, 4.4.3)."""
        certificate = self._object.getpeercert(binary_form=True)
        if certificate is None:
            raise ProtocolError("The host showed no certificate.")
        return certificate

    def _handshake(self) -> bool:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except _ENDS:
            self.ended = True
            return False
        except ssl.SSLError as error:
            raise NotLanchat(f"The other side does not speak lanchat's TLS ({_reason(error)}).") from None
        self.established = True
        return True

    def _read(self) -> bytes:
        plain, incoming = [], self._incoming
        try:
            while incoming.pending or incoming.eof:  # to ask for more than has come costs an exception
                if not (chunk := self._object.read(_RECORD)):
                    self.ended = True
                    break
                plain.append(chunk)
        except ssl.SSLWantReadError:
            pass
        except _ENDS:
            self.ended = True
        except ssl.SSLError as error:
            raise ProtocolError(f"The encrypted connection is broken ({_reason(error)}).") from None
        return plain[0] if len(plain) == 1 else b"".join(plain)


class PlainChannel:
    """A channel without encryption, for plain doors."""

    established = True

    def __init__(self) -> None:
        self.ended = False

    def receive(self, data: bytes) -> bytes:
        self.ended = not data
        return data

    def seal(self, plain: bytes) -> bytes:
        return plain

    def waiting(self) -> bytes:
        return b""

    def close(self) -> None:
        pass


class EitherChannel:
    """TLS if the peer begins with it, and else no encryption: for a port that answers http and https."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._below: Channel | None = None  # until the first byte it is not known

    @property
    def is_tls(self) -> bool:
        return isinstance(self._below, TlsChannel)

    @property
    def established(self) -> bool:
        return self._below is not None and self._below.established

    @property
    def ended(self) -> bool:
        return self._below is not None and self._below.ended

    def receive(self, data: bytes) -> bytes:
        if self._below is None:
            if not data:
                return b""
            self._below = TlsChannel(self._context, server=True) if data[0] == _HANDSHAKE else PlainChannel()
        return self._below.receive(data)

    def seal(self, plain: bytes) -> bytes:
        return b"" if self._below is None else self._below.seal(plain)

    def waiting(self) -> bytes:
        return b"" if self._below is None else self._below.waiting()

    def close(self) -> None:
        if self._below is not None:
            self._below.close()


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """The host's context. It is made once, before any thread starts, and never changed after that (cpython#134698)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _only_tls13(context)
    context.num_tickets = 0  # no resumption; tickets are the messages that race with the first send (openssl#7967)
    context.load_cert_chain(certificate, key)
    return context


def irc_context(certificate: Path) -> ssl.SSLContext:
    """The context for IRC clients, of which old builds know TLS 1.2 alone; see `server_context`.

    Args:
        certificate: and its key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION
    context.num_tickets = 0
    context.load_cert_chain(certificate)
    return context


def client_context() -> ssl.SSLContext:
    """The member's context. It accepts any certificate: `Trust` in client/connect.py decides, by the host's key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _only_tls13(context)
    return context


def _only_tls13(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.maximum_version = ssl.TLSVersion.TLSv1_3


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or "unknown").lower().replace("_", " ")
