"""lanchat started without stdin, stdout or stderr, as cron and some supervisors do it."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.commands import Commands, Running
from tests.support.sampling import sampled
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="closes descriptors with a POSIX shell")


@pytest.fixture
def without(own_world: Path) -> Iterator[Callable[[str], Commands]]:
    """`without("2>&-")`: lanchat with this stream closed."""
    opened: list[Commands] = []

    def make(closed: str) -> Commands:
        shell = ("sh", "-c", f'exec "$@" {closed}', "sh")
        opened.append(Commands(own_world / f"closed{len(opened)}", shell))
        return opened[-1]

    yield make
    for commands in opened:
        commands.close()


@pytest.fixture
def room(lanchat: Commands) -> Running:
    return lanchat.host("Room A")


@pytest.mark.full
def test_without_stderr_the_data_stays_data(without, room):
    ended = without("2>&-").run("join", room.address, "--nick", "ann", "--json", input="hello\n")
    assert ended.code == 0
    assert {json.loads(line)["event"] for line in ended.lines} == {"came", "joined", "kept", "ended"}


@pytest.mark.full
def test_without_stderr_a_script_hears_what_it_waits_for(without, lanchat, room):
    """It does so although somebody has joined, which would be told on stderr."""
    waiting = without("2>&-").start("join", room.address, "--nick", "ann", "--until", "ship it")
    room.wait_err("ann joined")
    assert lanchat.run("join", room.address, "--nick", "bob", input="ship it\n").code == 0
    assert waiting.wait().code == 0


@pytest.mark.parametrize(
    "command",
    sampled(
        ["join", "rooms --wait 0", "history Room-A", "history Room-A --json", "trust", "id", "--version"],
        1,
    ),
)
def test_without_stdout_every_command_does_its_work(without, lanchat, room, command):
    lanchat.run("join", room.address, "--nick", "ann", input="hello\n")
    arguments = [word.replace("-A", " A") for word in command.split()]
    arguments += [room.address, "--nick", "ann"] if command == "join" else []
    ended = without(">&-").run(*arguments, LANCHAT_HOME=str(lanchat.home("ann")))
    no_room = arguments[0] == "rooms"  # on this network: it is not announced
    assert ended.code == (3 if no_room else 0) and "Traceback" not in ended.err, ended


@pytest.mark.full
@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", "<&-", ">&-", "2>&-"])
def test_a_host_without_streams_serves_its_room(without, lanchat, udp_port, closed):
    """No socket and no file of the room takes the place of a stream."""
    port = udp_port  # free for TCP as well, as far as one can tell
    host = without(closed).start("host", "Room A", "--nick", "hal", "--port", str(port), "--no-announce", "--headless")
    with socket.socket() as sock:
        wait_until(lambda: sock.connect_ex(("127.0.0.1", port)) == 0, PATIENCE)
    assert lanchat.run("join", f"127.0.0.1:{port}", "--nick", "ann", input="hello\n").code == 0
    assert host.stop().code == 130
