"""Joins the room that a person names or picks, and asks for what is missing: the password, a free nick, which room.

A script is never asked: it gets an error that says what to pass.
"""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from lanchat.discovery.sighting import Listing
from lanchat.errors import ConnectionLost, LanchatError, NoSuchRoom, ProtocolError, Refused, TimedOut
from lanchat.network.addresses import OwnAddresses, where
from lanchat.protocol.address import is_address
from lanchat.protocol.invite import is_invite
from lanchat.protocol.nicks import clean_nick
from lanchat.protocol.text import last_argument
from lanchat.storage.home import home_folder
from lanchat.storage.own_settings import OwnSettings, own_settings
from lanchat.storage.recent import RecentRooms
from lanchat.terminal.deadline import remaining
from lanchat.terminal.paused import enter
from lanchat.terminal.phrases import sentence
from lanchat.terminal.prompts import Who, ask_nick, ask_password, choose_listing
from lanchat.terminal.stdio import put
from lanchat.terminal.wording import note_text

if TYPE_CHECKING:
    from lanchat.api.doors import Wishes
    from lanchat.api.joining import Keeping
    from lanchat.api.room import JoinedRoom
    from lanchat.api.targets import Target
    from lanchat.storage.identity import Identity

HOLD_AFTER = 3600.0  # s; what a person typed longer ago may be out of place by now
PASSWORD_TRIES = 3  # that a person types; after them we believe that they do not know it

T = TypeVar("T")


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
                choose=choose_listing if ask else None,
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
    remembered = own.password if who.password is None and target.room_id is not None else ""
    attempt = partial(
        join_target,
        target,
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
    )

    def join(nick: str, password: str | None) -> "JoinedRoom":
        try:
            return enter(
                partial(attempt, nick, password=password),
                deadline,
                say=lambda text: put(sys.stderr, text if ask else note_text(text)),
                longest=math.inf if ask else PATIENCE,
            )
        except Refused as refused:
            if refused.code == "password" and password == remembered:
                own.change(password="")
            if refused.code == "open" and password == remembered:
                name = last_argument(title or str(target.room_id))
                what_to_do = f"If it is open to all now: lanchat trust --forget {name}"
                raise Refused(f"{refused} It was remembered here.", what_to_do, code=refused.code) from None
            raise refused if ask else with_option(refused, password) from None

    nick, password = who.nick.in_room(own), who.password if not remembered else remembered
    if not ask:
        return join(nick, password)
    room, nick, password = until_admitted(join, nick, password, title, needs_password=target.password)
    if not room.card.ephemeral:
        keep_choices(own_settings(home, room.card.room), who, nick, password, on_problem)
    return room


def until_admitted(
    join: Callable[[str, str | None], T], nick: str, password: str | None, title: str, *, needs_password: bool
) -> tuple[T, str, str | None]:
    """Join, and as long as the host refuses the nick or the password, ask the person for another one.

    Args:
        join: joins with a nick and a password.
        title: of the room, for the question; "": it is not known yet.
        needs_password: the room has one, as far as is known before.

    Returns:
        What `join` returned, with the nick and the password that were accepted.

    Raises:
        Refused: for another reason, or because of the password once more after PASSWORD_TRIES questions.
    """
    asked = 0
    if needs_password and password is None:
        password, asked = ask_password(title), 1
    while True:
        try:
            return join(nick, password), nick, password
        except Refused as refused:
            if refused.code == "nick":
                put(sys.stderr, sentence(str(refused)))
                nick = ask_nick("Join as", _free_nick(refused))
            elif refused.code == "password" and asked < PASSWORD_TRIES:
                put(sys.stderr, sentence(str(refused)))
                password, asked = ask_password(title), asked + 1
            else:
                raise


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
        raise TimedOut(f"You could not join in time. {error}", error.hint) from None


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


def _free_nick(refused: Refused) -> str | None:
    """The nick that the host proposes, if it is one."""
    try:
        return clean_nick(refused.suggestion)
    except ValueError:
        return None
