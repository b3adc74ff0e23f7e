"""The member's side of the handshake, with real TLS. Hosts that lie are in tests/hostile."""

import socket
import threading
import time

import pytest

from lanchat import errors
from lanchat.client.connect import Credentials, greet, read_card
from lanchat.client.member import Member
from lanchat.network.connect import dial
from lanchat.network.link import Link
from lanchat.protocol.address import Endpoint
from lanchat.protocol.framing import LineSplitter, encode
from lanchat.protocol.limits import MAX_PEOPLE
from lanchat.protocol.messages import VERSION, Card, FromHost, Present, Refused, Said, Welcome
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.protocol.tls import TlsChannel, client_context
from tests.support.links import open_links
from tests.support.waiting import wait_until

CARD = Card(VERSION, "5" * 32, "Room A", "hal", 1, False, bytes(32))


class Played:
    """A host that sends these lines: the first at once, the others after a hello.

    Args:
        slow: s that pass before each of the others. The member's link is checked then, as the flusher does.
    """

    def __init__(self, links, first: bytes, *then: bytes, slow: float = 0.0) -> None:
        ours, theirs = socket.socketpair()
        self.heard = b""
        self._link = links.link(ours, server=True)
        self._first, self._then, self._slow = first, then, slow
        self._now = time.monotonic()
        self.channel = TlsChannel(client_context(), server=False)
        self.link = Link(theirs, self.channel, links.flusher, clock=lambda: self._now)
        self._thread = threading.Thread(target=self._play, name="played-host")
        self._thread.start()

    def _play(self) -> None:
        try:
            self._link.establish()
            self._link.send(self._first)
            if self._then:
                self.heard += self._link.receive()
                for data in self._then:
                    self._let_time_pass()
                    self._link.send(data)
            self._link.finish()
            self._link.drain()
        except errors.LanchatError:
            pass

    def _let_time_pass(self) -> None:
        if self._slow:
            wait_until(lambda: self.link.keepalive.heard_at == self._now or self.link.over, what="the member to read")
            self._now += self._slow
            self.link.check(self._now)

    def close(self) -> None:
        self.link.close()
        self._link.drop("", "over")
        self._thread.join()


@pytest.fixture
def play(identity):
    with open_links(identity("hal")) as links:
        hosts: list[Played] = []

        def start(first: bytes, *then: bytes, slow: float = 0.0) -> Played:
            hosts.append(Played(links, first, *then, slow=slow))
            return hosts[-1]

        yield start
        for host in hosts:
            host.close()


def go_in(host: Played, identity, timing: Timing = DEFAULT_TIMING, **options):
    seen = []
    who = Credentials(identity("ann"), "ann", lambda card, key: seen.append((card, key)), **options)
    return greet(host.link, host.channel, who, timing), seen


def test_the_handshake_gives_card_key_and_welcome(play, identity):
    rest = [Said(8, 0, "i", "bob", "1", "hi")]
    said: list[FromHost] = [
        Welcome(identity("ann").id, "ann", 7, 7, 2),
        Present("i", "bob"),
        Present("j", "eve"),
        *rest,
    ]
    lines = b"".join(map(encode, said))
    connection, seen = go_in(play(encode(CARD), lines[:60], lines[60:100], lines[100:]), identity)
    assert connection.card == CARD and connection.host_key == identity("hal").public
    assert seen == [(CARD, identity("hal").public)]
    assert [person.nick for person in connection.present] == ["bob", "eve"]
    assert connection.reader.next() == rest[0], "and nothing that came along is lost"


def test_a_probe_reads_one_line(play, identity):
    host = play(encode(CARD) + encode(CARD))
    card, key, certificate = read_card(host.link, host.channel, LineSplitter())
    assert (card, key, certificate) == (CARD, identity("hal").public, identity("hal").certificate)


def test_nothing_is_sent_to_a_host_that_is_not_trusted(play, identity):
    host = play(encode(CARD), b"")

    def no(card: Card, key: bytes) -> None:
        raise errors.HostKeyChanged("another key")

    with pytest.raises(errors.HostKeyChanged):
        greet(host.link, host.channel, Credentials(identity("ann"), "ann", no), DEFAULT_TIMING)
    host.close()
    assert host.heard == b""


@pytest.mark.parametrize("first", [b"", b"\n\n", b"x\n", encode(Refused("busy", "x")), b"x" * 20_000], ids=repr)
def test_an_invalid_card_is_not_lanchat(play, identity, first):
    with pytest.raises(errors.NotLanchat, match="Something other than lanchat"):
        go_in(play(first), identity)


@pytest.mark.parametrize("people", [MAX_PEOPLE + 1, 2**53 - 1])
def test_an_invalid_number_of_people_is_refused(play, identity, people):
    with pytest.raises(errors.ProtocolError, match="people in one room"):
        go_in(play(encode(CARD), encode(Welcome("me", "ann", 7, 7, people))), identity)


def test_invalid_people_are_refused(play, identity):
    lines = encode(Welcome("me", "ann", 7, 7, 1)) + encode(Said(8, 0, "i", "bob", "1", "hi"))
    with pytest.raises(errors.ProtocolError, match="something else"):
        go_in(play(encode(CARD), lines), identity)


def test_no_password_exchange_begins_with_an_open_room(play, identity):
    host = play(encode(CARD), b"")
    with pytest.raises(errors.Refused, match="This room has no password, but you came with one") as caught:
        go_in(host, identity, password="sesame")
    assert caught.value.code == "open"
    assert "unset LANCHAT_PASSWORD" in caught.value.hint and "impersonating" in caught.value.hint
    host.close()
    assert host.heard == b""


def test_a_silent_host_is_given_up(play, identity):
    with pytest.raises(errors.NotLanchat, match="did not answer in time"):
        go_in(play(b"", b""), identity, Timing(greeting=0.1))


def test_a_welcome_over_a_slow_network_may_take_longer_than_a_card(play, identity):
    """As long as something comes, and it takes no longer in all than `Timing.welcome`."""
    lines = encode(Welcome(identity("ann").id, "ann", 7, 7, 1)) + encode(Present("i", "bob"))
    parts = [lines[:10], lines[10:20], lines[20:]]
    timing = Timing(greeting=10.0, welcome=30.0)
    connection, _ = go_in(play(encode(CARD), *parts, slow=9.0), identity, timing)
    assert connection.welcome.nick == "ann"
    with pytest.raises(errors.LanchatError, match="did not let us in in time"):
        go_in(play(encode(CARD), *parts, lines, slow=9.0), identity, Timing(greeting=10.0, welcome=20.0))


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
        with pytest.raises(errors.NotLanchat, match="Something other than lanchat answers there."):
            member.join()
        thread.join()
        member.close()
