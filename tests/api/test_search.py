"""What the owner's program learns from its standbys before it opens the room again."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lanchat.api.search import Search, Seen
from lanchat.protocol.address import Endpoint
from lanchat.protocol.delegation import TERMS_AHEAD, VALIDITY, Delegation, Standby, TermRecord
from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import VERSION, Card
from lanchat.protocol.papers import Papers
from lanchat.protocol.places import Place
from lanchat.protocol.timeline import Timeline, make_epoch, make_seq
from lanchat.protocol.timing import Timing
from lanchat.room.succession import TERMS_AN_HOUR, Peer, plausible_term
from lanchat.server.standby import StandbyPort
from lanchat.storage.identity import load_identity
from lanchat.threads import now_ms
from tests.support.addresses import LOOPBACK
from tests.support.waiting import PATIENCE

ROOM, BOB = "5" * 32, 1


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Callable[[int], Seen]]:
    """`told(5)`: what ann, who was in term 1 last, learns from bob's computer, which has begun that term."""
    ann, bob = load_identity(tmp_path / "ann"), load_identity(tmp_path / "bob")
    now = now_ms()
    standbys = (Standby(BOB, bob.public, bytes(8)),)
    named = Delegation(ROOM, 1, now, now + VALIDITY, term_limit=1 + TERMS_AHEAD, standbys=standbys).signed(ann.sign)
    with ExitStack() as ports:

        def ask(term: int) -> Seen:
            epoch = make_epoch(term, BOB)
            paper = TermRecord(ROOM, bob.public, 1, now, Timeline(epoch)).signed(bob.sign)
            papers, peer = Papers(ROOM, ann.public, named, paper), Peer(BOB, epoch, make_seq(epoch, 3), "lost")
            card = Card(VERSION, ROOM, "Room A", "ann", 3, False, bytes(32), False, ann.public)
            port = StandbyPort(bob, LOOPBACK, card, lambda: (papers, peer), DEFAULT_LIMITS, Timing(), 0)
            ports.callback(port.close)
            search: Any = Search(Papers(ROOM, ann.public, named), ann.public, (), plausible_term(1, 0))
            search._ask(Endpoint("127.0.0.1", port.port), PATIENCE, Place(BOB, bob.public, "bob"))
            return Seen(None, tuple(search._standbys.values()))

        yield ask


def test_an_owner_begins_above_the_terms_that_its_standbys_have_begun(told):
    assert told(1 + TERMS_AN_HOUR).next_term == 2 + TERMS_AN_HOUR


def test_no_standby_makes_its_owner_use_up_the_terms_of_the_room(told):
    seen = told(2 + TERMS_AN_HOUR)
    assert [peer.index for peer in seen.standbys] == [BOB] and seen.next_term == 0
