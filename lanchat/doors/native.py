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
            link.finish(encode(Closing("rules", str(error))))
        except LanchatError as error:  # not even TLS
            _log.info("dropped %s: %s", link.peer, error)
        finally:
            self._inbox.put_now(Gone(seat))

    def _greet_and_read(self, link: Link, seat: Seat) -> None:
        link.within(GREETING_LIMIT, "did not say hello in time")
        link.establish()
        greeting = HostGreeting(
            self._card(), certificate=self._identity.certificate, host_key=self._identity.public, verify=verify
        )
        link.send(encode(greeting.opening()))
        splitter = LineSplitter()
        greeted = False
        while data := link.receive():
            messages: list[FromMember] = decode_all(splitter.feed(data), FROM_MEMBER)
            if messages and not greeted:
                if not self._admit(greeting.receive(messages.pop(0)), link, seat):
                    return
                greeted = True
            if messages:
                self._inbox.put(Heard(seat, messages))

    def _admit(self, outcome: Arrival | Refused, link: Link, seat: Seat) -> bool:
        if isinstance(outcome, Refused):
            link.finish(encode(outcome))
            return False
        link.within(None)
        link.heartbeat = encode(Ping())
        self._inbox.put(Arrived(seat, member_id(outcome.key), outcome.nick, outcome.after))
        return True
