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


def card_at(endpoint: Endpoint, tls: Context, limit: float = PROBE_LIMIT) -> tuple[Card, bytes] | None:
    """The card that a computer shows at an IP address, and its raw public key; what the papers say is not looked at.

    Returns:
        None: nobody who speaks lanchat can be reached there.
    """
    deadline = time.monotonic() + limit
    try:
        with begin_connect(endpoint) as sock:
            _wait(sock, selectors.EVENT_WRITE, deadline, None)
            finish_connect(sock)
            return _read_card(sock, tls, deadline, None)
    except (OSError, LanchatError):
        return None


def ask_for_card(sock: socket.socket, tls: Context, deadline: float, stop: Wakeup | None = None) -> Outcome:
    """Read the card on a connection that has been made. Waits; any thread.

    Args:
        deadline: of `time.monotonic()`.
        stop: see `probe`.
    """
    try:
        if (read := _read_card(sock, tls, deadline, stop)) is not None:
            card, key = read
            return Answered(card, fingerprint(first_contact(card, key, time.time_ns() // 1_000_000).owner))
    except TimeoutError:
        return Silent(connected=True)
    except (OSError, LanchatError):  # it hung up, or does not speak our TLS, or may not host, or does not host
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


def _read_card(sock: socket.socket, tls: Context, deadline: float, stop: Wakeup | None) -> tuple[Card, bytes] | None:
    """
    Returns:
        The card and the raw public key of the link; None: something else answers.

    Raises:
        TimeoutError: nothing comes in time.
        OSError, LanchatError: it hangs up, a line is no message, the certificate holds no key that lanchat uses, ...
    """
    sock.setblocking(False)
    channel, splitter = TlsChannel(tls, server=False), LineSplitter()
    while not channel.ended:
        if (data := channel.waiting()) and sock.send(data) < len(data):
            return None  # a handshake fits into any socket's buffer
        _wait(sock, selectors.EVENT_READ, deadline, stop)
        if lines := splitter.feed(channel.receive(sock.recv(_READ_SIZE))):
            match decode_all(lines, FROM_HOST):
                case [Card() as card, *_]:
                    return card, certificate_key(channel.peer_certificate())
            return None
    return None


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
