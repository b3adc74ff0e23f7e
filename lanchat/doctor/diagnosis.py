"""From what was found to one sentence of the likely cause, and one command to try. Pure.

The rules stand in the order of how sure they are: what was seen to work comes before what may be wrong.
"""

import errno

from lanchat.doctor.report import LEAST_DISK, Diagnosis, Firewall, Interface, Node, Report, Tried
from lanchat.protocol.text import safe_text

PORT = 47474
_OPEN = {
    "ufw": f"sudo ufw allow {PORT}",
    "firewalld": f"sudo firewall-cmd --add-port={PORT}/tcp --add-port={PORT}/udp",
    "nft": "sudo nft list ruleset",
    "windows": "New-NetFirewallRule -DisplayName lanchat -Direction Inbound -Action Allow -Protocol UDP "
    f"-LocalPort {PORT}    (in PowerShell as administrator; once more with TCP)",
    "macos": "System Settings > Network > Firewall > Options: allow incoming connections for python",
}
_JOIN = "lanchat join"
_ASK_FOR_ADDRESS = "lanchat doctor ADDRESS    (the address that the host's screen shows)"


def diagnose(report: Report) -> Diagnosis:
    for rule in (_machine, _no_network, _others, _cannot_call, _deaf, _by_address, _named, _apart, _inside, _nobody):
        if (diagnosis := rule(report)) is not None:
            return diagnosis
    raise AssertionError("the last rule always answers")


def _machine(report: Report) -> Diagnosis | None:
    machine = report.machine
    if machine.trouble is not None:
        return Diagnosis(False, _sentence(machine.trouble[0]), machine.trouble[1])
    if machine.disk is not None and machine.disk < LEAST_DISK:
        return Diagnosis(False, f"The disk of {machine.home} is full.", f"df -h '{machine.home}'")
    return None


def _no_network(report: Report) -> Diagnosis | None:
    if _real(report):
        return None
    down = [
        interface.name for interface in report.interfaces if interface.kind == "network" and not interface.addresses
    ]
    why = f" ({', '.join(down)} has no address)" if down else ""
    return Diagnosis(False, f"This machine is on no network{why}.", "join the Wi-Fi or plug in the cable")


def _others(report: Report) -> Diagnosis | None:
    """Somebody else was seen, so calls get through; do connections?"""
    seen = [node for node in report.nodes if {"announce", "mdns"} & set(node.ways)]
    seen.sort(key=lambda node: "%" in node.address)  # a link-local address tells a person little
    for node in seen:
        if not node.reached:
            continue
        if node.reaches_us is False:
            return Diagnosis(
                True,
                f"You can join the rooms here, but {node.address} cannot connect to you, so nobody could join a room "
                "of yours: a firewall on this machine keeps connections out.",
                _opening(report.machine.firewalls),
            )
        return Diagnosis(True, f"All is well: the room{_title(node)} of {node.address} is seen and answers.", _JOIN)
    if seen:
        return Diagnosis(
            False,
            f"{seen[0].address} announces a room, but connections to it do not get through: "
            "a firewall on that machine keeps them out.",
            f"on that machine: {_OPEN['ufw']}",
        )
    return None


def _by_address(report: Report) -> Diagnosis | None:
    """We call and hear ourselves, others do not hear us, and yet a room is there."""
    node = next((node for node in report.nodes if node.reached), None)
    if node is None:
        return None
    return Diagnosis(
        True,
        f"The room{_title(node)} at {node.at} answers, but nothing of it is heard over multicast, broadcast or "
        "mDNS: this network drops them, so rooms do not show up by themselves.",
        f"{_JOIN} {node.at}",
    )


def _named(report: Report) -> Diagnosis | None:
    """Nobody was heard; what about the address that the person has named?"""
    tried = next((tried for tried in report.tried if tried.named), None)
    match tried:
        case Tried(outcome="other"):
            return Diagnosis(
                False,
                f"Something listens at {tried.address}, but it is no lanchat room.",
                "ask the host for the address and the port that their screen shows",
            )
        case Tried(outcome="refused"):
            return Diagnosis(
                False,
                f"The machine at {tried.address} is there, but nobody hosts a room at that port.",
                'on that machine: lanchat host "Room A"',
            )
        case Tried(outcome="silent" | "unreachable", on_link=False):
            return Diagnosis(
                False,
                f"{tried.address} is not on a network of this machine ({_networks(report)}), and nothing comes back "
                "from there: the two machines are on different networks.",
                "join the same Wi-Fi or cable network on both",
            )
    return None


def _cannot_call(report: Report) -> Diagnosis | None:
    """Nothing can be sent at all."""
    loops = [loop for interface in _real(report) for loop in interface.loops]
    if not loops or not all(loop.error for loop in loops):
        return None
    codes = {loop.code for loop in loops}
    if errno.EHOSTUNREACH in codes and report.machine.system == "Darwin":
        return Diagnosis(
            False,
            "macOS does not let this terminal onto the local network.",
            "System Settings > Privacy & Security > Local Network: allow your terminal, then start it again",
        )
    if codes & {errno.EPERM, errno.EACCES}:
        return Diagnosis(
            False, "A firewall on this machine does not let lanchat call out.", _opening(report.machine.firewalls)
        )
    return Diagnosis(
        False,
        f"Nothing can be sent on {_names(_real(report))} ({loops[0].error}).",
        "ip -br addr" if report.machine.system == "Linux" else "turn the network off and on again",
    )


def _deaf(report: Report) -> Diagnosis | None:
    """We can send, and do not hear even ourselves: what is dropped is dropped on this machine."""
    real = _real(report)
    called = [interface for interface in real if any(not loop.error for loop in interface.loops)]
    if not called or any(interface.hears_itself for interface in called):
        return None
    hint = _join_hint(report)
    return Diagnosis(
        hint is not None,
        "This machine does not hear even its own multicast, broadcast and mDNS: a firewall on it drops them"
        + (", so rooms do not show up; joining by address works." if hint else "."),
        hint or _opening(report.machine.firewalls),
    )


def _apart(report: Report) -> Diagnosis | None:
    """We call and hear ourselves; nobody else is heard, and a neighbour that should be there is not."""
    missing = [t for t in report.tried if t.on_link and t.outcome in ("silent", "unreachable")]
    if (named := [t for t in missing if t.named]) or (missing and report.router):
        place = (named or missing)[0]
        though = ", though the router can" if report.router else ""
        return Diagnosis(
            False,
            f"{place.address} is on this very network but cannot be reached{though}: if that machine is on, the access "
            "point keeps its clients apart (client isolation, often on guest networks), or a firewall there is closed.",
            "take both machines to another Wi-Fi or to a cable; or switch off client isolation in the access point",
        )
    return None


def _inside(report: Report) -> Diagnosis | None:
    if report.machine.wsl:
        return Diagnosis(
            False,
            "This is WSL2, whose network is not the one around you: calls do not leave Windows.",
            "run lanchat in Windows itself, or join by address: lanchat join ADDRESS",
        )
    if report.machine.container:
        return Diagnosis(
            False,
            "This is a container, whose network is not the one around you: calls do not leave the machine.",
            "docker run --network host ...",
        )
    return None


def _nobody(report: Report) -> Diagnosis:
    blocking = [firewall for firewall in report.machine.firewalls if firewall.blocks]
    if blocking:
        return Diagnosis(
            True,
            f"Nobody is heard here, and {blocking[0].text}: it may keep out what others say.",
            _opening(tuple(blocking)),
        )
    half = [i.name for i in _real(report) if i.loops and not i.hears_itself]
    dead = f" ({', '.join(half)} carries nothing)" if half else ""
    return Diagnosis(
        True,
        f"This machine is in order{dead}, but nobody else is heard: either nobody hosts a room on this network now, "
        "or the network keeps its members apart.",
        _ASK_FOR_ADDRESS,
    )


def _real(report: Report) -> list[Interface]:
    """The interfaces that people can be on; without any, whatever else there is, loopback only where it was chosen."""
    usable = [i for i in report.interfaces if i.addresses and i.up is not False]
    real = [i for i in usable if i.kind in ("network", "VPN")]
    return real or [i for i in usable if i.kind != "loopback" or report.chosen]


def _join_hint(report: Report) -> str | None:
    """How to get into a room that answers by its address."""
    node = next((node for node in report.nodes if node.reached), None)
    return None if node is None else f"{_JOIN} {node.at}"


def _title(node: Node) -> str:
    return f' "{safe_text(node.rooms[0])}"' if node.rooms else ""


def _opening(firewalls: tuple[Firewall, ...]) -> str:
    kinds = [firewall.kind for firewall in sorted(firewalls, key=lambda firewall: firewall.blocks is not True)]
    return _OPEN[kinds[0]] if kinds else f"open port {PORT}, TCP and UDP, in the firewall of this machine"


def _networks(report: Report) -> str:
    return ", ".join(address for interface in _real(report) for address in interface.addresses if "." in address)


def _names(interfaces: list[Interface]) -> str:
    return ", ".join(interface.name for interface in interfaces)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
