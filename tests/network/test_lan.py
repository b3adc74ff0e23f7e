"""A room whose machine changes its addresses, on real networks: it is always told and found where it can be joined."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Running
from tests.support.lab import Lab, Node
from tests.support.namespaces import require_namespaces
from tests.support.waiting import wait_until
from tests.support.watch import LONG

pytestmark = [pytest.mark.netns, pytest.mark.timeout(120)]


@pytest.fixture
def lab(own_world: Path) -> Iterator[Lab]:
    require_namespaces()
    with Lab(own_world) as made:
        yield made


def told(host: Running, sentence: str) -> str:
    """Wait until the host tells its person this.

    Returns:
        The address that others shall join at.
    """
    return wait_until(lambda: _told(host, sentence), LONG, sentence)


def _told(host: Running, sentence: str) -> str:
    found = re.search(rf"{re.escape(sentence)} lanchat join (\S+)", host.err)
    return found[1] if found else ""


def invite(host: Running) -> str:
    return next(str(line).split("'")[1] for line in host.err.splitlines() if "lanchat://" in line)


def joins(node: Node, where: str) -> None:
    ended = node.lanchat.run("join", where, "--nick", "bob", input="hello\n")
    assert ended.code == 0, ended.err


def move_away(a: Node, room: Running) -> None:
    """The computer of the host gets another address."""
    a.lose(f"{a.address}/24")
    a.give("10.99.0.77/24")
    assert told(room, "This machine has a new address. Others join with:") == f"10.99.0.77:{room.port}"


def finds_it_there(b: Node, room: Running) -> None:
    ended = b.lanchat.run("join", invite(room), "--nick", "bob", input="hello\n")
    # whichever address answers first: on a busy machine that may be the one of IPv6
    assert ended.code == 0 and re.search(rf"Room A has moved to \S+:{room.port}\.", ended.err), ended.err


@pytest.mark.full
def test_a_room_on_a_chosen_interface_follows_its_address_and_an_old_invite_finds_it(lab):
    a, b = lab.node("a"), lab.node("b")
    room = a.lanchat.host("Room A", "--interface", "eth0", announce=True)
    move_away(a, room)
    finds_it_there(b, room)


@pytest.mark.full
def test_who_is_in_a_room_whose_address_changes_finds_it_again(lab):
    """It takes the 25 s after which a silent host counts as lost."""
    a, b = lab.node("a"), lab.node("b")
    room = a.lanchat.host("Room A", "--interface", "eth0", announce=True)
    ann = b.lanchat.start("join", invite(room), "--nick", "ann", stdin="pipe")
    ann.wait_err("ann joined")
    move_away(a, room)
    finds_it_there(b, room)
    ann.wait_out("bob: hello\n")


@pytest.mark.full
def test_a_room_that_was_opened_before_the_network_was_up_can_be_joined(lab):
    a, b = lab.node("a"), lab.node("b")
    address = a.address
    a.lose(f"{address}/24")
    a.cut()
    room = a.lanchat.start("host", "Room A", "--nick", "hal", "--headless")
    room.wait_err("This machine has no network.")
    a.mend()
    a.give(f"{address}/24")
    joins(b, told(room, "Others can join now:"))
    joins(b, "Room A")


@pytest.mark.full
def test_an_interface_that_has_just_come_up_is_listened_on(lab):
    """Its IPv6 address cannot be used for a second or two."""
    a, b = lab.node("a"), lab.node("b")
    a.cut()
    a.mend()
    room = a.lanchat.host("Room A", "--interface", "eth0", announce=True)
    joins(b, f"{a.address}:{room.port}")
    scoped = next(
        line.split()[3].partition("/")[0] for line in a.ip("-6", "-o", "address", "show", "eth0").splitlines()
    )
    wait_until(lambda: b.lanchat.run("join", f"[{scoped}%eth0]:{room.port}", input="hello\n").code == 0, LONG)


@pytest.mark.full
def test_the_invite_names_the_network_and_not_a_bridge_inside_this_machine(lab):
    a, b = lab.node("a", on=()), lab.node("b")
    a.ip("link", "add", "docker0", "type", "bridge")
    a.ip("address", "add", "172.17.0.1/16", "dev", "docker0")
    a.ip("link", "set", "docker0", "up")
    lab.connect(a, "lan")
    room = a.lanchat.host("Room A", announce=True)
    assert "172.17" not in room.err
    joins(b, invite(room))


@pytest.mark.full
def test_two_machines_and_a_cable_are_a_network(lab):
    a, b = lab.node("a", on=()), lab.node("b", on=())
    lab.connect(a, "lan", address="169.254.3.4/16")
    lab.connect(b, "lan", address="169.254.5.6/16")
    room = a.lanchat.host("Room A", announce=True)
    assert room.address.startswith("169.254.3.4:") and "no network" not in room.err
    joins(b, invite(room))
    joins(b, "Room A")
