"""What a member keeps on its own disk: a copy of what it has seen, and what it said that no host has kept yet."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from lanchat.errors import LanchatError
from lanchat.protocol.messages import Card, Record, Talk, Told
from lanchat.storage.history import HistoryWriter
from lanchat.storage.outbox import Outbox
from lanchat.storage.rooms import joined_folder


class MemberStore(Protocol):
    @property
    def waiting(self) -> tuple[Talk, ...]:
        """What earlier lanchats of ours said in this room and left behind, killed or out of patience."""

    def say(self, say: Talk) -> None:
        """Keep this until it is acknowledged. Never waits."""

    def acknowledged(self, ids: Iterable[str]) -> None: ...

    def heard(self, records: Sequence[Record]) -> None:
        """Keep a copy of these. Never waits."""

    def close(self) -> None: ...


class NoStore:
    """For whoever wants nothing kept."""

    waiting: tuple[Talk, ...] = ()

    def say(self, say: Talk) -> None:
        pass

    def acknowledged(self, ids: Iterable[str]) -> None:
        pass

    def heard(self, records: Sequence[Record]) -> None:
        pass

    def close(self) -> None:
        pass


class PrivateStore(NoStore):
    """For who hosts: the room's log has all but their own private messages.

    Args:
        card: of the room.
        on_trouble: as for `Seen`; told, too, when the folder cannot be written.
    """

    def __init__(self, home: Path, card: Card, on_trouble: Callable[[str], None]) -> None:
        self._home = home
        self._card = card
        self._on_trouble = on_trouble
        self._seen: HistoryWriter | None = (
            None  # once there is one; whoever hosts and never whispers needs no such folder
        )

    def heard(self, records: Sequence[Record]) -> None:
        letters = [record for record in records if isinstance(record, Told)]
        if not letters:
            return
        if self._seen is None:
            try:
                self._seen = HistoryWriter(_folder(self._home, self._card), self._on_trouble)
            except LanchatError as error:
                self._on_trouble(f"what is told in private is not kept: {error}")
                return
        self._seen.add(letters)

    def close(self) -> None:
        if self._seen is not None:
            self._seen.close()


class DiskStore:
    """Of one room, in `LANCHAT_HOME/seen/ID`.

    Raises:
        LanchatError: the folder cannot be written.
    """

    def __init__(self, home: Path, card: Card, on_trouble: Callable[[str], None]) -> None:
        folder = _folder(home, card)
        self._outbox = Outbox(folder)
        self._seen = HistoryWriter(folder, on_trouble)

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


def _folder(home: Path, card: Card) -> Path:
    return joined_folder(home, card.room, card.title, time.time_ns() // 1_000_000)
