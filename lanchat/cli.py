"""The commands, their options and exit codes. The only place that prints errors, and the door of `click`."""

import logging
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from lanchat import __version__
from lanchat.errors import LanchatError
from lanchat.terminal.ending import INTERRUPTED, catch_signals, leave

Command = Callable[..., Any]


def main() -> NoReturn:
    """The `lanchat` command."""
    catch_signals()
    try:
        code = cli.main(standalone_mode=False) or 0
    except LanchatError as error:
        _complain(str(error), error.hint)
        code = error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        code = 2
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort, EOFError):
        code = INTERRUPTED
    except BrokenPipeError:
        code = 0  # whoever read our output has seen enough
    leave(code)


def _options(*options: Command) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


_nick = click.option("--nick", envvar="LANCHAT_NICK", help="How others see you. Kept for next time.")
_interface = click.option(
    "--interface",
    multiple=True,
    envvar="LANCHAT_INTERFACE",
    metavar="NAME|ADDRESS",
    help="Listen, announce and look only there. May be repeated.",
)
_password_file = click.option(
    "--password-file",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="LANCHAT_PASSWORD_FILE",
    help="Read the room's password from there (or set LANCHAT_PASSWORD).",
)
_seconds = partial(click.option, type=click.FloatRange(min=0), metavar="SECONDS")
_wait = partial(_seconds, "--wait", show_default=True, envvar="LANCHAT_WAIT")
_script = _options(
    _seconds("--linger", envvar="LANCHAT_LINGER", help="In a script: stay so long after the end of stdin (default 0)."),
    click.option(
        "--until",
        envvar="LANCHAT_UNTIL",
        metavar="TEXT",
        help="In a script: leave when a line with this text arrives; the end of stdin does not end it then.",
    ),
    _seconds("--timeout", envvar="LANCHAT_TIMEOUT", help="In a script: give up after so long, with exit code 124."),
    click.option("--json", "as_json", is_flag=True, envvar="LANCHAT_JSON", help="In a script: one JSON object a line."),
)


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 failure, 2 usage, 3 no such room, 4 refused, 5 host key changed, "
    "6 connection lost, 124 timed out, 130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", message="lanchat %(version)s")
@click.option("--log", type=click.Path(dir_okay=False), envvar="LANCHAT_LOG", help="Write a log for finding faults.")
@click.pass_context
def cli(context: click.Context, log: str | None) -> int | None:
    """Chat for the people on this local network. Nothing to set up.

    Without a command: shows the rooms around you, to pick one or to open your own.
    """
    if log:
        _start_log(log)
    if context.invoked_subcommand is None:
        return int(context.invoke(join))
    return None


@cli.command()
@click.argument("title")
@_nick
@click.option("--port", type=click.IntRange(0, 65535), envvar="LANCHAT_PORT", help="TCP port (default 47474 or next).")
@click.option(
    "--password",
    is_flag=False,
    flag_value="ask",
    metavar="[auto]",
    help="Ask for a password that everybody needs; `auto` makes one of three words.",
)
@_password_file
@click.option(
    "--plain-port",
    type=click.IntRange(0, 65535),
    envvar="LANCHAT_PLAIN_PORT",
    help="Also serve netcat and simple socket clients there. Not encrypted.",
)
@click.option("--headless", is_flag=True, envvar="LANCHAT_HEADLESS", help="Host without a screen, until Ctrl-C.")
@click.option("--no-limits", is_flag=True, hidden=True, help="For benchmarks on loopback: no limits for strangers.")
@click.option("--no-announce", is_flag=True, envvar="LANCHAT_NO_ANNOUNCE", help="Do not let others find the room.")
@_interface
@_script
def host(
    title: str,
    nick: str | None,
    port: int | None,
    password: str | None,
    password_file: Path | None,
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
    from lanchat.terminal.ask import ASK, AUTO, new_password, settle_nick
    from lanchat.terminal.stay import run_script, talk, ways_in

    try:
        clean_title(title)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="TITLE") from None
    if password not in (None, ASK, AUTO):
        raise click.BadParameter(
            "others can read a command line; use --password alone, --password auto or --password-file",
            param_hint="--password",
        )
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
        password=secret,
        limits=NO_LIMITS if no_limits else DEFAULT_LIMITS,
        interfaces=interface,
        on_problem=lambda problem: click.echo(problem, err=True),
    )
    with room:
        ways = "\n".join(ways_in(room, interface))
        if screen:
            return talk(room, ways)
        click.echo(ways, err=True)
        return run_script(room, stay=script["linger"] is None, nothing_to_read=headless, **script)


@cli.command()
@click.argument("room", required=False, metavar="[TITLE | HOST[:PORT]]")
@_nick
@_password_file
@_wait(default=5.0, help="How long to look for TITLE.")
@_interface
@_script
def join(
    room: str | None = None,
    nick: str | None = None,
    password_file: Path | None = None,
    wait: float = 5.0,
    interface: tuple[str, ...] = (),
    **script: Any,
) -> int:
    """Enter a room and talk.

    Without an argument: choose from the live list of the rooms around you.
    Where stdin is no terminal, each line of it is said and what arrives is printed, a line each.
    """
    from lanchat.terminal.ask import come_in, given_password, settle_nick
    from lanchat.terminal.stay import run_script, talk

    screen = _has_screen()
    if room is None and not screen:
        raise click.UsageError("name the room: a script cannot choose from a list")
    nick = settle_nick(nick, ask=screen)
    password = given_password(password_file)
    if room is None:
        return _choose_and_talk(nick, password, interface)
    with come_in(room, nick, password, wait, interface, screen=screen) as joined:
        if screen:
            return talk(joined)
        return run_script(joined, stay=False, **script)


@cli.command()
@click.option("--json", "as_json", is_flag=True, envvar="LANCHAT_JSON", help="One JSON object a line.")
@click.option("--watch", is_flag=True, envvar="LANCHAT_WATCH", help="Go on, and tell what comes and goes.")
@_wait(default=2.0, help="How long to look.")
@_interface
def rooms(as_json: bool, watch: bool, wait: float, interface: tuple[str, ...]) -> int:
    """The rooms of this network."""
    from lanchat.entrance import where
    from lanchat.terminal.rooms import show_rooms

    return show_rooms(where(interface), wait=wait, watch=watch, as_json=as_json, out=sys.stdout, talk=sys.stderr)


@cli.command("id")
def identity() -> int:
    """Who you are to others: the fingerprint of your key, to read aloud and compare."""
    from lanchat.entrance import default_nick, my_identity
    from lanchat.protocol.text import grouped

    mine = my_identity()
    click.echo(f"{default_nick()}·{mine.id[:4]}")
    click.echo(grouped(mine.id))
    click.echo(f"The key is in {mine.key_path}", err=True)
    return 0


@cli.command()
@click.option("--list", "_list", is_flag=True, help="Show the hosts you have met (the default).")
@click.option("--forget", metavar="TITLE|ID", help="Forget a room, so that its host may show a new key.")
def trust(_list: bool, forget: str | None) -> int:
    """The hosts you have met, each with the key its room showed."""
    from lanchat.errors import NoSuchRoom
    from lanchat.home import home_folder
    from lanchat.net.trust import KnownHosts
    from lanchat.protocol.text import grouped, safe_text

    if forget is None:
        for known in KnownHosts(home_folder()).all():
            click.echo(f"{known.room}  {grouped(known.fingerprint[:32])}  {safe_text(known.title)}")
        return 0
    gone = KnownHosts(home_folder()).forget(forget)
    if not gone:
        raise NoSuchRoom(f'you have met no room "{forget}"', "see them with: lanchat trust --list")
    for known in gone:
        click.echo(f'forgotten: "{safe_text(known.title)}" {known.room}', err=True)
    return 0


def _choose_and_talk(nick: str, password: str | None, interfaces: tuple[str, ...]) -> int:
    from lanchat.entrance import where
    from lanchat.lookout import Lookout
    from lanchat.terminal.ask import come_into
    from lanchat.terminal.picker import Chosen, HostNew, pick
    from lanchat.terminal.stay import talk

    with Lookout(where(interfaces)) as lookout:
        choice = pick(lookout)
    match choice:
        case Chosen(listing):
            with come_into(listing, nick, password, screen=True) as joined:
                return talk(joined)
        case HostNew(title):
            arguments = ["--nick", nick, *(word for name in interfaces for word in ("--interface", name)), "--", title]
            return int(host.main(arguments, standalone_mode=False) or 0)
        case _:
            return 0


def _has_screen() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def _start_log(path: str) -> None:
    form = "%(asctime)s %(threadName)s %(name)s %(levelname)s %(message)s"
    try:
        logging.basicConfig(filename=path, level=logging.DEBUG, format=form)
    except OSError as error:
        raise LanchatError(f"cannot write the log {path}: {error.strerror}", "choose another file") from None


def _complain(what: str, hint: str) -> None:
    from lanchat.protocol.text import safe_text

    click.echo(f"lanchat: {safe_text(what)}", err=True)
    if hint:
        click.echo(f"  {safe_text(hint)}", err=True)
