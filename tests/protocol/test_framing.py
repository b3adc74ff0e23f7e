import json
import sys
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.errors import ProtocolError
from lanchat.protocol.fields import MAX_NAME
from lanchat.protocol.framing import (
    FROM_HOST,
    FROM_MEMBER,
    MAX_LINE,
    MAX_NESTING,
    LineSplitter,
    decode,
    decode_all,
    encode,
    encode_lines,
    version_of,
)
from lanchat.protocol.messages import Ack, Bye, FromHost, FromMember, Ping, Present, Said, Say, Welcome
from lanchat.protocol.text import MAX_TEXT, clean_text
from tests.support.cases import cases

SOME: list[FromMember] = [
    Ping(),
    Say("1", "hello"),
    Say("2", "grüße\n\u2028🎉"),
    Say("3", "/me waves", action=True),
    Bye(),
]


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted(cut % (len(data) + 1) for cut in cuts)
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


DECODERS: list[Any] = [FROM_MEMBER, FROM_HOST]

# ---- lines


@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=20), st.data())
def test_any_split_of_the_stream_gives_the_same_lines(lines, data):
    stream = b"".join(line + b"\n" for line in lines)
    splitter = LineSplitter()
    cut = pieces(stream, data.draw(st.lists(st.integers(0, 10_000), max_size=30)))
    assert [line for piece in cut for line in splitter.feed(piece)] == lines
    assert splitter.partial == b""


@given(st.lists(st.integers(0, 10_000), max_size=30))
def test_any_split_of_the_stream_gives_the_same_messages(cuts):
    splitter = LineSplitter()
    stream = b"".join(map(encode, SOME))
    assert [m for piece in pieces(stream, cuts) for m in decode_all(splitter.feed(piece), FROM_MEMBER)] == SOME


def test_lines_that_come_byte_by_byte():
    splitter = LineSplitter()
    stream = b"".join(map(encode, SOME))
    assert [m for byte in stream for m in decode_all(splitter.feed(bytes([byte])), FROM_MEMBER)] == SOME


def test_a_line_that_has_begun_waits_for_its_end():
    splitter = LineSplitter()
    assert splitter.feed(b"one\ntw") == [b"one"]
    assert splitter.partial == b"tw"
    assert splitter.feed(b"o\n\n") == [b"two", b""]
    assert splitter.partial == b""


def test_a_line_of_exactly_the_limit_is_a_line():
    assert LineSplitter().feed(b"x" * MAX_LINE + b"\n") == [b"x" * MAX_LINE]
    splitter = LineSplitter()
    assert splitter.feed(b"x" * MAX_LINE) == []
    assert splitter.feed(b"\n") == [b"x" * MAX_LINE]


@pytest.mark.parametrize("end", [b"", b"\n", b"\nmore\n"])
def test_one_byte_more_is_refused(end):
    with pytest.raises(ProtocolError, match="longer than 16384 bytes"):
        LineSplitter().feed(b"x" * (MAX_LINE + 1) + end)


def test_one_byte_more_is_refused_in_any_number_of_pieces():
    splitter = LineSplitter()
    for _ in range(MAX_LINE):
        splitter.feed(b"x")
    with pytest.raises(ProtocolError):
        splitter.feed(b"x")


def test_an_endless_line_holds_bounded_memory():
    splitter = LineSplitter()
    chunk = b"x" * 65536
    tracemalloc.start()
    try:
        for _ in range(200):
            with pytest.raises(ProtocolError):
                splitter.feed(chunk)
            assert len(splitter.partial) <= MAX_LINE
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


# ---- messages


@given(st.binary(max_size=300))
def test_any_line_is_a_message_or_a_protocol_error(line):
    for decoder in DECODERS:
        try:
            decode(line, decoder)
        except ProtocolError:
            pass


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["v", "nick", "key", "nonce", "proof", "after", "id", "text", "action", "seq", "at", "by", "people", "room"]
TYPES = ["hello", "say", "rename", "bye", "ping", "card", "welcome", "present", "ack", "said", "joined", "future"]


@given(st.sampled_from(TYPES) | json_values, st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_any_object_is_a_message_or_skipped_or_a_protocol_error(kind, fields):
    line = json.dumps({"t": kind, **fields}).encode()
    for decoder in DECODERS:
        try:
            message = decode(line, decoder)
        except ProtocolError:
            continue
        assert message is None or decode(encode(message).rstrip(b"\n"), decoder) == message


@given(st.lists(st.binary(max_size=100) | st.sampled_from([encode(m) for m in SOME]), max_size=10), st.integers(1, 50))
def test_any_stream_gives_messages_or_a_protocol_error(parts, size):
    splitter = LineSplitter()
    stream = b"".join(parts)
    try:
        for start in range(0, len(stream), size):
            decode_all(splitter.feed(stream[start : start + size]), FROM_MEMBER)
    except ProtocolError:
        pass


def test_unknown_fields_are_ignored():
    line = b'{"t":"say","id":"1","text":"hi","later":{"deep":[1,2,{"x":null}]},"more":1e999}'
    assert decode(line, FROM_MEMBER) == Say("1", "hi")


@pytest.mark.parametrize("opening", [b"[", b'{"x":'])
def test_a_line_nested_more_than_16_deep_is_refused(opening):
    def line(depth):
        value = opening * depth + b"1" + (b"]" if opening == b"[" else b"}") * depth
        return b'{"t":"ping","later":' + value + b"}"

    assert decode(line(MAX_NESTING - 1), FROM_MEMBER) == Ping()
    for depth in (MAX_NESTING, 1000, 2500):
        for read in (decode, lambda line, codec: decode_all([line], codec)):
            with pytest.raises(ProtocolError, match="16 deep"):
                read(line(depth), FROM_MEMBER)


def test_lines_without_a_bracket_lend_theirs_to_no_other_line():
    deep = b'{"t":"ping","later":' + b"[" * 20 + b"]" * 20 + b"}"
    for blank in (b"", b" ", b'"{"'):
        with pytest.raises(ProtocolError, match="16 deep|malformed"):
            decode_all([deep, *[blank] * 30], FROM_MEMBER)
    assert decode_all([b"", encode(Ping())[:-1], b" "], FROM_MEMBER) == [Ping()]


def test_brackets_in_a_text_do_not_count_as_nesting():
    said = Say("1", '[[[[[[[[[[{{{{{{{{{{"\\[[[[[[[[')
    assert decode_all([encode(said)[:-1]], FROM_MEMBER) == [said]


def test_unknown_types_are_skipped():
    lines = [b'{"t":"react","to":7}', encode(Ping()), b'{"emoji":"x","t":"react"}', encode(Bye())]
    assert decode_all(lines, FROM_MEMBER) == [Ping(), Bye()]


def test_a_type_of_the_other_direction_is_skipped():
    assert decode(encode(Ack(7)), FROM_MEMBER) is None
    assert decode(encode(Say("1", "hi")), FROM_HOST) is None


def test_empty_lines_are_skipped():
    assert decode_all([b"", b"  ", b"\r", encode(Ping())], FROM_MEMBER) == [Ping()]


def test_a_line_may_end_with_cr_lf():
    assert decode(b'{"t":"ping"}\r', FROM_MEMBER) == Ping()


@cases(
    "line",
    [
        b"5",
        b"null",
        b"[]",
        b"{}",
        b"{",
        b'{"t":5}',
        b'{"t":null}',
        b'{"t":"say","id":"1"}',
        b'{"t":"say","id":"","text":"x"}',
        b'{"t":"say","id":"' + b"x" * 65 + b'","text":"x"}',
        b'{"t":"say","id":"1","text":7}',
        b'{"t":"say","id":"1","text":"\\ud800"}',
        b'{"t":"say","id":"\\udc00","text":"x"}',
        b'{"t":"say","id":"1","text":"\xed\xa0\x80"}',
        b'{"t":"say","id":"1","text":"\xff"}',
        b'{"t":"moderate","action":"kick","nick":"' + b"x" * (MAX_NAME + 1) + b'"}',
        b'{"t":"ping","x":NaN}',
        b'{"t":"ping","x":Infinity}',
        b'{"t":"ping","x":"\\u12"}',
        b'{"t":"ping","x":' + b"[" * 8000 + b"]" * 8000 + b"}",
        b'{"t":"future","x":' + b"[" * 8000 + b"]" * 8000 + b"}",
        b'{"t":"hello","v":1,"nick":"a","key":"!!!","nonce":"","proof":""}',
        b'\xef\xbb\xbf{"t":"ping"}',
        b'{"t":"ping"}{"t":"ping"}',
        b'{"t":"ping","t":"bye"}',
        b"\x00",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/1.1",
    ],
)
def test_malformed_lines_are_refused(line):
    with pytest.raises(ProtocolError):
        decode(line, FROM_MEMBER)


@pytest.mark.parametrize("number", ["-1", "9007199254740992", "1" + "0" * 400, "1.5", "true", '"1"', "null"])
def test_numbers_out_of_range_are_refused(number):
    with pytest.raises(ProtocolError):
        decode(b'{"t":"ack","seq":' + number.encode() + b"}", FROM_HOST)


def test_the_largest_number_is_accepted():
    assert decode(b'{"t":"ack","seq":9007199254740991}', FROM_HOST) == Ack(2**53 - 1)


# ---- what goes out comes in


@cases("char", ["a", '"', "\\", "\n", "\t", "\x01", "\x1b", "\x7f", "é", "\u2028", "🎉"])
def test_the_longest_text_fits_in_a_line_for_everyone(char):
    """A line that is too long would cost each member its link."""
    text = clean_text("x" + _longest(char) + "x")
    said = Said(2**53 - 1, 2**53 - 1, "f" * 64, "n" * 256, "\x01" * 64, text, True)
    assert len(encode(said)) <= MAX_LINE + 1
    assert decode_all(LineSplitter().feed(encode(said)), FROM_HOST) == [said]


def _longest(char: str) -> str:
    """The longest valid text of this character, between two others."""
    low, high = 0, MAX_TEXT
    while low < high:
        middle = (low + high + 1) // 2
        try:
            clean_text("x" + char * middle + "x")
            low = middle
        except ValueError:
            high = middle - 1
    return char * low


def test_one_message_is_one_line():
    some: list[FromMember | FromHost] = [
        *SOME,
        Welcome("i", "ann", 1, 0, 2),
        Present("i", "a\nb"),
        Said(1, 2, "i", "n", "1", "a\nb\u2028c"),
    ]
    for message in some:
        assert encode(message).count(b"\n") == 1 and encode(message).endswith(b"\n")


@cases("encoded", [encode, lambda message: encode_lines((message,))])
def test_what_was_encoded_takes_no_memory_afterwards(encoded):
    before = sys.getallocatedblocks()
    for _ in range(10_000):
        encoded(SOME[0])
    assert sys.getallocatedblocks() - before < 5_000


@pytest.mark.parametrize(
    ("lines", "version"),
    [
        ([b' ', b'{"t":"hello","v":3,"nick":5}', b"junk"], 3),
        ([b'{"v":1,"t":"hello"}'], 1),
        ([b'{"t":"say","v":3}'], None),
        ([b'{"t":"hello","v":"3"}'], None),
        ([b'{"t":"hello","v":%d}' % 10**400], None),
        ([b"junk", b'{"t":"hello","v":3}'], None),
        ([b"\xff"], None),
        ([], None),
    ],
)  # fmt: skip
def test_the_version_of_a_hello_that_cannot_be_read(lines, version):
    assert version_of(lines) == version
