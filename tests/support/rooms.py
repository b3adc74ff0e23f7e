"""A room without a hub: what it decides happens at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lanchat.protocol.messages import Command, Event, Joined, Left, Present, Private, Refused, Told, Welcome, numbered
from lanchat.protocol.padding import OVERHEAD, SIZES
from lanchat.room.effects import Decision, SaveAccess
from lanchat.room.members import Member
from lanchat.room.room import Room
from lanchat.room.snapshot import take_snapshot


@dataclass(frozen=True)
class Entry:
    """What somebody who was let in gets, and what the others hear of it."""

    member: Member
    welcome: Welcome
    present: tuple[Present, ...]
    past: tuple[Event, ...]
    private: tuple[Private, ...]
    joined: Joined | None  # None: they were in the room already


class LiveRoom(Room):
    """Numbers and applies its own decisions, as a hub with a log of its own does."""

    def come(self, nick: str, id: str = "", after: int = -1, now: int = 0, key: bytes = b"") -> Entry | Refused:
        """Somebody comes in; the id of ann is "id-ann" unless given."""
        id = id or f"id-{nick}"
        decision = self.join(id, nick, now, key)
        if isinstance(decision, Refused):
            return decision
        snapshot = take_snapshot(self, id, decision.nick, after, self.seq)
        joined = self._happen(decision) if isinstance(decision, Joined) else None
        member = self.member(id, decision.nick)
        member.enter()
        return Entry(member, snapshot.welcome, snapshot.present, snapshot.past, snapshot.private, joined)

    def act(self, member: Member, command: Command, now: int = 0) -> Sequence[Any]:
        """The decisions about a command; events among them have happened."""
        return [self._happen(decision) for decision in self.decide(member, command, now)]

    def go(self, member: Member, now: int = 0, *, code: str = "", reason: str = "") -> Left | None:
        """One session of this member ends."""
        left = self.leave(member, now, code=code, reason=reason)
        return left and self._happen(left)

    def _happen(self, decision: Decision) -> Any:
        if isinstance(decision, Event):
            self.apply(numbered(decision, self.seq + 1))
        elif isinstance(decision, SaveAccess):
            self.access.change(decision.bans, decision.locked)
        return decision


def box(text: str = "psst", size: int = SIZES[0]) -> bytes:
    """What stands for a sealed text, which the room does not look into."""
    return text.encode().ljust(size + OVERHEAD, b"\0")


def copy(text: str = "psst", size: int = SIZES[0]) -> bytes:
    """The same for the sender's own sessions."""
    return box(f"copy of {text}", size)


def boxed(told: Told) -> str:
    """The text that `box` was given."""
    return told.box.rstrip(b"\0").decode()


def room_with(*nicks: str, **options: Any) -> Any:
    """A room where these came in one after the other, and they. The id of ann is "id-ann", and hal hosts."""
    room = LiveRoom("5" * 32, "Room A", "id-hal", **options)
    return room, *(admit(room, nick).member for nick in nicks)


def admit(room: LiveRoom, nick: str, id: str = "", after: int = -1, now: int = 0, key: bytes = b"") -> Entry:
    entry = room.come(nick, id, after, now, key)
    assert isinstance(entry, Entry), entry
    return entry


def refused(room: LiveRoom, nick: str, id: str = "") -> Refused:
    outcome = room.come(nick, id)
    assert isinstance(outcome, Refused), outcome
    return outcome
