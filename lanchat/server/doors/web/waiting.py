"""The port for browsers of a standby: it says where the room is, and becomes a door once this computer hosts it.

It listens from the start, so that pages know where to go when the host is gone.
"""

import socket
from collections.abc import Callable, Collection
from dataclasses import replace

from lanchat.network.bulk import send_wait
from lanchat.network.link import Link
from lanchat.network.sockets import local_end
from lanchat.protocol.noise import Sealed
from lanchat.protocol.tls import Channel, EitherChannel, server_context
from lanchat.server.admission import source_of
from lanchat.server.doors.web.door import own_certificate, own_name
from lanchat.server.doors.web.page import load_page
from lanchat.server.doors.web.request import Answer, Arrival, Refusal, Values, elsewhere
from lanchat.server.doors.web.sealed import SealedChannel
from lanchat.server.quotas import Quota
from lanchat.server.session import Reading
from lanchat.storage.identity import Identity


class WaitingPage:
    """Answers browsers while another computer hosts the room. Many threads call its methods.

    Args:
        addresses: of this machine, for the certificate of https.
        link: returns a link to the page of the host; "": nobody knows one.
    """

    name = "web"

    def __init__(self, identity: Identity, addresses: Collection[str], link: Callable[[], str]) -> None:
        certificate = own_certificate(identity, addresses)
        self._https = server_context(certificate, certificate)
        self._link = link

    def channel(self, sock: socket.socket) -> Channel:
        address, port = local_end(sock)
        arrival = Arrival(address, port, from_here=source_of(address) == "", own_name=own_name())
        transport = EitherChannel(self._https)

        def decide(method: str, path: str, values: Values) -> Answer:
            here = replace(arrival, scheme="https" if transport.is_tls else "http")
            return elsewhere(method, path, values, here, self._link())

        return SealedChannel(transport, decide, _respond)

    def greet(self, link: Link, quota: Quota) -> Reading | None:
        raise NotImplementedError("nobody is let in")

    def answer(self, link: Link) -> None:
        """Send the answer to a request that has come."""
        channel = link.channel
        assert isinstance(channel, SealedChannel)
        assert isinstance(channel.answer, Refusal)
        send_wait(link, load_page().refusal(channel.answer))
        link.finish()


def _respond(frame: bytes) -> tuple[bytes, Sealed]:
    raise NotImplementedError("no request becomes a WebSocket")
