"""The port of a standby, on real sockets."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lanchat.discovery.probe import probe
from lanchat.discovery.sighting import NotARoom
from lanchat.errors import LanchatError, Refused
from lanchat.network.card import card_at
from lanchat.network.connect import dial
from lanchat.protocol.address import Endpoint
from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import VERSION, Card
from lanchat.protocol.papers import Papers
from lanchat.protocol.timing import DEFAULT_TIMING
from lanchat.protocol.tls import client_context
from lanchat.room.succession import Peer
from lanchat.server.doors.web.waiting import WaitingPage
from lanchat.server.standby import StandbyPort
from lanchat.storage.identity import Identity, load_identity
from tests.support.addresses import LOOPBACK
from tests.support.page import WebSocket, fetch
from tests.support.people import joined_room
from tests.support.refused import NO_THREAD
from tests.support.waiting import PATIENCE

ROOM = "5" * 32
CARD = Card(VERSION, ROOM, "Room A", "ann", 3, True, bytes(32))


@pytest.fixture
def bob(tmp_path: Path) -> Identity:
    return load_identity(tmp_path / "bob")


@pytest.fixture
def port(bob: Identity) -> Iterator[StandbyPort]:
    papers = Papers(ROOM, bob.public)
    with closing(opened_by(bob, papers, Peer(1, 64, 9, "hears"))) as opened:
        yield opened


def opened_by(identity: Identity, papers: Papers, peer: Peer) -> StandbyPort:
    return StandbyPort(identity, LOOPBACK, CARD, lambda: (papers, peer), DEFAULT_LIMITS, DEFAULT_TIMING, 0)


def card_of(port: StandbyPort) -> tuple[Card, bytes]:
    found = card_at(Endpoint("127.0.0.1", port.port), client_context(), PATIENCE)
    assert found is not None
    return found


def test_a_port_that_gets_no_thread_leaves_nothing_behind(bob, no_thread):
    no_thread("accept")
    with pytest.raises(RuntimeError, match=NO_THREAD):
        opened_by(bob, Papers(ROOM, bob.public), Peer(1, 64, 9, "hears"))


@pytest.mark.parametrize("complete", [True, False])
def test_the_card_says_what_this_computer_is(bob, complete):
    peer = Peer(1, 64, 9, "lost", complete=complete, sync=7)
    with closing(opened_by(bob, Papers(ROOM, b"o" * 32, b"delegation", b"term"), peer)) as port:
        card, key = card_of(port)
    assert (card.room, card.title, card.host, card.password) == (ROOM, "Room A", "ann", True)
    assert key == bob.public
    assert (card.owner, card.delegation, card.term) == (b"o" * 32, b"delegation", b"term")
    assert (card.standby, card.seq, card.sync) == ("lost", 9 if complete else -1, 7)


@pytest.mark.parametrize(("state", "shown"), [("lost", "unable"), ("hears", "hears")])
def test_the_card_says_that_this_computer_cannot_host(bob, state, shown):
    with closing(opened_by(bob, Papers(ROOM, bob.public), Peer(1, 64, 9, state, able=False))) as port:
        assert card_of(port)[0].standby == shown


@pytest.mark.parametrize("hangs_up", [1, 2])
def test_a_standby_that_hangs_up_as_it_begins_to_host_is_asked_once_more(bob, hangs_up):
    """Who took it for gone would host the room as well."""
    asked: list[None] = []

    def state() -> tuple[Papers, Peer]:
        asked.append(None)
        if len(asked) <= hangs_up:
            raise LanchatError("this port is the host's from now on")
        return Papers(ROOM, bob.public), Peer(1, 64, 9, "lost")

    with closing(StandbyPort(bob, LOOPBACK, CARD, state, DEFAULT_LIMITS, DEFAULT_TIMING, 0)) as port:
        shown = card_at(Endpoint("127.0.0.1", port.port), client_context(), PATIENCE)
    assert (shown is not None) is (hangs_up == 1) and len(asked) == 2


def test_no_list_shows_a_standby(port):
    assert probe(Endpoint("127.0.0.1", port.port), client_context(), PATIENCE) == NotARoom()


def test_nobody_is_let_in(port, tmp_path):
    with pytest.raises(Refused) as refused:
        at = (Endpoint("127.0.0.1", port.port),)
        joined_room(lambda: dial(at), load_identity(tmp_path / "eve"), "eve", password="open sesame")
    assert refused.value.code == "busy"


def test_who_comes_while_it_changes_hands_waits_in_the_backlog(port):
    [listeners] = port.release()
    with socket.create_connection(("127.0.0.1", listeners.port)) as early:
        [listener] = listeners.sockets
        accepted, _ = listener.accept()
        accepted.sendall(b"hello")
        accepted.close()
        assert early.recv(5) == b"hello"
    listeners.close()


def test_browsers_are_sent_to_the_host_until_this_computer_hosts_the_room(port, bob):
    links = ["http://192.168.1.7:47480/"]
    assert port.web_port == 0
    port.open_pages(WaitingPage(bob, (), lambda: links[-1]), None, 48480)
    status, headers, body = fetch(port.web_port)
    assert status == "HTTP/1.1 503 Service Unavailable" and headers["content-type"].startswith("text/html")
    assert b'<a href="http://192.168.1.7:47480/">' in body
    websocket = WebSocket(port.web_port)
    assert websocket.status == 503
    websocket.close()
    links.append("")
    assert fetch(port.web_port)[2] == b"Another computer hosts this room, without a page.\n"
    for_members, for_browsers = port.release()
    assert (for_members.port, for_browsers.port) == (port.port, port.web_port)
    for_members.close()
    for_browsers.close()


def test_it_listens_for_browsers_no_longer_than_the_room_has_a_page(port, bob):
    port.open_pages(WaitingPage(bob, (), lambda: ""), 0, 48480)
    at = port.web_port
    port.close_pages()
    assert port.web_port == 0
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", at)).close()


def test_it_may_be_closed_twice(port):
    port.close()
    port.close()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port.port)).close()
