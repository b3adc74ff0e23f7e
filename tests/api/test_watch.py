"""A host's look at the places where another computer may host the same room."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from lanchat.api.watch import Watch
from lanchat.protocol.delegation import VALIDITY, Delegation, Standby, TermRecord
from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import VERSION, Card
from lanchat.protocol.papers import Papers
from lanchat.protocol.places import Place
from lanchat.protocol.timeline import Timeline, make_epoch, make_seq
from lanchat.protocol.timing import Timing
from lanchat.room.succession import Peer, State
from lanchat.server.standby import StandbyPort
from lanchat.storage.identity import load_identity
from tests.support.addresses import LOOPBACK

ROOM, NOW = "5" * 32, 1_700_000_000_000
ANN, BOB = range(2)
FIRST, SECOND = make_epoch(1, ANN), make_epoch(2, BOB)


class Host:
    """bob's host, which nobody is at. The owner's is told of as being at this port."""

    def __init__(self, papers: Papers, key: bytes, port: int) -> None:
        self.papers, self.yielded_to, self.later = papers, list[int](), list[int]()
        self.as_peer = Peer(BOB, SECOND, make_seq(SECOND, 1), "hosts")
        self.unlinked = {ANN: Place(ANN, key, "ann", (f"127.0.0.1:{port}",))}

    def yield_to(self, index: int) -> None:
        self.yielded_to.append(index)

    def rise_above(self, epoch: int) -> None:
        self.later.append(epoch)


class Stage:
    """ann hosts her room, too, and her card takes a while to come, as on a bad network."""

    def __init__(self, folder: Path) -> None:
        ann, bob = load_identity(folder / "ann"), load_identity(folder / "bob")
        named = Delegation(
            ROOM, 1, NOW, NOW + 1000 * VALIDITY, term_limit=99, standbys=(Standby(BOB, bob.public, bytes(8)),)
        )
        terms = [
            TermRecord(ROOM, who.public, 1, NOW, Timeline(epoch)).signed(who.sign)
            for who, epoch in ((ann, FIRST), (bob, SECOND))
        ]
        anns, bobs = (Papers(ROOM, ann.public, named.signed(ann.sign), term) for term in terms)
        shown = Peer(ANN, FIRST, make_seq(FIRST, 3), cast("State", ""))

        def state_of() -> tuple[Papers, Peer]:
            threading.Event().wait(0.3)
            return anns, shown

        card = Card(VERSION, ROOM, "Room A", "ann", 3, False, bytes(32), False, ann.public)
        self.port = StandbyPort(ann, LOOPBACK, card, state_of, DEFAULT_LIMITS, Timing(), 0)
        self.host = Host(bobs, ann.public, self.port.port)

    def look(self, timing: Timing) -> list[int]:
        host: Any = self.host
        with Watch(host, timing) as watch:
            watch.look()
        return self.host.yielded_to


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.port.close()


def test_a_host_finds_another_one_also_where_an_answer_takes_longer_than_others_are_given_for_theirs(stage):
    assert stage.look(Timing(watch=3600.0, ask=0.1, ask_long=60.0)) == [ANN]


def test_a_watch_that_closes_waits_for_nobodys_card(stage):
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        port = frozen.getsockname()[1]
        stage.host.unlinked = {ANN: Place(ANN, bytes(32), "ann", (f"127.0.0.1:{port}",))}
        watch = Watch(cast("Any", stage.host), Timing(watch=0.01, ask_long=3600.0))
        with frozen.accept()[0]:  # it looks, and gets no answer
            watch.close()
    assert stage.host.yielded_to == []


def test_a_host_that_goes_before_another_one_with_a_later_term_begins_one_above_it(stage):
    """bob has people, and ann has begun a term since."""
    stage.host.as_peer = replace(stage.host.as_peer, epoch=make_epoch(0, BOB), company=True)
    assert stage.look(Timing(watch=3600.0, ask_long=60.0)) == []
    assert stage.host.later == [FIRST]
