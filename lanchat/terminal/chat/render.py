"""Renders what happens in a room: items in, lines out. Pure.

Text from other people goes through `safe_text()` here and in people.py, and nowhere else. A message begins with a nick,
and everything else with `--`, which no nick can be, or with a rule, and what goes on in further rows stands under an
indent: so nobody can say something that looks like an event, a notice or somebody else's message. A notice of the host
has its nick, `-- ann (host): ...`, so it does not look like one of this program.
"""

from datetime import date, tzinfo
from typing import assert_never

from lanchat.client.events import (
    Acked,
    Backup,
    Closed,
    Connected,
    Disconnected,
    Item,
    ListedPeople,
    Named,
    PrivateFile,
    PrivateMessage,
)
from lanchat.protocol.file_messages import FileOffered, FileRemoved, FileStored
from lanchat.protocol.messages import Event, Joined, Left, Moved, Notice, Renamed, Said
from lanchat.protocol.people import Crowd
from lanchat.protocol.status import Status
from lanchat.protocol.text import safe_text
from lanchat.protocol.topic import Topic
from lanchat.room.mention import mentions
from lanchat.room.roster import Roster
from lanchat.terminal.cells import Fragments, most_cells
from lanchat.terminal.chat.crowd import crowd_text, page_text
from lanchat.terminal.chat.files import KnownFiles, Listed, list_text, private_file_line
from lanchat.terminal.chat.line import SYSTEM, SYSTEM_INDENT, Line, system_line, verbatim
from lanchat.terminal.chat.nicks import measured_nick, nick_colour, shown_nick
from lanchat.terminal.chat.own_notes import Drawn, NewSince, Note, Own
from lanchat.terminal.chat.people import closed_by, joined_text, private_label
from lanchat.terminal.lines import clock_text, moment_of
from lanchat.terminal.phrases import date_text, moment_text, sentence
from lanchat.terminal.wording import (
    advice,
    backup_text,
    closed_text,
    dropped_text,
    left_text,
    moved_text,
    named_text,
    notice_text,
    offered_text,
    reconnecting,
    removed_text,
    topic_text,
    unopened_text,
)

TIME, ERROR, MINE, MENTION, MARK, PRIVATE, COMMAND, NEW, NOTE = (
    "class:time",
    "class:error",
    "class:mine",
    "class:mention",
    "class:mark",
    "class:private",
    "class:command",
    "class:new",
    "",  # the answers of this program are for the person who looks, so they are as bright as a message
)

_REFUSALS = ("rules", "nick", "rights", "unsent", "refused")  # codes of notices that something is not done

TIME_WIDTH = 6  # cells of a time and the space after it
EVENT_INDENT = TIME_WIDTH + SYSTEM_INDENT
COMMAND_INDENT = 5  # cells before a command, which stands a little further in than the notice about it
RULE = "───"
LATE = "-- said while disconnected:\n"  # stands above lines that came later than they were said
MAX_INDENT = 12  # cells under a message's first line; more would leave nothing of a narrow window


class Renderer:
    """Turns items into whole lines. Reads the roster, whose owner applies each item to it after it is rendered.

    Owned by the thread that paints.

    Args:
        day: the day of the line above; a line of another day gets a date first.
        zone: None for this machine's.
        colour: False if NO_COLOR asks for none.
        hosting: we host the room, so that the host's words are this program's.
        files: gives the files their numbers; None: nobody can fetch them here.
        words: a message with one of them is marked, as one with our nick is.
        me: our member id where the roster does not know it.
    """

    def __init__(
        self,
        roster: Roster,
        day: date,
        zone: tzinfo | None = None,
        *,
        colour: bool = True,
        hosting: bool = False,
        files: KnownFiles | None = None,
        words: tuple[str, ...] = (),
        me: str = "",
    ) -> None:
        self._roster = roster
        self._day = self.today = day  # `today` is what the clock says, which the owner keeps true
        self._zone = zone
        self._colour = colour
        self.hosting = hosting
        self.owner = ""  # the member id of the room's owner; "": its host is the owner
        self._lost_backup = False
        self._in_late = False  # whether the last line was of a message that was said while disconnected
        self._may_fetch = files is not None
        self._files = KnownFiles() if files is None else files
        self._words = words
        self._me = me
        self.minute = -1  # the one shown last, since most lines have the same; set it to -1 if the time zone may differ
        self._minute_text = ""

    def render(self, item: Item | Own) -> Line | None:
        """The line of this item; None: it is not shown."""
        if isinstance(item, Said):
            return self._said(item)
        line = self._other(item)
        self._in_late = self._in_late and line is None
        return line

    def _other(self, item: Item | Own) -> Line | None:
        match item:
            case PrivateMessage():
                return self._private(item)
            case Joined(at=at):
                return self._event(at, joined_text(item, mine=self._is_mine(item), owner=self.owner))
            case Left(at=at, code=code) if code and self._is_mine(item):
                return self._event(at, dropped_text(item))
            case Left(at=at):
                return self._event(at, left_text(self._who(item), item))
            case Renamed(at=at, by=by, to=to):
                are = "are" if self._is_mine(item) else "is"
                return self._event(at, f"{self._who(item)} {are} now {shown_nick(by, to)}")
            case Topic(at=at):
                return self._event(at, topic_text(self._who(item), item))
            case Moved(at=at):
                return self._event(at, moved_text(self._who(item), item, self._roster.nick, here=self.hosting))
            case FileOffered(at=at):
                known = self._files.see(item)
                fetch = f"   /get {known.number}" if self._may_fetch and not self._is_mine(item) else ""
                return self._event(at, offered_text(self._who(item), item) + fetch)
            case FileRemoved(at=at, file=file, reason=reason):
                gone = self._files.known(file)
                return self._event(at, removed_text(self._who(item), gone.name if gone else "a file", reason))
            case PrivateFile(at=at):
                text = private_file_line(item, self._files, self._roster.me, may_fetch=self._may_fetch)
                return self._event(at, text) if text else None
            case Connected(again=True, moved=False):
                return _system("Connected again.")
            case Connected() | Disconnected(moved=True):
                return None  # the greeting is a note, below the history; an event will say where the room is
            case Disconnected(reason=reason, closed=closed):
                return _system(closed_text(closed_by(self._roster, item)) if closed else reconnecting(reason), ERROR)
            case Notice(code=code, text=text):
                style = ERROR if code in _REFUSALS else NOTE
                return _system(text if self.hosting else notice_text(self._roster, text), style)
            case NewSince(at=at):
                return self._rule(at)
            case Drawn(fragments):
                return verbatim(fragments)
            case Listed(entries):
                return _system(
                    list_text([(self._files.see(e), e, clock_text(e.at, self.today, self._zone)) for e in entries])
                )
            case Note(text=text, command=True):
                return Line([], COMMAND, " " * COMMAND_INDENT, safe_text(text), COMMAND_INDENT, COMMAND_INDENT)
            case Note(text=text, error=error):
                return _system(text, ERROR if error else NOTE)
            case Closed(error=error):
                what_to_do = f" {advice(error.hint)}" if error.hint else ""
                return _system(sentence(str(error)) + what_to_do, ERROR)
            case Named():
                return _system(named_text(self._host or "the host"))
            case Backup(nick=nick):
                return self._backup(nick)
            case Crowd(people=people):
                return _system(crowd_text(people)) if not self._roster.crowd else None
            case ListedPeople():
                return _system(page_text(item, self._roster), SYSTEM if item.all else NOTE)
            case Said() | FileStored() | Acked() | Status():
                return None
            case _:
                assert_never(item)

    @property
    def _host(self) -> str:
        """The nick of the room's host, or "you"; "": it is not known."""
        hosts = (one for one in self._roster.people.values() if one.host)
        return next(("you" if one.id == self._roster.me else shown_nick(one.id, one.nick) for one in hosts), "")

    def _backup(self, nick: str) -> Line | None:
        """The line for a lost backup, and for one that is there again. The first backup is only shown in the bar."""
        before, self._lost_backup = self._lost_backup, not nick
        if not nick or before:
            standby = "you" if nick == self._roster.nick else safe_text(nick)
            return _system(backup_text(self._host or "the host", standby))
        return None

    def _rule(self, at: int) -> Line:
        moment = moment_of(at, self._zone)
        if moment is None:
            return Line([], NEW, "", f"{RULE} new {RULE}", 0, 0)
        return Line([], NEW, "", f"{RULE} new since {moment_text(moment, self.today)} {RULE}", 0, 0)

    def _said(self, said: Said) -> Line:
        nick, width, most = measured_nick(said.by, said.nick)
        mine = self._is_mine(said)
        style = nick_colour(said.by, said.nick) if self._colour else ""
        mentioned = not mine and said.by != self._me and self._mentions(said.text)
        plain = not mentioned and not said.action  # then a style less: every change of it costs the screen time
        head = self._at(said.at, MARK if mentioned else TIME, " " if plain else "")
        if not plain:
            head.append(("", " * " if said.action else " "))
        head.append((f"{style} {MINE}".strip() if mine else style, nick))
        if said.late and not self._in_late:
            head.insert(0, (SYSTEM, LATE))
        self._in_late = said.late
        before = TIME_WIDTH + (3 if said.action else 1)
        text = safe_text(said.text, lines=True)
        return Line(head, MENTION if mentioned else "", " ", text, min(before + width, MAX_INDENT), before + most)

    def _private(self, told: PrivateMessage) -> Line:
        """A private message. No nick contains a bracket, so no public message can look like this."""
        if told.problem:
            other = shown_nick(told.to, told.to_nick) if told.by == self._roster.me else shown_nick(told.by, told.nick)
            return self._event(told.at, unopened_text(told, other, self._roster.me))
        mentioned = told.by not in (self._roster.me, self._me) and self._mentions(told.text)
        label = private_label(told, self._roster.me)
        head = self._at(told.at, MARK if mentioned else TIME)
        head += [("", " "), (PRIVATE, label)]
        text = safe_text(told.text, lines=True)
        return Line(head, MENTION if mentioned else "", " ", text, MAX_INDENT, TIME_WIDTH + most_cells(label) + 1)

    def _event(self, at: int, text: str) -> Line:
        return Line(self._at(at, SYSTEM), SYSTEM, " -- ", text, EVENT_INDENT, EVENT_INDENT)

    def _at(self, at: int, style: str, after: str = "") -> Fragments:
        """The time, and before it the date if the day is another."""
        minute = at // 60_000
        if minute == self.minute:
            return [(style, self._minute_text + after)]
        moment = moment_of(minute * 60_000, self._zone)
        if moment is None:
            return [(style, f"--:--{after}")]
        self.minute, self._minute_text = minute, f"{moment:%H:%M}"
        if moment.date() == self._day:
            return [(style, self._minute_text + after)]
        self._day = moment.date()
        return [(SYSTEM, f"-- {date_text(self._day)} --\n"), (style, self._minute_text + after)]

    def _who(self, event: Event) -> str:
        return "you" if self._is_mine(event) else shown_nick(event.by, event.nick)

    def _is_mine(self, event: Event) -> bool:
        return event.by == self._roster.me and event.nick == self._roster.nick

    def _mentions(self, text: str) -> bool:
        return mentions(text, self._roster.nick, *self._words)


def _system(text: str, style: str = SYSTEM) -> Line:
    return system_line(safe_text(text, lines=True), style)
