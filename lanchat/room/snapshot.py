"""The state of a room for a new session, as it was just before the first live event. Pure."""

from dataclasses import dataclass

from lanchat.protocol.messages import Event, Present, Private, Welcome
from lanchat.room.crowd import is_lost_in_crowd
from lanchat.room.members import Member
from lanchat.room.room import Room


@dataclass(frozen=True)
class Snapshot:
    """Everything that a session gets first, in this order."""

    welcome: Welcome
    people: tuple[Member, ...]  # as they are until the next change of the room
    past: tuple[Event, ...]
    private: tuple[Private, ...]  # private messages and offers of files that wait for this member

    @property
    def present(self) -> tuple[Present, ...]:
        return tuple(member.present for member in self.people)


def take_snapshot(room: Room, id: str, nick: str, after: int, stored: int, *, everybody: bool = False) -> Snapshot:
    """Take the snapshot for a session of this member, before the session's `joined` is applied.

    Args:
        after: the last seq that this member has; -1 for a newcomer.
        stored: everything up to this seq is on the host's disk.
        everybody: list everybody, in a crowd as well. Otherwise the host and this member are enough there.
    """
    past, since = room.recent.since(after)
    crowd = room.crowd and not everybody
    here = tuple(room.members.of(room.host_id, id) if crowd else room.members)
    people = room.people + (room.members.get(id, nick) is None) if crowd else 0
    if crowd:
        past = tuple(event for event in past if not is_lost_in_crowd(event))
    welcome = Welcome(id, nick, room.seq, stored, len(here), since, room.files.largest, room.topic, people)
    return Snapshot(welcome, here, past, (*room.private.waiting(id), *room.files.waiting(id)))
