"""A member's own store on its disk: the history of the room, and the messages that are not sent yet."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from lanchat.errors import LanchatError
from lanchat.protocol.drafts import Talk
from lanchat.protocol.messages import Card, Got, Private, Record, Said
from lanchat.storage.history import HistoryWriter
from lanchat.storage.outbox import Outbox
from lanchat.storage.own_lines import Gaps, lines_of
from lanchat.storage.reached import read_reached
from lanchat.storage.reader import LogReader
from lanchat.storage.rooms import JOINED, LOG, joined_folder, log_paths
from lanchat.threads import now_ms

Records = Sequence[Record | Got]
Reach = Mapping[int, int] | None
Then = Callable[[], None] | None

SETTLE_LIMIT = 1.0  # s; leaving must feel immediate
SHOWN = 10_000  # private messages that are recognised if they come again in a later run


class MemberStore(Protocol):
    """The interface of a store, for the client. Only these wait for the disk: `close`, `was_shown`,
    `own_lines`, and the first `add_history` of a `PrivateStore` that stores something, which makes the folder."""

    held: bool  # whether what is `unsent` at first is sent only if the person says so
    keeps_unsent: bool  # whether what is unsent at the end goes out in a later run

    @property
    def unsent(self) -> tuple[Talk, ...]:
        """The messages to be sent, oldest first. Right after opening, these are the ones left by earlier runs."""

    @property
    def left_at(self) -> float:
        """When an earlier run last added to `unsent`, in s since 1970; 0: none has left anything."""

    @property
    def shown(self) -> Sequence[tuple[str, str]]:
        """Sender and id of the private messages that earlier runs have shown, oldest first; at most SHOWN."""

    def was_shown(self, sender: str, id: str) -> bool:
        """Whether the history says that this private message was shown."""

    def own_lines(self, me: str, since: int, gaps: Gaps) -> Sequence[Said]:
        """What this member has said since a time, in ms since 1970, with numbers in these gaps."""

    def add_unsent(self, message: Talk) -> None:
        """Store a message until it is acknowledged. It replaces one with the same id.

        Raises:
            LanchatError: too many are waiting already. This one is not stored, and must not be sent.
        """

    def remove_unsent(self, ids: Iterable[str]) -> None:
        """Delete messages that were acknowledged, or that the host refused."""

    def add_history(self, records: Records, reached: Reach = None, then: Then = None) -> None:
        """Add records to the history of the room. A `Got` marks a private message in it as shown.

        Args:
            reached: how far it reaches with these; see `storage.reached`. None: as far as before.
            then: called once these are stored, or cannot be, from any thread; see `HistoryWriter.add`.
        """

    def settle(self) -> None:
        """Wait a moment until each `then` was called, if they can be."""

    def close(self) -> None:
        """Write everything that waits, then stop. May be called twice."""


class NoStore:
    """A store that stores nothing, for an ephemeral room."""

    held = keeps_unsent = False
    shown: Sequence[tuple[str, str]] = ()

    @property
    def unsent(self) -> tuple[Talk, ...]:
        return ()

    @property
    def left_at(self) -> float:
        return 0.0

    def was_shown(self, sender: str, id: str) -> bool:
        return False

    def own_lines(self, me: str, since: int, gaps: Gaps) -> Sequence[Said]:
        return ()

    def add_unsent(self, message: Talk) -> None:
        pass

    def remove_unsent(self, ids: Iterable[str]) -> None:
        pass

    def add_history(self, records: Records, reached: Reach = None, then: Then = None) -> None:
        if then is not None:
            then()

    def settle(self) -> None:
        pass

    def close(self) -> None:
        pass


class _OnDisk:
    """What the stores of a room on this disk have in common: they know what earlier runs have shown."""

    def __init__(self, home: Path, card: Card) -> None:
        self._home = home
        self._card = card
        self.shown = self._read_shown()

    def was_shown(self, sender: str, id: str) -> bool:
        try:
            return any(LogReader(path).was_shown(sender, id) for path in self._logs())
        except LanchatError:
            return False

    def own_lines(self, me: str, since: int, gaps: Gaps) -> Sequence[Said]:
        paths = log_paths(self._home, self._card.room)
        return [said for path in paths for said in lines_of(path, me, since, gaps)]

    def _read_shown(self) -> Sequence[tuple[str, str]]:
        try:
            return [known for path in self._logs() for known in LogReader(path).shown_private(SHOWN)]
        except LanchatError:
            return ()  # the writer will repair the file; until then a message may be shown a second time

    def _logs(self) -> list[Path]:
        return log_paths(self._home, self._card.room, JOINED)


class _WithOutbox:
    """What the stores have in common that leave unsent messages to a later run."""

    keeps_unsent = True
    _outbox: Outbox

    @property
    def unsent(self) -> tuple[Talk, ...]:
        return self._outbox.unsent

    @property
    def left_at(self) -> float:
        return self._outbox.left_at

    def add_unsent(self, message: Talk) -> None:
        self._outbox.add(message)

    def remove_unsent(self, ids: Iterable[str]) -> None:
        self._outbox.remove(ids)


class _WithHistory:
    """What the stores have in common that add everything to a history from the start."""

    _history: HistoryWriter

    def add_history(self, records: Records, reached: Reach = None, then: Then = None) -> None:
        self._history.add(records, reached, then)

    def settle(self) -> None:
        self._history.settle(SETTLE_LIMIT)


class PrivateStore(_OnDisk, NoStore):
    """The store of the host's own member: only private messages, because everything else is in the room's log.

    Args:
        card: of the room.
        on_trouble: called with a sentence when the folder cannot be written; else as for `HistoryWriter`.
    """

    def __init__(self, home: Path, card: Card, on_trouble: Callable[[str], None]) -> None:
        super().__init__(home, card)
        self._on_trouble = on_trouble
        self._history: HistoryWriter | None = None  # made with the first private message; most hosts have none

    def add_history(self, records: Records, reached: Reach = None, then: Then = None) -> None:
        private = [record for record in records if isinstance(record, Private | Got)]
        if not private:
            return super().add_history(records, reached, then)
        if self._history is None:
            try:
                self._history = HistoryWriter(_folder(self._home, self._card), self._on_trouble)
            except (LanchatError, RuntimeError) as error:  # no folder, or no thread is left
                self._on_trouble(f"Private messages are not stored. {error}")
                return super().add_history(records, reached, then)
        self._history.add(private, then=then)

    def settle(self) -> None:
        if self._history is not None:
            self._history.settle(SETTLE_LIMIT)

    def close(self) -> None:
        if self._history is not None:
            self._history.close()


class EngineStore(_WithOutbox, PrivateStore):
    """The store of the host's own member in a room on an engine: also what the engine has not taken yet.

    The arguments are those of `PrivateStore`.

    Raises:
        LanchatError: the folder cannot be written.
    """

    def __init__(self, home: Path, card: Card, on_trouble: Callable[[str], None]) -> None:
        super().__init__(home, card, on_trouble)
        self._outbox = Outbox(_folder(home, card))
        if self._outbox.trouble:
            on_trouble(self._outbox.trouble)

    def close(self) -> None:
        super().close()
        self._outbox.close()


class HistoryStore(_WithHistory, _OnDisk, NoStore):
    """The store of a program that sends nothing of earlier runs and leaves nothing to a later one: only the history.

    The arguments are those of `DiskStore`.
    """

    def __init__(self, home: Path, card: Card, on_trouble: Callable[[str], None]) -> None:
        super().__init__(home, card)
        self._history = HistoryWriter(_folder(home, card), on_trouble)

    def close(self) -> None:
        self._history.close()


class DiskStore(_WithHistory, _WithOutbox, _OnDisk):
    """The store of a member in somebody else's room, in `LANCHAT_HOME/seen/ID`.

    Args:
        card: of the room.
        on_trouble: as for `HistoryWriter`.
        hold_after: hold what was left longer ago than this, in s; None: hold nothing.

    Raises:
        LanchatError: the folder cannot be written.
    """

    def __init__(
        self, home: Path, card: Card, on_trouble: Callable[[str], None], hold_after: float | None = None
    ) -> None:
        folder = _folder(home, card)
        super().__init__(home, card)
        self.reached = read_reached(folder / LOG)  # by earlier runs
        self._outbox = Outbox(folder)
        self.held = hold_after is not None and 0 < self.left_at < time.time() - hold_after
        try:
            self._history = HistoryWriter(folder, on_trouble)
        except BaseException:
            self._outbox.close()
            raise
        if self._outbox.trouble:
            on_trouble(self._outbox.trouble)

    def close(self) -> None:
        self._history.close()
        self._outbox.close()


def _folder(home: Path, card: Card) -> Path:
    return joined_folder(home, card.room, card.title, now_ms())
