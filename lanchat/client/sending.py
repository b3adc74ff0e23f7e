"""The sending half of a member: it checks what a person or a program says and asks, and gives each message its id."""

import secrets
from collections.abc import Callable
from itertools import count

from lanchat.client.delivery import Delivery
from lanchat.client.events import PrivateMessage
from lanchat.protocol import messages as wire
from lanchat.protocol.drafts import PrivateDraft, Talk
from lanchat.protocol.fields import MAX_NAME
from lanchat.protocol.ids import clean_message_id
from lanchat.protocol.messages import Said, Say
from lanchat.protocol.nicks import clean_nick
from lanchat.protocol.status import clean_away
from lanchat.protocol.text import clean_text
from lanchat.protocol.topic import clean_topic
from lanchat.threads import now_ms


class Outgoing:
    """Sends for this member. Any thread.

    Args:
        delivery: keeps each message until the host has it.
        me: our member id.
        now: returns ms since 1970.
    """

    def __init__(self, delivery: Delivery, me: str, now: Callable[[], int] = now_ms) -> None:
        self._delivery = delivery
        self._me = me
        self._now = now
        self._prefix = secrets.token_hex(8)  # begins the ids of all messages of this object
        self._numbers = count(1)
        self._given: set[str] = set()  # ids that the caller has made

    def is_own(self, said: Said | PrivateMessage) -> bool:
        """Whether this object sent the message, or has said it again, and not another program of the same person."""
        mine = said.id.startswith(self._prefix) or said.id in self._given
        return said.by == self._me and (mine or self._delivery.is_said_again(said.id))

    def say(self, text: str, *, action: bool = False, id: str = "") -> str:
        """Send a message to everyone, now or after the next reconnect. Never waits for the network.
        The caller may give an id: of messages with the same id from one key, the room takes one.

        Returns:
            The message's id, which its `Said` and its `Acked` carry.

        Raises:
            ValueError: the text cannot be sent (empty, too long), or the id is invalid.
            LanchatError: too many messages are unsent already.
        """
        return self._deliver(Say(self._new_id(id), clean_text(text), action, again=bool(id), at=self._now()))

    def tell(self, nick: str, text: str, *, to: str = "", key: bytes = b"", id: str = "") -> str:
        """Send a private message. Never waits for the network. The host cannot read it, unless it is for a guest.

        Args:
            to: the recipient's member id; "": the host finds it by the nick.
            key: the recipient's; empty: the host is asked for it.

        Returns:
            The message's id, which its `Told` and its `Acked` carry. If the recipient is away or unknown, a `Notice`
            follows.

        Raises:
            ValueError: the text, the nick or the id breaks the rules.
            LanchatError: too many messages are unsent already.
        """
        return self._deliver(PrivateDraft(self._new_id(id), to, clean_nick(nick), clean_text(text), key))

    def rename(self, nick: str) -> None:
        """Ask for another nick; a `Renamed` or a `Notice` follows.

        Raises:
            ValueError: it breaks the rules of a nick.
            NotConnected: there is no link to the host at the moment.
            LanchatError: the connection has ended.
        """
        self._delivery.ask(wire.Rename(clean_nick(nick)))

    def moderate(self, action: str, nick: str = "", text: str = "") -> None:
        """Use a right of the host: kick, ban, unban, lock, unlock, topic (a text). A `Notice` says what came of it.

        Raises:
            ValueError: no nick or topic is that long.
            NotConnected: there is no link to the host at the moment.
            LanchatError: the connection has ended.
        """
        if len(nick) > MAX_NAME:
            raise ValueError("That nick is too long.")
        self._delivery.ask(wire.Moderate(action, nick, clean_topic(text)))

    def away(self, text: str) -> None:
        """Tell everybody that we are away, and why; "": that we are back.

        Raises:
            ValueError: it is too long.
        """
        self._delivery.away(clean_away(text))

    def _new_id(self, given: str) -> str:
        if not given:
            return f"{self._prefix}-{next(self._numbers)}"
        self._given.add(clean_message_id(given))
        return given

    def _deliver(self, message: Talk) -> str:
        self._delivery.deliver(message)
        return message.id
