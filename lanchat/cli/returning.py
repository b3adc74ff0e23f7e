"""`lanchat host` for a room that moves: its owner joins it where a standby hosts it, or takes it back, and a standby
joins it as well, or continues it from its copy where nobody hosts it."""

import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from lanchat.cli import guests, options
from lanchat.cli.config_file import screen_options
from lanchat.errors import LanchatError, NotConnected
from lanchat.terminal.stdio import put

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanchat.api.continuing import Copy
    from lanchat.api.doors import Wishes
    from lanchat.api.room import JoinedRoom
    from lanchat.api.search import Elsewhere
    from lanchat.cli.host import HostOptions
    from lanchat.network.addresses import OwnAddresses
    from lanchat.protocol.address import Endpoint
    from lanchat.terminal.options import ScriptOptions
    from lanchat.terminal.prompts import Who
    from lanchat.terminal.run import Notices

TAKING_BACK = 20.0  # s for our copy to be complete and for the room to come over; a long log takes some seconds
_ASK_AGAIN = 1.0  # s


def host_or_join(
    title: str,
    settings: "HostOptions",
    script: "ScriptOptions",
    notices: "Notices",
    on: "OwnAddresses",
    deadline: float | None,
    *,
    screen: bool,
) -> tuple[int | None, int]:
    """See whether this room moves, and if so where it is.

    Returns:
        The exit code, if it was joined or continued; None: it is to be opened here. And the least number of its term.
    """
    from lanchat.api.continuing import find_copy
    from lanchat.api.returning import find_elsewhere
    from lanchat.storage.home import home_folder
    from lanchat.storage.rooms import HOSTED, rooms_called
    from lanchat.terminal.prompts import Who, choose_nick, given_password

    if settings.new or settings.ephemeral or settings.engine:
        return None, 0
    visit = _Visit(settings, script, notices, on, deadline, screen)
    if known := rooms_called(home_folder(), title, HOSTED):
        seen = find_elsewhere(title, on)
        if seen.host is None:
            _ask_engine(title, known[0].engine, notices)
            return None, seen.next_term
        if seen.host.own_key:
            raise is_open_already(title, seen.host.target.endpoints)
        if seen.host.on_engine:
            raise _needs_engine(title, known[0].engine, seen.host.host)
        who = Who(choose_nick(settings.nick, ask=screen), given_password(settings.password_file))
        return visit.return_home(seen.host, who), 0
    if settings.standby is False or settings.password or (copy := find_copy(title)) is None:
        return None, 0
    if copy.problem:
        notices(f"A copy of this room is here, but cannot be continued: {copy.problem} This is a new room.")
        return None, 0
    who = Who(choose_nick(settings.nick, ask=screen), given_password(settings.password_file))
    return visit.continue_or_join(copy, who), 0


def is_open_already(title: str, endpoints: "Sequence[Endpoint]") -> LanchatError:
    """This room of ours is open already, by another program with our key, which may run at another computer.

    Both would give the same numbers to different messages, and neither would know of the other.

    Args:
        endpoints: where it hosts the room.
    """
    from lanchat.protocol.text import last_argument, safe_text

    typed = last_argument(safe_text(title))
    return LanchatError(
        f'Your room "{safe_text(title)}" is open already, at {endpoints[0]}.',
        f"Join it:  lanchat join {endpoints[0]}   Or open another room of that name:  lanchat host --new {typed}",
    )


def _ask_engine(title: str, engine: str, notices: "Notices") -> None:
    """See whether another computer, which discovery has not found, hosts this room of ours on an engine.

    If it cannot be asked, our person may want to go on without it, so the room opens.

    Args:
        engine: as for `_needs_engine`.

    Raises:
        LanchatError: another computer hosts it there.
    """
    from lanchat.api.returning import find_at_engine
    from lanchat.protocol.text import safe_text
    from lanchat.terminal.host_again import host_command

    try:
        host = find_at_engine(title)
    except LanchatError as error:
        told = f'Other computers may host "{safe_text(title)}" on its engine, which cannot be asked. {error}'
        again = (
            f"If they do, there are two rooms now. To host it there: end this one, and  {host_command(title, engine)}"
        )
        notices(f"{told} {again}")
        return
    if host is not None:
        raise _needs_engine(title, engine, host.nick, *map(str, host.endpoints[:1]))


def _needs_engine(title: str, engine: str, host: str, at: str = "") -> LanchatError:
    """The owner has forgotten the engine, and another computer goes on hosting the room there.

    Args:
        engine: the address of that engine, without its password; "": this computer does not know it.
        host: the nick of the person at that computer.
        at: where one can join it; "": discovery has found it.
    """
    from lanchat.protocol.text import last_argument, safe_text
    from lanchat.terminal.host_again import host_command

    again = host_command(title, engine or "redis://HOST")
    return LanchatError(
        f'"{safe_text(title)}" is on an engine, where {safe_text(host)} hosts it now.',
        f"To host it there:  {again}   Or join it:  lanchat join {at or last_argument(title)}",
    )


@dataclass(frozen=True)
class _Visit:
    """What somebody wants of a room that moves."""

    settings: "HostOptions"
    script: "ScriptOptions"
    notices: "Notices"
    on: "OwnAddresses"
    deadline: float | None
    screen: bool

    def return_home(self, elsewhere: "Elsewhere", who: "Who") -> int:
        """Join our own room. Without a person at a screen, host it again."""
        from lanchat.api.returning import Renewal
        from lanchat.protocol.text import safe_text
        from lanchat.protocol.timing import DEFAULT_TIMING
        from lanchat.terminal.joining import join_at
        from lanchat.terminal.phrases import moment_text
        from lanchat.terminal.run import telling_successor

        with (
            join_at(
                elsewhere.target,
                who,
                self.on,
                self.notices,
                ask=self.screen,
                standby=1,
                wishes=wishes_of(self.settings),
            ) as room,
            telling_successor(room),
            Renewal(room, DEFAULT_TIMING.renewal),
        ):
            since = moment_text(datetime.fromtimestamp(elsewhere.since / 1000), date.today())
            if self.settings.password:
                self.notices("The room keeps its password while it moves; --password counts when nobody hosts it.")
            told = f'{safe_text(elsewhere.host)} has been hosting "{safe_text(room.title)}" since {since}'
            if self.screen:
                return self._talk(room, f"{told}; you have joined it. /takeback makes you the host again.")
            put(sys.stderr, f"{told}.")
            _take_back(room)
            return self._talk(room, "")

    def continue_or_join(self, copy: "Copy", who: "Who") -> int:
        """Host somebody else's room from our copy, unless somebody hosts it already."""
        from lanchat.api.continuing import continue_room, look_for_host
        from lanchat.protocol.delegation import OWNER_INDEX
        from lanchat.protocol.text import safe_text
        from lanchat.storage.home import home_folder
        from lanchat.storage.own_settings import own_settings
        from lanchat.terminal.joining import join_at
        from lanchat.terminal.prompts import ask_password
        from lanchat.terminal.run import telling_successor

        seen, title = look_for_host(copy, self.on), safe_text(copy.title)
        if (host := seen.host) is not None:
            with join_at(
                host.target, who, self.on, self.notices, ask=self.screen, standby=1, wishes=wishes_of(self.settings)
            ) as room:
                with telling_successor(room):
                    return self._talk(room, f'{safe_text(host.host)} hosts "{title}" already; you have joined it.')
        if seen.is_hosted:
            raise LanchatError(
                f'"{title}" is hosted at a computer that cannot be reached from here, as another standby says.',
                "lanchat doctor says why computers do not find each other.",
            )
        own = own_settings(home_folder(), copy.papers.room)
        password = who.password or own.password or None
        if copy.named.password and password is None:
            if not self.screen:
                raise LanchatError("The room has a password.", "Pass it with --password-file FILE or LANCHAT_PASSWORD.")
            password = ask_password(copy.title)
        nick, term = who.nick.in_room(own), seen.next_term
        with (
            continue_room(
                copy,
                nick,
                least_term=term,
                password=password,
                on=self.on,
                on_problem=self.notices,
                drop_oldest=False,
                wishes=wishes_of(self.settings),
            ) as room,
            telling_successor(room),
        ):
            owner = safe_text(copy.nick(OWNER_INDEX)) or "its owner"
            told = f'Nobody hosts "{title}" now: you continue it from the copy on this computer'
            return self._talk(room, f"{told}. It stays the room of {owner}.")

    def _talk(self, room: "JoinedRoom", note: str) -> int:
        from lanchat.terminal.run import run_chat, run_script

        if self.screen:
            return run_chat(room, self.notices, (note, False), look=screen_options(bell=self.settings.bell))
        if note:
            put(sys.stderr, note)
        headless = self.settings.headless
        return run_script(room, self.notices, self.script, deadline=self.deadline, headless=headless)


def wishes_of(settings: "HostOptions") -> "Wishes":
    """What the options of `lanchat host` ask for, of a room that comes to this computer only later, or from a copy.

    Raises:
        click.UsageError: an option is wrong.
        LanchatError: the file with the password for IRC clients cannot be used.
    """
    from lanchat.api.doors import Wishes
    from lanchat.protocol.sizes import parse_size
    from lanchat.storage.retention import parse_retention

    options.checked(parse_retention, settings.keep or "", "--keep")
    return Wishes(
        guests.doors(settings, guests.check(settings, has_password=False)),
        keep=settings.keep,
        files=None if settings.files is None else options.checked(parse_size, settings.files, "--files"),
        people=settings.people,
        announce=not settings.no_announce,
    )


def _take_back(room: "JoinedRoom") -> None:
    """Ask for the room until we host it. Our copy has to be complete first."""
    never, until = threading.Event(), time.monotonic() + TAKING_BACK
    while not never.wait(_ASK_AGAIN) and not room.hosting and time.monotonic() < until:
        with suppress(NotConnected):
            room.moderate("takeback")
