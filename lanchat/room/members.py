"""The members who are in a room now, by key and nick, or by a nick that looks alike. Pure; owned by the room."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lanchat.protocol.confusables import skeletons
from lanchat.protocol.framing import encode
from lanchat.protocol.messages import Present
from lanchat.protocol.nicks import same_nick
from lanchat.protocol.status import Status

MAX_SESSIONS = 4  # of one member at once


@dataclass(eq=False, slots=True)
class Member:
    """A member of the room: one key under one nick. Owned by the room.

    A newcomer gets the line of each member, so that is made once, and again after a change.
    """

    id: str
    nick: str
    host: bool = False
    key: bytes = b""  # Ed25519, raw; a guest has none. The room hands it on and knows nothing of it
    sessions: int = 0  # at this host; changed by `enter` and `leave` alone
    web: bool = False  # in a browser
    bot: bool = False  # all sessions are those of programs
    away: str = ""  # the reason; "": they are not away
    copies: bool = False  # a computer of theirs follows as a standby
    _line: bytes = field(default=b"", init=False, repr=False)

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, "_line", b"")
        object.__setattr__(self, name, value)

    def enter(self) -> None:
        """Count one session more."""
        self.sessions += 1

    @property
    def has_too_many_sessions(self) -> bool:
        """Whether one of them is to end."""
        return self.sessions > MAX_SESSIONS

    def leave(self) -> bool:
        """Count one session less. Returns whether it was the last one."""
        self.sessions -= 1
        return self.sessions <= 0

    @property
    def present(self) -> Present:
        return Present(self.id, self.nick, self.host, self.key, self.web, self.bot, self.away)

    @property
    def line(self) -> bytes:
        """The encoded `present`."""
        if not self._line:
            self._line = bytes(memoryview(encode(self.present)))  # a copy, as those of the encoder take 1 KiB
        return self._line

    @property
    def status(self) -> Status:
        return Status(self.id, self.nick, self.away, self.bot)


class Members:
    """The members of a room. One key may be in it under several nicks."""

    def __init__(self) -> None:
        self._members: dict[tuple[str, str], Member] = {}  # by member id and `same_nick`
        self._looks: dict[str, Member] = {}  # by each skeleton of their nicks

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members.values())

    def get(self, id: str, nick: str) -> Member | None:
        return self._members.get((id, same_nick(nick)))

    def of(self, *ids: str) -> list[Member]:
        """The members with these ids, under whatever nick."""
        return [member for (id, _), member in self._members.items() if id in ids]

    def looks_like(self, skeleton: str) -> Member | None:
        """The member whose nick has this skeleton; None: nobody's has."""
        return self._looks.get(skeleton)

    def called(self, nick: str) -> Member | None:
        """The member with this nick, else the one whose nick looks like it; None: there is neither."""
        same = same_nick(nick)
        there = (member for (_, other), member in self._members.items() if other == same)
        return next(there, None) or next(filter(None, map(self._looks.get, skeletons(nick))), None)

    def add(self, member: Member) -> None:
        self._members[member.id, same_nick(member.nick)] = member
        for look in skeletons(member.nick):
            self._looks.setdefault(look, member)

    def remove(self, id: str, nick: str) -> Member | None:
        """Remove the member of this id and nick.

        Returns:
            That member; None: there was none.
        """
        member = self._members.pop((id, same_nick(nick)), None)
        if member is not None:
            for look in skeletons(member.nick):
                if self._looks.get(look) is member:
                    del self._looks[look]
        return member

    def clear(self) -> None:
        self._members.clear()
        self._looks.clear()


def lines_of(members: Iterable[Member]) -> list[bytes]:
    """The encoded `present` of each. To ask each for its `line` takes four times as long where it is known."""
    return [member._line or member.line for member in members]
