"""What a standby takes from another one before it hosts the room: bob's port and his copy are real, cat asks."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lanchat.client import tail as module
from lanchat.client.tail import fetch_tail
from lanchat.network.flusher import Flusher
from lanchat.protocol.delegation import VALIDITY, Delegation, Standby, TermRecord
from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import VERSION, Card, Record, Said, Told
from lanchat.protocol.papers import Papers
from lanchat.protocol.places import Place
from lanchat.protocol.standby import CopyPosition
from lanchat.protocol.timeline import Timeline, make_epoch, make_seq
from lanchat.protocol.timing import Timing
from lanchat.room.succession import Peer, State
from lanchat.server.standby import StandbyPort
from lanchat.storage.identity import load_identity
from lanchat.storage.reader import LogReader
from lanchat.storage.replica import Replica
from tests.support.addresses import LOOPBACK
from tests.support.waiting import PATIENCE

ROOM = "5" * 32
ANN, BOB, CAT, EVE = range(4)
FIRST, SECOND = make_epoch(1, ANN), make_epoch(2, BOB)
ON_FIRST = Timeline(FIRST)
NOW = 1_700_000_000_000
TIMING = Timing(promotion=PATIENCE, sync_wait=PATIENCE)


def said(n: int, epoch: int = FIRST) -> Said:
    return Said(make_seq(epoch, n), NOW, "a" * 64, "ann", f"{epoch}-{n}", f"line {n} of {epoch}")


def told(number: int) -> Told:
    return Told(f"p{number}", 9_000_000_000_000, "a" * 64, "ann", "c" * 64, "cat", b"sealed", number=number)


class Stage:
    """ann was the host; bob has more of her room than cat."""

    def __init__(self, folder: Path, undo: ExitStack) -> None:
        self._folder, self._undo = folder, undo
        self.people = [load_identity(folder / nick) for nick in ("ann", "bob", "cat", "eve")]
        self.flusher = Flusher("test-flusher", TIMING)
        undo.callback(self.flusher.close)
        self.papers = self.list_of(BOB, CAT)

    def list_of(self, *indexes: int, timeline: Timeline = ON_FIRST, number: int = 1) -> Papers:
        ann = self.people[ANN]
        standbys = tuple(Standby(index, self.people[index].public, bytes(8)) for index in indexes)
        named = Delegation(ROOM, number, NOW, NOW + VALIDITY, term_limit=99, standbys=standbys).signed(ann.sign)
        who = self.people[timeline.epoch & 63]
        return Papers(ROOM, ann.public, named, TermRecord(ROOM, who.public, 1, NOW, timeline).signed(who.sign))

    def copy(self, nick: str, *records: Record, timeline: Timeline = ON_FIRST) -> Replica:
        (self._folder / "copies" / nick).mkdir(parents=True)
        replica = Replica(self._folder / "copies" / nick / "log.db")
        self._undo.callback(replica.close)
        replica.follow(timeline)
        replica.start(lambda held: None, lambda trouble: None)
        replica.append(records, (), {})
        last = max((record.seq for record in records if isinstance(record, Said)), default=-1)
        assert replica.wait(CopyPosition(last), PATIENCE)
        return replica

    def bob(
        self,
        *records: Record,
        state: State = "lost",
        able: bool = True,
        timeline: Timeline = ON_FIRST,
        papers: Papers | None = None,
        password: bool = False,
    ) -> Place:
        """bob's port, at which he has this."""
        copy = self.copy("bob", *records, timeline=timeline)
        papers = papers or self.list_of(BOB, CAT, timeline=timeline)
        card = Card(VERSION, ROOM, "Room A", "ann", 3, password, bytes(32), False, papers.owner)
        state_of = lambda: (papers, Peer(BOB, timeline.epoch, copy.held.seq, state, able=able))  # noqa: E731
        bob = self.people[BOB]
        port = StandbyPort(bob, LOOPBACK, card, state_of, DEFAULT_LIMITS, TIMING, 0, copy=lambda: copy.path)
        self._undo.callback(port.close)
        return Place(BOB, bob.public, "bob", (f"127.0.0.1:{port.port}",))

    def fetch(self, replica: Replica, at: Place, by: int = CAT) -> int | None:
        room: Any = self  # all that it needs are the papers
        return fetch_tail(replica, room, self.people[by], self.flusher, TIMING, at)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with ExitStack() as undo:
        yield Stage(tmp_path, undo)


def lines(replica: Replica) -> list[str]:
    return [event.text for event in LogReader(replica.path).events_after(-1, 10_000) if isinstance(event, Said)]


@pytest.mark.parametrize("password", [False, True])
def test_a_standby_gets_what_another_one_has_more(stage, password):
    cat = stage.copy("cat", said(1), told(1))
    at = stage.bob(said(1), told(1), said(2), told(2), said(3), password=password)
    assert stage.fetch(cat, at) == make_seq(FIRST, 3) == cat.held.seq
    assert lines(cat) == [f"line {n} of {FIRST}" for n in (1, 2, 3)]
    assert [one.number for one in LogReader(cat.path).private_after(0, 9)] == [1, 2] and cat.held.private == 2


def test_one_that_cannot_host_gives_what_it_has(stage):
    cat = stage.copy("cat", said(1))
    assert stage.fetch(cat, stage.bob(said(1), said(2), able=False)) == make_seq(FIRST, 2)


def test_a_long_tail_comes_page_by_page(stage):
    cat = stage.copy("cat", said(1))
    at = stage.bob(*(said(n) for n in range(1, 502)))
    assert stage.fetch(cat, at) == make_seq(FIRST, 501)
    assert len(lines(cat)) == 501


def test_what_the_later_host_has_not_is_set_aside(stage):
    """cat was with the first host alone, while bob followed the next one."""
    timeline = Timeline(SECOND, ((FIRST, 1),))
    cat = stage.copy("cat", said(1), said(2))
    at = stage.bob(said(1), said(1, SECOND), timeline=timeline)
    assert stage.fetch(cat, at) == make_seq(SECOND, 1)
    assert lines(cat) == [f"line 1 of {FIRST}", f"line 1 of {SECOND}"]


def test_where_there_is_nothing_more_nothing_changes(stage):
    cat = stage.copy("cat", said(1))
    assert stage.fetch(cat, stage.bob(said(1))) is None
    assert lines(cat) == [f"line 1 of {FIRST}"]


@pytest.mark.parametrize("case", ["hears the host", "does not name us", "not ours to read", "nobody is there"])
def test_nothing_comes_from_one_that(stage, case):
    cat, by = stage.copy("cat", said(1)), CAT
    papers = stage.list_of(BOB, number=2) if case == "does not name us" else None
    at = stage.bob(said(1), said(2), state="hears" if case == "hears the host" else "lost", papers=papers)
    if case == "not ours to read":
        by = EVE
    if case == "nobody is there":
        at = Place(BOB, at.key, "bob", ("127.0.0.1:1",))
    assert stage.fetch(cat, at, by) is None
    assert lines(cat) == [f"line 1 of {FIRST}"]


@pytest.mark.parametrize(
    "strange",
    [
        pytest.param([said(1), said(2, SECOND)], id="of a term that its host's record does not know"),
        pytest.param([said(n) for n in (1, 2, 3)], id="more than it may have"),
    ],
)
def test_a_copy_that_is_not_as_it_says_changes_nothing(stage, strange, monkeypatch):
    if len(strange) == 3:
        monkeypatch.setattr(module, "WAITING_LIMIT", 10)
    cat = stage.copy("cat", said(1))
    at = stage.bob(*strange)
    assert stage.fetch(cat, at) is None
    assert lines(cat) == [f"line 1 of {FIRST}"] and cat.held.seq == make_seq(FIRST, 1)
