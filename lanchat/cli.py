"""The commands, their options and exit codes. The only place that prints errors, and the door of `click`."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from lanchat import __version__
from lanchat.errors import LanchatError, Refused

if TYPE_CHECKING:
    from lanchat.api import HostedRoom, JoinedRoom
    from lanchat.discovery.sighting import Listing
    from lanchat.terminal.script import Plan

GOODBYE_LIMIT = 3.0  # s; after that another Ctrl-C ends the program at once
INTERRUPTED = 130  # 128 + SIGINT, as shells have it

Command = Callable[..., Any]


def main() -> NoReturn:
    """The `lanchat` command."""
    _catch_signals()
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
    _exit(code)


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
_script = _options(
    click.option(
        "--linger",
        type=click.FloatRange(min=0),
        envvar="LANCHAT_LINGER",
        metavar="SECONDS",
        help="In a script: stay so long after the end of stdin (default 0).",
    ),
    click.option(
        "--until",
        envvar="LANCHAT_UNTIL",
        metavar="TEXT",
        help="In a script: leave when a line with this text arrives; the end of stdin does not end it then.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0),
        envvar="LANCHAT_TIMEOUT",
        metavar="SECONDS",
        help="In a script: give up after so long, with exit code 124.",
    ),
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
    plain_port: int | None,
    headless: bool,
    no_announce: bool,
    no_limits: bool,
    interface: tuple[str, ...],
    **script: Any,
) -> int:
    """Open the room TITLE and talk in it.

    Where stdin is a pipe, each line of it is said; where there is nothing to read, the room is just open.
    """
    from lanchat import api
    from lanchat.protocol.limits import DEFAULT_LIMITS, NO_LIMITS
    from lanchat.protocol.text import clean_title

    _usage(clean_title, title, "TITLE")
    screen = _has_screen() and not headless
    room = api.host(
        title,
        nick=_settle_nick(nick, ask=screen),
        port=port,
        plain_port=plain_port,
        announce=not no_announce,
        limits=NO_LIMITS if no_limits else DEFAULT_LIMITS,
        interfaces=interface,
        on_problem=lambda problem: click.echo(problem, err=True),
    )
    with room:
        _show_ways_in(room, interface)
        if screen:
            return _talk(room)
        return _run_script(room, _plan(stay=script["linger"] is None, **script), nothing_to_read=headless, **script)


@cli.command()
@click.argument("room", required=False, metavar="[TITLE | HOST[:PORT]]")
@_nick
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    envvar="LANCHAT_WAIT",
    metavar="SECONDS",
    help="How long to look for TITLE.",
)
@_interface
@_script
def join(
    room: str | None = None,
    nick: str | None = None,
    wait: float = 5.0,
    interface: tuple[str, ...] = (),
    **script: Any,
) -> int:
    """Enter a room and talk.

    Without an argument: choose from the live list of the rooms around you.
    Where stdin is no terminal, each line of it is said and what arrives is printed, a line each.
    """
    screen = _has_screen()
    if room is None and not screen:
        raise click.UsageError("name the room: a script cannot choose from a list")
    if room is None:
        return _choose_and_talk(nick, interface)
    nick = _settle_nick(nick, ask=screen)
    with _enter(room, nick, wait, interface, screen) as joined:
        if screen:
            return _talk(joined)
        return _run_script(joined, _plan(stay=False, **script), **script)


@cli.command()
@click.option("--json", "as_json", is_flag=True, envvar="LANCHAT_JSON", help="One JSON object a line.")
@click.option("--watch", is_flag=True, envvar="LANCHAT_WATCH", help="Go on, and tell what comes and goes.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    envvar="LANCHAT_WAIT",
    metavar="SECONDS",
    help="How long to look.",
)
@_interface
def rooms(as_json: bool, watch: bool, wait: float, interface: tuple[str, ...]) -> int:
    """The rooms of this network."""
    from lanchat import api
    from lanchat.terminal.rooms import show_rooms

    return show_rooms(api.where(interface), wait=wait, watch=watch, as_json=as_json, out=sys.stdout, talk=sys.stderr)


def _choose_and_talk(nick: str | None, interfaces: tuple[str, ...]) -> int:
    from lanchat import api
    from lanchat.lookout import Lookout
    from lanchat.terminal.picker import Chosen, HostNew, pick

    nick = _settle_nick(nick, ask=True)
    with Lookout(api.where(interfaces)) as lookout:
        choice = pick(lookout)
    match choice:
        case Chosen(listing):
            with _enter_listing(listing, nick, screen=True) as joined:
                return _talk(joined)
        case HostNew(title):
            arguments = ["--nick", nick, title]
            arguments += [word for name in interfaces for word in ("--interface", name)]
            return int(host.main(arguments, standalone_mode=False) or 0)
        case _:
            return 0


def _enter(room: str, nick: str, wait: float, interfaces: tuple[str, ...], screen: bool) -> "JoinedRoom":
    from lanchat import api
    from lanchat.net.dial import parse_endpoint

    endpoint = parse_endpoint(room)
    if endpoint is not None:
        return _with_free_nick(nick, screen, lambda nick: api.enter((endpoint,), nick))
    if screen:
        click.echo(f'looking for "{room}" ...', err=True)
    listings = api.find(room, wait, api.where(interfaces))
    if len(listings) == 1:
        return _enter_listing(listings[0], nick, screen)
    if not screen:
        raise api.several(listings)
    return _enter_listing(_ask_which(listings), nick, screen)


def _enter_listing(listing: "Listing", nick: str, screen: bool) -> "JoinedRoom":
    from lanchat import api

    return _with_free_nick(nick, screen, lambda nick: api.enter(listing.endpoints, nick))


def _with_free_nick(nick: str, screen: bool, enter: "Callable[[str], JoinedRoom]") -> "JoinedRoom":
    """Enter; where the nick is taken, ask a person for another and tell a script what it could be."""
    while True:
        try:
            return enter(nick)
        except Refused as refused:
            if refused.code != "nick":
                raise
            if not screen:
                hint = f"{refused.suggestion} is free: --nick {refused.suggestion}"
                raise Refused(str(refused), hint, code=refused.code, suggestion=refused.suggestion) from None
            click.echo(f"{refused}.", err=True)
            nick = click.prompt("Come in as", default=refused.suggestion, err=True, value_proc=_nick_value)


def _ask_which(listings: "Sequence[Listing]") -> "Listing":
    click.echo(f"{len(listings)} rooms are called {listings[0].title}:", err=True)
    for number, listing in enumerate(listings, 1):
        click.echo(f"  {number}  hosted by {listing.host}, {listing.people} inside, {listing.endpoints[0]}", err=True)
    answer: int = click.prompt("Which one", type=click.IntRange(1, len(listings)), err=True)
    return listings[answer - 1]


def _talk(room: "JoinedRoom") -> int:
    from lanchat.home import home_folder, keep_nick
    from lanchat.terminal.chat import Chat

    end = Chat(room.member, room.came, on_nick=lambda nick: keep_nick(home_folder(), nick)).run()
    if end.error is not None:
        raise end.error
    return 0


def _run_script(room: "JoinedRoom", plan: "Plan", *, nothing_to_read: bool = False, as_json: bool, **_: Any) -> int:
    from lanchat.terminal.script import Script, read_lines

    lines = iter(()) if nothing_to_read or sys.stdin is None else read_lines(sys.stdin.fileno())
    return Script(room.member, lines, sys.stdout, sys.stderr, plan, as_json=as_json).run()


def _plan(*, stay: bool, linger: float | None, until: str | None, timeout: float | None, as_json: bool) -> "Plan":
    from lanchat.terminal.script import Plan

    return Plan(linger or 0.0, until, timeout, stay)


def _show_ways_in(room: "HostedRoom", interfaces: tuple[str, ...]) -> None:
    """The first thing a host wants to know: what the others type."""
    from lanchat import api
    from lanchat.net.dial import Endpoint
    from lanchat.net.interfaces import reachable

    lines = [f'"{room.title}" is open. The people around you join it with:', f'  lanchat join "{room.title}"']
    for address in reachable(api.where(interfaces)):
        lines.append(f"  lanchat join {Endpoint(address.text, room.host.port)}")
    if room.host.plain_port is not None:
        lines.append(f"Not encrypted, for netcat and the like: port {room.host.plain_port}")
    click.echo("\n".join(lines), err=True)


def _settle_nick(nick: str | None, *, ask: bool) -> str:
    """The nick to use; on the first run in a terminal, ask for it and keep it."""
    from lanchat.home import home_folder, keep_nick, kept_nick, login_nick
    from lanchat.protocol.text import clean_nick

    home = home_folder()
    if nick is not None:
        nick = _usage(clean_nick, nick, "--nick")
        if ask:
            keep_nick(home, nick)
        return nick
    kept = kept_nick(home)
    if kept is not None or not ask:
        return kept or login_nick()
    chosen: str = click.prompt("Your nick", default=login_nick(), err=True, value_proc=_nick_value)
    keep_nick(home, chosen)
    return chosen


def _nick_value(text: str) -> str:
    from lanchat.protocol.text import clean_nick

    try:
        return clean_nick(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _usage(check: Callable[[str], str], value: str, where: str) -> str:
    try:
        return check(value)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=where) from None


def _has_screen() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def _catch_signals() -> None:
    """A closed terminal or a polite kill ends the program the way Ctrl-C does: with goodbyes.

    The goodbyes are said in peace: what comes while they are said is ignored, unless they take too long.
    """
    first: list[float] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if not first:
            first.append(now)
            raise KeyboardInterrupt
        if now - first[0] > GOODBYE_LIMIT:
            os._exit(INTERRUPTED)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), interrupt)


def _exit(code: int) -> NoReturn:
    """End, whatever still runs: an interrupt in the middle of a goodbye may have left a thread behind."""
    try:
        sys.stdout.flush()
    except (BrokenPipeError, ValueError, AttributeError):  # whoever read our output is gone: no reason for words
        os._exit(code)
    if any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        os._exit(code)
    sys.exit(code)


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
