"""Reads the card that a computer shows first, without joining anything. All that is sent is our part of TLS."""

import errno
import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from lanchat.errors import LanchatError
from lanchat.network.connect import begin_connect, finish_connect
from lanchat.protocol.address import Endpoint
from lanchat.protocol.framing import FROM_HOST, LineSplitter, decode_all
from lanchat.protocol.keys import certificate_key
from lanchat.protocol.messages import Card
from lanchat.protocol.tls import Context, TlsChannel
from lanchat.threads import Wakeup, join_started

CARD_LIMIT = 2.0  # s in all: connect, TLS, card
_TRIES = 2  # a standby that begins to host hangs up on those who just ask it, and answers them as the host
_ENOUGH = 0.05  # s between two looks at whether enough have answered
_READ_SIZE = 16 * 1024  # bytes
_OURS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ENETDOWN, errno.ENETUNREACH}  # no other's fault

Shown = tuple[Card, bytes]  # a card, and the raw public key of the link that showed it
Name = TypeVar("Name")


def card_at(
    endpoint: Endpoint,
    tls: Context,
    limit: float = CARD_LIMIT,
    stop: Wakeup | None = None,
    unable: Callable[[], None] = lambda: None,
) -> Shown | None:
    """The card that a computer shows at an IP address; what the papers say is not looked at. Waits; any thread.

    Args:
        stop: ends the waiting at once when it is set.
        unable: called when this machine cannot ask now, because it lacks descriptors, memory or a network.

    Returns:
        None: nobody who speaks lanchat can be reached there.
    """
    deadline = time.monotonic() + limit
    for _ in range(_TRIES):
        try:
            with connected(endpoint, deadline, stop) as sock:
                if (shown := read_card(sock, tls, deadline, stop)) is not None:
                    return shown
        except (ConnectionResetError, BrokenPipeError):
            continue
        except (OSError, LanchatError) as error:
            if isinstance(error, OSError) and error.errno in _OURS:
                unable()
            return None
    return None


def cards_at(
    places: Mapping[Name, tuple[Endpoint, ...]],
    tls: Context,
    limit: float,
    *,
    enough: Callable[[Mapping[Name, Shown]], bool] = lambda found: False,
    unable: Callable[[], None] = lambda: None,
) -> dict[Name, Shown]:
    """The cards that these computers show now, all asked at once: the first answer of each. Waits; any thread.

    Args:
        places: the addresses of each computer.
        limit: s in all.
        enough: says of the answers so far whether the others need not be waited for. It is asked again and again.
        unable: as for `card_at`, from any thread; who is missing may answer all the same.
    """
    found: dict[Name, Shown] = {}
    if not places:
        return found
    try:
        stop = Wakeup()
    except OSError:  # this process has no descriptors left, so it reaches nobody
        unable()
        return found

    def ask(name: Name, endpoint: Endpoint) -> None:
        if (shown := card_at(endpoint, tls, limit, stop, unable)) is not None:
            found.setdefault(name, shown)  # one step for the interpreter, so it needs no lock

    asked = [(name, endpoint) for name, endpoints in places.items() for endpoint in dict.fromkeys(endpoints)]
    threads = [threading.Thread(target=ask, args=one, name="ask") for one in asked]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive() and not enough(dict(found)):
                thread.join(_ENOUGH)
    finally:
        stop.set()
        for thread in threads:
            join_started(thread)
        stop.close()
    return found


def refuses(endpoints: tuple[Endpoint, ...], limit: float) -> bool:
    """Whether a machine is there and nothing listens at any of these addresses of it. Waits; any thread."""
    for endpoint in endpoints:
        try:
            connected(endpoint, time.monotonic() + limit).close()
        except ConnectionRefusedError:
            continue
        except OSError:
            pass
        return False
    return bool(endpoints)


def connected(endpoint: Endpoint, deadline: float, stop: Wakeup | None = None) -> socket.socket:
    """A connection to an IP address. Waits.

    Args:
        deadline: of `time.monotonic()`.
        stop: ends the waiting at once when it is set.

    Raises:
        OSError: it failed, or the time is over.
    """
    sock = begin_connect(endpoint)
    try:
        wait_ready(sock, selectors.EVENT_WRITE, deadline, stop)
        finish_connect(sock)
    except BaseException:
        sock.close()
        raise
    return sock


def read_card(sock: socket.socket, tls: Context, deadline: float, stop: Wakeup | None = None) -> Shown | None:
    """Read the card that a host shows at the beginning of a link.

    Returns:
        The card and the raw public key of the link; None: something else answers, or it ends the link before that.

    Raises:
        TimeoutError: nothing comes in time.
        OSError, LanchatError: it resets the link, a line is no message, its certificate holds no key of lanchat, ...
    """
    sock.setblocking(False)
    channel, splitter = TlsChannel(tls, server=False), LineSplitter()
    while not channel.ended:
        if (data := channel.waiting()) and sock.send(data) < len(data):
            return None  # a handshake fits into any socket's buffer
        wait_ready(sock, selectors.EVENT_READ, deadline, stop)
        if lines := splitter.feed(channel.receive(sock.recv(_READ_SIZE))):
            match decode_all(lines, FROM_HOST):
                case [Card() as card, *_]:
                    return card, certificate_key(channel.peer_certificate())
            return None
    return None


def wait_ready(sock: socket.socket, event: int, deadline: float, stop: Wakeup | None = None) -> None:
    """Wait until a socket is ready for this kind of event.

    Raises:
        TimeoutError: the deadline has passed, or it was stopped.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(sock, event)
        if stop is not None:
            selector.register(stop, selectors.EVENT_READ)
        ready = {key.fileobj for key, _ in selector.select(max(0.0, deadline - time.monotonic()))}
    if ready != {sock}:
        raise TimeoutError
