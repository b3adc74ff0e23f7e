"""Options that several commands share, and how a command runs. Only cli/ and the questions of terminal/ use `click`."""

import dataclasses
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from lanchat.cli.config_file import file_values
from lanchat.cli.settings import variable
from lanchat.terminal.options import PasswordChoice, ScriptOptions

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
Command = Callable[..., int]
AddOption = Callable[[Command], Command]


class _Seconds(click.types.FloatParamType):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        with suppress(ValueError):
            number = float(value)
            if number >= 0:  # nan is not
                return number
        self.fail(f'"{value}" is not a number of seconds.', param, ctx)


class Number(click.types.IntParamType):
    """A whole number.

    Args:
        most: None: there is no largest one.
    """

    name = "number"

    def __init__(self, least: int, most: int | None = None) -> None:
        self._least = least
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        with suppress(ValueError):
            number = int(value)
            if self._least <= number and (self._most is None or number <= self._most):
                return number
        right = f"of {self._least} or more" if self._most is None else f"from {self._least} to {self._most}"
        self.fail(f'"{value}" is not a number {right}.', param, ctx)


PORT = Number(0, 65535)


class Names(click.types.StringParamType):
    envvar_list_splitter = ","  # click splits at spaces, but there are interfaces like "Ethernet 2"


class _InFile(click.Option):
    """An option that the config file can set as well.

    This is no `default_map` of click: that one is asked for the help, too, which shall work with a broken file.

    Args:
        setting: its key.
    """

    def __init__(self, *arguments: Any, setting: str, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._setting = setting

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, ParameterSource]:
        value, source = super().consume_value(ctx, opts)
        if source is ParameterSource.DEFAULT and not ctx.resilient_parsing:
            found = file_values().get(self._setting)
            if found is not None:
                return found, ParameterSource.DEFAULT_MAP
        return value, source

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        return record and (record[0], f"{record[1].removesuffix(']')}; setting: {self._setting}]")


def option(*names: str, setting: str = "", **settings: Any) -> AddOption:
    """A click option that can be set by an environment variable as well: `--no-history` by LANCHAT_NO_HISTORY.

    Args:
        setting: the key of the config file that can set it, too; "": none can.
    """
    word = next(name for name in names if name.startswith("--")).partition("/")[0]
    if setting:
        settings |= {"cls": _InFile, "setting": setting}
    return click.option(*names, envvar=variable(word), show_envvar=True, **settings)


def flag(*names: str, help: str) -> AddOption:
    return option(*names, is_flag=True, help=help)


def seconds(*names: str, help: str, **settings: Any) -> AddOption:
    return option(*names, type=_Seconds(), metavar="SECONDS", help=help, **settings)


def collected(argument: str, kind: "type[DataclassInstance]", *options: AddOption) -> AddOption:
    """These options as one argument of the command.

    Args:
        kind: the dataclass of its value, with a field for each option. Fields that a factory makes are left out.
    """
    fields = [field.name for field in dataclasses.fields(kind) if field.default_factory is dataclasses.MISSING]

    def add(command: Command) -> Command:
        @wraps(command)
        def collecting(**values: object) -> int:
            value = kind(**{name: values.pop(name) for name in fields})
            return command(**values, **{argument: value})

        extended: Command = collecting
        for add_option in reversed(options):
            extended = add_option(extended)
        return extended

    return add


def password_choice(context: click.Context, option: click.Parameter, value: str | None) -> PasswordChoice | None:
    """What --password says; never a password, since other users of this machine can read the command line."""
    match value:
        case None | "ask" | "auto":
            return value
    raise click.BadParameter(
        'only "auto" may follow. Put the title first (lanchat host "Room A" --password), and a password of your own in '
        "--password-file"
    )


def web_port(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    """What --web says: -1 for 47480 or the next free port, None for no door for browsers."""
    if not value:
        return None if value is None else -1
    if value.isascii() and value.isdecimal() and int(value) <= 65535:
        return int(value)
    raise click.BadParameter('only a port may follow. Put the title first (lanchat host "Room A" --web)')


def _some_text(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value == "":
        raise click.BadParameter("Every line contains the empty text.", context, option)
    return value


nick = option(
    "--nick",
    setting="nick",
    metavar="NICK",
    help="Set your nick. In a terminal it is kept for next time, once a room has accepted it.",
)
nick_once = option("--nick", setting="nick", metavar="NICK", help="Set your nick, this time only.")
interface = option(
    "--interface",
    setting="interface",
    multiple=True,
    type=Names(),
    metavar="NAME|ADDRESS",
    help="Use only this interface. Repeat the option, or separate several with commas.",
)
password_file = option(
    "--password-file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Read the room's password from FILE (or set LANCHAT_PASSWORD).",
)
standby = option(
    "--standby/--no-standby",
    default=None,
    help="Whether this computer may host the room when its host is gone (default: only with a screen). With "
    "--standby the owner of the room may name this computer even without a screen.",
)
host_standby = option(
    "--standby/--no-standby",
    default=None,
    help="Whether members' computers may copy the room, and host it when this one is gone (default yes).",
)
bell = option(
    "--bell/--no-bell",
    setting="notify.bell",
    default=True,
    help="Whether a bell or a popup calls you when somebody names you or writes to you (default yes).",
)
accept = option(
    "--accept",
    metavar="SIZE",
    help="Fetch files of up to this size unasked (20M), if their sender has said something here on an earlier day. "
    "Only with a screen.",
)
as_json = flag("--json", "as_json", help="Print one JSON object a line.")
script = collected(
    "script",
    ScriptOptions,
    seconds("--linger", help="In a script: stay this many seconds after stdin ends (default 0)."),
    option(
        "--until",
        metavar="TEXT",
        callback=_some_text,
        help="In a script: exit 0 as soon as a line contains TEXT (the history counts, too, unless --no-history). "
        "Keeps listening after stdin ends.",
    ),
    flag("--history", help="In a script: show the history (without --until, --linger and --json it is skipped)."),
    flag("--no-history", help="In a script: skip the history."),
    flag("-q", "--quiet", help="In a script: print no message."),
    seconds("--timeout", help="In a script: give up after this many seconds from the start, with exit code 124."),
    flag("--json", "as_json", help="In a script: print one JSON object a line (lanchat help json)."),
    flag("--json-in", "json_in", help='In a script: each line of stdin is a JSON object, such as {"say": "hi"}.'),
    flag("--bot", "bot", help="In a script: others see that a program speaks."),
)


def wait(default: float, help: str) -> AddOption:
    return seconds("--wait", setting="wait", default=default, show_default=True, help=help)


def run(command: click.Command, name: str, arguments: list[str], secret: str | None = None) -> int:
    """Run a command. Unlike `command.main`, this prints nothing, and lets interrupts and broken pipes through.

    Args:
        secret: what may not stand in arguments; the command finds it as the object of its context.

    Returns:
        The exit code.
    """
    try:
        with command.make_context(name, arguments, obj=secret) as context:
            return int(command.invoke(context) or 0)
    except click.exceptions.Exit as end:  # --help, --version
        return end.exit_code


def checked(check: Callable[[str], T], value: str, where: str) -> T:
    """The value as the check returns it.

    Raises:
        click.BadParameter: the check has raised ValueError.
    """
    try:
        return check(value)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=where) from None
