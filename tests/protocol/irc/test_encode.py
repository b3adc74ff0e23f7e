"""Events as lines of IRC."""

from dataclasses import replace
from datetime import datetime
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.file_messages import FileOffered
from lanchat.protocol.irc.encode import CHANGING_BYTES, CONCAT, Encoder
from lanchat.protocol.irc.extras import Extras
from lanchat.protocol.irc.line import MAX_LINE, parse
from lanchat.protocol.irc.names import Profile, names_of
from lanchat.protocol.messages import Ack, Closing, Joined, Left, Moved, Renamed, Said, Told
from lanchat.protocol.topic import Topic
from tests.support.cases import cases

NAMES = names_of("f" * 32, "Room A")
KEYED = "0b7337479498" + "a" * 20
GUEST = "~3d025eee"
ALL = [frozenset(some) for size in range(len(CHANGING_BYTES) + 1) for some in combinations(CHANGING_BYTES, size)]


def lines(message: object, *capabilities: str) -> list[str]:
    encoded = Encoder(NAMES, frozenset(capabilities)).encode(message)  # type: ignore[arg-type]
    assert encoded.endswith(b"\r\n")
    return encoded.decode().removesuffix("\r\n").split("\r\n")


def said(text: str, **fields: object) -> Said:
    return Said(7, 1_700_000_000_123, KEYED, "ann", "1", text, **fields)  # type: ignore[arg-type]


def test_what_is_said_is_a_privmsg():
    assert lines(said("hello: you")) == [":ann!u@0b7337479498.lan PRIVMSG #room-a :hello: you"]
    assert lines(said("waves", action=True)) == [":ann!u@0b7337479498.lan PRIVMSG #room-a :\x01ACTION waves\x01"]


def test_tags_tell_the_time_the_id_and_the_key():
    [line] = lines(said("hi"), "server-time", "message-tags", "account-tag")
    assert line == (
        "@time=2023-11-14T22:13:20.123Z;account=0b7337479498aaaa;msgid=ffffffff-7 "
        ":ann!u@0b7337479498.lan PRIVMSG #room-a :hi"
    )


def test_a_page_is_several_lines_and_the_first_has_the_id():
    first, second = lines(said("one\n\ntwo"), "message-tags")
    assert first == "@msgid=ffffffff-7 :ann!u@0b7337479498.lan PRIVMSG #room-a :one"
    assert second == ":ann!u@0b7337479498.lan PRIVMSG #room-a :two"


def test_who_knows_batches_of_lines_gets_a_page_as_one_message():
    multiline = ("message-tags", "batch", "draft/multiline")
    begin, *inside, end = lines(said("one\n\ntwo"), *multiline)
    assert begin == "@msgid=ffffffff-7 :ann!u@0b7337479498.lan BATCH +lines draft/multiline #room-a"
    assert inside == [f"@batch=lines :ann!u@0b7337479498.lan PRIVMSG #room-a :{text}" for text in ("one", "", "two")]
    assert end == ":ann!u@0b7337479498.lan BATCH -lines"
    long = "word " * 200
    _, first, *others, _ = lines(said(long), *multiline)
    assert all(f";{CONCAT} " in line for line in others) and CONCAT not in first
    assert "".join(line.rpartition("#room-a :")[2] for line in (first, *others)) == long
    assert len(lines(said("short"), *multiline)) == len(lines(said(long, action=True), "batch")) - 2 == 1


def test_a_page_of_the_past_is_a_batch_inside_the_other():
    encoder = Encoder(NAMES, frozenset({"batch", "draft/multiline"}))
    begin, inside, _, end, _ = encoder.history([said("one\ntwo")]).decode().split("\r\n", 4)
    assert begin.endswith("BATCH +past chathistory #room-a")
    assert inside.startswith("@batch=past :ann") and end.startswith("@batch=lines :ann")


def test_tags_of_a_client_go_along_and_who_only_parts_does_not_quit():
    extras = Extras()
    extras.note_tags(GUEST, "1", {"+draft/reply": "x;y", "+typing": ""})
    names = replace(NAMES, profiles={GUEST: Profile("pat", "Pat", bot=True)})
    encoder = Encoder(names, frozenset({"message-tags"}), extras)
    hello = Said(7, 0, GUEST, "wee", "1", "hi")
    assert encoder.encode(hello).decode() == (
        r"@+draft/reply=x\:y;+typing;bot;msgid=ffffffff-7 :wee!~pat@3d025eee.lan PRIVMSG #room-a :hi" + "\r\n"
    )
    assert encoder.encode(Said(8, 0, GUEST, "wee", "2", "hi")).startswith(b"@bot;msgid=")
    page = encoder.encode(Said(9, 0, GUEST, "wee", "1", "one\ntwo"))
    assert page.count(b"reply") == 1, "else one message of a hundred lines would be half a megabyte"
    extras.note_part(GUEST, "for now")
    assert encoder.encode(Left(9, 0, GUEST, "wee")).endswith(b":wee!~pat@3d025eee.lan PART #room-a :for now\r\n")
    extras.forget_part(GUEST)
    assert b" QUIT " in encoder.encode(Left(9, 0, GUEST, "wee"))


@cases(
    ("event", "expected"),
    [
        (Joined(1, 0, GUEST, "wee"), [":wee!~u@3d025eee.lan JOIN #room-a"]),
        (
            Joined(1, 0, KEYED, "ann", host=True),
            [":ann!u@0b7337479498.lan JOIN #room-a", ":ffffffff.lanchat MODE #room-a +ov ann ann"],
        ),
        (Left(1, 0, GUEST, "wee", "", "bye"), [":wee!~u@3d025eee.lan QUIT :bye"]),
        (Left(1, 0, GUEST, "wee", "kicked"), [":wee!~u@3d025eee.lan QUIT :removed by the host"]),
        (Renamed(1, 0, GUEST, "wee", "woo"), [":wee!~u@3d025eee.lan NICK woo"]),
        (
            Moved(1, 0, KEYED, "ann", 1, "bob"),
            [":ffffffff.lanchat MODE #room-a -o bob", ":ffffffff.lanchat MODE #room-a +o ann"],
        ),
        (Told("1", 0, KEYED, "ann", GUEST, "wee", text="psst"), [":ann!u@0b7337479498.lan PRIVMSG wee :psst"]),
        (
            FileOffered(1, 0, KEYED, "ann", "1", "f" * 32, "report.pdf", 2048),
            [
                ":ffffffff.lanchat NOTICE #room-a :ann is sending the file report.pdf (2048 bytes). "
                "Members with lanchat can fetch it."
            ],
        ),
        (Closing("closed", "The host has closed the room."), ["ERROR :The host has closed the room."]),
    ],
)
def test_events_are_lines(event, expected):
    assert lines(event) == expected


def test_a_join_tells_the_key_to_who_asked():
    assert lines(Joined(1, 0, GUEST, "wee"), "extended-join") == [
        ":wee!~u@3d025eee.lan JOIN #room-a * :a guest without a key"
    ]


def test_other_messages_are_nothing_to_irc():
    encoder = Encoder(NAMES, frozenset())
    assert encoder.encode(Ack(1)) == encoder.encode(Told("1", 0, KEYED, "ann", GUEST, "wee", b"sealed")) == b""


def test_the_topic_is_the_channels_and_without_one_the_title_is():
    about = Topic(7, 0, KEYED, "ann", "deploy at 5\u202e")
    assert lines(about) == [":ann!u@0b7337479498.lan TOPIC #room-a :deploy at 5<U+202E>"]
    assert lines(Topic(8, 0, KEYED, "ann", "")) == [":ann!u@0b7337479498.lan TOPIC #room-a :Room A"]


def test_what_comes_late_has_its_time_in_the_text_for_who_reads_no_tags():
    late = said("hi", late=True)
    bare = Encoder(NAMES, frozenset()).encode(late).decode()
    time = datetime.fromtimestamp(late.at / 1000).strftime("%H:%M")  # of whoever reads it, in any part of the world
    assert bare == f":ann!u@0b7337479498.lan PRIVMSG #room-a :[{time}] hi\r\n"
    tagged = Encoder(NAMES, frozenset({"server-time"})).encode(late).decode()
    assert tagged == "@time=2023-11-14T22:13:20.123Z :ann!u@0b7337479498.lan PRIVMSG #room-a :hi\r\n"


def test_history_is_a_batch_or_has_its_time_in_the_text():
    batched = Encoder(NAMES, frozenset({"batch", "server-time"})).history([said("hi"), Left(8, 0, GUEST, "wee")])
    assert batched.decode().split("\r\n") == [
        ":ffffffff.lanchat BATCH +past chathistory #room-a",
        "@batch=past;time=2023-11-14T22:13:20.123Z :ann!u@0b7337479498.lan PRIVMSG #room-a :hi",
        ":ffffffff.lanchat BATCH -past",
        "",
    ]
    bare = Encoder(NAMES, frozenset()).history([said("hi")]).decode()
    assert bare.startswith(":ann!u@0b7337479498.lan PRIVMSG #room-a :[") and bare.endswith("] hi\r\n")
    assert Encoder(NAMES, frozenset({"batch"})).history([]) == b""


def test_a_message_of_very_many_lines_is_not_many_times_as_long_on_irc():
    """Else a few of them would fill the outbox of every IRC client."""
    text = "x\n" * 2047
    for capabilities in ALL:
        encoded = Encoder(NAMES, capabilities).encode(said(text))
        assert len(encoded) < 5 * len(text)
    *_, last = lines(said("x\n" * 150))
    assert last.endswith(":" + " / ".join(["x"] * 51) + " / ")


@given(st.text(max_size=1500), st.sampled_from(ALL), st.booleans())
def test_no_text_breaks_out_of_its_line(text, capabilities, action):
    encoder = Encoder(NAMES, capabilities)
    for event in (
        said(text, action=action),
        Left(8, 0, GUEST, "wee", "", text),
        Closing("rules", text),
        Told("1", 0, KEYED, "ann", GUEST, "wee", text=text),
    ):
        encoded = encoder.encode(event)
        for raw in encoded.split(b"\r\n")[:-1]:
            _, _, body = raw.rpartition(b" :ann!") if raw.startswith(b"@") else ("", "", raw)
            assert len(body) <= MAX_LINE - 2 and not {0, 10, 13, 27} & set(raw)
            line = parse(raw)
            assert line is not None and line.command in ("PRIVMSG", "BATCH", "QUIT", "ERROR")
