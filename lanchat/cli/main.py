"""The command `lanchat`: its parts, its exit codes, and the only place that prints errors."""

import logging
import os
import sys
from contextlib import suppress
from typing import NoReturn

import click

from lanchat import __version__
from lanchat.cli import look as cli_look
from lanchat.cli import options
from lanchat.cli import talk as cli_talk
from lanchat.cli.doctor import doctor
from lanchat.errors import LanchatError
from lanchat.terminal.exit import INTERRUPTED, catch_signals, leave, write_any_letter


def main() -> NoReturn:
    """The `lanchat` command."""
    try:
        catch_signals()
        write_any_letter()
        logging.getLogger().addHandler(logging.NullHandler())  # else warnings go to stderr, right into the screen
        if "_LANCHAT_COMPLETE" in os.environ:
            cli.main(prog_name="lanchat")  # a shell asks what a line could become; it ends here
        code = options.run(cli, "lanchat", sys.argv[1:])
    except LanchatError as error:
        _complain(str(error), error.hint)
        code = error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        _tell(error.ctx.get_help() if error.ctx else "")
        code = 2
    except click.ClickException as error:
        with suppress(OSError):
            error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort, EOFError):
        _tell("")  # ends the line of a terminal's ^C
        code = INTERRUPTED
    except BrokenPipeError:
        code = 0  # whoever read our output has seen enough
    except OSError as error:  # a full disk behind stdout
        _complain(f"{error.filename or 'cannot write'}: {error.strerror or error}", "")
        code = 1
    leave(code)


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 failure, 2 usage, 3 no such room, 4 refused, 5 host key changed, "
    "6 connection lost, 124 timed out, 130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", message="lanchat %(version)s")
@options.option("--log", type=click.Path(dir_okay=False), envvar="LANCHAT_LOG", help="Write a log for finding faults.")
@click.pass_context
def cli(context: click.Context, log: str | None) -> int | None:
    """Chat for the people on this local network. Nothing to set up.

    Without a command: shows the rooms around you, to pick one or to open your own.
    """
    if log:
        _start_log(log)
    if context.invoked_subcommand is None:
        return options.run(cli_talk.join, "lanchat", [])  # heeds the environment
    return None


for command in (
    cli_talk.host,
    cli_talk.join,
    cli_look.rooms,
    cli_look.history,
    cli_look.identity,
    cli_look.trust,
    doctor,
):
    cli.add_command(command)


def _start_log(path: str) -> None:
    form = "%(asctime)s %(threadName)s %(name)s %(levelname)s %(message)s"
    try:
        logging.basicConfig(filename=path, level=logging.DEBUG, format=form, force=True)
    except OSError as error:
        raise LanchatError(f"cannot write the log {path}: {error.strerror}", "choose another file") from None


def _complain(what: str, hint: str) -> None:
    from lanchat.protocol.text import safe_text

    _tell(f"lanchat: {safe_text(what)}" + (f"\n  {safe_text(hint)}" if hint else ""))


def _tell(text: str) -> None:
    """To whoever reads stderr; where nobody does, the exit code alone has to tell."""
    with suppress(OSError):
        click.echo(text, err=True)
