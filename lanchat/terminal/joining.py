"""Joins the room that a person names or picks, and asks for what is missing: the password, a free nick, which room.

A script is never asked: it gets an error that says what to pass.
"""

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lanchat.discovery.sighting import Listing
from lanchat.errors import ConnectionLost, LanchatError, NoSuchRoom, ProtocolError, Refused, TimedOut
from lanchat.network.addresses import OwnAddresses, where
from lanchat.protocol.address import is_address
from lanchat.protocol.invite import is_invite
from lanchat.protocol.nicks import clean_nick
from lanchat.storage.home import home_folder
from lanchat.storage.own_settings import OwnSettings, own_settings
from lanchat.storage.recent import RecentRooms
from lanchat.terminal.deadline import remaining
from lanchat.terminal.paused import enter
from lanchat.terminal.phrases import people_text
from lanchat.terminal.prompts import Who, ask_nick, ask_password
from lanchat.terminal.stdio import put
from lanchat.terminal.wording import note_text, sentence

if TYPE_CHECKING:
    from lanchat.api.doors import Wishes
    from lanchat.api.joining import Keeping
    from lanchat.api.room import JoinedRoom
    from lanchat.api.targets import Target
    from lanchat.storage.identity import Identity

HOLD_AFTER = 3600.0  # s; what a person typed longer ago may be out of place by now
PASSWORD_TRIES = 3  # after that we believe that the person does not know it


def join_by_name(
    name: str,
    who: Who,
    wait: float,
    interfaces: tuple[str, ...],
    on_problem: Callable[[str], None],
    *,
    ask: bool,
    new_host: bool = False,
    discard: bool = False,
    keeping: "Keeping" = "all",
    bot: bool = False,
    identity: "Identity | None" = None,
    deadline: float | None = None,
    standby: int = 0,
    look_back: int = 0,
) -> "JoinedRoom":
    """Join the room with this title, address or invite, and ask for what is missing.

    Args:
        wait: seconds to look for a title.
        ask: there is a person to ask; a script gets an error instead.
        new_host: accept a host that this person has not met, even if another room with this title is known.
        discard, keeping, bot, identity, standby, look_back: as for `join_target`.
        deadline: when the time to join is over, by `time.monotonic()`; None: never.

    Raises:
        click.BadParameter: the invite is incomplete.
        TimedOut: the deadline has passed.
        LanchatError: there is no such room, or it cannot be joined.
    """
    from lanchat.api.targets import resolve

    on = where(interfaces)
    try:
        with _timed(deadline):
            target = resolve(
                name,
                min(wait, remaining(deadline)),
                on,
                choose=_choose_listing if ask else None,
                new_host=new_host,
                looking=lambda: put(sys.stderr, f'Looking for "{name}" …') if ask else None,
            )
            title = "" if is_invite(name) or is_address(name) else name
            return _join(
                target,
                title,
                who,
                on,
                on_problem,
                ask=ask,
                discard=discard,
                deadline=deadline,
                keeping=keeping,
                standby=standby,
                bot=bot,
                identity=identity,
                look_back=look_back,
            )
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="ROOM") from None


def join_listing(
    listing: Listing,
    who: Who,
    on: OwnAddresses,
    on_problem: Callable[[str], None],
    *,
    ask: bool,
    discard: bool = False,
    standby: int = 0,
) -> "JoinedRoom":
    """Join this room of the list, and ask for what is missing; see `join_by_name`."""
    from lanchat.api.targets import target_of

    return _join(target_of(listing), listing.title, who, on, on_problem, ask=ask, discard=discard, standby=standby)


def join_at(
    target: "Target",
    who: Who,
    on: OwnAddresses,
    on_problem: Callable[[str], None],
    *,
    ask: bool,
    standby: int,
    wishes: "Wishes | None" = None,
) -> "JoinedRoom":
    """Join a room whose host is known, and ask for what is missing; see `join_by_name`."""
    return _join(target, "", who, on, on_problem, ask=ask, standby=standby, wishes=wishes)


def _join(
    target: "Target",
    title: str,
    who: Who,
    on: OwnAddresses,
    on_problem: Callable[[str], None],
    *,
    ask: bool,
    discard: bool = False,
    deadline: float | None = None,
    keeping: "Keeping" = "all",
    standby: int = 0,
    bot: bool = False,
    identity: "Identity | None" = None,
    look_back: int = 0,
    wishes: "Wishes | None" = None,
) -> "JoinedRoom":
    """Join; ask a person for what was missing or wrong, and tell a script what to pass."""
    from lanchat.api.joining import PATIENCE, join_target  # the whole client: not needed while the list is shown

    home = home_folder()
    own = own_settings(home, target.room_id or _room_before(home, target))
    nick, password = who.nick.in_room(own), who.password
    remembered = password is None and target.room_id is not None and own.password or ""
    if remembered:
        password = remembered
    elif target.password and password is None and ask:
        password = ask_password(title)
    tries = 1 if password is None else 0
    while True:
        try:
            room = enter(
                partial(
                    join_target,
                    target,
                    nick,
                    password=password,
                    patience=None if ask else PATIENCE,
                    deadline=deadline,
                    on=on,
                    on_problem=on_problem,
                    looking=_say_looking if ask else lambda: None,
                    wishes=wishes,
                    drop_oldest=keeping == "nothing",  # then nobody reads them
                    reopening=ask,
                    catch_up=ask,
                    hold_after=HOLD_AFTER if ask else None,
                    discard=discard,
                    keeping=keeping,
                    standby=standby,
                    bot=bot,
                    identity=identity,
                    look_back=look_back,
                ),
                deadline,
                say=lambda text: put(sys.stderr, text if ask else note_text(text)),
                longest=math.inf if ask else PATIENCE,
            )
            break
        except Refused as refused:
            if refused.code == "password" and password == remembered:
                own.change(password="")
            if not ask:
                raise with_option(refused, password) from None
            if refused.code == "nick":
                put(sys.stderr, sentence(str(refused)))
                nick = ask_nick("Join as", _free_nick(refused))
            elif refused.code == "password" and tries < PASSWORD_TRIES:
                tries += 1
                put(sys.stderr, sentence(str(refused)))
                password = ask_password(title)
            else:
                raise
    if ask and not room.card.ephemeral:
        keep_choices(own_settings(home, room.card.room), who, nick, password, on_problem)
    return room


def keep_choices(
    own: OwnSettings, who: Who, nick: str, password: str | None, on_problem: Callable[[str], None]
) -> None:
    """Keep what a room has accepted, for the next time.

    Args:
        who: what was wanted before the room was asked.
        on_problem: called with a sentence if it cannot be stored.
    """
    try:
        if who.nick.given or nick != who.nick.text:
            own.keep_nick(nick, everywhere=nick == who.nick.text)
        if who.remember and password is not None:
            own.change(password=password)
    except LanchatError as error:
        on_problem(str(error))


def _room_before(home: Path, target: "Target") -> str | None:
    """The room that was at this address when it was joined last."""
    recent = (room for room in RecentRooms(home).all() if room.endpoint in target.endpoints)
    return next((room.room_id for room in recent), None)


def _say_looking() -> None:
    put(sys.stderr, "No answer there. Looking for the room on this network …")


@contextmanager
def _timed(deadline: float | None) -> Iterator[None]:
    """Turn a failure after the deadline into `TimedOut`."""
    try:
        yield
    except (ConnectionLost, NoSuchRoom, ProtocolError) as error:
        if deadline is None or time.monotonic() < deadline:
            raise
        raise TimedOut(f"The time was over before you were in the room. {error}", error.hint) from None


def with_option(refused: Refused, password: str | None) -> Refused:
    """The same refusal with the option that a script should pass."""
    what_to_do = refused.hint
    if refused.code == "nick" and refused.suggestion:
        what_to_do = f"This one is free: --nick {refused.suggestion}"
    if refused.code == "password" and password is None:
        what_to_do = "Pass it with --password-file FILE or LANCHAT_PASSWORD."
    elif refused.code == "password" and not what_to_do:
        what_to_do = "Ask the host for it."
    return Refused(str(refused), what_to_do, code=refused.code, suggestion=refused.suggestion)


def _choose_listing(listings: Sequence[Listing], away: bool) -> Listing:
    if away:
        put(
            sys.stderr,
            f'You know another room called "{listings[0].title}", which does not answer now. '
            "What answers is of a host that you have not met:",
        )
    else:
        put(sys.stderr, f'{len(listings)} rooms are called "{listings[0].title}":')
    for number, listing in enumerate(listings, 1):
        people = f", {people_text(listing.people)}" if listing.people is not None else ""
        put(sys.stderr, f"  {number}  hosted by {listing.host}{people}, {listing.endpoints[0]}")
    if len(listings) == 1:
        click.confirm("Join it", abort=True, err=True)
        return listings[0]

    def chosen(text: str) -> Listing:
        with suppress(ValueError, IndexError):
            if (number := int(text)) > 0:
                return listings[number - 1]
        raise click.BadParameter(f"Type a number from 1 to {len(listings)}, or Ctrl-C to leave.")

    answer: Listing = click.prompt("Which one", value_proc=chosen, err=True)
    return answer


def _free_nick(refused: Refused) -> str | None:
    """The nick that the host proposes, if it is one."""
    try:
        return clean_nick(refused.suggestion)
    except ValueError:
        return None
