"""`lanchat doctor` on paper: what was found as lines, or as one JSON object. Pure."""

import dataclasses
import json
from collections.abc import Iterator

from lanchat.doctor.report import Diagnosis, Interface, Loop, Node, Report
from lanchat.protocol.text import safe_text

_PORT = {"free": "free", "a room": "a room of this machine is open there", "taken": "taken by another program"}


def doctor_lines(report: Report, diagnosis: Diagnosis) -> Iterator[str]:
    """For people, the conclusion last: that is where they look."""
    for interface in report.interfaces:
        yield from _interface(interface)
    yield "others"
    for node in report.nodes:
        yield from _node(node)
    if not report.nodes:
        yield "  nobody heard"
    for tried in report.tried:
        near = "" if tried.on_link else ", not on a network of this machine"
        yield f"  tried {tried.address}: {tried.outcome}{near}"
    if report.router is not None:
        yield f"  router          {'answers' if report.router else 'does not answer'}"
    yield from _machine(report)
    for problem in report.problems:
        yield safe_text(problem)
    yield ""
    yield safe_text(diagnosis.cause)
    yield f"Try:  {safe_text(diagnosis.command)}"


def doctor_json(report: Report, diagnosis: Diagnosis) -> str:
    return json.dumps({**dataclasses.asdict(diagnosis), **dataclasses.asdict(report)}, ensure_ascii=True)


def _interface(interface: Interface) -> Iterator[str]:
    up = {True: "up", False: "down", None: ""}[interface.up]
    kind = "" if interface.kind == "network" else interface.kind
    yield "  ".join(filter(None, (interface.name, up, kind, ", ".join(interface.addresses) or "no address")))
    for loop in interface.loops:
        yield f"  {loop.via:<15} {_loop(loop)}"


def _loop(loop: Loop) -> str:
    if loop.error:
        return f"does not work: {loop.error}"
    return "sent and heard back" if loop.heard else "sent, not heard back"


def _node(node: Node) -> Iterator[str]:
    rooms = ", ".join(f'"{safe_text(room)}"' for room in dict.fromkeys(node.rooms))
    yield f"  {node.at}  {rooms}"
    yield f"    seen by       {', '.join(node.via)}" + (f"; it hears our {', '.join(node.hears)}" if node.hears else "")
    echo = "no answer" if node.echo is None else f"answers in {node.echo:.1f} ms"
    back = {True: "yes", False: "no", None: "not tried"}[node.reaches_us]
    yield f"    UDP           {echo}"
    yield f"    TCP           to it: {'yes' if node.reached else 'no'}; from it to us: {back}"


def _machine(report: Report) -> Iterator[str]:
    machine = report.machine
    inside = " (WSL2)" if machine.wsl else " (container)" if machine.container else ""
    yield f"this machine: {machine.system}{inside}"
    if report.own_rooms:
        yield "  rooms here      " + ", ".join(f'"{safe_text(title)}"' for title in report.own_rooms)
    yield f"  port 47474      {_PORT[machine.port]}"
    yield "  firewall        " + ("; ".join(firewall.text for firewall in machine.firewalls) or "none seen")
    yield f"  key             {machine.key}"
    free = "" if machine.disk is None else f", {machine.disk // 1_000_000} MB free"
    yield f"  home            {safe_text(machine.home)}{free}"
    yield f"  clock           {machine.clock}"
    yield "  versions        " + ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    for warning in machine.warnings:
        yield f"  note: {safe_text(warning)}"
