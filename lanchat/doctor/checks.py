"""The checks of `lanchat doctor`: search for rooms, ask everybody, probe addresses, and read what the system says.

They take a few seconds, and run beside each other in a few threads.
"""

import ipaddress
import re
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from lanchat.discovery.finder import Finder
from lanchat.discovery.probe import PROBE_LIMIT, ask_for_card, connect_outcome
from lanchat.discovery.sighting import (
    Answered,
    ConnectionRefused,
    Listing,
    NotARoom,
    Outcome,
    Silent,
    Unreachable,
    may_dial,
)
from lanchat.discovery.sources import VIA_RECENT, default_sources
from lanchat.discovery.udp.multicast import PORT
from lanchat.doctor.echo import EchoResults, ask_everybody, can_connect_back, round_trip
from lanchat.doctor.nodes import NodeTable
from lanchat.doctor.report import Asked, Interface, Node, PortUse, Report, Tried, TriedOutcome
from lanchat.doctor.system import describe_machine, router_answers
from lanchat.errors import LanchatError
from lanchat.network.addresses import OwnAddresses
from lanchat.network.connect import dial, peer_of
from lanchat.network.interfaces import interface_names, is_up, kind_of
from lanchat.network.listen import Listeners
from lanchat.protocol.address import DEFAULT_PORT, Address, Endpoint
from lanchat.protocol.tls import client_context
from lanchat.storage.recent import RecentRooms

LOOK_FOR = 2.5  # s; mDNS alone takes about one
MAX_NODES = 4  # that are asked one by one
MAX_RECENT = 4  # addresses of recent rooms that are tried
ECHO_LIMIT = 1.0  # s

_ADAPTER = re.compile(r"(en|eth|wl|ww)[a-z]*\d")  # Linux's names of cables, Wi-Fi and modems: eth0, enp3s0, wlan0


@dataclass(frozen=True)
class _Attempt:
    """One address that was tried.

    Args:
        peer: the IP address that answered, even if a name was tried; empty if none did.
    """

    tried: Tried
    peer: str


def run_checks(
    on: OwnAddresses,
    home: Path,
    asked: Asked | None = None,
    *,
    look_for: float = LOOK_FOR,
    port: int = PORT,
) -> Report:
    """Run all checks, which takes a little longer than `look_for`.

    Args:
        on: our own addresses on the networks to check.
        asked: what the person asks about.
        look_for: s to search for rooms.
        port: of UDP.

    Raises:
        LanchatError: LANCHAT_HOME names no folder.
    """
    own, everything = on.now(), OwnAddresses()
    began = time.monotonic()
    with (
        Finder(on, default_sources(on, home, port), wanted=asked.room_id if asked else "") as finder,
        ThreadPoolExecutor(8, "doctor") as pool,
    ):
        echoes = pool.submit(ask_everybody, own, port)
        machine = pool.submit(lambda: describe_machine(home, own, _port_use()))
        router = pool.submit(router_answers, own)
        recent = [room.endpoint for room in RecentRooms(home).all() if may_dial(room.endpoint, own)]
        named = asked.endpoints if asked else ()
        tries = [pool.submit(_try, endpoint, own, asked) for endpoint in named]
        others = [endpoint for endpoint in recent if endpoint not in named][:MAX_RECENT]
        tries += [pool.submit(_try, endpoint, own, None) for endpoint in others]
        results = echoes.result()
        time.sleep(max(0.0, began + look_for - time.monotonic()))
        listings = finder.listings()
        attempts = [tried.result() for tried in tries]
        all_own = {address.text for address in everything.all()}
        nodes = _nodes(listings, results, attempts, all_own)
        nodes_asked = list(pool.map(lambda node: _with_echo(node, own, port), nodes[:MAX_NODES]))
        problems = finder.problems()
    return Report(
        machine=machine.result(),
        interfaces=tuple(_interfaces(own, results, all_of_them=not on.chosen)),
        nodes=tuple([*_with_reaches_us(nodes_asked, on, own, port), *nodes[MAX_NODES:]]),
        own_rooms=tuple(
            listing.title for listing in listings if {endpoint.host for endpoint in listing.endpoints} <= all_own
        ),
        tried=tuple(attempt.tried for attempt in attempts),
        router=router.result(),
        problems=problems,
        chosen=on.chosen,
        asked=asked,
        moved_to=_moved_to(asked, listings, attempts),
    )


def _nodes(
    listings: Sequence[Listing], results: EchoResults, attempts: Sequence[_Attempt], all_own: set[str]
) -> list[Node]:
    table = NodeTable(all_own)
    for listing in listings:
        table.add_listing(listing)
    for host, hears in results.hears.items():
        table.add_answer(host, hears, results.titles[host])
    for attempt in attempts:
        if attempt.tried.title and attempt.peer:
            via = "typed" if attempt.tried.named else VIA_RECENT
            table.add_room(attempt.peer, attempt.tried.address, attempt.tried.title, via)
    return table.nodes()


def _moved_to(asked: Asked | None, listings: Sequence[Listing], attempts: Sequence[_Attempt]) -> str:
    """Where the room of an invite answers, if it answers at none of the invite's addresses."""
    if asked is None or any(attempt.tried.named and attempt.tried.outcome == "room" for attempt in attempts):
        return ""
    for listing in listings:
        if listing.room_id == asked.room_id and listing.state == "answering":
            if listing.fingerprint.startswith(asked.fingerprint):
                return str(listing.endpoints[0])
    return ""


def _interfaces(own: Sequence[Address], results: EchoResults, *, all_of_them: bool) -> list[Interface]:
    """The interfaces that have an address; of the others, those that look like a cable or Wi-Fi."""
    kinds = {address.interface: address.kind for address in own}
    if all_of_them:
        kinds |= {name: kind_of(name) for name in interface_names() if _ADAPTER.match(name) and name not in kinds}
    return [
        Interface(
            name,
            kind,
            is_up(name),
            tuple(f"{address.text}/{address.prefix}" for address in own if address.interface == name),
            tuple(loop for (interface, _), loop in results.loops.items() if interface == name),
        )
        for name, kind in kinds.items()
    ]


def _with_echo(node: Node, own: Sequence[Address], port: int) -> Node:
    return replace(node, echo=round_trip(own, node.address, ECHO_LIMIT, port))


def _with_reaches_us(nodes: Sequence[Node], on: OwnAddresses, own: Sequence[Address], port: int) -> list[Node]:
    """The nodes, with whether they can connect to us. They are asked in turn, because all connect to one port."""
    if not any(node.echo is not None for node in nodes):
        return list(nodes)
    try:
        listeners = Listeners(on, None)
    except LanchatError:
        return list(nodes)
    with listeners:
        return [
            node
            if node.echo is None
            else replace(node, reaches_us=can_connect_back(own, node.address, listeners, port))
            for node in nodes
        ]


def _try(endpoint: Endpoint, own: Sequence[Address], asked: Asked | None) -> _Attempt:
    """Connect to an address and ask for the card of its room.

    Args:
        asked: the invite or the address of the person, if the endpoint stands there.
    """
    outcome, peer = _connect_and_ask(endpoint)
    title = outcome.card.title if isinstance(outcome, Answered) else ""
    on_link = _is_on_link(peer or endpoint.host, own)
    return _Attempt(Tried(str(endpoint), _tried_outcome(outcome, asked), on_link, asked is not None, title), peer)


def _connect_and_ask(endpoint: Endpoint) -> tuple[Outcome | None, str]:
    """Probe an address that may be a name with several IP addresses.

    Returns:
        The outcome, or None if no machine has this name; and the IP address that accepted the connection, or "".
    """
    try:
        sock = dial((endpoint,))
    except LanchatError as error:
        unknown = isinstance(error.__cause__, socket.gaierror | ValueError)
        return None if unknown else connect_outcome(error.__cause__), ""
    with sock:
        peer = peer_of(sock)
        outcome = ask_for_card(sock, client_context(), time.monotonic() + PROBE_LIMIT)
    return outcome, peer.host if peer is not None else ""


def _tried_outcome(outcome: Outcome | None, asked: Asked | None) -> TriedOutcome:
    match outcome:
        case None:
            return "unknown"
        case Answered(card) if asked is not None and asked.room_id and card.room != asked.room_id:
            return "another room"
        case Answered(fingerprint=key) if asked is not None and not key.startswith(asked.fingerprint):
            return "another key"
        case Answered():
            return "room"
        case NotARoom() | Silent(connected=True):
            return "other"
        case ConnectionRefused():
            return "refused"
        case Silent():
            return "silent"
        case Unreachable():
            return "unreachable"
        case _:
            assert_never(outcome)


def _is_on_link(host: str, own: Sequence[Address]) -> bool:
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return False
    if ip.version == 6 and ip.is_link_local:
        return any(address.needs_scope for address in own)
    return any(ip in address.network for address in own)


def _port_use() -> PortUse:
    """Who has the TCP port of lanchat on this machine."""
    try:
        Listeners(OwnAddresses(), DEFAULT_PORT).close()
    except LanchatError:
        outcome, _ = _connect_and_ask(Endpoint("127.0.0.1", DEFAULT_PORT))
        return "a room" if isinstance(outcome, Answered) else "taken"
    return "free"
