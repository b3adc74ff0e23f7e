"""Each rule of the doctor once, and that there is always an answer."""

import errno
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.doctor.diagnosis import diagnose
from lanchat.doctor.report import Diagnosis, Firewall, Interface, Loop, Machine, Node, Report, Tried
from lanchat.terminal.doctor import doctor_json, doctor_lines

HEARD = tuple(Loop(way, True) for way in ("multicast", "local multicast", "broadcast", "mDNS"))
DEAF = tuple(Loop(way) for way in ("multicast", "local multicast", "broadcast", "mDNS"))
MACHINE = Machine("Linux", {"lanchat": "0.1.0"}, home="/home/ann/.lanchat", key="fingerprint abab", disk=10**9)
CABLE = Interface("eth0", "network", True, ("192.168.1.7/24",), HEARD)
LOOPBACK = Interface("lo", "loopback", True, ("127.0.0.1/8",), HEARD)
FINE = Report(MACHINE, (CABLE, LOOPBACK))
BOB = Node("192.168.1.8", "192.168.1.8:47474", ("Room A",), ("announce", "mdns"), ("multicast",), 0.4, True, True)
UFW, NFT = Firewall("ufw", "ufw is on", True), Firewall("nft", "nftables drops some of what comes in", True)


def calling(*loops: Loop) -> Report:
    return replace(FINE, interfaces=(replace(CABLE, loops=loops), LOOPBACK))


def on(**changes: Any) -> Report:
    return replace(FINE, machine=replace(MACHINE, **changes))


def tried(outcome: str, *, on_link: bool = True, named: bool = True) -> Report:
    return replace(FINE, tried=(Tried("192.168.1.9:47474", outcome, on_link, named),))  # type: ignore[arg-type]


ASK = "lanchat doctor ADDRESS    (the address that the host's screen shows)"

CASES = {
    "all is well": (
        replace(FINE, nodes=(BOB,)),
        Diagnosis(True, 'All is well: the room "Room A" of 192.168.1.8 is seen and answers.', "lanchat join"),
    ),
    "nobody there": (
        FINE,
        Diagnosis(
            True,
            "This machine is in order, but nobody else is heard: either nobody hosts a room on this network now, "
            "or the network keeps its members apart.",
            ASK,
        ),
    ),
    "one of two interfaces dead": (
        replace(FINE, interfaces=(CABLE, replace(CABLE, name="eth1", loops=DEAF))),
        Diagnosis(
            True,
            "This machine is in order (eth1 carries nothing), but nobody else is heard: either nobody hosts a room on "
            "this network now, or the network keeps its members apart.",
            ASK,
        ),
    ),
    "no network": (
        replace(FINE, interfaces=(replace(CABLE, addresses=(), up=False), LOOPBACK)),
        Diagnosis(False, "This machine is on no network (eth0 has no address).", "join the Wi-Fi or plug in the cable"),
    ),
    "a key that others can read": (
        on(trouble=("/k can be read by others, so it is not used as a key", "close it: chmod 600 '/k'")),
        Diagnosis(False, "/k can be read by others, so it is not used as a key.", "close it: chmod 600 '/k'"),
    ),
    "a full disk": (
        on(disk=1000),
        Diagnosis(False, "The disk of /home/ann/.lanchat is full.", "df -h '/home/ann/.lanchat'"),
    ),
    "a firewall of our own that lets nobody in": (
        replace(on(firewalls=(UFW,)), nodes=(replace(BOB, reaches_us=False),)),
        Diagnosis(
            True,
            "You can join the rooms here, but 192.168.1.8 cannot connect to you, so nobody could join a room of yours: "
            "a firewall on this machine keeps connections out.",
            "sudo ufw allow 47474",
        ),
    ),
    "a firewall of theirs": (
        replace(FINE, nodes=(replace(BOB, reached=False),)),
        Diagnosis(
            False,
            "192.168.1.8 announces a room, but connections to it do not get through: "
            "a firewall on that machine keeps them out.",
            "on that machine: sudo ufw allow 47474",
        ),
    ),
    "a network that drops what is for all": (
        replace(FINE, nodes=(replace(BOB, at="192.168.1.8:5000", ways=("typed",)),)),
        Diagnosis(
            True,
            'The room "Room A" at 192.168.1.8:5000 answers, but nothing of it is heard over multicast, broadcast or '
            "mDNS: this network drops them, so rooms do not show up by themselves.",
            "lanchat join 192.168.1.8:5000",
        ),
    ),
    "a firewall of our own that drops what is for all": (
        replace(calling(*DEAF), machine=replace(MACHINE, firewalls=(NFT, UFW))),
        Diagnosis(
            False,
            "This machine does not hear even its own multicast, broadcast and mDNS: a firewall on it drops them.",
            "sudo nft list ruleset",
        ),
    ),
    "the same, with a room that answers": (
        replace(calling(*DEAF), nodes=(replace(BOB, ways=("remembered",)),)),
        Diagnosis(
            True,
            "This machine does not hear even its own multicast, broadcast and mDNS: a firewall on it drops them, "
            "so rooms do not show up; joining by address works.",
            "lanchat join 192.168.1.8:47474",
        ),
    ),
    "macOS": (
        replace(
            calling(Loop("multicast", False, "no route to host", errno.EHOSTUNREACH)),
            machine=replace(MACHINE, system="Darwin"),
        ),
        Diagnosis(
            False,
            "macOS does not let this terminal onto the local network.",
            "System Settings > Privacy & Security > Local Network: allow your terminal, then start it again",
        ),
    ),
    "not allowed to send": (
        calling(Loop("multicast", False, "operation not permitted", errno.EPERM)),
        Diagnosis(
            False,
            "A firewall on this machine does not let lanchat call out.",
            "open port 47474, TCP and UDP, in the firewall of this machine",
        ),
    ),
    "nothing can be sent": (
        calling(Loop("multicast", False, "network is down", errno.ENETDOWN)),
        Diagnosis(False, "Nothing can be sent on eth0 (network is down).", "ip -br addr"),
    ),
    "client isolation": (
        replace(tried("unreachable"), router=True),
        Diagnosis(
            False,
            "192.168.1.9:47474 is on this very network but cannot be reached, though the router can: if that machine "
            "is on, the access point keeps its clients apart (client isolation, often on guest networks), or a "
            "firewall there is closed.",
            "take both machines to another Wi-Fi or to a cable; or switch off client isolation in the access point",
        ),
    ),
    "another network": (
        tried("silent", on_link=False),
        Diagnosis(
            False,
            "192.168.1.9:47474 is not on a network of this machine (192.168.1.7/24), and nothing comes back from "
            "there: the two machines are on different networks.",
            "join the same Wi-Fi or cable network on both",
        ),
    ),
    "nobody hosts there": (
        tried("refused"),
        Diagnosis(
            False,
            "The machine at 192.168.1.9:47474 is there, but nobody hosts a room at that port.",
            'on that machine: lanchat host "Room A"',
        ),
    ),
    "something else there": (
        tried("other"),
        Diagnosis(
            False,
            "Something listens at 192.168.1.9:47474, but it is no lanchat room.",
            "ask the host for the address and the port that their screen shows",
        ),
    ),
    "WSL2": (
        on(wsl=True),
        Diagnosis(
            False,
            "This is WSL2, whose network is not the one around you: calls do not leave Windows.",
            "run lanchat in Windows itself, or join by address: lanchat join ADDRESS",
        ),
    ),
    "a container": (
        on(container=True),
        Diagnosis(
            False,
            "This is a container, whose network is not the one around you: calls do not leave the machine.",
            "docker run --network host ...",
        ),
    ),
    "a firewall that may be it": (
        on(firewalls=(UFW,)),
        Diagnosis(
            True, "Nobody is heard here, and ufw is on: it may keep out what others say.", "sudo ufw allow 47474"
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_likely_cause(case):
    report, diagnosis = CASES[case]
    assert diagnose(report) == diagnosis


def test_a_room_of_before_that_is_off_is_no_sign_of_anything():
    assert diagnose(tried("silent", named=False)) == diagnose(FINE)


interfaces = st.builds(
    Interface,
    st.sampled_from(["eth0", "wg0", "lo"]),
    st.sampled_from(["network", "VPN", "loopback", "container"]),
    st.sampled_from([True, False, None]),
    st.sampled_from([(), ("10.0.0.1/24",)]),
    st.sampled_from([(), HEARD, DEAF, (Loop("multicast", False, "no", 1),)]),
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
    st.sampled_from(["room", "other", "refused", "silent", "unreachable"]),
    st.booleans(),
    st.booleans(),
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


@given(reports)
def test_there_is_always_one_sentence_and_one_command(report):
    diagnosis = diagnose(report)
    assert diagnosis.cause.endswith(".") and diagnosis.command and "\n" not in diagnosis.cause + diagnosis.command
    *_, cause, command = doctor_lines(report, diagnosis)
    assert command == f"Try:  {diagnosis.command}"
    assert doctor_json(report, diagnosis).isascii()
