"""Asks everybody over UDP, and listens for our own packets, which come back, and for the answers of hosts.

Each question has a nonce of its own, so an answer shows which question got through.
"""

import ipaddress
import secrets
import select
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from lanchat.discovery.udp.multicast import PORT, MulticastSocket, SocketAddress, is_usable
from lanchat.discovery.udp.packets import MAX_DATAGRAM, Connect, Here, Seek, decode, encode
from lanchat.doctor.report import Loop
from lanchat.network.listen import Listeners
from lanchat.network.sockets import describe_error
from lanchat.protocol.address import Address

MDNS_GROUP, MDNS_PORT = "224.0.0.251", 5353
QUESTIONS = 2  # to everybody, of each kind, since one packet may be lost
LISTEN = 0.5  # s after each; hosts of one link answer within milliseconds
CONNECT_WAIT = 1.2  # s for a connection back to us
ASK_AGAIN = 0.4  # s until one host is asked once more: it answers within milliseconds, but one packet may be lost

_Key = tuple[str, str]  # an interface and what its packets are sent by


@dataclass
class EchoResults:
    """Which of our questions to everybody came back, and which hosts answered. Owned by the thread that asks."""

    loops: dict[_Key, Loop] = field(default_factory=dict)
    hears: dict[str, set[str]] = field(default_factory=dict)  # by the host's address: how the questions were sent
    titles: dict[str, set[str]] = field(default_factory=dict)  # by the host's address: of the rooms in its answers


def ask_everybody(own: Sequence[Address], port: int = PORT) -> EchoResults:
    """Ask on each of our addresses by each target, and over mDNS as well. Takes about QUESTIONS x LISTEN seconds."""
    results, sockets, questions = EchoResults(), list[MulticastSocket](), dict[str, _Key]()
    for address in filter(is_usable, own):
        try:
            sockets.append(MulticastSocket(address, port))
        except OSError as error:
            _note(results, (address.interface, "multicast"), error)
    try:
        for _ in range(QUESTIONS):
            for multicast in sockets:
                _ask(multicast, questions, results)
            _listen(sockets, questions, results, LISTEN)
    finally:
        for multicast in sockets:
            multicast.close()
    for address in own:
        if address.version == 4:
            key = address.interface, "mDNS"
            if not (known := results.loops.get(key)) or not known.heard:
                results.loops[key] = _mdns_loop(address)
    return results


def round_trip(own: Sequence[Address], host: str, wait: float, port: int = PORT) -> float | None:
    """How long one host takes to answer a question over UDP, in ms; None if it takes more than `wait` seconds."""
    multicast = next((one for one in (_open(address, port) for address in _near(own, host)) if one is not None), None)
    if multicast is None:
        return None
    asked: dict[str, float] = {}  # when, by the nonce of each question
    try:
        deadline = time.monotonic() + wait
        while (left := deadline - time.monotonic()) > 0:
            nonce = secrets.token_hex(8)  # a host answers each nonce once, and its answer may be lost as well
            asked[nonce] = time.monotonic()
            if multicast.send(encode(Seek(nonce)), _socket_address(host, port)) is not None:
                return None
            if (taken := _answer_time(multicast, asked, min(left, ASK_AGAIN))) is not None:
                return taken
    except OSError:  # the interface is gone, say
        pass
    finally:
        multicast.close()
    return None


def _answer_time(multicast: MulticastSocket, asked: dict[str, float], wait: float) -> float | None:
    """The ms from one of these questions to its answer; None if none comes within `wait` seconds."""
    deadline = time.monotonic() + wait
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([multicast.sender], [], [], left)[0]:
            break
        packet = decode(multicast.sender.recvfrom(MAX_DATAGRAM + 1)[0])
        if isinstance(packet, Here) and (began := asked.get(packet.nonce)) is not None:
            return (time.monotonic() - began) * 1000
    return None


def can_connect_back(
    own: Sequence[Address], host: str, listeners: Listeners, port: int = PORT, wait: float = CONNECT_WAIT
) -> bool:
    """Whether this host, which must be a lanchat that hears us, can connect to our listeners within `wait` seconds."""
    request = encode(Connect(listeners.port, secrets.token_hex(8)))
    deadline = time.monotonic() + wait
    while (left := deadline - time.monotonic()) > 0:
        _send_to(own, host, request, port)  # a host that hears it twice knows its nonce, and connects once
        if _is_connected(host, listeners, min(left, ASK_AGAIN)):
            return True
    return False


def _send_to(own: Sequence[Address], host: str, packet: bytes, port: int) -> None:
    """Send a packet to this host from each of our addresses that may reach it, as far as that is possible."""
    try:
        target = _socket_address(host, port)
    except OSError:  # the interface that its address names is gone
        return
    for address in _near(own, host):
        if (multicast := _open(address, port)) is not None:
            multicast.send(packet, target)
            multicast.close()


def _is_connected(host: str, listeners: Listeners, wait: float) -> bool:
    """Whether this host connects to our listeners within `wait` seconds."""
    deadline = time.monotonic() + wait
    while (left := deadline - time.monotonic()) > 0:
        for listener in select.select(listeners.sockets, [], [], left)[0]:
            try:
                sock, (peer, *_) = listener.accept()
            except OSError:
                continue
            sock.close()
            if peer.partition("%")[0].removeprefix("::ffff:") == host.partition("%")[0]:
                return True
    return False


def _open(address: Address, port: int) -> MulticastSocket | None:
    try:
        return MulticastSocket(address, port)
    except OSError:
        return None


def _ask(multicast: MulticastSocket, questions: dict[str, _Key], results: EchoResults) -> None:
    for target in multicast.targets:
        nonce, key = secrets.token_hex(8), (multicast.address.interface, target.via)
        questions[nonce] = key
        _note(results, key, multicast.send(encode(Seek(nonce)), target.address) or multicast.receive_error)


def _note(results: EchoResults, key: _Key, error: OSError | None) -> None:
    known = results.loops.get(key)
    if known is None or (known.error and error is None):  # IPv4 and IPv6 share a key: the better one counts
        text = "" if error is None else describe_error(error)
        results.loops[key] = Loop(key[1], False, text, (error.errno or 0) if error else 0)


def _listen(multicasts: list[MulticastSocket], questions: dict[str, _Key], results: EchoResults, wait: float) -> None:
    sockets = [sock for one in multicasts for sock in (one.sender, one.receiver) if sock is not None]
    deadline = time.monotonic() + wait
    while (left := deadline - time.monotonic()) > 0:
        for sock in select.select(sockets, [], [], left)[0]:
            try:
                data, sender = sock.recvfrom(MAX_DATAGRAM + 1)
            except OSError:
                continue
            packet = decode(data)
            if not isinstance(packet, Here | Seek) or (key := questions.get(packet.nonce)) is None:
                continue
            if isinstance(packet, Seek):
                results.loops[key] = Loop(key[1], True)
            else:
                host = f"{sender[0]}%{key[0]}" if len(sender) == 4 and sender[3] else sender[0]
                results.hears.setdefault(host, set()).add(key[1])
                results.titles.setdefault(host, set()).add(packet.title)


def _mdns_loop(address: Address) -> Loop:
    """Whether a question over mDNS, for a name that nobody has, comes back to us."""
    label = secrets.token_hex(8).encode()
    question = b"\0\0\0\0\0\1\0\0\0\0\0\0" + _labels(label, b"_lanchat", b"_tcp", b"local") + struct.pack("!HH", 12, 1)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if hasattr(socket, "SO_REUSEPORT"):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind(("", MDNS_PORT))
            interface = socket.inet_aton(address.text)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(MDNS_GROUP) + interface)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
            sock.sendto(question, (MDNS_GROUP, MDNS_PORT))
            deadline = time.monotonic() + LISTEN / 2
            while (left := deadline - time.monotonic()) > 0:
                if select.select([sock], [], [], left)[0] and label in sock.recv(9000):
                    return Loop("mDNS", True)
    except OSError as error:
        return Loop("mDNS", False, describe_error(error), error.errno or 0)
    return Loop("mDNS", False)


def _labels(*labels: bytes) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _near(own: Sequence[Address], host: str) -> list[Address]:
    """Our addresses from which to ask this host: those on its network, or else all of its version of IP."""
    version = 6 if ":" in host else 4
    same = [address for address in own if address.version == version and is_usable(address)]
    return [a for a in same if a.text.partition("%")[2] == host.partition("%")[2] and _holds(a, host)] or same


def _holds(address: Address, host: str) -> bool:
    return address.needs_scope or ipaddress.ip_address(host.partition("%")[0]) in address.network


def _socket_address(host: str, port: int) -> SocketAddress:
    return socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0][4]
