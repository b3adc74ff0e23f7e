"""What a host tells members about a crowd: a count of the people in place of notices about each of them."""

from collections.abc import Iterable

from lanchat.protocol.messages import Event, FromHost, Renamed
from lanchat.protocol.people import Crowd, PeopleEnd
from lanchat.protocol.status import Status
from lanchat.room.room import Room
from lanchat.server.batch import Batch
from lanchat.server.session import Dialect, Session

COUNT_EVERY = 5000  # ms; a count for 1,000 members is 200 lines a second then, and nobody needs it fresher


class CrowdDelivery:
    """Tells the sessions of a room how many people are in it while they are a crowd. Owned by the hub thread."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._announced = 0  # the count that everybody has been told last
        self._announced_at = 0  # ms since 1970

    def send_to_few(self, event: Event, sessions: Iterable[Session], batch: Batch, cause: Session | None) -> None:
        """Deliver an event that most sessions do not get in a crowd. The log stores it as it stores every event.

        Args:
            cause: the session whose command caused it.
        """
        batch.records.append(event)
        for session in sessions:
            if session.member is None or not (
                session.sees_all or session.follows or (session.member.id, session.member.nick) == _whose(event)
            ):
                continue
            echo = session.echo(event) if session is cause and not session.echoes else None
            batch.insert(session, session.encode(event) if echo is None else echo)

    def send_status(self, status: Status, sessions: Iterable[Session], batch: Batch) -> None:
        """Deliver the status of one person to the sessions that are told about each person, and to their own."""
        for session in sessions:
            if session.sees_all or (session.member is not None and session.member.id == status.by):
                batch.insert(session, session.encode(status))

    def switch(self, sessions: Iterable[Session], batch: Batch) -> None:
        """Tell everybody that the room has become a crowd, or is no crowd any more."""
        if self._room.crowd:
            self._send_count(sessions, batch)
            return
        members = self._room.members
        _send_all(sessions, [Crowd(), *(member.present for member in members), PeopleEnd()], batch)

    def count(self, sessions: Iterable[Session], batch: Batch) -> None:
        """Tell everybody how many people are here, if that is due."""
        if self.has_changed and not 0 <= batch.now - self._announced_at < COUNT_EVERY:
            self._send_count(sessions, batch)

    @property
    def has_changed(self) -> bool:
        """Whether the count has changed since everybody was told."""
        return self._room.crowd and self._room.people != self._announced

    def _send_count(self, sessions: Iterable[Session], batch: Batch) -> None:
        self._announced, self._announced_at = self._room.people, batch.now
        _send_all(sessions, [Crowd(self._announced)], batch)


def _whose(event: Event) -> tuple[str, str]:
    """The member id and the nick, after the event, of the person that it is about."""
    return event.by, event.to if isinstance(event, Renamed) else event.nick


def _send_all(sessions: Iterable[Session], messages: list[FromHost], batch: Batch) -> None:
    """Tell every session that is not told about each person, with bytes made once for each dialect."""
    encoded: dict[Dialect, bytes] = {}
    for session in sessions:
        if session.sees_all:
            continue
        if session.dialect not in encoded:
            encoded[session.dialect] = b"".join(map(session.dialect.encode, messages))
        batch.insert(session, encoded[session.dialect])
