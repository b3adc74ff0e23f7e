"""The verdict on an address or an invite: about that one, whatever else is seen."""

from dataclasses import replace

from lanchat.doctor.diagnosis import diagnose
from lanchat.doctor.report import Asked, Diagnosis, Interface, Loop, Machine, Node, Report, Tried, TriedOutcome
from lanchat.protocol.address import Endpoint
from tests.support.cases import cases

AT = "192.168.1.9:47474"
INVITE = f"lanchat://{AT}/{'5' * 32}#{'ab' * 32}"
HEARD = tuple(Loop(via, True) for via in ("multicast", "broadcast"))
CABLE = Interface("eth0", "network", True, ("192.168.1.7/24", "fe80::7%eth0/64"), HEARD)
BOB = Node("192.168.1.8", "192.168.1.8:47474", ("Room B",), ("announce",), ("multicast",), 0.4, True, True)
THERE = Node("192.168.1.9", AT, ("Room A",), ("typed", "mdns"), (), None, True, None)
OTHERS = 'Another room is visible and answers: "Room B" at 192.168.1.8:47474.'


def asking(
    outcome: TriedOutcome, *nodes: Node, on_link: bool = True, invite: bool = False, moved_to: str = ""
) -> Report:
    """What was found when a person asked about AT, or about an invite that names it."""
    endpoint = Endpoint("192.168.1.9")
    return Report(
        Machine("Linux"),
        (CABLE,),
        nodes,
        tried=(
            Tried("192.168.1.3:47474", "room", on_link=True, named=False, title="Recent"),
            Tried(AT, outcome, on_link, named=True, title="Room A" if "room" in outcome else ""),
        ),
        router=True,
        asked=Asked(INVITE, (endpoint,), "5" * 32, "ab" * 32) if invite else Asked("192.168.1.9", (endpoint,)),
        moved_to=moved_to,
    )


CASES = {
    "a room": (asking("room", THERE), Diagnosis(True, f'The room "Room A" answers at {AT}.', f"lanchat join {AT}")),
    "the room of the invite": (
        asking("room", THERE, invite=True),
        Diagnosis(True, f'The room "Room A" answers at {AT}.', f"lanchat join '{INVITE}'"),
    ),
    "a room that the list does not show": (
        asking("room", replace(THERE, via=("typed",))),
        Diagnosis(
            True,
            f'The room "Room A" answers at {AT}.',
            f"lanchat join {AT}",
            "It does not show up in the list: this network drops multicast, broadcast and mDNS.",
        ),
    ),
    "another room than that of the invite": (
        asking("another room", invite=True),
        Diagnosis(
            False,
            f'Another room answers at {AT} ("Room A"), not the one of this invite.',
            "ask the host for a new invite",
        ),
    ),
    "the room of the invite with another key": (
        asking("another key", invite=True),
        Diagnosis(
            False,
            f"The machine at {AT} does not have this invite's key. Somebody may be impersonating the host.",
            "ask the host for a new invite, over a channel that you trust",
        ),
    ),
    "the room of the invite elsewhere": (
        asking("refused", BOB, invite=True, moved_to="192.168.1.77:47474"),
        Diagnosis(
            False,
            f"The machine at {AT} answers, but no room is open at that port.",
            f"lanchat join '{INVITE}'",
            "The room of this invite answers at 192.168.1.77:47474 now; joining by the invite finds it there.",
        ),
    ),
    "nobody hosts there": (
        asking("refused", BOB),
        Diagnosis(
            False,
            f"The machine at {AT} answers, but no room is open at that port.",
            'on that machine: lanchat host "Room A"',
            OTHERS,
        ),
    ),
    "a room at another port there": (
        asking("refused", BOB, replace(THERE, at="192.168.1.9:47480", rooms=("Room B",))),
        Diagnosis(
            False,
            f"The machine at {AT} answers, but no room is open at that port.",
            "lanchat join 192.168.1.9:47480",
            OTHERS,
        ),
    ),
    "something else there": (
        asking("other"),
        Diagnosis(
            False,
            f"Something listens at {AT}, but it is not a lanchat room.",
            "ask the host for the address and the port that the screen there shows",
        ),
    ),
    "client isolation": (
        asking("unreachable"),
        Diagnosis(
            False,
            f"{AT} is on your network but does not answer, though the router does: if that machine is on, either the "
            "Wi-Fi isolates its clients, as guest networks often do, or a firewall there blocks connections.",
            "connect both machines to another Wi-Fi or by cable, or switch off client isolation in the access point",
        ),
    ),
    "one machine of several that does not answer": (
        asking("silent", BOB),
        Diagnosis(
            False,
            f"{AT} is on your network but does not answer, though others do: that machine is off or has another "
            "address now, or a firewall on it blocks connections.",
            "ask the host for the address that the screen there shows now",
            OTHERS,
        ),
    ),
    "another network": (
        asking("silent", on_link=False),
        Diagnosis(
            False,
            f"{AT} is not on a network of this machine (192.168.1.7/24), and does not answer: the two machines are on "
            "different networks.",
            "connect both machines to the same network",
        ),
    ),
    "a machine that nobody has": (
        asking("unknown", BOB),
        Diagnosis(
            False,
            'Cannot find a machine called "192.168.1.9".',
            "ask the host for the address that the screen there shows now",
            OTHERS,
        ),
    ),
    "no network here": (
        replace(asking("unreachable"), interfaces=(replace(CABLE, up=False, addresses=()),)),
        Diagnosis(
            False,
            f"{AT} does not answer, because this machine has no network (eth0 has no address).",
            "join the Wi-Fi or plug in the cable",
        ),
    ),
    "a room, but this home cannot be used": (
        replace(asking("room"), machine=Machine("Linux", trouble=("/k can be read by others", "chmod 600 /k"))),
        Diagnosis(
            False,
            f'The room "Room A" answers at {AT}, but lanchat cannot be used here: /k can be read by others.',
            "chmod 600 /k",
        ),
    ),
}


@cases("case", CASES)
def test_the_verdict_is_about_what_was_asked(case):
    report, diagnosis = CASES[case]
    assert diagnose(report) == diagnosis


def test_of_the_addresses_of_an_invite_the_one_that_answers_counts():
    report = asking("silent", invite=True)
    answers = Tried("10.0.0.9:47474", "room", on_link=False, named=True, title="Room A")
    assert diagnose(replace(report, tried=(*report.tried, answers))).works


def test_a_title_of_a_stranger_is_made_safe():
    report = asking("room")
    evil = Tried(AT, "room", on_link=True, named=True, title="\x1b[2J")
    assert "\x1b" not in diagnose(replace(report, tried=(evil,))).cause


def test_who_asks_about_a_title_is_told_that_it_takes_an_address():
    report = replace(asking("unknown"), tried=(Tried("lobby:47474", "unknown", on_link=False, named=True),))
    said = diagnose(replace(report, asked=Asked("lobby", (Endpoint("lobby"),))))
    assert said.cause == 'Cannot find a machine called "lobby". A room cannot be checked by its title.'
    assert said.command.startswith("lanchat doctor, without a name")
