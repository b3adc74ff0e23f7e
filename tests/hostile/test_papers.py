"""Computers that may not host the room of ann: each is refused before anything of ours but a TLS handshake is sent."""

import socket
from contextlib import closing
from typing import Any

import pytest
from msgspec import structs

from lanchat.api import host_check
from lanchat.api.host_check import HostCheck
from lanchat.api.targets import Target
from lanchat.client.connect import Credentials, connect
from lanchat.client.reconnect import SameRoom
from lanchat.errors import LanchatError
from lanchat.network.flusher import Flusher
from lanchat.protocol.binding import join_fields
from lanchat.protocol.delegation import Delegation, Standby, TermRecord
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.messages import VERSION, Card
from lanchat.protocol.standby import MAX_PAPER
from lanchat.protocol.timeline import Timeline, make_epoch
from lanchat.protocol.tls import client_context
from lanchat.storage.identity import load_identity
from lanchat.storage.known_hosts import KnownHosts
from lanchat.storage.known_papers import KnownPapers
from tests.support.computer import Computer
from tests.support.moving import Stage
from tests.support.waiting import PATIENCE, wait_until

ROOM, OTHER_ROOM = "5" * 32, "6" * 32
NOW, OVER, FAR = 1_800_000_000_000, 1_800_000_000_000 - 1, 9_000_000_000_000  # ms since 1970
FIRST, SECOND = make_epoch(1, 0), make_epoch(2, 1)


class Papers:
    """What computers show. ann owns the room, and bob is her standby with the index 1."""

    def __init__(self, identity: Any) -> None:
        self.identity = identity

    def key(self, nick: str) -> bytes:
        key: bytes = self.identity(nick).public
        return key

    def list(
        self,
        *,
        room: str = ROOM,
        number: int = 4,
        until: int = FAR,
        limit: int = 10,
        by: str = "ann",
        password: bool = False,
        **named: int,
    ) -> bytes:
        standbys = tuple(Standby(index, self.key(nick), b"computer") for nick, index in (named or {"bob": 1}).items())
        made = Delegation(room, number, NOW, until, password, limit, standbys)
        return made.signed(self.identity(by).sign)

    def nobody(self) -> bytes:
        """The owner has closed the room for everybody."""
        return Delegation(ROOM, 5, NOW, FAR).signed(self.identity("ann").sign)

    def raw(self, *fields: bytes) -> bytes:
        """A list of standbys that the owner's key signs, and that no lanchat would write."""
        start = (b"lanchat delegation", b"1", ROOM.encode(), b"5", b"0", str(FAR).encode(), b"0", b"10")
        text = join_fields(*start, *fields)
        signature: bytes = self.identity("ann").sign(text)
        return text + signature

    def place(self, index: bytes, role: bytes = b"s", instance: bytes = b"computer") -> tuple[bytes, ...]:
        return index, role, self.key("bob"), instance

    def term(self, nick: str = "bob", *, room: str = ROOM, epoch: int = SECOND, key: str = "", by: str = "") -> bytes:
        record = TermRecord(room, self.key(key or nick), 4, 0, Timeline(epoch))
        return record.signed(self.identity(by or nick).sign)

    def card(self, delegation: bytes, term: bytes, **other: Any) -> Card:
        bare = Card(VERSION, ROOM, "Room A", "bob", 2, False, bytes(32))
        shown = structs.replace(bare, owner=self.key("ann"), delegation=delegation, term=term)
        return structs.replace(shown, **other)

    def too_long(self) -> bytes:
        """A record of 65 earlier terms, which no lanchat would write."""
        past = [str(number).encode() for entry in range(65) for number in (entry, 1)]
        start = (b"lanchat term", b"1", ROOM.encode(), str(make_epoch(90, 1)).encode(), self.key("bob"), b"4", b"0")
        text = join_fields(*start, *past)
        signature: bytes = self.identity("bob").sign(text)
        return text + signature


CASES: dict[str, Any] = {
    "another room": lambda p: ("bob", p.card(p.list(room=OTHER_ROOM), p.term(room=OTHER_ROOM), room=OTHER_ROOM)),
    "a list of another room": lambda p: ("bob", p.card(p.list(room=OTHER_ROOM), p.term())),
    "a record of another room": lambda p: ("bob", p.card(p.list(), p.term(room=OTHER_ROOM))),
    "another owner": lambda p: ("bob", p.card(p.list(by="eve"), p.term(), owner=p.key("eve"))),
    "a list that the standby signed": lambda p: ("bob", p.card(p.list(by="bob"), p.term())),
    "an expired list": lambda p: ("bob", p.card(p.list(number=5, until=OVER), p.term())),
    "an older list that names somebody else": lambda p: ("eve", p.card(p.list(number=3, eve=1), p.term("eve"))),
    "the index of somebody else": lambda p: ("bob", p.card(p.list(), p.term(epoch=make_epoch(2, 2)))),
    "the index of the owner": lambda p: ("bob", p.card(p.list(), p.term(epoch=make_epoch(2, 0)))),
    "papers of another computer": lambda p: ("eve", p.card(p.list(), p.term())),
    "a record that somebody else signed": lambda p: ("bob", p.card(p.list(), p.term(by="eve"))),
    "a term above the limit": lambda p: ("bob", p.card(p.list(), p.term(epoch=make_epoch(11, 1)))),
    "a timeline that is too long": lambda p: ("bob", p.card(p.list(limit=100), p.too_long())),
    "a cut list": lambda p: ("bob", p.card(p.list()[:-1], p.term())),
    "a newer list without it": lambda p: ("bob", p.card(p.list(number=5, eve=1), p.term())),
    "a newer list that gives it another index": lambda p: ("bob", p.card(p.list(number=5, bob=2), p.term())),
    "a room that its owner has closed": lambda p: ("bob", p.card(p.nobody(), p.term())),
    "an open door of a room with a password": lambda p: ("bob", p.card(p.list(number=5, password=True), p.term())),
    "two places with one index": lambda p: ("bob", p.card(p.raw(*p.place(b"1"), *p.place(b"1")), p.term())),
    "eight places": lambda p: ("bob", p.card(p.raw(*(f for i in range(1, 9) for f in p.place(b"%d" % i))), p.term())),
    "an index above 63": lambda p: ("bob", p.card(p.raw(*p.place(b"64")), p.term(epoch=make_epoch(2, 1)))),
    "an index with a zero before it": lambda p: ("bob", p.card(p.raw(*p.place(b"01")), p.term())),
    "another role": lambda p: ("bob", p.card(p.raw(*p.place(b"1", role=b"x")), p.term())),
    "an instance of nine bytes": lambda p: ("bob", p.card(p.raw(*p.place(b"1", instance=bytes(9))), p.term())),
    "half a place": lambda p: ("bob", p.card(p.raw(*p.place(b"1")[:2]), p.term())),
    "bytes behind the signature": lambda p: ("bob", p.card(p.list() + b"x", p.term())),
    "a record with bytes behind its signature": lambda p: ("bob", p.card(p.list(), p.term() + b"x")),
    "a list in place of the record": lambda p: ("bob", p.card(p.list(), p.list())),
    "papers that are too long for a card": lambda p: ("bob", p.card(p.list(), bytes(MAX_PAPER + 1))),
    "no papers": lambda p: ("bob", p.card(b"", b"")),
    "the owner's computer that keeps a copy": lambda p: ("ann", p.card(b"", b"", standby="hears")),
    "a standby that does not host": lambda p: ("bob", p.card(p.list(), p.term("ann", epoch=FIRST), standby="hears")),
}


@pytest.fixture
def show(identity, request):
    """Let somebody with this trust connect to a computer that shows this card. Returns what that computer got."""

    def shown(nick: str, card: Card, trust: Any) -> tuple[LanchatError | None, bytes]:
        computer = Computer(identity(nick))
        request.addfinalizer(computer.close)
        computer.card = card
        flusher = Flusher("test-flusher")
        try:
            who = Credentials(identity("cat"), "cat", trust)
            connection = connect(
                lambda: socket.create_connection(("127.0.0.1", computer.port)),
                client_context(),
                flusher,
                who,
                lambda link: None,
            )
            connection.link.close()
            return None, computer.heard()
        except LanchatError as error:
            return error, computer.heard()
        finally:
            flusher.close()

    return shown


@pytest.fixture
def papers(identity):
    return Papers(identity)


@pytest.fixture
def inside(papers):
    """The trust of somebody who is in ann's room."""
    first = papers.card(papers.list(), papers.term("ann", epoch=FIRST))
    return SameRoom(first, papers.key("ann"), lambda: NOW)


@pytest.fixture
def next_day(papers, inside, tmp_path, monkeypatch):
    """The trust of somebody who was in ann's room yesterday."""
    monkeypatch.setattr(host_check, "now_ms", lambda: NOW)
    known = KnownHosts(tmp_path), KnownPapers(tmp_path)
    known[0].remember(ROOM, fingerprint(papers.key("ann")), "Room A")
    known[1].keep(inside.papers)
    return HostCheck(Target((), ROOM), *known)


@pytest.mark.parametrize("who", ["inside", "next_day"])
@pytest.mark.parametrize("case", CASES)
def test_a_computer_that_may_not_host_the_room_gets_nothing(show, papers, request, case, who):
    nick, card = CASES[case](papers)
    error, heard = show(nick, card, request.getfixturevalue(who))
    assert error is not None and heard == b""


@pytest.mark.parametrize("who", ["inside", "next_day"])
@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(lambda p: p.list(), id="the list that is known"),
        pytest.param(lambda p: p.list(number=5, eve=2, bob=1), id="a newer one"),
        pytest.param(lambda p: p.list(number=3, eve=1), id="an older one: the newer one counts"),
        pytest.param(lambda p: p.raw(*p.place(b"1")), id="one that is written by hand as the others here"),
    ],
)
def test_the_standby_that_is_named_gets_a_hello(show, papers, request, sound, who):
    _, heard = show("bob", papers.card(sound(papers), papers.term()), request.getfixturevalue(who))
    assert b'"hello"' in heard


def test_a_standby_that_claims_a_live_room_draws_nobody_away(tmp_path, monkeypatch):
    """The owner's host and its members look at it again and again, and tell it nothing."""
    with closing(Stage(tmp_path, monkeypatch)) as stage:
        ann, bob, cat = stage.with_backup()
        bob.room.leave()
        room: Any = ann.room
        moving = room._standby.hosting.host.moving
        wait_until(lambda: 1 in moving.unlinked, what="bob to be gone")
        standing, key = moving.standing, load_identity(tmp_path / "bob")
        record = TermRecord(standing.room, key.public, standing.named.number, 0, Timeline(make_epoch(9, 1)))
        with closing(Computer(key, standing.room, standby="")) as claiming:
            shown = {"owner": standing.owner, "delegation": standing.delegation, "term": record.signed(key.sign)}
            claiming.card = structs.replace(claiming.card, company=True, **shown)
            moving.name(b"", structs.replace(standing.places[1], at=(f"127.0.0.1:{claiming.port}",)))
            wait_until(lambda: claiming.met > 3, what="some looks at it")
            cat.room.say("still at ann's", wait=PATIENCE)
            assert ann.room.hosting and cat.room.connected
            assert not any(claiming.all_heard)
