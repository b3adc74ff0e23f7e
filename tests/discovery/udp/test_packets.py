import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.discovery.udp.packets import MAX_DATAGRAM, Connect, Gone, Here, Packet, Seek, decode, encode
from lanchat.protocol.ids import SHORTEST_FINGERPRINT
from lanchat.protocol.nicks import MAX_NICK, MAX_NICK_BYTES
from lanchat.protocol.text import MAX_TITLE, MAX_TITLE_BYTES
from tests.support.cases import cases

ROOM = "0123456789abcdef" * 2
KEY = "ab" * 32
ROOM_A = Here(ROOM, "Room A", "ann", 47474, KEY, 3, "n1")

titles = st.text(max_size=MAX_TITLE).filter(lambda text: len(text.encode(errors="replace")) <= MAX_TITLE_BYTES)
nicks = st.text(max_size=MAX_NICK).filter(lambda text: len(text.encode(errors="replace")) <= MAX_NICK_BYTES)


@pytest.mark.parametrize(
    "packet", [Seek("n1"), Seek(), ROOM_A, Here(ROOM, "", "", 1), Gone(ROOM), Connect(47475, "n1")]
)
def test_what_is_encoded_is_decoded(packet: Packet):
    assert decode(encode(packet)) == packet


def test_a_question_is_as_long_as_any_answer_may_be():
    assert len(encode(Seek("n1"))) == len(encode(Connect(47475, "n1"))) == MAX_DATAGRAM < 512
    assert len(encode(ROOM_A)) <= MAX_DATAGRAM


def test_a_room_that_does_not_fit_loses_its_fingerprint_and_then_part_of_its_title():
    title, nick = '"' * MAX_TITLE, "\\" * MAX_NICK
    longest = Here(ROOM, title, nick, 65535, KEY, 100_000, "n" * 16)
    assert decode(encode(longest)) == longest  # the longest that there can be
    long = decode(encode(Here(ROOM, title, "x" * 200, 65535, KEY, 100_000, "n" * 16)))
    assert long == Here(ROOM, title, "x" * 200, 65535, KEY[:SHORTEST_FINGERPRINT], 100_000, "n" * 16)
    wider = decode(encode(Here(ROOM, "\U0001f600" * 100, "ann", 1, KEY)))
    assert isinstance(wider, Here) and wider.title == "\U0001f600" * len(wider.title) and wider.fingerprint == ""


@given(titles, nicks, st.integers(1, 65535), st.none() | st.integers(0, 100_000))
def test_any_room_fits(title, nick, port, people):
    data = encode(Here(ROOM, title, nick, port, KEY, people, "n" * 16))
    said = decode(data)
    assert len(data) <= MAX_DATAGRAM
    assert isinstance(said, Here) and (said.room_id, said.port, said.people) == (ROOM, port, people)
    assert said.fingerprint in (KEY, KEY[:SHORTEST_FINGERPRINT])
    said.title.encode(), said.host.encode()  # no lone surrogates


@given(st.binary(max_size=600))
def test_any_bytes_are_a_packet_or_nothing(data):
    decode(data)


fields = st.dictionaries(
    st.sampled_from(["say", "room", "title", "host", "port", "key", "people", "n", "extra"]),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.lists(st.integers(), max_size=3),
)


@given(fields, st.sampled_from(["seek", "here", "gone", "connect", "sing"]))
def test_any_fields_are_a_packet_or_nothing(values, say):
    data = json.dumps({"lanchat": 1, **values, "say": say}).encode()
    said = decode(data)
    if isinstance(said, Here):
        assert len(said.room_id) == 32 and 0 < said.port < 65536 and said.fingerprint in ("", values.get("key"))
        said.title.encode(), said.host.encode()


@cases(
    "data",
    [
        b"",
        b"null",
        b"[" * MAX_DATAGRAM,
        b'{"say":"seek"}',
        b'{"lanchat":2,"say":"seek"}',
        b'{"lanchat":true,"say":"seek"}',
        b'{"lanchat":1.0,"say":"seek"}',
        b'{"lanchat":1,"say":"later"}',
        b'{"lanchat":1,"say":"gone","room":"../../etc"}',
        b'{"lanchat":1,"say":"connect","port":0}',
        b'{"lanchat":1,"say":"connect","port":true}',
        b'{"lanchat":1,"say":"here","room":"' + ROOM.encode() + b'","port":65536}',
        b'{"lanchat":1,"say":"here","room":"' + ROOM.upper().encode() + b'","port":1}',
        encode(Seek()) + b" ",
    ],
)
def test_what_is_not_a_packet_of_lanchat_is_ignored(data):
    assert decode(data) is None


def test_fields_that_a_later_version_adds_are_ignored():
    assert decode(json.dumps({"lanchat": 1, "say": "seek", "n": "x", "new": [1]}).encode()) == Seek("x")
