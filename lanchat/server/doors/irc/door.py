"""The door for IRC clients: the room is one channel, and who has registered is in it.

    client: NICK wee
    client: USER wee 0 * :wee
    host:   :3025eeef.lanchat 001 wee :Welcome to Room A, wee      (and so on, to 376)
    host:   :wee!~u@3f2a9c11.lan JOIN #room-a                      (with names and history)
    client: PRIVMSG #room-a :hello

A client of this door has proven no identity and nothing is encrypted: on every lanchat screen its nick has a tilde.
"""

import secrets
import socket
import time

from lanchat.network.link import Link
from lanchat.protocol.ids import UNVERIFIED
from lanchat.protocol.irc.names import names_of
from lanchat.protocol.tls import Channel, PlainChannel
from lanchat.server.doors.base import DoorOption, Serving, reporting_errors
from lanchat.server.doors.irc.conversation import Conversation
from lanchat.server.doors.irc.session import Dialects, IrcSession
from lanchat.server.quotas import Quota
from lanchat.server.session import Converse


def irc_door(port: int) -> DoorOption:
    """The door for IRC clients without encryption, on this port; 0 for any."""
    return DoorOption(IrcDoor, port, needs_no_password=True)


class IrcDoor:
    """Serves each link in threads of its own."""

    name = "irc"

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        card = serving.card()
        self._dialects = Dialects(names_of(card.room, card.title, int(time.time())))

    def channel(self, sock: socket.socket) -> Channel:
        return PlainChannel()

    def greet(self, link: Link, quota: Quota) -> Converse | None:
        session = IrcSession(
            link,
            self._dialects.of(frozenset()),
            echoes=False,
            own_join=False,
            observes=True,
            dialects=self._dialects,
            id=f"{UNVERIFIED}{secrets.token_hex(4)}",
        )
        with reporting_errors(link, session.dialect.encode):
            conversation = Conversation(link, session, quota, self._serving)
            return conversation.run if conversation.register() else None
        return None
