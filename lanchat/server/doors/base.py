"""Doors: the ways into a room, each with its own greeting and dialect. Here is what a door offers to a host, and what a
host gives to a door.
"""

import logging
import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lanchat.errors import LanchatError, ProtocolError
from lanchat.network.link import Link
from lanchat.protocol.limits import Limits
from lanchat.protocol.messages import Card, Closing, FromHost
from lanchat.protocol.timing import Timing
from lanchat.protocol.tls import Channel
from lanchat.server.admission import Admission, PasswordThrottle
from lanchat.server.items import Item
from lanchat.server.quotas import Quota
from lanchat.server.session import Reading
from lanchat.storage.identity import Identity
from lanchat.storage.log import Log
from lanchat.threads import Inbox

if TYPE_CHECKING:
    from lanchat.server.doors.bulk import Bulk

_log = logging.getLogger(__name__)


class Door(Protocol):
    """One way into a room. Many threads call its methods."""

    @property
    def name(self) -> str:
        """The kind of door: "native", "plain"."""

    def channel(self, sock: socket.socket) -> Channel:
        """A channel for a connection that was just accepted."""

    def greet(self, link: Link, quota: Quota) -> Reading | None:
        """Find out who the peer of a new link is. Called in the link's first reader thread.

        Args:
            quota: the link's quota; the door calls `admit` once the member is known.

        Returns:
            What reads the link from then on; after each pause, maybe in another thread. None: the link is over.
        """


class WaitingDoor(Door, Protocol):
    """A door of a computer that hosts no room yet: it only answers."""

    def answer(self, link: Link) -> None:
        """Answer what has come. Called in the link's reader thread, once the channel is established."""


@dataclass(frozen=True)
class Serving:
    """The parts of a host that each of its doors uses.

    Args:
        title: of the room.
        card: makes the card for a new link, with a fresh nonce.
        secret: the stretched password of the room; None: it has none.
        bulk: the transfers of files; None: the room takes none.
        origins: of the pages of all computers that may host the room.
    """

    title: str
    identity: Identity
    inbox: Inbox[Item]
    admission: Admission
    password_throttle: PasswordThrottle
    limits: Limits
    timing: Timing
    log: Log
    card: Callable[[], Card]
    secret: bytes | None = None
    bulk: "Bulk | None" = None
    origins: Callable[[], Collection[str]] = tuple


@dataclass(frozen=True)
class DoorOption:
    """A door for a host to open.

    Args:
        make: makes the door, before any thread of its own is started.
        port: None for `first_port` or the next free one, 0 for any.
        first_port: None for 47474.
        needs_no_password: whether the door would let everybody into a room with a password.
    """

    make: Callable[[Serving], Door]
    port: int | None = None
    first_port: int | None = None
    needs_no_password: bool = False


@contextmanager
def reporting_errors(link: Link, encode: Callable[[FromHost], bytes]) -> Iterator[None]:
    """Tell a client that breaks the rules what was wrong, and end its link."""
    try:
        yield
    except ProtocolError as error:
        _log.info("dropped %s: %s", link.peer, error)
        link.set_reason("rules", str(error))
        link.finish(encode(Closing("rules", str(error))))
        link.drain()
    except LanchatError as error:  # the client does not even speak TLS, so it cannot be told
        _log.info("dropped %s: %s", link.peer, error)
