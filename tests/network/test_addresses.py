"""The addresses of a machine that changes."""

import pytest

from lanchat.errors import LanchatError
from lanchat.network import addresses as module
from lanchat.network.addresses import OwnAddresses, where
from lanchat.protocol.address import Address
from tests.support.addresses import Machine, only

LAN, NEW = Address("eth0", "192.168.1.7", 24), Address("eth0", "10.0.0.7", 8)
LOOPBACK = Address("lo", "127.0.0.1", 8, kind="loopback")
UNPLUGGED = Address("eth0", "192.168.1.7", 24, up=False)


@pytest.fixture
def has_interfaces(monkeypatch):
    """`has_interfaces(eth0=True)`: the interfaces besides, and whether they are up."""

    def set_up(**up: bool) -> None:
        monkeypatch.setattr(module, "interface_names", lambda: ["lo", *up])
        monkeypatch.setattr(module, "is_up", up.get)

    set_up()
    return set_up


def test_everything_follows_a_new_address(has_interfaces):
    machine = Machine(LOOPBACK, LAN)
    everywhere, cable = machine.own(), machine.own("eth0")
    machine.addresses = [LOOPBACK, NEW]
    assert everywhere.now() == [NEW, LOOPBACK] and everywhere.reachable() == [NEW]
    assert cable.now() == cable.reachable() == [NEW]


def test_several_readers_within_a_moment_share_an_answer_of_the_system():
    machine = Machine(LAN)
    own = OwnAddresses((), machine.read, read_again=3600)
    machine.addresses = [NEW]
    assert own.now() == [LAN]


def test_an_interface_without_a_link_is_left_out_of_what_is_told(has_interfaces):
    own = Machine(UNPLUGGED, LOOPBACK).own()
    assert own.all() == [UNPLUGGED, LOOPBACK]
    assert own.now() == [LOOPBACK] and own.reachable() == []


def test_the_last_answer_counts_while_the_system_gives_none():
    def read() -> list[Address]:
        if answers:
            return answers.pop()
        raise OSError("too many open files")

    answers = [[LAN]]
    assert OwnAddresses((), read, read_again=0.0).now() == [LAN]


def test_why_nobody_can_join(has_interfaces):
    machine = Machine(LOOPBACK)
    own = machine.own()
    assert own.trouble() == "This machine has no network."
    has_interfaces(eth0=True, wlan0=False, docker0=True)
    assert own.trouble() == "This machine has no address on eth0 yet."
    machine.addresses = [Address("eth0", "169.254.1.1", 16)]
    assert own.trouble() == "", "two machines and a cable are a network"
    machine.addresses = []
    assert machine.own("eth0").trouble() == "This machine has no network on eth0."


def test_an_interface_may_get_its_address_later(has_interfaces):
    has_interfaces(eth0=True)
    machine = Machine(LOOPBACK)
    own = machine.own("eth0")
    assert own.all() == []
    machine.addresses = [LOOPBACK, LAN]
    assert own.all() == [LAN]


def test_an_unknown_interface_is_an_error(has_interfaces):
    machine = Machine(LOOPBACK, LAN)
    with pytest.raises(LanchatError, match='no interface or address "tun0"') as caught:
        machine.own("lo", "tun0")
    assert caught.value.hint == "It has: eth0, lo"


def test_interfaces_are_named_one_by_one_or_between_commas(monkeypatch):
    assert where(("127.0.0.1", " lo,")).chosen and where(()).chosen is False
    monkeypatch.setenv("LANCHAT_INTERFACE", "127.0.0.1")
    assert [address.text for address in where(None).now()] == ["127.0.0.1"]
    with pytest.raises(LanchatError, match='"Ethernet 2"'):
        where(("127.0.0.1,Ethernet 2",))


def test_chosen_addresses_of_no_interface_are_none():
    assert only().all() == []
