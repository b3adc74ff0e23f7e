"""The names of a room and its people on IRC."""

import pytest

from lanchat.protocol.irc.names import MAX_CHANNEL, account_of, channel_of, names_of, prefixes, source_of
from lanchat.protocol.messages import Present

KEYED = "0b7337479498" + "a" * 20
GUEST = "~3d025eee"


@pytest.mark.parametrize(
    ("title", "channel"),
    [
        ("Room A", "#room-a"),
        ("a, b * c?", "#a-b-c-"),
        ("ÄRGER", "#ärger"),
        ("x\u3000y\x07z", "#x-y-z"),
        ("ж" * 60, "#" + "ж" * 24),
    ],
)
def test_a_title_is_a_channel(title, channel):
    assert channel_of(title) == channel
    assert len(channel.encode()) <= MAX_CHANNEL


def test_a_channel_is_known_in_any_case():
    names = names_of("f" * 32, "Room A")
    assert names.is_channel("#ROOM-a")
    assert not names.is_channel("#room")
    assert names.server == "ffffffff.lanchat"
    assert names.msgid(7) == "ffffffff-7"


def test_who_has_a_key_is_seen_in_source_account_and_prefix():
    assert source_of(KEYED, "ann") == "ann!u@0b7337479498.lan"
    assert source_of(GUEST, "wee") == "wee!~u@3d025eee.lan"
    assert account_of(KEYED) == "0b7337479498aaaa"
    assert account_of(GUEST) == "*"
    host, guest = Present(KEYED, "ann", host=True), Present(GUEST, "wee")
    assert [prefixes(host), prefixes(host, multi=True), prefixes(guest)] == ["@", "@+", ""]
