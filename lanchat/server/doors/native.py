"""The door for lanchat's own members: TLS, a card, a hello with its proof, then JSON lines."""

import logging
import math
import threading
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import partial

from lanchat.errors import LanchatError
from lanchat.network.link import Link
from lanchat.network.password import Exchange
from lanchat.protocol.framing import FROM_MEMBER, LineSplitter, decode_all, encode
from lanchat.protocol.handshake import HostGreeting, Newcomer
from lanchat.protocol.ids import member_id
from lanchat.protocol.keys import verify
from lanchat.protocol.limits import Limits
from lanchat.protocol.messages import (
    Card,
    Fetch,
    FromHost,
    FromMember,
    Ping,
    Refused,
)
from lanchat.protocol.text import same_nick
from lanchat.server.admission import Admission, PasswordThrottle, source_of
from lanchat.server.doors.base import told_why
from lanchat.server.past import page, said_before
from lanchat.server.session import Item, JoinRequest, LinkEnded, Recalled, Session, Stay
from lanchat.server.throttle import Throttle
from lanchat.storage.identity import Identity
from lanchat.storage.log import Log
from lanchat.threads import Inbox

LINE_LIMIT = 10.0  # s from the first byte of a line to its last
EXCHANGES = 2  # password exchanges at a time; each holds the interpreter for 14 ms, and people are talking

_log = logging.getLogger(__name__)


class NativeDoor:
    """Serves each link in threads of its own.

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
        admission: Admission,
        limits: Limits,
        log: Log,
        secret: bytes | None = None,
        known: Iterable[str] = (),
    ) -> None:
        self._identity = identity
        self._card = card
        self._inbox = inbox
        self._admission = admission
        self._limits = limits
        self._secret = secret
        self._log = log
        self._password_throttle = PasswordThrottle(known=known)
        self._exchanging = threading.BoundedSemaphore(EXCHANGES)

    def encode(self, message: FromHost) -> bytes:
        return encode(message)

    def greet(self, link: Link) -> Stay | None:
        """Find out who it is.

        Returns:
            The rest of the link's life; None: it is over already.
        """
        with told_why(link, encode):
            splitter = LineSplitter()
            link.limit_bytes(self._limits.byte_rate, self._limits.byte_burst)
            newcomer, messages = self._greet(link, splitter)
            if newcomer is None:
                link.drain()
                return None
            return partial(self._stay, link, splitter, newcomer, messages)
        return None

    def _stay(self, link: Link, splitter: LineSplitter, newcomer: Newcomer, messages: list[FromMember]) -> None:
        link.within(None)
        link.keepalive.keep_alive(encode(Ping()))
        self._admission.admit(link)
        session, id = Session(link, self), member_id(newcomer.key)
        self._inbox.put(JoinRequest(session, id, newcomer.nick, newcomer.after))
        try:
            with told_why(link, encode):
                self._hear(link, splitter, session, id, messages)
        finally:
            self._inbox.put_now(LinkEnded(session))

    def _hear(self, link: Link, splitter: LineSplitter, session: Session, id: str, messages: list[FromMember]) -> None:
        """Until the link ends."""
        throttle = Throttle(self._limits, link)
        started = bool(splitter.partial)
        while True:
            try:
                messages = self._look_up(messages, link, session, id, throttle)
            except LanchatError:
                link.drop("the host cannot read its log now")  # they come back and ask again: no silent gap
                return
            if messages:
                throttle.forward(messages, session, self._inbox)  # may take its time, which is not the line's
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

    def _greet(self, link: Link, splitter: LineSplitter) -> tuple[Newcomer | None, list[FromMember]]:
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
                    answer, newcomer = greeting.receive(messages.pop(0))
                if isinstance(answer, Refused):
                    link.finish(encode(answer))
                    return None, []
                if answer is not None:
                    link.send(encode(answer))
                if newcomer is not None:
                    same_nick(newcomer.nick)  # loads the table of look-alikes here, where nobody waits for it
                    if self._secret is not None:
                        self._password_throttle.succeed(source, member_id(newcomer.key))
                    return newcomer, messages
        return None, []

    def _look_up(
        self, messages: list[FromMember], link: Link, session: Session, id: str, throttle: Throttle
    ) -> list[FromMember]:
        """Answer what the log can answer.

        Returns:
            What is left for the hub.

        Raises:
            LanchatError: the log cannot be read now.
        """
        left: list[FromMember] = []
        for message in messages:
            if not isinstance(message, Fetch):
                left.append(message)
            elif session.member is not None:  # the hub has let them in
                throttle.spend()
                if link.over:
                    return []
                link.send(page(self._log, message.after))
        if said := said_before(self._log, id, left):
            self._inbox.put(Recalled(said))
        return left

    def _attempt(self, source: str, secret: bytes, member: bytes, certificate: bytes) -> Exchange | Refused:
        wait = self._password_throttle.begin(source, member_id(member))
        if wait > 0:
            return Refused("busy", f"too many wrong passwords; try again in {math.ceil(wait)} s")
        return Exchange(secret, host=True, member=member, certificate=certificate)
