"""The command host, which opens a room and lets its person talk in it."""

import gc
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from lanchat.cli import engines, guests, options
from lanchat.cli.completion import hosted_titles
from lanchat.cli.config_file import screen_options
from lanchat.cli.picking import talk_in, wanted_twin
from lanchat.cli.usage import ExplainedCommand
from lanchat.errors import Refused
from lanchat.terminal.options import PasswordChoice, ScriptOptions
from lanchat.terminal.stdio import columns_of, has_terminal, put

if TYPE_CHECKING:
    from lanchat.api.hosted import HostedRoom
    from lanchat.terminal.run import Notices


@dataclass(frozen=True)
class HostOptions:
    """How to host a room; each field is the option of its name."""

    nick: str | None
    port: int | None
    password: PasswordChoice | None
    password_file: str | None
    new: bool
    ephemeral: bool
    keep: str | None
    files: str | None
    people: int | None
    plain_port: int | None
    irc_port: int | None
    irc_tls_port: int | None
    irc_password_file: str | None
    web: int | None
    web_name: tuple[str, ...]
    headless: bool
    no_limits: bool
    no_announce: bool
    standby: bool | None
    engine: str | None
    engine_is_durable: bool
    restore: bool
    cohost: tuple[str, ...]
    bell: bool
    interface: tuple[str, ...]


@click.command(cls=ExplainedCommand)
@click.argument("title", metavar="TITLE", shell_complete=hosted_titles)
@options.collected(
    "settings",
    HostOptions,
    options.nick,
    options.option(
        "--port",
        setting="host.port",
        type=options.PORT,
        metavar="PORT",
        help="Listen on this TCP port (default 47474 or the next free one).",
    ),
    click.option(
        "--password",
        callback=options.password_choice,
        is_flag=False,
        flag_value="ask",  # for an option that nothing follows
        metavar="[auto]",
        help="Protect the room with a password (asked for); `auto` invents one of three words.",
    ),
    options.password_file,
    options.flag("--new", help="Open another room, even if you have hosted this title before."),
    options.flag("--ephemeral", help="Keep nothing on disk, neither here nor at the members."),
    options.option("--keep", setting="host.keep", metavar="30d|10000", help="Keep this much of the log (default all)."),
    options.option(
        "--files",
        metavar="SIZE",
        help="Let members send files, up to this much in total (500M, 10G; default 10G); 0 for no files.",
    ),
    options.option(
        "--people",
        type=options.Number(2, 1000),
        metavar="N",
        help="Let up to this many people in (default 200, at most 1000).",
    ),
    *guests.OPTIONS,
    options.option(
        "--web",
        callback=options.web_port,
        is_flag=False,
        flag_value="",  # for an option that nothing follows
        metavar="[PORT]",
        help="Let browsers join, too, on this port (default 47480 or the next free one).",
    ),
    options.option(
        "--web-name",
        multiple=True,
        metavar="NAME|ADDRESS",
        help="Let browsers come by this name or address as well, for example if a router forwards a port.",
    ),
    options.host_standby,
    *engines.OPTIONS,
    options.flag("--headless", help="Host without a screen until Ctrl-C."),
    click.option("--no-limits", is_flag=True, hidden=True, help="For benchmarks on loopback: no limits for strangers."),
    options.flag("--no-announce", help="Do not announce the room: others join by its address."),
    options.bell,
    options.interface,
)
@options.script
def host(title: str, settings: HostOptions, script: ScriptOptions) -> int:
    """Open the room TITLE and talk in it.

    If stdin is a pipe, each line becomes a message. If there is nothing to read, the room just stays open.

    \b
    lanchat host "Room A"
    lanchat host "Room A" --password auto --web
    """
    from lanchat.cli.returning import host_or_join
    from lanchat.network.addresses import where
    from lanchat.protocol.text import clean_title
    from lanchat.terminal.invite import how_to_join, welcome
    from lanchat.terminal.prompts import Who, choose_nick, given_password
    from lanchat.terminal.run import Notices, run_chat, run_script, telling_successor
    from lanchat.terminal.twins import TwinWatch
    from lanchat.terminal.web import web_code

    notices = Notices()
    deadline = script.deadline(time.monotonic())
    screen = has_terminal() and not settings.headless
    options.checked(clean_title, title, "TITLE")
    on = where(settings.interface)
    end, least_term = host_or_join(title, settings, script, notices, on, deadline, screen=screen)
    if end is not None:
        return end
    looks = not (settings.no_announce or settings.new or settings.engine)
    if screen and looks and (twin := wanted_twin(title, on)):
        who = Who(choose_nick(settings.nick, ask=True), given_password(settings.password_file))
        return talk_in(twin, who, on, look=screen_options(bell=settings.bell))
    with _open_room(title, settings, notices, least_term, deadline, screen=screen) as room, telling_successor(room):
        gc.freeze()  # to look for garbage in all that was imported, again and again, takes 8 % of what a join costs
        if screen:
            width = columns_of(sys.stdout)
            code = web_code(room.web.address, width) if room.web.is_open else []
            return run_chat(room, notices, *welcome(room, width), look=screen_options(bell=settings.bell), drawn=code)
        put(sys.stderr, *how_to_join(room))
        with TwinWatch(title, on, notices) if looks else nullcontext():
            return run_script(room, notices, script, deadline=deadline, headless=settings.headless)


def _open_room(
    title: str, settings: HostOptions, notices: "Notices", least_term: int, deadline: float | None, *, screen: bool
) -> "HostedRoom":
    from lanchat.api import hosted
    from lanchat.network.descriptors import allow_connections
    from lanchat.protocol.limits import NO_LIMITS, file_limits, limits_for
    from lanchat.protocol.sizes import parse_size
    from lanchat.storage.home import home_folder
    from lanchat.storage.own_settings import own_settings
    from lanchat.storage.retention import parse_retention
    from lanchat.storage.rooms import HOSTED, rooms_called
    from lanchat.terminal.joining import keep_choices, with_option
    from lanchat.terminal.prompts import Who, choose_nick, new_password

    engine = engines.choice(settings, screen=screen)
    options.checked(parse_retention, settings.keep or "", "--keep")
    total = None if settings.files is None else options.checked(parse_size, settings.files, "--files")
    chosen: str | None = click.get_current_context().obj  # in the list
    if settings.password or settings.password_file:  # before one is invented or asked for
        guests.check(settings, has_password=True)
    password = chosen or new_password(settings.password, settings.password_file, ask=has_terminal())
    irc_password = guests.check(settings, has_password=password is not None, password=password)
    doors = guests.doors(settings, irc_password)
    home = home_folder(needed=not settings.ephemeral)
    if settings.people:
        allow_connections(settings.people)
    known = [] if settings.new or settings.ephemeral else rooms_called(home, title, HOSTED)
    who = Who(choose_nick(settings.nick, ask=screen))
    unknown = engine if not known and not settings.new else None
    with engines.finding(unknown, title, home, deadline) as there:
        before = there.id if there is not None else known[0].id if known else None
        nick = who.nick.in_room(own_settings(home, before))
        try:
            if engine is not None and there is not None:
                room = engines.host_beside(there, engine, settings, doors, nick, password, total, notices, deadline)
            else:
                room = hosted.host(
                    title,
                    nick=nick,
                    **doors,
                    announce=not settings.no_announce,
                    new=settings.new,
                    ephemeral=settings.ephemeral,
                    keep=settings.keep,
                    password=password,
                    files=None if total is None else file_limits(total),
                    standby=settings.standby is not False,
                    least_term=least_term,
                    engine=engine,
                    limits=NO_LIMITS if settings.no_limits else limits_for(settings.people or 0),
                    interfaces=settings.interface,
                    on_problem=notices,
                    drop_oldest=False,
                )
        except Refused as refused:  # somebody who was here before has the nick
            raise with_option(refused, password) from None
    if screen:
        room_id = None if settings.ephemeral else room.card.room
        keep_choices(own_settings(home, room_id), who, room.nick, None, notices)
    return room
