"""The half of a member that speaks: what we say, until the host has it on its disk. Any thread.

Each message carries an id of ours; after a lost link, and after a new start of the program, it is said again until the
host has acknowledged it.
"""

import secrets
import threading
from collections.abc import Iterable
from itertools import count

from lanchat import errors
from lanchat.client.receiving import PrivateDedup, ResendWindow, Unacked
from lanchat.network.link import Link
from lanchat.protocol import messages as wire
from lanchat.protocol.framing import encode
from lanchat.protocol.text import clean_nick, clean_text
from lanchat.storage.member_store import MemberStore, NoStore


class Outgoing:
    """See Member, which opens and closes the link."""

    def __init__(self) -> None:
        self._store: MemberStore = NoStore()
        self._ids = count(1)
        self._prefix = secrets.token_hex(8)  # of the ids of what we say in this stay
        self._me = ""
        self._link: Link | None = None
        self._unkept = Unacked()
        self._again = ResendWindow()
        self._letters = PrivateDedup()
        self._over: errors.LanchatError | None = None
        self._state = threading.Condition()  # guards _link, _in_room, _unkept, _again, _letters, _over, _closed
        self._deaf = False
        self._closed, self._in_room = False, False  # in the room: the greeting is done, and we may talk on the link

    def is_own(self, said: wire.Said | wire.Told) -> bool:
        """Whether this was said by this very member object, not by the same person elsewhere. Any thread."""
        return said.by == self._me and said.id.startswith(self._prefix)

    @property
    def connected(self) -> bool:
        """Whether what is said now goes out now. Any thread."""
        return self._in_room

    @property
    def waiting(self) -> int:
        """How many messages of ours no host has on its disk yet. Any thread."""
        return len(self._unkept)

    def unheard(self, number: int) -> tuple[list[wire.Talk], int]:
        """What we said and have not heard back: the newest ones, oldest first, and how many in all. Any thread."""
        with self._state:
            return self._unkept.unheard(number)

    def say(self, text: str, *, action: bool = False) -> str:
        """Say this to everyone, now or when the link is back. Never waits.

        Returns:
            The message's id, which its `Said` and its `Kept` will carry.

        Raises:
            ValueError: the text cannot be sent (empty, too long).
            LanchatError: too many messages of ours are unsent already; see `MemberStore.add_unsent`.
        """
        return self._say(wire.Say(self._new_id(), clean_text(text), action))

    def tell(self, nick: str, text: str, *, to: str = "") -> str:
        """Say this to one person alone. Never waits. The host carries it, and can read it.

        Args:
            to: their member id; "": of whoever is called so, or was here under this nick, as the host knows it.

        Returns:
            The message's id, which its `Told` and its `Kept` will carry. Where they are away, or nobody is called so,
            a `Notice` follows.

        Raises:
            ValueError: the text, or the nick, cannot be.
            LanchatError: as for `say`.
        """
        return self._say(wire.Tell(self._new_id(), to, clean_nick(nick), clean_text(text)))

    def rename(self, nick: str) -> None:
        """Ask for another nick; a `Renamed` or a `Notice` follows.

        Raises:
            ValueError: it breaks the rules of a nick.
        """
        self._send(wire.Rename(clean_nick(nick)))

    def moderate(self, action: str, nick: str = "") -> None:
        """Use a right of who hosts: kick, ban, unban, lock, unlock. A `Notice` says what came of it.

        Raises:
            ValueError: nobody can be called that.
        """
        if len(nick) > wire.MAX_NAME:
            raise ValueError("nobody has so long a nick")
        self._send(wire.Moderate(action, nick))

    def deafen(self) -> None:
        """From now on what others say is not sent to us: for who only speaks. Who comes and goes is."""
        self._deaf = True
        self._send(wire.Deaf())

    def wait_kept(self, timeout: float | None = None, *, below: int = 1) -> bool:
        """Wait until all we said is on the host's disk, or fewer than `below` messages are not yet.

        Raises:
            LanchatError: the connection ended before that.
        """
        with self._state:
            self._state.wait_for(lambda: len(self._unkept) < below or self._over is not None, timeout)
            kept = len(self._unkept) < below
            if not kept and self._over is not None:
                raise self._over
            return kept

    def refusal(self, id: str) -> str:
        """Why the host has not taken this private message of ours; "" where it has, or not answered yet."""
        with self._state:
            return self._unkept.refused.get(id, "")

    def _new_id(self) -> str:
        return f"{self._prefix}-{next(self._ids)}"

    def _say(self, message: wire.Talk) -> str:
        with self._state:
            self._store.add_unsent(message)
            self._unkept.add(message)
            if not self._again.is_behind(message):
                self._send(message)
        return message.id

    def confirm(self, letters: Iterable[wire.Told]) -> None:
        """These are shown now: they need not come again. Any thread."""
        with self._state:
            for told in letters:
                if told.by != self._me:
                    self._letters.taken(told)
                    self._send(wire.Got(told.by, told.id))

    def _resend(self) -> None:
        """We are in the room: say again, in order, what is not kept."""
        with self._state:
            self._in_room = True
            if self._deaf:
                self._send(wire.Deaf())
            for message in self._again.begin(self._unkept.again()):
                self._send(message)

    def _answered(self, id: str) -> None:
        """The host has heard this message of ours. Requires holding the lock."""
        for message in self._again.answered(id):
            self._send(message)

    def _send(self, message: wire.FromMember) -> None:
        with self._state:
            if self._link is not None and self._in_room:
                self._link.send(encode(message))
