import socket

from lanchat.discovery import scan
from lanchat.discovery.scan import Scan, neighbours
from lanchat.discovery.sighting import Sighting, Vanished
from lanchat.network.interfaces import chosen
from lanchat.protocol.address import Address, Endpoint


def test_the_neighbours_of_a_small_network():
    assert list(neighbours([Address("eth0", "192.168.1.9", 29)])) == [Endpoint(f"192.168.1.{n}") for n in range(9, 15)]


def test_of_a_large_network_only_the_part_around_us():
    found = list(neighbours([Address("eth0", "10.1.2.3", 8), Address("eth1", "10.1.2.4", 24)]))
    assert found == [Endpoint(f"10.1.2.{n}") for n in range(1, 255)]


def test_ipv6_is_not_scanned():
    assert list(neighbours([Address("eth0", "fe80::1%eth0", 64)])) == []


def test_a_scan_tells_who_takes_a_connection(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.2", 0)) as other:
        monkeypatch.setattr(scan, "DEFAULT_PORT", one.getsockname()[1])
        reports: list[Sighting | Vanished] = []
        looking = Scan(chosen(("127.0.0.1",)), reports.append, lambda problem: None)
        assert looking.wait_done(20)
        looking.close()
        looking.close()
        assert other.getsockname()
        host = f"127.0.0.1:{one.getsockname()[1]}"
        assert (report := reports[0]) == Sighting(
            "scan", host, "", "", "", (Endpoint("127.0.0.1", one.getsockname()[1]),), source="127.0.0.1"
        ), report


def test_without_a_network_it_says_so():
    problems: list[str] = []
    with_none = Scan([Address("eth9", "203.0.113.9", 24)], lambda seen: None, problems.append)
    assert with_none.wait_done(5)
    with_none.close()
    assert problems == ["there is no IPv4 network here whose addresses could be tried"]
