"""What comes to the screen: a member's items and our own lines, in order, as portions to paint.

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
from lanchat.terminal.chat.render import Drawn, Local, Renderer
from lanchat.threads import Inbox

PAINT_EVERY = 0.015  # s; what comes in between is painted together, and nobody sees the difference
REPLY_PAUSE = 2.0  # s that somebody's private message must have stood there before a reply is surely meant for them
TAKE_WAIT = 0.1  # s; leaving waits for the taker at most this long
BATCHES = 1  # that wait for the painter; a terminal that stands still (Ctrl-S) must not fill the memory


class Feed:
    """Owned by the thread that paints; `note` is for any thread.

    Args:
        wake: called from any thread when there is something to paint.
        on_nick: called when the host has given us another nick.
        colour, columns: see Renderer.
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
    ) -> None:
        self.title = connected.card.title
        self.state = "connected"
        self.ended: Closed | None = None
        self.roster = Roster()
        self.roster.welcome(connected.welcome, connected.present)
        self._member = member
        self._wake = wake
        self._on_nick = on_nick
        self._renderer = Renderer(self.roster, date.today(), colour=colour, columns=columns)
        self._inbox: Inbox[list[Item | Local | Drawn]] = Inbox(BATCHES)
        self._waiting: deque[Item | Local | Drawn] = deque()
        self._early: list[Local] = []
        self._ignored: set[str] = set()  # member ids
        self._teller: Told | None = None  # the last one from somebody else
        self._teller_since = 0.0
        self._over = threading.Event()
        self._taker = threading.Thread(target=self._take, name="chat-taker")

    def start(self) -> None:
        self._taker.start()

    def stop(self) -> None:
        """Take nothing any more. The member is at rest after that, and may be closed."""
        self._over.set()
        self._inbox.close()
        if self._taker.ident is not None:
            self._taker.join()

    def note(self, text: str, *, error: bool = False) -> None:
        """A line that only we see, after all that has come. Any thread; before `start()` it waits for the welcome."""
        if self._taker.ident is None:
            self._early.append(Local(text, error))
            return
        self._inbox.put_now([Local(text, error)])
        self._wake()

    def show(self, fragments: Fragments) -> None:
        """Lines that only we see, made already. Any thread."""
        self._inbox.put_now([Drawn(fragments)])
        self._wake()

    def person(self, nick: str) -> Person:
        """Who is called that.

        Raises:
            ValueError: nobody here is.
        """
        person = self.roster.person(nick)
        if person is not None:
            return person
        raise ValueError(f"nobody here is called {nick}; /who shows who is")

    def tell(self, nick: str, text: str) -> None:
        """Say this to one person alone.

        Raises:
            ValueError: the text or the nick cannot be, or they can get nothing.
        """
        self._tell(nick, text, self.roster.addressee(nick))

    def reply(self, text: str) -> None:
        """The same to whoever last told us something.

        Raises:
            ValueError: nobody has, or it is not clear who is meant.
        """
        if self._teller is None:
            raise ValueError("nobody has told you anything alone yet; /msg NICK TEXT begins it")
        if time.monotonic() - self._teller_since < REPLY_PAUSE:
            raise ValueError(f"{self._teller.nick} has told you something just now: once more, if it is for them")
        self._tell(self._teller.nick, text, self._teller.by)

    def ignore(self, nick: str, *, on: bool) -> None:
        """Show nothing more of what this person says, here and now, or show it again."""
        person = self.person(nick)
        if person.id == self.roster.me:
            raise ValueError("that is you")
        if on:
            self._ignored.add(person.id)
            self.note(f"you see nothing more of {person.nick}; /unignore {person.nick} ends it")
        else:
            self._ignored.discard(person.id)
            self.note(f"you see {person.nick} again")

    def portion(self, seconds: float) -> tuple[Fragments, bool]:
        """What is to be painted now, made in about this time; and whether there may be more."""
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
        """The taker thread: hands on all that came, not more often than it is worth painting."""
        while not self._over.is_set():
            items = self._member.take(TAKE_WAIT)
            if not items:
                continue
            self._inbox.put([*items])
            self._wake()
            if isinstance(items[-1], Closed):
                return
            self._over.wait(PAINT_EVERY)

    def _next(self) -> Item | Local | Drawn | None:
        if not self._waiting:
            for batch in self._inbox.take(timeout=0):
                self._waiting.extend(batch)
        return self._waiting.popleft() if self._waiting else None

    def _render(self, item: Item | Local | Drawn) -> Fragments:
        if isinstance(item, Said | Told) and item.by in self._ignored:
            if isinstance(item, Said):
                self.roster.apply(item)
            return []
        fragments = self._renderer.render(item)  # before it is applied: it speaks of the room as it was
        match item:
            case Said() | Joined() | Left() | Renamed():
                nick = self.roster.nick
                self.roster.apply(item)
                if self.roster.nick != nick:
                    self._tell_nick()
            case Connected():
                self.roster.welcome(item.welcome, item.present)
                self.title, self.state = item.card.title, "connected"
                while self._early:
                    fragments += self._renderer.render(self._early.pop(0))
            case Told() if item.by != self.roster.me:
                if self._teller is not None and self._teller.by != item.by:
                    self._teller_since = time.monotonic()
                self._teller = item
            case Disconnected():
                self.state = "reconnecting ..."
            case Notice(code="unsaved" | "saved" as code):
                self.state = "connected" if code == "saved" else "connected, nothing is saved"
            case Closed():
                self.ended, self.state = item, "not connected"
            case _:
                pass
        return fragments

    def _tell_nick(self) -> None:
        if self._on_nick is not None:
            try:
                self._on_nick(self.roster.nick)
            except (OSError, LanchatError) as error:
                self.note(f"the nick could not be kept for the next time: {error}", error=True)
