"""Everything for the screen, in order and in portions to paint: the room's items and our own notes.

The member's reader thread puts items into the room's queue and wakes the screen; everything here happens in the
thread that paints.
"""

import sys
import time
from collections import deque
from collections.abc import Callable
from datetime import date, datetime

from lanchat.api.room import JoinedRoom
from lanchat.client.events import Closed, Connected, Disconnected, Item, Private, PrivateFile, PrivateMessage
from lanchat.errors import LanchatError
from lanchat.protocol.file_messages import FileOffered
from lanchat.protocol.messages import Joined, Left, Moved, Renamed, Said
from lanchat.protocol.nicks import clean_nick, same_nick
from lanchat.protocol.papers import is_on_engine
from lanchat.room.roster import Person, Roster
from lanchat.storage.own_settings import OwnSettings
from lanchat.terminal.cells import Fragments
from lanchat.terminal.chat.comings import Comings
from lanchat.terminal.chat.files import KnownFiles, Listed
from lanchat.terminal.chat.ignoring import Ignoring
from lanchat.terminal.chat.line import LastLines, Line
from lanchat.terminal.chat.mentioned import LISTED
from lanchat.terminal.chat.own_notes import Drawn, Note, Own
from lanchat.terminal.chat.people import verify_text
from lanchat.terminal.chat.private import PrivateTalk
from lanchat.terminal.chat.render import Renderer
from lanchat.terminal.chat.status import connection_text
from lanchat.terminal.chat.upcoming import Upcoming
from lanchat.terminal.notify import Kind, kind_of


class Feed:
    """Collects what is to be painted. Owned by the thread that paints; `note` and `show` are for any thread.

    Args:
        room: nobody else takes its items.
        wake: called from any thread when there is something to paint.
        own: keeps what we settle. A nick that the host gave us unasked is not kept.
        words: a message with one of them is for us, as one with our nick is.
        heard: called when somebody else says something now: whether it is for us, by whom, and what. True: the person
            has seen all before it, and nothing from it on.
        offered: called when somebody else sends a file now, which has a number then.
        joins, colour: see Comings and Renderer.
    """

    def __init__(
        self,
        room: JoinedRoom,
        *,
        wake: Callable[[], None],
        own: OwnSettings | None = None,
        words: tuple[str, ...] = (),
        joins: str = "all",
        heard: Callable[[Kind, str, str], bool] = lambda kind, nick, text: False,
        offered: Callable[[FileOffered | PrivateFile], None] = lambda file: None,
        colour: bool,
    ) -> None:
        self._room = room
        self._wake = wake
        self._own = own or OwnSettings()
        self._heard = heard
        self._offered = offered
        self.files = KnownFiles()
        self.words = words
        self._renderer = Renderer(self.roster, date.today(), colour=colour, files=self.files, words=words)
        self._upcoming = Upcoming(room, hosting=room.hosting)
        self.calls: deque[Said] = deque(maxlen=LISTED)  # the last that call us, as far as they were rendered
        self._comings = Comings(joins, lambda text: self._upcoming.add(Note(text)))
        self.painted = LastLines()
        self._complaint = ""  # the error that stands last, or will soon; "": something else does
        self._wanted_nick = ""  # the nick that we asked for, until we have it
        self.ignored = Ignoring(self._own)
        self._shown: list[Private] = []  # private messages and files of the portion that is being painted
        self.private = PrivateTalk(room)

    @property
    def title(self) -> str:
        return self._room.state.title

    @property
    def roster(self) -> Roster:
        return self._room.state.roster

    @property
    def people(self) -> int | None:
        """How many are in the room, as far as is known; None: it is closed, for us at least, so nobody tells us."""
        state = self._room.state
        return None if state.closed is not None or state.closed_by_host else self.roster.number

    @property
    def ended(self) -> Closed | None:
        """The last item, once it has been rendered."""
        return self._room.state.closed

    @property
    def state(self) -> str:
        """The state of the connection, for the bar."""
        return connection_text(self._room.state, hosting=self._room.hosting, away=self._room.is_away)

    @property
    def due_at(self) -> float | None:
        """When there is something to paint even if nothing comes, in s, monotonic; None: never."""
        return self._comings.due_at

    def start(self) -> None:
        """From now on `wake` is called when there is something to paint."""
        self._room.on_ready(self._wake)
        self._wake()

    def stop(self) -> None:
        """Everything that was rendered has been painted, and nothing more will be."""
        self._room.on_ready(lambda: None)
        self._confirm()

    def note(self, text: str, *, error: bool = False, command: bool = False) -> None:
        """Show a line that only we see, below all that has come; at the start, below history and greeting. Any thread.

        Args:
            command: somebody is to type it, so it stands out.
        """
        self._add(Note(text, error, command))

    def complain(self, text: str) -> None:
        """Show an error as `note` does, unless it stands last already: Enter may be pressed again and again.

        Only for the thread that paints.
        """
        if text != self._complaint:
            self._complaint = text
            self.note(text, error=True)

    def show(self, fragments: Fragments) -> None:
        """Show lines that only we see and that are fragments already. Any thread."""
        self._add(Drawn(fragments))

    def show_files(self, listed: Listed) -> None:
        """Show the files of the room. Any thread."""
        self._add(listed)

    def rename(self, nick: str) -> None:
        """Ask for another nick.

        Raises:
            ValueError: it breaks the rules of a nick.
            LanchatError: there is no link to the host now.
        """
        self._wanted_nick = clean_nick(nick)
        self._room.rename(self._wanted_nick)

    def verify(self, nick: str) -> None:
        """Show the fingerprint of the person with this nick; of each, if the host gives it to several.

        Raises:
            ValueError: there is no such person.
        """
        roster, crowd = self.roster, self.roster.crowd > 0
        of = (verify_text(person, roster.me, roster.host_id, crowd=crowd) for person in self._called(nick))
        self.note("\n".join(of))

    def ignore(self, nick: str, *, on: bool) -> None:
        """Hide this person's messages on this screen, or show them again; without a nick, list whose are hidden.

        Raises:
            ValueError: there is no such person, or it is us.
            LanchatError: it cannot be stored for the next time.
        """
        if not nick:
            self.note(self.ignored.all())
        elif not on:
            self.note(self.ignored.remove(nick, self.roster.called(nick)))
        elif (person := self._called(nick)[0]).id == self.roster.me:
            raise ValueError("That is you.")
        else:
            self.note(self.ignored.add(person))

    def portion(self, seconds: float, columns: int) -> tuple[Fragments, bool]:
        """What is to be painted now, rendered in about this time, and whether there may be more.

        The portion before counts as painted: its private messages need not come again.

        Args:
            columns: cells of a row.
        """
        self._confirm()
        if sys.platform != "win32":
            time.tzset()  # the C library reads the time zone once, and a laptop may travel
        self._renderer.minute, self._renderer.today = -1, date.today()
        self._comings.announce_due(self.roster, time.monotonic())
        deadline = time.monotonic() + seconds
        fragments: Fragments = []
        while (item := self._upcoming.next()) is not None:
            line = self._render(item)
            if line is not None and item != Note(self._complaint, error=True):
                self._complaint = ""
            for one in (self._mark_before(item), line) if line is not None else ():
                if one is not None:
                    self.painted.add(one)
                    fragments += one.fragments(columns)
            if time.monotonic() > deadline:
                return fragments, True
        return fragments, False

    def _called(self, nick: str) -> list[Person]:
        """The people with this nick, at least one; if nobody here has it, the one who had it and has left.

        Raises:
            ValueError: nobody has or had it.
        """
        found = self.roster.called(nick)
        if not found and (gone := self.roster.gone.get(same_nick(nick))):
            found = [gone]
        if not found:
            raise ValueError(f"No one here is called {nick}. /who lists everyone.")
        return found

    def _add(self, note: Own) -> None:
        self._upcoming.add(note)
        self._wake()

    def _render(self, item: Item | Own) -> Line | None:
        if isinstance(item, Own):
            return self._renderer.render(item)
        if isinstance(item, Private):
            self._shown.append(item)
        if isinstance(item, PrivateMessage):
            if item.by not in self.ignored:
                self.private.shown(item)
        hidden = isinstance(item, Said | Private) and item.by in self.ignored
        if isinstance(item, Joined | Left):
            hidden = self._room.state.is_past(item) or self._comings.hides(item, self.roster, time.monotonic())
        elif isinstance(item, Moved):
            self._comings.moved(item, self.roster)
        elif isinstance(item, Disconnected):
            self._comings.lost(self.roster)
        elif isinstance(item, Connected) and item.again:
            beside = is_on_engine(item.card) and item.host_id != self.roster.host_id
            self._comings.back(time.monotonic(), beside=beside)
        self._renderer.hosting, self._renderer.owner = self._room.hosting, self._room.state.owner_id
        line = None if hidden else self._renderer.render(item)  # before it is followed: it shows the room as it was
        if line is not None and isinstance(item, FileOffered | PrivateFile):
            self._report_offer(item)
        nick = self.roster.nick
        self._room.follow(item)
        self._upcoming.followed(item)
        if isinstance(item, Renamed) and self.roster.nick != nick and self.roster.nick == self._wanted_nick:
            self._wanted_nick = ""
            self._report_nick()
        return line

    def _report_offer(self, file: FileOffered | PrivateFile) -> None:
        """Report a file that somebody else sends now, and that is shown."""
        is_past = isinstance(file, FileOffered) and self._room.state.is_past(file)
        gone = isinstance(file, PrivateFile) and (file.problem or file.state == "removed")
        if file.by != self.roster.me and not (is_past or gone):
            self._offered(file)

    def _mark_before(self, item: Item | Own) -> Line | None:
        """Report a message of somebody else that was not ignored. Returns the line that stands before unseen ones."""
        if not isinstance(item, Said | PrivateMessage) or item.by == self.roster.me:
            return None
        kind = kind_of(item, self.roster.nick, *self.words)
        if isinstance(item, Said):
            self.calls += [item] if kind == "mention" else []
            if self._room.state.is_past(item):
                return None
        first = self._heard(kind, item.nick, item.text)
        return self._renderer.render(Note(f"new since {datetime.now():%H:%M}")) if first else None

    def _confirm(self) -> None:
        shown, self._shown = self._shown, []
        if shown:
            self._room.confirm(shown)

    def _report_nick(self) -> None:
        try:
            self._own.keep_nick(self.roster.nick)
        except (OSError, LanchatError) as error:
            self.note(f"Your nick could not be saved for next time: {error}", error=True)
