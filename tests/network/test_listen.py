"""Listeners on loopback, and on addresses that come and go."""

import errno
import socket
import sys
from collections.abc import Callable, Iterator

import pytest

from lanchat.errors import LanchatError
from lanchat.network import listen as listen_module
from lanchat.network.listen import Listeners
from lanchat.protocol.address import Address
from tests.support.addresses import LOOPBACK, Machine, only

SECOND = Address("lo", "127.0.0.2", 8)
BOTH = only(*LOOPBACK.now(), SECOND)
NOT_OURS = Address("lo", "203.0.113.9", 24)  # kept for documentation (RFC 5737): no machine has it
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="127.0.0.2 is set up on Linux only")


@pytest.fixture
def listening() -> Iterator[Callable[..., Listeners]]:
    """`listening(LOOPBACK, port)`: closed after the test."""
    opened: list[Listeners] = []

    def start(on=LOOPBACK, port: int | None = 0) -> Listeners:
        opened.append(Listeners(on, port))
        return opened[-1]

    yield start
    for listeners in opened:
        listeners.close()


@pytest.fixture
def few_ports(monkeypatch):
    """Three ports in a row that are free, as the ones to try."""
    for first in range(40000, 60000, 3):
        try:
            for port in range(first, first + 3):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        monkeypatch.setattr(listen_module, "DEFAULT_PORT", first)
        monkeypatch.setattr(listen_module, "PORT_TRIES", 3)
        return first
    raise AssertionError("no three free ports")


def names(listeners: Listeners) -> set[tuple[str, int]]:
    return {listener.getsockname()[:2] for listener in listeners.sockets}


def test_port_0_takes_any_free_port(listening):
    one, other = listening(), listening()
    assert one.port != other.port
    socket.create_connection(("127.0.0.1", one.port)).close()


def test_without_a_port_the_next_free_one_is_taken(listening, few_ports):
    assert [listening(port=None).port for _ in range(3)] == [few_ports, few_ports + 1, few_ports + 2]
    with pytest.raises(LanchatError, match="No port is free") as caught:
        Listeners(LOOPBACK, None)
    assert "--port" in caught.value.hint


def test_a_port_in_use_is_an_error(listening):
    with pytest.raises(LanchatError, match=f"Port {(port := listening().port)} is in use"):
        Listeners(LOOPBACK, port)


@LINUX
def test_several_addresses_share_a_port(listening):
    listeners = listening(BOTH)
    assert names(listeners) == {("127.0.0.1", listeners.port), ("127.0.0.2", listeners.port)}


@LINUX
def test_a_port_that_one_of_the_addresses_lacks_leaves_nothing_open(listening):
    port = listening(only(SECOND)).port
    with pytest.raises(LanchatError):
        Listeners(BOTH, port)
    listening(LOOPBACK, port)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_listening_on_ipv6(listening):
    socket.create_connection(("::1", listening(only(Address("lo", "::1", 128))).port)).close()


def test_what_can_be_listened_on_is_and_the_rest_is_tried_again(listening):
    """As with an IPv6 address in its first seconds."""
    machine = Machine(*LOOPBACK.now(), NOT_OURS)
    listeners = listening(machine.own("lo"))
    assert names(listeners) == {("127.0.0.1", listeners.port)}
    assert list(listeners.missing) == ["203.0.113.9"] and "(" not in listeners.missing["203.0.113.9"]
    machine.addresses.remove(NOT_OURS)
    listeners.follow(pytest.fail, pytest.fail)
    assert listeners.missing == {}


@LINUX
def test_listeners_follow_the_addresses_of_their_interface(listening):
    machine = Machine(*LOOPBACK.now())
    listeners = listening(machine.own("lo"))
    opened: list[socket.socket] = []
    closed: list[tuple[str, int]] = []
    machine.addresses = [SECOND]
    listeners.follow(opened.append, lambda listener: closed.append(listener.getsockname()))
    assert closed == [("127.0.0.1", listeners.port)]
    assert listeners.sockets == opened and names(listeners) == {("127.0.0.2", listeners.port)}
    socket.create_connection(("127.0.0.2", listeners.port)).close()
    listeners.follow(pytest.fail, pytest.fail)


@LINUX
def test_a_port_that_is_taken_at_the_new_address_is_tried_again(listening):
    machine = Machine(*LOOPBACK.now())
    listeners = listening(machine.own("lo"))
    with Listeners(only(SECOND), listeners.port):
        machine.addresses = [SECOND]
        listeners.follow(pytest.fail, lambda listener: None)
        assert listeners.missing == {"127.0.0.2": "address already in use"}
    opened: list[socket.socket] = []
    listeners.follow(opened.append, pytest.fail)
    assert len(opened) == 1 and listeners.missing == {}


def test_an_interface_without_an_address_is_listened_on_when_it_has_one(listening):
    machine = Machine()
    listeners = listening(machine.own("lo"))
    assert listeners.sockets == [] and listeners.port > 0
    machine.addresses = LOOPBACK.now()
    listeners.follow(lambda listener: None, pytest.fail)
    assert names(listeners) == {("127.0.0.1", listeners.port)}


def test_listening_everywhere_needs_one_socket_for_both_protocols(monkeypatch):
    """Not opened here: tests stay on loopback."""
    asked = []

    def record(address: tuple[str, int], **options: object) -> None:
        asked.append((address, options.get("family"), options.get("dualstack_ipv6")))
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    monkeypatch.setattr(socket, "create_server", record)
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: True)
    with pytest.raises(LanchatError, match="This machine cannot listen for connections: cannot assign"):
        Listeners(Machine().own(), 5000)
    assert asked == [(("", 5000), socket.AF_INET6, True), (("", 5000), None, None)], "IPv4 alone when IPv6 is off"


def test_accept_never_blocks(listening):
    """A peer may go away between select() and accept()."""
    [listener] = listening().sockets
    with pytest.raises(BlockingIOError):
        listener.accept()
