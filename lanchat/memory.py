"""What a member keeps on its own disk: a copy of what it has seen, and what it said that no host has kept yet."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from lanchat.protocol.messages import Card, Record, Talk
from lanchat.room.folder import seen_folder
from lanchat.room.outbox import Outbox
from lanchat.room.seen import Seen


class Memory(Protocol):
    @property
    def waiting(self) -> tuple[Talk, ...]:
        """What earlier lanchats of ours said in this room and left behind, killed or out of patience."""

    def say(self, say: Talk) -> None:
        """Keep this until it is acknowledged. Never waits."""

    def acknowledged(self, ids: Iterable[str]) -> None: ...

    def heard(self, records: Sequence[Record]) -> None:
        """Keep a copy of these. Never waits."""

    def close(self) -> None: ...


class NoMemory:
    """For the room's own host, whose log has it all; and for whoever wants nothing kept."""

    waiting: tuple[Talk, ...] = ()

    def say(self, say: Talk) -> None:
        pass

    def acknowledged(self, ids: Iterable[str]) -> None:
        pass

    def heard(self, records: Sequence[Record]) -> None:
        pass

    def close(self) -> None:
        pass


class DiskMemory:
    """Of one room, in `LANCHAT_HOME/seen/ID`.

    Raises:
        LanchatError: the folder cannot be written.
    """

    def __init__(self, home: Path, card: Card, on_trouble: Callable[[str], None]) -> None:
        folder = seen_folder(home, card.room, card.title, time.time_ns() // 1_000_000)
        self._outbox = Outbox(folder)
        self._seen = Seen(folder, on_trouble)

    @property
    def waiting(self) -> tuple[Talk, ...]:
        return self._outbox.waiting

    def say(self, say: Talk) -> None:
        self._outbox.add(say)

    def acknowledged(self, ids: Iterable[str]) -> None:
        self._outbox.done(ids)

    def heard(self, records: Sequence[Record]) -> None:
        self._seen.add(records)

    def close(self) -> None:
        self._seen.close()
        self._outbox.close()
