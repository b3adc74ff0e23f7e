"""A member that loses its link and reconnects."""

import random
import socket
import sqlite3
import threading
from contextlib import closing

import pytest
from msgspec.structs import replace

import lanchat
from lanchat import errors
from lanchat.api.joining import join_target
from lanchat.api.targets import Target
from lanchat.client.events import Acked, Connected, Disconnected
from lanchat.client.inbound import Inbound
from lanchat.client.member import Member
from lanchat.client.reconnect import (
    HostSearch,
    SameRoom,
    backoff,
    given_up,
    is_another_host,
    is_occupied,
    may_reconnect,
)
from lanchat.network.connect import dial
from lanchat.protocol.address import Endpoint
from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import Card, Said, Say
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.room import recent as recent_module
from lanchat.server.host import Host
from lanchat.server.term import Term
from lanchat.storage import outbox
from lanchat.storage.known_hosts import KnownHosts
from lanchat.storage.log import ignore
from lanchat.storage.member_store import DiskStore, NoStore
from lanchat.storage.sqlite_log import SqliteLog
from lanchat.threads import now_ms
from tests.support.cases import cases
from tests.support.people import Listener, cut
from tests.support.waiting import PATIENCE, wait_until


def test_a_reconnect_leaves_no_gap_and_no_duplicate(host, join):
    room = host()
    ann, bob = Listener(join(room, "ann", patience=None)), Listener(join(room, "bob", patience=None))
    for round in range(3):
        ann.member.outgoing.say(f"before {round}")
        bob.hear_text(f"before {round}")
        cut(room)
        ann.member.outgoing.say(f"during {round}")
        bob.member.outgoing.say(f"answer {round}")
        for one in (ann, bob):
            one.hear_text(f"during {round}")
            one.hear_text(f"answer {round}")
    for one in (ann, bob):
        assert len(one.texts) == len(set(one.texts)) == 9
        assert sum(isinstance(item, Disconnected) for item in one.items) >= 1
        assert any(isinstance(item, Connected) and item.again for item in one.items)
    assert sorted(ann.texts) == sorted(bob.texts) and ann.texts == bob.texts


def test_who_comes_back_another_day_gets_all_that_was_said_meanwhile(host, join, own_world, tmp_path):
    """Not the last 50 messages alone, and each once; a program is given those alone."""
    room = host(log=SqliteLog(tmp_path / "log.db"))
    ann = Listener(join(room, "ann"))
    target = Target((Endpoint("127.0.0.1", room.port),))

    def stay(last: str, *, catch_up: bool) -> list[str]:
        texts: list[str] = []
        with join_target(target, "bob", catch_up=catch_up) as bob:
            while last not in texts:
                texts += [item.text for item in bob.take(PATIENCE) if isinstance(item, Said)]
        return texts

    ann.member.outgoing.say("before")
    ann.hear_text("before")
    assert stay("before", catch_up=True) == ["before"]
    for number in range(300):
        ann.member.outgoing.say(str(number))
    ann.hear_text("299")
    assert stay("299", catch_up=True) == [str(number) for number in range(300)]
    assert stay("299", catch_up=True) == [str(number) for number in range(250, 300)], "nothing was missed"
    for number in range(300, 400):
        ann.member.outgoing.say(str(number))
    ann.hear_text("399")
    assert stay("399", catch_up=False) == [str(number) for number in range(350, 400)]


def test_who_was_with_a_half_of_the_room_that_is_gone_gets_all_that_the_other_half_said(
    host, identity, join, own_world, tmp_path
):
    """Also on another day, and although the numbers that they have are the higher ones."""

    def half(name: str, term: int) -> Host:
        log = SqliteLog(tmp_path / name, term=term, new_term=True)
        room: Host = host(room_id="5" * 32, log=log, term=Term(identity("hal").public))
        return room

    def talk(room: Host, *texts: str) -> None:
        ann = Listener(join(room, "ann"))
        for text in texts:
            ann.member.outgoing.say(text)
        ann.hear_text(texts[-1])
        assert ann.member.delivery.wait_acked(PATIENCE)
        ann.member.close()

    def stay(room: Host, last: str) -> list[str]:
        texts: list[str] = []
        with join_target(Target((Endpoint("127.0.0.1", room.port),)), "bob", catch_up=True) as bob:
            while last not in texts:
                texts += [item.text for item in bob.take(PATIENCE) if isinstance(item, Said)]
        return texts

    one = half("one.db", 1)
    talk(one, "before")
    stay(one, "before")
    with closing(sqlite3.connect(tmp_path / "one.db")) as db:
        db.execute("VACUUM INTO ?", (str(tmp_path / "other.db"),))
    missed = [str(number) for number in range(60)]
    talk(one, *missed)
    one.close()
    other = half("other.db", 2)
    talk(other, "by the others")
    stay(other, "by the others")
    other.close()
    one = half("one.db", 3)
    later = [str(number) for number in range(60, 120)]
    talk(one, *later)
    assert stay(one, "119") == [*missed, *later]


def test_every_message_is_stored_in_the_end(host, join):
    room = host()
    ann = Listener(join(room, "ann", patience=None))
    ids = []
    for number in range(60):
        ids.append(ann.member.outgoing.say(f"line {number}"))
        if number % 20 == 10:
            cut(room)
    assert ann.member.delivery.wait_acked(PATIENCE)
    ann.hear_text("line 59")
    ann.hear(lambda: {id for item in ann.items if isinstance(item, Acked) for id in item.ids} == set(ids))
    assert len(ann.texts) == len(set(ann.texts)) == 60


def test_a_message_too_many_is_refused_and_never_sent(host, join, own_world, monkeypatch):
    room = host()
    ann, bob = (
        join(room, "ann", open_store=lambda card: DiskStore(own_world, card, ignore)),
        Listener(join(room, "bob")),
    )
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "MAX_UNSENT", 0)
        for say in (lambda: ann.outgoing.say("too many"), lambda: ann.outgoing.tell("bob", "too many")):
            with pytest.raises(errors.LanchatError, match="waiting already"):
                say()
    assert ann.delivery.waiting == 0
    ann.outgoing.say("now there is room")
    bob.hear_text("now there is room")
    assert bob.texts == ["now there is room"]


class Notebook(NoStore):
    """A store with unsent messages of an earlier run."""

    unsent: tuple[Say, ...] = ()

    def __init__(self, *unsent: Say) -> None:
        self.unsent = unsent


@pytest.mark.parametrize("id", ["x" * 65, "two words", "ünicode"])
def test_an_id_that_no_host_would_take_is_refused_before_it_is_sent(host, join, id):
    room = host()
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob"))
    with pytest.raises(ValueError, match="1 to 64"):
        ann.member.outgoing.say("hi", id=id)
    with pytest.raises(ValueError, match="1 to 64"):
        ann.member.outgoing.tell("bob", "hi", id=id)
    ann.member.outgoing.say("next")
    bob.hear_text("next")
    assert bob.texts == ["next"]


def test_a_resend_after_many_other_messages_is_recognised(host, join, monkeypatch, tmp_path):
    """A laptop was closed before the ack came, and opened the next day."""
    monkeypatch.setattr(recent_module, "RECENT", 5)
    monkeypatch.setattr(recent_module, "HISTORY", 5)
    room = host(log=SqliteLog(tmp_path / "log.db"))
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob"))
    old = ann.member.outgoing.say("good night")
    bob.hear_text("good night")
    ann.member.close()
    for number in range(20):
        bob.member.outgoing.say(f"line {number}")
    assert bob.member.delivery.wait_acked(PATIENCE)
    cyd = Listener(join(room, "cyd"))  # who was not there, and would not know it again
    again = join(room, "ann", open_store=lambda card: Notebook(Say(old, "good night"), Say("new", "good morning")))
    assert again.delivery.wait_acked(PATIENCE)
    cyd.hear_text("good morning")
    assert "good night" not in cyd.texts
    assert [said.text for said in room._log.read(0, 100) if isinstance(said, Said)].count("good night") == 1


def test_unsent_messages_are_resent_a_few_at_a_time(host, join):
    """Five killed scripts may leave this many messages, and the host does not drop the member for them."""
    room = host(limits=replace(DEFAULT_LIMITS, message_rate=2000.0))
    ann = Listener(join(room, "ann"))
    left = [Say(f"old-{number}", f"line {number}") for number in range(500)]
    bob = join(room, "bob", open_store=lambda card: Notebook(*left))
    bob.outgoing.say("and now this")
    assert bob.delivery.wait_acked(PATIENCE)
    ann.hear_text("and now this")
    assert ann.texts == [*(say.text for say in left), "and now this"]


def test_leaving_does_not_wait_for_a_host_that_is_frozen_in_the_handshake(host, join, identity):
    """The kernel accepts the connection, but the host never answers, so there is no channel for a goodbye."""
    room = host()
    silent = socket.create_server(("127.0.0.1", 0))
    way = [Endpoint("127.0.0.1", room.port)]
    with closing(silent), closing(Member(lambda: dial(tuple(way)), identity("ann"), "ann", patience=None)) as member:
        member.join()
        way[0] = Endpoint("127.0.0.1", silent.getsockname()[1])
        cut(room)
        visitor, _ = silent.accept()
        wait_until(lambda: member._link is not None)
    visitor.close()


def test_a_room_stays_open_when_its_hosts_own_member_is_dropped(identity, own_world):
    """For example, the host's terminal stood still, and the host dropped its own member for not reading."""
    with lanchat.host("Room A", nick="hal", port=0, announce=False) as room:
        where = Endpoint("127.0.0.1", room.host.port)
        with closing(Member(lambda: dial((where,)), identity("ann"), "ann", patience=None)) as ann:
            ann.join()
            cut(room.host)
            wait_until(lambda: ann.delivery.host.connected and room.connected)
            room.say("still here", wait=PATIENCE)
            Listener(ann).hear_text("still here")


def test_a_host_that_does_not_know_the_password_is_not_remembered(host, own_world):
    """If it were remembered, the true host would later be taken for the impostor."""
    room = host(password="right horse")
    where = Target((Endpoint("127.0.0.1", room.port),))
    with pytest.raises(errors.Refused):
        join_target(where, "ann", password="wrong horse", patience=0)
    assert KnownHosts(own_world).all() == []
    with closing(join_target(where, "ann", password="right horse", patience=0)):
        assert [known.room for known in KnownHosts(own_world).all()] == [room.room_id]


def test_a_member_without_descriptors_retries_later(host, identity):
    room = host()
    where = Endpoint("127.0.0.1", room.port)
    tries = iter([None, OSError(24, "Too many open files"), None])

    def reach():
        if error := next(tries):
            raise error
        return dial((where,))

    with closing(Member(reach, identity("ann"), "ann", patience=None)) as ann:
        ann.join()
        cut(room)
        wait_until(lambda: room.people == 0 or ann.delivery.host.connected)
        ann.outgoing.say("back")
        assert ann.delivery.wait_acked(PATIENCE)
    assert next(tries, "all used") == "all used"


def test_an_internal_error_ends_the_connection_and_wakes_every_thread(host, join, monkeypatch):
    room = host()
    ann = join(room, "ann")

    def fail(inbound, message, link):
        raise RuntimeError("of ours")

    met: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: met.append(args.exc_value))
    monkeypatch.setattr(Inbound, "_receive", fail)
    ann.outgoing.say("so that an answer comes")
    assert "a fault of lanchat itself" in str(Listener(ann).end())
    wait_until(lambda: met, what="the error to be told to who can mend it")


def test_a_deaf_member_gets_no_messages_of_others_even_after_a_reconnect(host, join):
    room = host()
    ann, bot = Listener(join(room, "ann", patience=None)), Listener(join(room, "bot", patience=None))
    bot.member.delivery.deafen()
    for round in range(2):
        bot.member.outgoing.say(f"measured {round}")
        assert bot.member.delivery.wait_acked(PATIENCE)
        for number in range(100):
            ann.member.outgoing.say(f"{round}.{number}")
        ann.hear_text(f"{round}.99")
        bot.member.outgoing.say(f"again {round}")
        bot.hear_text(f"again {round}")
        cut(room)
        bot.hear(lambda: sum(isinstance(item, Connected) for item in bot.items) == round + 2)  # noqa: B023
    assert not [text for text in bot.texts if text.startswith("0.")]


def test_reconnecting_ends_when_patience_is_over(host, identity):
    room = host()
    where = Endpoint("127.0.0.1", room.port)
    with closing(Member(lambda: dial((where,)), identity("ann"), "ann", patience=0.1)) as member:
        member.join()
        cut(room)
        room.close()
        heard = Listener(member)
        heard.end()
    assert any(isinstance(item, Disconnected) for item in heard.items)


@pytest.mark.parametrize("closed", [True, False])
def test_another_host_at_the_address_is_told_of_unless_the_room_was_closed(host, identity, closed):
    """Who waits for a room to open again need not know who else has the address meanwhile."""
    room, other = host(), host("Room B", nick="eve")
    where, looks = [room.port], iter(range(1000))
    seen = threading.Event()

    def look_elsewhere() -> None:
        if next(looks) > 2:
            seen.set()

    member = Member(
        lambda: dial((Endpoint("127.0.0.1", where[0]),)),
        identity("ann"),
        "ann",
        patience=None,
        reopening=True,
        look_elsewhere=look_elsewhere,
        timing=Timing(first_retry=0.01, last_retry=0.01),
    )
    with closing(member):
        member.join()
        where[0] = other.port
        if closed:
            room.close()
        else:
            cut(room)
        assert seen.wait(PATIENCE)
        heard = Listener(member)
        heard.hear_kind(Disconnected, closed=closed)
        told = [item for item in heard.items if isinstance(item, Disconnected)]
    assert len(told) == (1 if closed else 2)


def test_leaving_does_not_wait_for_the_next_try_to_reconnect(host, identity):
    room = host()
    where = Endpoint("127.0.0.1", room.port)
    rare = Timing(first_retry=3600)
    with closing(Member(lambda: dial((where,)), identity("ann"), "ann", patience=None, timing=rare)) as member:
        member.join()
        cut(room)
        Listener(member).hear_kind(Disconnected)


def test_leaving_cancels_a_running_dial(host, identity):
    room, coming_back, left = host(), threading.Event(), threading.Event()

    ways = iter([(Endpoint("127.0.0.1", room.port),)])

    def reach() -> socket.socket:
        for way in ways:
            return dial(way)
        coming_back.set()
        assert left.wait(PATIENCE), "nobody told us"
        raise errors.ConnectionLost("You have left.")

    with closing(Member(reach, identity("ann"), "ann", patience=None, stop=left.set)) as member:
        member.join()
        wait_until(lambda: room.people == 1)
        cut(room)
        assert coming_back.wait(PATIENCE)
    assert left.is_set()


@cases("code", ["banned", "password", "nick", "full", "closed", "version", "rules", "kicked"])
def test_a_refusal_is_final(code):
    assert not may_reconnect(errors.Refused("no", code=code))


def test_which_errors_allow_a_reconnect():
    assert may_reconnect(errors.ConnectionLost("gone")) and may_reconnect(errors.NoSuchRoom("nobody"))
    assert all(may_reconnect(errors.Refused("later", code=code)) for code in ("busy", "paused"))
    assert may_reconnect(errors.ProtocolError("noise"))
    assert may_reconnect(errors.HostKeyChanged("somebody else answers there"))
    assert not may_reconnect(errors.RoomClosed("closed"))
    assert may_reconnect(errors.RoomClosed("closed"), reopening=True)


def test_a_reconnect_accepts_only_the_same_room_and_key():
    card = Card(1, "5" * 32, "Room A", "hal", 1, False, bytes(32))
    check = SameRoom(card, b"k" * 32, now_ms)
    check(card, b"k" * 32)
    with pytest.raises(errors.HostKeyChanged) as caught:
        check(card, b"x" * 32)
    assert is_another_host(caught.value) and given_up(caught.value) is caught.value
    with pytest.raises(errors.NoSuchRoom, match="another room there now") as other:
        check(Card(1, "6" * 32, "Room B", "hal", 1, False, bytes(32)), b"k" * 32)
    assert is_another_host(other.value) and given_up(other.value).exit_code == 6
    nobody, garbage = errors.NoSuchRoom("nobody"), errors.NotLanchat("garbage")
    assert not is_another_host(nobody) and not is_another_host(garbage)
    assert is_occupied(caught.value, nobody) and is_occupied(other.value, nobody)
    assert not is_occupied(nobody, nobody) and not is_occupied(garbage, nobody), "a crowded host hangs up, too"
    assert is_occupied(garbage, garbage)


def test_what_nobody_sends_again_is_refused_without_a_link(host, identity):
    room = host()
    where, rare = Endpoint("127.0.0.1", room.port), Timing(first_retry=3600)
    with closing(Member(lambda: dial((where,)), identity("ann"), "ann", patience=None, timing=rare)) as member:
        member.join()
        cut(room)
        Listener(member).hear_kind(Disconnected)
        with pytest.raises(errors.NotConnected, match="not connected"):
            member.outgoing.moderate("standbys")
        with pytest.raises(errors.NotConnected):
            member.outgoing.rename("anna")
        member.outgoing.away("out")
        member.outgoing.say("later")
    with pytest.raises(errors.ConnectionLost, match="You have left"):
        member.outgoing.rename("anna")


def test_a_banned_member_does_not_reconnect(host, join):
    room = host(nick="hal")
    hal, eve = Listener(join(room, "hal")), Listener(join(room, "eve", patience=None))
    hal.member.outgoing.moderate("ban", "eve")
    end = eve.end()
    assert isinstance(end, errors.Refused) and end.code == "banned"
    with pytest.raises(errors.Refused):
        join(room, "eve")


def test_backoff_grows_and_is_randomised():
    steps = backoff(spread=lambda low, high: 1.0)
    first = [next(steps) for _ in range(8)]
    assert first[:5] == [0.2, 0.4, 0.8, 1.6, 3.2] and max(first) == DEFAULT_TIMING.last_retry
    assert [*backoff(patience=10.0, spread=lambda low, high: high)] == pytest.approx([0.3, 0.6, 1.2, 2.4, 4.8, 0.7]), (
        "and end when patience does"
    )
    assert [*backoff(patience=0.0, spread=random.uniform)] == []


@pytest.mark.parametrize(("people", "first"), [(3, 0.006), (50, 0.1), (100, 0.2), (1000, 0.2)])
def test_where_a_host_waits_for_us_the_first_pause_is_as_long_as_the_others_need(people, first):
    """A host lets in some hundreds of members a second."""
    moved = HostSearch(errors.RoomMoved("ann has handed the room to bob.", 1), people, Timing(), 0.0, others=True)
    steps = moved.pauses(None, random.uniform)
    assert first * 0.5 <= next(steps) <= first * 1.5
    assert 0.1 <= next(steps) <= 0.3, "and then as ever"
    assert not moved.asks


def test_a_host_that_is_gone_is_looked_for_after_the_usual_pause():
    lost = HostSearch(errors.ConnectionLost("The host is gone."), 3, Timing(), 0.0, others=True)
    assert 0.1 <= next(lost.pauses(None, random.uniform)) <= 0.3
    assert lost.asks


def test_a_standby_that_does_not_host_for_long_is_not_waited_for_any_more():
    """The other standbys have passed it over by then, and one of them hosts the room."""
    timing = Timing(host_silence=3.0, ask=1.0, promotion=3.0)
    lost = HostSearch(errors.ConnectionLost("The host is gone."), 3, timing, 100.0, others=True)
    assert not lost.is_passed_over(106.9)
    assert lost.is_passed_over(107.0)
