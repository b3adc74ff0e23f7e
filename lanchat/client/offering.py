"""Offers a member's computer as a standby: with a copy of the room, and a port at which others find it."""

import logging
import time
from collections.abc import Callable

from lanchat.client.candidacy import Candidacy, was_named
from lanchat.client.cluster import Cluster
from lanchat.client.events import Item, Named
from lanchat.client.keeper import Keeper
from lanchat.client.reconnect import SameRoom
from lanchat.errors import LanchatError
from lanchat.protocol.delegation import OWNER_INDEX
from lanchat.protocol.messages import FromMember, Ping
from lanchat.protocol.standby import Offer
from lanchat.protocol.timing import Timing
from lanchat.room.succession import Peer
from lanchat.storage.replica import Replica

_NO_COPY = bytes(8)  # the instance of none

_log = logging.getLogger(__name__)


class Offering:
    """Owned by the reader thread of a member, but for `decline`, `accept` and `give_up`.

    Args:
        key: our public key, raw.
        keeper: None: this computer is never a standby.
        send: hands a message to the current link; never waits.
        put: adds an item to the member's queue.
        as_peer: returns what this computer can show as a standby. Called from other threads.

    Attributes:
        replica: the copy; None: it is not open.
        index: of this computer; None: the owner of the room has not named it.
    """

    def __init__(
        self,
        key: bytes,
        room: SameRoom,
        cluster: Cluster,
        keeper: Keeper | None,
        send: Callable[[FromMember], None],
        put: Callable[[Item], None],
        as_peer: Callable[[], Peer],
        timing: Timing,
    ) -> None:
        self.replica: Replica | None = None
        self.index: int | None = None
        self._key, self._room, self._cluster, self._keeper = key, room, cluster, keeper
        self._send, self._put, self._as_peer = send, put, as_peer
        self._candidacy = Candidacy(timing)

    @property
    def is_named(self) -> bool:
        """Whether the host knows that this computer is ready, and the owner has named it."""
        return self._candidacy.offered and self.index is not None and not self.declined

    @property
    def declined(self) -> bool:
        """Whether this computer is no standby now, though it may have been named. Any thread."""
        return self._candidacy.declined

    def begin(self, *, hosts: bool) -> None:
        """A host has admitted us.

        Args:
            hosts: that host is this program's own.
        """
        offers = self._candidacy.begin(named=self._room.papers.names(self._key))
        if hosts:
            self.close()
        elif offers:
            self.offer()

    def recruit(self) -> None:
        """The host asks this computer to get ready."""
        if self._keeper is not None and self._keeper.willing and not self.declined:
            self.offer()
        else:
            self._refuse()

    def settle(self) -> None:
        """Everything that one read of the link brought was handled: see whether to offer the computer again."""
        if self._candidacy.begins_again(time.monotonic()):
            self.offer()

    def offer(self) -> None:
        """Open what is not open yet, and tell the host that this computer is ready."""
        papers, keeper = self._room.papers, self._keeper
        if keeper is None:
            return
        if self.replica is not None and self.replica.is_over:
            self.close()  # the copy was given up, and is tried again
        try:
            if self.replica is None:
                self.replica = keeper.open_copy(papers)
                if self.replica is None:
                    return self.give_up("another lanchat on this computer keeps a copy of the room")
                self._candidacy.recall(named=was_named(self.replica.state, papers, self._key))
            ports = keeper.listen(lambda: (self._room.papers, self._as_peer()), self._cluster.page_of(self._room))
        except (LanchatError, OSError, RuntimeError) as error:  # no file descriptor or no thread is left, say
            return self.give_up(str(error))
        self._candidacy.offer()
        self._send(Offer(ports[0], self.replica.instance, ports[1]))
        self.find_ourselves()

    def find_ourselves(self) -> None:
        """See whether the newest delegation names this computer."""
        self.index = None
        if self.replica is not None:
            self.index = self._room.papers.index(self._key, self.replica.instance)
            if self._candidacy.should_notify(named=self.index not in (None, OWNER_INDEX)):
                self._put(Named())
        self._cluster.named(self.index)

    def decline(self) -> None:
        """Our person wants this computer to be no standby any more."""
        self._candidacy.decline()
        self._refuse()

    def accept(self) -> None:
        """Our person lets this computer be a standby again."""
        self._candidacy.accept()
        self._send(Ping())  # its answer wakes our reader thread

    def give_up(self, trouble: str) -> None:
        """The copy cannot be stored now. It is tried again later, because the disk may have space by then."""
        _log.warning("this computer is no standby now: %s", trouble)
        again = self._candidacy.give_up()
        self._refuse()
        if again:
            self._candidacy.try_later(time.monotonic())

    def close(self) -> None:
        """Close the copy."""
        replica, self.replica = self.replica, None
        if replica is not None:
            replica.close()

    def _refuse(self) -> None:
        """Tell the host that this computer is not a standby."""
        self._send(Offer(0, self.replica.instance if self.replica is not None else _NO_COPY))
