"""Real mDNS on loopback: rooms are advertised, seen and gone; and what does not work becomes a sentence.

Other tests advertise on the same loopback at the same time, so each looks for its own room ids.
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from zeroconf import DNSOutgoing, DNSPointer, NonUniqueNameException, ServiceInfo, Zeroconf  # type: ignore[attr-defined]

from lanchat.discovery.mdns import loop_thread, mdns
from lanchat.discovery.mdns.mdns import Browser, Registration
from lanchat.discovery.mdns.records import SERVICE, instance_name, properties
from lanchat.discovery.sighting import Advertisement, Sighting, Vanished
from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.address import Address, Endpoint
from tests.support.addresses import LOOPBACK, Machine, only
from tests.support.waiting import PATIENCE, wait_until

NOT_OURS = Address("eth9", "203.0.113.9", 24)  # kept for documentation (RFC 5737): no machine has it


def advertisement(title: str = "Room A") -> Advertisement:
    return Advertisement(secrets.token_hex(16), title, "ann", 47474, "ab" * 16)


class Reports:
    """Takes what a browser reports, and problems."""

    def __init__(self) -> None:
        self.all: list[Sighting | Vanished] = []
        self.problems: list[str] = []

    def of(self, room: Advertisement) -> list[Sighting | Vanished]:
        name = instance_name(room)
        return [report for report in self.all if report.name == name]

    def browser(self, on: OwnAddresses = LOOPBACK) -> Browser:
        return Browser(on, self.all.append, self.problems.append)


@contextmanager
def stranger() -> Iterator[Zeroconf]:
    """Somebody else on the network, who need not follow any rule."""
    with Zeroconf(interfaces=["127.0.0.1"], use_asyncio=False) as zeroconf:
        yield zeroconf


def send(zeroconf: Zeroconf, name: str, pairs: dict[str, str]) -> None:
    """Put a record on the network at once, without the second and a half that a registration takes."""
    server = f"{secrets.token_hex(4)}.local."
    info = ServiceInfo(SERVICE, name, port=47474, properties=pairs, server=server, parsed_addresses=["127.0.0.1"])
    assert zeroconf.loop is not None
    zeroconf.loop.call_soon_threadsafe(zeroconf.registry.async_add, info)  # answers who asks later
    zeroconf.send(zeroconf.generate_service_broadcast(info, None))


def test_a_room_is_advertised_seen_and_gone():
    reports, room = Reports(), advertisement("Größe 1.5")
    with reports.browser():
        registration = Registration(room, LOOPBACK, reports.problems.append)
        with registration:
            # Each one is the same: it comes again if its records come in several pieces, and every few seconds.
            assert wait_until(lambda: reports.of(room))[0] == Sighting(
                "mdns",
                instance_name(room),
                room.room_id,
                "Größe 1.5",
                "ann",
                (Endpoint("127.0.0.1", 47474),),
                "ab" * 16,
                machine="127.0.0.1",
            )
        wait_until(lambda: reports.of(room)[-1] == Vanished("mdns", instance_name(room)))
        registration.close()  # closing twice is harmless
    assert reports.problems == []


def test_hostile_records_do_not_end_the_browser():
    reports, honest = Reports(), advertisement()
    with reports.browser(), stranger() as other:
        for name in ("\x1b[2J\x07", "x" * 60 + "\u202e", "a.b.c", " "):
            out = DNSOutgoing(0x8400)
            out.add_answer_at_time(DNSPointer(SERVICE, 12, 1, 120, f"{name}.{SERVICE}"), 0)
            other.send(out)
        too_long = {**properties(advertisement()), "title": "x" * 230}
        bad = [{"id": "no id"}, {}, too_long, {f"k{n}": "x" * 200 for n in range(30)}]
        for number, pairs in enumerate(bad):
            send(other, f"bad {number}.{SERVICE}", pairs)
        send(other, instance_name(honest), properties(honest))
        wait_until(lambda: reports.of(honest))
    assert not [report for report in reports.all if report.name.startswith("bad") and isinstance(report, Sighting)]


def test_names_without_a_record_do_not_hold_up_the_others():
    """Each name without a record costs a second of asking; the honest one, whose record came along, goes first."""
    reports, honest = Reports(), advertisement()
    asked: list[str] = []

    class Counted(Browser):
        def _look_up(self, zeroconf, name, *, ask):
            asked.extend([name] if ask and name.startswith("nothing") else [])
            return super()._look_up(zeroconf, name, ask=ask)

    with Counted(LOOPBACK, reports.all.append, reports.problems.append), stranger() as other:
        out = DNSOutgoing(0x8400)
        for number in range(20):
            out.add_answer_at_time(DNSPointer(SERVICE, 12, 1, 120, f"nothing {number}.{SERVICE}"), 0)
        other.send(out)
        send(other, instance_name(honest), properties(honest))
        wait_until(lambda: reports.of(honest), 50)
        assert len(asked) < 20


@pytest.mark.parametrize(
    "address",
    [
        pytest.param(NOT_OURS, id="not ours"),
        pytest.param(Address("lo", "::1", 128), id="IPv6 alone", marks=pytest.mark.full),
    ],
)
def test_an_interface_that_cannot_be_used_is_a_problem_until_it_can(address, monkeypatch):
    monkeypatch.setattr(mdns, "SETTLED", 0.0)
    reports, machine = Reports(), Machine(address)
    on = machine.own(address.interface, "lo")
    with reports.browser(on), Registration(advertisement(), on, reports.problems.append):
        wait_until(lambda: len(reports.problems) == 2)
        assert {problem.split(" (")[0] for problem in reports.problems} == {
            "mDNS does not work here",
            "This room is not announced over mDNS",
        }
        machine.addresses = LOOPBACK.now()
        wait_until(lambda: reports.problems[2:] == ["", ""])


def test_without_any_address_mdns_waits_for_one_without_a_word(monkeypatch):
    """That this machine has no network is said elsewhere."""
    monkeypatch.setattr(mdns, "SETTLED", 0.0)
    monkeypatch.setattr(mdns, "FOLLOW_EVERY", 0.01)
    reports, room, machine = Reports(), advertisement(), Machine()
    with reports.browser(machine.own("lo")), stranger() as other:
        machine.addresses = LOOPBACK.now()
        send(other, instance_name(room), properties(room))
        wait_until(lambda: reports.of(room))
    assert reports.problems == []


def test_of_two_interfaces_the_one_that_works_is_used():
    reports, room = Reports(), advertisement()
    with reports.browser(only(NOT_OURS, *LOOPBACK.now())), stranger() as other:
        send(other, instance_name(room), properties(room))
        wait_until(lambda: reports.of(room))
    [problem] = reports.problems
    assert problem.startswith("mDNS works on 127.0.0.1 only (")


def test_a_name_that_is_taken_becomes_a_sentence():
    class Taken(Registration):
        async def _register(self, zeroconf, info):
            raise NonUniqueNameException  # its message is empty

    problems: list[str] = []
    with Taken(advertisement(), LOOPBACK, problems.append):
        wait_until(lambda: problems)
    assert problems == [
        "This room is not announced over mDNS (somebody on this network announces this very room already)."
        " Others can join it by its address."
    ]


def test_closing_does_not_wait_for_a_registration_that_has_not_finished():
    problems: list[str] = []
    registration = Registration(advertisement(), LOOPBACK, problems.append)
    registration.close()
    registration.close()
    assert problems == []
    assert "mdns-register" not in [thread.name for thread in threading.enumerate()]


def test_closing_is_bounded_when_the_loop_of_zeroconf_is_blocked(monkeypatch):
    class Blocked(Registration):
        async def _register(self, zeroconf, info):
            started.set()
            enough.wait(PATIENCE)

    started, enough = threading.Event(), threading.Event()
    monkeypatch.setattr(loop_thread, "CLOSE_LIMIT", 0.1)
    registration = Blocked(advertisement(), LOOPBACK, lambda problem: None)
    assert started.wait(PATIENCE)
    registration.close()
    assert not enough.is_set()  # we are here, though the loop still hangs
    enough.set()


def test_known_rooms_are_reported_again(monkeypatch):
    """A directory that was full of a flood's records when this room came has space for it later."""
    monkeypatch.setattr(mdns, "REPORT_AGAIN_AFTER", 0.05)
    reports, room = Reports(), advertisement()
    with reports.browser(), stranger() as other:
        send(other, instance_name(room), properties(room))
        wait_until(lambda: len(reports.of(room)) > 3)
    assert reports.of(room)[0] == reports.of(room)[3]


def test_addresses_that_come_back_while_zeroconf_closes_are_followed(monkeypatch):
    monkeypatch.setattr(mdns, "FOLLOW_EVERY", 0.01)
    reports, machine, room = Reports(), Machine(*LOOPBACK.now()), advertisement()

    def report(what: Sighting | Vanished) -> None:
        reports.all.append(what)
        if isinstance(what, Vanished):
            machine.addresses = LOOPBACK.now()  # in the thread that is about to close zeroconf

    with stranger() as other, Browser(machine.own("lo"), report, reports.problems.append):
        send(other, instance_name(room), properties(room))
        wait_until(lambda: reports.of(room))
        machine.addresses = []
        wait_until(lambda: isinstance(reports.of(room)[-1], Vanished) or len(reports.of(room)) > 2)
        wait_until(lambda: isinstance(reports.of(room)[-1], Sighting))


def test_that_there_are_too_many_rooms_is_said_once_until_mdns_starts_over(monkeypatch):
    monkeypatch.setattr(mdns, "FOLLOW_EVERY", 0.01)
    reports, machine = Reports(), Machine(*LOOPBACK.now())
    rooms = [advertisement() for _ in range(4)]
    with reports.browser(machine.own("lo")), stranger() as other:
        with monkeypatch.context() as small:
            small.setattr(mdns, "MAX_KNOWN", 1)
            for room in rooms:
                send(other, instance_name(room), properties(room))
            wait_until(lambda: sum(bool(reports.of(room)) for room in rooms) >= 3)
            assert len(reports.problems) == 1 and "Too many rooms" in reports.problems[0]
            machine.addresses = []
            wait_until(lambda: any(isinstance(report, Vanished) for report in reports.all))
        machine.addresses = LOOPBACK.now()
        wait_until(lambda: len(reports.problems) > 1)
    assert reports.problems[1:] == [""]
