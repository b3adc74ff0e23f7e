"""The members who are in a room now, by key and nick, or by a nick that looks alike. Pure; owned by the room."""

from collections.abc import Iterator, Sequence

from lanchat.protocol.confusables import skeletons
from lanchat.protocol.messages import Notice
from lanchat.protocol.nicks import same_nick
from lanchat.protocol.status import clean_away
from lanchat.room.effects import Announce, Decision, Member, Reply


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


def set_away(member: Member, text: str) -> Sequence[Decision]:
    """Decide about a member who says that they are away, and why; "": that they are back."""
    try:
        text = clean_away(text)
    except ValueError as error:
        return [Reply(Notice("rules", str(error)))]
    if text == member.away:
        return []
    member.away = text
    return [Announce(member.status)]
