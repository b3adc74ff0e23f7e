"""Hands each message that arrives over a link to the part of the member that it is for."""

import threading
from collections.abc import Callable, Iterable, Sequence

from lanchat.client.connect import Connection
from lanchat.client.delivery import Delivery
from lanchat.client.events import Acked, Private, PrivateFile
from lanchat.client.follower import Follower
from lanchat.client.listing import PeopleListing
from lanchat.client.private import opened
from lanchat.client.queue import EventQueue
from lanchat.client.receiving import Incoming, check_host
from lanchat.client.transfer import Transfers
from lanchat.protocol import messages as wire
from lanchat.protocol.closings import farewell
from lanchat.protocol.file_messages import FileEnd, FileEntry, FilePrivate, FileRefused, FileTicket
from lanchat.protocol.framing import encode
from lanchat.protocol.people import Crowd, Owner, PeopleEnd
from lanchat.protocol.sealed import Sealer
from lanchat.protocol.status import Status
from lanchat.storage.member_store import MemberStore

_EVENTS = wire.Event.__args__


class Inbound:
    """Owned by the reader thread, except for `confirm`.

    Args:
        me: our member id.
        incoming: knows what has come before.
        follower: gets everything, too, so that a standby has what the host has.
        renamed: called with our nick and the new one when somebody of our key has changed it.
    """

    def __init__(
        self,
        me: str,
        incoming: Incoming,
        queue: EventQueue,
        store: MemberStore,
        delivery: Delivery,
        transfers: Transfers,
        sealer: Sealer,
        follower: Follower,
        renamed: Callable[[str, str], None],
    ) -> None:
        self._me = me
        self._incoming = incoming
        self._queue = queue
        self._store = store
        self._delivery = delivery
        self._transfers = transfers
        self._sealer = sealer
        self._follower = follower
        self._renamed = renamed
        self._listing = PeopleListing()
        self._confirming = threading.Lock()  # guards what private messages are confirmed

    def confirm(self, private: Iterable[Private]) -> None:
        """These private messages and files have been shown, so they need not come again. Any thread.

        The host hears of it once they are in our history, as far as they are to be there: it keeps none after that, and
        a program that was killed, or whose disk was slow, would have none either.
        """
        shown = list(private)
        if stored := [wire.Got(message.by, message.id) for message in shown if not message.problem]:
            self._store.add_history(stored, then=lambda: self._confirm(shown))
        else:
            self._confirm(shown)

    def _confirm(self, shown: Sequence[Private]) -> None:
        with self._confirming:
            for message in shown:
                if isinstance(message, PrivateFile):
                    self._incoming.files.confirm(message)
                else:
                    self._incoming.private.confirm(message)
        self._delivery.confirm([message for message in shown if message.by != self._me])

    def receive_all(self, messages: list[wire.FromHost], connection: Connection) -> None:
        """Handle the messages that one read brought. Events that follow each other are passed on together."""
        events: list[wire.Event] = []
        try:
            for message in messages:
                if isinstance(message, _EVENTS):
                    self._follower.event(message)
                    if isinstance(message, wire.Said) and message.by == self._me:
                        self._delivery.heard(message)
                    elif isinstance(message, wire.Joined) and message.seq > connection.welcome.seq:
                        check_host(message, connection.host_id)  # earlier ones are of earlier hosts, too
                    events += self._incoming.take(message)
                    if self._incoming.wanted is not None:
                        connection.link.send(encode(self._incoming.wanted))
                        self._incoming.wanted = None
                else:
                    self._pass_on(events)
                    events = []
                    self._receive(message, connection)
        finally:
            self._pass_on(events)
        if self._incoming.renumbered:
            self._store.add_history(self._incoming.renumbered, self._incoming.positions)
            self._incoming.renumbered = []
        self._follower.settle()

    def _receive(self, message: wire.FromHost, connection: Connection) -> None:
        link = connection.link
        match message:
            case wire.Ping():
                link.send(encode(wire.Pong()))
            case wire.Ack(seq=seq):
                if ids := self._delivery.acknowledged(seq):
                    self._queue.put(Acked(ids))
            case wire.Present():
                check_host(message, connection.host_id)
                self._listing.add(message)
            case Crowd() | PeopleEnd():
                if (item := self._listing.take(message)) is not None:
                    self._follower.cluster.crowd(item)
                    self._queue.put(item)
            case wire.Closing():
                raise farewell(message)
            case wire.Page() if self._incoming.filling:
                fetch, events = self._incoming.page(message)
                self._pass_on(events)
                if fetch is not None:
                    link.send(encode(fetch))
            case wire.Told(number=0):
                self._receive_private(message)
            case FilePrivate():
                self._receive_file(message)
            case Owner():
                self._queue.put_all(self._transfers.receive(message))
                if notice := self._delivery.resolved(message):
                    self._queue.put(notice)
            case wire.Receipt():
                self._transfers.receive(message)
                if self._delivery.settled(message):
                    if message.code != "refused":
                        self._queue.put(Acked((message.id,), message.code))
                    if message.text:
                        self._queue.put(wire.Notice(message.code, message.text))
            case wire.Notice(code="slow") if self._delivery.is_saying_again:
                pass  # our person has not said so much at once
            case wire.Notice() | Status():
                self._queue.put(message)
            case FileTicket() | FileRefused() | FileEntry() | FileEnd():
                self._queue.put_all(self._transfers.receive(message))
            case _:
                self._follower.receive(message)

    def _receive_private(self, told: wire.Told) -> None:
        message = opened(told, self._sealer)
        with self._confirming:
            new, confirmed = self._incoming.private.arrived(message, self._store.was_shown)
        self._delivery.heard_private(told)
        self._delivery.confirm([message] if confirmed else [])  # shown before, which the host does not know
        if new:
            if not message.problem:  # so that a host cannot fill our disk with made-up ones
                self._store.add_history([told])
            self._queue.put(message)

    def _receive_file(self, told: FilePrivate) -> None:
        file = self._transfers.offers.opened(told)
        with self._confirming:
            new, confirmed = self._incoming.files.arrived(file, self._store.was_shown)
        self._delivery.confirm([file] if confirmed and file.by != self._me else [])
        if new:
            if not file.problem and file.state != "removed":
                self._store.add_history([told])
            self._queue.put(file)

    def _pass_on(self, events: list[wire.Event]) -> None:
        if not events:
            return
        self._store.add_history(events, self._incoming.positions)
        for event in events:
            if isinstance(event, wire.Renamed) and event.by == self._me:
                self._renamed(event.nick, event.to)
        self._queue.put_all(events)
