"""The door for lanchat's own members: TLS, a card, a hello with its proof, then JSON lines."""

import logging
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from functools import partial

from lanchat.doors.pace import Pace
from lanchat.errors import LanchatError, ProtocolError
from lanchat.net.gate import Attempts, Gate, source_of
from lanchat.net.identity import Identity, member_id, verify
from lanchat.net.link import Link
from lanchat.net.password import Exchange
from lanchat.protocol.framing import FROM_MEMBER, LineSplitter, decode_all, encode
from lanchat.protocol.handshake import Arrival, HostGreeting
from lanchat.protocol.limits import Limits
from lanchat.protocol.messages import (
    MAX_NUMBER,
    Card,
    Closing,
    Event,
    Fetch,
    FromHost,
    FromMember,
    Notice,
    Page,
    Ping,
    Refused,
)
from lanchat.protocol.text import same_nick
from lanchat.room.inbox import Inbox
from lanchat.room.seats import Arrived, Gone, Item, Seat

LINE_LIMIT = 10.0  # s from the first byte of a line to its last
EXCHANGES = 2  # password exchanges at a time; each holds the interpreter for 14 ms, and people are talking

_log = logging.getLogger(__name__)


PAGE = 200  # events ...
PAGE_SIZE = 64 * 1024  # bytes; ... or so much of the past at once, a quarter of a link's outbox


class NativeDoor:
    """Serves each link in that link's reader thread.

    Args:
        card: makes the first line for a new link, with a fresh nonce.
        secret: the stretched password of a locked room.
        known: member ids that were in this room before; nobody's wrong guesses lock them out.
    """

    echoes = True
    remembers = True

    def __init__(
        self,
        identity: Identity,
        card: Callable[[], Card],
        inbox: Inbox[Item],
        gate: Gate,
        limits: Limits,
        secret: bytes | None = None,
        read: Callable[[int, int], Sequence[Event]] = lambda after, limit: (),
        known: Iterable[str] = (),
    ) -> None:
        self._identity = identity
        self._card = card
        self._inbox = inbox
        self._gate = gate
        self._limits = limits
        self._secret = secret
        self._read = read  # Log.read
        self._attempts = Attempts(known=known)
        self._exchanging = threading.BoundedSemaphore(EXCHANGES)

    def encode(self, message: FromHost) -> bytes:
        return encode(message)

    def serve(self, link: Link) -> None:
        """A link's whole life, from its first byte to its last."""
        seat = Seat(link, self)
        try:
            self._greet_and_read(link, seat)
        except ProtocolError as error:
            _log.info("dropped %s: %s", link.peer, error)
            link.reason = link.reason or str(error)
            link.finish(encode(Closing("rules", str(error))))
            link.drain()
        except LanchatError as error:  # not even TLS
            _log.info("dropped %s: %s", link.peer, error)
        finally:
            self._inbox.put_now(Gone(seat))

    def _greet_and_read(self, link: Link, seat: Seat) -> None:
        splitter = LineSplitter()
        link.limit_bytes(self._limits.byte_rate, self._limits.byte_burst)
        arrival, messages = self._greet(link, splitter)
        if arrival is None:
            link.drain()
            return
        link.within(None)
        link.heartbeat = encode(Ping())
        self._gate.admit(link)
        pace = Pace(self._limits, link)
        self._inbox.put(Arrived(seat, member_id(arrival.key), arrival.nick, arrival.after))
        started = bool(splitter.partial)
        while True:
            for fetch in [message for message in messages if isinstance(message, Fetch)]:
                messages.remove(fetch)
                if seat.member is None:
                    continue  # the hub has not let them in
                page = self._page(fetch.after)
                if page is None:
                    link.drop("the host cannot read its log now")  # they come back and ask again: no silent gap
                    return
                link.send(page)
            if messages:
                pace.hand_on(messages, seat, self._inbox)  # may take its time, which is not the line's
            if started:
                link.within(LINE_LIMIT, "did not finish a line in time")
            data = link.receive()
            if not data:
                return
            began_before = bool(splitter.partial)
            lines = splitter.feed(data)
            if lines:
                link.within(None)
            started = bool(splitter.partial) and (bool(lines) or not began_before)
            messages = decode_all(lines, FROM_MEMBER)

    def _greet(self, link: Link, splitter: LineSplitter) -> tuple[Arrival | None, list[FromMember]]:
        """Until we know who it is (None: they went, or were refused), and what they have said after that."""
        link.within(self._limits.greeting, "did not say hello in time")
        link.establish()
        source = source_of(link.peer)
        greeting = HostGreeting(
            self._card(),
            certificate=self._identity.certificate,
            host_key=self._identity.public,
            verify=verify,
            attempt=None if self._secret is None else partial(self._attempt, source, self._secret),
        )
        link.send(encode(greeting.opening()))
        while data := link.receive():
            messages: list[FromMember] = decode_all(splitter.feed(data), FROM_MEMBER)
            while messages:
                with self._exchanging if self._secret is not None else nullcontext():
                    answer, arrival = greeting.receive(messages.pop(0))
                if isinstance(answer, Refused):
                    link.finish(encode(answer))
                    return None, []
                if answer is not None:
                    link.send(encode(answer))
                if arrival is not None:
                    same_nick(arrival.nick)  # loads the table of look-alikes here, where nobody waits for it
                    if self._secret is not None:
                        self._attempts.succeed(source, member_id(arrival.key))
                    return arrival, messages
        return None, []

    def _page(self, after: int) -> bytes | None:
        """A piece of the past, from the disk: in the reader thread of who asks, so that nobody else waits for it.

        None: it cannot be read now. Where it never can be (the file is damaged, and the error says how to mend it),
        a notice takes the place of what is lost.
        """
        lines: list[bytes] = []
        size = 0
        upto = MAX_NUMBER  # there is no more
        try:
            for event in self._read(after, PAGE):
                lines.append(encode(event))
                size += len(lines[-1])
                if size > PAGE_SIZE or len(lines) == PAGE:
                    upto = event.seq
                    break
        except LanchatError as error:
            if not error.hint:
                return None
            lines.append(encode(Notice("past", f"the host cannot read what was said before: {error}")))
        return b"".join(lines) + encode(Page(upto))

    def _attempt(self, source: str, secret: bytes, member: bytes, certificate: bytes) -> Exchange | Refused:
        wait = self._attempts.begin(source, member_id(member))
        if wait > 0:
            return Refused("busy", f"too many wrong passwords; try again in {math.ceil(wait)} s")
        return Exchange(secret, host=True, member=member, certificate=certificate)
