"""Makes the diagnosis from a report: the likely cause, and one thing to try. Pure.

The rules are tried in order, the most certain one first: what was seen to work comes before what may be wrong. For an
address that the person asks about there is verdict.py.
"""

import errno

from lanchat.doctor.report import LEAST_DISK, Diagnosis, Firewall, Interface, Node, Report
from lanchat.doctor.verdict import GET_NETWORK, ISOLATED, LEAVE_ISOLATION, no_network, verdict
from lanchat.protocol.address import DEFAULT_PORT
from lanchat.protocol.text import argument, safe_text

_OPEN = {  # how a firewall is opened for lanchat
    "ufw": f"sudo ufw allow {DEFAULT_PORT}",
    "firewalld": f"sudo firewall-cmd --add-port={DEFAULT_PORT}/tcp --add-port={DEFAULT_PORT}/udp",
    "nft": "sudo nft list ruleset",
    "windows": "New-NetFirewallRule -DisplayName lanchat -Direction Inbound -Action Allow -Protocol UDP "
    f"-LocalPort {DEFAULT_PORT}    (in PowerShell as administrator; once more with TCP)",
    "macos": "System Settings > Network > Firewall > Options: allow incoming connections for python",
}
_JOIN = "lanchat join"
_ASK_FOR_ADDRESS = "lanchat doctor ADDRESS    (the address that the host's screen shows)"


def diagnose(report: Report) -> Diagnosis:
    if report.asked is not None:
        return verdict(report, report.asked)
    rules = (
        _machine,
        _no_network,
        _others,
        _cannot_send,
        _hears_nothing,
        _by_address,
        _isolated,
        _in_container,
        _nobody,
    )
    for rule in rules:
        if (diagnosis := rule(report)) is not None:
            return diagnosis
    raise AssertionError("the last rule always answers")


def _machine(report: Report) -> Diagnosis | None:
    """The home folder, the key or the disk makes lanchat unusable here."""
    machine = report.machine
    if machine.trouble is not None:
        return Diagnosis(False, _sentence(machine.trouble[0]), machine.trouble[1])
    if machine.disk is not None and machine.disk < LEAST_DISK:
        return Diagnosis(False, f"The disk that holds {machine.home} is full.", f"df -h {argument(machine.home)}")
    return None


def _no_network(report: Report) -> Diagnosis | None:
    if report.real:
        return None
    alone = "A room on this machine works without one, for the people at this machine."
    return Diagnosis(False, _sentence(no_network(report)), GET_NETWORK, alone)


def _others(report: Report) -> Diagnosis | None:
    """Another node was seen, so packets to everybody get through. The question is whether connections do."""
    seen = [node for node in report.nodes if {"announce", "mdns"} & set(node.via)]
    seen.sort(key=lambda node: "%" in node.address)  # a link-local address means little to a person
    for node in seen:
        if not node.reached:
            continue
        if node.reaches_us is False:
            return Diagnosis(
                True,
                f"You can join the rooms here, but {node.address} cannot connect to you: a firewall on this machine "
                "blocks incoming connections, so nobody could join a room that you host, and this computer can be no "
                "standby of a room.",
                _opening(report.machine.firewalls),
            )
        return Diagnosis(True, f"All is well: the room{_title(node)} at {node.address} is visible and answers.", _JOIN)
    if seen:
        return Diagnosis(
            False,
            f"{seen[0].address} announces a room, but connections to it do not get through: "
            "a firewall on that machine blocks them.",
            f"on that machine: {_OPEN['ufw']}",
        )
    return None


def _by_address(report: Report) -> Diagnosis | None:
    """We hear our own packets, but nobody else's, and yet a room answers at an address that was tried."""
    node = next((node for node in report.nodes if node.reached), None)
    if node is None:
        return None
    return Diagnosis(
        True,
        f"The room{_title(node)} at {node.at} answers, but this network drops multicast, broadcast and mDNS, so rooms "
        "do not show up by themselves.",
        f"{_JOIN} {argument(node.at)}",
    )


def _cannot_send(report: Report) -> Diagnosis | None:
    """Nothing can be sent to everybody at all."""
    loops = [loop for interface in report.real for loop in interface.loops]
    if not loops or not all(loop.error for loop in loops):
        return None
    codes = {loop.code for loop in loops}
    if errno.EHOSTUNREACH in codes and report.machine.system == "Darwin":
        return Diagnosis(
            False,
            "macOS does not let this terminal use the local network.",
            "System Settings > Privacy & Security > Local Network: allow your terminal, then restart it",
        )
    if codes & {errno.EPERM, errno.EACCES}:
        return Diagnosis(
            False, "A firewall on this machine stops lanchat from sending.", _opening(report.machine.firewalls)
        )
    return Diagnosis(
        False,
        f"Nothing can be sent on {_names(report.real)} ({loops[0].error}).",
        "ip -br addr" if report.machine.system == "Linux" else "turn the network off and on again",
    )


def _hears_nothing(report: Report) -> Diagnosis | None:
    """We can send, but do not even hear ourselves: packets are dropped on this machine."""
    sending = [interface for interface in report.real if any(not loop.error for loop in interface.loops)]
    if not sending or any(interface.hears_itself for interface in sending):
        return None
    hint = _join_hint(report)
    return Diagnosis(
        hint is not None,
        "This machine does not even hear its own multicast, broadcast and mDNS: a firewall on it drops them"
        + (", so rooms do not show up, but joining by address works." if hint else "."),
        hint or _opening(report.machine.firewalls),
    )


def _isolated(report: Report) -> Diagnosis | None:
    """We hear our own packets, but nobody else's, and a neighbour that should be there is not."""
    missing = [tried for tried in report.tried if tried.on_link and tried.outcome in ("silent", "unreachable")]
    if not missing or not report.router:
        return None
    return Diagnosis(
        False,
        f"{missing[0].address} is on this network but cannot be reached, though the router can: {ISOLATED}",
        LEAVE_ISOLATION,
    )


def _in_container(report: Report) -> Diagnosis | None:
    """This machine is virtual, and has a network that the others are not on."""
    if report.machine.wsl:
        return Diagnosis(
            False,
            "This is WSL2, which has a network of its own: packets to everybody do not leave Windows.",
            "run lanchat in Windows itself, or join by address: lanchat join ADDRESS",
        )
    if report.machine.container:
        return Diagnosis(
            False,
            "This is a container, which has a network of its own: packets to everybody do not leave this machine.",
            "docker run --network host ...",
        )
    return None


def _nobody(report: Report) -> Diagnosis:
    """No room answers, and nothing else is wrong. This rule always answers."""
    room, nobody = ("room on another machine", "nobody else") if report.own_rooms else ("room", "nobody")
    blocking = [firewall for firewall in report.machine.firewalls if firewall.blocks]
    if blocking:
        return Diagnosis(
            True,
            f"No {room} answers, and {blocking[0].text}, so rooms may be there and not show up.",
            _opening(tuple(blocking)),
        )
    half = [i.name for i in report.real if i.loops and not i.hears_itself]
    dead = f" (but nothing gets through on {', '.join(half)})" if half else ""
    return Diagnosis(
        True,
        f"Your machine is fine{dead}, but no {room} answers. "
        f"Either {nobody} is hosting, or the network isolates its clients.",
        _ASK_FOR_ADDRESS,
    )


def _join_hint(report: Report) -> str | None:
    """The command that joins a room which answers at its address."""
    node = next((node for node in report.nodes if node.reached), None)
    return None if node is None else f"{_JOIN} {argument(node.at)}"


def _title(node: Node) -> str:
    return f' "{safe_text(node.rooms[0])}"' if node.rooms else ""


def _opening(firewalls: tuple[Firewall, ...]) -> str:
    kinds = [firewall.kind for firewall in sorted(firewalls, key=lambda firewall: firewall.blocks is not True)]
    return _OPEN[kinds[0]] if kinds else f"open port {DEFAULT_PORT}, TCP and UDP, in the firewall of this machine"


def _names(interfaces: list[Interface]) -> str:
    return ", ".join(interface.name for interface in interfaces)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
