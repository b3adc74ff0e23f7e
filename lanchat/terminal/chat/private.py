"""Private messages and files as a person types them: to whom they go, and what has to be asked before."""

import time

from lanchat.api.room import JoinedRoom
from lanchat.client.events import PrivateMessage
from lanchat.client.private import another_key_text, is_guest, unsealed_text
from lanchat.client.private_files import Recipient
from lanchat.protocol.nicks import safe_nick
from lanchat.protocol.text import safe_text
from lanchat.room.roster import Person

REPLY_PAUSE = 2.0  # s after which /reply is meant for the last private message, even if that came from somebody new
ABSENCE_AGAIN = 600.0  # s after which the writer is told again that somebody is away


class PrivateTalk:
    """Sends the private messages of /msg and /reply in this room. Owned by the thread that paints."""

    def __init__(self, room: JoinedRoom) -> None:
        self._room = room
        self._last: PrivateMessage | None = None  # from somebody else
        self._last_sender_since = 0.0  # s, monotonic: when it began to be that person
        self._absence_said: dict[str, float] = {}  # s, monotonic: when we last said that somebody is away, by id
        self._warned: set[str] = set()  # ids of guests, and of people with a rival, about whom the person was warned

    def tell(self, nick: str, text: str) -> None:
        """Send a private message.

        Raises:
            ValueError: the text or the nick breaks the rules, or it is us; or, for the first time, a guest or somebody
                whose nick another key has or had.
        """
        person = self._addressee(nick)
        self._tell(nick, text, person.id if person else "")

    def absence(self, nick: str) -> str:
        """A sentence that the recipient is away, and why; "": they are here, or it was said within ABSENCE_AGAIN."""
        person = self._room.state.roster.person(nick.removeprefix("~"))
        now = time.monotonic()
        if person is None or not person.away or now - self._absence_said.get(person.id, -ABSENCE_AGAIN) < ABSENCE_AGAIN:
            return ""
        self._absence_said[person.id] = now
        return f"{safe_nick(person.nick)} is away: {safe_text(person.away)}"

    def reply(self, text: str) -> None:
        """Reply to the last private message.

        Raises:
            ValueError: there is none, or it came just now and the reply may be meant for the one before.
        """
        last = self._last
        if last is None:
            raise ValueError("You have no private message to reply to. Start with /msg NICK TEXT.")
        if time.monotonic() - self._last_sender_since < REPLY_PAUSE:
            raise ValueError(f"{last.nick} has just written to you privately. Press Enter again to send this to them.")
        self._tell(last.nick, text, last.by)

    def recipient(self, nick: str) -> Recipient:
        """The person who is to get a file that is sent to this nick.

        Raises:
            ValueError: it is us or a guest; or, for the first time, somebody whose nick another key has or had.
        """
        self._addressee(nick)
        return self._room.recipient(nick, has_rival=True)

    def shown(self, told: PrivateMessage) -> None:
        """This message was shown: /reply answers it, if it came from somebody else and could be opened."""
        if told.problem or told.by == self._room.state.roster.me:
            return
        if self._last is not None and self._last.by != told.by:
            self._last_sender_since = time.monotonic()
        self._last = told

    def _addressee(self, nick: str) -> Person | None:
        """The person whom this nick means; None: only the host can tell.

        Raises:
            ValueError: it is us; or, for the first time, somebody whose nick another key has or had.
        """
        roster = self._room.state.roster
        person = roster.addressee(nick)
        rival = roster.rival(person) if person else None
        if person is not None and rival is not None and person.id not in self._warned:
            self._warned.add(person.id)
            raise ValueError(f"{another_key_text(person, rival)} Press Enter again to send it to the second.")
        return person

    def _tell(self, nick: str, text: str, to: str) -> None:
        if is_guest(to) and to not in self._warned:
            self._warned.add(to)
            raise ValueError(f"{unsealed_text(nick.removeprefix('~'))} Press Enter again to send it.")
        self._room.send_private(nick, text, to=to)
