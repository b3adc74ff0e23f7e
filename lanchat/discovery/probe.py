"""The probe: connects to an address and reads the card that a lanchat host shows first.

The finder and the doctor share it. It runs in its caller's thread and needs no other one. All that it sends is its part
of the TLS handshake.
"""

import socket
import time

from lanchat.discovery.sighting import Answered, ConnectionRefused, NotARoom, Outcome, Silent, Unreachable
from lanchat.errors import LanchatError
from lanchat.network.card import CARD_LIMIT, connected, read_card
from lanchat.protocol.address import Endpoint
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.papers import first_contact
from lanchat.protocol.tls import Context
from lanchat.threads import Wakeup, now_ms

PROBE_LIMIT = CARD_LIMIT  # s in all


def probe(endpoint: Endpoint, tls: Context, limit: float = PROBE_LIMIT, stop: Wakeup | None = None) -> Outcome:
    """Connect to an IP address and read the card. Waits; any thread.

    Args:
        limit: s in all.
        stop: ends the probe at once when it is set, as if its time were over.
    """
    deadline = time.monotonic() + limit
    try:
        with connected(endpoint, deadline, stop) as sock:
            return ask_for_card(sock, tls, deadline, stop)
    except OSError as error:
        return connect_outcome(error)


def ask_for_card(sock: socket.socket, tls: Context, deadline: float, stop: Wakeup | None = None) -> Outcome:
    """Read the card on a connection that has been made. Waits; any thread.

    Args:
        deadline: of `time.monotonic()`.
        stop: see `probe`.
    """
    try:
        if (read := read_card(sock, tls, deadline, stop)) is not None:
            card, key = read
            return Answered(card, fingerprint(first_contact(card, key, now_ms()).owner))
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
