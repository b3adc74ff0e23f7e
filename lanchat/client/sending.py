"""The sending half of a member: it keeps each message until the host has acknowledged it.

Each message carries an id that the sender made. After a reconnect, and after a restart of the program, unacknowledged
messages are resent.
"""

import secrets
from collections.abc import Callable, Iterable
from itertools import count

from lanchat import errors
from lanchat.client.events import Private, PrivateMessage
from lanchat.client.pending import Pending
from lanchat.protocol import messages as wire
from lanchat.protocol.drafts import PrivateDraft, Talk
from lanchat.protocol.fields import MAX_NAME
from lanchat.protocol.ids import clean_message_id
from lanchat.protocol.messages import Said, Say
from lanchat.protocol.nicks import clean_nick
from lanchat.protocol.sealed import Sealer
from lanchat.protocol.status import Away, clean_away
from lanchat.protocol.text import clean_text
from lanchat.protocol.topic import clean_topic
from lanchat.storage.member_store import MemberStore
from lanchat.threads import now_ms


class Outgoing(Pending):
    """The messages that this member sends, and what became of them. Any thread."""

    def __init__(
        self,
        store: MemberStore,
        me: str,
        send: Callable[[wire.FromMember], None],
        sealer: Sealer,
        now: Callable[[], int] = now_ms,
    ) -> None:
        super().__init__(store, me, send, sealer, now)
        self._prefix = secrets.token_hex(8)  # begins the ids of all messages of this object
        self._numbers = count(1)
        self._given: set[str] = set()  # ids that the caller has made

    def is_own(self, said: Said | PrivateMessage) -> bool:
        """Whether this object sent the message, or has said it again, and not another program of the same person."""
        mine = said.id.startswith(self._prefix) or said.id in self._given or said.id in self._said_again
        return said.by == self._me and mine

    def say(self, text: str, *, action: bool = False, id: str = "") -> str:
        """Send a message to everyone, now or after the next reconnect. Never waits for the network.
        The caller may give an id: of messages with the same id from one key, the room takes one.

        Returns:
            The message's id, which its `Said` and its `Acked` carry.

        Raises:
            ValueError: the text cannot be sent (empty, too long), or the id is invalid.
            LanchatError: too many messages are unsent already.
        """
        return self._say(Say(self._new_id(id), clean_text(text), action, again=bool(id), at=self._now()))

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
        return self._say(PrivateDraft(self._new_id(id), to, clean_nick(nick), clean_text(text), key))

    def rename(self, nick: str) -> None:
        """Ask for another nick; a `Renamed` or a `Notice` follows.

        Raises:
            ValueError: it breaks the rules of a nick.
            LanchatError: as for `ask`.
        """
        self.ask(wire.Rename(clean_nick(nick)))

    def moderate(self, action: str, nick: str = "", text: str = "") -> None:
        """Use a right of the host: kick, ban, unban, lock, unlock, topic (a text). A `Notice` says what came of it.

        Raises:
            ValueError: no nick or topic is that long.
            LanchatError: as for `ask`.
        """
        if len(nick) > MAX_NAME:
            raise ValueError("That nick is too long.")
        self.ask(wire.Moderate(action, nick, clean_topic(text)))

    def ask(self, message: wire.FromMember) -> None:
        """Send a message that is not resent if the link is lost.

        Raises:
            NotConnected: there is no link to the host at the moment.
            LanchatError: the connection has ended.
        """
        with self._changed:
            if not self._connected:
                raise self._over or errors.NotConnected
            self._send_now(message)

    def away(self, text: str) -> None:
        """Tell everybody that we are away, and why; "": that we are back.

        Raises:
            ValueError: it is too long.
        """
        self.away_text = clean_away(text)
        self._send(Away(self.away_text))

    def deafen(self) -> None:
        """Ask the host not to send the messages of others, for a program that only speaks. Other events still come."""
        self.deaf = True
        self._send(wire.Deaf())

    def confirm(self, private: Iterable[Private]) -> None:
        """Tell the host that these private messages and files have been shown, so that they need not come again."""
        for message in private:
            self._send(wire.Got(message.by, message.id))

    def _new_id(self, given: str) -> str:
        if not given:
            return f"{self._prefix}-{next(self._numbers)}"
        self._given.add(clean_message_id(given))
        return given

    def _say(self, message: Talk) -> str:
        ready = _without_time(message) if isinstance(message, Say) else self._sealed(message)
        with self._order:
            self._store.add_unsent(message)
            with self._changed:
                self._unacked.add(message)
                if self._connected and not self._window.is_behind(message):
                    self._send_now(ready)
        return message.id

    def _send(self, message: wire.FromMember) -> None:
        """Send a message that the next link repeats in any case: `begin` does, or the host asks again."""
        with self._changed:
            if self._connected:
                self._send_now(message)


def _without_time(say: Say) -> Say:
    """The message as it is sent first, without a time: the host gives it the time of its arrival."""
    return Say(say.id, say.text, say.action, say.again)
