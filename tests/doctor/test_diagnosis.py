"""Each rule of the doctor once, and that there is always a diagnosis."""

import errno
from dataclasses import replace
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from lanchat.doctor.diagnosis import diagnose
from lanchat.doctor.report import (
    Asked,
    Diagnosis,
    Firewall,
    Interface,
    Loop,
    Machine,
    Node,
    Report,
    Tried,
    TriedOutcome,
)
from lanchat.protocol.address import Endpoint
from lanchat.terminal.doctor import detail_lines, doctor_json, verdict_lines
from tests.support.cases import cases

HEARD = tuple(Loop(via, True) for via in ("multicast", "local multicast", "broadcast", "mDNS"))
UNHEARD = tuple(Loop(via) for via in ("multicast", "local multicast", "broadcast", "mDNS"))
MACHINE = Machine("Linux", {"lanchat": "0.1.0"}, home="/home/ann/.lanchat", key="fingerprint abab", disk=10**9)
CABLE = Interface("eth0", "network", True, ("192.168.1.7/24",), HEARD)
LOOPBACK = Interface("lo", "loopback", True, ("127.0.0.1/8",), HEARD)
FINE = Report(MACHINE, (CABLE, LOOPBACK))
BOB = Node("192.168.1.8", "192.168.1.8:47474", ("Room A",), ("announce", "mdns"), ("multicast",), 0.4, True, True)
UFW, NFT = Firewall("ufw", "ufw is on", True), Firewall("nft", "nftables drops some incoming packets", True)


def sending(*loops: Loop) -> Report:
    return replace(FINE, interfaces=(replace(CABLE, loops=loops), LOOPBACK))


def machine(**changes: Any) -> Report:
    return replace(FINE, machine=replace(MACHINE, **changes))


ASK = "lanchat doctor ADDRESS    (the address that the host's screen shows)"

CASES = {
    "all is well": (
        replace(FINE, nodes=(BOB,)),
        Diagnosis(True, 'All is well: the room "Room A" at 192.168.1.8 is visible and answers.', "lanchat join"),
    ),
    "nobody there": (
        FINE,
        Diagnosis(
            True,
            "Your machine is fine, but no room answers. Either nobody is hosting, or the network isolates its clients.",
            ASK,
        ),
    ),
    "nobody there but this machine": (
        replace(FINE, own_rooms=("Room A",)),
        Diagnosis(
            True,
            "Your machine is fine, but no room on another machine answers. "
            "Either nobody else is hosting, or the network isolates its clients.",
            ASK,
        ),
    ),
    "one of two interfaces dead": (
        replace(FINE, interfaces=(CABLE, replace(CABLE, name="eth1", loops=UNHEARD))),
        Diagnosis(
            True,
            "Your machine is fine (but nothing gets through on eth1), but no room answers. "
            "Either nobody is hosting, or the network isolates its clients.",
            ASK,
        ),
    ),
    "no network": (
        replace(FINE, interfaces=(replace(CABLE, addresses=(), up=False), LOOPBACK)),
        Diagnosis(
            False,
            "This machine has no network (eth0 has no address).",
            "join the Wi-Fi or plug in the cable",
            "A room on this machine works without one, for the people at this machine.",
        ),
    ),
    "two networks without an address": (
        replace(FINE, interfaces=tuple(replace(CABLE, name=name, addresses=()) for name in ("eth0", "wlan0"))),
        Diagnosis(
            False,
            "This machine has no network (eth0 and wlan0 have no address).",
            "join the Wi-Fi or plug in the cable",
            "A room on this machine works without one, for the people at this machine.",
        ),
    ),
    "a key that others can read": (
        machine(trouble=("/k can be read by others, so it is not used as a key", "close it: chmod 600 '/k'")),
        Diagnosis(False, "/k can be read by others, so it is not used as a key.", "close it: chmod 600 '/k'"),
    ),
    "a full disk": (
        machine(disk=1000),
        Diagnosis(False, "The disk that holds /home/ann/.lanchat is full.", "df -h /home/ann/.lanchat"),
    ),
    "a firewall of ours that blocks connections": (
        replace(machine(firewalls=(UFW,)), nodes=(replace(BOB, reaches_us=False),)),
        Diagnosis(
            True,
            "You can join the rooms here, but 192.168.1.8 cannot connect to you: a firewall on this machine blocks "
            "incoming connections, so nobody could join a room that you host, and this computer can be no standby of a "
            "room.",
            "sudo ufw allow 47474",
        ),
    ),
    "a firewall of the other machine": (
        replace(FINE, nodes=(replace(BOB, reached=False),)),
        Diagnosis(
            False,
            "192.168.1.8 announces a room, but connections to it do not get through: "
            "a firewall on that machine blocks them.",
            "on that machine: sudo ufw allow 47474",
        ),
    ),
    "a network that drops packets to everybody": (
        replace(FINE, nodes=(replace(BOB, at="192.168.1.8:5000", via=("recent",)),)),
        Diagnosis(
            True,
            'The room "Room A" at 192.168.1.8:5000 answers, but this network drops multicast, broadcast and mDNS, so '
            "rooms do not show up by themselves.",
            "lanchat join 192.168.1.8:5000",
        ),
    ),
    "a firewall of ours that drops packets to everybody": (
        replace(sending(*UNHEARD), machine=replace(MACHINE, firewalls=(NFT, UFW))),
        Diagnosis(
            False,
            "This machine does not even hear its own multicast, broadcast and mDNS: a firewall on it drops them.",
            "sudo nft list ruleset",
        ),
    ),
    "the same, with a room that answers": (
        replace(sending(*UNHEARD), nodes=(replace(BOB, via=("recent",)),)),
        Diagnosis(
            True,
            "This machine does not even hear its own multicast, broadcast and mDNS: a firewall on it drops them, "
            "so rooms do not show up, but joining by address works.",
            "lanchat join 192.168.1.8:47474",
        ),
    ),
    "macOS": (
        replace(
            sending(Loop("multicast", False, "no route to host", errno.EHOSTUNREACH)),
            machine=replace(MACHINE, system="Darwin"),
        ),
        Diagnosis(
            False,
            "macOS does not let this terminal use the local network.",
            "System Settings > Privacy & Security > Local Network: allow your terminal, then restart it",
        ),
    ),
    "not allowed to send": (
        sending(Loop("multicast", False, "operation not permitted", errno.EPERM)),
        Diagnosis(
            False,
            "A firewall on this machine stops lanchat from sending.",
            "open port 47474, TCP and UDP, in the firewall of this machine",
        ),
    ),
    "nothing can be sent": (
        sending(Loop("multicast", False, "network is down", errno.ENETDOWN)),
        Diagnosis(False, "Nothing can be sent on eth0 (network is down).", "ip -br addr"),
    ),
    "WSL2": (
        machine(wsl=True),
        Diagnosis(
            False,
            "This is WSL2, which has a network of its own: packets to everybody do not leave Windows.",
            "run lanchat in Windows itself, or join by address: lanchat join ADDRESS",
        ),
    ),
    "a container": (
        machine(container=True),
        Diagnosis(
            False,
            "This is a container, which has a network of its own: packets to everybody do not leave this machine.",
            "docker run --network host ...",
        ),
    ),
    "a firewall that may be it": (
        machine(firewalls=(UFW,)),
        Diagnosis(
            True, "No room answers, and ufw is on, so rooms may be there and not show up.", "sudo ufw allow 47474"
        ),
    ),
}


@cases("case", CASES)
def test_the_likely_cause(case):
    report, diagnosis = CASES[case]
    assert diagnose(report) == diagnosis


def test_a_recent_room_that_is_closed_proves_nothing():
    closed = Tried("192.168.1.9:47474", "silent", on_link=True, named=False)
    assert diagnose(replace(FINE, tried=(closed,))) == diagnose(FINE)


interfaces = st.builds(
    Interface,
    st.sampled_from(["eth0", "wg0", "lo"]),
    st.sampled_from(["network", "VPN", "loopback", "container"]),
    st.sampled_from([True, False, None]),
    st.sampled_from([(), ("10.0.0.1/24",)]),
    st.sampled_from([(), HEARD, UNHEARD, (Loop("multicast", False, "no", 1),)]),
)
nodes = st.builds(
    Node,
    st.just("10.0.0.2"),
    st.just("10.0.0.2:1"),
    st.tuples(st.text(max_size=8)),
    st.sampled_from([(), ("mdns",), ("typed",)]),
    reached=st.booleans(),
    reaches_us=st.sampled_from([True, False, None]),
)
tries = st.builds(
    Tried,
    st.just("10.0.0.3:1"),
    st.sampled_from(get_args(TriedOutcome)),
    st.booleans(),
    st.booleans(),
    st.text(max_size=8),
)
reports = st.builds(
    Report,
    st.sampled_from([MACHINE, replace(MACHINE, wsl=True), replace(MACHINE, firewalls=(UFW,))]),
    st.lists(interfaces, max_size=3).map(tuple),
    st.lists(nodes, max_size=2).map(tuple),
    st.just(()),
    st.lists(tries, max_size=2).map(tuple),
    st.sampled_from([True, False, None]),
)


@given(reports, st.booleans())
def test_there_is_always_a_cause_and_a_command(report, about_one):
    named = tuple(tried for tried in report.tried if tried.named)
    if about_one and named:
        report = replace(report, asked=Asked("10.0.0.3:1", (Endpoint("10.0.0.3", 1),)))
    diagnosis = diagnose(report)
    assert diagnosis.cause.endswith(".") and diagnosis.command and "\n" not in diagnosis.cause + diagnosis.command
    verdict, *_, command = verdict_lines(report, diagnosis, marks=True)
    assert verdict.text[0] == ("✓" if diagnosis.works else "✗") and command.text == f"  Try:  {diagnosis.command}"
    assert all(line.text for line in detail_lines(report)) and doctor_json(report, diagnosis).isascii()
