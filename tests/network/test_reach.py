"""Which addresses are told to others, and what is said when they change. Time is a number in seconds."""

import pytest

from lanchat.network.reach import ReachStory, choose, ordered, reachable
from lanchat.protocol.address import Address

LAN = Address("wlan0", "192.168.1.7", 24)
LAN6 = Address("wlan0", "2001:db8::7", 64)
SCOPED = Address("wlan0", "fe80::7%wlan0", 64, 3)
CABLE = Address("eth0", "169.254.3.4", 16)
VPN = Address("tun0", "10.8.0.2", 24, kind="VPN")
BRIDGE = Address("docker0", "172.17.0.1", 16, kind="container")
LOOPBACK = Address("lo", "127.0.0.1", 8, kind="loopback")
EVERYTHING = [LOOPBACK, BRIDGE, VPN, SCOPED, LAN6, CABLE, LAN]


def texts(addresses: list[Address]) -> list[str]:
    return [address.text for address in addresses]


def test_the_kind_of_an_interface_decides_and_not_the_order_of_the_system():
    assert ordered(EVERYTHING) == [LAN, LAN6, VPN, CABLE, SCOPED, BRIDGE, LOOPBACK]
    assert ordered(EVERYTHING[::-1]) == ordered(EVERYTHING)


@pytest.mark.parametrize(
    ("addresses", "told"),
    [
        pytest.param(EVERYTHING, [LAN, LAN6, VPN, CABLE], id="what leads outside"),
        pytest.param([LOOPBACK, BRIDGE, CABLE], [CABLE], id="a cable between two machines"),
        pytest.param([LOOPBACK, BRIDGE, SCOPED], [SCOPED], id="an interface without any other address"),
        pytest.param([LOOPBACK, SCOPED, LAN6], [LAN6], id="an interface with another address"),
        pytest.param([LOOPBACK, BRIDGE], [BRIDGE], id="nothing but a bridge"),
        pytest.param([LOOPBACK], [], id="no network"),
        pytest.param([], [], id="nothing at all"),
    ],
)
def test_the_addresses_that_are_told_to_others(addresses, told):
    assert reachable(addresses) == told


def test_of_chosen_addresses_all_are_told():
    assert reachable([LOOPBACK, BRIDGE, LAN], chosen=True) == [LAN, BRIDGE]
    assert reachable([LOOPBACK], chosen=True) == [LOOPBACK]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"wlan0": "wlan0"}, [SCOPED, LAN6, LAN]),
        ({"192.168.1.7": "wlan0"}, [LAN]),
        ({"fe80::7": "wlan0"}, [SCOPED]),
        ({"fe80::7%wlan0": "wlan0"}, [SCOPED]),
        ({"127.0.0.1": "lo", "lo": "lo"}, [LOOPBACK]),
        ({"usb0": "usb0"}, []),
        ({"usb0": "usb0", "eth0": "eth0"}, [CABLE]),
        pytest.param({"10.9.9.9": "wlan0"}, [SCOPED, LAN6, LAN], id="an address that has changed"),
        pytest.param({"10.9.9.9": "wlan0", "192.168.1.7": "wlan0"}, [LAN], id="one of two addresses is gone"),
    ],
)
def test_interfaces_are_chosen_by_name_or_address(wanted, found):
    assert choose(EVERYTHING, wanted) == found


# ---- what the person who hosts is told

OLD, NEW, NONE = "10.0.0.1:47474", "10.0.0.9:47474", "This machine has no network."


class Told:
    """A story, and what it has told so far."""

    def __init__(self, address: str = OLD, trouble: str = "") -> None:
        self.story = ReachStory(address, trouble, settled=3.0)
        self.now = 0.0

    def after(self, seconds: float, *addresses: str, trouble: str = "", deaf: str = "") -> list[str]:
        """Look every second for so long while the world is like this."""
        said = []
        for _ in range(int(seconds)):
            self.now += 1.0
            said += self.story.look(addresses, trouble, {deaf: "not yet"} if deaf else {}, self.now)
        return said


def test_an_address_that_stays_is_not_worth_a_word():
    assert Told().after(60, OLD) == []


def test_a_new_address_is_told_once():
    assert Told().after(60, NEW) == [f"This machine has a new address. Others join with: lanchat join {NEW}"]


def test_a_new_lease_that_is_the_old_one_is_not_told():
    told = Told()
    assert told.after(2, trouble=NONE) + told.after(2, NEW) + told.after(60, OLD) == []


def test_a_network_that_is_lost_and_found_is_told_and_taken_back():
    told = Told()
    assert told.after(60, trouble=NONE) == [f"{NONE} Others cannot join until it has one."]
    assert told.after(60, OLD) == [f"Others can join now: lanchat join {OLD}"]
    assert told.after(60, OLD) == []


def test_trouble_that_the_person_knows_is_not_told_again_but_taken_back():
    told = Told("", NONE)
    assert told.after(60, trouble=NONE) + told.after(60, trouble="This machine has no address on eth0 yet.") == []
    assert told.after(60, NEW) == [f"Others can join now: lanchat join {NEW}"]


def test_an_address_that_cannot_be_listened_on_is_told_when_it_lasts_and_taken_back():
    told, other = Told(), "[fe80::7]:47474"
    assert told.after(2, OLD, deaf=other) + told.after(60, OLD, other) == []
    assert told.after(60, OLD, deaf=other) == [f"Nobody can join at {other} (not yet). lanchat keeps trying."]
    assert told.after(60, OLD, other) == [f"Others can join at {other} now."]


def test_an_address_that_cannot_be_listened_on_and_goes_is_not_worth_a_word():
    told, other = Told(), "[fe80::7]:47474"
    told.after(60, OLD, deaf=other)
    assert told.after(60, OLD) == told.after(60, OLD, other) == []
