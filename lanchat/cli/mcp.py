"""The command for coding agents: an MCP server on stdin and stdout."""

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import click

from lanchat.cli import options
from lanchat.cli.completion import titles
from lanchat.cli.joining import note
from lanchat.cli.usage import ExplainedCommand
from lanchat.errors import LanchatError, Refused

if TYPE_CHECKING:
    from pathlib import Path

    from lanchat.agents.calls import Calls
    from lanchat.agents.inbox import AgentInbox
    from lanchat.agents.rooms import AgentRoom
    from lanchat.agents.rules import Allowed
    from lanchat.api.room import JoinedRoom
    from lanchat.storage.agents import AgentIdentity
    from lanchat.terminal.prompts import Who

FIND_WAIT = 5.0  # s to look for a title; it is looked for again


@click.command(cls=ExplainedCommand)
@click.option(
    "--room",
    "rooms",
    multiple=True,
    required=True,
    metavar="ROOM",
    shell_complete=titles,
    help="Join this room: a title, an address HOST[:PORT] or an invite. May be repeated.",
)
@click.option(
    "--nick",
    envvar="LANCHAT_AGENT_NICK",  # LANCHAT_NICK is that of the person
    show_envvar=True,
    metavar="NICK",
    help="The agent's nick (default agent-FOLDER, after the folder it starts in).",
)
@click.option(
    "--allow",
    multiple=True,
    metavar="FINGERPRINT|any",
    help="Whose messages may call the agent (see lanchat id). May be repeated (default: yours alone).",
)
@options.flag("--read-only", help="Leave out the tools that say something.")
@options.flag("--push", help="Also put what calls the agent into its conversation (channels of Claude Code).")
@options.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False),
    metavar="FOLDER",
    help="Let the agent send files below this folder (default none).",
)
@options.password_file
@options.flag(
    "--new-host", help="Join a TITLE on a host you have not met, even if you know another room with that title."
)
@options.interface
def mcp(
    rooms: tuple[str, ...],
    nick: str | None,
    allow: tuple[str, ...],
    read_only: bool,
    push: bool,
    folder: str | None,
    password_file: str | None,
    new_host: bool,
    interface: tuple[str, ...],
) -> int:
    """Let a coding agent take part in rooms: an MCP server over stdin and stdout.

    The agent has an identity of its own, and the others see that it is a program. What others say reaches it as data
    that is marked as untrusted. `lanchat help agents` tells how to add it to an agent, and how far to trust it.

    \b
    lanchat mcp --room "Room A"
    lanchat mcp --room "Room A" --read-only --allow "0b73 3747 9498 2241 5104 d922 892b 29ec"
    """
    from lanchat.agents.inbox import AgentInbox
    from lanchat.agents.jsonrpc import split
    from lanchat.agents.rooms import AgentRoom, Once
    from lanchat.agents.server import Server
    from lanchat.agents.tools import tools
    from lanchat.storage.home import home_folder

    home = home_folder()
    if sys.stdin.isatty():
        note("This is a server for a coding agent. To add it to one: lanchat help agents. Ctrl-C ends it.")
    if nick is not None:
        _check_nick(nick)
    ids = _ids(allow)
    own = Once(partial(_agent, home, nick, password_file))
    allowed = Once(partial(_allowed, ids, "any" in allow, home))
    inbox = AgentInbox()
    agent_rooms = [
        AgentRoom(room, partial(_join, room, own, interface, new_host), inbox, allowed, note)
        for room in dict.fromkeys(rooms)
    ]
    listed = tools(read_only=read_only, files=folder is not None)
    calls = Once(partial(_calls, agent_rooms, inbox, folder))
    return Server(listed, calls, agent_rooms, inbox, sys.stdout, push=push).run(split(_stdin()))


def _calls(agent_rooms: "Sequence[AgentRoom]", inbox: "AgentInbox", folder: str | None) -> "Calls":
    from pathlib import Path

    from lanchat.agents.calls import Calls

    return Calls(agent_rooms, inbox, None if folder is None else Path(folder))


def _check_nick(nick: str) -> None:
    from lanchat.protocol.nicks import clean_nick

    options.checked(clean_nick, nick, "--nick")


class _Agent(NamedTuple):
    """Who joins."""

    who: "Who"
    own: "AgentIdentity"


def _agent(home: "Path", nick: str | None, password_file: str | None) -> _Agent:
    """The agent's identity, and the password, which may come from a pipe. Called once."""
    from lanchat.storage.agents import agent_identity
    from lanchat.terminal.prompts import WantedNick, Who, given_password

    own = agent_identity(home, nick or usual_nick(os.path.basename(os.getcwd())))
    return _Agent(Who(WantedNick(own.nick, given=True), given_password(password_file)), own)


def usual_nick(folder: str) -> str:
    """The nick of an agent that starts in the folder with this name, with room for the number of a second one."""
    from lanchat.protocol.nicks import nick_from

    return nick_from(f"agent-{nick_from(folder)}"[:28]).rstrip("-")


def _ids(allow: tuple[str, ...]) -> frozenset[str]:
    """The member ids that are named. A fingerprint has the form of a room id.

    Raises:
        click.BadParameter: one of them is not a fingerprint.
    """
    from lanchat.protocol.ids import is_room_id

    ids = {one: one.replace(" ", "").lower() for one in allow if one != "any"}
    for one, id in ids.items():
        if not is_room_id(id):
            raise click.BadParameter(
                f'"{one}" is not a fingerprint. Its owner sees it with lanchat id.', param_hint="--allow"
            )
    return frozenset(ids.values())


def _allowed(ids: frozenset[str], everybody: bool, home: "Path") -> "Allowed":
    """Who may call the agent: those who are named, else its person."""
    from lanchat.agents.rules import Allowed
    from lanchat.protocol.ids import member_id
    from lanchat.storage.identity import find_public_key

    if not (ids or everybody) and (key := find_public_key(home)) is not None:
        ids = frozenset([member_id(key)])
    return Allowed(ids, everybody)


def _join(
    room: str,
    agent: Callable[[], _Agent],
    interface: tuple[str, ...],
    new_host: bool,
    nick: str = "",
) -> "JoinedRoom":
    """Join as a program; where the nick is taken, under the one that the host proposes."""
    from lanchat.terminal.joining import join_by_name

    who, own = agent()
    if nick:
        who = who._replace(nick=who.nick._replace(text=nick))
    try:
        return join_by_name(
            room,
            who,
            FIND_WAIT,
            interface,
            note,
            ask=False,
            new_host=new_host,
            keeping="nothing",
            bot=True,
            identity=own.identity,
        )
    except Refused as refused:
        if nick or refused.code != "nick" or not refused.suggestion:
            raise
        return _join(room, agent, interface, new_host, refused.suggestion)
    except click.ClickException as error:
        raise LanchatError(error.format_message()) from None


def _stdin() -> "Callable[[], bytes]":
    from lanchat.terminal.stdio import read_some

    return partial(read_some, sys.stdin.fileno())
