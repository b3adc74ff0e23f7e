"""The web door of a host, with pages on loopback that speak the sealed channel, and members beside them."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from msgspec.structs import replace
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.protocol import State
from websockets.uri import parse_uri

from lanchat.client.events import PrivateMessage
from lanchat.errors import Refused as NotAdmitted
from lanchat.protocol.framing import FROM_HOST, LineSplitter, decode_all
from lanchat.protocol.keys import key_from_seed
from lanchat.protocol.limits import NO_LIMITS
from lanchat.protocol.messages import (
    Ack,
    Bye,
    Closing,
    Fetch,
    Joined,
    Left,
    Page,
    Ping,
    Pong,
    Present,
    Receipt,
    Refused,
    Said,
    Say,
    Tell,
    Told,
    Welcome,
)
from lanchat.protocol.noise import Page as NoisePage
from lanchat.protocol.sealed import Sealer
from lanchat.protocol.timing import Timing
from lanchat.protocol.tls import client_context
from lanchat.server.doors.web.door import WebDoor, web_door
from lanchat.server.doors.web.guest_link import GuestLink
from lanchat.server.doors.web.page import load_page
from lanchat.server.host import Host
from tests.support.page import PageClient, WebSocket, fetch, request
from tests.support.people import Listener, let_pass
from tests.support.waiting import PATIENCE, wait_until

AT_ONCE = Timing(web_absence=0.0, linger=0.5, sweep=0.05)  # a link that is lost is a member who has left
ZOE = key_from_seed(b"\x77" * 32)


@pytest.fixture
def browser() -> Iterator[Callable[..., PageClient]]:
    """`browser(room, "zoe")`: a page in the room; without a nick, one that has only read the card."""
    pages: list[PageClient] = []

    def connect(room: Host, nick: str = "", **options) -> PageClient:
        pages.append(page := PageClient(room.ports["web"], nick, **options))
        return page

    yield connect
    for page in pages:
        page.close()


@pytest.fixture
def room(host) -> Host:
    opened: Host = host("Room A", web_port=0, timing=AT_ONCE)
    return opened


def test_the_page_is_served_and_nothing_else(room):
    status, headers, body = fetch(room.ports["web"])
    assert (status, body) == ("HTTP/1.1 200 OK", load_page().html)
    assert headers["content-type"] == "text/html; charset=utf-8"
    _, headers, body = fetch(room.ports["web"], headers={"Accept-Encoding": "gzip"})
    assert (headers["content-encoding"], body) == ("gzip", load_page().compressed)
    assert fetch(room.ports["web"], "/favicon.ico")[0] == "HTTP/1.1 404 Not Found"
    assert fetch(room.ports["web"], headers={"Host": "evil.example"})[0] == "HTTP/1.1 421 Misdirected Request"


def test_a_page_reads_the_card_and_knows_whose_room_it_is(room, browser):
    zoe = browser(room)
    assert (zoe.card.title, zoe.card.password) == ("Room A", False)
    assert zoe.host_key == room.identity.public


def test_pages_and_members_talk_with_each_other(room, join, browser):
    ann = Listener(join(room, "ann"))
    zoe, woo = browser(room), browser(room)
    assert zoe.come_in("zoe").people == 1
    assert zoe.next(Present).web is False
    woo.come_in("woo")
    assert [woo.next(Present).web for _ in range(2)] == [False, True]
    zoe.say("hello from a page")
    for page in (zoe, woo):
        assert page.hear("hello from a page").by == zoe.id
    assert ann.hear_text("hello from a page").nick == "zoe"
    ann.hear_kind(Joined, nick="zoe", web=True)
    ann.member.outgoing.say("hello from ann")
    assert woo.hear("hello from ann").nick == "ann"
    zoe.send(Bye())
    ann.hear_kind(Left, nick="zoe", code="")
    woo.close()
    ann.hear_kind(Left, nick="woo", code="lost")


def test_what_a_page_says_is_acknowledged(room, browser):
    zoe = browser(room, "zoe")
    zoe.say("hello")
    seq = zoe.hear("hello").seq
    assert zoe.next(Ack).seq == seq


def test_a_page_that_comes_back_gets_what_it_missed_once(room, join, browser):
    ann = Listener(join(room, "ann"))
    zoe = browser(room, "zoe", key=ZOE)
    zoe.say("first", id="z-1")
    seq = zoe.hear("first").seq
    zoe.close()
    ann.hear_kind(Left, nick="zoe")
    ann.member.outgoing.say("missed")
    ann.hear_text("missed")
    again = browser(room, key=ZOE)
    assert again.come_in("zoe", after=seq).since == 0
    again.send(Say("z-1", "first", again=True), Say("z-2", "second", again=True))
    said = [again.next(Said) for _ in range(3)]
    assert [event.text for event in said] == ["missed", "first", "second"]
    assert [event.seq == seq for event in said] == [False, True, False]


def test_a_page_fetches_what_the_welcome_left_out(room, join, browser):
    ann = Listener(join(room, "ann"))
    for number in range(60):
        ann.member.outgoing.say(f"line {number}")
    ann.hear_text("line 59")
    zoe = browser(room)
    zoe.come_in("zoe")
    assert zoe.next(Said).text == "line 10"
    zoe.send(Fetch(0))
    assert zoe.next(Page).upto > 0


def test_a_private_message_is_sealed_between_a_page_and_a_member(room, join, browser):
    ann = Listener(join(room, "ann"))
    zoe = browser(room, "zoe", key=ZOE)
    present = zoe.next(Present)
    sealer = Sealer(ZOE, zoe.card.room)
    box, copy = sealer.seal(present.key, "p-1", "psst")
    zoe.send(Tell("p-1", present.id, "ann", box, copy))
    assert zoe.next(Receipt).code == "here"
    ann.hear_kind(PrivateMessage, text="psst", nick="zoe")
    ann.member.outgoing.tell("zoe", "psst yourself", to=zoe.id, key=zoe.public)
    while (told := zoe.next(Told)).by == zoe.id:
        pass
    assert sealer.open(told.by, told.to, told.id, told.box) == "psst yourself"


def test_a_taken_nick_is_refused_with_another(room, join, browser):
    join(room, "ann")
    refused = browser(room, "ann").next(Refused)
    assert (refused.code, refused.suggestion) == ("nick", "ann2")


def test_a_proof_for_another_link_is_refused(room, browser):
    zoe = browser(room)
    zoe.hello("zoe", binding=bytes(32))
    assert zoe.next(Closing).code == "rules"


def test_a_page_is_pinged_and_pings(host, browser):
    room = host(web_port=0, timing=Timing(ping_after=0.1, sweep=0.05))
    zoe = browser(room, "zoe")
    zoe.send(Ping())
    kinds: set[type] = set()
    while not {Ping, Pong} <= kinds:  # in this order or the other
        kinds.add(type(message := zoe.message()))
        assert message is not None, "it ended"


def test_a_silent_page_has_left(host, join, browser):
    room = host(web_port=0, timing=Timing(web_absence=0.0))
    ann = Listener(join(room, "ann"))
    others = room.links
    browser(room, "zoe")
    ann.hear_kind(Joined, nick="zoe")
    let_pass(room, Timing().dead_after + 1, but=others)
    ann.hear_kind(Left, nick="zoe", code="silent")


def test_a_stranger_has_to_say_hello_in_time(host, browser):
    room = host(web_port=0, limits=replace(NO_LIMITS, greeting=10.0))
    stranger = browser(room)
    let_pass(room, 11.0)
    assert stranger.message() is None


def test_a_long_past_and_many_people_fit_into_frames(room, join, browser):
    ann = Listener(join(room, "ann"))
    for number in range(20):
        ann.member.outgoing.say(f"{number} " + "x" * 4000)
    ann.hear_kind(Said, text="19 " + "x" * 4000)
    zoe = browser(room)
    zoe.come_in("zoe")
    texts = [zoe.next(Said).text for _ in range(16)]
    assert texts[-1].startswith("19 ")


# ---- phones that sleep


def test_a_phone_that_sleeps_for_a_while_has_not_left(host, join, browser):
    room = host(web_port=0, timing=Timing(web_absence=60.0))
    ann = Listener(join(room, "ann"))
    zoe = browser(room, "zoe", key=ZOE)
    zoe.say("good night")
    seq = zoe.hear("good night").seq
    zoe.close()
    ann.member.outgoing.say("are you there?")
    again = browser(room, key=ZOE)
    assert again.come_in("zoe", after=seq).people == 2
    assert again.hear("are you there?")
    again.say("yes")
    ann.hear_text("yes")
    again.send(Bye())
    ann.hear_kind(Left, nick="zoe", code="")
    assert [type(item) for item in ann.items if getattr(item, "nick", "") == "zoe"] == [Joined, Said, Said, Left]


def test_who_has_another_window_open_is_not_away(host, join, browser):
    room = host(web_port=0, timing=Timing(web_absence=60.0))
    ann = Listener(join(room, "ann"))
    first, second = (browser(room, "zoe", key=ZOE) for _ in range(2))
    first.next(Welcome), second.next(Welcome)
    first.close()
    wait_until(lambda: len(room.links) == 2)
    second.send(Bye())
    ann.hear_kind(Left, nick="zoe", code="")


def test_a_phone_that_sleeps_for_too_long_has_left(host, join, browser):
    room = host(web_port=0, timing=Timing(web_absence=0.3))
    ann = Listener(join(room, "ann"))
    browser(room, "zoe").close()
    ann.hear_kind(Left, nick="zoe", code="lost")


def test_who_is_away_makes_room_in_a_full_room(host, join, browser):
    timing = replace(AT_ONCE, web_absence=60.0)
    room = host(web_port=0, timing=timing, limits=replace(NO_LIMITS, members=2))
    ann = Listener(join(room, "ann"))
    zoe = browser(room, "zoe")
    zoe.next(Welcome)
    assert browser(room, "woo").next(Refused).code == "full"
    zoe.close()
    wait_until(lambda: len(room.links) == 1)
    assert browser(room, "woo").next(Welcome).nick == "woo"
    ann.hear_kind(Left, nick="zoe", code="lost")


def test_somebody_who_is_away_can_be_removed(host, join, browser):
    room = host(web_port=0, timing=Timing(web_absence=60.0))
    hal = Listener(join(room, "hal"))
    zoe = browser(room, "zoe")
    zoe.next(Welcome)
    zoe.close()
    hal.member.outgoing.moderate("kick", "zoe")
    hal.hear_kind(Left, nick="zoe", code="kicked")


# ---- guest links


def test_a_room_with_a_password_needs_a_guest_link(host, browser):
    link = GuestLink()
    room = host(web_port=0, password="secret", guest_link=link)
    ticket = link.current().secret
    assert browser(room).card.password
    assert browser(room, "zoe").next(Refused).code == "ticket"
    assert browser(room, "zoe", ticket=bytes(16)).next(Refused).code == "ticket"
    assert browser(room, "zoe", ticket=ticket).next(Welcome).nick == "zoe"


def test_a_new_guest_link_replaces_the_old_one(host, browser):
    link = GuestLink()
    room = host(web_port=0, password="secret", guest_link=link)
    old = link.current().secret
    zoe = browser(room, "zoe", ticket=old)
    zoe.next(Welcome)
    new = link.renew().secret
    zoe.say("still here")
    assert zoe.hear("still here")
    assert browser(room, "woo", ticket=old).next(Refused).code == "ticket"
    assert browser(room, "woo", ticket=new).next(Welcome)


def test_a_guest_link_runs_out():
    now = [1000.0]
    link = GuestLink(lambda: now[0])
    first = link.renew(hours=1)
    now[0] += 3599
    assert link.current() is first
    now[0] += 1
    assert link.current().secret != first.secret


def test_a_ticket_does_not_open_the_native_door(host, join):
    room = host(web_port=0, password="secret")
    with pytest.raises(NotAdmitted):
        join(room, "ann")


# ---- opened and closed while the room is open


def test_the_door_opens_and_closes_while_the_room_is_open(host, join, browser):
    room = host(timing=AT_ONCE)
    ann = Listener(join(room, "ann"))
    door = room.doors.open(web_door(0))
    assert isinstance(door, WebDoor)
    zoe = browser(room, "zoe")
    ann.hear_kind(Joined, nick="zoe")
    port = room.ports["web"]
    room.doors.close(door)
    assert door.dismiss() == 1
    assert zoe.next(Closing).code == "closed"
    ann.hear_kind(Left, nick="zoe")
    assert "web" not in room.ports
    with pytest.raises(OSError):
        PageClient(port)
    wait_until(lambda: door.dismiss() == 0)
    room.doors.open(web_door(port))
    assert browser(room, "zoe").next(Refused)  # the nick belongs to another key


def test_who_is_on_the_way_in_while_the_door_closes_is_sent_away(host):
    room = host(timing=AT_ONCE)
    door = room.doors.open(web_door(0))
    assert isinstance(door, WebDoor)
    with closing(WebSocket(room.ports["web"])) as web:
        room.doors.close(door)
        assert door.dismiss() == 0
        page = NoisePage(bytes(32))
        web.send(page.frame)
        first, last = web.frame(), web.frame()
        assert first is not None and last is not None
        _, sealed = page.finish(bytes(first.data))
        [told] = decode_all(LineSplitter().feed(sealed.to_page.open(bytes(last.data))), FROM_HOST)
        assert isinstance(told, Closing) and told.code == "closed"
        assert web.end() == 1000


# ---- https


def test_https_is_answered_at_the_same_port(room):
    port = room.ports["web"]
    context = client_context()
    with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain) as sock:
        sock.settimeout(PATIENCE)
        assert sock.version() == "TLSv1.3"
        sock.sendall(request(port))
        got = b""
        while more := sock.recv(65536):
            got += more
    assert got.startswith(b"HTTP/1.1 200 OK") and got.endswith(load_page().html)


def test_a_page_over_https_is_sealed_as_well_and_has_its_own_origin(room):
    port, context = room.ports["web"], client_context()
    for origin, status in ((f"https://127.0.0.1:{port}", b"101"), (f"http://127.0.0.1:{port}", b"403")):
        with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain) as sock:
            sock.settimeout(PATIENCE)
            protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1:{port}/ws"))
            asked = protocol.connect()
            asked.headers["Origin"] = origin
            protocol.send_request(asked)
            sock.sendall(b"".join(protocol.data_to_send()))
            assert sock.recv(65536).split()[1] == status
            if status == b"101":
                protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1:{port}/ws"), state=State.OPEN)
                page = NoisePage(bytes(range(32)))
                protocol.send_binary(page.frame)
                sock.sendall(b"".join(protocol.data_to_send()))
                protocol.receive_data(sock.recv(65536))
                frame = protocol.events_received()[0]
                assert isinstance(frame, Frame)
                assert page.finish(bytes(frame.data))[0] == room.identity.public
