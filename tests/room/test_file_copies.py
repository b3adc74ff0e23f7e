"""Which files a standby copies."""

from typing import Any

from lanchat.protocol.file_messages import FileEntry
from lanchat.room.file_copies import LARGEST, MOST, next_copy

SUM, PLENTY = "5" * 64, 1 << 50


def entry(name: str, size: int, sha256: str = SUM, **more: Any) -> FileEntry:
    return FileEntry(name.encode().hex().ljust(32, "0"), name, size, "id-ann", "ann", 0, sha256=sha256, **more)


def test_the_smallest_that_is_missing_comes_first():
    small, large = entry("small", 5), entry("large", 500)
    assert next_copy([large, small], {}, PLENTY) == small
    assert next_copy([large, small], {small.file: 5}, PLENTY) == large
    assert next_copy([large, small], {small.file: 5, large.file: 500}, PLENTY) is None


def test_what_is_not_whole_not_at_the_host_or_not_for_everybody_is_not_copied():
    others = [entry("sending", 5, sha256=""), entry("away", 5, elsewhere="bob"), entry("private", 5, to="id-bob")]
    assert next_copy(others, {}, PLENTY) is None


def test_large_files_stay_where_they_are_and_a_disk_is_not_filled():
    assert next_copy([entry("video", LARGEST + 1)], {}, PLENTY) is None
    assert next_copy([entry("video", LARGEST)], {}, PLENTY) is not None
    assert next_copy([entry("video", LARGEST)], {}, LARGEST - 1) is None
    assert next_copy([entry("a", 6)], {"others": MOST - 5}, PLENTY) is None
