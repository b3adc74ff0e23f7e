"""The examination: look, call, knock, and read what the system says. Takes a few seconds; a few threads."""

import ipaddress
import re
import socket
import struct
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from lanchat.client.connect import read_card
from lanchat.discovery.finder import Finder
from lanchat.discovery.recent import WAY as REMEMBERED
from lanchat.discovery.recent import Places
from lanchat.discovery.sighting import Listing, may_dial
from lanchat.doctor.echo import Echoes, ask_one, ask_to_connect, call_everybody
from lanchat.doctor.report import Interface, Node, Report, Tried
from lanchat.doctor.system import examine_machine
from lanchat.errors import LanchatError
from lanchat.network.connect import dial, peer_of
from lanchat.network.flusher import Flusher
from lanchat.network.interfaces import addresses, kind_of, still
from lanchat.network.link import Link
from lanchat.network.listen import listen
from lanchat.protocol.address import DEFAULT_PORT, Address, Endpoint
from lanchat.protocol.framing import LineSplitter
from lanchat.protocol.tls import TlsChannel, client_context

LOOK_FOR = 2.5  # s; mDNS alone takes about one
MAX_NODES = 4  # that are asked one by one
MAX_TRIED = 4  # places of before
ECHO_LIMIT = 1.0  # s
CARD_LIMIT = 2.0  # s for a host to show its card

_ADAPTER = re.compile(r"(en|eth|wl|ww)[a-z]*\d")
_SIOCGIFFLAGS, _UP, _RUNNING = 0x8913, 0x1, 0x40  # Linux: netdevice(7)

Outcome = Literal["room", "other", "refused", "silent", "unreachable"]


@dataclass(frozen=True)
class _Answer:
    """What is at an address.

    Args:
        title: of the room there.
        peer: the IP address that answered, also where a name was asked for; empty where none did.
    """

    outcome: Outcome
    title: str = ""
    peer: str = ""


def examine(
    on: Sequence[Address] | None,
    home: Path,
    named: Endpoint | None = None,
    *,
    look_for: float = LOOK_FOR,
) -> Report:
    """
    Args:
        on: where; None for everywhere.
        named: an address the person asks about.
    """
    here = still(on)
    began = time.monotonic()
    with Finder(on) as finder, ThreadPoolExecutor(8, "doctor") as pool:
        calls = pool.submit(call_everybody, here)
        machine = pool.submit(lambda: examine_machine(home, here, _port()))
        router = pool.submit(_router, here)
        places = [place.endpoint for place in Places(home).all() if may_dial(place.endpoint, here)]
        wanted = ([named] if named else []) + [place for place in places if place != named][:MAX_TRIED]
        tries = [pool.submit(_try, endpoint, here, named=endpoint is named) for endpoint in wanted]
        echoes = calls.result()
        time.sleep(max(0.0, began + look_for - time.monotonic()))
        own = {address.text for address in addresses()}
        listings = finder.listings()
        nodes = _nodes(listings, echoes, own, [tried.result() for tried in tries])
        asked = list(pool.map(lambda node: _asked(node, here), nodes[:MAX_NODES]))
        problems = finder.problems()
    return Report(
        machine=machine.result(),
        interfaces=tuple(_interfaces(here, echoes, all_of_them=on is None)),
        nodes=tuple([*_knocked(asked, on, here), *nodes[MAX_NODES:]]),
        own_rooms=tuple(
            listing.title for listing in listings if {endpoint.host for endpoint in listing.endpoints} <= own
        ),
        tried=tuple(tried.result()[0] for tried in tries),
        router=router.result(),
        problems=problems,
        chosen=on is not None,
    )


def _interfaces(here: Sequence[Address], echoes: Echoes, *, all_of_them: bool) -> list[Interface]:
    """Those with an address; of the others, what looks like a cable or Wi-Fi."""
    names = [address.interface for address in here]
    if all_of_them:
        names += [name for _, name in socket.if_nameindex() if _ADAPTER.match(name)]
    return [
        Interface(
            name,
            kind_of(name),
            _is_up(name),
            tuple(f"{address.text}/{address.prefix}" for address in here if address.interface == name),
            tuple(loop for (interface, _), loop in echoes.loops.items() if interface == name),
        )
        for name in dict.fromkeys(names)
    ]


def _nodes(
    listings: Sequence[Listing], echoes: Echoes, own: set[str], tried: Sequence[tuple[Tried, _Answer]]
) -> list[Node]:
    """One for each host of somebody else, by whatever way we know of it; the best address stands for it."""
    found: dict[str, Node] = {}
    key_status: dict[str, str] = {}  # the address that stands for an address
    for listing in listings:
        hosts = [endpoint.host for endpoint in listing.endpoints if endpoint.host not in own]
        for host in hosts:
            address = key_status.setdefault(host, key_status.get(hosts[0], hosts[0]))
        if hosts:
            at = next(str(endpoint) for endpoint in listing.endpoints if endpoint.host not in own)
            known = found.get(address, Node(address, at))
            found[address] = replace(
                known,
                rooms=tuple(dict.fromkeys((*known.rooms, listing.title))),
                ways=tuple(sorted({*known.ways, *listing.ways})),
                reached=known.reached or listing.state == "answering",
            )
    for host, hears in echoes.hears.items():
        if host not in own:
            address = key_status.get(host, host)
            known = found.get(address, Node(address, address, tuple(sorted(echoes.titles[host]))))
            ways = tuple(sorted({*known.ways, "announce"}))
            found[address] = replace(known, ways=ways, hears=tuple(sorted({*known.hears, *hears})))
    for place, answer in tried:
        host = answer.peer
        if answer.outcome == "room" and host and host not in key_status and host not in own:
            way = "typed" if place.named else REMEMBERED
            found.setdefault(host, Node(host, place.address, (answer.title,), (way,), reached=True))
    return list(found.values())


def _asked(node: Node, here: Sequence[Address]) -> Node:
    return replace(node, echo=ask_one(here, node.address, ECHO_LIMIT))


def _knocked(nodes: Sequence[Node], on: Sequence[Address] | None, here: Sequence[Address]) -> list[Node]:
    """The same, with whether they can connect to us: one after the other, since they all knock at one door."""
    if not any(node.echo is not None for node in nodes):
        return list(nodes)
    try:
        listeners = listen(None if on is None else [address.text for address in on], None)
    except LanchatError:
        return list(nodes)
    try:
        return [
            replace(node, reaches_us=ask_to_connect(here, node.address, listeners)) if node.echo is not None else node
            for node in nodes
        ]
    finally:
        for listener in listeners:
            listener.close()


def _try(endpoint: Endpoint, here: Sequence[Address], *, named: bool) -> tuple[Tried, _Answer]:
    answer = _answer(endpoint)
    return Tried(str(endpoint), answer.outcome, _on_link(answer.peer or endpoint.host, here), named), answer


def _answer(endpoint: Endpoint) -> _Answer:
    flusher = Flusher("doctor-flusher")
    try:
        sock = dial((endpoint,))
    except LanchatError as error:
        return _Answer(_failure(error.__cause__ or error.__context__))
    else:
        there = peer_of(sock)
        peer = there.host if there is not None else ""
        sock.settimeout(None)
        channel = TlsChannel(client_context(), server=False)
        try:
            link = Link(sock, channel, flusher)
        except OSError:  # it hung up at once: on some systems such a socket takes no options
            sock.close()
            return _Answer("other", peer=peer)
        try:
            link.within(CARD_LIMIT, "it did not answer in time")
            return _Answer("room", read_card(link, channel, LineSplitter())[0].title, peer)
        except LanchatError:
            return _Answer("other", peer=peer)
        finally:
            link.close()
    finally:
        flusher.close()


def _failure(error: BaseException | None) -> Outcome:
    match error:
        case ConnectionRefusedError():
            return "refused"
        case TimeoutError():
            return "silent"
        case _:
            return "unreachable"


def _on_link(host: str, here: Sequence[Address]) -> bool:
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return False
    return ip.is_link_local or any(ip in address.network for address in here)


def _port() -> Literal["free", "a room", "taken"]:
    """Who has our TCP port on this machine."""
    try:
        for listener in listen(None, DEFAULT_PORT):
            listener.close()
    except LanchatError:
        return "a room" if _answer(Endpoint("127.0.0.1", DEFAULT_PORT)).outcome == "room" else "taken"
    return "free"


def _is_up(interface: str) -> bool | None:
    """What Linux says of an interface: switched on, and something at the other end of the cable."""
    if sys.platform != "linux":
        return None
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            answer = fcntl.ioctl(sock, _SIOCGIFFLAGS, struct.pack("16sH14x", interface.encode()[:15], 0))
        except OSError:
            return None
    flags = struct.unpack("16sH14x", answer)[1]
    return bool(flags & _UP and flags & _RUNNING)


def _router(here: Sequence[Address]) -> bool | None:
    """Whether the way out of this network answers on the link, as Linux tells it."""
    try:
        routes = [line.split() for line in Path("/proc/net/route").read_text(encoding="ascii").splitlines()[1:]]
    except OSError:
        return None
    out = [route[2] for route in routes if route[1] == "00000000" and int(route[3], 16) & 2]
    if not out:
        return None
    gateway = socket.inet_ntoa(bytes.fromhex(out[0])[::-1])
    if not _on_link(gateway, here):
        return None  # not where we were told to look
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.sendto(b"", (gateway, 9))  # the discard port: only its hardware address is of interest
        except OSError:
            return False
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        for line in Path("/proc/net/arp").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[0] == gateway and int(fields[2], 16) & 2:
                return True
        time.sleep(0.05)
    return False
