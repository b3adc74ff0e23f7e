"""A room with a host in each of three subnets, on one engine: network namespaces, with a router between them."""

import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.commands import Running
from tests.support.engines import SAFE, RedisProcess
from tests.support.lab import Lab
from tests.support.namespaces import require_namespaces
from tests.support.waiting import wait_until
from tests.support.watch import Watch

pytestmark = [pytest.mark.netns, pytest.mark.full, pytest.mark.timeout(240)]

SECRET = "opensesame"  # of the engine, which machines of other networks use
STOOD_STILL = "It hosts the room again."


class Subnet:
    """A network behind the router, with a computer that hosts the room and one whose person only joins it."""

    def __init__(self, lab: Lab, number: int, name: str, host: str, member: str) -> None:
        self.name, self.host_nick, self.nick = name, host, member
        self.host_node, self.node = (lab.node(nick, on=(name,)) for nick in (host, member))
        lab.switch.ip("address", "add", f"10.99.{number}.254/24", "dev", name)
        for node in (self.host_node, self.node):
            node.ip("route", "add", "default", "via", f"10.99.{number}.254")
        self.host: Running | None = None
        self.member: Running | None = None

    @property
    def fingerprint(self) -> str:
        """What `lanchat id` shows on the computer that is to host."""
        return self.host_node.lanchat.run("id", who=self.host_nick).lines[-1]

    def open(self, engine: str, *options: str) -> None:
        self.host = self.host_node.lanchat.host(
            "Room A", *options, nick=self.host_nick, announce=True, LANCHAT_ENGINE=engine
        )

    def join(self) -> None:
        """By the title, which is announced in this subnet alone."""
        Watch(self.node).wait_hosts(self.host_nick)
        self.member = self.node.lanchat.start("join", "Room A", "--nick", self.nick, stdin="pipe")
        self.member.wait_err(f"{self.nick} joined")

    def say(self, text: str) -> None:
        assert self.member is not None
        self.member.say(f"{text}\n")

    @property
    def heard(self) -> list[str]:
        """What its member has read."""
        assert self.member is not None
        return self.member.lines

    @property
    def kept(self) -> list[str]:
        """What its host has read, which says nothing itself."""
        assert self.host is not None
        return self.host.lines


@pytest.fixture
def subnets(own_world: Path) -> Iterator[list[Subnet]]:
    """All have a host and a member; ann, who hosts in the first one, owns the room. The engine is at the router."""
    require_namespaces()
    with Lab(own_world) as lab:
        people = (("cellar", "ann", "amy"), ("hall", "bob", "ben"), ("attic", "cat", "cyd"))
        subnets = [Subnet(lab, number, *names) for number, names in enumerate(people)]
        lab.switch.call("sysctl", "-qw", "net.ipv4.ip_forward=1")
        with lab.switch.inside():
            server = RedisProcess(own_world / "redis", *SAFE, "--bind", "*", "--requirepass", SECRET)
        with server:
            engine = f"redis://:{SECRET}@10.99.0.254:{server.port}/0"
            owner, *others = subnets
            owner.open(engine, *(word for other in others for word in ("--cohost", other.fingerprint)))
            for other in others:
                other.open(engine)
            for subnet in subnets:
                subnet.join()
            yield subnets
            for subnet in subnets:
                for node in (subnet.node, subnet.host_node):
                    node.lanchat.close()


def has_heard(subnet: Subnet, lines: list[str]) -> bool:
    """Whether its member has read these lines, but for its own ones."""
    return subnet.heard == [line for line in lines if not line.startswith(f"{subnet.nick}: ")]


def everybody_hears(subnets: list[Subnet], text: str) -> None:
    for subnet in subnets:
        assert subnet.member is not None
        subnet.member.wait_out(text)


def test_people_find_the_host_of_their_subnet_and_go_on_at_another_one_behind_the_router(subnets):
    cellar, hall, attic = subnets
    for number in range(10):
        for subnet in subnets:
            subnet.say(f"{subnet.nick} {number}")
    lines = 3 * 10
    wait_until(lambda: all(len(subnet.kept) == lines for subnet in subnets), what="all hosts to have all lines")
    assert cellar.kept == hall.kept == attic.kept, "there is one order"
    for subnet in subnets:
        wait_until(partial(has_heard, subnet, cellar.kept), what=f"{subnet.nick} to have read that")

    hall.host.send(signal.SIGKILL)
    hall.say("from the hall without a host")
    everybody_hears([cellar, attic], "ben: from the hall without a host\n")

    attic.host.send(signal.SIGSTOP)
    attic.say("from the attic while its host stands still")
    everybody_hears([cellar, hall], "cyd: from the attic while its host stands still\n")
    cellar.host.wait_err("cat disconnected")  # others count it as gone
    attic.host.send(signal.SIGCONT)
    attic.host.wait_err(STOOD_STILL)
    cellar.say("the end")
    for host in (cellar.host, attic.host):
        host.wait_out("amy: the end\n")
    assert cellar.kept == attic.kept, "who stood still has everything, each line once"
    for subnet in subnets:
        subnet.member.end_input()
        ended = subnet.member.wait()
        assert ended.code == 0, ended.err
