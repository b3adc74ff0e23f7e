"""The client: connect, see who the host is, say who we are, then events as they come; come back when the link is lost.

A member has one reader thread. What arrives goes through `take()`, to one thread that owns what it makes of it.
Each message carries an id of ours and is kept until the host has it on its disk; after a lost link we ask for what
came after the last seq we have, and say again what was not kept: nothing is lost and nothing comes twice.
"""

import logging
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count

from lanchat import errors
from lanchat.comeback import may_come_back, pauses, same_host
from lanchat.knock import Entry, Introduction, Trust, enter, receive
from lanchat.net.flusher import Flusher
from lanchat.net.identity import Identity
from lanchat.net.link import Link
from lanchat.news import Came, Ended, Item, Kept, Lost, weight
from lanchat.protocol.framing import LineSplitter, encode
from lanchat.protocol.handshake import farewell
from lanchat.protocol.messages import (
    Ack,
    Bye,
    Closing,
    Event,
    FromHost,
    FromMember,
    Joined,
    Left,
    Moderate,
    Notice,
    Ping,
    Pong,
    Rename,
    Renamed,
    Said,
    Say,
)
from lanchat.protocol.text import clean_nick, clean_text, safe_text
from lanchat.protocol.tls import TlsChannel, client_context
from lanchat.room.inbox import Inbox

FAREWELL = 0.5  # s for the host to take our goodbye; leaving must feel like leaving
QUEUE_LIMIT = 10_000  # items taken by nobody; then we stop reading, and the host drops us when it has to

_log = logging.getLogger(__name__)


class Member:
    """One person in one room.

    Args:
        dial: makes a connection; called again to come back.
        trust: decides about the host before anything of ours is sent; the second time only the same key will do.
        password: for a locked room.
        patience: s without a link after which we give up; None: never.
    """

    def __init__(
        self,
        dial: Callable[[], socket.socket],
        identity: Identity,
        nick: str,
        *,
        trust: Trust = lambda card, host_key: None,
        password: str | None = None,
        patience: float | None = 0.0,
    ) -> None:
        self._dial = dial
        self._who = Introduction(identity, clean_nick(nick), trust, password)
        self._patience = patience
        self._items: Inbox[Item] = Inbox(QUEUE_LIMIT, weight)
        self._ids = count(1)
        self._prefix = secrets.token_hex(8)  # of the ids of what we say in this stay
        self._me = ""
        self._seq = -1  # the last event we have
        self._tls = client_context()
        self._flusher: Flusher | None = None
        self._reader: threading.Thread | None = None
        self._link: Link | None = None
        self._unkept: dict[str, tuple[Say, int]] = {}  # our messages by id, with their seq or 0, oldest first
        self._over: errors.LanchatError | None = None
        self._state = threading.Condition()  # guards _link, _in_room, _unkept, _over, _closed
        self._closed, self._in_room = False, False  # in the room: the greeting is done, and we may talk on the link

    def join(self) -> Came:
        """Connect and be let in.

        Raises:
            LanchatError: nobody there, no lanchat, not trusted, refused, ...
        """
        self._flusher = Flusher("member-flusher")
        try:
            link, splitter, entry = self._connect()
        except BaseException:
            self._flusher.close()
            raise
        self._me = entry.welcome.id
        self._who = replace(self._who, trust=same_host(entry))
        came = Came(entry.card, entry.welcome, entry.present)
        self._items.put(came)
        self._in_room = True
        self._reader = threading.Thread(target=self._read, args=(link, splitter, entry.rest), name="member-reader")
        self._reader.start()
        return came

    def take(self, timeout: float | None = None) -> Sequence[Item]:
        """What has come, in order; waits for a first item, at most `timeout` seconds. One thread only.

        The last item is an `Ended`; after that, and after `close()`, there is nothing but the same again.
        """
        items = self._items.take(timeout)
        if items or not self._items.closed:
            return items
        return (Ended(self._over or errors.ConnectionLost("you have left")),)

    def is_own(self, said: Said) -> bool:
        """Whether this was said by this very member object, not by the same person elsewhere. Any thread."""
        return said.by == self._me and said.id.startswith(self._prefix)

    def say(self, text: str, *, action: bool = False) -> str:
        """Say this to everyone, now or when the link is back. Never waits.

        Returns:
            The message's id, which its `Said` and its `Kept` will carry.

        Raises:
            ValueError: the text cannot be sent (empty, too long).
        """
        message = Say(f"{self._prefix}-{next(self._ids)}", clean_text(text), action)
        with self._state:
            self._unkept[message.id] = message, 0
            self._send(message)
        return message.id

    def rename(self, nick: str) -> None:
        """Ask for another nick; a `Renamed` or a `Notice` follows.

        Raises:
            ValueError: it breaks the rules of a nick.
        """
        self._send(Rename(clean_nick(nick)))

    def moderate(self, action: str, nick: str = "") -> None:
        """Use a right of who hosts: kick, ban, unban, lock, unlock. A `Notice` says what came of it."""
        self._send(Moderate(action, nick))

    def wait_kept(self, timeout: float | None = None, *, below: int = 1) -> bool:
        """Wait until all we said is on the host's disk, or fewer than `below` messages are not yet.

        Raises:
            LanchatError: the connection ended before that.
        """
        with self._state:
            self._state.wait_for(lambda: len(self._unkept) < below or self._over is not None, timeout)
            kept = len(self._unkept) < below
            if not kept and self._over is not None:
                raise self._over
            return kept

    def close(self) -> None:
        """Leave the room and come to rest. May be called twice."""
        if self._reader is None or self._flusher is None:
            return
        with self._state:
            self._closed = True
            self._state.notify_all()
            if self._link is not None:
                self._link.finish(encode(Bye()))
        self._items.close()
        self._reader.join(FAREWELL)
        with self._state:
            if self._link is not None:
                self._link.drop("left")  # the host is in no state to say goodbye
        self._reader.join()
        self._flusher.close()

    def _connect(self) -> tuple[Link, LineSplitter, Entry]:
        assert self._flusher is not None
        sock, channel, splitter = self._dial(), TlsChannel(self._tls, server=False), LineSplitter()
        try:
            link = Link(sock, channel, self._flusher)
        except OSError as error:  # hung up at once: on some systems such a socket takes no options
            sock.close()
            raise errors.ConnectionLost(f"the host hung up ({error.strerror})") from None
        with self._state:
            self._link = link  # so that close() can cut a greeting short
            if self._closed:
                link.drop("left")
        try:
            entry = enter(link, channel, splitter, replace(self._who, after=self._seq))
        except BaseException:
            link.close()
            raise
        link.heartbeat = encode(Ping())
        return link, splitter, entry

    def _send(self, message: FromMember) -> None:
        with self._state:
            if self._link is not None and self._in_room:
                self._link.send(encode(message))

    def _read(self, link: Link, splitter: LineSplitter, messages: list[FromHost]) -> None:
        while True:
            error = self._converse(link, splitter, messages)
            with self._state:
                self._link, self._in_room = None, False
            link.close()
            if self._closed or not may_come_back(error):
                break
            _log.info("lost the host: %s", safe_text(str(error)))
            self._items.put(Lost(str(error)))
            try:
                link, splitter, messages = self._come_back(error)
            except errors.LanchatError as final:
                error = final
                break
        with self._state:
            self._over = error
            self._state.notify_all()
        self._items.put_now(Ended(error))
        self._items.close()

    def _converse(self, link: Link, splitter: LineSplitter, messages: list[FromHost]) -> errors.LanchatError:
        """Hear the host until the link ends; why it did."""
        try:
            while True:
                for message in messages:
                    self._hear(message, link)
                messages = receive(link, splitter)
        except errors.LanchatError as error:
            return error

    def _come_back(self, lost: errors.LanchatError) -> tuple[Link, LineSplitter, list[FromHost]]:
        """Connect again, with growing pauses.

        Raises:
            LanchatError: we may not, or patience is at its end.
        """
        waited = 0.0
        for pause in pauses():
            if self._patience is not None and waited >= self._patience:
                break
            with self._state:
                if self._state.wait_for(lambda: self._closed, pause):
                    break
            waited += pause
            try:
                link, splitter, entry = self._connect()
            except errors.LanchatError as error:
                if not may_come_back(error):
                    raise
                lost = error
                continue
            self._seq = min(self._seq, entry.welcome.seq)  # a host that lost its record counts anew from there
            self._items.put(Came(entry.card, entry.welcome, entry.present, again=True))
            with self._state:
                self._in_room = True
                for message, _ in self._unkept.values():
                    self._send(message)
            return link, splitter, entry.rest
        raise lost

    def _hear(self, message: FromHost, link: Link) -> None:
        match message:
            case Ping():
                link.send(encode(Pong()))
            case Ack(seq=seq):
                self._keep(seq)
            case Closing():
                raise farewell(message)
            case Said() | Joined() | Left() | Renamed():
                self._hear_event(message)
            case Notice():
                self._items.put(message)

    def _hear_event(self, event: Event) -> None:
        if isinstance(event, Said) and event.by == self._me:
            with self._state:
                if event.id in self._unkept:
                    self._unkept[event.id] = self._unkept[event.id][0], event.seq
        if event.seq <= self._seq:
            return  # we had it before the link was lost
        self._seq = event.seq
        if isinstance(event, Renamed) and (event.by, event.nick) == (self._me, self._who.nick):
            self._who = replace(self._who, nick=event.to)
        self._items.put(event)

    def _keep(self, seq: int) -> None:
        with self._state:
            kept = tuple(id for id, (_, said) in self._unkept.items() if 0 < said <= seq)
            for id in kept:
                del self._unkept[id]
            self._state.notify_all()
        if kept:
            self._items.put(Kept(kept))
