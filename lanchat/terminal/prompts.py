"""Questions to a person before the screen is up: nick, password, which room. With `cli.py` the door of `click`.

Questions go to stderr, so that stdout stays data. A script is never asked: it gets an error that says what to pass.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lanchat.discovery.sighting import Listing
from lanchat.errors import LanchatError, Refused
from lanchat.network.interfaces import where
from lanchat.protocol.address import Address
from lanchat.protocol.text import clean_nick, safe_text
from lanchat.storage.home import home_folder, login_nick, save_nick, saved_nick

if TYPE_CHECKING:
    from lanchat.api.joining import Target
    from lanchat.api.room import JoinedRoom

ASK, AUTO = "ask", "auto"  # what --password may say
GUESSES = 3  # at a password, before we believe that it is not known
_MIN_PASSWORD = 4  # characters; each guess costs an attempt at the host, so even this is thousands of minutes


def settle_nick(nick: str | None, *, ask: bool) -> str:
    """The nick to use; on the first run in a terminal, ask for it and keep it.

    Args:
        nick: as given on the command line.
    """
    home = home_folder()
    if nick is not None:
        try:
            nick = clean_nick(nick)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--nick") from None
        if ask:
            save_nick(home, nick)
        return nick
    kept = saved_nick(home)
    if kept is not None or not ask:
        return kept or login_nick()
    chosen: str = click.prompt("Your nick", default=login_nick(), err=True, value_proc=_nick_value)
    save_nick(home, chosen)
    return chosen


def new_password(choice: str | None, file: Path | None, *, screen: bool) -> str | None:
    """The password for a room we open; None: it has none.

    Args:
        choice: ASK, AUTO or None.
    """
    if choice == AUTO:
        from lanchat.network.password import make_password

        password = make_password()
        click.echo(f"The password of this room:  {password}", err=True)
        return password
    given = given_password(file)
    if choice is None or given is not None:
        return given
    if not screen:
        raise click.UsageError("there is no terminal to ask for a password: use --password-file or --password auto")
    password = click.prompt("Password of the room", hide_input=True, confirmation_prompt="The same again", err=True)
    return _checked(str(password))


def given_password(file: Path | None) -> str | None:
    """The password in this file or in LANCHAT_PASSWORD, if any."""
    if file is None:
        password = os.environ.get("LANCHAT_PASSWORD")
        return _checked(password) if password else None
    try:
        return _checked(file.read_text(encoding="utf-8").strip("\r\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise LanchatError(f"cannot read the password file {file}: {error}", "name another file") from None


def come_in(
    name: str,
    nick: str,
    password: str | None,
    wait: float,
    interfaces: tuple[str, ...],
    on_problem: Callable[[str], None],
    *,
    screen: bool,
) -> "JoinedRoom":
    """Enter the room of this title, address or invite, asking what must be asked."""
    from lanchat.api import joining as joining  # the whole client: not needed while a list is looked at

    on = where(interfaces)
    try:
        resolve = joining.resolve(
            name,
            wait,
            on,
            choose=_which if screen else None,
            looking=lambda: click.echo(f'Looking for "{safe_text(name)}" ...', err=True) if screen else None,
        )
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="INVITE") from None
    return _until_in(resolve, nick, password, on, on_problem, screen)


def come_into(
    listing: Listing,
    nick: str,
    password: str | None,
    on: Sequence[Address] | None,
    on_problem: Callable[[str], None],
    *,
    screen: bool,
) -> "JoinedRoom":
    """Enter this room, asking what must be asked."""
    from lanchat.api import joining as joining

    return _until_in(joining.target_of(listing), nick, password, on, on_problem, screen)


def _until_in(
    resolve: "Target",
    nick: str,
    password: str | None,
    on: Sequence[Address] | None,
    on_problem: Callable[[str], None],
    screen: bool,
) -> "JoinedRoom":
    """Enter; ask a person for what was missing or wrong, and tell a script what to pass."""
    from lanchat.api import joining as joining

    if resolve.locked and password is None and screen:
        password = _ask_password()
    patience = None if screen else joining.PATIENCE
    guesses = 1 if password is None else 0
    while True:
        try:
            return joining.join_target(
                resolve.endpoints,
                nick,
                room_id=resolve.room_id,
                pin=resolve.pin,
                password=password,
                patience=patience,
                on=on,
                on_problem=on_problem,
            )
        except Refused as refused:
            if not screen:
                raise _for_script(refused, password) from None
            if refused.code == "nick":
                click.echo(f"{safe_text(str(refused))}.", err=True)
                free = safe_text(refused.suggestion) or None
                nick = click.prompt("Come in as", default=free, err=True, value_proc=_nick_value)
            elif refused.code == "password" and guesses < GUESSES:
                guesses += 1
                click.echo(f"{safe_text(str(refused))}.", err=True)
                password = _ask_password()
            else:
                raise


def _for_script(refused: Refused, password: str | None) -> Refused:
    hint = refused.hint
    if refused.code == "nick" and refused.suggestion:
        hint = f"{refused.suggestion} is free: --nick {refused.suggestion}"
    if refused.code == "password" and password is None:
        hint = "pass it with --password-file FILE or LANCHAT_PASSWORD"
    return Refused(str(refused), hint, code=refused.code, suggestion=refused.suggestion)


def _which(listings: Sequence[Listing]) -> Listing:
    click.echo(f"{len(listings)} rooms are called {listings[0].title}:", err=True)
    for number, listing in enumerate(listings, 1):
        click.echo(f"  {number}  hosted by {listing.host}, {listing.people} inside, {listing.endpoints[0]}", err=True)
    answer: int = click.prompt("Which one", type=click.IntRange(1, len(listings)), err=True)
    return listings[answer - 1]


def _ask_password() -> str:
    password: str = click.prompt("Password of the room", hide_input=True, err=True)
    return password


def _checked(password: str) -> str:
    if len(password) < _MIN_PASSWORD:
        raise LanchatError(
            f"a password has at least {_MIN_PASSWORD} characters", "let lanchat make one: --password auto"
        )
    return password


def _nick_value(text: str) -> str:
    try:
        return clean_nick(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
