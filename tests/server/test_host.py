"""A host with real sockets and TLS on loopback, and members at it."""

import socket
import threading
from contextlib import closing, suppress

import pytest
from msgspec.structs import replace

from lanchat.client.events import Acked, Connected
from lanchat.client.member import Member
from lanchat.errors import ConnectionLost, LanchatError, Refused
from lanchat.network.link import Link
from lanchat.network.listen import Listeners
from lanchat.protocol.framing import MAX_LINE
from lanchat.protocol.limits import NO_LIMITS
from lanchat.protocol.messages import Joined, Left, Notice, Renamed
from lanchat.protocol.timing import Timing
from lanchat.server.doors.base import Door, DoorOption, Serving
from lanchat.server.doors.native import native_door
from lanchat.server.doors.plain import PlainDoor, plain_door
from lanchat.server.host import Host
from lanchat.server.hub import Hub
from lanchat.server.quotas import Quota
from lanchat.server.session import Reading, Session
from tests.support.addresses import LOOPBACK
from tests.support.people import Listener, PlainClient, link_of
from tests.support.waiting import PATIENCE, wait_until

# ---- members


def test_members_talk_with_each_other(host, join, identity):
    room = host("Room A")
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob"))
    ann.member.outgoing.say("hello")
    said = bob.hear_text("hello")
    assert (said.nick, said.by, said.seq) == ("ann", identity("ann").id, 3)
    bob.member.outgoing.say("hi ann", action=True)
    assert ann.hear_text("hi ann").action
    bob.hear_text("hi ann")
    assert ann.texts == bob.texts == ["hello", "hi ann"], "who says it hears it too"
    assert room.people == 2


def test_a_member_gets_the_title_and_the_room_id(host, join):
    room = host("Room A", nick="hal")
    join(room, "ann")
    bob = join(room, "bob")
    came = bob.queue.take()[0]
    assert isinstance(came, Connected)
    assert (came.card.title, came.card.host, came.card.people, came.card.password) == ("Room A", "hal", 1, False)
    assert came.card.room == room.room_id and len(room.room_id) == 32
    assert [person.nick for person in came.present] == ["ann"]


def test_the_hosts_own_member_needs_no_network(host, join, identity):
    room = host("Room A", nick="hal")
    hal = Member(room.connect, identity("hal"), "hal")
    hal.join()
    try:
        ann = Listener(join(room, "ann"))
        hal.outgoing.say("welcome to my room")
        assert ann.hear_text("welcome to my room").nick == "hal"
        came = ann.items[0]
        assert isinstance(came, Connected) and came.present[0].host
    finally:
        hal.close()


@pytest.mark.parametrize("parks", [True, False])
def test_a_link_continues_on_its_first_thread_if_there_is_no_other(host, join, monkeypatch, parks):
    """Where links are parked, and where they are not."""
    monkeypatch.setattr("lanchat.server.readers.CAN_PARK", parks)
    room = host()
    ann = Listener(join(room, "ann"))
    start = threading.Thread.start

    def start_first(thread):
        if threading.current_thread().name.startswith("reader-"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_first)
    bob = join(room, "bob")
    bob.outgoing.say("hi")
    ann.hear_text("hi")
    bob.close()
    ann.hear_kind(Left, nick="bob")


def test_a_message_is_acknowledged(host, join):
    ann = join(host(), "ann")
    ids = [ann.outgoing.say(f"line {number}") for number in range(20)]
    assert ann.delivery.wait_acked(PATIENCE)
    listener = Listener(ann)
    listener.hear(lambda: [id for item in listener.items if isinstance(item, Acked) for id in item.ids] == ids)


def test_a_newcomer_sees_the_last_lines(host, join):
    room = host()
    ann = join(room, "ann")
    for number in range(60):
        ann.outgoing.say(f"line {number}")
    ann.delivery.wait_acked(PATIENCE)
    bob = Listener(join(room, "bob"))
    bob.hear_kind(Joined, nick="bob")
    assert bob.texts == [f"line {number}" for number in range(10, 60)]


def test_a_taken_nick_is_refused(host, join):
    room = host()
    join(room, "ann")
    with pytest.raises(Refused, match="The nick ann") as caught:
        join(room, "ann", owner="eve")
    assert (caught.value.code, caught.value.suggestion) == ("nick", "ann2")


def test_a_member_can_change_the_nick(host, join):
    room = host()
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob"))
    ann.member.outgoing.rename("bob")
    ann.hear_kind(Notice, code="nick")
    ann.member.outgoing.rename("anna")
    bob.hear_kind(Renamed, nick="ann", to="anna")


def test_a_full_room_refuses_newcomers(host, join):
    room = host(limits=replace(NO_LIMITS, members=1))
    join(room, "ann")
    with pytest.raises(Refused, match=r"full \(1 person\)"):
        join(room, "bob")


def test_the_others_see_that_a_member_leaves(host, join):
    room = host()
    ann, bob = Listener(join(room, "ann")), join(room, "bob")
    bob.outgoing.say("so long")
    bob.close()
    ann.hear_kind(Left, nick="bob", reason="")
    assert ann.texts == ["so long"]
    bob.close()


def test_the_others_see_that_a_member_disconnects(host, join):
    room = host()
    ann, bob = Listener(join(room, "ann")), join(room, "bob")
    link_of(bob)._socket.shutdown(socket.SHUT_RDWR)
    ann.hear_kind(Left, nick="bob")
    assert room.people == 1


def test_messages_arrive_while_other_members_disconnect(host, join):
    """The hub sends to links that have just ended, and nobody else notices."""
    room = host()
    ann = Listener(join(room, "ann"))
    for round in range(15):
        bob = join(room, "bob")
        for number in range(20):
            ann.member.outgoing.say(f"{round}-{number}")
            if number == 10:
                link_of(bob)._socket.shutdown(socket.SHUT_RDWR)
        wait_until(lambda: room.people == 1)
    ann.hear_text("14-19")
    assert len(ann.texts) == 300


def test_a_member_that_breaks_the_rules_is_told_why_and_leaves(host, join):
    room = host()
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob"))
    link_of(bob.member).send(b"x" * (MAX_LINE + 1))
    bob.hear(lambda: bob.ended)
    assert isinstance(bob.ended, Refused) and "longer than" in str(bob.ended)
    ann.hear_kind(Left, nick="bob", reason="A line is longer than 16384 bytes.")


def test_the_longest_text_reaches_everybody(host, join):
    """A text whose characters JSON escapes as six bytes each still fits into a line."""
    room = host()
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob"))
    link_of(bob.member).send(b'{"t":"say","id":"1","text":"' + b"\\u0001" * 2700 + b'"}\n')
    bob.hear_kind(Notice, code="rules")
    bob.member.outgoing.say('"' * 4096)
    ann.hear_text('"' * 4096)


@pytest.mark.parametrize("number", [3, pytest.param(50, marks=pytest.mark.full)])
def test_members_join_during_a_conversation(host, join, number):
    """None of them has a gap or a duplicate, whenever it joined."""
    room = host()
    talkers = [join(room, f"talker{number}") for number in range(4)]
    stop = threading.Event()

    def talk(talker: Member) -> None:
        for number in range(1500):  # of four talkers, less than what may wait at a member that takes nothing yet
            if stop.is_set():
                break
            talker.outgoing.say(f"line {number}")
            talker.delivery.wait_acked(PATIENCE, below=20)

    def has_come(seq: int) -> bool:
        return room._room.seq > seq or not any(thread.is_alive() for thread in threads)

    threads = [threading.Thread(target=talk, args=(talker,)) for talker in talkers]
    for thread in threads:
        thread.start()
    newcomers: list[Listener] = []
    try:
        for newcomer in range(number):
            wait_until(lambda enough=room._room.seq + 10: has_come(enough))  # type: ignore[misc]
            newcomers.append(Listener(join(room, f"newcomer{newcomer}")))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for talker in talkers:
        talker.delivery.wait_acked(PATIENCE)
    talkers[0].outgoing.say("the end")
    last = 0
    for listener in newcomers:
        last = listener.hear_text("the end").seq
        came = listener.items[0]
        assert isinstance(came, Connected)
        past = [seq for seq in listener.seqs if seq <= came.welcome.seq]
        live = [seq for seq in listener.seqs if seq > came.welcome.seq and seq <= last]
        assert past == sorted(set(past)) and len(past) <= 50
        assert live == list(range(came.welcome.seq + 1, last + 1))
    assert last > 10 * number, "there was talk"


# ---- opening and closing


def test_everyone_is_told_when_the_room_closes(host, join, plain):
    room = host(plain_port=0, timing=Timing(goodbye=0.1))  # one visitor does not hang up
    ann, pat = Listener(join(room, "ann")), plain(room, "pat")
    ann.hear_kind(Joined, nick="pat")
    waiting = plain(room)  # has given no name yet
    ann.member.outgoing.say("last words")
    pat.until(b"last words\n")
    pat_reads = threading.Thread(target=lambda: (pat.rest(), pat.socket.close()))
    pat_reads.start()
    room.close()
    pat_reads.join()
    ann.hear(lambda: ann.ended)
    assert isinstance(ann.ended, ConnectionLost) and str(ann.ended) == "The host has closed the room."
    assert pat.got == b"* The host has closed the room.\n" and waiting.rest() == b""
    room.close()
    with pytest.raises(LanchatError):
        ann.member.outgoing.say("into the void")
        ann.member.delivery.wait_acked(PATIENCE)


@pytest.mark.parametrize("when", ["before", "while"])
def test_an_interrupt_during_the_start(identity, monkeypatch, when):
    """The interrupt comes when the hub thread begins, and the accept thread never does."""
    room = Host("Room A", identity("hal"), nick="hal", on=LOOPBACK, doors=[native_door(0)])
    start = Hub.start

    def cut_short(hub):
        if when == "while":
            start(hub)
        raise KeyboardInterrupt

    monkeypatch.setattr(Hub, "start", cut_short)
    with pytest.raises(KeyboardInterrupt):
        room.start()
    room.close()


def test_a_room_that_was_never_started_can_be_closed(identity):
    room = Host("Room A", identity("hal"), nick="hal", on=LOOPBACK, doors=[native_door(0)])
    room.close()


def test_a_connection_to_a_host_that_has_closed_is_at_its_end(host):
    room = host()
    room.close()
    with room.connect() as sock:
        sock.settimeout(PATIENCE)
        assert sock.recv(1) == b""


def test_a_door_that_cannot_be_made_leaves_no_port_open(host):
    def make(serving: Serving) -> Door:
        raise LanchatError("There is no certificate.")

    with Listeners(LOOPBACK, 0) as free:
        port = free.port
    with pytest.raises(LanchatError, match="no certificate") as raised:
        host().doors.open(DoorOption(make, port))
    Listeners(LOOPBACK, port).close()
    del raised


class FaultyGreeting(PlainDoor):
    def greet(self, link: Link, quota: Quota) -> Reading | None:
        raise RuntimeError("a fault")


class FaultyAnswers(PlainDoor):
    def _answer(self, command: str, session: Session) -> None:
        raise RuntimeError("a fault")


@pytest.mark.parametrize("door", [FaultyGreeting, FaultyAnswers])
def test_an_unforeseen_error_in_the_reader_of_a_client_ends_its_link_alone(host, join, door):
    room = host()
    ann = Listener(join(room, "ann"))
    room.doors.open(DoorOption(door, 0))
    eve = PlainClient(room.ports["plain"])
    with closing(eve.socket), suppress(ConnectionResetError):
        eve.send(b"eve\n/help\n")
        eve.rest()
    ann.member.outgoing.say("still here")
    ann.hear_text("still here")
    wait_until(lambda: room.people == 1)


def test_a_room_with_silent_strangers_closes_in_time(host, raw):
    room = host()
    for _ in range(5):
        raw(room)
    room.close()


def test_a_port_in_use_leaves_nothing_open(identity, host):
    taken = host().port
    with pytest.raises(LanchatError, match=f"Port {taken} is in use"):
        Host("Room B", identity("hal"), nick="hal", on=LOOPBACK, doors=[native_door(taken)])
    with pytest.raises(LanchatError, match=f"Port {taken} is in use"):
        Host("Room B", identity("hal"), nick="hal", on=LOOPBACK, doors=[native_door(0), plain_door(taken)])


def test_two_hosts_on_one_machine(host, join):
    one, other = host("Room A", port=None), host("Room A", port=None, nick="hugo")
    assert one.port != other.port and one.room_id != other.room_id
    ann, bob = Listener(join(one, "ann")), Listener(join(other, "bob"))
    ann.member.outgoing.say("in the first")
    bob.member.outgoing.say("in the second")
    ann.hear_text("in the first")
    bob.hear_text("in the second")
    assert ann.texts == ["in the first"] and bob.texts == ["in the second"]


def test_a_password_that_is_not_valid_unicode_is_refused(identity):
    with pytest.raises(LanchatError, match="not text"):
        Host(
            "Room A",
            identity("hal"),
            nick="hal",
            on=LOOPBACK,
            doors=[native_door(0)],
            password="pass\udcff",
        )


@pytest.mark.parametrize("title", ["", "t" * 300, "\x1b[2J", "a\nb"])
def test_an_invalid_title_is_refused(identity, title):
    with pytest.raises(ValueError, match="title"):
        Host(title, identity("hal"), nick="hal", on=LOOPBACK, doors=[native_door(0)])


def test_a_listening_port_is_free_after_closing(host):
    room = host()
    port = room.port
    room.close()
    with Listeners(LOOPBACK, port):
        pass
