"""Several hosts of one room on one engine: one order, one roster, one set of rules."""

import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from lanchat.api.room import JoinedRoom
from lanchat.client.events import Connected, Disconnected, ListedPeople, PrivateMessage
from lanchat.errors import LanchatError
from lanchat.protocol.file_messages import FileSend
from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import Joined, Left, Notice, Record, Renamed, Said
from lanchat.protocol.people import Crowd
from lanchat.protocol.status import Status
from lanchat.protocol.timing import Timing
from lanchat.protocol.topic import Topic
from lanchat.server.engine.hub import EngineHub
from lanchat.server.engine.log import EngineLog
from lanchat.server.engine.redis_log import RedisLog
from lanchat.server.engine.shared_log import EngineAway
from lanchat.server.host import Host
from lanchat.storage.blobs import Blobs
from lanchat.storage.sqlite_log import SqliteLog
from lanchat.storage.store import Store
from lanchat.storage.unfinished import remember
from tests.support.engines import RedisProcess
from tests.support.files import digest, file_of
from tests.support.people import Listener, PlainClient, cut
from tests.support.transfers import LIMITS
from tests.support.waiting import PATIENCE, wait_until

QUICK = Timing(engine_read=0.05, engine_retry=0.02, beat=0.05, ghosts=0.3)


class NotingLog(EngineLog):
    """Notes what had been said when it was to be stored."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.said: list[str] = []
        self.commits: list[tuple[str, ...]] = []

    def append(self, records: Sequence[Record]) -> int:
        self.said += [record.text for record in records if isinstance(record, Said)]
        return super().append(records)

    def commit(self) -> None:
        self.commits.append(tuple(self.said))
        super().commit()


class Serve:
    """`serve("hal")`: hal's host of one room; `serve("ida")`: another one of the same room, with a file of its own."""

    def __init__(self, folder: Path, server: RedisProcess, host: Any, identity: Any) -> None:
        self.server, self.room = server, secrets.token_hex(16)
        self.logs: dict[str, NotingLog] = {}
        self._folder, self._host, self._identity = folder, host, identity

    def __call__(self, nick: str, *, say: Callable[[str], None] = lambda text: None, **options: Any) -> Host:
        (self._folder / nick).mkdir(exist_ok=True)  # each has the term of its numbers beside its log
        own, owner = self._identity(nick).id, self._identity("hal").id
        options = {"timing": QUICK, "make_hub": partial(EngineHub, say=say), **options}
        timing = options["timing"]
        shared = RedisLog(self.server.address, self.room, own, owner, timing=timing)
        log = self.logs[nick] = NotingLog(self._folder / nick / "log.db", shared, timing=timing)
        return self._host(nick=nick, room_id=self.room, log=log, **options)  # type: ignore[no-any-return]


@pytest.fixture
def serve(host: Any, tmp_path: Path, identity: Any, redis: RedisProcess) -> Serve:
    return Serve(tmp_path, redis, host, identity)


def names(room: Host) -> list[str]:
    return sorted(member.nick for member in list(room._room.members))


def kill(room: Host) -> None:
    """A host says nothing more, neither to the engine nor to its people."""
    room._hub._pipeline.close()  # type: ignore[attr-defined]
    cut(room)


def end_lease(room: Host, server: RedisProcess) -> None:
    """The engine has not heard this host for so long that its lease is over."""
    keys = f"{{lanchat:{room.room_id}}}:"
    server.command("HSET", f"{keys}meta", "spared", "0")
    server.command("ZADD", f"{keys}leases", "1", room.identity.id)


def is_over(room: Host, other: Host, server: RedisProcess) -> bool:
    """Have the lease of a host end, unless a beat was on its way. Returns whether the other host knows that it has."""
    end_lease(room, server)
    return bool(other._hub._people.is_alone)  # type: ignore[attr-defined]


def stand_still(room: Host, other: Host, server: RedisProcess, meanwhile: Callable[[], None] = lambda: None) -> None:
    """A host says nothing to the engine until the other one counts it as gone."""
    with room._hub._pipeline._lock:  # type: ignore[attr-defined]
        wait_until(lambda: is_over(room, other, server), what="the lease to end")
        meanwhile()


def leases(room: Host, who: Listener, nick: str) -> int:
    """How many hosts this member is at, as this host knows it."""
    return len(room._hub._people.leases(who.me, nick))  # type: ignore[attr-defined]


def test_people_at_two_hosts_hear_everything_in_one_order(serve, join):
    first, second = serve("hal"), serve("ida")
    ann, bob = Listener(join(first, "ann")), Listener(join(second, "bob"))
    ann.hear_kind(Joined, nick="bob")
    for n in range(20):
        ann.member.outgoing.say(f"ann {n}")
        bob.member.outgoing.say(f"bob {n}")
    for listener in (ann, bob):
        listener.hear(partial(lambda one: len(one.texts) == 40, listener))
    assert ann.texts == bob.texts
    assert [text for text in ann.texts if text.startswith("bob")] == [f"bob {n}" for n in range(20)]
    for listener in (ann, bob):
        wait_until(partial(lambda one: not one.member.delivery.waiting, listener))


def test_what_is_said_at_another_host_is_stored_with_what_follows(serve, join):
    first, second = serve("hal"), serve("ida", timing=replace(QUICK, engine_store=3600.0))
    ann, bob = Listener(join(first, "ann")), Listener(join(second, "bob"))
    bob.hear_kind(Connected)
    ann.member.outgoing.say("from ann")
    bob.hear(lambda: bob.texts == ["from ann"])
    bob.member.outgoing.say("from bob")
    wait_until(lambda: not bob.member.delivery.waiting, what="the disk of bob's host")
    assert serve.logs["ida"].commits[-1] == ("from ann", "from bob")
    assert ("from ann",) not in serve.logs["ida"].commits


def test_what_is_said_at_another_host_is_stored_soon_even_if_nothing_follows(serve, join):
    first, second = serve("hal"), serve("ida")
    ann, bob = Listener(join(first, "ann")), Listener(join(second, "bob"))
    bob.hear_kind(Connected)
    ann.member.outgoing.say("from ann")
    wait_until(lambda: ("from ann",) in serve.logs["ida"].commits)


def test_both_hosts_have_one_list_of_people(serve, join):
    first, second = serve("hal"), serve("ida")
    ann, bob = Listener(join(first, "ann")), Listener(join(second, "bob"))
    cat = Listener(join(second, "cat"))
    ann.hear_kind(Joined, nick="cat")
    assert names(first) == names(second) == ["ann", "bob", "cat"]
    cat.member.outgoing.rename("kat")
    ann.hear_kind(Renamed, to="kat")
    cat.member.close()
    ann.hear_kind(Left, nick="kat")
    bob.member.outgoing.away("lunch")
    ann.hear_kind(Status, nick="bob", away="lunch")
    late = Listener(join(serve("joe"), "dan"))
    ann.hear_kind(Joined, nick="dan")
    late.hear_kind(Connected)
    [connected] = [item for item in late.items if isinstance(item, Connected)]
    assert [(there.nick, there.away) for there in sorted(connected.present, key=lambda there: there.nick)] == [
        ("ann", ""),
        ("bob", "lunch"),
    ]


def test_a_nick_is_given_once_however_many_want_it_at_once(serve):
    rooms = [serve(nick, plain_port=0) for nick in ("hal", "ida", "joe")]
    clients = [PlainClient(room.ports["plain"]) for room in rooms]
    for client in clients:
        client.send(b"bob\n")
    got = [client.until(b"/help tells what else you can do.\n") for client in clients]
    assert sum(b"The nick bob is taken" in text for text in got) == 2
    for client in clients:
        client.socket.close()


def test_who_is_banned_at_one_host_comes_in_at_none(serve, join):
    first, second = serve("hal"), serve("ida")
    hal = Listener(join(first, "hal"))
    eve, dan = Listener(join(second, "eve")), Listener(join(second, "dan"))
    hal.hear_kind(Joined, nick="dan")
    hal.member.outgoing.moderate("ban", "eve")
    assert "banned" in str(eve.end())
    for listener in (hal, dan):
        listener.hear_kind(Left, nick="eve", code="banned")
    for room in (first, second, serve("joe")):
        with pytest.raises(LanchatError, match="banned"):
            join(room, "eve")
    hal.member.outgoing.moderate("kick", "dan")
    assert "removed you" in str(dan.end())
    hal.member.outgoing.moderate("unban", "eve")
    hal.hear_kind(Notice, text="eve may come back.")
    hal.member.outgoing.moderate("lock")
    hal.hear_kind(Notice, text="The room is locked: nobody new is admitted.")
    wait_until(lambda: second._room.access.locked, what="the other host to know it")
    join(second, "eve")
    with pytest.raises(LanchatError, match="locked"):
        join(second, "zoe")


def test_a_member_with_sessions_at_two_hosts_leaves_with_the_last_one(serve, join):
    first, second = serve("hal"), serve("ida")
    bob = Listener(join(first, "bob"))
    at_first, at_second = Listener(join(first, "ann")), Listener(join(second, "ann"))
    wait_until(lambda: leases(second, at_second, "ann") == leases(first, at_first, "ann") == 2)
    at_first.member.close()
    wait_until(lambda: leases(second, at_second, "ann") == leases(first, at_first, "ann") == 1)
    bob.round_trip("still here")
    at_second.member.close()
    bob.hear_kind(Left, nick="ann")
    assert [(type(item), item.nick) for item in bob.items if isinstance(item, Joined | Left)][1:] == [
        (Joined, "ann"),
        (Left, "ann"),
    ]


def test_the_people_of_a_dead_host_have_left_once_its_lease_is_over(serve, join, redis):
    first, second = serve("hal"), serve("ida")
    bob, ann = Listener(join(second, "bob")), Listener(join(first, "ann"))
    cat = join(first, "cat")
    bob.hear_kind(Joined, nick="cat")
    kill(first)
    ann = Listener(join(second, "ann"))
    end_lease(first, redis)
    bob.hear_kind(Left, nick="cat", code="lost")
    assert not [item for item in bob.items if isinstance(item, Left) and item.nick == "ann"], "she has moved"
    ann.round_trip("here")
    assert names(second) == ["ann", "bob"]
    cat.close()


def test_a_host_that_stood_still_for_too_long_sends_its_people_away_and_hosts_again(serve, join, redis):
    told: list[str] = []
    first, second = serve("hal", say=told.append), serve("ida")
    ann, bob = Listener(join(first, "ann")), Listener(join(second, "bob"))
    ann.round_trip("before")
    with first._hub._pipeline._lock:  # it cannot beat
        ann.member.outgoing.say("meanwhile")
        wait_until(lambda: is_over(first, second, redis), what="its lease to end")
        bob.hear_kind(Left, nick="ann")
        bob.round_trip("at the other host")
    ann.hear_kind(Disconnected, moved=True)  # in this test the other host is where this one is
    wait_until(lambda: told, what="its person to be told")
    assert [line.startswith("This computer stood still for too long") for line in told] == [True]
    for listener in (ann, bob):
        listener.hear(partial(lambda one: len(one.texts) == 3, listener), "everything, each line once")
    ann.round_trip("after")
    bob.hear_text("after")
    assert ann.texts == bob.texts == ["before", "at the other host", "meanwhile", "after"]
    wait_until(lambda: names(first) == names(second) == ["ann", "bob"])


@pytest.mark.full
def test_a_host_that_is_cut_off_from_the_engine_says_so_and_what_waits_there_goes_out_once(
    serve, join, redis, monkeypatch
):
    first, second = serve("hal"), serve("ida")
    ann, bob = Listener(join(first, "ann")), Listener(join(second, "bob"))
    ann.round_trip("before")
    bob.hear_text("before")

    def away(*_: Any, **__: Any) -> Any:
        raise EngineAway("Cannot reach Redis.")

    with monkeypatch.context() as cable:
        for call in ("append", "read", "beat"):
            cable.setattr(serve.logs["ida"].shared, call, away)
        bob.hear_kind(Notice, code="paused")
        bob.member.outgoing.say("meanwhile")
        wait_until(lambda: is_over(second, first, redis), what="its lease to end")
        ann.hear_kind(Left, nick="bob")
        ann.round_trip("at the other host")
    bob.hear_kind(Disconnected, moved=True)  # in this test the other host is where this one is
    for listener in (ann, bob):
        listener.hear(partial(lambda one: len(one.texts) == 3, listener), "everything, each line once")
    bob.round_trip("after")
    ann.hear_text("after")
    assert ann.texts == bob.texts == ["before", "at the other host", "meanwhile", "after"]


def test_two_hosts_agree_when_the_room_is_a_crowd(serve, join):
    few = replace(DEFAULT_LIMITS, crowd=3, crowd_over=3)
    first, second = serve("hal", limits=few), serve("ida", limits=few)
    ann, bob = Listener(join(first, "ann")), Listener(join(second, "bob"))
    others = [join(first, "cat"), join(second, "dan")]
    for listener in (ann, bob):
        listener.hear_kind(Crowd, people=4)
    assert first._room.crowd and second._room.crowd
    for other in others:
        other.close()
    for listener in (ann, bob):
        listener.hear_kind(ListedPeople, all=True)
    assert not first._room.crowd and not second._room.crowd
    eve = join(first, "eve")
    for listener in (ann, bob):
        listener.hear_kind(Joined, nick="eve")
    eve.close()


def test_who_is_back_at_a_host_that_stood_still_before_others_miss_them_has_not_left(serve, join, redis):
    patient = replace(QUICK, ghosts=PATIENCE)
    first, second = serve("hal", timing=patient), serve("ida", timing=patient)
    bob, ann = Listener(join(second, "bob")), Listener(join(first, "ann"))
    bob.hear_kind(Joined, nick="ann")
    stand_still(first, second, redis)
    ann.hear_kind(Disconnected, moved=True)
    ann.round_trip("after")
    bob.hear_text("after")
    assert [type(item) for item in bob.items if isinstance(item, Joined | Left) and item.nick == "ann"] == [Joined]
    wait_until(lambda: leases(second, ann, "ann") == 1)


def test_who_comes_while_a_host_stands_still_comes_in_after_it(serve, join, redis):
    first, second = serve("hal"), serve("ida")
    bob = Listener(join(second, "bob"))
    come = threading.Thread(target=join, args=(first, "cat"))
    stand_still(first, second, redis, come.start)
    bob.hear_kind(Joined, nick="cat")
    come.join()


def test_a_host_that_stood_still_does_not_push_out_another_with_its_key(serve, join, redis):
    told: list[str] = []
    first, second = serve("hal", say=told.append), serve("ida")
    ann, bob = Listener(join(first, "ann")), Listener(join(second, "bob"))
    ann.hear_kind(Joined, nick="bob")  # so the first host knows of the second one, where its people can go on
    RedisLog(redis.address, serve.room, first.identity.id, first.identity.id, timing=QUICK).enter(0, known=True)
    wait_until(lambda: told, what="its person to be told")
    assert told[0].startswith("This computer does not host the room any more: another one hosts it by the same key.")
    ann.hear_kind(Disconnected, moved=True)
    bob.round_trip("after")


def test_a_private_message_reaches_somebody_at_another_host(serve, join):
    first, second = serve("hal"), serve("ida")
    ann, bob = Listener(join(first, "ann")), Listener(join(second, "bob"))
    other = Listener(join(second, "ann"))
    ann.hear_kind(Joined, nick="bob")
    wait_until(lambda: leases(first, ann, "ann") == 2)
    ann.member.outgoing.tell("bob", "psst", to=bob.me)
    bob.hear_kind(PrivateMessage, text="psst")
    other.hear_kind(PrivateMessage, text="psst")
    wait_until(lambda: not ann.member.delivery.waiting)
    wait_until(lambda: not first._room.private.waiting(bob.me), what="the first host to know that it has come")


def test_a_private_message_to_somebody_who_is_away_waits_at_every_host(serve, join):
    first, second = serve("hal"), serve("ida")
    bob, ann = Listener(join(second, "bob")), Listener(join(first, "ann"))
    id = bob.me
    bob.member.close()
    ann.hear_kind(Left, nick="bob")
    ann.member.outgoing.tell("bob", "psst", to=id)
    wait_until(lambda: not ann.member.delivery.waiting)
    third = serve("joe")
    Listener(join(third, "bob")).hear_kind(PrivateMessage, text="psst")
    for room in (first, second, third):
        wait_until(partial(lambda room: not list(room._room.private.all()), room))


def test_what_a_guest_is_told_at_another_host_waits_nowhere(serve, join):
    first, second = serve("hal"), serve("ida", plain_port=0)
    guest = PlainClient(second.ports["plain"])
    guest.send(b"gus\n")
    guest.until(b"/help tells what else you can do.\n")
    ann = Listener(join(first, "ann"))
    ann.member.outgoing.tell("gus", "psst", to=next(m.id for m in list(first._room.members) if m.nick == "gus"))
    guest.until(b"psst")
    guest.socket.close()


def test_a_file_is_at_the_host_that_it_came_to_and_the_others_say_so(serve, enter, join, tmp_path):
    with Blobs(tmp_path / "one", LIMITS) as here, Blobs(tmp_path / "two", LIMITS) as there:
        first, second = serve("hal", blobs=here), serve("ida", blobs=there)
        ann, bob = enter(first, "ann"), enter(second, "bob")
        source = file_of(tmp_path / "ann", "report.pdf")
        assert ann.send_file(source).sha256 == digest(source)
        wait_until(lambda: any(known.sha256 for known in second._room.files.all.values()))
        with pytest.raises(LanchatError, match="report.pdf is on the computer of another host"):
            bob.fetch("report.pdf", tmp_path)
        assert digest(enter(first, "cat").fetch("report.pdf", tmp_path)) == digest(source)
        second.close()
        again = serve("ida", blobs=there)
        Listener(join(again, "dan")).round_trip("hi")
        assert len(first._room.files.all) == len(again._room.files.all) == 1, "nobody takes it for lost"
        for room in (first, again):
            room.close()


def stored(room: JoinedRoom) -> list[tuple[str, str]]:
    """The names of the files that are whole, and the computers that have them; "": their host has."""
    return [(entry.name, entry.elsewhere) for entry in room.files if entry.sha256]


def test_a_file_for_one_person_is_listed_at_whichever_host_they_are(serve, enter, tmp_path):
    with Blobs(tmp_path / "one", LIMITS) as here, Blobs(tmp_path / "two", LIMITS) as there:
        first, second = serve("hal", blobs=here), serve("ida", blobs=there)
        bob, eve = enter(second, "bob"), enter(second, "eve")
        wait_until(lambda: first.people == 2, what="both to be known at ann's host")
        ann = enter(first, "ann")
        sent = ann.send_file(file_of(tmp_path / "ann", "for bob.pdf"), to="bob")
        wait_until(lambda: stored(bob) == [("for bob.pdf", "another host")], what="the file")
        assert stored(ann) == [("for bob.pdf", "")] and stored(eve) == []
        second.close()
        again = serve("ida", blobs=there)
        bob = enter(again, "bob")
        wait_until(lambda: stored(bob) == [("for bob.pdf", "another host")], what="the file, as it was")
        enter(again, "ann").remove_file(sent.file)
        wait_until(lambda: stored(ann) == stored(bob) == [], what="ann to have taken it back")
        wait_until(lambda: not here.have(sent.file), what="the bytes to be gone")
        for room in (first, again):
            room.close()


@pytest.mark.full
def test_a_sender_whose_host_is_gone_sends_the_file_to_the_next_one(serve, enter, tmp_path):
    """That one has heard of the file from the other one."""
    with Blobs(tmp_path / "one", LIMITS) as here, Blobs(tmp_path / "two", LIMITS) as there:
        first, second = serve("hal", blobs=here), serve("ida", blobs=there)
        bob = enter(first, "bob")
        source, id = file_of(tmp_path / "ann", "report.pdf"), "7" * 32
        enter(second, "ann")._member.delivery.host.ask(FileSend(id, source.name, source.stat().st_size))
        wait_until(lambda: [entry.elsewhere for entry in bob.files] == ["another host"], what="the offer")
        second.close()
        ann = enter(first, "ann")
        kept = remember(tmp_path, id, source)
        ann._member.transfers.send(ann._member.transfers.open(source), lambda transfer: None, kept).wait(PATIENCE)
        wait_until(lambda: stored(bob) == [("report.pdf", "")], what="the whole file")
        first.close()


def test_a_new_host_gets_the_past_of_a_room_that_was_there_before_its_engine(serve, host, join, tmp_path):
    (tmp_path / "hal").mkdir()
    alone = host(nick="hal", room_id=serve.room, log=SqliteLog(tmp_path / "hal" / "log.db"))
    hal, ann, bob = (Listener(join(alone, nick)) for nick in ("hal", "ann", "bob"))
    ann.round_trip("before the engine")
    hal.member.outgoing.moderate("topic", text="Deploy at 5")
    ann.hear_kind(Topic, topic="Deploy at 5")
    id = bob.me
    bob.member.close()
    ann.hear_kind(Left, nick="bob")
    ann.member.outgoing.tell("bob", "psst", to=id)
    wait_until(lambda: not ann.member.delivery.waiting)
    alone.close()

    first, second = serve("hal"), serve("ida")
    bob = Listener(join(second, "bob"))
    bob.hear_text("before the engine")
    bob.hear_kind(PrivateMessage, text="psst")
    assert second._room.topic == first._room.topic == "Deploy at 5"
    with pytest.raises(LanchatError, match="belongs to somebody who was here before"):
        join(second, "ann", owner="cat")
    bob.round_trip("after")
    second.close()
    assert texts(tmp_path / "ida" / "log.db") == ["before the engine", "after"]


def test_a_new_host_takes_what_the_engine_still_has(serve, join):
    first = serve("hal")
    hal, ann, bob, zoe = (Listener(join(first, nick)) for nick in ("hal", "ann", "bob", "zoe"))
    id = bob.me
    for gone in (bob, zoe):
        gone.member.close()
    ann.hear_kind(Left, nick="bob")
    ann.hear_kind(Left, nick="zoe")
    ann.member.outgoing.tell("bob", "psst", to=id)
    hal.member.outgoing.moderate("topic", text="Deploy at 5")
    ann.hear_kind(Topic, topic="Deploy at 5")
    for text in ("one", "two", "three"):
        ann.round_trip(text)
    wait_until(lambda: not ann.member.delivery.waiting)
    first._hub._pipeline._keep = 1
    log = f"{{lanchat:{serve.room}}}:log"
    wait_until(lambda: serve.server.command("XLEN", log) == b":1\r\n", what="the engine to drop the past")

    second = serve("ida")
    bob = Listener(join(second, "bob"))
    bob.hear_kind(PrivateMessage, text="psst")
    bob.hear_text("three")
    assert (second._room.topic, bob.texts) == ("Deploy at 5", ["three"])
    with pytest.raises(LanchatError, match="belongs to somebody who was here before"):
        join(second, "zoe", owner="cat")


def texts(path: Path) -> list[str]:
    with closing(Store(path, durable=False)) as store:
        return [event.text for event in store.last(1000, 1 << 20) if isinstance(event, Said)]


def test_many_who_come_at_once_come_in_by_few_calls_and_each_has_a_nick_of_their_own(serve):
    rooms = [serve(nick, plain_port=0) for nick in ("hal", "ida")]
    clients = [PlainClient(rooms[number % 2].ports["plain"]) for number in range(40)]
    for number, client in enumerate(clients):
        client.send(f"guest{number % 30}\n".encode())
    for client in clients:
        client.until(b"/help tells what else you can do.\n")
    for room in rooms:
        wait_until(partial(lambda room: room.people == 40, room))
        assert len(set(names(room))) == 40
    for client in clients:
        client.socket.close()
