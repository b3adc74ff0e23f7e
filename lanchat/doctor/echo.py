"""Calling to everybody, and listening for what comes back: from ourselves, and from hosts that answer.

Every call has a nonce of its own, so an answer tells which call got through.
"""

import ipaddress
import secrets
import select
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from lanchat.discovery.udp.multicast import PORT, Spot, usable
from lanchat.discovery.udp.packets import MAX_DATAGRAM, Here, Knock, Seek, decode, encode
from lanchat.doctor.report import Loop
from lanchat.protocol.address import Address

MDNS_GROUP, MDNS_PORT = "224.0.0.251", 5353
CALLS = 2  # of each kind: one packet may be lost
LISTEN = 0.5  # s after each
KNOCK_WAIT = 1.2  # s for a connection back to us

Key = tuple[str, str]  # an interface and a way


@dataclass
class Echoes:
    """What came back of our calls. Owned by the thread that calls."""

    loops: dict[Key, Loop] = field(default_factory=dict)
    hears: dict[str, set[str]] = field(default_factory=dict)  # ways, by the address of a host that answered
    titles: dict[str, set[str]] = field(default_factory=dict)


def call_everybody(on: Sequence[Address]) -> Echoes:
    """Call at each of our addresses by each way, and mDNS besides; takes about CALLS x LISTEN seconds."""
    echoes, spots, calls = Echoes(), list[Spot](), dict[str, Key]()
    for address in filter(usable, on):
        try:
            spots.append(Spot(address))
        except OSError as error:
            _note(echoes, (address.interface, "multicast"), error)
    try:
        for _ in range(CALLS):
            for spot in spots:
                _call(spot, calls, echoes)
            _listen(spots, calls, echoes, LISTEN)
    finally:
        for spot in spots:
            spot.close()
    for address in on:
        if address.version == 4:
            key = address.interface, "mDNS"
            if not (known := echoes.loops.get(key)) or not known.heard:
                echoes.loops[key] = _mdns_loop(address)
    return echoes


def ask_one(on: Sequence[Address], host: str, wait: float) -> float | None:
    """How long one host takes to answer a question over UDP, in ms; None: it does not."""
    nonce = secrets.token_hex(8)
    spot = next((spot for spot in map(_spot, _near(on, host)) if spot is not None), None)
    if spot is None:
        return None
    try:
        began = time.monotonic()
        if spot.send(encode(Seek(nonce)), _where(host)) is not None:
            return None
        while (left := began + wait - time.monotonic()) > 0:
            if not select.select([spot.mouth], [], [], left)[0]:
                return None
            said = decode(spot.mouth.recvfrom(MAX_DATAGRAM + 1)[0])
            if isinstance(said, Here) and said.nonce == nonce:
                return (time.monotonic() - began) * 1000
    except OSError:
        pass
    finally:
        spot.close()
    return None


def ask_to_connect(on: Sequence[Address], host: str, listeners: Sequence[socket.socket]) -> bool:
    """Whether this host, which must be a lanchat that hears us, can connect to us."""
    port = listeners[0].getsockname()[1]
    for spot in filter(None, map(_spot, _near(on, host))):
        spot.send(encode(Knock(port, secrets.token_hex(8))), _where(host))
        spot.close()
    deadline = time.monotonic() + KNOCK_WAIT
    while (left := deadline - time.monotonic()) > 0:
        for listener in select.select(list(listeners), [], [], left)[0]:
            try:
                sock, (source, *_) = listener.accept()
            except OSError:
                continue
            sock.close()
            if source.partition("%")[0].removeprefix("::ffff:") == host.partition("%")[0]:
                return True
    return False


def _spot(address: Address) -> Spot | None:
    try:
        return Spot(address)
    except OSError:
        return None


def _call(spot: Spot, calls: dict[str, Key], echoes: Echoes) -> None:
    for target in spot.targets:
        nonce, key = secrets.token_hex(8), (spot.address.interface, target.way)
        calls[nonce] = key
        _note(echoes, key, spot.send(encode(Seek(nonce)), target.where) or spot.deaf)


def _note(echoes: Echoes, key: Key, error: OSError | None) -> None:
    known = echoes.loops.get(key)
    if known is None or (known.error and error is None):  # IPv4 and IPv6 share a way: the better one counts
        text = "" if error is None else (error.strerror or str(error)).lower()
        echoes.loops[key] = Loop(key[1], False, text, (error.errno or 0) if error else 0)


def _listen(spots: list[Spot], calls: dict[str, Key], echoes: Echoes, wait: float) -> None:
    sockets = [sock for spot in spots for sock in (spot.mouth, spot.ear) if sock is not None]
    deadline = time.monotonic() + wait
    while (left := deadline - time.monotonic()) > 0:
        for sock in select.select(sockets, [], [], left)[0]:
            try:
                data, where = sock.recvfrom(MAX_DATAGRAM + 1)
            except OSError:
                continue
            said = decode(data)
            if not isinstance(said, Here | Seek) or (key := calls.get(said.nonce)) is None:
                continue
            if isinstance(said, Seek):
                echoes.loops[key] = Loop(key[1], True)
            else:
                host = f"{where[0]}%{key[0]}" if len(where) == 4 and where[3] else where[0]
                echoes.hears.setdefault(host, set()).add(key[1])
                echoes.titles.setdefault(host, set()).add(said.title)


def _mdns_loop(address: Address) -> Loop:
    """Whether a question over mDNS comes back to us: one for a name that nobody has."""
    label = secrets.token_hex(8).encode()
    question = b"\0\0\0\0\0\1\0\0\0\0\0\0" + _labels(label, b"_lanchat", b"_tcp", b"local") + struct.pack("!HH", 12, 1)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if hasattr(socket, "SO_REUSEPORT"):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind(("", MDNS_PORT))
            ours = socket.inet_aton(address.text)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(MDNS_GROUP) + ours)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, ours)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
            sock.sendto(question, (MDNS_GROUP, MDNS_PORT))
            deadline = time.monotonic() + LISTEN / 2
            while (left := deadline - time.monotonic()) > 0:
                if select.select([sock], [], [], left)[0] and label in sock.recv(9000):
                    return Loop("mDNS", True)
    except OSError as error:
        return Loop("mDNS", False, (error.strerror or str(error)).lower(), error.errno or 0)
    return Loop("mDNS", False)


def _labels(*labels: bytes) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _near(on: Sequence[Address], host: str) -> list[Address]:
    """Our addresses from which this host is asked: those of its network, else all of its version of IP."""
    version = 6 if ":" in host else 4
    same = [address for address in on if address.version == version and usable(address)]
    return [a for a in same if a.text.partition("%")[2] == host.partition("%")[2] and _holds(a, host)] or same


def _holds(address: Address, host: str) -> bool:
    return address.is_link_local or ipaddress.ip_address(host.partition("%")[0]) in address.network


def _where(host: str) -> tuple[object, ...]:
    return socket.getaddrinfo(host, PORT, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0][4]
