"""The command join, which brings a person into a room of this network."""

import time

import click

from lanchat.cli import options
from lanchat.cli.completion import titles
from lanchat.cli.config_file import screen_options
from lanchat.cli.picking import pick_and_talk
from lanchat.cli.usage import ExplainedCommand
from lanchat.terminal.options import ScriptOptions
from lanchat.terminal.stdio import has_terminal


@click.command(cls=ExplainedCommand)
@click.argument("room", required=False, metavar="[TITLE | HOST[:PORT] | INVITE]", shell_complete=titles)
@options.nick
@options.password_file
@options.wait(default=5.0, help="Look this long for TITLE.")
@options.flag(
    "--new-host", help="Join TITLE on a host you have not met, even if you know another room with that title."
)
@options.flag("--discard", help="Drop your messages that could not be sent last time.")
@options.flag("--remember-password", help="Store the password of the room here, readable by you alone.")
@options.interface
@options.standby
@options.bell
@options.accept
@options.script
def join(
    room: str | None,
    nick: str | None,
    password_file: str | None,
    wait: float,
    new_host: bool,
    discard: bool,
    remember_password: bool,
    interface: tuple[str, ...],
    standby: bool | None,
    bell: bool,
    accept: str | None,
    script: ScriptOptions,
) -> int:
    """Enter a room and talk in it.

    Without an argument, choose from the live list of the rooms on this network. An INVITE, as the host's screen shows
    it, also proves that the room is the right one.

    If stdin is no terminal, each line becomes a message, and each message that arrives is printed on a line.

    \b
    lanchat join "Room A"
    lanchat join 192.168.1.7:47474 --nick bob
    """
    from lanchat.protocol.sizes import parse_size
    from lanchat.terminal.prompts import Who, choose_nick, given_password

    screen = has_terminal()
    deadline = None if screen else script.deadline(time.monotonic())
    if room is None and not screen:
        raise click.UsageError("Which room? lanchat join TITLE (a script cannot pick from the list)")
    if room is not None:
        from lanchat.api.targets import place_named

        options.checked(place_named, room, "ROOM")  # before a person is asked for anything
    who = Who(choose_nick(nick, ask=screen), given_password(password_file), remember_password)
    willing = how_willing(standby, screen=screen)
    most = 0 if accept is None else options.checked(parse_size, accept, "--accept")
    if room is None:
        look = screen_options(bell=bell)
        return pick_and_talk(nick, who, interface, discard, look=look, standby=willing, accept=most)
    from lanchat.terminal.joining import join_by_name
    from lanchat.terminal.run import Notices, run_chat, run_script, telling_successor

    notices = Notices()
    with (
        join_by_name(
            room,
            who,
            wait,
            interface,
            notices,
            ask=screen,
            new_host=new_host,
            discard=discard,
            bot=script.bot and not screen,
            deadline=deadline,
            standby=willing,
        ) as joined,
        telling_successor(joined),
    ):
        if screen:
            return run_chat(joined, notices, look=screen_options(bell=bell), accept=most)
        return run_script(joined, notices, script, deadline=deadline)


def how_willing(standby: bool | None, *, screen: bool) -> int:
    """What `standby` of a hello is, by --standby and --no-standby; None: neither was given.

    With a screen --standby says what holds anyway: of 2 the room never chooses this computer by itself.
    """
    if standby is False:
        return 0
    return 1 if screen else 2 * bool(standby)
