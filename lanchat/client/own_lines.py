"""Our own lines that a host has numbered, and which of them another host lacks. Pure.

When a room was split, the host of each half has numbered messages that the other's log does not have. Each author
resends those of their own messages that the timeline of the host does not cover, with their old ids. Nobody resends
those of others, so a merge can forge nothing.
"""

from collections.abc import Callable, Iterable, Sequence

from lanchat.protocol.limits import LATE_AGE, SAID_AGAIN, memory_of
from lanchat.protocol.messages import Said, Say
from lanchat.protocol.timeline import Timeline

HELD = 1000  # lines kept in memory, because the disk may not have them yet, or never
HELD_SIZE = 4 * 1024 * 1024  # bytes of memory of their texts, at most

Stored = Callable[[int, Sequence[tuple[int, int]]], Iterable[Said]]


class OwnLines:
    """Owned by the thread that reads the link."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Said, int]] = {}  # by id, with the time at which we heard it; oldest first
        self._size = 0  # of their texts
        self._epoch = -1  # of the last host
        self._missing: dict[str, Say] = {}  # what it lacks, by id; oldest first

    def heard(self, said: Said, now: int) -> None:
        """A host has sent back one of our lines, with its number.

        Args:
            now: ms since 1970, by our own clock, which may differ from the one in the message.
        """
        before, _ = self._held.pop(said.id, (None, 0))
        self._missing.pop(said.id, None)
        self._held[said.id] = said, now
        self._size += memory_of(said.text) - (memory_of(before.text) if before is not None else 0)
        while len(self._held) > HELD or self._size > HELD_SIZE:
            oldest, _ = self._held.pop(next(iter(self._held)))
            self._size -= memory_of(oldest.text)

    def lacking(self, timeline: Timeline | None, stored: Stored, now: int) -> list[Say]:
        """The messages that we have to resend to this host, in order.

        Args:
            timeline: of the host; None: it shows none, and so has everything that it has acknowledged.
            stored: returns our lines on the disk that were said since a time, with numbers between those of a pair.
        """
        if timeline is None:
            return []
        if timeline.epoch != self._epoch:
            self._epoch = timeline.epoch
            self._missing = {said.id: _again(said) for said in self._not_in(timeline, stored, now - LATE_AGE)}
        return [*self._missing.values()]

    def _not_in(self, timeline: Timeline, stored: Stored, since: int) -> list[Said]:
        lines = {said.id: said for said in stored(since, timeline.gaps)}
        lines |= {id: said for id, (said, heard_at) in self._held.items() if heard_at >= since}  # with later numbers
        lacking = [said for said in lines.values() if said.id and not timeline.covers(said.seq)]
        return sorted(lacking, key=lambda said: said.seq)[-SAID_AGAIN:]


def _again(said: Said) -> Say:
    return Say(said.id, said.text, said.action, again=True, at=said.at)
