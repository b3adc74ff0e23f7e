"""Sizes as people read and write them."""

import pytest

from lanchat.protocol.sizes import parse_size, size_text
from tests.support.cases import cases


@cases(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (980, "980 bytes"),
        (1024, "1 KB"),
        (2_200_000, "2.1 MB"),
        (310 << 20, "310 MB"),
        (2 << 30, "2 GB"),
        (1023 << 20, "1 GB"),
        (10 << 40, "10 TB"),
    ],
)
def test_a_size_is_short(size, text):
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("500M", 500 << 20), ("10G", 10 << 30), ("1.5 GB", 3 << 29), ("64kib", 65536)]
)
def test_a_size_is_read(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "many", "-1", "1X", "1.55G", "9" * 20])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)
