"""Whoever is killed before a private message was shown gets it again."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lanchat.client.member import Member
from lanchat.protocol.messages import Joined
from lanchat.server.host import Host
from tests.support.commands import Commands
from tests.support.people import Listener

pytestmark = pytest.mark.skipif(os.name != "posix", reason="uses signals of POSIX systems")

# Runs lanchat until this method, or what it belongs to, has to do with our message: MODULE CLASS.METHOD ARGUMENTS
KILLED = """
import importlib, os, signal, sys
from lanchat.cli.main import main
module, path = sys.argv[1:3]
del sys.argv[1:3]
owner, name = path.split(".")
place = getattr(importlib.import_module(module), owner)
real = getattr(place, name)
def die(*arguments, **options):
    if any(word in repr([arguments, vars(arguments[0])]) for word in ("psst", "Told(")):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments, **options)
setattr(place, name, die)
main()
"""


class KillableCommands(Commands):
    """`lanchat.start("lanchat.terminal.tail", "Tail._flush", "tail", "Room A")`: it is killed there."""

    def argv(self, *arguments: str) -> list[str]:
        killed = arguments[0].startswith("lanchat.")
        return [sys.executable, "-c", KILLED, *arguments] if killed else super().argv(*arguments)


@pytest.fixture
def lanchat(own_world: Path) -> Iterator[KillableCommands]:
    with KillableCommands(own_world / "home") as commands:
        yield commands


@pytest.mark.parametrize(
    ("module", "method", "shown"),
    [
        pytest.param("lanchat.client.inbound", "Inbound._receive_private", "", marks=pytest.mark.full),
        pytest.param("lanchat.client.queue", "EventQueue.put", "", marks=pytest.mark.full),
        pytest.param("lanchat.terminal.tail", "Tail._take", "", marks=pytest.mark.full),
        ("lanchat.terminal.tail", "Tail._flush", ""),
        pytest.param("lanchat.client.member", "Member.confirm", "[ann -> you] psst\n", marks=pytest.mark.full),
    ],
)
def test_a_private_message_comes_again_if_the_program_is_killed_first(
    lanchat: KillableCommands,
    host: Callable[..., Host],
    join: Callable[..., Member],
    module: str,
    method: str,
    shown: str,
) -> None:
    """At the last of these steps it was shown; nobody has told the host, so it comes once more."""
    room = host("Room A")
    ann, at = Listener(join(room, "ann")), f"127.0.0.1:{room.port}"
    bob = lanchat.start(module, method, "tail", at, "-n", "0", "-f", "--nick", "bob")
    ann.hear_kind(Joined, nick="bob")
    ann.member.outgoing.tell("bob", "psst")
    ended = bob.wait()
    assert (ended.code, ended.out) == (-9, shown)
    assert lanchat.run("tail", at, "-n", "0", "--nick", "bob").lines == ["[ann -> you] psst"]
    assert lanchat.run("tail", at, "-n", "0", "--nick", "bob").lines == []
