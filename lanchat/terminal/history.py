"""`lanchat history`: what was said in a room, from our copy and from the log of a room hosted here. Works offline."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import chain, islice
from pathlib import Path
from typing import IO

from lanchat.client import private_files
from lanchat.client.events import Private, PrivateFile, PrivateMessage
from lanchat.client.private import opened_again
from lanchat.errors import LogDamaged, NoSuchRoom
from lanchat.protocol.file_messages import FilePrivate
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Event, Joined, Left, Said, Told
from lanchat.protocol.sealed import Sealer
from lanchat.protocol.text import last_argument, safe_text
from lanchat.storage.identity import find_identity
from lanchat.storage.reader import LogReader
from lanchat.storage.repair import readable
from lanchat.storage.rooms import BESIDE, HOSTED, JOINED, About, hosted_path, known_rooms, log_paths, rooms_called
from lanchat.storage.search import parse_search
from lanchat.terminal.logged import me_in, print_records
from lanchat.terminal.stdio import put
from lanchat.threads import now_ms

_RESENT_WITHIN = 10_000  # messages, between one and its second copy
_HELD = 500  # records in memory at a time
_MOST_TITLES = 10  # to name when there is no room of the title that was asked for


def show_history(
    home: Path,
    room: str,
    *,
    search: str,
    since: int,
    number: int | None,
    as_json: bool,
    visits: bool = True,
    words: tuple[str, ...] = (),
    now: int | None = None,
    out: IO[str],
    talk: IO[str],
) -> int:
    """Print the last events of a room, oldest first.

    Args:
        room: its title or id.
        search: only messages with all these words; "" for everything that happened.
        since: only what happened after this, in ms since 1970.
        number: only the last ones, at most this many; None: all.
        visits: also who came and went.
        words: a message with one of them is marked, as one with our nick is.
        now: ms since 1970; None: what the clock says.

    Returns:
        The exit code.

    Raises:
        NoSuchRoom: there is no history of such a room.
        LanchatError: a log cannot be read. Of a damaged one, what can be read is shown.
    """
    now = now_ms() if now is None else now
    about = find_room(home, room, talk)
    query = _Query(search, since, number, visits)
    damage = _Damage()
    records = _records(home, about, query, damage, now)
    if number is not None and number <= _HELD:
        records = iter(deque(records, number))
    elif number is not None:  # counted first, because they may not fit into memory
        records = islice(records, max(0, sum(1 for _ in _records(home, about, query, _Damage(), now)) - number), None)
    empty = not print_records(records, out, me_in(home, about.id, words), as_json=as_json)
    if empty and not damage.files:
        what = "No match in the history" if search or since else "No history"
        put(talk, f'{what} of "{about.title}".')
    if damage.entries:
        put(talk, f"Damaged entries are left out: {damage.entries}.")
    if damage.files and not damage.readable:
        raise LogDamaged(f"Cannot read {damage.files[0]}: the file is damaged.", damage.repair(about))
    if damage.files:
        put(talk, f"{damage.files[0]} is damaged. This is what can be read of it. {damage.repair(about)}")
    out.flush()
    return 0


@dataclass(frozen=True)
class _Query:
    """The records that a person asks for."""

    search: str
    since: int  # ms since 1970
    number: int | None  # the last ones, at least so many
    visits: bool

    def fits(self, event: Event) -> bool:
        wanted = parse_search(self.search)
        matches = not wanted or (isinstance(event, Said) and wanted.matches(event.text))
        return matches and event.at >= self.since and (self.visits or not isinstance(event, Joined | Left))


class _Damage:
    """What is damaged of the files that were read."""

    def __init__(self) -> None:
        self.entries = 0
        self.files: list[Path] = []
        self.readable = False  # at least one record of a damaged file

    def add(self, entries: int) -> None:
        self.entries += entries

    def note(self, path: Path) -> None:
        """This file cannot be read as a whole."""
        if path not in self.files:
            self.files.append(path)

    def repair(self, about: About) -> str:
        """A sentence that tells how to repair the first of the files."""
        commands = {HOSTED: "host", BESIDE: "host --engine redis://HOST"}
        command = commands.get(self.files[0].parent.parent.name, "join")
        title = last_argument(safe_text(about.title)) if about.title else "TITLE"
        return f"To repair it, and keep the damaged file beside it:  lanchat {command} {title}"


def find_room(home: Path, room: str, talk: IO[str]) -> About:
    rooms = [about for about in rooms_called(home, room) if log_paths(home, about.id)]
    if not rooms:
        raise NoSuchRoom(f'No history of a room called "{safe_text(room)}".', _titles(home, room))
    if len(rooms) > 1:
        others = ", ".join(about.id for about in rooms[1:])
        which = "the one used last" if hosted_path(home, rooms[0].id) is None else "one that you host"
        put(
            talk,
            f'{len(rooms)} rooms are called "{rooms[0].title}". This is {which}. '
            f"For another: lanchat history ID, where ID is one of {others}",
        )
    return rooms[0]


def _titles(home: Path, room: str) -> str:
    """Which rooms there is a history of, or which of them was perhaps meant."""
    from lanchat.api.targets import meant  # only after a mistake

    rooms = [about for about in known_rooms(home) if log_paths(home, about.id)]
    if not rooms:
        return "The history of a room is kept from when you first join it."
    if near := meant(room, [about.title for about in rooms if about.title]):
        return near
    titles = list(dict.fromkeys(f'"{safe_text(about.title)}"' if about.title else about.id for about in rooms))
    more = f" and {len(titles) - _MOST_TITLES} more" if len(titles) > _MOST_TITLES else ""
    return f"You have: {', '.join(titles[:_MOST_TITLES])}{more}"


def _records(home: Path, about: About, query: _Query, damage: _Damage, now: int) -> Iterator[Event | Private]:
    """Everything that is known of a room, in order; with a number, at least so many of the last records."""
    events = merge(*(_events(path, query, damage) for path in log_paths(home, about.id)), key=lambda event: event.seq)
    private: tuple[Iterator[Private], ...] = (
        _private_messages(home, about, query, damage),
        _private_files(home, about, query, damage),
    )
    return _by_time(_each_once(events), merge(*private, key=_time), now)


def _events(path: Path, query: _Query, damage: _Damage) -> Iterator[Event]:
    after = -1
    try:
        log = LogReader(path, damage.add)
        for event in log.events(number=query.number, since=query.since, search=query.search, visits=query.visits):
            after = event.seq
            yield event
    except LogDamaged:
        damage.note(path)
        for record in chain.from_iterable(readable(path)):
            damage.readable = True
            if isinstance(record, Event) and record.seq > after and query.fits(record):
                yield record


def _private_messages(home: Path, about: About, query: _Query, damage: _Damage) -> Iterator[PrivateMessage]:
    """Our own private messages, opened."""

    def stored(kind: str, number: int | None, damage: _Damage = damage) -> Iterator[Told]:
        return chain(*(_private(path, number, query.since, damage) for path in log_paths(home, about.id, kind)))

    if not any(chain(*(stored(kind, 1, _Damage()) for kind in (HOSTED, BESIDE, JOINED)))):
        return  # so nobody needs an identity
    identity = find_identity(home)
    sealer = None if identity is None else Sealer(identity.private, about.id)
    # What waits in the log of a room hosted here is other people's, unless it waits for us.
    hosted = chain(stored(HOSTED, None), stored(BESIDE, None))
    waiting = [told for told in hosted if identity is not None and told.to == identity.id]
    keys = {(told.by, told.id) for told in waiting}
    number = None if query.search else query.number
    seen = (told for told in stored(JOINED, number) if (told.by, told.id) not in keys)
    wanted = parse_search(query.search)
    for told in merge(sorted(waiting, key=_time), seen, key=_time):
        message = opened_again(told, sealer)
        if wanted.matches(message.text):
            yield message


def _private_files(home: Path, about: About, query: _Query, damage: _Damage) -> Iterator[PrivateFile]:
    """The files from us or for us alone."""
    found: dict[tuple[str, str], FilePrivate] = {}
    for path in log_paths(home, about.id):
        try:
            for file in LogReader(path, damage.add).private_files(since=query.since):
                found.setdefault((file.by, file.id), file)
        except LogDamaged:
            damage.note(path)
    if not found or (identity := find_identity(home)) is None:
        return
    sealer, wanted = Sealer(identity.private, about.id), parse_search(query.search)
    for told in sorted(found.values(), key=_time):
        opened = private_files.opened_again(told, sealer)
        if sealer.id in (told.by, told.to) and wanted.matches(opened.name):  # a host's log has those of others, too
            yield opened


def _private(path: Path, number: int | None, since: int, damage: _Damage) -> Iterator[Told]:
    """Private messages as they were stored."""
    given: set[tuple[str, str]] = set()
    try:
        for told in LogReader(path, damage.add).private(number=number, since=since):
            given.add((told.by, told.id))
            yield told
    except LogDamaged:
        damage.note(path)
        for record in next(readable(path), ()):
            damage.readable = True
            if isinstance(record, Told) and (record.box or record.text) and (record.by, record.id) not in given:
                if record.at >= since:
                    yield record


def _time(told: Told | Private | FilePrivate) -> int:
    return told.at


def _by_time(events: Iterator[Event], private: Iterator[Private], now: int) -> Iterator[Event | Private]:
    """The events in their order, with each private message before the first event that is later.

    Times later than now are those of a clock that was wrong: neither an event nor a private message waits for them.
    """
    waiting = next(private, None)
    for event in events:
        while waiting is not None and (waiting.at < event.at <= now or waiting.at > now):
            yield waiting
            waiting = next(private, None)
        yield event
    if waiting is not None:
        yield waiting
    yield from private


def _each_once(events: Iterator[Event]) -> Iterator[Event]:
    """Leaves out events that are in two logs, and the second copy of a message that was resent after its host had
    crashed, and so has two numbers."""
    seq = -1
    known: set[tuple[str, str]] = set()  # the last messages, by sender and id
    order: deque[tuple[str, str]] = deque()  # the same, oldest first
    for event in events:
        if event.seq == seq:
            continue
        seq = event.seq
        if isinstance(event, Said) and event.id and is_verified(event.by):
            if (event.by, event.id) in known:
                continue
            known.add((event.by, event.id))
            order.append((event.by, event.id))
            if len(order) > _RESENT_WITHIN:
                known.discard(order.popleft())
        yield event
