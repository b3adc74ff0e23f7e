"""The client: connect, see who the host is, say who we are, then events as they come; come back when the link is lost.

One thread reads the link; what arrives goes through `take()`, to one thread that owns what it makes of it. Each message
carries an id of ours and is kept until the host has it on its disk; after a lost link we ask for what
came after the last seq we have, and say again what was not kept: nothing is lost and nothing comes twice.
"""

import logging
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from lanchat import errors
from lanchat.client.connect import Connection, Credentials, Trust, connect, receive
from lanchat.client.events import Acked, Connected, Disconnected, Item
from lanchat.client.queue import EventQueue
from lanchat.client.receiving import Past
from lanchat.client.reconnect import may_come_back, pauses, same_host
from lanchat.client.sending import Outgoing
from lanchat.network.flusher import Flusher
from lanchat.network.link import Link
from lanchat.protocol import messages as wire
from lanchat.protocol.framing import encode
from lanchat.protocol.handshake import farewell
from lanchat.protocol.text import clean_nick, safe_text
from lanchat.protocol.tls import client_context
from lanchat.storage.identity import Identity
from lanchat.storage.member_store import MemberStore, NoStore

FAREWELL = 0.5  # s for the host to take our goodbye; leaving must feel like leaving

_EVENTS = (wire.Said, wire.Joined, wire.Left, wire.Renamed)

_log = logging.getLogger(__name__)


class Member(Outgoing):
    """One person in one room.

    Args:
        dial: makes a connection; called again to come back.
        trust: decides about the host before anything of ours is sent; the second time only the same key will do.
        password: for a locked room.
        patience: s without a link after which we give up; None: never.
        remember: opens what we keep of this room on our own disk.
        stop: ends a `dial` under way, for we leave; may be called more than once.
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
        remember: Callable[[wire.Card], MemberStore] = lambda card: NoStore(),
        stop: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self._dial = dial
        self._stop = stop
        self._who = Credentials(identity, clean_nick(nick), trust, password)
        self._patience = patience
        self._remember = remember
        self._news = EventQueue()
        self._past = Past()
        self._tls = client_context()
        self._flusher: Flusher | None = None
        self._reader: threading.Thread | None = None
        self.left_over = 0  # messages of an earlier stay that go out with this one

    def join(self) -> Connected:
        """Connect and be let in.

        Raises:
            LanchatError: nobody there, no lanchat, not trusted, refused, ...
        """
        self._flusher = Flusher("member-flusher")
        try:
            connection = self._connect()
            self._store = self._remember(connection.accepted.card)
        except BaseException:
            if self._link is not None:
                self._link.close()
            self._flusher.close()
            raise
        accepted, self._me = connection.accepted, connection.accepted.welcome.id
        self._who = replace(self._who, trust=same_host(accepted))
        connected = Connected(accepted.card, accepted.welcome, accepted.present)
        self._news.put(connected)
        for message in self._store.unsent:
            self._unkept.add(message)
        self.left_over = len(self._unkept)
        self._resend()
        self._reader = threading.Thread(target=self._read, args=(connection,), name="member-reader")
        self._reader.start()
        return connected

    def take(self, timeout: float | None = None, *, confirm: bool = True) -> Sequence[Item]:
        """What has come, in order; see `News.take`. One thread at a time.

        Args:
            confirm: what was said to us alone counts as shown; else that is left to `confirm()`.
        """
        items = self._news.take(timeout)
        if confirm:
            self.confirm(item for item in items if isinstance(item, wire.Told))
        return items

    @property
    def held_up(self) -> bool:
        """Whether nothing more is heard, acknowledgements neither, until somebody takes. Any thread."""
        return self._news.waits

    def close(self) -> None:
        """Leave the room and come to rest. May be called twice."""
        self._stop()
        if self._reader is None or self._flusher is None:
            return
        with self._state:
            self._closed = True
            self._state.notify_all()
            if self._link is not None:
                self._link.finish(encode(wire.Bye()))
        self._news.close()
        self._reader.join(FAREWELL)
        with self._state:
            if self._link is not None:
                self._link.drop("left")  # the host is in no state to say goodbye
        self._reader.join()
        self._flusher.close()
        self._store.close()

    def _connect(self) -> Connection:
        assert self._flusher is not None
        return connect(self._dial, self._tls, self._flusher, replace(self._who, after=self._past.seq), self._begin)

    def _begin(self, link: Link) -> None:
        """From here on `close()` can cut a greeting short."""
        with self._state:
            self._link = link
            if self._closed:
                link.drop("left")

    def _read(self, connection: Connection) -> None:
        over: errors.LanchatError = errors.ConnectionLost("lanchat has met an error of its own")
        try:
            over = self._stay(connection)
        finally:  # whatever it was, nobody waits for us for ever
            if self._closed:
                over = errors.ConnectionLost("you have left")
            with self._state:
                self._over = over
                self._state.notify_all()
            self._news.end(over)

    def _stay(self, connection: Connection) -> errors.LanchatError:
        """Hear the host, and come back to it, as long as we may; what ended it."""
        while True:
            try:
                error = self._converse(connection)
            finally:
                with self._state:
                    self._link, self._in_room = None, False
                connection.link.close()
            if self._closed or not may_come_back(error):
                return error
            _log.info("lost the host: %s", safe_text(str(error)))
            self._news.put(Disconnected(str(error)))
            try:
                connection = self._come_back(error)
            except errors.LanchatError as final:
                return final

    def _converse(self, connection: Connection) -> errors.LanchatError:
        """Hear the host until the link ends; why it did."""
        messages = connection.accepted.rest
        try:
            while True:
                self._hear_all(messages, connection.link)
                messages = receive(connection.link, connection.splitter)
        except errors.LanchatError as error:
            return error

    def _come_back(self, lost: errors.LanchatError) -> Connection:
        """Connect again, with growing pauses.

        Raises:
            LanchatError: we may not, or patience is at its end.
        """
        for pause in pauses(self._patience):
            with self._state:
                if self._state.wait_for(lambda: self._closed, pause):
                    break
            try:
                connection = self._connect()
            except errors.LanchatError as error:
                if not may_come_back(error):
                    raise
                lost = error
                continue
            accepted = connection.accepted
            self._news.put(Connected(accepted.card, accepted.welcome, accepted.present, again=True))
            fetch = self._past.resume(accepted.welcome, deaf=self._deaf)
            if fetch is not None:
                connection.link.send(encode(fetch))
            self._resend()
            return connection
        raise errors.ConnectionLost(f"the host did not come back ({lost})")

    def _hear_all(self, messages: list[wire.FromHost], link: Link) -> None:
        """What one read brought. Events that follow each other are passed on together."""
        events: list[wire.Event] = []
        try:
            for message in messages:
                if isinstance(message, _EVENTS):
                    if message.by == self._me and isinstance(message, wire.Said):
                        with self._state:
                            self._unkept.numbered(message)
                            self._answered(message.id)
                    events += self._past.take(message)
                else:
                    self._pass_on(events)
                    events = []
                    self._hear(message, link)
        finally:
            self._pass_on(events)

    def _hear(self, message: wire.FromHost, link: Link) -> None:
        match message:
            case wire.Ping():
                link.send(encode(wire.Pong()))
            case wire.Ack(seq=seq):
                self._keep(seq)
            case wire.Closing():
                raise farewell(message)
            case wire.Page():
                fetch, events = self._past.page(message)
                self._pass_on(events)
                if fetch is not None:
                    link.send(encode(fetch))
            case wire.Told():
                self._hear_told(message)
            case wire.Receipt():
                self._settle(message)
            case wire.Notice():
                self._news.put(message)

    def _hear_told(self, told: wire.Told) -> None:
        with self._state:
            new = self._letters.is_new(told)
            addressed = self._unkept.addressed(told) if told.by == self._me else None
            if told.by == self._me:
                self._answered(told.id)
            if addressed is not None:
                self._store.add_unsent(addressed)
            if self._letters.is_taken(told):
                self._send(wire.Got(told.by, told.id))  # the host has not heard that we have it
        if new:
            self._store.add_history([told])
            self._news.put(told)

    def _settle(self, receipt: wire.Receipt) -> None:
        with self._state:
            done = self._unkept.settled(receipt)
            self._answered(receipt.id)
            self._state.notify_all()
        if done:
            self._store.remove_unsent([receipt.id])
            if receipt.code != "refused":
                self._news.put(Acked((receipt.id,)))
            if receipt.text:
                self._news.put(wire.Notice(receipt.code, receipt.text))

    def _pass_on(self, events: list[wire.Event]) -> None:
        if not events:
            return
        self._store.add_history(events)
        for event in events:
            if isinstance(event, wire.Renamed) and (event.by, event.nick) == (self._me, self._who.nick):
                self._who = replace(self._who, nick=event.to)
        self._news.put_all(events)

    def _keep(self, seq: int) -> None:
        with self._state:
            kept = self._unkept.acknowledged(seq)
            self._state.notify_all()
        if kept:
            self._store.remove_unsent(kept)
            self._news.put(Acked(kept))
