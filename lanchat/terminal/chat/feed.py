"""What comes to the screen: a member's items and our own notes, in order, as portions to paint.

member's reader --queue--> taker thread --inbox--> portion(), in the thread that paints
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import date

from lanchat.client.events import Closed, Connected, Disconnected, Item
from lanchat.client.member import Member
from lanchat.errors import LanchatError
from lanchat.protocol.messages import Joined, Left, Notice, Renamed, Said, Told
from lanchat.room.roster import Person, Roster
from lanchat.terminal.cells import Fragments
from lanchat.terminal.chat.render import Drawn, Note, Renderer
from lanchat.threads import Inbox

PAINT_EVERY = 0.015  # s; what comes in between is painted together, and nobody sees the difference
REPLY_PAUSE = 2.0  # s after which /reply is meant for the last private message, even if that came from somebody new
TAKE_WAIT = 0.1  # s; leaving waits for the taker at most this long
BATCHES = 1  # that wait to be painted; a terminal that stands still (Ctrl-S) must not fill the memory


class Feed:
    """Collects what is to be painted. Owned by the thread that paints; `note` and `show` are for any thread.

    Args:
        wake: called from any thread when there is something to paint.
        on_nick: called when the host has given us another nick.
        colour, columns, hosting: see Renderer.
    """

    def __init__(
        self,
        member: Member,
        connected: Connected,
        *,
        wake: Callable[[], None],
        on_nick: Callable[[str], None] | None,
        colour: bool,
        columns: Callable[[], int] = lambda: 0,
        hosting: bool = False,
    ) -> None:
        self.title = connected.card.title
        self.state = "connected"
        self.ended: Closed | None = None
        self.roster = Roster()
        self.roster.welcome(connected.welcome, connected.present)
        self._member = member
        self._wake = wake
        self._on_nick = on_nick
        self._renderer = Renderer(self.roster, date.today(), colour=colour, columns=columns, hosting=hosting)
        self._inbox: Inbox[list[Item | Note | Drawn]] = Inbox(BATCHES)
        self._waiting: deque[Item | Note | Drawn] = deque()
        self._early: list[Note] = []  # shown after the greeting
        self._ignored: set[str] = set()  # member ids
        self._last_private: Told | None = None  # from somebody else
        self._last_sender_since = 0.0  # s, monotonic: when it began to be that person
        self._over = threading.Event()
        self._taker = threading.Thread(target=self._take, name="chat-taker")

    def start(self) -> None:
        self._taker.start()

    def stop(self) -> None:
        """Take no more items. After this the member may be closed."""
        self._over.set()
        self._inbox.close()
        if self._taker.ident is not None:
            self._taker.join()

    def note(self, text: str, *, error: bool = False) -> None:
        """Show a line that only we see, below all that has come; before `start()`, below the greeting. Any thread."""
        if self._taker.ident is None:
            self._early.append(Note(text, error))
            return
        self._inbox.put_now([Note(text, error)])
        self._wake()

    def show(self, fragments: Fragments) -> None:
        """Show lines that only we see and that are fragments already. Any thread."""
        self._inbox.put_now([Drawn(fragments)])
        self._wake()

    def person(self, nick: str) -> Person:
        """The person with this nick.

        Raises:
            ValueError: there is none.
        """
        person = self.roster.person(nick)
        if person is not None:
            return person
        raise ValueError(f"No one here is called {nick}. /who lists everyone.")

    def tell(self, nick: str, text: str) -> None:
        """Send a private message.

        Raises:
            ValueError: the text or the nick breaks the rules, or this person cannot get private messages.
        """
        self._tell(nick, text, self.roster.addressee(nick))

    def reply(self, text: str) -> None:
        """Reply to the last private message.

        Raises:
            ValueError: there is none, or it came just now and the reply may be meant for the one before.
        """
        last = self._last_private
        if last is None:
            raise ValueError("You have no private message to reply to. Start with /msg NICK TEXT.")
        if time.monotonic() - self._last_sender_since < REPLY_PAUSE:
            raise ValueError(f"{last.nick} has just written to you privately. Press Enter again to send this to them.")
        self._tell(last.nick, text, last.by)

    def ignore(self, nick: str, *, on: bool) -> None:
        """Hide this person's messages on this screen, or show them again.

        Raises:
            ValueError: there is no such person, or it is us.
        """
        person = self.person(nick)
        if person.id == self.roster.me:
            raise ValueError("That is you.")
        if on:
            self._ignored.add(person.id)
            self.note(f"{person.nick} is ignored. /unignore {person.nick} undoes it.")
        else:
            self._ignored.discard(person.id)
            self.note(f"{person.nick} is no longer ignored.")

    def portion(self, seconds: float) -> tuple[Fragments, bool]:
        """What is to be painted now, rendered in about this time, and whether there may be more."""
        deadline = time.monotonic() + seconds
        fragments: Fragments = []
        while (item := self._next()) is not None:
            fragments += self._render(item)
            if time.monotonic() > deadline:
                return fragments, True
        return fragments, False

    def _tell(self, nick: str, text: str, to: str) -> None:
        self._member.tell(nick, text, to=to)

    def _take(self) -> None:
        """The taker thread: passes on what came, but not more often than it is worth painting."""
        while not self._over.is_set():
            items = self._member.take(TAKE_WAIT)
            if not items:
                continue
            self._inbox.put([*items])
            self._wake()
            if isinstance(items[-1], Closed):
                return
            self._over.wait(PAINT_EVERY)

    def _next(self) -> Item | Note | Drawn | None:
        if not self._waiting:
            for batch in self._inbox.take(timeout=0):
                self._waiting.extend(batch)
        return self._waiting.popleft() if self._waiting else None

    def _render(self, item: Item | Note | Drawn) -> Fragments:
        if isinstance(item, Said | Told) and item.by in self._ignored:
            if isinstance(item, Said):
                self.roster.apply(item)
            return []
        fragments = self._renderer.render(item)  # before it is applied: the lines speak of the room as it was
        match item:
            case Said() | Joined() | Left() | Renamed():
                nick = self.roster.nick
                self.roster.apply(item)
                if self.roster.nick != nick:
                    self._report_nick()
            case Connected():
                self.roster.welcome(item.welcome, item.present)
                self.title, self.state = item.card.title, "connected"
                while self._early:
                    fragments += self._renderer.render(self._early.pop(0))
            case Told() if item.by != self.roster.me:
                if self._last_private is not None and self._last_private.by != item.by:
                    self._last_sender_since = time.monotonic()
                self._last_private = item
            case Disconnected():
                self.state = "reconnecting …"
            case Notice(code="unsaved" | "saved" as code):
                self.state = "connected" if code == "saved" else "connected, not saving"
            case Closed():
                self.ended, self.state = item, "not connected"
            case _:
                pass
        return fragments

    def _report_nick(self) -> None:
        if self._on_nick is not None:
            try:
                self._on_nick(self.roster.nick)
            except (OSError, LanchatError) as error:
                self.note(f"Your nick could not be saved for next time: {error}", error=True)
