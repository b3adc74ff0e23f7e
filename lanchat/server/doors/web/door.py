"""The door for browsers, on one port: the page by http, and from the page a sealed channel in a WebSocket.

A browser is a member with a key of its own. From the handshake on it speaks the dialect of the native door, so that
the bytes of a batch are made once for both, and sealed for each link.
"""

import secrets
import socket
import threading
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from weakref import WeakSet

from lanchat.network.bulk import send_wait
from lanchat.network.link import Link
from lanchat.network.sockets import local_end
from lanchat.protocol.framing import encode
from lanchat.protocol.handshake import HostGreeting
from lanchat.protocol.keys import verify
from lanchat.protocol.messages import Closing, Hello
from lanchat.protocol.noise import Sealed
from lanchat.protocol.noise import answer as respond
from lanchat.protocol.tls import Channel, EitherChannel, server_context
from lanchat.protocol.web_certificate import certificate_print
from lanchat.server.admission import source_of
from lanchat.server.doors.base import DoorOption, Serving, reporting_errors
from lanchat.server.doors.native import LINES, NativeDoor
from lanchat.server.doors.web.download import part_of
from lanchat.server.doors.web.guest_link import GuestLink
from lanchat.server.doors.web.page import Document, load_page
from lanchat.server.doors.web.request import Answer, Arrival, Download, Page, Refusal, Values, answer
from lanchat.server.doors.web.sealed import SealedChannel
from lanchat.server.quotas import Quota
from lanchat.server.session import Reading
from lanchat.storage.identity import Identity
from lanchat.storage.web_certificate import load_web_certificate

FIRST_PORT = 47480
_GOODBYE = LINES.encode(Closing("closed", "The host has closed the door for browsers."))


def web_door(
    port: int | None = None,
    guest_link: GuestLink | None = None,
    names: Collection[str] = (),
    addresses: Collection[str] = (),
) -> DoorOption:
    """The door for browsers.

    Args:
        port: None for FIRST_PORT or the next free one, 0 for any.
        guest_link: opens a room with a password to browsers.
        names: what this machine may be called in a web address, besides its own addresses and name.
        addresses: of this machine, for the certificate of https.
    """

    def make(serving: Serving) -> WebDoor:
        return WebDoor(serving, guest_link or GuestLink(), names, addresses)

    return DoorOption(make, port, first_port=FIRST_PORT)


def own_name() -> str:
    """The name of this machine, without a domain."""
    return socket.gethostname().partition(".")[0]


def own_certificate(identity: Identity, places: Collection[str]) -> Path:
    """The certificate of this machine for https, with its key.

    Args:
        places: what it is called in web addresses, besides its own name.
    """
    known = {*places, "localhost", *([f"{own_name()}.local"] if own_name() else [])}
    return load_web_certificate(identity.key_path.parent, sorted(place for place in known if place.isascii()))


class WebDoor(NativeDoor):
    """Serves each link in threads of its own."""

    name = "web"
    web = True

    def __init__(
        self, serving: Serving, guest_link: GuestLink, names: Collection[str] = (), addresses: Collection[str] = ()
    ) -> None:
        super().__init__(replace(serving, secret=None))  # no page asks for the password
        self._guest_link = guest_link
        self._has_password = serving.secret is not None
        self._names = frozenset(name.lower() for name in names)
        self._own_name = own_name()
        certificate = own_certificate(serving.identity, {*addresses, *self._names})
        self.certificate = certificate_print(certificate.read_bytes())  # of https, as browsers show it
        self._https = server_context(certificate, certificate)
        self._static = secrets.token_bytes(32)  # a Noise key, which is never written anywhere
        self._document: Document = load_page()
        self._lock = threading.Lock()  # guards all below
        self._links: WeakSet[Link] = WeakSet()  # of pages, not of requests
        self._downloads: WeakSet[Link] = WeakSet()
        self._dismissed = False

    def channel(self, sock: socket.socket) -> Channel:
        address, port = local_end(sock)
        arrival = Arrival(address, port, "http", source_of(address) == "", self._own_name, self._names)
        transport = EitherChannel(self._https)

        def decide(method: str, path: str, values: Values) -> Answer:
            scheme = "https" if transport.is_tls else "http"
            return answer(method, path, values, replace(arrival, scheme=scheme, origins=self._serving.origins()))

        return SealedChannel(transport, decide, self._respond)

    def greet(self, link: Link, quota: Quota) -> Reading | None:
        with reporting_errors(link, encode):
            link.within(self._serving.limits.greeting, "late", "did not ask in time")
            link.establish()
            channel = link.channel
            assert isinstance(channel, SealedChannel)
            if channel.is_request and isinstance(channel.answer, Download):
                return self._download(link, channel.answer)
            return super().greet(link, quota)
        return None

    def _download(self, link: Link, asked: Download) -> Reading | None:
        """Answer a browser that downloads a file by its address."""
        bulk, reading = self._serving.bulk, None
        with self._lock:
            self._downloads.add(link)
            dismissed = self._dismissed
        if bulk is not None and not dismissed:
            reading = bulk.download(link, asked.ticket, lambda name, blob: part_of(asked, name, blob.size, blob.sha256))
        if reading is None:
            send_wait(link, self._bytes_of(asked.otherwise))
            link.finish()
            link.drain()
            return None
        self._serving.admission.admit(link)
        return reading

    def dismiss(self) -> int:
        """Send all browsers away, also those that are on their way in. Returns how many there were. Any thread."""
        with self._lock:
            self._dismissed = True
            links = [link for link in self._links if not link.over]
            downloads = [link for link in self._downloads if not link.over]
        for link in links:
            link.finish(_GOODBYE)
        for link in downloads:
            link.drop("", "the door is closed")
        return len(links)

    def _greeting(self, link: Link) -> HostGreeting | None:
        channel = link.channel
        assert isinstance(channel, SealedChannel)
        if channel.is_request:
            send_wait(link, self._bytes_of(channel.answer))
            link.finish()
            return None
        with self._lock:
            if not (dismissed := self._dismissed):
                self._links.add(link)
        if dismissed:  # it was accepted while the door closed
            link.finish(_GOODBYE)
            return None
        return HostGreeting(
            self._serving.card(),
            binding=channel.binding,
            host_key=self._serving.identity.public,
            verify=verify,
            admits=partial(self._admits, channel.binding) if self._has_password else None,
        )

    def _bytes_of(self, answered: Answer | None) -> bytes:
        match answered:
            case Page(compressed):
                return self._document.response(compressed=compressed)
            case Refusal():
                return self._document.refusal(answered)
            case _:
                return b""

    def _respond(self, frame: bytes) -> tuple[bytes, Sealed]:
        identity = self._serving.identity
        return respond(
            frame,
            ephemeral=secrets.token_bytes(32),
            static=self._static,
            host_key=identity.public,
            sign=identity.sign,
        )

    def _admits(self, binding: bytes, hello: Hello) -> bool:
        return self._guest_link.admits(hello.ticket, binding, hello.key)
