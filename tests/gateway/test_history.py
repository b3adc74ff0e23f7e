"""What the gateway keeps: the history of its rooms and read markers; and what a lost link or another key does."""

from collections import deque
from contextlib import closing
from typing import Any

import pytest

from lanchat.errors import LanchatError
from lanchat.gateway.history import _Copy
from lanchat.gateway.listener import Gateway
from lanchat.gateway.markers import MAX_MARKERS, ReadMarkers
from lanchat.protocol.messages import Event, Said
from tests.gateway.serving import PASSWORD, entered, serving
from tests.support.irc import IrcClient, command_of, parsed
from tests.support.people import Listener
from tests.support.waiting import wait_until

CAPABILITIES = "batch server-time message-tags draft/chathistory draft/read-marker"
EARLY, LATE = "timestamp=2024-01-02T03:04:05.678Z", "timestamp=2024-01-02T03:04:06.000Z"


def texts(lines: list[str]) -> list[str]:
    return [parsed(line).parameters[1] for line in lines if command_of(line) == "PRIVMSG"]


def test_the_client_reads_back_in_the_history(seen, come, host, join):
    seen.rooms = [host("Room A")]
    ann = Listener(join(seen.rooms[0], "ann"))
    for number in range(5):
        ann.round_trip(f"line {number}")
    wee = come(capabilities=CAPABILITIES)
    wee.until("422")
    assert texts(entered(wee, "#room-a")) == []
    ann.member.outgoing.say("line 5")
    assert parsed(wee.next("PRIVMSG")).parameters[1] == "line 5"
    got = wee.answers("CHATHISTORY LATEST #room-a * 3")
    assert texts(got) == ["line 3", "line 4", "line 5"]
    first = parsed(got[1]).tags["msgid"]
    assert texts(wee.answers(f"CHATHISTORY BEFORE #room-a msgid={first} 2")) == ["line 1", "line 2"]
    assert texts(wee.answers(f"CHATHISTORY AFTER #room-a msgid={first} 9")) == ["line 4", "line 5"]
    [targets] = [line for line in wee.answers(f"CHATHISTORY TARGETS {EARLY} timestamp=2124-01-01T00:00:00.000Z 9")][
        1:-1
    ]
    assert parsed(targets).parameters[:2] == ("TARGETS", "#room-a")


def again(gateway: Gateway) -> IrcClient:
    return IrcClient(gateway.port, capabilities=CAPABILITIES, password=PASSWORD)


def test_what_an_earlier_run_has_kept_is_history_too(seen, host, join):
    """Of this computer's own copy. What was said while the gateway did not run is fetched."""
    seen.rooms = [host("Room A")]
    ann = Listener(join(seen.rooms[0], "ann"))
    with serving(seen) as gateway, closing(again(gateway)) as wee:
        wee.send("NICK wee", "USER wee 0 * :wee")
        entered(wee, "#room-a")
        ann.member.outgoing.say("before")
        wee.next("PRIVMSG")
        wee.answers(f"MARKREAD #room-a {LATE}")
    ann.round_trip("meanwhile")
    with serving(seen) as gateway, closing(again(gateway)) as wee:
        wee.send("NICK wee", "USER wee 0 * :wee")
        lines = entered(wee, "#room-a")
        assert [parsed(line).parameters for line in lines if command_of(line) == "MARKREAD"] == [("#room-a", LATE)]
        wait_until(lambda: texts(wee.answers("CHATHISTORY LATEST #room-a * 9")) == ["before", "meanwhile"])


def test_who_does_not_know_the_command_gets_what_was_missed(seen, host, join):
    seen.rooms = [host("Room A")]
    ann = Listener(join(seen.rooms[0], "ann"))
    for text in ("one", "two"):
        ann.round_trip(text)
        with serving(seen) as gateway, closing(IrcClient(gateway.port, password=PASSWORD)) as wee:
            wee.send("NICK wee", "USER wee 0 * :wee", "JOIN #room-a")
            while not parsed(wee.next("PRIVMSG")).parameters[1].endswith(text):
                pass


def test_what_is_asked_for_wrongly_fails_in_words(seen, come, host):
    seen.rooms = [host("Room A")]
    wee = come(capabilities=CAPABILITIES)
    wee.until("422")
    entered(wee, "#room-a")
    for line, code in (
        ("CHATHISTORY", "NEED_MORE_PARAMS"),
        ("CHATHISTORY LATEST #other * 9", "INVALID_TARGET"),
        ("CHATHISTORY NONSENSE #room-a * 9", "UNKNOWN_COMMAND"),
        ("MARKREAD", "NEED_MORE_PARAMS"),
        ("MARKREAD #other", "INVALID_PARAMS"),
        ("MARKREAD #room-a nonsense", "INVALID_PARAMS"),
    ):
        assert parsed(wee.answers(line)[0]).parameters[1] == code
    assert [command_of(line) for line in wee.answers("CHATHISTORY LATEST ann * 9")] == ["BATCH", "BATCH"]


def test_a_marker_moves_forward_only_and_a_damaged_file_is_none(tmp_path, seen, come, host):
    seen.rooms = [host("Room A")]
    wee = come(capabilities=CAPABILITIES)
    wee.until("422")
    entered(wee, "#room-a")

    def marked(line: str) -> str:
        return parsed(wee.answers(line)[0]).parameters[1]

    assert marked("MARKREAD #room-a") == "*"
    assert marked(f"MARKREAD #room-a {LATE}") == marked(f"MARKREAD #Room-A {EARLY}") == LATE
    assert marked(f"MARKREAD ann {EARLY}") == EARLY
    path = tmp_path / "markers"
    for damaged in (b"[]", b"{", b'{"a": "b"}', b'{"a": -1}', b"\xff", b"[" * 100_000):
        path.write_bytes(damaged)
        assert b"MARKREAD ann *" in ReadMarkers(path).marker("a", "ann")


def test_a_page_is_one_message_both_ways(seen, come, host, join):
    seen.rooms = [host("Room A")]
    ann = Listener(join(seen.rooms[0], "ann"))
    wee = come(capabilities="batch message-tags draft/multiline")
    wee.until("422")
    entered(wee, "#room-a")
    wee.send(
        "BATCH +1 draft/multiline #room-a", "@batch=1 PRIVMSG #room-a :one", "@batch=1 PRIVMSG #room-a :two", "BATCH -1"
    )
    ann.hear_text("one\ntwo")
    ann.member.outgoing.say("three\nfour")
    wee.next("BATCH")
    assert texts(wee.until("BATCH")) == ["three", "four"]
    assert parsed(wee.answers("BATCH -2")[0]).parameters[:2] == ("BATCH", "MULTILINE_INVALID")


def test_a_lost_link_comes_back_and_what_was_said_meanwhile_goes_out_once(seen, come, host, join):
    room = host("Room A")
    seen.rooms = [room]
    ann = Listener(join(room, "ann"))
    wee = come()
    wee.until("422")
    entered(wee, "#room-a")
    wee.send("PRIVMSG #room-a :before")
    ann.hear_text("before")
    [mine] = [one for one in room._hub.sessions if one.member is not None and one.member.nick == "wee"]
    link: Any = mine.link
    link.drop("lost", "the cable was pulled")
    lost, back = wee.next("NOTICE"), wee.next("NOTICE")
    assert "What you say goes out later." in lost and "The connection is back." in back
    wee.send("PRIVMSG #room-a :after")
    ann.hear_text("after")
    ann.round_trip("to wee")
    assert parsed(wee.next("PRIVMSG")).parameters[1] == "to wee"
    assert [item.text for item in ann.items if isinstance(item, Said) and item.nick == "wee"] == ["before", "after"]


def test_a_room_whose_host_names_another_key_is_not_entered(seen, come, host):
    first = host("Room A", nick="hal")
    seen.rooms = [first]
    wee = come()
    wee.until("422")
    entered(wee, "#room-a")
    wee.answers("PART #room-a")
    first.close()
    seen.rooms = [host("Room A", nick="eve", room_id=first.room_id)]
    wee.send("JOIN #room-a")
    failed = parsed(wee.next("FAIL"))
    assert failed.parameters[:3] == ("JOIN", "HOST_KEY_CHANGED", "#room-a")
    assert "key" in failed.parameters[3]
    assert "Ask its owner for an invite" in parsed(wee.next("NOTICE")).parameters[1]
    assert seen.rooms[0].people == 0
    assert wee.numbers("PRIVMSG #room-a :x") == ["404"]


@pytest.mark.full
def test_a_home_keeps_few_markers(tmp_path):
    markers = ReadMarkers(tmp_path / "markers")
    for number in range(MAX_MARKERS + 2):
        markers._keep(f"@{number}", number)
    again = ReadMarkers(tmp_path / "markers")
    assert b" *" in again.marker("@1", "ann") and b"timestamp" in again.marker(f"@{MAX_MARKERS}", "ann")


def test_a_copy_that_is_just_being_made_leaves_what_was_heard(tmp_path):
    path = tmp_path / "log.db"
    path.touch()
    heard: deque[Event] = deque([Said(7, 1000, "id-ann", "ann", "1", "hello")])
    copy = _Copy([path], heard, said=True)
    assert copy.between(-1, 100, 9) == list(heard) and copy.seq_at(500) == 7
    heard.clear()
    with pytest.raises(LanchatError, match="missing"):
        copy.between(-1, 100, 9)
