"""CHATHISTORY: the cases that clients rely on, and the room's log behind it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lanchat.errors import LanchatError
from lanchat.protocol.irc.line import Line
from lanchat.protocol.messages import Event, Said
from lanchat.server.host import Host
from lanchat.storage.log import NoLog, Opened
from lanchat.storage.sqlite_log import SqliteLog
from tests.support.irc import IrcClient, parsed
from tests.support.people import Listener
from tests.support.waiting import wait_until

CAPABILITIES = "batch server-time message-tags draft/chathistory"
ANN = "a" * 32
START = 1_700_000_000_000


class Told(NoLog):
    """A log that begins with these events, of which the room has none in memory."""

    def __init__(self, events: Sequence[Event]) -> None:
        super().__init__()
        self._events.extend(events)
        self._begin = len(events)

    def open(self) -> Opened:
        return Opened(seq=self._begin)


def spoken(number: int) -> list[Event]:
    """Messages with the numbers from 1 on, one each second, and their numbers as texts."""
    return [Said(seq, START + seq * 1000, ANN, "ann", str(seq), str(seq)) for seq in range(1, number + 1)]


@pytest.fixture
def talked(host) -> Callable[[int], Host]:
    """`talked(10)`: a room in which so much was said."""
    return lambda number: host("Room A", irc_port=0, log=Told(spoken(number)))


def batch(client: IrcClient, query: str) -> list[Line]:
    """The lines inside the batch that answers, without the two that hold it together."""
    begin, *lines, end = [parsed(line) for line in client.answers(f"CHATHISTORY {query}")]
    assert begin.command == end.command == "BATCH"
    assert end.parameters == (begin.parameters[0].replace("+", "-"),)
    assert {line.tags["batch"] for line in lines} <= {begin.parameters[0][1:]}
    return lines


def texts(client: IrcClient, query: str) -> list[int]:
    return [int(line.parameters[1]) for line in batch(client, query)]


def moment(seq: int) -> str:
    return f"timestamp={datetime.fromtimestamp((START + seq * 1000) / 1000, UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def msgid(room: Host, seq: int) -> str:
    return f"msgid={room.room_id[:8]}-{seq}"


@pytest.mark.parametrize("named", ["msgid", "timestamp"])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("LATEST #room-a * 4", [7, 8, 9, 10]),
        ("LATEST #room-a * 99", list(range(1, 11))),
        ("LATEST #ROOM-A {7} 99", [8, 9, 10]),
        ("LATEST #room-a {5} 3", [8, 9, 10]),
        ("LATEST #room-a {10} 3", []),
        ("BEFORE #room-a {7} 99", [1, 2, 3, 4, 5, 6]),
        ("BEFORE #room-a {7} 2", [5, 6]),
        ("BEFORE #room-a {1} 2", []),
        ("AFTER #room-a {3} 99", [4, 5, 6, 7, 8, 9, 10]),
        ("AFTER #room-a {3} 3", [4, 5, 6]),
        ("AFTER #room-a {10} 3", []),
        ("AROUND #room-a {5} 3", [4, 5, 6]),
        ("AROUND #room-a {5} 1", [5]),
        ("AROUND #room-a {5} 7", [2, 3, 4, 5, 6, 7, 8]),
        ("AROUND #room-a {1} 5", [1, 2, 3, 4, 5]),
        ("AROUND #room-a {10} 4", [7, 8, 9, 10]),
        ("BETWEEN #room-a {1} {10} 99", [2, 3, 4, 5, 6, 7, 8, 9]),
        ("BETWEEN #room-a {10} {1} 99", [2, 3, 4, 5, 6, 7, 8, 9]),
        ("BETWEEN #room-a {1} {10} 3", [2, 3, 4]),
        ("BETWEEN #room-a {10} {1} 3", [7, 8, 9]),
        ("BETWEEN #room-a {4} {4} 3", []),
        ("latest #room-a * 0", []),
        ("LATEST wee * 10", []),
    ],
)
def test_a_part_of_what_was_said(talked, irc, named, query, expected):
    room = talked(10)
    names = [msgid(room, seq) if named == "msgid" else moment(seq) for seq in range(11)]
    assert texts(irc(room, "wee", capabilities=CAPABILITIES), query.format(*names)) == expected


def test_a_time_between_two_messages_is_a_place(talked, irc):
    wee = irc(talked(4), "wee", capabilities=CAPABILITIES)
    between = moment(2).replace(".000Z", ".500Z")
    assert texts(wee, f"BEFORE #room-a {between} 9") == [1, 2]
    assert texts(wee, f"AFTER #room-a {between} 9") == [3, 4]
    assert texts(wee, f"AROUND #room-a {between} 2") == [2, 3]
    assert texts(wee, "AFTER #room-a timestamp=1970-01-01T00:00:00.000Z 9") == [1, 2, 3, 4]
    assert texts(wee, "AFTER #room-a timestamp=9999-12-31T23:59:59.999Z 9") == []


def test_lines_have_the_time_and_the_id_that_they_had_at_first(talked, irc):
    room = talked(2)
    wee = irc(room, "wee", capabilities=CAPABILITIES)
    first, _ = batch(wee, "LATEST #room-a * 9")
    assert first.tags["time"] == moment(1).removeprefix("timestamp=")
    assert first.tags["msgid"] == msgid(room, 1).removeprefix("msgid=")
    assert first.source.startswith("ann!")


def test_what_a_client_has_just_seen_is_there(room, join, irc):
    wee = irc(room, "wee", capabilities=CAPABILITIES + " echo-message")
    for number in range(1, 21):
        wee.send(f"PRIVMSG #room-a :{number}", "CHATHISTORY LATEST #room-a * 1")
        assert parsed(wee.next("PRIVMSG")).tags.get("batch") is None
        assert parsed(wee.next("PRIVMSG")).parameters[1] == str(number)


def test_the_end_of_the_history_is_marked(talked, irc):
    wee = irc(talked(10), "wee", capabilities=CAPABILITIES)

    def ended(query: str) -> bool:
        return "draft/chathistory-end" in parsed(wee.answers(f"CHATHISTORY {query}")[0]).tags

    assert not ended("LATEST #room-a * 9")
    assert ended("LATEST #room-a * 10")
    assert not ended(f"AFTER #room-a {moment(3)} 6")
    assert ended(f"AFTER #room-a {moment(3)} 7")


@pytest.mark.parametrize("query", ["LATEST #room-a * 1000", "LATEST #room-a * 9999", "AFTER #room-a {} 1000"])
def test_there_is_a_limit_and_many_pages_arrive_whole(talked, irc, query):
    wee = irc(talked(1500), "wee", capabilities=CAPABILITIES)
    expected = list(range(1, 1001)) if "AFTER" in query else list(range(501, 1501))
    assert texts(wee, query.format(moment(0))) == expected


def test_messages_are_found_behind_many_that_came_and_went(host, join, irc, tmp_path):
    """So that a client does not take an empty answer for the end. Here the log is a file."""
    room = host("Room A", irc_port=0, log=SqliteLog(tmp_path / "log.sqlite"))
    Listener(join(room, "ann")).round_trip("1")
    people = room.people
    for number in range(30):
        irc(room, f"woo{number}").close()
    wait_until(lambda: room.people == people, what="all of them to be gone")
    plain = irc(room, "wee", capabilities=CAPABILITIES)
    assert texts(plain, "LATEST #room-a * 1") == [1]
    assert texts(plain, "BEFORE #room-a timestamp=9999-12-31T23:59:59.999Z 1") == [1]
    [row] = batch(plain, "TARGETS timestamp=1970-01-01T00:00:00.000Z timestamp=9999-12-31T23:59:59.999Z 5")
    assert row.command == "CHATHISTORY" and row.parameters[:2] == ("TARGETS", "#room-a")
    playing = irc(room, "pat", capabilities=f"{CAPABILITIES} draft/event-playback")
    commands = [line.command for line in batch(playing, "LATEST #room-a * 100")]
    assert commands.count("PRIVMSG") == 1 and commands.count("JOIN") > 30 < commands.count("QUIT") + 1


def test_targets_are_those_whose_last_message_is_in_that_time(talked, irc):
    room = talked(3)
    wee = irc(room, "wee", capabilities=CAPABILITIES)
    assert [line.parameters for line in batch(wee, f"TARGETS {moment(0)} {moment(4)} 9")] == [
        ("TARGETS", "#room-a", moment(3).removeprefix("timestamp=")),
    ]
    assert len(batch(wee, f"TARGETS {moment(4)} {moment(0)} 9")) == 1
    for query in (f"{moment(0)} {moment(3)} 9", f"{moment(0)} {moment(2)} 9", f"{moment(3)} {moment(4)} 9"):
        assert batch(wee, f"TARGETS {query}") == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "NEED_MORE_PARAMS"),
        ("LATEST", "NEED_MORE_PARAMS"),
        ("LATEST #room-a *", "NEED_MORE_PARAMS"),
        ("BETWEEN #room-a * 10", "NEED_MORE_PARAMS"),
        ("NONSENSE #room-a * 10", "UNKNOWN_COMMAND"),
        ("LATEST #other * 10", "INVALID_TARGET"),
        ("LATEST #room-a * ten", "INVALID_PARAMS"),
        ("LATEST #room-a * -1", "INVALID_PARAMS"),
        ("BEFORE #room-a * 10", "INVALID_PARAMS"),
        ("BEFORE #room-a timestamp=yesterday 10", "INVALID_PARAMS"),
        ("BEFORE #room-a timestamp=2020-99-01T00:00:00.000Z 10", "INVALID_PARAMS"),
        ("BEFORE #room-a number=1 10", "INVALID_MSGREFTYPE"),
        ("TARGETS msgid=1 msgid=2 10", "INVALID_PARAMS"),
    ],
)
def test_a_bad_question_is_refused(talked, irc, query, code):
    wee = irc(talked(1), "wee", capabilities=CAPABILITIES)
    [fail] = [parsed(line) for line in wee.answers(f"CHATHISTORY {query}")]
    assert fail.command == "FAIL" and fail.parameters[:2] == ("CHATHISTORY", code)


def test_an_id_of_another_room_names_nothing(talked, irc):
    wee = irc(talked(3), "wee", capabilities=CAPABILITIES)
    for strange in ("msgid=00000000-2", "msgid=x", "msgid=-", "msgid=" + "9" * 30):
        assert batch(wee, f"AFTER #room-a {strange} 9") == []


def test_who_has_parted_reads_no_history(talked, irc):
    wee = irc(talked(3), "wee", capabilities=CAPABILITIES)
    wee.answers("PART #room-a")
    assert wee.numbers("CHATHISTORY LATEST #room-a * 9") == ["FAIL"]


def test_a_client_without_batches_gets_the_lines_alone(talked, irc):
    wee = irc(talked(3), "wee")
    lines = [parsed(line) for line in wee.answers("CHATHISTORY LATEST #room-a * 2")]
    assert [line.command for line in lines] == ["PRIVMSG", "PRIVMSG"]
    assert lines[1].parameters[1].endswith("] 3") and not lines[0].tags


def test_a_label_is_on_the_batch(talked, irc):
    wee = irc(talked(3), "wee", capabilities=f"{CAPABILITIES} labeled-response")
    begin, line, _ = [parsed(line) for line in wee.answers("@label=x1 CHATHISTORY LATEST #room-a * 1")]
    assert begin.tags["label"] == "x1" and "label" not in line.tags
    [fail] = wee.answers("@label=x2 CHATHISTORY LATEST #other * 1")
    assert parsed(fail).tags == {"label": "x2"}


def test_a_log_that_cannot_be_read_ends_no_link(host, irc):
    class Unreadable(NoLog):
        def between(
            self, after: int, before: int, limit: int, *, last: bool = False, said: bool = False
        ) -> list[Event]:
            raise LanchatError("the disk is away")

    wee = irc(host("Room A", irc_port=0, log=Unreadable()), "wee", capabilities=CAPABILITIES)
    assert "MESSAGE_ERROR" in wee.answers("CHATHISTORY LATEST #room-a * 1")[0]


def test_who_reads_history_gets_none_with_the_join(room, join, irc):
    Listener(join(room, "ann")).round_trip("1")
    wee = irc(room, "wee", capabilities=CAPABILITIES)
    assert wee.answers() == []
    assert texts(wee, "LATEST #room-a * 9") == [1]


@pytest.fixture
def room(host) -> Host:
    opened: Host = host("Room A", irc_port=0)
    return opened


def test_a_page_of_a_file_is_what_the_log_in_memory_gives(tmp_path: Path):
    events = spoken(30)
    file, memory = SqliteLog(tmp_path / "log.sqlite"), NoLog()
    file.open()
    file.start(lambda ticket, seq: None)
    memory.start(lambda ticket, seq: None)
    try:
        for at in range(0, 30, 10):
            for log in (file, memory):
                log.append(events[at : at + 10])
                log.commit() if at < 20 else None  # the last ten may still wait for the disk
            for last in (False, True):
                for bounds in ((-1, 99), (0, 5), (5, 25), (25, 26), (29, 99)):
                    got = [log.between(*bounds, 7, last=last, said=True) for log in (file, memory)]
                    assert got[0] == got[1]
            for moment_of in (0, START, START + 5000, START + 5001, START + 40_000):
                places = [log.seq_at(moment_of) for log in (file, memory)]
                assert [[e for e in events if e.seq >= at_] for at_ in places][0] == [
                    e for e in events if e.seq >= places[1]
                ]
    finally:
        file.close()
