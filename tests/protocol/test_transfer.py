"""The receiving end of a transfer: lines and raw bytes on one link."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.errors import ProtocolError
from lanchat.protocol.file_messages import Go, Sum, Transfer, Wait
from lanchat.protocol.framing import FROM_MEMBER, decode, encode
from lanchat.protocol.messages import Refused
from lanchat.protocol.transfer import FileReceiver, Step
from tests.support.cases import cases

SUM = Sum("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")  # of b"hello\n"


def steps(receiver: FileReceiver, data: bytes, portion: int = 1 << 20) -> list[Step]:
    """All steps; bytes that follow each other are joined."""
    found: list[Step] = []
    for at in range(0, len(data), portion):
        for step in receiver.feed(data[at : at + portion]):
            if isinstance(step, bytes) and found and isinstance(found[-1], bytes):
                found[-1] += step
            else:
                found.append(step)
    return found


def test_the_example_of_the_readme():
    line = b'{"t":"transfer","v":1,"ticket":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}'
    assert decode(line, FROM_MEMBER) == Transfer(1, bytes(32))
    sent = b'{"t":"go","at":2}\nllo\n' + encode(SUM)
    assert steps(FileReceiver(6, have=2), sent) == [Go(2), b"llo\n", SUM]


@given(st.integers(1, 40), st.binary(max_size=60))
def test_how_the_bytes_are_cut_changes_nothing(portion, content):
    sent = encode(Wait(3)) + encode(Go(0, 1)) + content + encode(SUM)
    expected = [Wait(3), Go(0, 1), *([content] if content else []), SUM]
    assert steps(FileReceiver(len(content), have=0), sent, portion) == expected


def test_raw_bytes_that_look_like_a_line_are_raw():
    content = encode(SUM) * 2
    assert steps(FileReceiver(len(content), 0), encode(Go(0)) + content) == [Go(0), content]


def test_a_refusal_may_come_in_place_of_the_bytes():
    refused = Refused("disk", "The host's disk is full.")
    assert steps(FileReceiver(5, 0), encode(refused)) == [refused]


@cases(
    "sent",
    [
        encode(Go(3)),  # neither the beginning nor what we have
        encode(SUM),  # before the bytes
        encode(Go(2)) + encode(Go(2)) + encode(SUM),  # the second one is raw bytes, and more than were announced
        encode(Go(2)) + b"llo\n" + encode(SUM) * 2,
        encode(Go(2)) + b"llo\nmore\n",
        b'{"t":"go","at":-1}\n',
        b"x" * 2000,
        b"\xff\n",
    ],
)
def test_whoever_breaks_the_rules_is_found_out(sent):
    with pytest.raises(ProtocolError):
        steps(FileReceiver(6, have=2), sent)


@given(st.data())
def test_whatever_is_changed_on_the_way_no_byte_too_many_is_taken(data):
    """Any byte of the lines may be another one: at the worst an end in words, and never more than was announced."""
    content = data.draw(st.binary(max_size=40), "content")
    have = data.draw(st.integers(0, len(content)), "have")
    sent = bytearray(encode(Wait(3)) + encode(Go(have, 1)) + content[have:] + encode(SUM))
    at = data.draw(st.integers(0, len(sent) - 1), "at")
    sent[at] ^= 1 << data.draw(st.integers(0, 7), "bit")
    raw = 0
    receiver = FileReceiver(len(content), have)
    try:
        for step in receiver.feed(bytes(sent)):
            raw += len(step) if isinstance(step, bytes) else 0
    except ProtocolError as error:
        assert str(error).endswith(".")
    assert raw <= len(content)


def test_a_line_of_a_later_version_is_skipped():
    assert steps(FileReceiver(0, 0), b'{"t":"colour","is":"red"}\n\n' + encode(Go(0)) + encode(SUM)) == [Go(0), SUM]
