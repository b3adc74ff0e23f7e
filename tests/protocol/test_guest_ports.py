"""Which ports for netcat and IRC clients the next host of a room opens, and what guests are told."""

import pytest

from lanchat.protocol.guest_ports import GuestPorts, Onward, allowed, guest_ports
from lanchat.protocol.places import Rules

ALL = GuestPorts(8888, 6667, 6697)


@pytest.mark.parametrize(
    ("wanted", "has_password", "knows", "needs", "opened"),
    [
        (ALL, False, False, False, ALL),
        (ALL, True, False, False, GuestPorts()),  # nobody comes in without a password
        (ALL, False, False, True, GuestPorts(8888, 6667)),  # the password is only at the owner's computer
        (ALL, False, True, True, GuestPorts(8888, None, 6697)),  # and never sent without encryption
        (ALL, True, True, True, GuestPorts(None, None, 6697)),
    ],
)
def test_a_computer_opens_no_door_that_lets_in_whom_the_owner_would_not(wanted, has_password, knows, needs, opened):
    assert allowed(wanted, has_password=has_password, irc_password=knows, needs_irc_password=needs) == opened


def test_what_was_asked_for_here_goes_before_what_the_room_had():
    room = guest_ports(Rules(plain=8888, irc_tls=6697))
    assert room == GuestPorts(8888, None, 6697) and room and not guest_ports(Rules())
    assert GuestPorts(0, 6667).over(room) == GuestPorts(0, 6667, 6697)


def test_guests_are_told_where_to_go_on():
    onward = Onward("192.168.1.7", GuestPorts(8888, 6667, 6697))
    assert onward.for_netcat() == "Go on there: nc 192.168.1.7 8888"
    assert onward.for_irc(encrypted=False) == "Go on at 192.168.1.7, port 6667."
    assert onward.for_irc(encrypted=True) == "Go on at 192.168.1.7, port 6697."


@pytest.mark.parametrize("onward", [Onward("", ALL), Onward("192.168.1.7", GuestPorts())])
def test_guests_hear_that_they_cannot_go_on(onward):
    assert onward.for_netcat() == "There is no port for netcat."
    assert onward.for_irc(encrypted=True) == "There is no such port for IRC clients."
    assert not onward.irc_port(encrypted=True)
