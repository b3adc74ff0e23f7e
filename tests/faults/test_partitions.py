"""A room whose network is cut in two, or one way, or again and again, or loses packets; all meet again with all lines.

In namespaces of our own. LANCHAT_LONGER=10 makes those that take turns ten times as long.
"""

import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.cable import Cable, require_cables
from tests.faults.crowd import Crowd, Node
from tests.support.lab import Lab
from tests.support.lab import Node as Machine
from tests.support.longer import TIMES
from tests.support.namespaces import Namespace, require_namespaces
from tests.support.waiting import PATIENCE, wait_until

NICKS = ("ann", "bob", "cat", "dan", "eve", "fay")  # the last two are never standbys
SILENCE = 4.0  # s; after it each node has noticed that another one is gone

pytestmark = [pytest.mark.full, pytest.mark.netns, pytest.mark.timeout(120 + 60 * TIMES)]


class Network:
    """Six computers on a switch, which can be cut off from each other."""

    def __init__(self, folder: Path, nicks: Sequence[str] = NICKS) -> None:
        self._lab = Lab(folder / "lab")
        self._machines = {nick: self._lab.node(nick) for nick in nicks}
        nodes = [
            Node(folder, nick, wrap=machine.prefix, address=machine.address) for nick, machine in self._machines.items()
        ]
        self.crowd = Crowd(folder, nodes, members=max(0, len(nicks) - 4))

    def nodes(self, nicks: str) -> list[Node]:
        return [node for node in self.crowd.nodes if node.nick in nicks.split()]

    def cut(self, one: str, other: str, *, back: bool = True) -> None:
        """From now on nothing from the first ones reaches the others.

        Args:
            back: nor what these send.
        """
        self._drop(one, other)
        if back:
            self._drop(other, one)

    def mend(self) -> None:
        for machine in self._machines.values():
            machine.nft("flush chain inet lab input")

    def close(self) -> None:
        self.crowd.close()
        self._lab.close()

    def _drop(self, sources: str, targets: str) -> None:
        addresses = ", ".join(self._machine(nick).address for nick in sources.split())
        for nick in targets.split():
            self._machine(nick).nft(f"add rule inet lab input ip saddr {{ {addresses} }} drop")

    def _machine(self, nick: str) -> Machine:
        return self._machines[nick]


@pytest.fixture
def network(tmp_path: Path, leaves_nothing: None, own_world: Path) -> Iterator[Network]:
    require_namespaces()
    made = Network(tmp_path)
    yield made
    made.close()


@pytest.fixture
def three(tmp_path: Path, leaves_nothing: None, own_world: Path) -> Iterator[Network]:
    """Three computers that may all host."""
    require_namespaces()
    made = Network(tmp_path, NICKS[:3])
    yield made
    made.close()


def talk(nodes: Sequence[Node], lines: int = 10) -> None:
    """Each says so many lines, and all of them hear all."""
    said = [node.say() for _ in range(lines) for node in nodes]
    wait_until(lambda: all(set(said) <= set(node.shown) for node in nodes), what="all to hear all")


def hosts_among(nodes: Sequence[Node]) -> bool:
    """Whether one of these hosts, and the others are there."""
    hosts = [node for node in nodes if node.port]
    return len(hosts) == 1 and all(node.port or node.state.startswith("member") for node in nodes)


def stays(seconds: float) -> None:
    """The time itself is the fault here; there is no condition to wait for."""
    threading.Event().wait(seconds)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ann cat eve", "bob dan fay"), ("ann", "bob cat dan eve fay"), ("ann eve", "bob cat dan fay")],
    ids=["three and three", "the owner alone", "the owner and a member"],
)
def test_both_halves_of_a_network_talk_and_find_each_other_again(network: Network, one: str, other: str) -> None:
    crowd = network.crowd
    crowd.begin()
    talk(crowd.nodes)
    network.cut(one, other)
    halves = network.nodes(one), network.nodes(other)
    for half in halves:
        for node in half:
            node.say()  # some of it to a host that is not there any more
    wait_until(lambda: all(hosts_among(half) for half in halves), what="two hosts")
    for half in halves:
        talk(half)
    network.mend()
    host = crowd.wait_ready()
    assert host.nick == "ann" or one == "ann", "an owner with company never yields"
    crowd.judge(apart=True)


def test_three_parts_of_a_network_find_each_other_again(network: Network) -> None:
    crowd = network.crowd
    crowd.begin()
    network.cut("ann eve", "bob fay cat dan")
    network.cut("bob fay", "cat dan")
    parts = [network.nodes(nicks) for nicks in ("ann eve", "bob fay", "cat dan")]
    wait_until(lambda: all(hosts_among(part) for part in parts), what="three hosts")
    for part in parts:
        talk(part)
    network.mend()
    crowd.wait_ready()
    crowd.judge(apart=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ann", "bob cat"), ("bob cat", "ann")],
    ids=["nobody hears the host", "the host hears nobody"],
)
def test_packets_that_come_through_one_way_only_lose_nothing(three: Network, one: str, other: str) -> None:
    crowd = three.crowd
    crowd.begin()
    talk(crowd.nodes)
    three.cut(one, other, back=False)
    for node in crowd.nodes:
        node.say()
    wait_until(lambda: hosts_among(three.nodes("bob cat")), what="another host")
    talk(three.nodes("bob cat"))
    three.mend()
    crowd.wait_ready()
    crowd.judge(apart=True)


def test_nobody_moves_where_only_host_and_sync_standby_are_cut_off_from_each_other(three: Network) -> None:
    crowd = three.crowd
    crowd.begin()
    ann, bob, cat = crowd.nodes
    three.cut("ann", "bob")
    apart = lambda: bob.state.startswith("alone") and ann.state.endswith("backup cat")  # noqa: E731
    wait_until(apart, timeout=2 * PATIENCE, what="both to notice")  # ann does when bob's link is dead, after 25 s
    bob.say()
    talk([ann, cat])
    stays(SILENCE)
    assert ann.port and cat.state.startswith("member")
    three.mend()
    crowd.wait_ready()
    crowd.judge()
    assert ann.moves == []


def test_a_network_that_flaps_loses_nothing(network: Network) -> None:
    """Cut and whole again every 2 s, where it tears at random, and everybody talks."""
    crowd, chance = network.crowd, random.Random(1)
    crowd.begin()
    for _ in range(6 * TIMES):
        some = chance.sample(NICKS, chance.randrange(1, len(NICKS)))
        network.cut(" ".join(some), " ".join(nick for nick in NICKS if nick not in some))
        for node in crowd.nodes:
            node.say()
        stays(chance.uniform(1.0, 4.0))
        network.mend()
        for node in crowd.nodes:
            node.say()
        stays(chance.uniform(0.5, 4.0))
    crowd.wait_ready()
    crowd.judge(apart=True)


def test_a_network_that_loses_and_delays_moves_nothing(tmp_path: Path, leaves_nothing: None, own_world: Path) -> None:
    """10 % of all packets lost, and 200 ms, each way between any two of them."""
    require_cables()
    with ExitStack() as stack:
        switch = Namespace("switch")
        stack.callback(switch.close)
        switch.call("sysctl", "-qw", "net.ipv4.ip_forward=1")
        nodes, cables = [], []
        for number, nick in enumerate(NICKS[:3]):
            machine = Namespace(nick)
            stack.callback(machine.close)
            cable = Cable(switch, machine, seed=number)
            stack.callback(cable.close)
            machine.ip("route", "add", "default", "via", cable.near_address)
            cables.append(cable)
            nodes.append(Node(tmp_path, nick, wrap=machine.prefix, address=cable.far_address))
        crowd = Crowd(tmp_path, nodes)
        stack.callback(crowd.close)
        crowd.begin()
        for cable in cables:
            cable.loss, cable.delay, cable.jitter = 0.05, 0.1, 0.025  # each way over two of these
        ann, bob, cat = nodes
        before = [len(node.states) for node in nodes]
        for _ in range(30 * TIMES):
            for node in nodes:
                node.say()
            stays(1.0)
        told = [node.states[number:] for node, number in zip(nodes, before, strict=True)]
        assert ann.port and not bob.port and not cat.port, told
        assert ann.moves == []
        crowd.judge()
