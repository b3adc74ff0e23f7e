"""How much memory the records take that wait for the disk. Pure."""

from collections.abc import Sequence

from lanchat.protocol.limits import memory_of, memory_of_all
from lanchat.protocol.messages import Got, Private, Record, Said, Told

_RECORD = 512  # bytes of memory that a record takes besides its text and its box


def waiting_size(record: Record | Got) -> int:
    """Bytes of memory that a record takes while it waits for the disk."""
    if isinstance(record, Said):  # nearly all; to ask whether it is of another type takes longer (msgspec)
        return _RECORD + memory_of(record.text)
    size = _RECORD + (memory_of(record.text) if isinstance(record, Told) else 0)
    return size + (len(record.box) if isinstance(record, Private) else 0)


def waiting_size_of_all(records: Sequence[Record]) -> int:
    """As `waiting_size`, for many records in a part of the time."""
    texts = [record.text for record in records if isinstance(record, Said)]
    if len(texts) == len(records):  # nearly always
        return len(texts) * _RECORD + memory_of_all(texts)
    return sum(map(waiting_size, records))
