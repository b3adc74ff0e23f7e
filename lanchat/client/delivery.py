"""Delivers the messages of a member: each is kept until a host has acknowledged it, and resent until then.

Each message carries an id that the sender made. After a reconnect, and after a restart of the program, unacknowledged
messages are resent.
"""

import threading
from collections.abc import Callable, Iterable
from functools import partial

from lanchat import errors
from lanchat.client.events import Private
from lanchat.client.host_link import HostLink
from lanchat.client.own_lines import OwnLines
from lanchat.client.private import addressed, is_addressed, on_the_wire
from lanchat.client.unacked import ResendWindow, Unacked
from lanchat.protocol import messages as wire
from lanchat.protocol.drafts import Talk
from lanchat.protocol.messages import Notice, Receipt, Said, Say, Tell, Told
from lanchat.protocol.people import Owner, Who
from lanchat.protocol.sealed import Sealer
from lanchat.protocol.status import Away
from lanchat.protocol.text import grouped
from lanchat.protocol.timeline import Timeline
from lanchat.storage.member_store import MemberStore
from lanchat.threads import now_ms

BEHIND = 16  # old lines of ours that are resent at a time, so that a new message waits for no more than these


class Delivery:
    """The messages that no host has acknowledged yet, of this run and of earlier ones. Any thread.

    Args:
        store: holds unacknowledged messages for a later run of the program.
        me: our member id.
        send: hands a message to the current link; never waits.
        sealer: seals private messages.
        now: returns ms since 1970.
    """

    def __init__(
        self,
        store: MemberStore,
        me: str,
        send: Callable[[wire.FromMember], None],
        sealer: Sealer,
        now: Callable[[], int] = now_ms,
    ) -> None:
        self._store = store
        self._me = me
        self._send_now = send
        self._sealer = sealer
        self._now = now
        self._own = OwnLines()  # owned by the reader thread
        self._said_again: set[str] = set()  # ids
        self._order = threading.Lock()  # held while a message is stored and then sent, so that both have one order
        self._changed = threading.Condition()  # guards all below; for memory work only
        self._unacked = Unacked()
        self._window = ResendWindow()
        self._behind = ResendWindow(BEHIND)  # of lines that an earlier host had acknowledged
        self.host = HostLink(send)
        self.deaf = False  # this and the next are told to each host
        self.away_text = ""  # why we are away
        self._held = list(store.unsent)  # messages that an earlier run could not deliver
        self.left_over = len(self._held)
        self.left_at = store.left_at
        self.keeps_unsent = store.keeps_unsent
        if not store.held:
            self._release()

    # ---- for the threads that speak

    def deliver(self, message: Talk) -> None:
        """Keep this message, and send it now or after the next reconnect. Never waits for the network.

        Raises:
            LanchatError: too many messages are unsent already.
        """
        ready = _without_time(message) if isinstance(message, Say) else self._sealed(message)
        with self._order:
            self._store.add_unsent(message)
            with self._changed:
                self._unacked.add(message)
                if self.host.connected and not self._window.is_behind(message):
                    self._send_now(ready)

    def ask(self, message: wire.FromMember) -> None:
        """Send a message that is not resent if the link is lost.

        Raises:
            NotConnected: there is no link to the host at the moment.
            LanchatError: the connection has ended.
        """
        with self._changed:
            if not self.host.connected:
                raise self.host.over or errors.NotConnected
            self._send_now(message)

    def confirm(self, private: Iterable[Private]) -> None:
        """Tell the host that these private messages and files have been shown. It asks again if that is lost."""
        with self._changed:
            for message in private:
                self._send_if_connected(wire.Got(message.by, message.id))

    def away(self, text: str) -> None:
        """Tell this host and each later one why we are away; "": we are back."""
        with self._changed:
            self.away_text = text
            self._send_if_connected(Away(text))

    def deafen(self) -> None:
        """Ask this host and each later one not to send the messages of others."""
        with self._changed:
            self.deaf = True
            self._send_if_connected(wire.Deaf())

    @property
    def waiting(self) -> int:
        """The number of unacknowledged messages."""
        return len(self._unacked)

    def unheard(self, number: int) -> tuple[list[Talk], int]:
        """The newest messages that the host has not sent back yet, oldest first, and how many there are in all."""
        with self._changed:
            return self._unacked.unheard(number)

    def wait_acked(self, timeout: float | None = None, *, below: int = 1) -> bool:
        """Wait until fewer than `below` messages are unacknowledged; 1: until the host has stored all of them.

        Returns:
            Whether that happened within `timeout` seconds.

        Raises:
            LanchatError: the connection ended before that.
        """
        with self._changed:
            self._changed.wait_for(lambda: len(self._unacked) < below or self.host.over is not None, timeout)
            done = len(self._unacked) < below
            if not done and self.host.over is not None:
                raise self.host.over
            return done

    @property
    def held(self) -> list[Talk]:
        """Messages that an earlier run could not deliver, and that are sent only after `release`."""
        with self._changed:
            return [*self._held]

    def release(self) -> None:
        """Send what is held."""
        with self._changed:
            self._release()
            if self.host.connected:
                for message in self._window.begin(self._unacked.resend()):
                    self._send_now(self._sealed(message))

    def discard(self) -> int:
        """Drop what is held, and our messages that the host has not sent back yet. Returns how many these are.

        One of them may be on its way already, and be said all the same.
        """
        with self._order, self._changed:
            dropped = [message.id for message in self._held] + self._unacked.drop_unheard()
            self._held = []
            self._window = ResendWindow()
            self._changed.notify_all()
        self._store.remove_unsent(dropped)
        return len(dropped)

    def is_said_again(self, id: str) -> bool:
        """Whether this is our message that an earlier host had acknowledged and a later one did not have."""
        return id in self._said_again

    def refusal(self, id: str) -> str:
        """Why the host refused this private message; "": it did not, or has not answered yet."""
        with self._changed:
            return self._unacked.refused.get(id, "")

    # ---- for the reader thread

    @property
    def is_saying_again(self) -> bool:
        """Whether lines that an earlier host had are still being resent."""
        return self._behind.busy

    def begin(self, host_key: bytes = b"", largest_file: int = 0, timeline: Timeline | None = None) -> None:
        """The host with this key has admitted us: resend, in order, what is not acknowledged, and behind it what an
        earlier host has acknowledged and this one's timeline does not cover. May wait for the disk."""
        lacking = self._own.lacking(timeline, partial(self._store.own_lines, self._me), self._now())
        with self._changed:
            self.host.begin(host_key, largest_file)
            if self.deaf:
                self._send_now(wire.Deaf())
            if self.away_text:
                self._send_now(Away(self.away_text))
            unacked = self._unacked.resend()
            waiting = {message.id for message in (*unacked, *self._held)}
            self._said_again.update(say.id for say in lacking)
            for message in self._window.begin(unacked) + self._behind.begin(
                [say for say in lacking if say.id not in waiting]
            ):
                self._send_now(self._sealed(message))

    def pause(self) -> None:
        """The link is lost. New messages wait."""
        with self._changed:
            self.host.pause()

    def end(self, error: errors.LanchatError) -> None:
        """The connection has ended for good, because of this error. Waiting threads are woken."""
        with self._changed:
            self.host.end(error)
            self._changed.notify_all()

    def heard(self, said: Said) -> None:
        """The host has sent back one of our messages, with its number."""
        self._own.heard(said, self._now())
        with self._changed:
            self._unacked.numbered(said)
            self._answered(said.id)

    def heard_private(self, told: Told) -> None:
        """The host has sent back a private message, if we sent it."""
        if told.by == self._me:
            with self._changed:
                self._answered(told.id)

    def resolved(self, owner: Owner) -> Notice | None:
        """The host has named the key for one of our private messages: it goes out now.

        Returns:
            A notice why it does not go out; or to which key it is sealed, if only the host knew that key.
        """
        with self._changed:
            draft = self._unacked.draft(owner.id)
        if draft is None or is_addressed(draft):
            return None
        words = (
            f"The host says that the fingerprint of {draft.nick} is  {grouped(owner.to)}: your message is sealed to it."
        )
        notice = None if draft.to else Notice("key", words)
        try:
            draft = addressed(draft, owner)
        except ValueError as error:
            self.settled(Receipt(owner.id, "refused", str(error)))
            return Notice("refused", str(error))
        self._store.add_unsent(draft)
        tell = self._sealed(draft)
        with self._changed:
            self._unacked.replace(draft)
            if self.host.connected:
                self._send_now(tell)
        return notice

    def acknowledged(self, seq: int) -> tuple[str, ...]:
        """The host has stored every event up to this seq. Returns the ids of our messages among them."""
        with self._changed:
            ids = self._unacked.acknowledged(seq)
            self._changed.notify_all()
        if ids:
            self._store.remove_unsent(ids)
        return ids

    def settled(self, receipt: Receipt) -> bool:
        """The host has stored or refused one of our private messages. Returns whether this is the first receipt."""
        with self._changed:
            new = self._unacked.settled(receipt)
            self._answered(receipt.id)
            self._changed.notify_all()
        if new:
            self._store.remove_unsent([receipt.id])
        return new

    def _send_if_connected(self, message: wire.FromMember) -> None:
        """Send a message that is lost without a link. Requires holding the lock."""
        if self.host.connected:
            self._send_now(message)

    def _release(self) -> None:
        for message in self._held:
            self._unacked.add(message)
        self._held = []

    def _sealed(self, message: Talk) -> Say | Tell | Who:
        """The message as it goes to the host."""
        return message if isinstance(message, Say) else on_the_wire(message, self._sealer)

    def _answered(self, id: str) -> None:
        """The host has answered this message, so the next ones may be resent. Requires holding the lock."""
        for message in self._window.answered(id) + self._behind.answered(id):
            self._send_now(self._sealed(message))


def _without_time(say: Say) -> Say:
    """The message as it is sent first, without a time: the host gives it the time of its arrival."""
    return Say(say.id, say.text, say.action, say.again)
