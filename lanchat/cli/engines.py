"""The options of a room whose numbers come from an engine."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from lanchat.cli import options

if TYPE_CHECKING:
    from lanchat.api.doors import Doors
    from lanchat.api.engine_rooms import RoomAtEngine
    from lanchat.api.hosted import HostedRoom
    from lanchat.cli.host import HostOptions
    from lanchat.server.engine.address import EngineChoice
    from lanchat.terminal.run import Notices


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


def _hosts(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """The member ids of computers that --cohost names."""
    from lanchat.protocol.ids import MEMBER_ID_LENGTH, is_fingerprint

    found = ["".join(value.lower().split()) for value in values]
    for value, digits in zip(values, found, strict=True):
        if not is_fingerprint(digits):
            raise click.BadParameter(f'"{value}" is not a fingerprint, as `lanchat id` shows it on that computer.')
    return tuple(digits[:MEMBER_ID_LENGTH] for digits in found)


OPTIONS = (
    options.option(
        "--engine",
        callback=_engine,
        metavar="redis://HOST",
        help="Let a Redis or Valkey server number and keep what is said. Needs the Python package redis.",
    ),
    options.flag(
        "--engine-is-durable",
        help="With --engine: its operator confirms appendfsync always. For a server that does not tell how it writes.",
    ),
    options.option(
        "--cohost",
        callback=_hosts,
        multiple=True,
        type=options.Names(),
        metavar="FINGERPRINT",
        help="With --engine: let the computer where `lanchat id` shows this host the room as well.",
    ),
    click.option(  # without a variable: one that stays set would begin again at each start
        "--restore",
        is_flag=True,
        help="With --engine: the server has lost the room; begin there again, with all that this computer has of it.",
    ),
)


def choice(settings: "HostOptions", *, screen: bool) -> "EngineChoice | None":
    """What a person wants of an engine; None: they want none.

    Args:
        screen: whether they have one, to type commands.

    Raises:
        click.UsageError: the options do not fit each other.
    """
    if settings.engine is None:
        if settings.engine_is_durable or settings.restore or settings.cohost:
            raise click.UsageError("--engine-is-durable, --restore and --cohost belong to --engine.")
        return None
    if settings.ephemeral:
        raise click.UsageError("--engine keeps the room, and --ephemeral stores nothing of it: use one of them.")
    from lanchat.server.engine.address import EngineChoice, parse_engine

    return EngineChoice(
        parse_engine(settings.engine), settings.engine_is_durable, settings.restore, settings.cohost, screen
    )


@contextmanager
def finding(
    engine: "EngineChoice | None", title: str, home: Path, deadline: float | None
) -> "Iterator[RoomAtEngine | None]":
    """The room of somebody else with this title at the engine, which this computer may host as well; None: none.

    In the second case nobody else opens one there within the block.

    Raises:
        LanchatError: the engine cannot be asked, or that is not clear.
    """
    if engine is None:
        yield None
        return
    from lanchat.api import engine_rooms
    from lanchat.protocol.timing import DEFAULT_TIMING
    from lanchat.storage.identity import load_identity
    from lanchat.terminal.stdio import put

    say = lambda text: put(sys.stderr, text)  # noqa: E731
    identity = load_identity(home)
    with engine_rooms.finding(engine.address, title, identity, home, say, DEFAULT_TIMING, deadline) as found:
        yield found


def host_beside(
    room: "RoomAtEngine",
    engine: "EngineChoice",
    settings: "HostOptions",
    doors: "Doors",
    nick: str,
    password: str | None,
    files: int | None,
    notices: "Notices",
    deadline: float | None,
) -> "HostedRoom":
    """Host somebody else's room beside its owner, once that has accepted this computer."""
    from lanchat.api import second_host
    from lanchat.protocol.limits import DEFAULT_FILE_LIMITS, file_limits, limits_for
    from lanchat.terminal.stdio import put

    if engine.restore or engine.cohosts:
        raise click.UsageError("--restore and --cohost are for the owner of the room.")
    return second_host.host_beside(
        room,
        engine,
        nick=nick,
        **doors,
        announce=not settings.no_announce,
        password=password,
        files=DEFAULT_FILE_LIMITS if files is None else file_limits(files),
        limits=limits_for(settings.people or 0),
        interfaces=settings.interface,
        on_problem=notices,
        say=lambda text: put(sys.stderr, text),
        deadline=deadline,
        drop_oldest=False,
    )
