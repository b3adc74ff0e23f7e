"""Before a standby hosts a room, it fetches the end of the room from another standby that has more.

This is needed if the other one cannot host, for example because its disk is full. It may be the only one that has a
message which was acknowledged, and the author may be gone.
"""

import logging
import secrets
import time
from contextlib import closing

from lanchat.client.connect import HostReader, opened, read_card
from lanchat.client.reconnect import SameRoom
from lanchat.errors import LanchatError, ProtocolError
from lanchat.network.allowance import unlimited
from lanchat.network.card import connected
from lanchat.network.flusher import Flusher
from lanchat.protocol.address import Endpoint
from lanchat.protocol.delegation import read_term
from lanchat.protocol.fields import MAX_NUMBER, NONCE_SIZE
from lanchat.protocol.framing import LineSplitter, encode
from lanchat.protocol.handshake import MemberGreeting
from lanchat.protocol.messages import Event, Fetch, Page, Record, Told
from lanchat.protocol.papers import Papers
from lanchat.protocol.places import Place
from lanchat.protocol.standby import CopyPosition
from lanchat.protocol.timeline import Timeline
from lanchat.protocol.timing import Timing
from lanchat.protocol.tls import client_context
from lanchat.room.succession import seen
from lanchat.storage.identity import Identity
from lanchat.storage.memory import waiting_size
from lanchat.storage.replica import WAITING_LIMIT, Replica
from lanchat.threads import now_ms

_log = logging.getLogger(__name__)


def fetch_tail(
    replica: Replica,
    room: SameRoom,
    identity: Identity,
    flusher: Flusher,
    timing: Timing,
    at: Place,
) -> int | None:
    """Add to our copy what it lacks and the computer at this place has. Waits some seconds at most.

    Returns:
        The last number that our copy has now; None: nothing has changed.
    """
    deadline = time.monotonic() + timing.promotion
    for endpoint in at.endpoints:
        try:
            timeline, records = _ask(at, endpoint, replica, room.papers, identity, flusher, deadline)
            return _store(replica, timeline, records, timing) if records else None
        except LanchatError as error:
            _log.info("nothing fetched from %s: %s", endpoint, error)
    return None


def _ask(
    at: Place,
    endpoint: Endpoint,
    replica: Replica,
    papers: Papers,
    identity: Identity,
    flusher: Flusher,
    deadline: float,
) -> tuple[Timeline, list[Record]]:
    """Fetch what our copy lacks from the computer at this endpoint: first private messages, then events.

    Raises:
        LanchatError: it is another computer, or does not answer as it should.
    """
    dial = lambda: connected(endpoint, deadline)  # noqa: E731
    with opened(dial, client_context(), flusher, lambda link: None) as (link, channel), closing(link):
        link.limit_bytes(unlimited())
        link.within(max(0.0, deadline - time.monotonic()), "late", "it did not answer in time")
        splitter = LineSplitter()
        card, key, certificate = read_card(link, channel, splitter)
        peer = seen(at, card, key, papers, now_ms())
        if peer is None or not peer.epoch or peer.state != "lost" or not peer.complete:
            raise ProtocolError("It is no standby without a host.")
        timeline = read_term(card.term).timeline
        greeting = MemberGreeting(
            nick="copy",
            key=identity.public,
            nonce=secrets.token_bytes(NONCE_SIZE),
            sign=identity.sign,
            certificate=certificate,
            host_key=key,
        )
        link.send(encode(greeting.hello(card, by_key=True)))
        tail = _Tail(timeline, peer.seq)
        reader = HostReader(link, splitter)
        for fetch in (Fetch(replica.held.private, "private"), Fetch(max(0, replica.common(timeline)))):
            while fetch.after != MAX_NUMBER:
                link.send(encode(fetch))
                fetch = Fetch(tail.page(fetch, reader), fetch.of)
    return timeline, tail.records


class _Tail:
    """Collects the pages of the other copy.

    Args:
        last: the last number that the other copy has.
    """

    def __init__(self, timeline: Timeline, last: int) -> None:
        self.records: list[Record] = []
        self._timeline, self._last, self._size = timeline, last, 0

    def page(self, fetch: Fetch, reader: HostReader) -> int:
        """Take the answer to a request. Returns the number after which to go on; MAX_NUMBER: there is no more.

        Raises:
            LanchatError: the answer is not as it should be.
        """
        after = fetch.after
        while True:
            match message := reader.next():
                case Told(number=number) if fetch.of and number > after:
                    after = number
                case Page(upto=upto) if upto in (after, MAX_NUMBER) and (upto != fetch.after):
                    return upto
                case _ if (
                    not fetch.of
                    and isinstance(message, Event)
                    and after < message.seq <= self._last
                    and self._timeline.covers(message.seq)
                ):
                    after = message.seq
                case _:
                    raise ProtocolError("What it sends is not what follows in its copy.")
            assert isinstance(message, Event | Told)
            self._size += waiting_size(message)
            if self._size > WAITING_LIMIT:
                raise ProtocolError("Its copy has too much that is missing here.")
            self.records.append(message)


def _store(replica: Replica, timeline: Timeline, records: list[Record], timing: Timing) -> int | None:
    """Add these records to our copy, and wait for the disk. Returns the last seq; None: the disk took too long.

    Raises:
        LanchatError: our disk cannot be used.
    """
    replica.follow(timeline)
    replica.append(records, (), {})
    seq = max((record.seq for record in records if isinstance(record, Event)), default=replica.held.seq)
    _log.info("%d entries of the room were on another computer alone", len(records))
    return seq if replica.wait(CopyPosition(seq), timing.sync_wait) else None
