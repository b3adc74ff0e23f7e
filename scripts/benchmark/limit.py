"""The raw limit: no chat server in this language and on this machine can be faster. It is a yardstick, not a server.

One thread reads all sockets that have bytes, and passes the lines unread to every client, with one send() each.
It has no room, no order, no limits and no log.

    python limit.py PORT [CERTIFICATE KEY]
"""

import select
import socket
import ssl
import sys

_RECORD = 16 * 1024  # bytes; the longest plain text of a TLS record
_buffer = memoryview(bytearray(256 * 1024))  # one for all reads: to ask malloc for so much each time means page faults


class Peer:
    def __init__(self, sock: socket.socket, context: ssl.SSLContext | None) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = sock
        self.ready = context is None
        self._partial = self._unsent = b""
        self._tls = None
        if context is not None:
            self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def read(self) -> bytes | None:
        """Whole lines; None at the end."""
        size = self.socket.recv_into(_buffer)
        if not size:
            return None
        if self._tls is None:
            data = bytes(_buffer[:size])
        else:
            self._incoming.write(_buffer[:size])
            data = self._decrypted(self._tls)
        end = data.rfind(b"\n") + 1
        lines, self._partial = self._partial + data[:end] if end else b"", (b"" if end else self._partial) + data[end:]
        return lines

    def send(self, data: bytes) -> bool:
        """Returns: whether something could not be sent now."""
        if self._tls is not None and data:
            self._tls.write(data)
            data = self._outgoing.read()
        if self._unsent:
            data = self._unsent + data
        try:
            self._unsent = data[self.socket.send(data) :]
        except BlockingIOError:
            self._unsent = data
        return bool(self._unsent)

    def _decrypted(self, tls: ssl.SSLObject) -> bytes:
        pieces = []
        try:
            if not self.ready:
                tls.do_handshake()
                self.ready = True
            while self._incoming.pending:
                pieces.append(tls.read(_RECORD))
        except ssl.SSLWantReadError:
            pass
        if waiting := self._outgoing.read():
            self.socket.send(waiting)
        return b"".join(pieces)


def main() -> None:
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.num_tickets = 0
        context.load_cert_chain(sys.argv[2], sys.argv[3])
    server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
    epoll = select.epoll()
    epoll.register(server, select.EPOLLIN)
    peers: dict[int, Peer] = {}
    while True:
        batch = []
        for number, event in epoll.poll():
            if number == server.fileno():
                sock, _ = server.accept()
                peers[sock.fileno()] = Peer(sock, context)
                epoll.register(sock, select.EPOLLIN)
                continue
            peer = peers[number]
            try:
                if event & select.EPOLLOUT and not peer.send(b""):
                    epoll.modify(number, select.EPOLLIN)
                lines = peer.read() if event & ~select.EPOLLOUT else b""
            except OSError:
                lines = None
            if lines is None:
                del peers[number]
                peer.socket.close()
            elif lines:
                batch.append(lines)
        if batch:
            data = b"".join(batch)
            for number, peer in peers.items():
                try:
                    if peer.ready and peer.send(data):
                        epoll.modify(number, select.EPOLLIN | select.EPOLLOUT)
                except OSError:
                    pass  # its end is read next


if __name__ == "__main__":
    main()
