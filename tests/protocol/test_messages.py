from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.fields import MAX_NUMBER, NONCE_SIZE
from lanchat.protocol.framing import FROM_HOST, FROM_MEMBER, decode, encode
from lanchat.protocol.messages import Event, FromHost, FromMember, Joined, Said, Say, Welcome
from lanchat.protocol.text import MAX_TEXT

KINDS = tuple(dict.fromkeys([*get_args(FromHost), *get_args(FromMember)]))
unicode_text = st.characters(exclude_categories=["Cs"])


def _field_values(type: msgspec.inspect.Type) -> st.SearchStrategy:
    match type:
        case msgspec.inspect.BoolType():
            return st.booleans()
        case msgspec.inspect.IntType(ge=low, le=high):
            return st.integers(low, high)
        case msgspec.inspect.StrType(pattern=str(pattern)):
            return st.from_regex(pattern)
        case msgspec.inspect.StrType(min_length=shortest, max_length=longest):
            longest = MAX_TEXT if longest is None else longest
            return st.text(unicode_text, min_size=shortest or 0, max_size=min(longest, 80))
        case msgspec.inspect.BytesType(min_length=shortest, max_length=longest):
            return st.binary(min_size=shortest or 0, max_size=longest)
    raise AssertionError(f"no values for {type}")


def messages_of(kind: type) -> st.SearchStrategy:
    about = msgspec.inspect.type_info(kind)
    assert isinstance(about, msgspec.inspect.StructType)
    return st.builds(kind, **{field.name: _field_values(field.type) for field in about.fields})


@pytest.mark.parametrize("kind", get_args(FromMember))
@given(data=st.data())
def test_messages_of_a_member_survive_encoding(kind, data):
    message = data.draw(messages_of(kind))
    assert decode(encode(message).rstrip(b"\n"), FROM_MEMBER) == message


@pytest.mark.parametrize("kind", get_args(FromHost))
@given(data=st.data())
def test_messages_of_a_host_survive_encoding(kind, data):
    message = data.draw(messages_of(kind))
    assert decode(encode(message).rstrip(b"\n"), FROM_HOST) == message


def test_a_message_cannot_be_changed():
    for kind in KINDS:
        assert kind.__struct_config__.frozen, kind
        assert kind.__struct_config__.tag.replace("_", "") == kind.__name__.lower()


def test_all_events_begin_with_the_same_fields():
    """So a reader that knows only what an event is can still tell when it was, and whose."""
    for kind in get_args(Event):
        assert kind.__struct_fields__[:4] == ("seq", "at", "by", "nick")


def test_fields_with_their_default_are_left_out():
    assert encode(Say("1", "hi")) == b'{"t":"say","id":"1","text":"hi"}\n'
    assert encode(Joined(3, 1000, "i", "ann")) == b'{"t":"joined","seq":3,"at":1000,"by":"i","nick":"ann"}\n'


def test_the_exact_bytes_on_the_wire():
    """The bytes are written down here, because a second client depends on them."""
    assert (
        encode(Welcome("i", "ann", 7, 6, 2)) == b'{"t":"welcome","id":"i","nick":"ann","seq":7,"stored":6,"people":2}\n'
    )
    assert (
        encode(Said(8, 1000, "i", "ann", "1", "héllo", True))
        == '{"t":"said","seq":8,"at":1000,"by":"i","nick":"ann","id":"1","text":"héllo","action":true}\n'.encode()
    )


def test_sizes_that_the_protocol_fixes():
    assert (MAX_TEXT, NONCE_SIZE, MAX_NUMBER) == (4096, 32, 9007199254740991)


def test_every_string_of_a_peer_has_a_bound():
    for kind in KINDS:
        about = msgspec.inspect.type_info(kind)
        assert isinstance(about, msgspec.inspect.StructType)
        for field in about.fields:
            if isinstance(field.type, msgspec.inspect.StrType):
                assert field.type.pattern or field.type.max_length, f"{kind.__name__}.{field.name}"
            elif isinstance(field.type, msgspec.inspect.BytesType):
                assert field.type.max_length, f"{kind.__name__}.{field.name}"
