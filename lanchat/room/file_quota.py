"""Whether a room takes one more file, and which files go so that it fits. Pure; owned by the room's files."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from lanchat.protocol.file_messages import FileRefusal
from lanchat.protocol.limits import FileLimits, TokenBucket
from lanchat.protocol.sizes import size_text
from lanchat.room.room_file import RoomFile

_MOST_BUCKETS = 1000  # members whose rate of offers is remembered


class Refusal(NamedTuple):
    """Why a file is not taken."""

    code: FileRefusal
    text: str


class FileQuota:
    """Holds the files of one room within their limits.

    Args:
        free: returns how many more bytes the host's disk takes.
    """

    def __init__(self, limits: FileLimits, free: Callable[[], int]) -> None:
        self._limits = limits
        self._free = free
        self._offers: dict[str, TokenBucket] = {}  # by member id

    def make_room(
        self, by: str, size: int, stored: Mapping[str, RoomFile], expected: int, now: int
    ) -> list[RoomFile] | Refusal:
        """Decide about a file that a member offers.

        Args:
            by: the member id.
            size: of the file, in bytes.
            stored: the files that take space at this host, by their ids, the oldest first.
            expected: bytes of them that were offered and are not at the host yet.
            now: ms since 1970.

        Returns:
            The files that have to be removed first.
        """
        limits = self._limits
        if size > limits.file:
            return Refusal("size", f"{size_text(size)}, and this room takes files of up to {size_text(limits.file)}.")
        if not self._may_offer(by, now):
            return Refusal("many", "You offer files faster than this room takes them.")
        gone = self._choose(by, size, stored, now)
        if gone is None:
            free = max(0, limits.total - sum(known.size for known in stored.values()))
            words = f"{size_text(size)} do not fit, {size_text(free)} of {size_text(limits.total)} are free."
            return Refusal("quota", f"{words} /files shows what is there.")
        if size > self._free() - expected + sum(known.size for known in gone if known.sha256):
            return Refusal("disk", "The host's disk is too full for it.")
        return gone

    def _choose(self, by: str, size: int, stored: Mapping[str, RoomFile], now: int) -> list[RoomFile] | None:
        """The files that go so that another one fits; None: it does not fit.

        The files of the member with most go first, so that a flood pushes out its own. A young file never goes.
        """
        limits = self._limits
        share = int(limits.total * limits.member_share)
        left = dict(stored)
        gone: list[RoomFile] = []

        def sizes() -> dict[str, int]:
            found = {by: size}
            for known in left.values():
                found[known.by] = found.get(known.by, 0) + known.size
            return found

        if size > share:
            return None
        while (of := sizes())[by] > share or sum(of.values()) > limits.total or len(left) >= limits.number:
            most = by if of[by] > share else max({known.by for known in left.values()}, key=lambda id: of[id])
            oldest = min(
                (known for known in left.values() if known.by == most), key=lambda known: known.at, default=None
            )
            if oldest is None or now - oldest.at < limits.spared:
                return None
            gone.append(left.pop(oldest.file))
        return gone

    def _may_offer(self, id: str, now: int) -> bool:
        bucket = self._offers.get(id)
        if bucket is None:
            if len(self._offers) >= _MOST_BUCKETS:
                del self._offers[next(iter(self._offers))]
            limits = self._limits
            bucket = self._offers[id] = TokenBucket(limits.offers_rate, limits.offers_burst, now / 1000)
        return bucket.spare(1, now / 1000)
