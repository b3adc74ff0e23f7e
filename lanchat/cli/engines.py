"""The options of a room whose numbers come from an engine."""

from typing import TYPE_CHECKING, Protocol

import click
from click.core import ParameterSource

from lanchat.cli import options

if TYPE_CHECKING:
    from lanchat.server.engine.address import EngineChoice


def _engine(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """What --engine says. On a command line others could read a password, so there it may have none."""
    from lanchat.server.engine.address import parse_engine

    if not value:
        return None
    try:
        address = parse_engine(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if address.password and context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE:
        raise click.BadParameter(
            "a password on the command line can be read by other users of this computer. Set LANCHAT_ENGINE instead"
        )
    return value


OPTIONS = (
    options.option(
        "--engine",
        callback=_engine,
        metavar="redis://HOST",
        help="Let a Redis or Valkey server number and keep what is said. Needs the Python package redis.",
    ),
    options.flag(
        "--engine-is-durable",
        help="With --engine, of a server that does not tell how it writes: its operator confirms appendfsync always.",
    ),
    click.option(  # without a variable: one that stays set would begin again at each start
        "--restore",
        is_flag=True,
        help="With --engine, of a server that has lost the room: begin there again, with all that is here of it.",
    ),
)


class Engine(Protocol):
    """The values of these options."""

    @property
    def engine(self) -> str | None: ...
    @property
    def engine_is_durable(self) -> bool: ...
    @property
    def restore(self) -> bool: ...
    @property
    def ephemeral(self) -> bool: ...


def choice(settings: Engine) -> "EngineChoice | None":
    """What a person wants of an engine; None: they want none.

    Raises:
        click.UsageError: the options do not fit each other.
    """
    if settings.engine is None:
        if settings.engine_is_durable or settings.restore:
            raise click.UsageError("--engine-is-durable and --restore belong to --engine.")
        return None
    if settings.ephemeral:
        raise click.UsageError("--engine keeps the room, and --ephemeral stores nothing of it: use one of them.")
    from lanchat.server.engine.address import EngineChoice, parse_engine

    return EngineChoice(parse_engine(settings.engine), settings.engine_is_durable, settings.restore)
