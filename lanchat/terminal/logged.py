"""Prints what a log holds, as the chat shows it or as JSON, for `lanchat history`; and finds what names its reader."""

from collections.abc import Iterator
from datetime import date
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple

from lanchat.client.events import Private
from lanchat.protocol.messages import Event, Said
from lanchat.room.mention import mentions
from lanchat.room.roster import Roster
from lanchat.storage.home import saved_nick
from lanchat.storage.identity import find_identity
from lanchat.storage.own_settings import own_settings
from lanchat.storage.reader import LogReader
from lanchat.storage.rooms import log_paths
from lanchat.terminal.chat.render import Renderer
from lanchat.terminal.colour import coloured, has_colour
from lanchat.terminal.json_lines import write_logged
from lanchat.terminal.pager import paged
from lanchat.terminal.stdio import columns_of

_LOOKED_AT = 200  # messages with a word, of which some only have it inside another one


class Me(NamedTuple):
    """Who reads a log, and what calls them there.

    Args:
        id: of the member; "": there is no identity.
        words: call them as the nick does.
    """

    id: str = ""
    nick: str = ""
    words: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.nick, *self.words)))


def me_in(home: Path, room: str, words: tuple[str, ...]) -> Me:
    """Ourselves in the room with this id."""
    identity = find_identity(home)
    nick = own_settings(home, room).nick or saved_nick(home) or ""
    return Me("" if identity is None else identity.id, nick, words)


def print_records(records: Iterator[Event | Private], out: IO[str], me: Me, *, as_json: bool) -> bool:
    """Returns: whether there were any."""
    return write_logged(records, me.id, out, nick=me.nick) if as_json else _print_lines(records, out, me)


def find_mentions(home: Path, room: str, me: Me, number: int) -> list[Said]:
    """The last messages of others that call us, of this computer's copies of the room; the oldest first.

    Raises:
        LanchatError: a copy cannot be read.
    """
    found: dict[int, Said] = {}
    for path in log_paths(home, room):
        for name in me.names:
            for event in LogReader(path).events(number=_LOOKED_AT, search=name):
                if isinstance(event, Said) and event.by != me.id and mentions(event.text, name):
                    found[event.seq] = event
    return [said for _, said in sorted(found.items())][-number:]


def _print_lines(records: Iterator[Event | Private], out: IO[str], me: Me) -> bool:
    first = next(records, None)
    if first is None:
        return False
    columns, colour = columns_of(out), has_colour(out)
    # The roster is nobody's, so no line says "you".
    renderer = Renderer(Roster(), date.min, colour=colour, words=me.names, me=me.id)
    with paged(out) as page:
        for record in chain([first], records):
            if (line := renderer.render(record)) is not None:
                page.write(coloured(line.fragments(columns), colour=colour))
    return True
