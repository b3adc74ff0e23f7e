"""What goes along with a room's events to IRC clients alone, because the room does not know it. Pure."""

from collections.abc import Mapping

from lanchat.protocol.irc.line import tags_of

_KEPT = 1000  # of the latest; an event is encoded in the batch that publishes it, so that few are needed


class Extras:
    """Tags of clients, and who has left the channel and not the server. Owned by the hub thread."""

    def __init__(self) -> None:
        self._tags: dict[tuple[str, str], str] = {}
        self._parted: dict[str, str] = {}

    def note_tags(self, by: str, id: str, tags: Mapping[str, str]) -> None:
        """The message of this id will have these tags of its client, each of which begins with a plus sign."""
        self._tags[by, id] = f"{tags_of(tags).decode()};"
        if len(self._tags) > _KEPT:
            del self._tags[next(iter(self._tags))]

    def tags(self, by: str, id: str) -> str:
        """The tags of a message, each with a semicolon after it; "": it has none."""
        return self._tags.get((by, id), "")

    def note_part(self, id: str, reason: str) -> None:
        """This guest leaves the channel only, for this reason."""
        self._parted[id] = reason

    def forget_part(self, id: str) -> None:
        """This guest comes back, or leaves altogether."""
        self._parted.pop(id, None)

    def part(self, id: str) -> str | None:
        """The reason of a guest who leaves the channel only; None: they leave altogether."""
        return self._parted.get(id)


NO_EXTRAS = Extras()
