"""How what happens in a room looks: items in, fragments out. Pure.

A fragment is a (style, text) pair, as prompt_toolkit takes it. Everything that others wrote goes through
`safe_text()` here and nowhere else. A line of somebody begins with a nick, a line of ours with `--`, which
cannot be a nick, so nobody can say something that looks like news.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from functools import lru_cache
from typing import assert_never

from lanchat.client.events import Acked, Closed, Connected, Disconnected, Item, why_gone
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Joined, Left, Notice, Renamed, Said, Told
from lanchat.protocol.text import MAX_NICK, grouped, safe_text
from lanchat.room.roster import Person, Roster
from lanchat.terminal.cells import Fragments, cells, cut, drawn_cells, rows

TIME, QUIET, ERROR, MINE, MENTION, MARK, PRIVATE = (
    "class:time",
    "class:quiet",
    "class:error",
    "class:mine",
    "class:mention",
    "class:mark",
    "class:private",
)

# Colours of the 256 that stand out from black and from white alike (contrast of 4:1 and more; a test counts it).
PALETTE = (
    "#af5f5f",
    "#af5f00",
    "#5f8700",
    "#008700",
    "#008787",
    "#0087af",
    "#005fff",
    "#5f5fd7",
    "#875fd7",
    "#d700d7",
    "#af5faf",
    "#d7005f",
)

NEWS = 9  # cells before the text of a quiet line with a time
MAX_INDENT = 12  # cells under a message's first line; more would leave nothing of a narrow window
MIN_TITLE = 6  # cells of the title that the bottom bar keeps before it gives up other things


@dataclass(frozen=True)
class Local:
    """A line that only we see: an answer to a command, news of our own program."""

    text: str
    error: bool = False


@dataclass(frozen=True)
class Drawn:
    """Lines of our own that are made already."""

    fragments: Fragments


@dataclass
class Renderer:
    """Owned by the thread that paints. Reads the view; whoever owns the view applies each item after it is rendered.

    Args:
        day: the day of the line above; a line of another day gets a date first.
        zone: None for this machine's.
        colour: False where NO_COLOR asks for none.
        columns: how many cells a row has; 0: who reads this breaks no rows.
    """

    roster: Roster
    day: date
    zone: tzinfo | None = None
    colour: bool = True
    columns: Callable[[], int] = lambda: 0
    _minute: tuple[int, str] = field(default=(-1, ""), init=False)
    _mention: tuple[str, re.Pattern[str]] | None = field(default=None, init=False)

    def render(self, item: Item | Local | Drawn) -> Fragments:
        """Whole lines, each with its end; nothing for what is not shown."""
        match item:
            case Said():
                return self._said(item)
            case Told():
                return self._told(item)
            case Joined(at=at, host=host):
                if self._mine(item):
                    return self._news(at, f"you joined{', and host the room' if host else ''}")
                return self._news(at, f"{tagged_nick(item.by, item.nick)} joined{' and hosts' if host else ''}")
            case Left(at=at, reason=reason) if reason and self._mine(item):
                return self._news(at, safe_text(why_gone(reason)))
            case Left(at=at, reason=reason):
                return self._news(at, f"{self._whose(item)} left{f' ({safe_text(reason)})' if reason else ''}")
            case Renamed(at=at, by=by, to=to):
                are = "are" if self._mine(item) else "is"
                return self._news(at, f"{self._whose(item)} {are} now {shown_nick(by, to)}")
            case Connected(card=card, again=True):
                return self._quiet(f"back in {safe_text(card.title)}")
            case Disconnected(reason=reason):
                return self._quiet(f"the connection is lost ({safe_text(reason)}); trying to come back", ERROR)
            case Connected(card=card, welcome=welcome):
                title, host_nick, nick = safe_text(card.title), safe_text(card.host), safe_text(welcome.nick)
                return self._quiet(f"{title}, hosted by {host_nick}. You are {nick}. /help shows the commands")
            case Notice(text=text):
                return self._quiet(text)
            case Drawn(fragments):
                return fragments
            case Local(text=text, error=error):
                return self._quiet(text, ERROR if error else QUIET)
            case Closed(error=over):
                return self._quiet(f"the connection is over: {over}{f'. {over.hint}' if over.hint else ''}", ERROR)
            case Acked():
                return []
            case _:
                assert_never(item)

    def _said(self, said: Said) -> Fragments:
        nick, mine = shown_nick(said.by, said.nick), self._mine(said)
        style = nick_colour(said.by, said.nick) if self.colour else ""
        mentioned = not mine and self._mentions(said.text)
        fragments = self._at(said.at, MARK if mentioned else TIME)
        fragments.append(("", " * " if said.action else " "))
        fragments.append((f"{style} {MINE}".strip() if mine else style, nick))
        text = said.text
        if text.isascii() and text.isprintable():  # most there is; saves the rest on the way to 20,000 lines a second
            shown = text
        else:
            shown = _indented(text, 9 + cells(nick) if said.action else 7 + cells(nick))
        fragments.append((MENTION if mentioned else "", f" {shown}\n"))
        return fragments

    def _told(self, told: Told) -> Fragments:
        """No nick has a bracket in it, so no public line looks like this one."""
        mentioned = told.by != self.roster.me and self._mentions(told.text)
        fragments = self._at(told.at, MARK if mentioned else TIME)
        fragments += [("", " "), (PRIVATE, told_label(told, self.roster.me))]
        fragments.append((MENTION if mentioned else "", f" {_indented(told.text, MAX_INDENT)}\n"))
        return fragments

    def _news(self, at: int, text: str) -> Fragments:
        fragments = self._at(at, QUIET)
        shown = ("\n" + " " * NEWS).join(rows(text, self.columns() - NEWS))
        fragments.append((QUIET, f" -- {shown}\n"))
        return fragments

    def _quiet(self, text: str, style: str = QUIET) -> Fragments:
        return quiet(text, style, self.columns())

    def _at(self, at: int, style: str) -> Fragments:
        """The time, and the date before it when the day is another."""
        minute = at // 60_000
        if minute == self._minute[0]:
            return [(style, self._minute[1])]
        try:
            moment = datetime.fromtimestamp(minute * 60, self.zone)
        except (ValueError, OverflowError, OSError):  # the host's number, which may be anything
            return [(style, "--:--")]
        self._minute = minute, f"{moment:%H:%M}"
        if moment.date() == self.day:
            return [(style, self._minute[1])]
        self.day = moment.date()
        return [(QUIET, f"-- {_date(self.day)} --\n"), (style, self._minute[1])]

    def _whose(self, event: Joined | Left | Renamed) -> str:
        return "you" if self._mine(event) else shown_nick(event.by, event.nick)

    def _mine(self, event: Said | Joined | Left | Renamed) -> bool:
        return event.by == self.roster.me and event.nick == self.roster.nick

    def _mentions(self, text: str) -> bool:
        if self._mention is None or self._mention[0] != self.roster.nick:
            word = re.escape(self.roster.nick)
            self._mention = self.roster.nick, re.compile(rf"(?<![\w-]){word}(?![\w-])", re.IGNORECASE)
        return bool(self.roster.nick) and self._mention[1].search(text) is not None


def told_label(told: Told, me: str) -> str:
    """From whom to whom, before a private message: `[ann -> you]`.

    Args:
        me: our own id.
    """
    names = [
        "you" if id == me else shown_nick(id, nick) for id, nick in ((told.by, told.nick), (told.to, told.to_nick))
    ]
    return f"[{' -> '.join(names)}]"


def shown_nick(by: str, nick: str) -> str:
    """The nick as it is shown; with a tilde where nothing about the person was proven."""
    name = safe_text(nick)
    if len(name) > MAX_NICK or not name.strip():  # only a host that breaks the rules sends such
        name = name[:MAX_NICK] + "..." if name.strip() else "?"
    return name if is_verified(by) else f"~{name}"


def tagged_nick(by: str, nick: str) -> str:
    """The nick with the first digits of the person's fingerprint, where there is one: `ann·7f3a`."""
    return f"{shown_nick(by, nick)}·{safe_text(by[:4])}" if is_verified(by) else shown_nick(by, nick)


@lru_cache(maxsize=1024)
def nick_colour(by: str, nick: str) -> str:
    """The same for the same person, today and tomorrow."""
    digest = hashlib.blake2s(f"{by} {nick}".encode(errors="replace")).digest()
    return PALETTE[digest[0] % len(PALETTE)]


def who_text(people: list[Person], me: tuple[str, str]) -> str:
    """The answer to /who.

    Args:
        me: our own id and nick.
    """
    names = []
    for person in sorted(people, key=lambda person: person.nick.casefold()):
        remarks = [*(["you"] if (person.id, person.nick) == me else []), *(["host"] if person.host else [])]
        names.append(tagged_nick(person.id, person.nick) + (f" ({', '.join(remarks)})" if remarks else ""))
    return f"{_people(len(names))}: {', '.join(names)}"


def verify_text(person: Person, me: str) -> str:
    """The answer to /verify.

    Args:
        me: our own id.
    """
    nick = shown_nick(person.id, person.nick)
    if not person.verified:
        return f"{nick} came in by the plain door: nothing about them is proven"
    if person.id == me:
        return f"your own fingerprint is  {grouped(person.id)}"
    return f"the fingerprint of {nick} is  {grouped(person.id)}\nthey see theirs with: lanchat id"


def quiet(text: str, style: str = QUIET, columns: int = 0) -> Fragments:
    """A line that nobody said; in rows of so many cells."""
    shown = "\n   ".join(rows(safe_text(text, lines=True), columns - 3))
    return [(style, f"-- {shown}\n")]


def bar_text(title: str, people: int, state: str, width: int) -> str:
    """The bottom bar, cut to what a window of `width` cells can hold."""
    title = safe_text(title)
    least = min(drawn_cells(title), MIN_TITLE)
    for tail in (f" · {_people(people)} · {state}", f" · {people} · {state}", f" · {state}"):
        if 1 + least + drawn_cells(tail) <= width:
            return f" {cut(title, width - 1 - drawn_cells(tail))}{tail}"
    return cut(f" {title}", width)


def _indented(text: str, indent: int) -> str:
    """Safe, with the lines after the first under its text."""
    return safe_text(text, lines=True).replace("\n", "\n" + " " * min(indent, MAX_INDENT))


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number} people"


def _date(day: date) -> str:
    months = "January February March April May June July August September October November December"
    weekdays = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
    return f"{weekdays.split()[day.weekday()]}, {day.day} {months.split()[day.month - 1]} {day.year}"
