"""Options that several commands share. With the other cli modules and `terminal/ask.py` the door of `click`."""

from collections.abc import Callable
from functools import partial
from math import isnan
from pathlib import Path
from typing import Any, TypeVar

import click

Command = Callable[..., Any]
T = TypeVar("T")


def together(*options: Command) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


class _Names(click.types.StringParamType):
    envvar_list_splitter = ","  # click's own is a blank, as in the interface "Ethernet 2"


class _Seconds(click.FloatRange):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if isnan(number):
            self.fail("that is no number of seconds", param, ctx)
        return number


class _Option(click.Option):
    """Its environment variable stands in the help; in an error only where the value came from there."""

    def get_error_hint(self, ctx: click.Context | None) -> str:
        if ctx is not None and ctx.get_parameter_source(self.name or "") is click.core.ParameterSource.ENVIRONMENT:
            return super().get_error_hint(ctx)
        return click.Parameter.get_error_hint(self, ctx)


option = partial(click.option, cls=_Option, show_envvar=True)
nick = option("--nick", envvar="LANCHAT_NICK", help="How others see you. Kept for next time.")
interface = option(
    "--interface",
    multiple=True,
    type=_Names(),
    envvar="LANCHAT_INTERFACE",
    metavar="NAME|ADDRESS",
    help="Listen, announce and look only there. May be repeated, or hold several with commas between.",
)
password_file = option(
    "--password-file",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="LANCHAT_PASSWORD_FILE",
    help="Read the room's password from there (or set LANCHAT_PASSWORD).",
)
seconds = partial(option, type=_Seconds(min=0), metavar="SECONDS")
wait = partial(seconds, "--wait", show_default=True, envvar="LANCHAT_WAIT")
script = together(
    seconds("--linger", envvar="LANCHAT_LINGER", help="In a script: stay so long after the end of stdin (default 0)."),
    option(
        "--until",
        envvar="LANCHAT_UNTIL",
        metavar="TEXT",
        help="In a script: leave when a line with this text arrives; the end of stdin does not end it then. "
        "The last lines of before count, too: see --no-history.",
    ),
    option(
        "--no-history",
        is_flag=True,
        envvar="LANCHAT_NO_HISTORY",
        help="In a script: pass over what was said before you came.",
    ),
    seconds("--timeout", envvar="LANCHAT_TIMEOUT", help="In a script: give up after so long, with exit code 124."),
    option("--json", "as_json", is_flag=True, envvar="LANCHAT_JSON", help="In a script: one JSON object a line."),
)


def run(command: click.Command, name: str, arguments: list[str]) -> int:
    """Carry it out. Unlike `command.main` this says nothing by itself: interrupts and broken pipes come through.

    Returns:
        The exit code.
    """
    try:
        with command.make_context(name, arguments) as context:
            return int(command.invoke(context) or 0)
    except click.exceptions.Exit as end:  # --help, --version
        return end.exit_code


def usage(check: Callable[[str], T], value: str, where: str) -> T:
    """The value as the check has it; what is wrong with it is a fault in the command line."""
    try:
        return check(value)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=where) from None
