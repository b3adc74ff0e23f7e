"""A host with real sockets and TLS on loopback, members and plain clients at it."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import datetime

import pytest
from msgspec.structs import replace

from lanchat.client.events import Acked, Connected
from lanchat.client.member import Member
from lanchat.errors import ConnectionLost, LanchatError, NotLanchat, Refused
from lanchat.network.connect import dial
from lanchat.network.link import Link
from lanchat.network.listen import Listeners
from lanchat.protocol.address import Endpoint
from lanchat.protocol.framing import MAX_LINE
from lanchat.protocol.limits import NO_LIMITS
from lanchat.protocol.messages import Joined, Left, Notice, Renamed, Say
from lanchat.protocol.timing import Timing
from lanchat.protocol.tls import client_context
from lanchat.server import admission
from lanchat.server.doors.base import Door, DoorOption, Serving
from lanchat.server.doors.native import native_door
from lanchat.server.doors.plain import PlainDoor, plain_door
from lanchat.server.host import Host
from lanchat.server.hub import Hub
from lanchat.server.quotas import Quota
from lanchat.server.session import Reading, Session
from lanchat.threads import now_ms
from tests.support.addresses import LOOPBACK
from tests.support.people import Listener, PlainClient, link_of
from tests.support.waiting import PATIENCE, wait_until


@pytest.fixture
def raw() -> Iterator[Callable[[Host], socket.socket]]:
    """`raw(room)`: a bare connection to the native port."""
    opened: list[socket.socket] = []

    def connect(room: Host) -> socket.socket:
        opened.append(sock := socket.create_connection(("127.0.0.1", room.port)))
        sock.settimeout(PATIENCE)
        return sock

    yield connect
    for sock in opened:
        sock.close()


# ---- native members


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


# ---- plain clients


def test_plain_clients_and_members_talk_with_each_other(host, join, plain):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    pat = plain(room, "pat")
    ann.hear_kind(Joined, nick="pat")
    pia = plain(room, "pia")
    assert pat.until(b"\n") == b"pia joined the chat\n"
    pat.send(b"hello\n")
    assert pia.until(b"\n") == b"pat: hello\n"
    assert ann.hear_text("hello").by.startswith("~")
    ann.member.outgoing.say("hi pat\nand pia")
    ann.member.outgoing.say("waves", action=True)
    for client in (pat, pia):
        assert client.until(b"waves\n") == b"ann: hi pat / and pia\n* ann waves\n"
    ann.member.outgoing.rename("anna")
    assert pat.until(b"\n") == b"ann is now anna\n"
    pia.socket.close()
    assert pat.until(b"\n") == b"pia has left the chat\n"
    ann.member.close()
    assert pat.until(b"\n") == b"anna has left the chat\n"
    assert pat.got == b"", "nobody hears themselves"


def test_a_plain_client_reads_when_something_was_said_that_comes_late(host, join, plain):
    room = host(plain_port=0)
    ann, pat = Listener(join(room, "ann")), plain(room, "pat")
    at = now_ms() - 3_600_000
    ann.member.delivery.ask(Say("1", "hello", again=True, at=at))
    when = f"{datetime.fromtimestamp(at / 1000):%H:%M}"
    assert pat.until(b"\n") == f"[said at {when}, while disconnected] ann: hello\n".encode()


@pytest.mark.parametrize("name", [b"pat\n", b"pat\r\n", b"pat", b" pat "])
def test_a_name_with_and_without_a_line_end(host, join, plain, name):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    plain(room).send(name)
    ann.hear_kind(Joined, nick="pat")


@pytest.mark.parametrize(("name", "nick"), [(b"\n", "guest"), (b"Pat Smith\n", "Pat_Smith"), (b"!\xff\xfe\n", "guest")])
def test_a_name_that_is_no_valid_nick_is_replaced_by_the_nearest(host, join, plain, name, nick):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    plain(room).send(name)
    ann.hear_kind(Joined, nick=nick)


def test_a_taken_name_gets_the_next_free_one(host, join, plain):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    (client := plain(room)).send(b"Ann\n")
    assert client.until(b"\n") == b"* The nick Ann is taken; you are Ann2.\n"
    ann.hear_kind(Joined, nick="Ann2")


def test_each_send_of_a_client_without_line_ends_is_a_message(host, join, plain):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    pat = plain(room)
    pat.send(b"pat")
    ann.hear_kind(Joined, nick="pat")
    for text in ("one", "two words", "drei \N{SNOWMAN}"):
        pat.send(text.encode())
        ann.hear_text(text)
    assert ann.texts == ["one", "two words", "drei \N{SNOWMAN}"]


def test_each_line_of_a_client_with_line_ends_is_a_message(host, join, plain):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    pat = plain(room)
    pat.send(b"pat\none\r\ntwo\n\n  \nthree and ")
    ann.hear_text("two")
    pat.send(b"more\nfour")  # without an end for so long that it must be all
    ann.hear_text("four")
    assert ann.texts[:2] == ["one", "two"] and "".join(ann.texts[2:]).endswith("morefour")


def test_an_unfinished_line_of_a_leaving_client_is_a_message(host, join, plain):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    pat = plain(room, "pat")
    pat.send(b"one\nlast words")
    pat.socket.shutdown(socket.SHUT_WR)  # printf ... | nc
    ann.hear_kind(Left, nick="pat")
    assert ann.texts == ["one", "last words"]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nann\nhello",
        b"OPTIONS * HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"pat\n\x00\x01\x02",
        b"\x00",
        b"x" * 5000,
        b"pat\n" + b"x" * 100_000,
    ],
    ids=lambda data: repr(data[:12]),
)
def test_other_protocols_are_dropped_at_the_plain_door(host, join, plain, data):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    client = plain(room)
    client.send(data)
    assert client.rest().startswith(b"* ")
    ann.member.outgoing.say("still here")
    ann.hear_text("still here")
    assert ann.texts == ["still here"]


def test_a_telnet_interrupt_ends_the_link(host, join, plain):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    pat = plain(room, "pat")
    ann.hear_kind(Joined, nick="pat")
    pat.send(b"\xff\xf4\xff\xfd\x06")
    ann.hear_kind(Left, nick="pat")
    assert pat.rest() == b"" and ann.texts == []


def test_telnet_talks(host, join, plain):
    """PuTTY and others begin with offers, and end a line with CR NUL."""
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    pat = plain(room)
    pat.send(b"\xff\xfb\x1f\xff\xfb\x20\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0")
    pat.send(b"pat\r\0hello\r\0")
    ann.hear_kind(Joined, nick="pat")
    ann.hear_text("hello")
    assert pat.until(b"\xff\xfe\x20") == b"\xff\xfe\x1f\xff\xfe\x20", "the offers are refused"


def test_a_telnet_that_sends_each_key_says_whole_lines(host, join, plain):
    room = host(plain_port=0, timing=Timing(unended_line=0))
    ann, pia, pat = Listener(join(room, "ann")), plain(room, "pia"), plain(room)
    for number, key in enumerate("pat\r\nhello\r\n"):
        pat.send(key.encode())
        pia.send(f"{number}\n".encode())
        ann.hear_text(f"{number}")  # the door has most likely read the key
    ann.hear_kind(Joined, nick="pat")
    ann.hear_text("hello")
    assert [text for text in ann.texts if not text.isdigit()] == ["hello"]


def test_a_guest_is_told_where_they_are_and_who_is_here(host, join, plain):
    room = host("Room A", plain_port=0)
    join(room, "hal")
    join(room, "ann")
    (pat := plain(room)).send(b"pat\n")
    assert pat.until(b"\n") == b"* You are in Room A as pat. Here: hal, ann. /help tells what else you can do.\n"


def test_a_guest_who_is_alone_is_told_so(host, plain):
    (pat := plain(host(plain_port=0))).send(b"pat\n")
    assert b"Here: nobody else." in pat.until(b"\n")


def test_a_guests_command_is_answered_to_them_alone(host, join, plain):
    room = host(plain_port=0)
    ann = Listener(join(room, "ann"))
    pat, pia = plain(room, "pat"), plain(room, "pia")
    assert pat.until(b"\n") == b"pia joined the chat\n"
    pat.send(b"/who\n")
    assert pat.until(b"\n") == b"* Here: ann, pat, pia.\n"
    for line in (b"/help", b"/msg ann the secret", b"/", b"/me"):
        pat.send(line + b"\n")
        assert pat.until(b"\n").startswith(b"* /who lists who is here, ")
    pat.send(b"/me waves\n /home is where the heart is\n")
    ann.hear_text("/home is where the heart is")
    assert ann.texts == ["waves", "/home is where the heart is"]
    assert pia.until(b"heart is\n") == b"* pat waves\npat: /home is where the heart is\n"
    pat.send(b"/quit\n")
    ann.hear_kind(Left, nick="pat", code="")
    assert pat.rest() == b""


def test_a_guest_who_says_too_much_at_once_is_told_so_and_stays(host, join, plain):
    room = host(plain_port=0)
    ann, pat = Listener(join(room, "ann")), plain(room, "pat")
    pat.send(b"x" * 5000 + b"\nhello\n")
    assert pat.until(b"\n") == b"* A message may have at most 4096 bytes.\n"
    ann.hear_text("hello")
    assert ann.texts == ["hello"]


def test_plain_clients_get_safe_text(host, join, plain):
    room = host(plain_port=0)
    pat = plain(room, "pat")
    ann = Listener(join(room, "ann"))
    pat.until(b"ann joined the chat\n")
    ann.member.outgoing.say("\x1b[2Jx\u202ey")
    assert pat.until(b"\n") == b"ann: \\x1b[2Jx<U+202E>y\n"


def test_control_bytes_from_a_plain_client_harm_nobody(host, join, plain):
    room = host(plain_port=0)
    ann, pat = Listener(join(room, "ann")), plain(room, "pat")
    pat.send(b"\x01" * 4000 + b"\n")
    assert b"4096 at most" in pat.until(b"\n")
    pat.send(b"\x1b[2J\n")
    ann.hear_text("\x1b[2J")


def test_no_plain_port_unless_asked_for(host):
    assert "plain" not in host().ports


# ---- strangers


def test_strangers_on_the_native_port_harm_nobody(host, join, raw):
    room = host()
    ann = Listener(join(room, "ann"))
    silent = raw(room)
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 1000, b"hello\n", b"\x16\x03\x01\xff\xff" + bytes(70_000)):
        stranger = raw(room)
        try:
            stranger.sendall(garbage)
            while stranger.recv(1000):
                pass
        except ConnectionError:
            pass
    ann.member.outgoing.say("still here")
    ann.hear_text("still here")
    assert room.people == 1 and silent.fileno() > 0


def test_the_hosts_own_link_is_no_stranger_that_makes_room_for_others(host, raw, identity, monkeypatch):
    monkeypatch.setattr(admission, "GRACE", 0.0)
    room = host(limits=replace(NO_LIMITS, strangers=1))

    def come_late() -> socket.socket:
        ours: socket.socket = room.connect()
        first, _ = raw(room), raw(room)
        assert first.recv(1) == b"", "the second one has taken its place"
        return ours

    with closing(Member(come_late, identity("hal"), "hal")) as hal:
        hal.join()


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b'{"t":"say","id":"1","text":"hi"}\n',
        b'{"t":"hello","v":2,"nick":"eve","key":"","nonce":"","proof":""}\n',
        b"x" * (MAX_LINE + 1),
        b"\xff\n",
    ],
    ids=lambda line: repr(line[:20]),
)
def test_a_client_with_tls_but_another_protocol_is_told_so(host, raw, line):
    room = host()
    with client_context().wrap_socket(raw(room)) as stranger:
        card = stranger.recv(4096)
        assert card.startswith(b'{"t":"card","v":2,') and card.endswith(b"\n")
        stranger.sendall(line)
        assert stranger.recv(4096).startswith(b'{"t":"closing","code":"rules"')
        assert stranger.recv(4096) == b""
    assert room.people == 0


BLOB = b"A" * 43 + b"="
HELLO_OF_1 = b'{"t":"hello","v":1,"nick":"eve","key":"%b","nonce":"%b","proof":""}\n' % (BLOB, BLOB)


@pytest.mark.parametrize("hello", [HELLO_OF_1, b'\n{"t":"hello","v":3,"nick":5}\n'], ids=["of 1", "with other fields"])
def test_another_version_is_refused_in_words(host, raw, hello):
    with client_context().wrap_socket(raw(host())) as stranger:
        stranger.recv(4096)
        stranger.sendall(hello)
        assert stranger.recv(4096).startswith(b'{"t":"refused","code":"version","text":"This room speaks version 2')


def test_a_client_that_reads_only_the_card_is_no_member(host, join, raw):
    room = host()
    ann = Listener(join(room, "ann"))
    with client_context().wrap_socket(raw(room)) as visitor:
        assert b'"people":1' in visitor.recv(4096)
    ann.member.outgoing.say("nobody came")
    ann.hear_text("nobody came")
    assert not any(isinstance(item, Left) for item in ann.items)


def test_older_tls_is_refused(host, raw):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match="(?i)protocol.version"):
        old.wrap_socket(raw(host()))


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n", b"\x00" * 50, b""])
def test_a_server_of_another_protocol_is_not_lanchat(identity, answer):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                peer.sendall(answer)
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(4096):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        member = Member(lambda: dial((Endpoint(*server.getsockname()),)), identity("ann"), "ann")
        with pytest.raises(NotLanchat, match="Something other than lanchat answers there."):
            member.join()
        thread.join()
        member.close()


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
