"""The other hosts of a room on an engine: what ours does not have, one of them may."""

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace

from lanchat.client.cluster import Cluster
from lanchat.client.connect import Credentials, connect
from lanchat.client.reconnect import SameRoom
from lanchat.errors import HostKeyChanged, LanchatError
from lanchat.network.connect import dial
from lanchat.network.flusher import Flusher
from lanchat.network.link import Link
from lanchat.protocol.file_messages import FileGet, FileRefused, FileTicket
from lanchat.protocol.framing import encode
from lanchat.protocol.messages import Bye, Card
from lanchat.protocol.places import Place
from lanchat.protocol.tls import Context
from lanchat.threads import now_ms

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TicketThere:
    """A ticket for a file at another host.

    Args:
        dial: connects to that host.
        key: the raw public key of that host.
    """

    ticket: FileTicket
    dial: Callable[[], socket.socket]
    key: bytes


class OtherHosts:
    """Asks the other hosts of the room, each on a link of its own that ends with the answer. Any thread.

    Args:
        who: returns our credentials as they are now.
    """

    def __init__(
        self, cluster: Cluster, room: SameRoom, who: Callable[[], Credentials], tls: Context, flusher: Flusher
    ) -> None:
        self._cluster, self._room, self._who, self._tls, self._flusher = cluster, room, who, tls, flusher

    def ticket(self, file: str, begin: Callable[[Link], None]) -> TicketThere | None:
        """A ticket for this file, of the first of them that has it. Waits for each.

        Args:
            begin: called with each link before anything is sent on it.
        """
        for place in self._cluster.other_hosts:
            there = self._dial(place)
            try:
                if (ticket := self._ask(place, there, file, begin)) is not None:
                    return TicketThere(ticket, there, place.key)
            except LanchatError as error:
                _log.info("another host gives no file: %s", error)
        return None

    def _dial(self, place: Place) -> Callable[[], socket.socket]:
        return lambda: dial(place.endpoints, timing=self._flusher.timing)

    def _ask(
        self, place: Place, there: Callable[[], socket.socket], file: str, begin: Callable[[Link], None]
    ) -> FileTicket | None:
        def trust(card: Card, key: bytes) -> None:
            if key != place.key:
                raise HostKeyChanged("Another computer answers there.")
            self._room.papers.accept(card, key, now_ms())

        who = replace(self._who(), trust=trust, after=lambda timeline: -1, standby=0)
        connection = connect(there, self._tls, self._flusher, who, begin)
        try:
            connection.link.send(encode(FileGet(file)))
            connection.link.within(self._flusher.timing.greeting, "late", "it did not answer in time")
            while True:
                match connection.reader.next():
                    case FileTicket(file=answered) as ticket if answered == file:
                        return ticket
                    case FileRefused(file=answered) if answered == file:
                        return None
        finally:
            connection.link.finish(encode(Bye()))
            connection.link.close()
