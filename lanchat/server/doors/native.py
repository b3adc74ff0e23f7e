"""The door for lanchat's own members: TLS, a card, a hello with its proof, then JSON lines."""

import hashlib
import math
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial

from lanchat.errors import LanchatError, ProtocolError
from lanchat.network.link import Link
from lanchat.network.password import PasswordExchange
from lanchat.protocol.file_messages import Transfer
from lanchat.protocol.framing import FROM_MEMBER, LineSplitter, decode_all, encode, encode_lines, version_of
from lanchat.protocol.handshake import HostGreeting, Newcomer
from lanchat.protocol.ids import member_id
from lanchat.protocol.keys import verify
from lanchat.protocol.messages import (
    VERSION,
    Fetch,
    FromHost,
    FromMember,
    Ping,
    Pong,
    Refused,
    Said,
)
from lanchat.protocol.nicks import same_nick
from lanchat.protocol.tls import Channel, TlsChannel, server_context
from lanchat.protocol.version import other_version
from lanchat.room.members import lines_of
from lanchat.room.snapshot import Snapshot
from lanchat.server.admission import source_of
from lanchat.server.doors.base import DoorOption, Serving, reporting_errors
from lanchat.server.items import JoinRequest, LinkEnded
from lanchat.server.past import PAGE_COST, page, said_before
from lanchat.server.quotas import Quota
from lanchat.server.session import Dialect, Reading, Session
from lanchat.server.throttle import Throttle

_PING = encode(Ping())  # once for all links: bytes from the encoder take 1 KiB, however few they are
EXCHANGES = 2  # password exchanges at a time; each holds the interpreter for 14 ms, which delays every message


def native_door(port: int | None = None, on_wrong_password: Callable[[str], None] | None = None) -> DoorOption:
    """The door that every room has.

    Args:
        port: None for 47474 or the next free one, 0 for any.
        on_wrong_password: called with the source of a wrong password ("": this machine), in its reader thread.
    """
    return DoorOption(partial(NativeDoor, on_wrong_password=on_wrong_password), port)


class Lines(Dialect):
    """The dialect of lanchat's own members: a JSON line for each message."""

    def encode(self, message: FromHost) -> bytes:
        return encode(message)

    def encode_all(self, messages: Sequence[FromHost]) -> bytes:
        return encode_lines(messages)

    def snapshot(self, snapshot: Snapshot) -> bytes:
        people = lines_of(snapshot.people)
        return b"".join((encode(snapshot.welcome), *people, encode_lines((*snapshot.past, *snapshot.private))))


LINES = Lines()  # one for all doors that speak it, so that the bytes of a batch are made once


class NativeDoor:
    """Serves each link in threads of its own."""

    name = "native"
    web = False  # whether the members come by browsers

    def __init__(self, serving: Serving, on_wrong_password: Callable[[str], None] | None = None) -> None:
        self._serving = serving
        self._on_wrong_password = on_wrong_password
        self._tls = server_context(serving.identity.certificate_path, serving.identity.key_path)
        self._exchanging = threading.BoundedSemaphore(EXCHANGES)

    def channel(self, sock: socket.socket) -> Channel:
        return TlsChannel(self._tls, server=True)

    def greet(self, link: Link, quota: Quota) -> Reading | None:
        with reporting_errors(link, encode):
            splitter, throttle = LineSplitter(), Throttle(link, quota.lines)
            newcomer, messages = self._greet(link, splitter, throttle)
            if isinstance(newcomer, Transfer) and self._serving.bulk is not None:
                reading = self._serving.bulk.claim(link, newcomer)
                if reading is not None:
                    self._serving.admission.admit(link)
                    return reading
            if not isinstance(newcomer, Newcomer):
                link.drain()
                return None
            quota.admit(member_id(newcomer.key))
            return self._read(link, splitter, throttle, newcomer, messages)
        return None

    def _read(
        self,
        link: Link,
        splitter: LineSplitter,
        throttle: Throttle,
        newcomer: Newcomer,
        messages: list[FromMember],
    ) -> Reading:
        link.within(None)
        link.keepalive.begin(_PING)
        self._serving.admission.admit(link)
        absence = self._serving.timing.web_absence if self.web else 0.0
        session, id = Session(link, LINES, absence=absence, bot=newcomer.bot), member_id(newcomer.key)
        self._serving.inbox.put(
            JoinRequest(
                session,
                id,
                newcomer.nick,
                newcomer.after,
                key=newcomer.key,
                standby=newcomer.standby,
                peer=link.peer,
                web=self.web,
                papers=newcomer.papers,
            )
        )
        try:
            with reporting_errors(link, encode):
                yield from self._receive(link, splitter, throttle, session, id, messages)
        finally:
            self._serving.inbox.put_now(LinkEnded(session))

    def _receive(
        self,
        link: Link,
        splitter: LineSplitter,
        throttle: Throttle,
        session: Session,
        id: str,
        messages: list[FromMember],
    ) -> Reading:
        """Forward the member's messages until the link ends.

        Args:
            messages: those that came together with the end of the greeting.
        """
        if not self._forward(messages, link, session, id, throttle):
            return
        if splitter.partial:
            link.within(self._serving.timing.line, "rules", "did not finish a line in time")
        while (data := link.hear()) != b"":
            if data is None:
                yield
                continue
            began_before = bool(splitter.partial)
            lines = splitter.feed(data)
            if lines:
                link.within(None)
                for portion in throttle.portions(lines):
                    if not self._forward(decode_all(portion, FROM_MEMBER), link, session, id, throttle):
                        return
            if splitter.partial and (lines or not began_before):  # a line has begun; the time of forwarding is not its
                link.within(self._serving.timing.line, "rules", "did not finish a line in time")

    def _forward(self, messages: list[FromMember], link: Link, session: Session, id: str, throttle: Throttle) -> bool:
        """Answer fetches from the log, and give all other messages to the hub. Waits for the disk and the throttle.

        Returns:
            Whether the link continues.
        """
        if len(messages) == 1 and type(messages[0]) is Pong:  # all that comes from most members, most of the time
            return True
        try:
            left, said_before = self._look_up(messages, link, session, id, throttle)
        except LanchatError:
            # The member reconnects and asks again, so that no gap stays unnoticed.
            link.drop("error", "the host cannot read its log now")
            return False
        throttle.forward(left, session, self._serving.inbox, said_before)
        return True

    def _greet(
        self, link: Link, splitter: LineSplitter, throttle: Throttle
    ) -> tuple[Newcomer | Transfer | None, list[FromMember]]:
        """Run the handshake.

        Returns:
            The newcomer (None: they left, or were refused; or a ticket in their place), and the messages that came
            after the handshake.
        """
        link.within(self._serving.limits.greeting, "late", "did not say hello in time")
        link.establish()
        greeting = self._greeting(link)
        if greeting is None:
            return None, []
        source = source_of(link.peer) if self._serving.secret is not None else ""
        link.send(encode(greeting.opening()))
        begun = False
        while data := link.receive():
            lines = splitter.feed(data)
            throttle.receive(len(lines))
            try:
                messages: list[FromMember] = decode_all(lines, FROM_MEMBER)
            except ProtocolError:
                theirs = None if begun else version_of(lines)
                if theirs in (None, VERSION):
                    raise
                link.finish(encode(other_version(theirs)))
                return None, []
            if messages and not begun and isinstance(messages[0], Transfer):
                if len(messages) > 1 or splitter.partial:
                    raise ProtocolError("Something follows a ticket before the host has answered it.")
                return messages[0], []
            begun = begun or bool(messages)
            while messages:
                with self._exchanging if self._serving.secret is not None else nullcontext():
                    answer, newcomer = greeting.receive(messages.pop(0))
                if isinstance(answer, Refused):
                    link.finish(encode(answer))
                    if answer.code == "password" and greeting.tried and self._on_wrong_password is not None:
                        self._on_wrong_password(source)
                    return None, []
                if answer is not None:
                    link.send(encode(answer))
                if newcomer is not None:
                    same_nick(newcomer.nick)  # loads the table of look-alikes here, and not in the hub
                    if self._serving.secret is not None:
                        self._serving.password_throttle.succeed(source, member_id(newcomer.key))
                    return newcomer, messages
        return None, []

    def _greeting(self, link: Link) -> HostGreeting | None:
        """The host's end of the handshake; None: the peer has got what it wanted already."""
        attempt = None
        if self._serving.secret is not None:
            attempt = partial(self._attempt, source_of(link.peer), self._serving.secret)
        return HostGreeting(
            self._serving.card(),
            binding=hashlib.sha256(self._serving.identity.certificate).digest(),
            host_key=self._serving.identity.public,
            verify=verify,
            attempt=attempt,
        )

    def _look_up(
        self, messages: list[FromMember], link: Link, session: Session, id: str, throttle: Throttle
    ) -> tuple[list[FromMember], list[Said]]:
        """Answer each `fetch` from the log.

        Returns:
            The other messages, for the hub, and the events of the log that they repeat.

        Raises:
            LanchatError: the log cannot be read now.
        """
        log = self._serving.log
        if Fetch not in set(map(type, messages)):  # nearly always
            return messages, said_before(log, id, messages)
        left: list[FromMember] = []
        for message in messages:
            # The hub refuses a `fetch` of somebody who may not fetch that.
            if type(message) is not Fetch or session.member is None or (message.of and not session.follows):
                left.append(message)
            else:
                throttle.spend(PAGE_COST)
                if link.over:
                    return [], []
                link.send(page(log, message))
        return left, said_before(log, id, left)

    def _attempt(self, source: str, secret: bytes, member: bytes, certificate: bytes) -> PasswordExchange | Refused:
        wait = self._serving.password_throttle.begin(source, member_id(member))
        if wait > 0:
            return Refused("busy", f"Too many wrong passwords. Try again in {math.ceil(wait)} s.")
        return PasswordExchange(secret, host=True, member=member, certificate=certificate)
