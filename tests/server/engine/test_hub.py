"""A room whose numbers come from an engine: nothing is heard before it is there, and nothing is lost or comes twice."""

import secrets
import shutil
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from lanchat.client.events import PrivateMessage
from lanchat.errors import LanchatError, Refused
from lanchat.protocol.closings import is_paused
from lanchat.protocol.framing import encode, encode_lines
from lanchat.protocol.limits import NO_LIMITS
from lanchat.protocol.messages import FromMember, Joined, Left, Notice, Rename, Renamed, Said, Say, Welcome
from lanchat.protocol.timing import Timing
from lanchat.server.engine.hub import EngineHub
from lanchat.server.engine.log import EngineLog
from lanchat.server.engine.redis_log import RedisLog
from lanchat.server.host import Host
from lanchat.storage.blobs import Blobs
from lanchat.storage.sqlite_log import SqliteLog
from lanchat.storage.store import Store
from tests.support.engines import RedisProcess
from tests.support.files import digest, file_of
from tests.support.page import PageClient
from tests.support.people import Listener, PlainClient, cut, link_of, lose
from tests.support.transfers import LIMITS
from tests.support.waiting import wait_until

QUICK = Timing(engine_read=0.05, engine_retry=0.02, beat=0.05)
Serve = Callable[..., Host]


@pytest.fixture
def serve(host: Any, tmp_path: Path, identity: Any, redis: RedisProcess) -> Serve:
    """`serve(...)`: a host of one room at the engine of all tests; the next one continues the same room."""
    room = secrets.token_hex(16)

    def open_room(*, server: RedisProcess = redis, restore: bool = False, name: str = "log.db", **options: Any) -> Host:
        ann = identity("hal").id
        shared = RedisLog(server.address, room, ann, ann, timing=QUICK)
        options = {"plain_port": 0, "timing": QUICK, **options}
        log = EngineLog(tmp_path / name, shared, restore=restore, timing=QUICK)
        say = options.pop("say", lambda text: None)
        return host(room_id=room, log=log, make_hub=partial(EngineHub, say=say), **options)  # type: ignore[no-any-return]

    return open_room


def stored(path):
    store = Store(path, durable=False)
    with closing(store):
        return store.last(1000, 1 << 20)


def test_what_is_said_comes_to_everybody_in_one_order_and_is_acknowledged(serve, join):
    room = serve()
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob"))
    for n in range(20):
        ann.member.outgoing.say(f"ann {n}")
        bob.member.outgoing.say(f"bob {n}")
    ann.hear(lambda: len(ann.texts) == 40)
    bob.hear(lambda: len(bob.texts) == 40)
    assert ann.texts == bob.texts
    assert [text for text in ann.texts if text.startswith("ann")] == [f"ann {n}" for n in range(20)]
    wait_until(lambda: not ann.member.delivery.waiting)


def test_joins_leaves_and_renames_come_back_from_the_engine(serve, join):
    room = serve()
    ann = Listener(join(room, "ann"))
    bob = join(room, "bob")
    ann.hear_kind(Joined, nick="bob")
    bob.outgoing.rename("rob")
    ann.hear_kind(Renamed, to="rob")
    bob.close()
    ann.hear_kind(Left, nick="rob")
    assert room.people == 1


def test_what_one_says_and_does_at_once_happens_in_its_order(serve, join):
    room = serve()
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob"))
    messages: list[FromMember] = [Say("1", "one"), Say("2", "two"), Rename("rob"), Say("3", "three"), Say("4", "four")]
    link_of(bob.member).send(encode_lines(messages))
    ann.hear(lambda: len(ann.texts) == 4)
    heard = [(item.nick, getattr(item, "text", "")) for item in ann.items if isinstance(item, Said | Renamed)]
    assert heard == [("bob", "one"), ("bob", "two"), ("bob", ""), ("rob", "three"), ("rob", "four")]


def test_two_who_want_one_nick_at_once_do_not_both_get_it(serve):
    room = serve()
    clients = [PlainClient(room.ports["plain"]) for _ in range(2)]
    for client in clients:
        client.send(b"bob\n")
    got = [client.until(b"/help tells what else you can do.\n") for client in clients]
    assert sum(b"The nick bob is taken" in text for text in got) == 1
    for client in clients:
        client.socket.close()


def test_who_is_away_makes_room_in_a_full_room(serve, join):
    limits, timing = replace(NO_LIMITS, members=2), replace(QUICK, web_absence=60.0)
    room = serve(web_port=0, limits=limits, timing=timing)
    ann = Listener(join(room, "ann"))
    with closing(PageClient(room.ports["web"], "zoe")) as zoe:
        zoe.next(Welcome)
    wait_until(lambda: room._hub.sessions._absent)
    bob = Listener(join(room, "bob"))
    ann.hear_kind(Left, nick="zoe", code="lost")
    ann.hear_kind(Joined, nick="bob")
    bob.round_trip("hi")


def test_a_host_that_starts_again_has_what_was_said_and_goes_on_with_its_numbers(serve, join, tmp_path):
    room = serve()
    ann = Listener(join(room, "ann"))
    ann.round_trip("before")
    seq = ann.seqs[-1]
    room.close()

    again = serve()
    later = Listener(join(again, "bob"))
    later.hear_text("before")
    later.round_trip("after")
    assert [seq + 1 < n < seq + 5 for n in later.seqs[-1:]] == [True], "the numbers of one term go on"
    again.close()
    assert [event.text for event in stored(tmp_path / "log.db") if hasattr(event, "text")] == ["before", "after"]


def test_a_host_that_lost_its_last_lines_gets_them_from_the_engine(serve, join, tmp_path):
    room = serve()
    ann = Listener(join(room, "ann"))
    ann.round_trip("kept")
    room.close()
    shutil.copy(tmp_path / "log.db", tmp_path / "older.db")
    room = serve()
    ann = Listener(join(room, "ann"))
    ann.round_trip("only at the engine")
    ann.member.outgoing.rename("anna")
    ann.hear_kind(Renamed, to="anna")
    room.close()

    again = serve(name="older.db")
    bob = Listener(join(again, "bob"))
    bob.hear_text("only at the engine")
    with pytest.raises(LanchatError, match="belongs to somebody who was here before"):
        join(again, "anna", owner="cat")
    bob.round_trip("and on")
    again.close()
    texts = [event.text for event in stored(tmp_path / "older.db") if hasattr(event, "text")]
    assert texts == ["kept", "only at the engine", "and on"]


def test_while_the_engine_is_away_lines_wait_and_everybody_is_told(serve, join, own_redis, identity):
    server = own_redis()
    told: list[str] = []
    room = serve(server=server, say=told.append)
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob"))
    ann.round_trip("before")
    server.kill()
    for listener in (ann, bob):
        listener.hear_kind(Notice, code="paused")
    for n in range(5):
        ann.member.outgoing.say(f"meanwhile {n}")
    with pytest.raises(
        Refused, match="The room is paused: the server that keeps its messages does not answer"
    ) as refused:
        join(room, "cat")
    assert is_paused(refused.value), "so that a program waits"
    assert not [text for text in bob.texts if text.startswith("meanwhile")]
    server.start()
    bob.hear_text("meanwhile 4")
    bob.hear_kind(Notice, code="resumed")
    assert [text for text in bob.texts if text.startswith("meanwhile")] == [f"meanwhile {n}" for n in range(5)]
    wait_until(lambda: not ann.member.delivery.waiting)
    assert told[0].startswith(f"Cannot reach Redis at 127.0.0.1:{server.port} (")
    assert told[0].endswith("Messages wait here, at most 10,000 lines of them.")
    assert told[1].startswith(f"Redis at 127.0.0.1:{server.port} answers again")
    Listener(join(room, "cat")).hear_text("meanwhile 4")


def test_what_waits_for_something_else_while_the_engine_is_away_is_bounded(serve, join, own_redis, monkeypatch):
    monkeypatch.setattr("lanchat.server.engine.held.MOST", 3)
    server = own_redis()
    room = serve(server=server)
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob"))
    server.kill()
    bob.hear_kind(Notice, code="paused")
    ann.member.outgoing.say("one")
    ann.member.outgoing.rename("anna")  # what comes after it must wait until it has happened
    for n, text in enumerate(("two", "three"), 1):
        wait_until(partial(lambda n: room._hub._held.lines == n, n))
        ann.member.outgoing.say(text)
    wait_until(lambda: room._hub._held.lines == 3)
    ann.member.outgoing.say("too much")
    words = "Not sent: too much waits for the room's log at the host. Try again later."
    ann.hear_kind(Notice, code="unsent", text=words)
    server.start()
    bob.hear_kind(Renamed, to="anna")
    bob.hear_text("three")
    assert bob.texts == ["one", "two", "three"]


def test_a_lost_answer_makes_no_line_twice(serve, join, own_redis, tmp_path):
    """The engine ends again and again while lines are on their way."""
    server = own_redis()
    room = serve(server=server)
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob"))
    for round in range(4):
        for n in range(10):
            ann.member.outgoing.say(f"{round} {n}")
        server.restart()
        ann.round_trip(f"end {round}")
    bob.hear_text("end 3")
    expected = [text for round in range(4) for text in [*(f"{round} {n}" for n in range(10)), f"end {round}"]]
    assert ann.texts == bob.texts == expected
    room.close()
    assert [event.text for event in stored(tmp_path / "log.db") if hasattr(event, "text")] == expected


def test_a_link_that_is_cut_while_lines_are_on_their_way_loses_none_and_says_none_twice(serve, join):
    room = serve()
    ann, bob = Listener(join(room, "ann", patience=None)), Listener(join(room, "bob", patience=None))
    for n in range(60):
        ann.member.outgoing.say(f"{n}")
        if n % 20 == 10:
            cut(room)
    bob.hear_text("59")
    wait_until(lambda: not ann.member.delivery.waiting)
    assert sorted(bob.texts, key=int) == [str(n) for n in range(60)]


def test_an_engine_that_has_lost_something_ends_the_hosting_in_words(serve, join, own_redis):
    server = own_redis()
    told: list[str] = []
    room = serve(server=server, say=told.append)
    ann = Listener(join(room, "ann"))
    ann.round_trip("one")
    server.command("FLUSHALL")
    assert "has lost a part of this room: it ends at message 0" in str(ann.end())
    wait_until(lambda: told)
    assert told[0].endswith("--restore")
    room.close()
    with pytest.raises(LanchatError, match="has lost a part of this room"):
        serve(server=server)

    again = serve(server=server, restore=True)
    bob = Listener(join(again, "bob"))
    bob.hear_text("one")
    bob.round_trip("two")
    assert bob.seqs == sorted(set(bob.seqs)) and bob.seqs[-1] > ann.seqs[-1]


def test_an_entry_that_is_none_of_ours_ends_the_hosting_in_words(serve, join, redis):
    told: list[str] = []
    room = serve(say=told.append)
    ann = Listener(join(room, "ann"))
    ann.round_trip("one")
    redis.command("XADD", f"{{lanchat:{room.room_id}}}:log", f"{ann.seqs[-1] + 1}-0", "e", b"[" * 50)
    assert "cannot be an entry of this room" in str(ann.end())
    wait_until(lambda: told)


def test_a_second_host_by_the_same_key_makes_the_first_one_stop(serve, join):
    told: list[str] = []
    first = serve(say=told.append)
    ann = Listener(join(first, "ann"))
    ann.round_trip("one")
    serve(name="other.db")
    assert "This computer does not host the room any more" in str(ann.end())


def test_a_room_leaves_the_engine_and_comes_back_with_growing_numbers(serve, host, join, tmp_path):
    room = serve()
    ann = Listener(join(room, "ann"))
    ann.round_trip("one")
    room.close()
    alone = host(room_id=room.room_id, log=SqliteLog(tmp_path / "log.db"))
    bob = Listener(join(alone, "bob"))
    bob.hear_text("one")
    bob.round_trip("two")
    assert bob.seqs[-1] > ann.seqs[-1]
    alone.close()
    again = serve()
    cat = Listener(join(again, "cat"))
    cat.round_trip("three")
    assert [event.text for event in cat.items if isinstance(event, Said)] == ["one", "two", "three"]
    assert cat.seqs == sorted(set(cat.seqs))


def test_an_old_line_that_is_said_again_is_found_in_the_file_of_the_host(serve, join, redis):
    """The engine compares what it gets only with what the host has not read."""
    room = serve()
    ann = Listener(join(room, "ann"))
    ann.round_trip("one")
    first = ann.hear_text("one")
    wait_until(lambda: not ann.member.delivery.waiting, what="the ack, since only what is in the file can be looked up")
    known = room._room.recent.said
    known.clear()
    link_of(ann.member).send(encode(Say(first.id, "one", again=True)))
    wait_until(lambda: (ann.me, first.id) in known, what="the past to be looked up")
    ann.round_trip("two")
    assert ann.texts == ["one", "two"]
    entries = redis.command("XLEN", f"{{lanchat:{room.room_id}}}:log")
    assert entries == b":3\r\n", "that ann came in, and two lines"


def test_private_messages_and_bans_are_kept_by_the_host_as_ever(serve, join):
    room = serve()
    hal, ann = Listener(join(room, "hal")), Listener(join(room, "ann"))
    bob = Listener(join(room, "bob"))
    id, eve = bob.me, join(room, "eve")
    bob.member.close()
    ann.hear_kind(Left, nick="bob")
    ann.member.outgoing.tell("bob", "psst", to=id)
    wait_until(lambda: not ann.member.delivery.waiting)
    hal.member.outgoing.moderate("ban", "eve")
    ann.hear_kind(Left, nick="eve")
    eve.close()
    room.close()

    again = serve()
    bob = Listener(join(again, "bob"))
    bob.hear_kind(PrivateMessage, text="psst")
    with pytest.raises(LanchatError, match="banned"):
        join(again, "eve")


def test_a_file_is_there_for_who_comes_after_the_host_has_started_again(serve, enter, tmp_path):
    files = Blobs(tmp_path / "files", LIMITS)
    room = serve(blobs=files)
    source = file_of(tmp_path / "ann", "report.pdf")
    assert enter(room, "ann").send_file(source).sha256 == digest(source)
    room.close()
    files.close()

    with Blobs(tmp_path / "files", LIMITS) as files:
        again = serve(blobs=files)
        bob = enter(again, "bob")
        assert digest(bob.fetch("report.pdf", tmp_path)) == digest(source)
        bob.remove_file(bob.files[0].file)
        bob.close()
        again.close()


def test_what_is_said_while_the_host_goes_is_heard_from_the_next_one_once(serve, join):
    room = serve()
    ann = Listener(join(room, "ann", patience=None))
    for n in range(50):
        ann.member.outgoing.say(f"{n}")
    lose(room)
    again = serve(port=room.port)
    ann.hear_text("49")
    wait_until(lambda: not ann.member.delivery.waiting)
    bob = Listener(join(again, "bob"))
    bob.hear_text("49")
    assert bob.texts == [f"{n}" for n in range(50)]
