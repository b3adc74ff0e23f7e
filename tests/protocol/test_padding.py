"""Padding: what a private message looks like from outside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.padding import OVERHEAD, SIZES, pad, padded_size, unpad
from lanchat.protocol.text import MAX_TEXT
from tests.support.cases import cases


@given(st.binary(max_size=MAX_TEXT))
def test_a_text_survives_its_padding(text):
    assert unpad(pad(text)) == text
    assert len(pad(text)) - 2 in SIZES


def test_texts_of_one_size_look_alike():
    assert [len(pad(bytes(length))) - 2 for length in (0, 2, 64, 65, 256, 257, 1024, 1025, 4096)] == [
        *(64, 64, 64),
        *(256, 256),
        *(1024, 1024),
        *(4096, 4096),
    ]
    with pytest.raises(ValueError):
        pad(bytes(4097))


@cases(
    "padded",
    [
        b"",
        b"\x00",
        pad(b"hi")[:-1],
        pad(b"hi") + b"\x00",
        pad(b"hi")[:-1] + b"\x01",  # hides something
        b"\x00\x41" + bytes(64),  # longer than what is there
        b"\x00\x02hi" + bytes(254),  # a larger size than the text needs
        b"\xff\xff" + bytes(4096),
    ],
)
def test_there_is_one_padding_for_each_text(padded):
    with pytest.raises(ValueError):
        unpad(padded)


def test_a_box_says_how_much_it_counts():
    assert [padded_size(bytes(size + OVERHEAD)) for size in SIZES] == list(SIZES)
    for length in (0, 64, OVERHEAD, OVERHEAD + 63, OVERHEAD + 65, OVERHEAD + 4097):
        with pytest.raises(ValueError):
            padded_size(bytes(length))
