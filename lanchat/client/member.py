"""The client of a room: it connects, checks the host, proves its identity, receives events, and reconnects.

One thread reads the link. Received items go into an `EventQueue`, and messages to send go through `Outgoing`. After a
reconnect the member asks for the events after the last seq it has, and resends what is not acknowledged: nothing is
lost and nothing comes twice.
"""

import logging
import random
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace

from lanchat import errors
from lanchat.client.connect import Connection, Credentials, Trust, connect
from lanchat.client.delivery import Delivery
from lanchat.client.events import Connected, Disconnected, Private
from lanchat.client.follower import Follower
from lanchat.client.inbound import Inbound
from lanchat.client.keeper import Keeper
from lanchat.client.other_hosts import OtherHosts
from lanchat.client.queue import EventQueue
from lanchat.client.receiving import Incoming
from lanchat.client.reconnect import HostSearch, SameRoom, given_up, is_occupied, may_reconnect
from lanchat.client.sending import Outgoing
from lanchat.client.transfer import Transfers
from lanchat.network.flusher import Flusher
from lanchat.network.link import Link
from lanchat.protocol import messages as wire
from lanchat.protocol.framing import encode
from lanchat.protocol.nicks import clean_nick
from lanchat.protocol.papers import is_on_engine, timeline_of
from lanchat.protocol.places import Place
from lanchat.protocol.sealed import Sealer
from lanchat.protocol.text import safe_text
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.protocol.tls import client_context
from lanchat.room.succession import Follow, Wait
from lanchat.storage.identity import Identity
from lanchat.storage.member_store import MemberStore, NoStore
from lanchat.threads import join_started, now_ms

_ABANDONED = "Nobody has taken over the room. What you typed is kept and goes out when you join again."

_log = logging.getLogger(__name__)


class Member:
    """One person's client in one room. `delivery`, `outgoing` and `transfers` exist after `join()`.

    Args:
        dial: makes a connection; called again to reconnect.
        queue: gets everything that arrives.
        trust: decides about the host before our hello is sent; a reconnect accepts only the same key.
        password: of the room; None: we know none.
        patience: s of reconnecting after which the member gives up; None: never.
        open_store: opens this person's own store for the room.
        stop: cancels a running `dial`, because the member leaves; may be called more than once.
        look_elsewhere: called during a reconnect when another host answered at the last `dial`.
        reopening: reconnect also after the host has closed the room, in case it opens again.
        seen: returns how far the history of an earlier run reaches, after `open_store`; what came after it is fetched.
            Nothing: there is none, or the last messages are enough.
        settled: called when a host has admitted us again.
        prefer: called with the index of the standby that the host has handed the room to, before the next `dial`.
        places_changed: called with the places where the room may be.
        keeper: lets this computer be a standby; None: it is never one.
        bot: a program speaks, and no person.
        same_room: trusts the hosts of the room from then on, after the first one has let us in.
        look_back: the number of events that are wanted before those that a newcomer gets.
    """

    delivery: Delivery
    outgoing: Outgoing
    follower: Follower
    transfers: Transfers

    def __init__(
        self,
        dial: Callable[[], socket.socket],
        identity: Identity,
        nick: str,
        *,
        queue: EventQueue | None = None,
        trust: Trust = lambda card, host_key: None,
        password: str | None = None,
        patience: float | None = 0.0,
        open_store: Callable[[wire.Card], MemberStore] = lambda card: NoStore(),
        stop: Callable[[], None] = lambda: None,
        look_elsewhere: Callable[[], None] = lambda: None,
        reopening: bool = False,
        seen: Callable[[], Mapping[int, int]] = dict,
        settled: Callable[[], None] = lambda: None,
        prefer: Callable[[int], None] = lambda index: None,
        places_changed: Callable[[tuple[Place, ...]], None] = lambda places: None,
        keeper: Keeper | None = None,
        bot: bool = False,
        same_room: Callable[[wire.Card, bytes], SameRoom] = lambda card, host_key: SameRoom(card, host_key, now_ms),
        look_back: int = 0,
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        self.queue = queue or EventQueue()
        self.dial = dial
        self._settled, self._prefer, self._places_changed, self._keeper = settled, prefer, places_changed, keeper
        self._stop, self._look_elsewhere = stop, look_elsewhere
        willing = keeper.willing if keeper is not None else 0
        self._who = Credentials(identity, clean_nick(nick), trust, password, standby=willing, bot=bot)
        self._patience, self._reopening, self._seen = patience, reopening, seen
        self._open_store, self._same_room, self._timing, self._closed = open_store, same_room, timing, False
        self._incoming = Incoming(look_back)
        self._tls = client_context()
        self._store: MemberStore = NoStore()
        self._flusher: Flusher | None = None
        self._reader: threading.Thread | None = None
        self._link: Link | None = None
        self._state = threading.Condition()  # guards _link, _closed

    def join(self, deadline: float | None = None) -> Connected:
        """Connect and enter the room.

        Args:
            deadline: when to give up, by `time.monotonic()`; None: only the usual limits count.

        Raises:
            LanchatError: no host answers, or it is not trusted, or it refuses us, ...
        """
        with ExitStack() as undo:
            flusher = self._flusher = Flusher("member-flusher", self._timing)
            undo.callback(flusher.close)
            undo.callback(lambda: self._link.close() if self._link is not None else None)
            connection = self._connect(deadline)
            room = self._same_room(connection.card, connection.host_key)
            self._who = replace(self._who, trust=room, papers=room.shown)  # papers may expire
            store = self._store = self._open_store(connection.card)
            undo.callback(store.close)
            me, incoming, mine = connection.welcome.id, self._incoming, self._who.identity
            incoming.private.recall(store.shown)
            incoming.expect(self._seen(), timeline_of(connection.card))
            sealer = Sealer(mine.private, connection.card.room)
            self.delivery = delivery = Delivery(store, me, self._send, sealer)
            self.outgoing = Outgoing(delivery, me)
            self.transfers = Transfers(delivery.host, self.dial, self._tls, flusher, sealer)
            self.follower = follower = Follower(
                mine, room, incoming, self._send, self.queue.put, self._places_changed, self._keeper, self._timing
            )
            self.transfers.others = OtherHosts(follower.cluster, room, lambda: self._who, self._tls, flusher)
            self._inbound = Inbound(
                me, incoming, self.queue, store, delivery, self.transfers, sealer, follower, self._note_nick
            )
            connected = Connected(connection.card, connection.welcome, connection.present, connection.host_id)
            self.queue.put(connected)
            delivery.begin(connection.host_key, connection.welcome.files, timeline_of(connection.card))
            follower.begin(connection)
            if fetch := incoming.look_back(connection.welcome):
                connection.link.send(encode(fetch))
            self._host_key = connection.host_key
            self._reader = threading.Thread(target=self._read, args=(connection,), name="member-reader")
            undo.callback(self.close)  # the thread may run already if a person interrupts us
            self._reader.start()
            undo.pop_all()
        return connected

    def confirm(self, private: Iterable[Private]) -> None:
        """These private messages and files have been shown, so they need not come again. Any thread."""
        self._inbound.confirm(private)

    def close(self) -> None:
        """Leave the room and end the threads. May be called twice."""
        self._stop()
        if self._reader is None or self._flusher is None:
            return
        self._store.settle()  # before the goodbye, after which nothing is confirmed any more
        with self._state:
            self._closed = True
            self._state.notify_all()
            if self._link is not None:
                self._link.finish(encode(wire.Bye()))
        self.transfers.close()
        self.queue.close()
        if self._reader.is_alive():
            self._reader.join(self._timing.farewell)
        with self._state:
            if self._link is not None:
                self._link.drop("", "left")  # the host did not answer the goodbye in time
        join_started(self._reader)
        self._flusher.close()
        self._store.close()

    def _note_nick(self, nick: str, to: str) -> None:
        if nick == self._who.nick:
            self._who = replace(self._who, nick=to)

    def _send(self, message: wire.FromMember) -> None:
        if (link := self._link) is not None:
            link.send(encode(message))

    def _connect(self, deadline: float | None = None, card_within: float | None = None) -> Connection:
        assert self._flusher is not None
        who = replace(self._who, after=self._incoming.enter)
        return connect(self.dial, self._tls, self._flusher, who, self._begin, deadline, card_within)

    def _begin(self, link: Link) -> None:
        """Note the link, so that `close()` can end it during the handshake."""
        with self._state:
            self._link = link
            if self._closed:
                link.drop("", "left")

    def _read(self, connection: Connection) -> None:
        over: errors.LanchatError = errors.ConnectionLost("The connection has ended by a fault of lanchat itself.")
        try:
            over = self._stay(connection)
        finally:  # even after an unexpected error no thread may wait for this one for ever
            if self._closed:
                over = errors.ConnectionLost("You have left.")
            self.follower.close()
            self.delivery.end(over)
            self.queue.end(over)

    def _stay(self, connection: Connection) -> errors.LanchatError:
        """Receive and reconnect until the connection ends for good. Returns the reason."""
        while True:
            try:
                error = self._converse(connection)
            finally:
                self.delivery.pause()
                silent = connection.link.code == "silent"
                self.follower.end()
                with self._state:
                    self._link = None
                connection.link.close()
            if self._closed or not may_reconnect(error, self._reopening):
                return error
            _log.info("lost the host: %s", safe_text(str(error)))
            if isinstance(error, errors.RoomMoved):
                self._prefer(error.to)
            elif silent:
                self._prefer(self.follower.cluster.next)
            self.queue.put(Disconnected.because(error))
            try:
                connection = self._reconnect(error)
            except errors.LanchatError as final:
                return final

    def _converse(self, connection: Connection) -> errors.LanchatError:
        """Receive until the link ends. Returns the reason."""
        try:
            while True:
                self._inbound.receive_all(connection.reader.read(), connection)
        except errors.LanchatError as error:
            return error

    def _reconnect(self, lost: errors.LanchatError) -> Connection:
        """Connect again, with growing pauses.

        Raises:
            LanchatError: the error is final, or `patience` is over.
        """
        follower, now = self.follower, time.monotonic()
        search = HostSearch(lost, follower.cluster.people, self._timing, now, others=follower.may_move)
        for pause in search.pauses(self._patience, random.uniform):
            with self._state:
                if self._state.wait_for(lambda: self._closed, pause):
                    break
            if search.is_abandoned(time.monotonic()):
                self.queue.put(Disconnected(_ABANDONED))
            step = follower.seek(lambda: self._closed) if search.asks else None
            if isinstance(step, Wait):
                continue
            if isinstance(step, Follow):
                self._prefer(step.index)
            search.asks = search.hasty
            try:
                connection = self._connect(card_within=self._timing.host_silence if search.hasty else None)
            except errors.LanchatError as error:
                if not may_reconnect(error, self._reopening):
                    raise
                likely = follower.knows_host or not search.is_passed_over(time.monotonic())
                if search.hasty and likely and isinstance(error, errors.Refused):
                    self._prefer(follower.next_place)
                if search.is_surprising(error):
                    self.queue.put(Disconnected(str(error)))
                if is_occupied(error, search.lost):
                    self._look_elsewhere()
                search.lost = error
                continue
            self._settled()
            moved = (search.moved or connection.host_key != self._host_key) and not is_on_engine(connection.card)
            came = connection.card, connection.welcome, connection.present, connection.host_id
            self.queue.put(Connected(*came, again=True, moved=moved))
            if fetch := self._incoming.resume(connection.welcome, connection.after, deaf=self.delivery.deaf):
                connection.link.send(encode(fetch))
            self.delivery.begin(connection.host_key, connection.welcome.files, timeline_of(connection.card))
            follower.begin(connection)
            self._host_key = connection.host_key
            return connection
        raise given_up(search.lost)
