"""The door for lanchat's own members: TLS, a card, a hello with its proof, then JSON lines."""

import logging
from collections.abc import Callable

from lanchat.errors import LanchatError, ProtocolError
from lanchat.net.identity import Identity, member_id, verify
from lanchat.net.link import Link
from lanchat.protocol.framing import FROM_MEMBER, LineSplitter, decode_all, encode
from lanchat.protocol.handshake import Arrival, HostGreeting
from lanchat.protocol.messages import Card, Closing, FromHost, FromMember, Ping, Refused
from lanchat.room.hub import Arrived, Gone, Heard, Item, Seat
from lanchat.room.inbox import Inbox

GREETING_LIMIT = 10.0  # s in all for TLS, hello and proof (Syncthing 10, ssh-chat 20, OpenSSH 120)

_log = logging.getLogger(__name__)


class NativeDoor:
    """Serves each link in that link's reader thread.

    Args:
        card: makes the first line for a new link, with a fresh nonce.
    """

    echoes = True
    remembers = True

    def __init__(self, identity: Identity, card: Callable[[], Card], inbox: Inbox[Item]) -> None:
        self._identity = identity
        self._card = card
        self._inbox = inbox

    def encode(self, message: FromHost) -> bytes:
        return encode(message)

    def serve(self, link: Link) -> None:
        """A link's whole life, from its first byte to its last."""
        seat = Seat(link, self)
        try:
            self._greet_and_read(link, seat)
        except ProtocolError as error:
            _log.info("dropped %s: %s", link.peer, error)
            link.reason = link.reason or str(error)
            link.finish(encode(Closing("rules", str(error))))
            link.drain()
        except LanchatError as error:  # not even TLS
            _log.info("dropped %s: %s", link.peer, error)
        finally:
            self._inbox.put_now(Gone(seat))

    def _greet_and_read(self, link: Link, seat: Seat) -> None:
        splitter = LineSplitter()
        arrival, messages = self._greet(link, splitter)
        if arrival is None:
            link.drain()
            return
        link.within(None)
        link.heartbeat = encode(Ping())
        self._inbox.put(Arrived(seat, member_id(arrival.key), arrival.nick, arrival.after))
        while True:
            if messages:
                self._inbox.put(Heard(seat, messages))
            data = link.receive()
            if not data:
                return
            messages = decode_all(splitter.feed(data), FROM_MEMBER)

    def _greet(self, link: Link, splitter: LineSplitter) -> tuple[Arrival | None, list[FromMember]]:
        """Until we know who it is (None: they went, or were refused), and what they have said after that."""
        link.within(GREETING_LIMIT, "did not say hello in time")
        link.establish()
        greeting = HostGreeting(
            self._card(), certificate=self._identity.certificate, host_key=self._identity.public, verify=verify
        )
        link.send(encode(greeting.opening()))
        while data := link.receive():
            messages: list[FromMember] = decode_all(splitter.feed(data), FROM_MEMBER)
            while messages:
                answer, arrival = greeting.receive(messages.pop(0))
                if isinstance(answer, Refused):
                    link.finish(encode(answer))
                    return None, []
                if answer is not None:
                    link.send(encode(answer))
                if arrival is not None:
                    return arrival, messages
        return None, []
