"""What waits for the disk of a host: records of the log, and values of the room's state. The hub adds, the log thread
stores."""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lanchat.protocol.messages import Record
from lanchat.storage.memory import waiting_size_of_all

TRANSACTION = 1000  # records in one transaction; with more the first of them would wait for the last
WAITING_LIMIT = 32 * 1024 * 1024  # bytes of memory for records that the disk does not take: some 55,000 messages


class Portion:
    """Records that were appended together."""

    __slots__ = ("records", "size")

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.size = waiting_size_of_all(records)  # bytes of memory


@dataclass(frozen=True)
class Transaction:
    """What the log thread stores in one transaction.

    Args:
        values: of the room's state, by name.
        closing: whether the log is to be closed.
    """

    portions: list[Portion]
    values: dict[str, bytes]
    closing: bool

    @property
    def records(self) -> list[Record]:
        return [record for portion in self.portions for record in portion.records]


class Waiting:
    """The queue between the hub and the log thread. For any thread; only `take` and `pause` wait."""

    def __init__(self) -> None:
        self._portions: deque[Portion] = deque()
        self._values: dict[str, bytes] = {}
        self._size = 0  # bytes of memory that _portions takes
        self._closing = False
        self._changed = threading.Condition()  # guards all of these

    @property
    def full(self) -> bool:
        return self._size > WAITING_LIMIT

    @property
    def records(self) -> list[Record]:
        """All records that wait, in order, those that are being stored at this moment among them."""
        with self._changed:
            return [record for portion in self._portions for record in portion.records]

    def add(self, records: Sequence[Record]) -> None:
        """Add records, without waking the log thread."""
        portions = [Portion(records[at : at + TRANSACTION]) for at in range(0, len(records), TRANSACTION)]
        with self._changed:
            self._portions.extend(portions)
            self._size += sum(portion.size for portion in portions)

    def set_values(self, values: Mapping[str, bytes]) -> None:
        """Add values, which take the place of those with the same names, and wake the log thread."""
        with self._changed:
            self._values |= values
            self._changed.notify()

    def wake(self) -> None:
        with self._changed:
            self._changed.notify()

    def close(self) -> None:
        """Wake the log thread for the last time."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def take(self, pause: float) -> Transaction:
        """Wait, at most this many seconds, until there is something to store. It stays here until `stored`."""
        with self._changed:
            self._changed.wait_for(lambda: self._portions or self._values or self._closing, pause)
            return Transaction(self._first(), dict(self._values), self._closing)

    def stored(self, transaction: Transaction) -> None:
        """Drop what is on the disk now. A value that was set again meanwhile stays."""
        values = transaction.values
        with self._changed:
            self._values = {name: value for name, value in self._values.items() if values.get(name) is not value}
            for portion in transaction.portions:
                self._portions.popleft()
                self._size -= portion.size

    def pause(self, retry: float, *, closing: bool) -> None:
        """Wait this many seconds before the disk is tried again, or a quarter of them if the log is to be closed.

        Args:
            closing: whether the caller knows that; if not, `close` ends the pause.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closing and not closing, retry / 4 if closing else retry)

    def _first(self) -> list[Portion]:
        """The portions that fit into one transaction. Requires holding the lock."""
        first: list[Portion] = []
        left = TRANSACTION
        for portion in self._portions:
            left -= len(portion.records)
            if left < 0:
                break
            first.append(portion)
        return first
