"""Links over a socketpair with real TLS, and the other end of them."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lanchat.errors import LanchatError
from lanchat.network.flusher import Flusher
from lanchat.network.link import Link
from lanchat.protocol.tls import Channel, PlainChannel, TlsChannel, client_context, server_context
from lanchat.storage.identity import Identity
from tests.support.waiting import PATIENCE


class Clock:
    """Time as a value: stands still until told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Reader:
    """A thread that reads a link to its end, and keeps what came."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.got = bytearray()
        self.error: LanchatError | None = None
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._read, name="test-reader")
        self._thread.start()

    def _read(self) -> None:
        try:
            self.link.establish()
            while data := self.link.receive():
                self.got += data
        except LanchatError as error:
            self.error = error
        finally:
            self.link.close()
            self.ended.set()

    def join(self) -> None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the reader did not wake up"


class Links:
    """Makes links, and gives everything back at the end."""

    def __init__(self, identity: Identity) -> None:
        self._tls = server_context(identity.certificate_path, identity.key_path)
        self._client = client_context()
        self.flusher = Flusher("test-flusher")
        self._links: list[Link] = []
        self._readers: list[Reader] = []
        self._sockets: list[socket.socket] = []

    def link(self, sock: socket.socket, *, server: bool, plain: bool = False, clock: Clock | None = None) -> Link:
        channel: Channel = PlainChannel()
        if not plain:
            channel = TlsChannel(self._tls if server else self._client, server=server)
        link = Link(sock, channel, self.flusher, clock=clock) if clock else Link(sock, channel, self.flusher)
        self._links.append(link)
        return link

    def read(self, link: Link) -> Reader:
        reader = Reader(link)
        self._readers.append(reader)
        return reader

    def alone(self, *, plain: bool = True, clock: Clock | None = None) -> tuple[Link, socket.socket]:
        """A link, and the bare socket at its other end."""
        ours, theirs = socket.socketpair()
        self._sockets.append(theirs)
        theirs.settimeout(PATIENCE)
        return self.link(ours, server=True, plain=plain, clock=clock), theirs

    def stdlib_client(self, sock: socket.socket) -> ssl.SSLSocket:
        """A real TLS peer from the standard library. Its handshake needs the link's reader at work."""
        wrapped = self._client.wrap_socket(sock)
        self._sockets.append(wrapped)
        return wrapped

    def pair(self, clock: Clock | None = None) -> tuple[Link, Link, Reader, Reader]:
        """A host's and a member's end of one link with TLS, with their readers, not yet established."""
        ours, theirs = socket.socketpair()
        host, member = self.link(ours, server=True, clock=clock), self.link(theirs, server=False)
        return host, member, self.read(host), self.read(member)

    def close(self) -> None:
        for link in self._links:
            link.drop("", "the test is over")
        for reader in self._readers:
            reader.join()
        for link in self._links:
            link.close()
        self.flusher.close()
        for sock in self._sockets:
            sock.close()


@contextmanager
def open_links(identity: Identity) -> Iterator[Links]:
    links = Links(identity)
    try:
        yield links
    finally:
        links.close()
