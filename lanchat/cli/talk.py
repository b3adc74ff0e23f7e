"""The commands that bring a person into a room: host and join."""

import sys
from pathlib import Path
from typing import Any

import click

from lanchat.cli import options


@click.command()
@click.argument("title", required=False, metavar="TITLE")
@options.nick
@options.option(
    "--port", type=click.IntRange(0, 65535), envvar="LANCHAT_PORT", help="TCP port (default 47474 or next)."
)
@options.option(
    "--password",
    is_flag=False,
    flag_value="ask",
    metavar="[auto]",
    help="Ask for a password that everybody needs; `auto` makes one of three words.",
)
@options.password_file
@options.option("--new", is_flag=True, envvar="LANCHAT_NEW", help="Another room, even if you hosted this title before.")
@options.option(
    "--ephemeral", is_flag=True, envvar="LANCHAT_EPHEMERAL", help="Keep nothing on the disk, here or at members."
)
@options.option("--keep", envvar="LANCHAT_KEEP", metavar="30d|10000", help="How much of the log to keep (default all).")
@options.option(
    "--plain-port",
    type=click.IntRange(0, 65535),
    envvar="LANCHAT_PLAIN_PORT",
    help="Also serve netcat and simple socket clients there. Not encrypted.",
)
@options.option("--headless", is_flag=True, envvar="LANCHAT_HEADLESS", help="Host without a screen, until Ctrl-C.")
@options.option("--no-limits", is_flag=True, hidden=True, help="For benchmarks on loopback: no limits for strangers.")
@options.option("--no-announce", is_flag=True, envvar="LANCHAT_NO_ANNOUNCE", help="Do not let others find the room.")
@options.interface
@options.script
def host(
    title: str | None,
    nick: str | None,
    port: int | None,
    password: str | None,
    password_file: Path | None,
    new: bool,
    ephemeral: bool,
    keep: str | None,
    plain_port: int | None,
    headless: bool,
    no_limits: bool,
    no_announce: bool,
    interface: tuple[str, ...],
    **script: Any,
) -> int:
    """Open the room TITLE and talk in it.

    Where stdin is a pipe, each line of it is said; where there is nothing to read, the room is just open.
    """
    from lanchat import api
    from lanchat.protocol.limits import DEFAULT_LIMITS, NO_LIMITS
    from lanchat.protocol.text import clean_title
    from lanchat.storage.retention import parse_retention
    from lanchat.terminal.notices import Problems
    from lanchat.terminal.prompts import ASK, AUTO, new_password, settle_nick
    from lanchat.terminal.run import run_script, talk, ways_in

    if title is None:
        raise _no_title(password)
    options.usage(clean_title, title, "TITLE")
    options.usage(parse_retention, keep or "", "--keep")
    if password not in (None, ASK, AUTO):
        raise click.BadParameter(
            "others can read a command line; use --password alone, --password auto or --password-file",
            param_hint="--password",
        )
    problems = Problems()
    screen = _has_screen() and not headless
    secret = new_password(password, password_file, screen=_has_screen())
    if secret is not None and plain_port is not None:
        raise click.UsageError("a room with a password has no --plain-port: it would let everybody in")
    room = api.host(
        title,
        nick=settle_nick(nick, ask=screen),
        port=port,
        plain_port=plain_port,
        announce=not no_announce,
        new=new,
        ephemeral=ephemeral,
        keep=keep,
        password=secret,
        limits=NO_LIMITS if no_limits else DEFAULT_LIMITS,
        interfaces=interface,
        on_problem=problems,
    )
    with room:
        ways = "\n".join(ways_in(room, interface))
        if screen:
            return talk(room, problems, ways)
        click.echo(ways, err=True)
        return run_script(room, problems, stay=script["linger"] is None, nothing_to_read=headless, **script)


@click.command()
@click.argument("room", required=False, metavar="[TITLE | HOST[:PORT] | INVITE]")
@options.nick
@options.password_file
@options.wait(default=5.0, help="How long to look for TITLE.")
@options.interface
@options.script
def join(
    room: str | None = None,
    nick: str | None = None,
    password_file: Path | None = None,
    wait: float = 5.0,
    interface: tuple[str, ...] = (),
    **script: Any,
) -> int:
    """Enter a room and talk.

    Without an argument: choose from the live list of the rooms around you. With an INVITE, as the host's screen
    shows it, you cannot end up anywhere else.
    Where stdin is no terminal, each line of it is said and what arrives is printed, a line each.
    """
    from lanchat.terminal.notices import Problems
    from lanchat.terminal.prompts import come_in, given_password, settle_nick

    problems = Problems()
    screen = _has_screen()
    if room is None and not screen:
        raise click.UsageError("name the room: a script cannot choose from a list")
    nick = settle_nick(nick, ask=screen)
    password = given_password(password_file)
    if room is None:
        return _choose_and_talk(nick, password, interface)
    from lanchat.terminal.run import run_script, talk

    with come_in(room, nick, password, wait, interface, problems, screen=screen) as joined:
        if screen:
            return talk(joined, problems)
        return run_script(joined, problems, stay=False, **script)


def _choose_and_talk(nick: str, password: str | None, interfaces: tuple[str, ...]) -> int:
    from lanchat.discovery.finder import Finder
    from lanchat.doctor.hints import HintingFinder
    from lanchat.network.interfaces import where
    from lanchat.storage.home import home_folder
    from lanchat.terminal.notices import Problems
    from lanchat.terminal.picker.picker import Chosen, HostNew, pick

    problems = Problems()
    on = where(interfaces)
    with Finder(on) as finder, HintingFinder(finder, on, home_folder()) as source:
        choice = pick(source)
    match choice:
        case Chosen(listing):
            from lanchat.terminal.prompts import come_into
            from lanchat.terminal.run import talk

            with come_into(listing, nick, password, on, problems, screen=True) as joined:
                return talk(joined, problems)
        case HostNew(title):
            arguments = ["--nick", nick, *(word for name in interfaces for word in ("--interface", name)), "--", title]
            return options.run(host, "lanchat host", arguments)
        case _:
            return 0


def _no_title(password: str | None) -> click.UsageError:
    if password is None:
        return click.UsageError("Missing argument 'TITLE'.")
    return click.UsageError(
        "Missing argument 'TITLE': --password takes the word after it for its own. "
        'Put the title first: lanchat host "Room A" --password'
    )


def _has_screen() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
