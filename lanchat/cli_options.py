"""Options that several commands share. With the other cli modules and `terminal/ask.py` the door of `click`."""

from collections.abc import Callable
from functools import partial
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


nick = click.option("--nick", envvar="LANCHAT_NICK", help="How others see you. Kept for next time.")
interface = click.option(
    "--interface",
    multiple=True,
    envvar="LANCHAT_INTERFACE",
    metavar="NAME|ADDRESS",
    help="Listen, announce and look only there. May be repeated.",
)
password_file = click.option(
    "--password-file",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="LANCHAT_PASSWORD_FILE",
    help="Read the room's password from there (or set LANCHAT_PASSWORD).",
)
seconds = partial(click.option, type=click.FloatRange(min=0), metavar="SECONDS")
wait = partial(seconds, "--wait", show_default=True, envvar="LANCHAT_WAIT")
script = together(
    seconds("--linger", envvar="LANCHAT_LINGER", help="In a script: stay so long after the end of stdin (default 0)."),
    click.option(
        "--until",
        envvar="LANCHAT_UNTIL",
        metavar="TEXT",
        help="In a script: leave when a line with this text arrives; the end of stdin does not end it then.",
    ),
    seconds("--timeout", envvar="LANCHAT_TIMEOUT", help="In a script: give up after so long, with exit code 124."),
    click.option("--json", "as_json", is_flag=True, envvar="LANCHAT_JSON", help="In a script: one JSON object a line."),
)


def usage(check: Callable[[str], T], value: str, where: str) -> T:
    """The value as the check has it; what is wrong with it is a fault in the command line."""
    try:
        return check(value)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=where) from None
