"""The door for IRC clients: the room is one channel, and a client is in it once it has registered.

    client: NICK wee
    client: USER wee 0 * :wee
    host:   :3025eeef.lanchat 001 wee :Welcome to Room A, wee      (and so on, to 376)
    host:   :wee!~u@3f2a9c11.lan JOIN #room-a                      (with names and history)
    client: PRIVMSG #room-a :hello

A client of this door has proven no identity: on every lanchat screen its nick has a tilde. On one port nothing is
encrypted; on the other TLS is, by a certificate that the client may pin, and there a password can be asked for.
"""

import secrets
import socket
import time
from dataclasses import replace

from lanchat.network.link import Link
from lanchat.protocol.ids import UNVERIFIED
from lanchat.protocol.irc.caps import Capabilities
from lanchat.protocol.irc.names import names_of
from lanchat.protocol.messages import Card
from lanchat.protocol.tls import Channel, PlainChannel, TlsChannel, irc_context
from lanchat.protocol.web_certificate import certificate_print
from lanchat.server.doors.base import DoorOption, Serving, reporting_errors
from lanchat.server.doors.irc.conversation import Conversation
from lanchat.server.doors.irc.gate import Gate
from lanchat.server.doors.irc.people import People
from lanchat.server.doors.irc.session import Dialects, IrcSession
from lanchat.server.quotas import Quota
from lanchat.server.session import Reading
from lanchat.storage.web_certificate import load_irc_certificate
from lanchat.threads import now_ms


def irc_doors(port: int | None, tls_port: int | None = None, password: str | None = None) -> list[DoorOption]:
    """The doors for IRC clients that have a port; 0 for any. They share their dialects.

    Args:
        port: without encryption.
        tls_port: with TLS.
        password: asked for there; it lets people into a room with a password, and must be another one than the room's.
    """
    known: list[Dialects] = []

    def dialects(serving: Serving) -> Dialects:
        if not known:
            known.append(dialects_of(serving.card()))
        return known[0]

    doors = []
    if port is not None:
        doors.append(DoorOption(lambda serving: IrcDoor(serving, dialects(serving)), port, needs_no_password=True))
    if tls_port is not None:

        def make(serving: Serving) -> IrcTlsDoor:
            return IrcTlsDoor(serving, dialects(serving), password)

        doors.append(DoorOption(make, tls_port, needs_no_password=password is None))
    return doors


def dialects_of(card: Card) -> Dialects:
    """The dialects of the room of this card, which no client has entered yet."""
    people = People(now_ms)
    names = names_of(card.room, card.title, int(time.time()))
    return Dialects(replace(names, profiles=people.profiles), people)


class IrcDoor:
    """Serves each link in threads of its own.

    Args:
        gate: asks for a password; None: there is none.
        joins: whether a client is in the channel as soon as it has registered.
    """

    name = "irc"

    def __init__(self, serving: Serving, dialects: Dialects, gate: Gate | None = None, *, joins: bool = True) -> None:
        self._serving = serving
        self._dialects = dialects
        self._gate = gate
        self._joins = joins

    def channel(self, sock: socket.socket) -> Channel:
        return PlainChannel()

    def greet(self, link: Link, quota: Quota) -> Reading | None:
        session = IrcSession(
            link,
            self._dialects.of(frozenset()),
            echoes=False,
            own_join=False,
            observes=True,
            dialects=self._dialects,
            id=f"{UNVERIFIED}{secrets.token_hex(4)}",
            capabilities=Capabilities(without=frozenset() if self._gate is not None else frozenset({"sasl"})),
            encrypted=not link.established,
        )
        with reporting_errors(link, session.dialect.encode):
            conversation = Conversation(link, session, quota, self._serving, self._gate, joins=self._joins)
            return conversation.run() if conversation.register() else None
        return None


class IrcTlsDoor(IrcDoor):
    """The door for IRC clients that connect with TLS.

    Attributes:
        certificate: its SHA-256 in hex, for clients that are told which one to expect.
    """

    name = "irc-tls"

    def __init__(self, serving: Serving, dialects: Dialects, password: str | None) -> None:
        super().__init__(serving, dialects, None if password is None else Gate(password))
        path = load_irc_certificate(serving.identity.key_path.parent)
        self.certificate = certificate_print(path.read_bytes()).lower()
        self._context = irc_context(path)

    def channel(self, sock: socket.socket) -> Channel:
        return TlsChannel(self._context, server=True)
