"""Broadcasts what happens in a room to its sessions, and sends messages to a single one."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from lanchat.protocol import messages as wire
from lanchat.protocol.file_messages import FilePrivate
from lanchat.protocol.status import Status
from lanchat.room.crowd import is_lost_in_crowd
from lanchat.room.effects import Repeated, Reply
from lanchat.room.room import Room
from lanchat.server.acks import Acks
from lanchat.server.batch import Batch
from lanchat.server.crowd import CrowdDelivery
from lanchat.server.session import Session


class Broadcast(Collection[Session]):
    """The sessions of a room. Makes events happen and delivers them. Owned by the hub thread."""

    def __init__(self, room: Room, acks: Acks) -> None:
        self._room = room
        self._acks = acks
        self._crowd = CrowdDelivery(room)
        self._sessions: dict[Session, None] = {}  # a set that keeps its order
        self._observers: dict[Session, None] = {}  # those of the sessions whose `observe` is called

    def __iter__(self) -> Iterator[Session]:
        return iter(self._sessions)

    def __contains__(self, session: object) -> bool:
        return session in self._sessions

    def __len__(self) -> int:
        return len(self._sessions)

    def publish(self, draft: wire.Event, batch: Batch, session: Session | None = None) -> None:
        """Give an event its number, make it happen and deliver it.

        Args:
            session: the session whose command caused the event; None: no command did.
        """
        self.happen(wire.numbered(draft, self._room.seq + 1), batch, session)

    def happen(self, event: wire.Event, batch: Batch, session: Session | None = None) -> None:
        """Make an event happen, now that it has its number, and deliver it. For the arguments see `publish`."""
        was_crowd = self._room.crowd
        self._room.apply(event)
        if isinstance(event, wire.Said):  # nearly all
            if session is not None:
                self._deliver((event,), batch, session)
            else:
                batch.add((event,))
            return
        if was_crowd and is_lost_in_crowd(event):
            self._crowd.send_to_few(event, self, batch, session)
        else:
            if session is not None and not session.echoes:
                self._echo(session, session.echo(event), batch)
            batch.add((event,))
        if self._room.crowd != was_crowd:
            self._crowd.switch(self, batch)
        for observer in self._observers:
            if data := observer.observe(event):
                batch.insert(observer, data)

    def hear(self, session: Session, says: Iterable[wire.Say], batch: Batch) -> None:
        """Decide about messages to everyone and deliver them. They are most of what a hub handles, so it takes them in
        runs."""
        room, member = self._room, session.member
        if member is None:
            return  # the session has ended earlier in this batch
        says = list(says)
        if said := room.hear_all(member, says, batch.now):
            self._deliver(said, batch, session)
            return
        waiting, goes_on = iter(says), True
        while goes_on:
            said, decision = room.hear(member, waiting, batch.now)
            self._deliver(said, batch, session)
            if isinstance(decision, Repeated):
                self.repeat(decision.said, batch, session)
            elif isinstance(decision, Reply):
                self.send(session, decision.message, batch)
            goes_on = decision is not None

    def repeat(self, said: wire.Said, batch: Batch, session: Session) -> None:
        """Send the event of a message once more to the session that has resent the message."""
        self.send(session, said, batch)
        self._acks.wait(session, said.seq, said.seq)
        self.send_all(self._acks.due(), batch)

    def _deliver(self, said: Sequence[wire.Said], batch: Batch, session: Session) -> None:
        """Deliver messages of one session that have just happened. The session waits for their acks."""
        if not said:
            return
        if self._acks.trouble:
            self.send_all(self._acks.warn([session]), batch)
        self._acks.wait(session, said[0].seq, said[-1].seq)
        if session.echoes and not session.deaf:
            batch.add(said)
            return
        if session.echoes:  # a deaf session gets no messages, except its own
            for event in said:
                self.send(session, event, batch)
                batch.add((event,))
            return
        echoes = [session.echo(event) for event in said]
        if all(echo == b"" for echo in echoes):  # always, except with IRC
            batch.personal_for(session).skips.update(range(len(batch.events), len(batch.events) + len(said)))
            batch.add(said)
            return
        for event, echo in zip(said, echoes, strict=True):
            self._echo(session, echo, batch)
            batch.add((event,))

    def _echo(self, session: Session, echo: bytes | None, batch: Batch) -> None:
        """Give a session without `echoes` its own bytes in place of the next event of the batch, which it caused."""
        if echo is not None:
            batch.personal_for(session).skips.add(len(batch.events))
            if echo:
                batch.insert(session, echo)

    def publish_private(self, told: FilePrivate, batch: Batch) -> None:
        """Apply a change of a file for one person, and tell its sender and its recipient."""
        self._room.files.apply(told)
        batch.records.append(told)
        for session in self:
            if session.member is not None and session.member.id in (told.by, told.to):
                self.send(session, told, batch)

    def send(self, session: Session, message: wire.FromHost, batch: Batch) -> None:
        batch.insert(session, session.encode(message))

    def send_all(self, messages: Iterable[tuple[Session, wire.FromHost]], batch: Batch) -> None:
        for session, message in messages:
            self.send(session, message, batch)

    def send_to(self, to: str, message: wire.FromHost, batch: Batch) -> None:
        for session in self._sessions:
            if session.gets(to, message):
                self.send(session, message, batch)

    def announce(self, status: Status, batch: Batch) -> None:
        """Tell all sessions the new status of a member."""
        if self._room.crowd:
            self._crowd.send_status(status, self, batch)
        else:
            self.send_all([(session, status) for session in self._sessions], batch)
