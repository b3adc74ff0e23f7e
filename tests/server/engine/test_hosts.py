"""Several hosts of one room on one engine: one order, one roster, one set of rules."""

import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lanchat.client.events import Connected, PrivateMessage
from lanchat.errors import LanchatError
from lanchat.protocol.messages import Joined, Left, Notice, Renamed
from lanchat.protocol.status import Status
from lanchat.protocol.timing import Timing
from lanchat.server.engine.hub import EngineHub
from lanchat.server.engine.log import EngineLog
from lanchat.server.engine.redis_log import RedisLog
from lanchat.server.host import Host
from tests.support.engines import RedisProcess
from tests.support.people import Listener, PlainClient, cut
from tests.support.waiting import wait_until

QUICK = Timing(engine_read=0.05, engine_retry=0.02, beat=0.05, ghosts=0.3)
Serve = Callable[..., Host]


@pytest.fixture
def serve(host: Any, tmp_path: Path, identity: Any, redis: RedisProcess) -> Serve:
    """`serve("hal")`: hal's host of one room; `serve("ida")`: another one of the same room, with a file of its own."""
    room = secrets.token_hex(16)

    def open_room(nick: str, *, server: RedisProcess = redis, file: str = "", **options: Any) -> Host:
        shared = RedisLog(server.address, room, identity(nick).id, identity("hal").id, timing=QUICK)
        log = EngineLog(tmp_path / f"{file or nick}.db", shared, timing=QUICK)
        say = options.pop("say", lambda text: None)
        options = {"timing": QUICK, "make_hub": partial(EngineHub, say=say), **options}
        return host(nick=nick, room_id=room, log=log, **options)  # type: ignore[no-any-return]

    return open_room


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
        wait_until(partial(lambda one: not one.member.outgoing.waiting, listener))


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
    dan.hear_kind(Left, nick="eve", code="banned")
    for room in (first, second, serve("joe")):
        with pytest.raises(LanchatError, match="banned"):
            join(room, "eve")
    hal.member.outgoing.moderate("kick", "dan")
    assert "removed you" in str(dan.end())
    hal.member.outgoing.moderate("unban", "eve")
    hal.hear_kind(Notice, text="eve may come back.")
    hal.member.outgoing.moderate("lock")
    hal.hear_kind(Notice, text="The room is locked: nobody new is admitted.")
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


def test_a_host_that_was_silent_for_too_long_speaks_no_more(serve, join, redis):
    told: list[str] = []
    first, second = serve("hal", say=told.append), serve("ida")
    ann, bob = Listener(join(first, "ann")), Listener(join(second, "bob"))
    ann.round_trip("before")
    with first._hub._pipeline._lock:  # it cannot beat
        end_lease(first, redis)
        bob.hear_kind(Left, nick="ann")
    assert "has handed the room to somebody else" in str(ann.end()), "it goes on at the other host"
    wait_until(lambda: told)
    assert told[0].startswith("This computer does not host the room any more")
    bob.round_trip("after")
    assert bob.texts == ["before", "after"]


def test_a_private_message_reaches_somebody_at_another_host(serve, join):
    first, second = serve("hal"), serve("ida")
    ann, bob = Listener(join(first, "ann")), Listener(join(second, "bob"))
    other = Listener(join(second, "ann"))
    ann.hear_kind(Joined, nick="bob")
    wait_until(lambda: leases(first, ann, "ann") == 2)
    ann.member.outgoing.tell("bob", "psst", to=bob.me)
    bob.hear_kind(PrivateMessage, text="psst")
    other.hear_kind(PrivateMessage, text="psst")
    wait_until(lambda: not ann.member.outgoing.waiting)
    wait_until(lambda: not list(first._room.private.all()), what="the first host to know that it has come")


def test_a_private_message_to_somebody_who_is_away_waits_at_every_host(serve, join):
    first, second = serve("hal"), serve("ida")
    bob, ann = Listener(join(second, "bob")), Listener(join(first, "ann"))
    id = bob.me
    bob.member.close()
    ann.hear_kind(Left, nick="bob")
    ann.member.outgoing.tell("bob", "psst", to=id)
    wait_until(lambda: not ann.member.outgoing.waiting)
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
