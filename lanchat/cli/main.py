"""The command `lanchat`: its parts, its exit codes, and the only place that prints errors."""

import logging
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import click

from lanchat import __version__
from lanchat.cli import options
from lanchat.cli.usage import ExplainedCommand, explained, nearest
from lanchat.errors import LanchatError, is_interrupt
from lanchat.terminal.crash import CRASHED, Crash
from lanchat.terminal.exit import INTERRUPTED, catch_signals, end_uninterrupted, leave
from lanchat.terminal.stdio import SafeFormatter, open_missing_streams, put, replace_unencodable


def main() -> NoReturn:
    """The `lanchat` command."""
    open_missing_streams()
    crash = Crash(_print)
    try:
        code = _run(crash)
        end_uninterrupted()
    except KeyboardInterrupt:  # it came while something else that ends the program was told
        code = INTERRUPTED
    leave(crash.report(code))


def _run(crash: Crash) -> int:
    """Run the command.

    Returns:
        The exit code, without a crash of a thread.
    """
    try:
        catch_signals()
        crash.end_with_threads()
        replace_unencodable()
        logging.getLogger().addHandler(logging.NullHandler())  # else warnings go to stderr, right into the screen
        if "_LANCHAT_COMPLETE" in os.environ:
            cli.main(prog_name="lanchat")  # a shell asks how a line could go on; this ends the program
        return options.run(cli, "lanchat", sys.argv[1:])
    except LanchatError as error:
        _print_error(str(error), error.hint)
        return error.exit_code
    except click.ClickException as error:
        _print_error(*explained(error))
        return error.exit_code
    except (click.Abort, EOFError):
        return _interrupted()
    except BrokenPipeError:
        return 0  # the reader of our output has seen enough
    except OSError as error:  # for example a full disk behind stdout
        where = f"write {error.filename}" if error.filename else "write the output"
        _print_error(f"Cannot {where}: {error.strerror or error}.")
        return 1
    except (Exception, KeyboardInterrupt) as error:
        if is_interrupt(error):
            return _interrupted()
        crash.note(error)
        return CRASHED


def _interrupted() -> int:
    _print("")  # ends the line with the terminal's ^C
    return INTERRUPTED


class NoSuchCommand(LanchatError):
    """The first word is no command."""

    exit_code = 2


# Where the commands are, which are loaded when they are needed, in the order in which a newcomer needs them.
SECTIONS = {
    "Commands": {
        "host": "host.host",
        "join": "join.join",
        "rooms": "look.rooms",
        "history": "look.history",
        "doctor": "look.doctor",
        "id": "look.identity",
        "trust": "look.trust",
        "irc": "irc.irc",
    },
    "Commands for scripts": {
        "send": "script.send",
        "tail": "script.tail",
        "ask": "script.ask",
        "get": "files.get",
        "mcp": "mcp.mcp",
    },
    "More": {"config": "config.config", "completion": "completion.completion", "help": "help.help"},
}
WHOLE = 1000  # characters of the first sentence about a command: all of it, since a part may mean something else
_PLACES = {name: place for section in SECTIONS.values() for name, place in section.items()}
_OTHER_WORDS = {
    **dict.fromkeys(("open", "create", "serve", "start"), "host"),
    **dict.fromkeys(("connect", "enter"), "join"),
    **dict.fromkeys(("list", "ls"), "rooms"),
    **dict.fromkeys(("say", "msg"), "send"),
    **dict.fromkeys(("fetch", "download"), "get"),
    **dict.fromkeys(("log", "logs"), "history"),
    **dict.fromkeys(("search", "find", "grep"), "history ROOM --search WORDS"),
    **dict.fromkeys(("listen", "follow"), "tail ROOM -f"),
    **dict.fromkeys(("whoami", "key", "fingerprint"), "id"),
    **dict.fromkeys(("web", "browser"), "host TITLE --web"),
    **dict.fromkeys(("settings", "set"), "config"),
    "version": "--version",
}


class _Commands(ExplainedCommand, click.Group):
    """The commands. A title where a command belongs is answered with what the person probably wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return command_of(cmd_name) if cmd_name in _PLACES else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = ctx.resilient_parsing or not args or args[0].startswith("-") or self.get_command(ctx, args[0])
        if not known:
            from lanchat.protocol.text import last_argument  # only after a mistake

            near = _OTHER_WORDS.get(args[0]) or nearest(args[0], self.list_commands(ctx))
            join = f"To join a room: lanchat join {last_argument(args[0])}"
            meant = f"Did you mean lanchat {near}?" if near else join
            raise NoSuchCommand(f'There is no command "{args[0]}".', meant)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, names in SECTIONS.items():
            with formatter.section(heading):
                formatter.write_dl([(name, command_of(name).get_short_help_str(WHOLE)) for name in names])


def command_of(name: str) -> click.Command:
    """A command, which is loaded now.

    Raises:
        KeyError: there is none of this name.
    """
    module, attribute = _PLACES[name].split(".")
    command = getattr(import_module(f"lanchat.cli.{module}"), attribute)
    assert isinstance(command, click.Command)
    return command


def all_commands() -> dict[str, click.Command]:
    """Every command by its name."""
    return {name: command_of(name) for name in _PLACES}


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 failure, 2 usage, 3 no such room, 4 refused, 5 host key changed, "
    "6 connection lost, 7 the answer was no, 124 timed out, 130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", message="lanchat %(version)s")
@options.option("--log", type=click.Path(dir_okay=False), metavar="FILE", help="Write a debug log to FILE.")
@click.pass_context
def cli(context: click.Context, log: str | None) -> int:
    """Chat with the people on your local network. There is nothing to set up.

    Without a command, lanchat lists the rooms on this network: pick one, or open your own.
    """
    if log:
        _start_log(log)
    if context.invoked_subcommand is None:
        return options.run(command_of("join"), "lanchat", [])  # unlike context.invoke, this reads the environment
    return 0


def _start_log(path: str) -> None:
    try:
        handler = logging.FileHandler(path, errors="backslashreplace")
    except OSError as error:
        raise LanchatError(f"Cannot write the log {path}: {error.strerror}.", "Choose another file.") from None
    handler.setFormatter(SafeFormatter("%(asctime)s %(threadName)s %(name)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.DEBUG, force=True)


def _print_error(cause: str, what_to_do: str = "") -> None:
    from lanchat.terminal.wording import error_text

    _print(*error_text(cause, what_to_do))


def _print(*lines: str) -> None:
    """To stderr; if nobody reads it, the exit code alone has to do."""
    with suppress(OSError):
        put(sys.stderr, *lines)
