import errno
import socket

import pytest

from lanchat.errors import LanchatError
from lanchat.network import listen as listen_module
from lanchat.network.listen import listen


@pytest.fixture
def listening():
    """`listening(addresses, port)`: what listen() gives, closed after the test."""
    opened: list[socket.socket] = []

    def start(addresses: list[str] | None, port: int | None) -> list[socket.socket]:
        listeners = listen(addresses, port)
        opened.extend(listeners)
        return listeners

    yield start
    for listener in opened:
        listener.close()


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


def port_of(listeners: list[socket.socket]) -> int:
    return int(listeners[0].getsockname()[1])


def test_port_0_takes_any_free_port(listening):
    [one] = listening(["127.0.0.1"], 0)
    [other] = listening(["127.0.0.1"], 0)
    assert one.getsockname()[1] != other.getsockname()[1]
    socket.create_connection(one.getsockname()).close()


def test_without_a_port_the_next_free_one_is_taken(listening, few_ports):
    assert [port_of(listening(["127.0.0.1"], None)) for _ in range(3)] == [few_ports, few_ports + 1, few_ports + 2]
    with pytest.raises(LanchatError, match="No port is free") as caught:
        listen(["127.0.0.1"], None)
    assert "--port" in caught.value.hint


def test_a_port_in_use_is_an_error(listening):
    port = port_of(listening(["127.0.0.1"], 0))
    with pytest.raises(LanchatError, match=f"Port {port} is in use"):
        listen(["127.0.0.1"], port)


def test_several_addresses_share_a_port(listening):
    listeners = listening(["127.0.0.1", "127.0.0.2"], 0)
    assert {listener.getsockname() for listener in listeners} == {
        ("127.0.0.1", port_of(listeners)),
        ("127.0.0.2", port_of(listeners)),
    }


def test_a_port_that_one_of_the_addresses_lacks_leaves_nothing_open(listening):
    port = port_of(listening(["127.0.0.2"], 0))
    with pytest.raises(LanchatError):
        listen(["127.0.0.1", "127.0.0.2"], port)
    listening(["127.0.0.1"], port)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_listening_on_ipv6(listening):
    port = port_of(listening(["::1"], 0))
    socket.create_connection(("::1", port)).close()


@pytest.mark.parametrize("address", ["203.0.113.1", "no address", "::ffff"])
def test_an_address_of_another_machine_is_an_error(address):
    with pytest.raises(LanchatError, match=f"Cannot listen on {address}"):
        listen([address], 0)
    with pytest.raises(LanchatError, match=f"Cannot listen on {address}"):
        listen([address], None)


def test_listening_everywhere_needs_one_socket_for_both_protocols(monkeypatch):
    """Not opened here: tests stay on loopback."""
    asked = []

    def record(address: tuple[str, int], **options: object) -> None:
        asked.append((address, options.get("family"), options.get("dualstack_ipv6")))
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    monkeypatch.setattr(socket, "create_server", record)
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: True)
    with pytest.raises(LanchatError, match="Cannot listen on this machine"):
        listen(None, 5000)
    assert asked == [(("", 5000), socket.AF_INET6, True), (("", 5000), None, None)], "IPv4 alone when IPv6 is off"


def test_accept_never_blocks(listening):
    """A peer may go away between select() and accept()."""
    [listener] = listening(["127.0.0.1"], 0)
    with pytest.raises(BlockingIOError):
        listener.accept()
