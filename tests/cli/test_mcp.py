"""`lanchat mcp` as a command, and the official client of MCP, where it is installed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec

import pytest

from lanchat.cli.mcp import usual_nick
from lanchat.protocol.nicks import clean_nick
from lanchat.server.host import Host
from tests.support.waiting import PATIENCE

CLIENT = """
import asyncio, json, sys
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

async def main(room):
    server = StdioServerParameters(command=sys.executable, args=["-m", "lanchat", "mcp", "--room", room], env=ENV)
    async with stdio_client(server) as (reading, writing):
        async with ClientSession(reading, writing) as session:
            await session.initialize()
            print(*[tool.name for tool in (await session.list_tools()).tools])
            while True:
                answer = json.loads((await session.call_tool("rooms", {})).content[0].text)
                if answer["rooms"][0]["joined"]:
                    break
                await asyncio.sleep(0.05)
            print(json.loads((await session.call_tool("say", {"text": "hello"})).content[0].text)["kept"])

asyncio.run(main(sys.argv[1]))
"""


def test_the_command_answers_and_ends_with_its_stdin(lanchat):
    begin = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}}
    ended = lanchat.run("mcp", "--room", "127.0.0.1:1", input=json.dumps(begin) + "\n")
    assert ended.code == 0
    [line] = ended.lines
    assert json.loads(line)["result"]["serverInfo"]["name"] == "lanchat"


@pytest.mark.parametrize(
    ("folder", "nick"),
    [
        ("lanchat", "agent-lanchat"),
        ("", "agent-guest"),
        ("x" * 40, "agent-" + "x" * 22),
        ("写" * 40, "agent-" + "写" * 19),
    ],
)
def test_an_agent_has_a_nick_after_its_folder_whatever_that_is_called(folder, nick):
    assert usual_nick(folder) == clean_nick(nick)


def test_without_a_room_or_with_a_wrong_key_it_is_misused(lanchat):
    assert lanchat.run("mcp", input="").code == 2
    assert lanchat.run("mcp", "--room", "Room A", "--allow", "ann", input="").code == 2


@pytest.mark.skipif(find_spec("mcp") is None, reason="the official client of MCP is not installed (pip install mcp)")
def test_the_official_client_says_something(host: Callable[..., Host]):
    room = host("Room A")
    code = CLIENT.replace("ENV", repr(dict(os.environ)))
    ended = subprocess.run(
        [sys.executable, "-c", code, f"127.0.0.1:{room.port}"], capture_output=True, text=True, timeout=3 * PATIENCE
    )
    assert ended.stdout.splitlines() == ["rooms read wait who say tell", "True"], ended.stderr
