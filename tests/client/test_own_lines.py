"""What a member says again when it comes to a host that lacks it."""

import sqlite3
from contextlib import closing

import pytest
from msgspec.structs import replace

from lanchat.client import own_lines
from lanchat.client.delivery import BEHIND
from lanchat.client.member import Member
from lanchat.client.own_lines import OwnLines
from lanchat.network.connect import dial
from lanchat.protocol.address import Endpoint
from lanchat.protocol.limits import DEFAULT_LIMITS, LATE_AGE
from lanchat.protocol.messages import Card, Notice, Said, Say
from lanchat.protocol.timeline import Timeline, make_epoch, make_seq
from lanchat.protocol.timing import Timing
from lanchat.server.term import Term
from lanchat.storage.log import ignore
from lanchat.storage.member_store import DiskStore, NoStore
from lanchat.storage.sqlite_log import SqliteLog
from tests.support.addresses import LOOPBACK
from tests.support.people import Listener, lose
from tests.support.waiting import PATIENCE, wait_until

FIRST, RIVAL, SECOND, THIRD = make_epoch(1, 0), make_epoch(2, 1), make_epoch(3, 2), make_epoch(4, 0)
NOW, ANN = 1_800_000_000_000, "a" * 32


def said(epoch: int, n: int, at: int = NOW) -> Said:
    return Said(make_seq(epoch, n), at, ANN, "ann", f"{epoch}-{n}", f"line {n}")


def again(line: Said) -> Say:
    return Say(line.id, line.text, line.action, again=True, at=line.at)


def nothing(since, lacks):
    return ()


def after(*lines: Said, now: int = NOW) -> OwnLines:
    own = OwnLines()
    for line in lines:
        own.heard(line, now)
    return own


# ---- what is lacking


def test_what_the_timeline_of_a_host_does_not_cover_is_said_again_in_order():
    own = after(said(FIRST, 3), said(RIVAL, 2), said(RIVAL, 5))
    lacking = own.lacking(Timeline(SECOND, ((FIRST, 2),)), nothing, NOW)
    assert lacking == [again(said(FIRST, 3)), again(said(RIVAL, 2)), again(said(RIVAL, 5))]


def test_a_host_that_has_all_or_shows_no_timeline_gets_nothing_again():
    own = after(said(FIRST, 3), said(RIVAL, 2))
    assert own.lacking(Timeline(SECOND, ((FIRST, 3), (RIVAL, 2))), nothing, NOW) == []
    assert own.lacking(None, nothing, NOW) == []


def test_what_the_host_has_sent_back_is_not_said_a_third_time():
    own, timeline = after(said(RIVAL, 2), said(RIVAL, 5)), Timeline(SECOND, ((FIRST, 2),))
    assert len(own.lacking(timeline, nothing, NOW)) == 2
    here = Said(make_seq(SECOND, 1), NOW, ANN, "ann", f"{RIVAL}-2", "line 2", late=True)
    own.heard(here, NOW)
    assert own.lacking(timeline, nothing, NOW) == [again(said(RIVAL, 5))], "the link was lost before it came back"
    assert own.lacking(Timeline(THIRD, ((SECOND, 1),)), nothing, NOW) == [again(said(RIVAL, 5))]
    assert own.lacking(Timeline(make_epoch(5, 0)), nothing, NOW) == [again(said(RIVAL, 5)), again(here)]


def test_lines_on_the_disk_are_said_again_and_those_in_memory_know_better():
    own, asked = after(said(FIRST, 1)), []

    def stored(since, gaps):
        asked.append((since, gaps))
        old = Said(make_seq(RIVAL, 9), NOW, ANN, "ann", f"{FIRST}-1", "line 1")
        return [said(RIVAL, 4), old]

    timeline = Timeline(SECOND, ((FIRST, 1),))
    assert own.lacking(timeline, stored, NOW) == [again(said(RIVAL, 4))]
    assert asked == [(NOW - LATE_AGE, timeline.gaps)]
    assert own.lacking(timeline, stored, NOW) == [again(said(RIVAL, 4))]
    assert len(asked) == 1, "the same host again: the disk has nothing new"


def test_lines_of_last_week_are_not_said_again_whatever_the_clock_of_their_host_was():
    own = after(said(RIVAL, 1, at=0))
    assert len(own.lacking(Timeline(SECOND), nothing, NOW + LATE_AGE)) == 1
    assert after(said(RIVAL, 1)).lacking(Timeline(SECOND), nothing, NOW + LATE_AGE + 1) == []


def test_so_many_lines_are_held_in_memory(monkeypatch):
    monkeypatch.setattr(own_lines, "HELD", 3)
    monkeypatch.setattr(own_lines, "HELD_SIZE", 12)
    own = after(*(said(RIVAL, n) for n in range(5)))
    assert [say.text for say in own.lacking(Timeline(SECOND), nothing, NOW)] == ["line 3", "line 4"], "by size"
    own = after(*(Said(make_seq(RIVAL, n), NOW, ANN, "ann", str(n), "x") for n in range(5)))
    assert [say.id for say in own.lacking(Timeline(SECOND), nothing, NOW)] == ["2", "3", "4"], "by number"


# ---- a room that goes on without some of what was acknowledged


class Split:
    """hal's room, and the same room as it goes on from an earlier copy of its log."""

    def __init__(self, host, identity, folder):
        self._host, self._identity, self._folder = host, identity, folder
        self.room = self._open(folder / "log.db")
        self.members = []
        self.lost = False

    def _open(self, path, **options):
        key = self._identity("hal").public
        log = SqliteLog(path, new_term=True)
        return self._host(room_id="5" * 32, log=log, term=Term(key), on=LOOPBACK, **options)

    def join(self, nick, **options):
        def reach():
            return dial((Endpoint("127.0.0.1", self.room.port),))

        timing = Timing(first_retry=0.02, last_retry=0.2)
        member = Member(reach, self._identity(nick), nick, patience=None, timing=timing, **options)
        self.members.append(member)
        member.join()
        return Listener(member)

    def copy(self):
        """What will be left."""
        with closing(sqlite3.connect(self._folder / "log.db")) as db:
            db.execute("VACUUM INTO ?", (str(self._folder / "copy.db"),))

    def go_on(self, **options):
        """The room is open from the copy, while the first host still has those who are there."""
        self._before, self.room = self.room, self._open(self._folder / "copy.db", **options)

    def lose(self):
        """The first host is gone, and with it what the copy lacks."""
        self.lost = True
        lose(self._before)


@pytest.fixture
def split(host, identity, tmp_path):
    stage = Split(host, identity, tmp_path)
    yield stage
    for member in stage.members:
        member.close()


def settled(one: Listener) -> None:
    """All that was said is acknowledged."""
    assert one.member.delivery.wait_acked(PATIENCE)


def test_what_one_half_had_acknowledged_comes_into_the_other_once(split):
    bob, cat = split.join("bob"), split.join("cat")
    bob.round_trip("before")
    cat.hear_text("before")
    settled(bob)
    split.copy()
    bob.round_trip("in this half only")
    cat.round_trip("this as well")
    for one in (bob, cat):
        settled(one)
    split.go_on()
    split.lose()
    dan = split.join("dan")
    for text in ("in this half only", "this as well"):
        dan.hear_text(text)
    bob.round_trip("after")
    for one in (bob, cat, dan):
        one.hear_text("after")
        assert sorted(one.texts) == ["after", "before", "in this half only", "this as well"], "each of them once"


def test_lines_of_an_earlier_run_are_said_again_from_the_disk_and_then_never_more(split, tmp_path):
    def open_store(card):
        return DiskStore(tmp_path / "home", card, ignore)

    split.copy()
    bob = split.join("bob", open_store=open_store)
    bob.round_trip("acknowledged, and lost")
    settled(bob)
    bob.member.close()
    split.go_on()
    split.lose()
    cat = split.join("cat")
    bob = split.join("bob", open_store=open_store)
    line = cat.hear_text("acknowledged, and lost")
    assert not line.late, "that was seconds ago"
    bob.hear_text("acknowledged, and lost")
    assert bob.member.delivery.waiting == 0, "it was acknowledged once, so nobody waits for it"
    bob.member.close()
    card = Card(1, "5" * 32, "Room A", "hal", 1, False, bytes(32))
    with closing(DiskStore(tmp_path / "home", card, ignore)) as store:
        assert store.own_lines(line.by, 0, [(-1, line.seq)]) == []
        assert [said.seq for said in store.own_lines(line.by, 0, [(-1, line.seq + 1)])] == [line.seq]


def test_who_says_much_again_goes_no_faster_than_anybody_and_talks_meanwhile(split):
    limits = replace(DEFAULT_LIMITS, message_burst=20, message_rate=40.0)
    split.copy()

    class Talkative(NoStore):
        """Lets bob talk in the thread that reads his link, so that it is early enough on any machine."""

        def add_history(self, records, reached=None, then=None):
            if split.lost and any(getattr(record, "text", "") == f"line {BEHIND}" for record in records):
                bob.member.outgoing.say("new")

    bob = split.join("bob", open_store=lambda card: Talkative())
    number = int(limits.message_burst) + 2 * BEHIND
    for line in range(number):
        bob.member.outgoing.say(f"line {line}")
    bob.hear_text(f"line {number - 1}")
    settled(bob)
    split.go_on(limits=limits)
    cat = split.join("cat")
    split.lose()
    cat.hear(lambda: len(cat.texts) == number + 1)
    assert cat.texts[-1] != "new", "it does not stand behind all of them"
    assert [text for text in cat.texts if text != "new"] == [f"line {line}" for line in range(number)]
    wait_until(lambda: not bob.member.delivery.is_saying_again, what="all said again")
    assert not [item for item in bob.items if isinstance(item, Notice)], "its person has not said so much at once"
