"""`lanchat history`: what was said, from our own copy and from the log of a room hosted here. No network needed."""

from datetime import date
from pathlib import Path
from typing import IO

from lanchat.errors import NoSuchRoom
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Event, Record, Said, Told
from lanchat.protocol.text import safe_text
from lanchat.room.roster import Roster
from lanchat.storage.reader import LogReader
from lanchat.storage.rooms import JOINED, About, known_rooms, log_paths, rooms_called
from lanchat.terminal.chat.render import Renderer
from lanchat.terminal.script import event_json

_LISTED = 10  # rooms named when there is none of a title


def show_history(
    home: Path, room: str, *, search: str, since: int, number: int | None, as_json: bool, out: IO[str], talk: IO[str]
) -> int:
    """Print the last events of a room, oldest first.

    Args:
        room: its title, or its id.
        search: only what was said with all of these words; "" for everything that happened.
        since: ms since 1970.
        number: at most so many; None: all.

    Returns:
        The exit code.

    Raises:
        NoSuchRoom: nothing of such a room is kept here.
        LanchatError: a log cannot be read.
    """
    about = _find(home, room, talk)
    found: dict[int, Event] = {}
    for path in log_paths(home, about.id):
        for event in LogReader(path).last_events(number=number, since=since, search=search):
            found.setdefault(event.seq, event)
    private = [  # our own; what waits in the log of a room hosted here is other people's
        told
        for path in log_paths(home, about.id, JOINED)
        for told in LogReader(path).last_private(number=number, since=since, search=search)
    ]
    records = _by_time(_each_once([found[seq] for seq in sorted(found)]), private)
    if number is not None:
        records = records[len(records) - min(number, len(records)) :]
    if not records:
        talk.write(f'Nothing {"like that " if search or since else ""}is kept of "{safe_text(about.title)}".\n')
    renderer = Renderer(Roster(), day=date.min, colour=False)  # a view of nobody: no line is "you"
    for record in records:
        out.write(event_json(record) + "\n" if as_json else "".join(text for _, text in renderer.render(record)))
    out.flush()
    return 0


def _find(home: Path, room: str, talk: IO[str]) -> About:
    rooms = [about for about in rooms_called(home, room) if log_paths(home, about.id)]
    if not rooms:
        raise NoSuchRoom(f'nothing is kept of a room "{safe_text(room)}"', _what_there_is(home))
    if len(rooms) > 1:
        others = ", ".join(about.id for about in rooms[1:])
        talk.write(
            f'{len(rooms)} rooms are called "{safe_text(rooms[0].title)}"; this is the one used last. '
            f"Others, by id: lanchat history ID, where ID is one of {others}\n"
        )
    return rooms[0]


def _what_there_is(home: Path) -> str:
    titles = list(
        dict.fromkeys(f'"{safe_text(about.title)}"' for about in known_rooms(home) if log_paths(home, about.id))
    )
    if not titles:
        return "what is said in a room you are in is kept from now on"
    more = f" and {len(titles) - _LISTED} more" if len(titles) > _LISTED else ""
    return f"there is: {', '.join(titles[:_LISTED])}{more}"


def _by_time(events: list[Event], private: list[Told]) -> list[Record]:
    """The events in their order, and each private message before the first of them that is later."""
    merged: list[Record] = []
    waiting = sorted(private, key=lambda told: told.at)[::-1]
    for event in events:
        while waiting and waiting[-1].at < event.at:
            merged.append(waiting.pop())
        merged.append(event)
    return merged + waiting[::-1]


def _each_once(events: list[Event]) -> list[Event]:
    """Without the second of a message that was sent again after its host had crashed, and so has two numbers."""
    seen: set[tuple[str, str]] = set()
    kept: list[Event] = []
    for event in events:
        if isinstance(event, Said) and is_verified(event.by):
            if (event.by, event.id) in seen:
                continue
            seen.add((event.by, event.id))
        kept.append(event)
    return kept
