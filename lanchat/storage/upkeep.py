"""What a log does in quiet moments: it indexes new messages and deletes old entries."""

import logging
import math
import time

from lanchat.protocol.limits import MAILBOX_AGE, MAILBOX_KNOWN
from lanchat.storage.indexing import STEP
from lanchat.storage.log_state import LogState
from lanchat.storage.problems import FAILURES, in_words
from lanchat.storage.retention import Retention
from lanchat.storage.store import Store

INDEX_AFTER = 1.0  # s of quiet, after which new messages are added to the full-text index
INDEX_LIMIT = 100_000  # new messages, which are indexed even without a quiet moment; a search reads them in 0.25 s
CLOSE_LIMIT = 0.2  # s that a log that closes indexes; the next run does the rest
PRUNE_EVERY = 600.0  # s
_NEVER = math.inf

_log = logging.getLogger(__name__)


class Upkeep:
    """Owned by the thread of the log.

    Args:
        keep: older or surplus entries are pruned periodically.
        now: ms since 1970. Later times are counted from it, so that a clock that jumps makes no entry old.
    """

    def __init__(self, keep: Retention, now: int) -> None:
        self._keep = keep
        self._started = now, time.monotonic()
        self._entries = self._unindexed = 0
        self._prune_at = time.monotonic()
        self._index_at = _NEVER

    def begin(self, store: Store, state: LogState) -> None:
        """The log was opened, and holds this."""
        self._entries = store.pruning.entries if self._keep.entries is not None else 0  # else nobody asks for it
        self._unindexed = state.unindexed
        self._index_at = time.monotonic() + INDEX_AFTER if self._unindexed else _NEVER

    def added(self, number: int) -> None:
        """So many events were stored."""
        self._entries += number
        self._unindexed += number
        self._index_at = time.monotonic() + INDEX_AFTER

    @property
    def pause(self) -> float:
        """Seconds until there is something to do."""
        return max(0.0, min(self._prune_at, self._index_at) - time.monotonic())

    @property
    def is_behind(self) -> bool:
        """Whether so much is not indexed that it cannot wait for a quiet moment."""
        return self._unindexed > INDEX_LIMIT

    def tidy(self, store: Store | None, *, closing: bool) -> None:
        """Do what is due. If the log closes, index most of what is new, so that a search has less to read.

        Args:
            store: None: it cannot be used now.
        """
        now = time.monotonic()
        if store is None:
            self._index_at, self._prune_at = _NEVER, now + PRUNE_EVERY
        elif closing:
            while self._unindexed and time.monotonic() < now + CLOSE_LIMIT:
                self.index(store)
        elif now >= self._index_at:
            self.index(store)
        elif now >= self._prune_at and not self._prune(store):
            self._prune_at = now + PRUNE_EVERY

    def index(self, store: Store) -> None:
        """Index some messages. The step is small, because new records wait for it."""
        try:
            more = store.indexing.step()
        except FAILURES as error:
            _log.warning("cannot index messages: %s", in_words(error))
            more = False
        self._unindexed = max(STEP, self._unindexed - STEP) if more else 0
        self._index_at = self._index_at if more else _NEVER

    def _prune(self, store: Store) -> bool:
        """Delete some old entries. Returns whether there may be more to delete."""
        began_wall, began = self._started
        now = began_wall + int((time.monotonic() - began) * 1000)
        try:
            gone, more = store.pruning.drop_uncovered(self._keep, self._entries, now)
            if not more:
                store.pruning.drop_delivered(MAILBOX_KNOWN, before=now - MAILBOX_AGE)
        except FAILURES as error:
            _log.warning("cannot delete old events: %s", in_words(error))
            return False
        self._entries -= gone
        return more
