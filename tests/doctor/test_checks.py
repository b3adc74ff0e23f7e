"""The examination on loopback, with real hosts."""

import socket
import sys
from dataclasses import replace

import pytest

from lanchat.discovery.advertise import Advertiser
from lanchat.discovery.finder import Finder
from lanchat.discovery.sighting import Advertisement
from lanchat.doctor import checks as examine_module
from lanchat.doctor.checks import examine
from lanchat.doctor.diagnosis import diagnose
from lanchat.doctor.hints import Advised
from lanchat.network.interfaces import chosen
from lanchat.protocol.address import Endpoint
from tests.support.waiting import wait_until

LOOPBACK = chosen(("127.0.0.1",))


def test_loopback_hears_itself_and_the_rooms_of_this_machine(host, own_world):
    room = host("Room D")
    with Advertiser(Advertisement(room.room_id, room.title, room.nick, room.port), LOOPBACK, pytest.fail):
        report = examine(LOOPBACK, own_world, Endpoint("127.0.0.1", room.port), look_for=1)
    [lo] = report.interfaces
    assert (lo.name, lo.kind, lo.addresses) == ("lo", "loopback", ("127.0.0.1/8",))
    assert {loop.way for loop in lo.loops if loop.heard} == {"multicast", "local multicast", "broadcast", "mDNS"}
    assert "Room D" in report.own_rooms and report.nodes == ()
    assert [tried.outcome for tried in report.tried] == ["room"]
    assert report.machine.trouble is None and report.machine.key == "will be made on first use"
    assert report.machine.versions["zeroconf"] and report.machine.disk
    assert diagnose(report).works
    assert not own_world.exists(), "it reads only"


@pytest.mark.full
def test_what_is_at_an_address(own_world):
    with socket.create_server(("127.0.0.1", 0)) as web, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        here = Endpoint("127.0.0.1", nobody.getsockname()[1])
        assert [tried.outcome for tried in examine(LOOPBACK, own_world, here, look_for=0).tried] == ["refused"]
        silent = Endpoint("127.0.0.1", web.getsockname()[1])
        assert [tried.outcome for tried in examine(LOOPBACK, own_world, silent, look_for=0).tried] == ["other"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.2 has to be set up first")
def test_a_room_at_a_name_is_known_by_its_address_and_shown_by_its_name(host, own_world, monkeypatch):
    look_up = socket.getaddrinfo

    def knows_hal(name: str, *rest, **options):
        return look_up("127.0.0.2" if name == "hal.lan" else name, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", knows_hal)
    monkeypatch.setattr(examine_module, "ECHO_LIMIT", 0.01)
    there = Endpoint("hal.lan", host("Room D", addresses=["127.0.0.2"]).port)
    report = examine(LOOPBACK, own_world, there, look_for=0)
    [tried], [node] = report.tried, report.nodes
    assert (tried.address, tried.outcome, tried.on_link) == (str(there), "room", True)
    assert (node.address, node.at, node.rooms, node.reached) == ("127.0.0.2", str(there), ("Room D",), True)
    assert diagnose(replace(report, own_rooms=())).command == f"lanchat join {there}"


def test_who_hangs_up_at_once_is_no_room(host, own_world, monkeypatch):
    def no_options(*arguments: object) -> None:
        raise OSError("such a socket takes no options")

    monkeypatch.setattr(examine_module, "Link", no_options)
    report = examine(LOOPBACK, own_world, Endpoint("127.0.0.1", host("Room D").port), look_for=0)
    assert [tried.outcome for tried in report.tried] == ["other"]


def test_a_key_that_others_can_read_is_trouble(own_world, identity):
    own_world.mkdir(parents=True)
    (own_world / "identity.key").write_text("x")
    (own_world / "identity.key").chmod(0o644)
    diagnosis = diagnose(examine(LOOPBACK, own_world, look_for=0))
    assert not diagnosis.works and "can be read by others" in diagnosis.cause
    assert diagnosis.command.startswith("Protect it: chmod 600")


@pytest.mark.full
def test_advice_is_found_out_beside_the_list(own_world):
    with Finder(LOOPBACK, []) as finder, Advised(finder, LOOPBACK, own_world) as source:
        assert source.advice() == ()
        assert source.listings() == () and source.problems() == ()
        cause, command = wait_until(source.advice)
        assert cause.endswith(".") and command.startswith("Try:  ")
        source.close()


def test_a_scan_begins_once(own_world, monkeypatch):
    begun: list[object] = []
    with Finder(LOOPBACK, []) as finder, Advised(finder, LOOPBACK, own_world) as source:
        monkeypatch.setattr(finder, "begin", begun.append)
        assert (source.scan(), source.scan()) == (True, False)
    assert len(begun) == 1
