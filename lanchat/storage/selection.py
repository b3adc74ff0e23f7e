"""The queries for some rows of a log, among them those that a search finds. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from lanchat.protocol.fields import MAX_NUMBER
from lanchat.storage.schema import Table

_INDEXED = f"coalesce((SELECT value FROM fact WHERE name = 'indexed'), {MAX_NUMBER})"  # older files have no such fact
_FOUND = "SELECT rowid AS found FROM words WHERE words MATCH :match AND rowid > :after"
_WAITING = (
    "SELECT seq FROM unindexed WHERE seq > :after"
    f" UNION ALL SELECT seq FROM event WHERE kind = 'said' AND seq > max(:after, {_INDEXED})"
)

T = TypeVar("T")


@dataclass(frozen=True)
class Selection(Generic[T]):
    """Some rows of a table.

    Args:
        read: what a row holds; None: it is damaged, or this version does not know its kind.
        conditions: in SQL; `:after` stands for the key of the last row that was read.
        version: of the schema that the conditions need.
        matches: the function of that name in the conditions.
        indexed: only rows that the full-text index has found with `:match`, or that are not in it yet.
    """

    table: Table
    columns: str
    read: Callable[[Sequence[object]], T | None]
    conditions: Sequence[str]
    values: Mapping[str, str | int]
    version: int
    matches: Callable[[str], bool] = bool
    indexed: bool = False

    def question(self, order: str) -> str:
        """The query for the rows, each with its key first."""
        # One list of keys, whose rows SQLite reads in order. For two lists it would sort all texts each time.
        return self._among(f"{_FOUND} UNION ALL {_WAITING}" if self.indexed else "", order)

    def backwards(self) -> list[str]:
        """The queries for the rows from the last one on, each in order.

        For a word that is in many texts, no list of all these is made: the index can be read from its end.
        """
        if not self.indexed:
            return [self.question("DESC")]
        source = f"({_FOUND}) CROSS JOIN {self.table.name} ON {self.table.key} = found"
        return [self._ask(source, self.conditions, "found DESC"), self._among(_WAITING, "DESC")]

    def _among(self, keys: str, order: str) -> str:
        key = self.table.key
        among = [f"{key} IN ({keys})"] if keys else []
        return self._ask(self.table.name, [*self.conditions, *among], f"{key} {order}")

    def _ask(self, source: str, conditions: Sequence[str], order: str) -> str:
        where = " AND ".join(conditions)
        return f"SELECT {self.table.key}, {self.columns} FROM {source} WHERE {where} ORDER BY {order}"
