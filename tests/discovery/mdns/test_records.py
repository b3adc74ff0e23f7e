from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.discovery.mdns.records import (
    MAX_INSTANCE,
    MAX_TXT,
    MAX_TXT_KEYS,
    MAX_TXT_VALUE,
    SERVICE,
    instance_name,
    properties,
    read_record,
    read_txt,
    server_name,
)
from lanchat.discovery.sighting import Advertisement, Sighting
from lanchat.protocol.address import Endpoint
from lanchat.protocol.ids import is_room_id
from lanchat.protocol.text import clean_title
from tests.support.cases import cases

ROOM_A = Advertisement("0123456789abcdef" * 2, "Room A", "ann", 47474, "ab" * 16)


def txt(pairs: dict[str, str] | list[tuple[str, str]]) -> bytes:
    items = pairs.items() if isinstance(pairs, dict) else pairs
    encoded = [f"{key}={value}".encode() for key, value in items]
    return b"".join(bytes([len(pair)]) + pair for pair in encoded)


def test_the_record_of_a_host_is_what_others_read():
    assert read_record("x", 47474, ["10.0.0.2", "10.1.0.2"], txt(properties(ROOM_A))) == Sighting(
        "mdns",
        "x",
        ROOM_A.room_id,
        "Room A",
        "ann",
        (Endpoint("10.0.0.2", 47474), Endpoint("10.1.0.2", 47474)),
        "ab" * 16,
        machine="10.0.0.2",
    )


@pytest.mark.parametrize("title", ["Room A", "v1.2", "a..b.", "é" * 60, "会" * 60, "👩‍🚀" * 10])
def test_an_instance_name_is_one_label_that_fits(title):
    name = instance_name(Advertisement(ROOM_A.room_id, title, "ann", 1))
    label = name.removesuffix(f".{SERVICE}")
    assert "." not in label and label.endswith(" 01234567")
    assert len(label.encode()) <= MAX_INSTANCE


def test_two_hosts_of_one_room_claim_no_name_together():
    one, other = replace(ROOM_A, host_key="0b73" + "a" * 60), replace(ROOM_A, host_key="7e95" + "a" * 60)
    assert instance_name(one) == f"Room A 01234567 0b73.{SERVICE}"
    assert instance_name(other) == f"Room A 01234567 7e95.{SERVICE}"
    assert server_name(one) == "lanchat-0123456789abcdef0b73.local." != server_name(other)


def test_the_longest_title_fits_the_record():
    longest = clean_title("会" * 60)
    advertisement = Advertisement(ROOM_A.room_id, longest, "é" * 32, 47474, "ab" * 32)
    sighting = read_record("x", 47474, ["10.0.0.2"], txt(properties(advertisement)))
    assert sighting is not None and sighting.title == longest


@cases(
    "pairs",
    [
        {},
        {"title": "no id"},
        {"id": ""},
        {"id": "\x1b[2J"},
        {"id": "0" * 33},
        {**properties(ROOM_A), "title": "x" * (MAX_TXT_VALUE + 1)},
        {**properties(ROOM_A), **{f"k{n}": "" for n in range(MAX_TXT_KEYS)}},
        {**properties(ROOM_A), **{f"k{n}": "x" * 190 for n in range(8)}},
    ],
)
def test_a_record_that_describes_no_room_is_ignored(pairs):
    assert read_record("x", 47474, ["10.0.0.2"], txt(pairs)) is None


@pytest.mark.parametrize("text", [b"\xff", b"\x05id=", b"\x04\xff\xfe=a", b"\x05title" * 400, b"\x04a=\xff\xff"])
def test_a_malformed_record_is_ignored(text):
    assert read_txt(text) is None


def test_a_record_without_port_or_address_is_ignored():
    text = txt(properties(ROOM_A))
    assert read_record("x", None, ["10.0.0.2"], text) is None
    assert read_record("x", 0, ["10.0.0.2"], text) is None
    assert read_record("x", 47474, [], text) is None


def test_the_first_of_two_values_counts_and_the_case_of_keys_does_not():
    assert read_txt(txt([("ID", "one"), ("id", "two")])) == {"id": "one"}


def test_an_invalid_fingerprint_is_left_out():
    sighting = read_record("x", 47474, ["10.0.0.2"], txt({**properties(ROOM_A), "key": "<script>"}))
    assert sighting is not None and sighting.fingerprint == ""


@given(st.binary(max_size=2 * MAX_TXT))
def test_any_bytes_give_a_bounded_record_or_none(text):
    pairs = read_txt(text)
    values = (pairs or {}).values()
    assert len(values) <= MAX_TXT_KEYS and all(len(value.encode()) <= MAX_TXT_VALUE for value in values)
    sighting = read_record("x", 47474, ["10.0.0.2"], text)
    assert sighting is None or is_room_id(sighting.room_id)


@given(st.dictionaries(st.sampled_from(["id", "title", "host", "key", "v"]), st.text(max_size=70)))
def test_any_values_give_a_sighting_or_none(values):
    encoded = {k: v for k, v in values.items() if len(f"{k}={v}".encode("utf-8", "replace")) < 256}
    if any(0xD800 <= ord(c) < 0xE000 for v in encoded.values() for c in v):
        return
    read_record("x", 47474, ["10.0.0.2"], txt({**properties(ROOM_A), **encoded}))
