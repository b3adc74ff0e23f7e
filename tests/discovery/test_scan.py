import socket

import pytest

from lanchat.discovery import scan
from lanchat.discovery.scan import Scan, neighbours
from lanchat.discovery.sighting import Sighting, Vanished
from lanchat.protocol.address import Address, Endpoint
from tests.support.addresses import LOOPBACK, only


def test_the_neighbours_of_a_small_network():
    assert list(neighbours([Address("eth0", "192.168.1.9", 29)])) == [Endpoint(f"192.168.1.{n}") for n in range(9, 15)]


def test_of_a_large_network_only_the_part_around_our_address_is_scanned():
    found = list(neighbours([Address("eth0", "10.1.2.3", 8), Address("eth1", "10.1.2.4", 24)]))
    assert found == [Endpoint(f"10.1.2.{n}") for n in range(1, 255)]


def test_ipv6_is_not_scanned():
    assert list(neighbours([Address("eth0", "fe80::1%eth0", 64)])) == []


def test_a_scan_reports_the_machines_that_accept_a_connection(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
        monkeypatch.setattr(scan, "DEFAULT_PORT", port)
        with socket.create_server(("127.0.0.2", port)):
            reports: list[Sighting | Vanished] = []
            with Scan(LOOPBACK, reports.append, pytest.fail) as looking:
                assert looking.wait_done(50)
    assert sorted(reports, key=lambda report: report.name) == [
        Sighting("scan", f"{host}:{port}", "", "", "", (Endpoint(host, port),), machine=host)
        for host in ("127.0.0.1", "127.0.0.2")
    ]


def test_a_scan_may_be_closed_before_it_is_done():
    looking = Scan(LOOPBACK, lambda seen: None, pytest.fail)
    looking.close()
    looking.close()


def test_a_scan_without_a_network_says_so():
    problems: list[str] = []
    with Scan(only(), lambda seen: None, problems.append) as looking:
        assert looking.wait_done(50)
    assert problems == ["There is no IPv4 network here whose addresses could be tried."]
