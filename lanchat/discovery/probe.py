"""The probe: connects to an address and reads the card that a lanchat host shows first.

The finder and the doctor share it. It runs in its caller's thread and needs no other one. All that it sends is its part
of the TLS handshake.
"""

import selectors
import socket
import time

from lanchat.discovery.sighting import Answered, ConnectionRefused, NotARoom, Outcome, Silent, Unreachable
from lanchat.errors import LanchatError
from lanchat.network.connect import begin_connect, finish_connect
from lanchat.protocol.address import Endpoint
from lanchat.protocol.framing import FROM_HOST, LineSplitter, decode_all
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.keys import certificate_key
from lanchat.protocol.messages import Card
from lanchat.protocol.papers import first_contact
from lanchat.protocol.tls import Context, TlsChannel
from lanchat.threads import Wakeup

PROBE_LIMIT = 2.0  # s in all: connect, TLS, card
_READ_SIZE = 16 * 1024  # bytes


def probe(endpoint: Endpoint, tls: Context, limit: float = PROBE_LIMIT, stop: Wakeup | None = None) -> Outcome:
    """Connect to an IP address and read the card. Waits; any thread.

    Args:
        limit: s in all.
        stop: ends the probe at once when it is set, as if its time were over.
    """
    deadline = time.monotonic() + limit
    try:
        with begin_connect(endpoint) as sock:
            _wait(sock, selectors.EVENT_WRITE, deadline, stop)
            finish_connect(sock)
            return ask_for_card(sock, tls, deadline, stop)
    except OSError as error:
        return connect_outcome(error)


def ask_for_card(sock: socket.socket, tls: Context, deadline: float, stop: Wakeup | None = None) -> Outcome:
    """Read the card on a connection that has been made. Waits; any thread.

    Args:
        deadline: of `time.monotonic()`.
        stop: see `probe`.
    """
    sock.setblocking(False)
    channel, splitter = TlsChannel(tls, server=False), LineSplitter()
    try:
        while not channel.ended:
            if (data := channel.waiting()) and sock.send(data) < len(data):
                return NotARoom()  # a handshake fits into any socket's buffer
            _wait(sock, selectors.EVENT_READ, deadline, stop)
            if lines := splitter.feed(channel.receive(sock.recv(_READ_SIZE))):
                return _answer(lines, channel)
    except TimeoutError:
        return Silent(connected=True)
    except (OSError, LanchatError):  # it hung up, or does not speak our TLS, or does not host
        pass
    return NotARoom()


def connect_outcome(error: BaseException | None) -> Outcome:
    """What it means that a connection failed with this error."""
    match error:
        case ConnectionRefusedError():
            return ConnectionRefused()
        case TimeoutError():
            return Silent()
        case _:
            return Unreachable()


def _answer(lines: list[bytes], channel: TlsChannel) -> Outcome:
    """
    Raises:
        ProtocolError: a line is no message, or the certificate holds no key that lanchat uses.
        HostKeyChanged: this computer may not host the room that it shows.
        Refused: it keeps a copy of a room and does not host it.
    """
    match decode_all(lines, FROM_HOST):
        case [Card() as card, *_]:
            key = certificate_key(channel.peer_certificate())
            return Answered(card, fingerprint(first_contact(card, key, time.time_ns() // 1_000_000).owner))
        case _:
            return NotARoom()


def _wait(sock: socket.socket, event: int, deadline: float, stop: Wakeup | None) -> None:
    """
    Raises:
        TimeoutError: the deadline has passed, or the probe was stopped.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(sock, event)
        if stop is not None:
            selector.register(stop, selectors.EVENT_READ)
        ready = {key.fileobj for key, _ in selector.select(max(0.0, deadline - time.monotonic()))}
    if ready != {sock}:
        raise TimeoutError
