"""Rooms on real networks: nodes in network namespaces, found over multicast, joined and talked in."""

import json
import re
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.commands import Commands
from tests.support.lab import Lab, Node
from tests.support.namespaces import Namespace, missing, require_namespaces
from tests.support.waiting import PATIENCE, wait_until
from tests.support.watch import LONG, Watch

pytestmark = [pytest.mark.netns, pytest.mark.timeout(120)]

if not missing():
    from tests.support.ptyscreen import PtyScreen


@pytest.fixture
def lab(own_world: Path) -> Iterator[Lab]:
    require_namespaces()
    with Lab(own_world) as made:
        yield made


def test_two_hosts_and_a_member_find_each_other_and_talk(lab):
    a, b, c = lab.node("a"), lab.node("b"), lab.node("c")
    watch = Watch(c)
    hal = a.lanchat.host("Room A", nick="hal", stdin="pipe", announce=True)
    hans = b.lanchat.host("Room B", nick="hans", announce=True)
    assert hal.address == f"{a.address}:{hal.port}", "the address that it tells others is its address on the network"
    watch.wait_hosts("hal", "hans")
    both = {"hal": f"Room A {hal.address}", "hans": f"Room B {hans.address}"}
    wait_until(lambda: watch.answering == both, LONG, "the addresses that people can type to come first")

    def listed() -> set[str]:
        return {json.loads(line)["title"] for line in c.lanchat.run("rooms", "--json").lines}

    wait_until(lambda: listed() == {"Room A", "Room B"}, LONG, "both rooms")
    ann = c.lanchat.start("join", "Room A", "--nick", "ann", "--wait", f"{PATIENCE}", stdin="pipe")
    ann.wait_err("ann joined")
    ann.say("hello\n")
    hal.wait_out("ann: hello\n")
    hal.say("hello ann\n")
    ann.wait_out("hal: hello ann\n")
    # Upper or lower case.
    bob = b.lanchat.start("join", "room a", "--wait", f"{PATIENCE}", "--nick", "bob", "--history", stdin="pipe")
    bob.wait_out("hello ann\n")
    bob.end_input()
    bob = bob.wait()
    assert (bob.code, bob.lines) == (0, ["ann: hello", "hal: hello ann"])
    ann.end_input()
    assert ann.wait().code == 0
    assert hans.out == ""
    assert hal.lines == ["ann: hello"]


@pytest.mark.full
def test_a_host_that_is_killed_leaves_the_list(lab):
    a, b = lab.node("a"), lab.node("b")
    watch = Watch(b)
    hal = a.lanchat.host("Room A", announce=True)
    watch.wait_hosts("hal")
    hal.send(signal.SIGKILL)
    watch.wait_hosts()
    ended = b.lanchat.run("join", "Room A", "--wait", "0.5")
    assert ended.code == 3 and '"Room A"' in ended.said[0] and "0.5 s" in ended.said[0]


@pytest.mark.full
def test_two_rooms_of_one_title_ask_which(lab):
    a, b, c = lab.node("a"), lab.node("b"), lab.node("c")
    watch = Watch(c)
    hal = a.lanchat.host("Room A", nick="hal", announce=True)
    hans = b.lanchat.host("Room A", nick="hans", announce=True)
    watch.wait_hosts("hal", "hans")
    script = c.lanchat.run("join", "Room A", "--nick", "ann", input="hello\n")
    assert (script.code, script.said[0]) == (1, 'lanchat: 2 rooms are called "Room A".')
    for host, nick in ((hal, "hal"), (hans, "hans")):
        assert f"{host.address} hosted by {nick}" in script.said[1]
    with person(c, "join", "Room A", "--nick", "ann") as screen:
        screen.wait_until(lambda: "Which one" in screen.text)
        row = next(line for line in screen.lines if "hosted by hans" in line)
        screen.press(row.split()[0] + "\r")
        screen.wait_until(lambda: "ann" in screen.text and "Which one" not in screen.lines[-1])
        hans.wait_err("ann joined")
        screen.press("hello hans\r")
        hans.wait_out("ann: hello hans\n")
        screen.press("/quit\r")
        assert screen.wait_exit() == 0
    assert hal.out == ""


@pytest.mark.full
def test_a_room_of_a_known_title_is_not_entered_in_the_place_of_the_known_one(lab):
    """hal's room is away, and hans has opened one of its title. A script gets an error; a person is asked."""
    a, b, c = lab.node("a"), lab.node("b"), lab.node("c")
    watch = Watch(c)
    hal = a.lanchat.host("Room A", nick="hal", announce=True)
    join = ("join", "Room A", "--nick", "person")
    for nick in ("person", "script"):
        assert c.lanchat.run("join", "Room A", "--nick", nick, input="for hal\n").code == 0
    hal.stop()
    hans = b.lanchat.host("Room A", nick="hans", announce=True)
    watch.wait_hosts("hans")
    script = c.lanchat.run(*join, input="for hal alone\n")
    assert script.code == 3 and 'You know another room called "Room A"' in script.err and "forget" not in script.err
    for answer, code in (("n", 130), ("y", 0)):
        with person(c, *join) as screen:
            screen.wait_until(lambda: "Join it" in screen.text)
            assert "hosted by hans" in screen.text
            screen.press(answer + "\r")
            if code == 0:
                hans.wait_err("person joined")
                screen.press("/quit\r")
            assert screen.wait_exit() == code
    assert c.lanchat.run("join", "Room A", "--nick", "script", "--new-host", input="hello\n").code == 0
    assert hans.lines == ["script: hello"]


def test_two_people_at_their_terminals_meet_in_a_room(lab):
    """The main task as two people see it: one opens a room, the other picks it from the live list, and they talk."""
    a, b = lab.node("a"), lab.node("b")
    with (
        person(a, "host", "Room A", "--nick", "hal") as hal,
        person(b, "join", "--nick", "ann") as ann,
    ):
        ann.wait_until(lambda: "Room A" in ann.text and "hal" in ann.text)
        ann.press("\r")
        hal.wait_until(
            lambda: re.search(r"ann\S* joined", hal.text) is not None
        )  # with or without the beginning of her key
        hal.press("half a li")
        ann.press("hello from b\r")
        hal.wait_until(lambda: "hello from b" in hal.text and "half a li" in hal.text)
        hal.press("ne\r")
        ann.wait_until(lambda: "half a line" in ann.text)
        hal.press("\x04")
        hal.wait_until(lambda: "close the room for 1 person" in hal.text)
        hal.press("\x04")
        assert hal.wait_exit() == 0
        ann.wait_until(lambda: "Waiting in case it opens again" in ann.text)
        ann.press("\x04")
        ann.wait_until(lambda: "Rooms on this network" in ann.text)
        ann.press("q")
        assert ann.wait_exit() == 0


def person(node: Node, *arguments: str) -> "PtyScreen":
    """A person who starts lanchat in a terminal of this node."""
    env = {"LANCHAT_HOME": str(node.lanchat.home("person")), "LANCHAT_INTERFACE": ""}
    return PtyScreen(node.lanchat.argv(*arguments), env=env)


@pytest.mark.full
def test_a_room_on_two_networks_is_one_room(lab):
    a, b, c = lab.node("a", on=("lan", "lab")), lab.node("b", on=("lan",)), lab.node("c", on=("lab",))
    watches = [Watch(b), Watch(c)]
    hal = a.lanchat.host("Room A", announce=True)
    for node, watch, address in zip((b, c), watches, a.addresses, strict=True):
        assert watch.wait_hosts("hal") == {"hal": f"Room A {address}:{hal.port}"}
        assert node.lanchat.run("join", "Room A", "--nick", node.name, input="hello\n").code == 0
    assert hal.lines == ["b: hello", "c: hello"]


@pytest.mark.full
def test_a_chosen_interface_is_the_only_one(lab):
    a, b, c = lab.node("a", on=("lan", "lab")), lab.node("b", on=("lan",)), lab.node("c", on=("lab",))
    elsewhere, watch = Watch(b), Watch(c)
    hal = a.lanchat.host("Room A", "--interface", "eth1", announce=True)
    assert hal.address == f"{a.addresses[1]}:{hal.port}"
    watch.wait_hosts("hal")
    assert elsewhere.rows == {}
    assert b.lanchat.run("join", f"{a.addresses[0]}:{hal.port}").code == 3


@pytest.mark.full
def test_joining_by_address_works_without_multicast(lab):
    """The network drops multicast, broadcast and everything else over UDP."""
    a, b = lab.node("a"), lab.node("b")
    b.nft("add rule inet lab input meta l4proto udp drop")
    hal = a.lanchat.host("Room A", announce=True)
    ended = b.lanchat.run("join", "Room A", "--wait", "2")
    assert ended.code == 3
    what, to_do = ended.said
    assert '"Room A"' in what and "2 s" in what and to_do.endswith("lanchat join ADDRESS")
    assert b.lanchat.run("join", hal.address, "--nick", "bob", input="hello\n").code == 0
    hal.wait_out("bob: hello\n")


@pytest.mark.full
def test_a_member_whose_interface_is_down_is_told_so_and_joins_when_it_is_up(lab):
    a, b = lab.node("a"), lab.node("b")
    hal = a.lanchat.host("Room A", announce=True)
    b.cut()
    by_title = b.lanchat.run("join", "Room A", "--wait", "1")
    assert by_title.code == 3 and len(by_title.said) == 2
    assert '"Room A"' in by_title.said[0] and "1 s" in by_title.said[0]
    by_address = b.lanchat.run("join", hal.address)
    assert by_address.code == 3
    what, to_do = by_address.said
    assert hal.address in what and "network is unreachable" in what.lower() and "firewall" in to_do
    b.mend()
    assert b.lanchat.run("join", "Room A", "--nick", "bob", "--wait", "10", input="back\n").code == 0


@pytest.mark.parametrize("loopback", [False, True], ids=["nothing", "loopback"])
@pytest.mark.full
def test_a_room_can_be_hosted_without_any_network(own_world, loopback):
    """Hosting works, and says that nobody else will find the room."""
    require_namespaces()
    with (
        closing(Namespace("alone", loopback=loopback)) as alone,
        Commands(own_world, alone.prefix, {"LANCHAT_INTERFACE": None}) as lanchat,
    ):
        hal = lanchat.start("host", "Room A", "--nick", "hal", "--port", "0", stdin="pipe")
        hal.wait_err("hal joined")
        hal.wait_err("no network")
        if loopback:
            assert lanchat.run("join", "Room A", "--nick", "ann", input="hello\n").code == 0
            hal.wait_out("ann: hello\n")
        hal.say("hello\n")
        hal.end_input()
        ended = hal.wait()
        assert ended.code == 0 and "Traceback" not in ended.err
        looked = lanchat.run("rooms", "--wait", "0.5")
        assert looked.code == 3 and looked.out == "" and "Traceback" not in looked.err
        joined = lanchat.run("join", "Room A", "--wait", "0.5")
        assert joined.code == 3 and len(joined.said) == 2
        for problem in (looked.said[0], joined.said[0]):
            assert "This machine has no network." in problem and "mDNS" not in problem


def test_a_lab_leaves_nothing_behind(own_world):
    """Nor an open namespace: the fixture `leaves_nothing` looks for its descriptor."""
    require_namespaces()
    with pytest.raises(RuntimeError, match="midway"), Lab(own_world) as lab:
        a = lab.node("a")
        hal = a.lanchat.host("Room A")
        raise RuntimeError("midway")
    assert hal.process.poll() is not None
