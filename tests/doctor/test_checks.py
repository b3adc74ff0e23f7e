"""The checks on loopback, with real hosts."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lanchat.discovery.advertise import Advertiser
from lanchat.discovery.finder import Finder
from lanchat.discovery.sighting import Advertisement
from lanchat.doctor import checks
from lanchat.doctor.checks import run_checks
from lanchat.doctor.diagnosis import diagnose
from lanchat.doctor.hints import HintingFinder
from lanchat.doctor.report import Asked, Report
from lanchat.protocol.address import Address, Endpoint
from tests.support.addresses import LOOPBACK, only
from tests.support.waiting import wait_until


def address(endpoint: Endpoint) -> Asked:
    return Asked(str(endpoint), (endpoint,))


def checked(holds: Callable[[Report], bool], asked: Asked, home: Path, port: int) -> Report:
    """The first report of which this holds: on a busy machine an answer may come later than the doctor waits for it."""

    def look() -> Report | None:
        report = run_checks(LOOPBACK, home, asked, look_for=1, port=port)
        return report if holds(report) else None

    report = wait_until(look, what="what the checks find")
    assert report is not None
    return report


def test_loopback_hears_itself_and_the_rooms_of_this_machine(host, own_world, udp_port):
    room = host("Room D")
    advertisement = Advertisement(room.room_id, room.title, room.nick, room.port)
    ways = {"multicast", "local multicast", "broadcast", "mDNS"}

    def hears(report: Report) -> bool:
        heard = {loop.via for lo in report.interfaces for loop in lo.loops if loop.heard}
        return heard == ways and "Room D" in report.own_rooms

    with Advertiser(advertisement, LOOPBACK, pytest.fail, port=udp_port):
        report = checked(hears, address(Endpoint("127.0.0.1", room.port)), own_world, udp_port)
    [lo] = report.interfaces
    assert (lo.name, lo.kind, lo.addresses) == ("lo", "loopback", ("127.0.0.1/8",))
    assert report.nodes == ()
    assert [tried.outcome for tried in report.tried] == ["room"]
    assert report.machine.trouble is None and report.machine.key == "will be made on first use"
    assert report.machine.versions["zeroconf"] and report.machine.disk
    assert diagnose(report).works
    assert not own_world.exists(), "the doctor only reads"


@pytest.mark.full
def test_what_is_at_an_address(own_world, udp_port):
    with socket.create_server(("127.0.0.1", 0)) as mute, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        for sock, outcome in ((nobody, "refused"), (mute, "other")):
            endpoint = Endpoint("127.0.0.1", sock.getsockname()[1])
            report = run_checks(LOOPBACK, own_world, address(endpoint), look_for=0, port=udp_port)
            assert [tried.outcome for tried in report.tried] == [outcome]


@pytest.mark.parametrize("now_there", ["room", pytest.param("another room", marks=pytest.mark.full), "another key"])
def test_an_invite_names_a_room_and_a_key(host, own_world, udp_port, now_there):
    """The room is looked for elsewhere if it is not at the address of the invite."""
    room = host("Room D")
    other = room
    if now_there != "room":
        other = host("Room E", nick="eve", room_id=room.room_id if now_there == "another key" else None)
    asked = Asked("lanchat://...", (Endpoint("127.0.0.1", other.port),), room.room_id, room.identity.id)
    advertisement = Advertisement(room.room_id, room.title, room.nick, room.port)
    moved_to = "" if now_there == "room" else f"127.0.0.1:{room.port}"
    with Advertiser(advertisement, LOOPBACK, pytest.fail, port=udp_port):
        report = checked(lambda report: report.moved_to == moved_to, asked, own_world, udp_port)
    assert [tried.outcome for tried in report.tried] == [now_there]
    assert diagnose(report).works == (now_there == "room")


def test_an_address_that_no_machine_has(own_world, udp_port):
    report = run_checks(LOOPBACK, own_world, address(Endpoint("nobody.invalid")), look_for=0, port=udp_port)
    assert [tried.outcome for tried in report.tried] == ["unknown"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.2 has to be set up first")
def test_a_room_at_a_name_is_known_by_its_address_and_shown_by_its_name(host, own_world, udp_port, monkeypatch):
    look_up = socket.getaddrinfo

    def knows_hal(name: str, *rest, **options):
        return look_up("127.0.0.2" if name == "hal.lan" else name, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", knows_hal)
    monkeypatch.setattr(checks, "ECHO_LIMIT", 0.01)
    there = Endpoint("hal.lan", host("Room D", on=only(Address("lo", "127.0.0.2", 8))).port)
    report = run_checks(LOOPBACK, own_world, address(there), look_for=0, port=udp_port)
    [tried], [node] = report.tried, report.nodes
    assert (tried.address, tried.outcome, tried.on_link) == (str(there), "room", True)
    assert (node.address, node.at, node.rooms, node.reached) == ("127.0.0.2", str(there), ("Room D",), True)
    assert diagnose(replace(report, own_rooms=())).command == f"lanchat join {there}"


def test_a_key_that_others_can_read_is_trouble(own_world, udp_port):
    own_world.mkdir(parents=True)
    (own_world / "identity.key").write_text("x")
    (own_world / "identity.key").chmod(0o644)
    diagnosis = diagnose(run_checks(LOOPBACK, own_world, look_for=0, port=udp_port))
    assert not diagnosis.works and "can be read by others" in diagnosis.cause
    assert "chmod 600" in diagnosis.command


def test_a_list_can_be_drawn_before_the_checks_are_loaded_that_say_why_it_is_empty():
    program = "import sys, lanchat.doctor.hints\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in loaded if name.startswith("lanchat.doctor.")] == ["lanchat.doctor.hints"]


@pytest.mark.full
def test_a_hint_is_found_while_the_list_is_shown(own_world):
    with Finder(LOOPBACK, []) as finder, HintingFinder(finder, LOOPBACK, own_world) as source:
        assert source.hint() == ()
        assert source.listings() == () and source.problems() == ()
        cause, command = wait_until(source.hint)
        assert cause.endswith(".") and command.startswith("Try:  ")
        source.close()


def test_a_scan_runs_once_and_is_over(own_world):
    with Finder(LOOPBACK, []) as finder, HintingFinder(finder, LOOPBACK, own_world) as source:
        states = [source.scan_state]
        source.scan()
        wait_until(lambda: source.scan_state == "over")
        threads = threading.enumerate()
        source.scan()
        states.append(source.scan_state)
        assert states == ["possible", "over"] and threading.enumerate() == threads
