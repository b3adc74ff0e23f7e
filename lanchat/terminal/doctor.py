"""The output of `lanchat doctor`: its findings as lines, or as one JSON object. Pure."""

import dataclasses
import json
from collections.abc import Iterator

from lanchat.doctor.report import Diagnosis, Interface, Loop, Node, Report
from lanchat.protocol.sizes import size_text
from lanchat.terminal.cells import Styled

MORE = "Details:  lanchat doctor -v"
_PORT = {"free": "free", "a room": "used by a room on this machine", "taken": "used by another program"}
_OUTCOME = {
    "room": "a lanchat room",
    "another room": "a lanchat room, but not the one of the invite",
    "another key": "the room of the invite, but not its key",
    "other": "something else than lanchat answers",
    "refused": "nothing listens there",
    "silent": "no answer",
    "unreachable": "unreachable",
    "unknown": "no machine has this name",
}


def verdict_lines(report: Report, diagnosis: Diagnosis, *, marks: bool) -> Iterator[Styled]:
    """The verdict, for people: whether it works, why not, and what to try.

    Args:
        marks: whether a check mark and a cross can be written.
    """
    good, bad = ("✓", "✗") if marks else ("OK:", "Problem:")
    mark, style = (good, "class:good") if diagnosis.works else (bad, "class:bad")
    yield Styled(f"{mark} {diagnosis.cause}", "class:heading", f"class:heading {style}")
    for line in (diagnosis.remark, *(f"Note: {warning}." for warning in report.machine.warnings)):
        if line:
            yield Styled(f"  {line}")
    yield Styled(f"  Try:  {diagnosis.command}", "class:command")


def detail_lines(report: Report) -> Iterator[Styled]:
    """All that was found, for people, with headings."""
    return (Styled(line, "" if line.startswith(" ") else "class:heading") for line in _details(report))


def doctor_json(report: Report, diagnosis: Diagnosis) -> str:
    return json.dumps({**dataclasses.asdict(diagnosis), **dataclasses.asdict(report)}, ensure_ascii=True)


def _details(report: Report) -> Iterator[str]:
    yield "Networks"
    for interface in report.interfaces:
        yield from _interface(interface)
    yield "Others on this network"
    for node in report.nodes:
        yield from _node(node)
    if not report.nodes:
        yield "  none"
    for tried in report.tried:
        elsewhere = "" if tried.on_link else " (not on a network of this machine)"
        yield f"  {tried.address}: {_OUTCOME[tried.outcome]}{elsewhere}"
    if report.router is not None:
        yield f"  {'router':<15}  {'answers' if report.router else 'does not answer'}"
    yield from _machine(report)
    if report.problems:
        yield "Problems of the search"
        yield from (f"  {problem}" for problem in report.problems)


def _interface(interface: Interface) -> Iterator[str]:
    up = {True: "up", False: "down", None: ""}[interface.up]
    kind = "" if interface.kind == "network" else interface.kind
    yield "  " + "  ".join(filter(None, (interface.name, up, kind, ", ".join(interface.addresses) or "no address")))
    for loop in interface.loops:
        yield f"    {loop.via:<15}  {_loop(loop)}"


def _loop(loop: Loop) -> str:
    if loop.error:
        return f"does not work: {loop.error}"
    return "works" if loop.heard else "sent, but it does not come back"


def _node(node: Node) -> Iterator[str]:
    rooms = ", ".join(f'"{room}"' for room in dict.fromkeys(node.rooms))
    yield f"  {node.at}  {rooms}"
    hears = f"; it hears our {', '.join(node.hears)}" if node.hears else ""
    yield f"    {'found by':<13}  {', '.join(node.via)}{hears}"
    yield f"    {'UDP':<13}  " + ("no answer" if node.echo is None else f"answers in {node.echo:.1f} ms")
    back = {True: "works", False: "fails", None: "not tried"}[node.reaches_us]
    yield f"    {'TCP':<13}  to it: {'works' if node.reached else 'fails'}; from it to us: {back}"


def _machine(report: Report) -> Iterator[str]:
    machine = report.machine
    yield "This machine"
    facts = {
        "system": machine.system + (" (WSL2)" if machine.wsl else " (container)" if machine.container else ""),
        "rooms": ", ".join(f'"{title}"' for title in report.own_rooms),
        "port 47474": _PORT[machine.port],
        "firewall": "; ".join(firewall.text for firewall in machine.firewalls) or "none found",
        "key": machine.key,
        "home": machine.home,
        "free disk": "" if machine.disk is None else size_text(machine.disk),
        "clock": machine.clock,
        "versions": ", ".join(f"{name} {version}" for name, version in machine.versions.items()),
    }
    for name, fact in facts.items():
        if fact:
            yield f"  {name:<15}  {fact}"
