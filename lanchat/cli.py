"""The command `lanchat`: its parts, its exit codes, and the only place that prints errors."""

import logging
from typing import NoReturn

import click

from lanchat import __version__, cli_look, cli_talk
from lanchat.cli_doctor import doctor
from lanchat.errors import LanchatError
from lanchat.terminal.ending import INTERRUPTED, catch_signals, leave, write_any_letter


def main() -> NoReturn:
    """The `lanchat` command."""
    catch_signals()
    write_any_letter()
    try:
        code = cli.main(prog_name="lanchat", standalone_mode=False) or 0
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
@click.option("--log", type=click.Path(dir_okay=False), envvar="LANCHAT_LOG", help="Write a log for finding faults.")
@click.pass_context
def cli(context: click.Context, log: str | None) -> int | None:
    """Chat for the people on this local network. Nothing to set up.

    Without a command: shows the rooms around you, to pick one or to open your own.
    """
    if log:
        _start_log(log)
    if context.invoked_subcommand is None:
        return int(cli_talk.join.main([], prog_name="lanchat", standalone_mode=False) or 0)  # heeds the environment
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
        logging.basicConfig(filename=path, level=logging.DEBUG, format=form)
    except OSError as error:
        raise LanchatError(f"cannot write the log {path}: {error.strerror}", "choose another file") from None


def _complain(what: str, hint: str) -> None:
    from lanchat.protocol.text import safe_text

    click.echo(f"lanchat: {safe_text(what)}" + (f"\n  {safe_text(hint)}" if hint else ""), err=True)
