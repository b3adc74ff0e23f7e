"""Questions to a person before the screen is up, for a nick, a password or a room, and what answers them unasked.

Questions go to stderr, so that stdout stays data. A script is never asked: it gets an error that says what to pass.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import click

from lanchat.errors import LanchatError
from lanchat.protocol.nicks import clean_nick
from lanchat.protocol.text import safe_text
from lanchat.storage.home import home_folder, login_nick, saved_nick
from lanchat.terminal.hidden import echo_kept_off
from lanchat.terminal.options import PasswordChoice, password_problem
from lanchat.terminal.phrases import people_text, sentence
from lanchat.terminal.stdio import put

if TYPE_CHECKING:  # an empty list of rooms is drawn before anything of them is loaded
    from lanchat.discovery.sighting import Listing
    from lanchat.storage.own_settings import OwnSettings

INVENT = "Let lanchat invent one: --password auto"


class WantedNick(NamedTuple):
    """The nick that a person would like.

    Args:
        given: the person has just said so; else a room where another nick is settled is joined with that one.
    """

    text: str
    given: bool

    def in_room(self, own: "OwnSettings") -> str:
        return self.text if self.given else own.nick or self.text


class Who(NamedTuple):
    """How somebody joins.

    Args:
        remember: the password is stored, so that it is not asked for again.
    """

    nick: WantedNick
    password: str | None = None
    remember: bool = False


def choose_nick(nick: str | None, *, ask: bool) -> WantedNick:
    """The nick to use. On the first run in a terminal this asks for it. A room that accepts it keeps it.

    Args:
        nick: as given on the command line.

    Raises:
        click.BadParameter: it breaks the rules of nicks.
    """
    if nick is not None:
        try:
            return WantedNick(clean_nick(nick), given=True)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint=_source_of_nick()) from None
    kept = saved_nick(home_folder(needed=False))
    if kept is None and ask:
        return WantedNick(ask_nick("Your nick", login_nick()), given=True)
    return WantedNick(kept or login_nick(), given=False)


def new_password(choice: PasswordChoice | None, file: str | None, *, ask: bool) -> str | None:
    """The password for a room that we open; None: the room has no password.

    Args:
        choice: what --password says.
        file: what --password-file says.
        ask: there is a person to ask.

    Raises:
        click.UsageError: nobody can be asked.
        LanchatError: the file cannot be read, or the password is too short.
    """
    if choice == "auto":
        from lanchat.network.password import make_password

        password = make_password()
        put(sys.stderr, f"The password of this room:  {password}")
        return password
    given = given_password(file, what_to_do=INVENT)
    if choice is None or given is not None:
        return given
    if not ask:
        raise click.UsageError(
            "There is no terminal to ask for a password. Use --password auto or --password-file FILE."
        )
    return ask_new_password()


def given_password(file: str | None, *, what_to_do: str = "Ask the host for the password.") -> str | None:
    """The password in this file or in LANCHAT_PASSWORD, if there is one.

    Raises:
        LanchatError: the file cannot be read, or the password is too short; its hint is `what_to_do`.
    """
    if file is None:
        password = os.environ.get("LANCHAT_PASSWORD")
        return _acceptable(password, "LANCHAT_PASSWORD", what_to_do) if password else None
    return file_password(file, what_to_do=what_to_do)


def file_password(file: str, *, what_to_do: str) -> str:
    """The password in this file. Raises as `given_password`."""
    try:
        with open(file, encoding="utf-8") as lines:
            return _acceptable(lines.read().strip("\r\n"), file, what_to_do)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise LanchatError(f"Cannot read the password file {file}: {why}.", "Name another file.") from None


def ask_nick(question: str, default: str | None) -> str:
    """Ask until the answer is a nick; Return alone takes the default."""
    nick: str = click.prompt(question, default=default, err=True, value_proc=_parse_nick)
    return nick


def ask_line(question: str) -> str:
    """Ask for anything; Return alone answers nothing."""
    answer: str = click.prompt(question, default="", show_default=False, err=True)
    return answer


def ask_password(title: str = "") -> str:
    """Ask for a password without showing it.

    Args:
        title: of the room; "": it is not known.
    """
    return _hidden(f"Password of {safe_text(title) if title else 'the room'}", default=None)


def ask_new_password() -> str:
    """Ask for a password that a room may have, until it was typed twice."""
    while True:
        password = _hidden("Password of the room", default="")
        if problem := password_problem(password):
            put(sys.stderr, problem)
        elif _hidden("Repeat it", default="") == password:
            return password
        else:
            put(sys.stderr, "These were two different passwords. Choose one again.")


def _hidden(question: str, default: str | None) -> str:
    """What a person types unseen.

    Args:
        default: what Return alone answers; None: the question is asked again.
    """
    with echo_kept_off(question):
        typed: str = click.prompt(question, default=default, show_default=False, hide_input=True, err=True)
    return typed


def _acceptable(password: str, where: str, what_to_do: str) -> str:
    """The password, which nobody has typed just now, so a person is told where it stands.

    Raises:
        LanchatError: it cannot be the password of a room.
    """
    try:
        password.encode()
    except UnicodeEncodeError:
        raise LanchatError(f"The password in {where} is not valid Unicode.", "Write it in UTF-8.") from None
    if problem := password_problem(password):
        raise LanchatError(f"{problem} That in {where} has {len(password)}.", what_to_do)
    return password


def _source_of_nick() -> str:
    """Where a nick was given: as an option, or in the environment."""
    context = click.get_current_context(silent=True)
    given = context and context.get_parameter_source("nick")
    return "LANCHAT_NICK" if given is click.core.ParameterSource.ENVIRONMENT else "--nick"


def _parse_nick(text: str) -> str:
    try:
        return clean_nick(text)
    except ValueError as error:
        raise click.BadParameter(sentence(str(error))) from None


def choose_listing(listings: "Sequence[Listing]", away: bool) -> "Listing":
    """Ask which of these rooms is meant, which have the same title.

    Args:
        away: the person knows yet another room of this title, which does not answer now.

    Raises:
        click.Abort: the person wants none of them.
    """
    if away:
        put(
            sys.stderr,
            f'You know another room called "{listings[0].title}", which does not answer now. '
            "The one that answers has a host that you have not met:",
        )
    else:
        put(sys.stderr, f'{len(listings)} rooms are called "{listings[0].title}":')
    for number, listing in enumerate(listings, 1):
        people = f", {people_text(listing.people)}" if listing.people is not None else ""
        put(sys.stderr, f"  {number}  hosted by {listing.host}{people}, {listing.endpoints[0]}")
    if len(listings) == 1:
        click.confirm("Join it", abort=True, err=True)
        return listings[0]

    def chosen(text: str) -> "Listing":
        with suppress(ValueError, IndexError):
            if (number := int(text)) > 0:
                return listings[number - 1]
        raise click.BadParameter(f"Type a number from 1 to {len(listings)}, or Ctrl-C to leave.")

    answer: Listing = click.prompt("Which one", value_proc=chosen, err=True)
    return answer
