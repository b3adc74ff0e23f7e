"""One connection of the load generator: a non-blocking socket, with TLS in memory where the server uses it."""

import errno
import socket
import ssl

_RECORD = 16 * 1024  # bytes; the longest plain text of a TLS record
_buffer = memoryview(bytearray(256 * 1024))  # one for all reads: to ask malloc for so much each time means page faults
_CONNECT_LIMIT = 5.0  # s; on loopback it is at once, unless the server's backlog is full
_GONE = {errno.ECONNRESET, errno.EPIPE, errno.ETIMEDOUT}


class Disconnected(ConnectionError):
    """The server has ended this connection."""


class Client:
    """Owned by the one thread of the load generator. Only the constructor may wait.

    Raises:
        OSError: nobody listens.
    """

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), _CONNECT_LIMIT)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.established = context is None
        self._unsent = b""
        self._tls: ssl.SSLObject | None = None
        if context is not None:
            self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            self._tls = context.wrap_bio(self._incoming, self._outgoing)
            self._handshake()

    @property
    def wants_to_write(self) -> bool:
        return bool(self._unsent)

    def certificate(self) -> bytes:
        return (self._tls.getpeercert(binary_form=True) or b"") if self._tls is not None else b""

    def read(self) -> bytes:
        """The bytes that have come, perhaps none yet.

        Raises:
            Disconnected: the connection has ended.
        """
        try:
            size = self.socket.recv_into(_buffer)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise Disconnected(str(error)) from None
        if not size:
            raise Disconnected("the server closed it")
        if self._tls is None:
            return bytes(_buffer[:size])
        self._incoming.write(_buffer[:size])
        if not self.established and not self._handshake():
            return b""
        return self._decrypted(self._tls)

    def write(self, data: bytes) -> None:
        """Send what the kernel takes now; `flush` sends the rest."""
        if self._tls is not None:
            self._tls.write(data)
            data = self._outgoing.read()
        self._push(data)

    def flush(self) -> None:
        data, self._unsent = self._unsent, b""
        self._push(data)

    def close(self) -> None:
        self.socket.close()

    def _handshake(self) -> bool:
        assert self._tls is not None
        try:
            self._tls.do_handshake()
            self.established = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            raise Disconnected(f"TLS: {error.reason}") from None
        self._push(self._outgoing.read())
        return self.established

    def _decrypted(self, tls: ssl.SSLObject) -> bytes:
        pieces = []
        try:
            while self._incoming.pending:
                pieces.append(tls.read(_RECORD))
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            raise Disconnected(f"TLS: {error.reason}") from None
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _push(self, data: bytes) -> None:
        if self._unsent or not data:
            self._unsent += data
            return
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            if error.errno in _GONE:
                raise Disconnected(str(error)) from None
            raise
        self._unsent = data[sent:]


def client_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
