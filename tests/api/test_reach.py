"""What a host's person is told while the addresses of the machine change."""

import sys
from contextlib import closing

import pytest

from lanchat.api.reach import ReachNotices, endpoints_of
from lanchat.client.member import Member
from lanchat.errors import NoSuchRoom
from lanchat.network.connect import dial
from lanchat.protocol.address import Address, Endpoint
from lanchat.protocol.timing import Timing
from lanchat.storage.identity import Identity
from tests.support.addresses import LOOPBACK, Machine
from tests.support.waiting import wait_until

EAGER = Timing(own_addresses=0.02, settled=0.0)
SECOND = Address("lo", "127.0.0.2", 8)
NOT_OURS = Address("lo", "203.0.113.9", 24)  # kept for documentation (RFC 5737): no machine has it


def joins(who: Identity, at: Endpoint) -> bool:
    try:
        with closing(Member(lambda: dial((at,)), who, who.id[:8])) as member:
            member.join()
    except NoSuchRoom:
        return False
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.2 has to be set up first")
def test_a_new_address_is_told_and_can_be_joined_at(host, identity):
    machine = Machine(*LOOPBACK.now())
    on = machine.own("lo")
    room, said = host("Room A", on=on, timing=EAGER), list[str]()
    with ReachNotices(on, room, said.append, EAGER):
        machine.addresses = [SECOND]
        there = Endpoint("127.0.0.2", room.port)
        wait_until(lambda: said)
        assert said == [f"This machine has a new address. Others join with: lanchat join {there}"]
        assert endpoints_of(room, on) == [there]
        wait_until(lambda: joins(identity("ann"), there), what="the room to listen there")


def test_an_address_at_which_nobody_can_join_is_told_and_not_passed_on(host):
    machine = Machine(*LOOPBACK.now(), NOT_OURS)
    on = machine.own("lo")
    room, said = host("Room A", on=on, timing=EAGER), list[str]()
    with ReachNotices(on, room, said.append, EAGER):
        wait_until(lambda: said)
    assert said[0].startswith(f"Nobody can join at 203.0.113.9:{room.port} (")
    assert endpoints_of(room, on) == []


def test_a_network_that_is_lost_is_told(host):
    machine = Machine(*LOOPBACK.now())
    on = machine.own("lo")
    room, said = host("Room A", on=on, timing=EAGER), list[str]()
    with ReachNotices(on, room, said.append, EAGER):
        machine.addresses = []
        wait_until(lambda: said)
        machine.addresses = LOOPBACK.now()
        wait_until(lambda: len(said) == 2)
    assert said == [
        "This machine has no network on lo. Others cannot join until it has one.",
        f"Others can join now: lanchat join 127.0.0.1:{room.port}",
    ]
