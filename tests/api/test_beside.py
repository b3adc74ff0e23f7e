"""Several hosts serve one room, and show one record of its owner: a member goes from one to the other.

What they deliver comes from an engine, which these tests do without: each host here numbers by itself.
"""

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from lanchat.api.joining import join_target
from lanchat.api.search import Search
from lanchat.api.targets import Target
from lanchat.client.events import Connected, Disconnected
from lanchat.errors import HostKeyChanged, RoomClosed
from lanchat.protocol.address import Endpoint
from lanchat.protocol.delegation import OWNER_INDEX, VALIDITY, Delegation, Standby, TermRecord
from lanchat.protocol.messages import Notice
from lanchat.protocol.papers import Papers
from lanchat.protocol.places import Place
from lanchat.protocol.standby import Standbys
from lanchat.protocol.timeline import Timeline
from lanchat.protocol.timing import Timing
from lanchat.room.room import Room
from lanchat.server.beside import Beside, HostPapers
from lanchat.server.host import Host
from lanchat.server.items import Asked
from tests.support.addresses import LOOPBACK
from tests.support.moving import FAR, Person
from tests.support.people import lose
from tests.support.waiting import PATIENCE, wait_until

ROOM = "5" * 32
QUICK = Timing(first_retry=0.02, host_silence=PATIENCE)
SILENCE = Timing(first_retry=0.02, host_silence=1.0)


class Together:
    """Ann's room, which bob's computer hosts as well."""

    def __init__(self, host: Callable[..., Host], identity: Callable[[str], Any]) -> None:
        self._identity, self._host = identity, host
        self.named = Delegation(ROOM, 1, 0, FAR, standbys=(Standby(1, identity("bob").public, bytes(8), "h"),))
        self.beside: dict[str, Beside] = {}
        self.hosts: dict[str, Host] = {}
        for nick in ("ann", "bob"):
            self.open(nick)
        self.tell()

    def open(self, nick: str) -> None:
        self.beside[nick] = Beside(self.papers, self._identity(nick).public, beat=0.1)
        self.hosts[nick] = self._host(nick=nick, room_id=ROOM, beside=lambda timeline: self.beside[nick])

    @property
    def papers(self) -> HostPapers:
        ann = self._identity("ann")
        record = TermRecord(ROOM, ann.public, 1, 0, Timeline(0), engine=True).signed(ann.sign)
        return HostPapers(ann.public, self.named.signed(ann.sign), record)

    @property
    def places(self) -> list[Place]:
        """Of the hosts that are there."""
        return [
            Place(index, self._identity(nick).public, nick, (f"127.0.0.1:{self.hosts[nick].port}",))
            for index, nick in enumerate(("ann", "bob"))
            if nick in self.hosts
        ]

    def tell(self) -> None:
        """All hosts learn who hosts."""
        for beside in self.beside.values():
            beside.learn(self.papers, self.places)

    def end(self, nick: str, how: Callable[[Host], None]) -> None:
        how(self.hosts.pop(nick))


@pytest.fixture
def together(host, identity) -> Together:
    return Together(host, identity)


@pytest.fixture
def join(together, monkeypatch, tmp_path) -> Iterator[Callable[..., Person]]:
    """`join("cat", at="bob")`: somebody who stays until the end of the test, at this host first."""
    people: list[Person] = []

    def enter(nick: str, at: str = "ann", timing: Timing = QUICK) -> Person:
        monkeypatch.setenv("LANCHAT_HOME", str(tmp_path / nick))
        target = Target((Endpoint("127.0.0.1", together.hosts[at].port),))
        room = join_target(target, nick, patience=None, on=LOOPBACK, drop_oldest=False, timing=timing)
        people.append(person := Person(room))
        return person

    yield enter
    for person in people:
        person.room.close()


def at(together: Together, nick: str, number: int) -> Callable[[], bool]:
    """Whether so many people are at this host."""
    return lambda: together.hosts[nick].people == number


@pytest.mark.parametrize("how", [lose, Host.close], ids=["it dies", "it quits"])
@pytest.mark.parametrize(("first", "other"), [("ann", "bob"), ("bob", "ann")])
def test_the_people_of_a_host_that_ends_go_on_at_the_other_one(together, join, first, other, how):
    cat, dan = join("cat", at=first), join("dan", at=other)
    cat.room.say("before", wait=PATIENCE)
    together.end(first, how)
    wait_until(at(together, other, 2), what="cat to come over")
    cat.room.say("after", wait=PATIENCE)
    dan.hear(lambda: "after" in dan.texts, "what cat says")
    cat.hear(lambda: cat.changes == ["connected", "lost", "connected"], "the move")
    moved = [item for item in cat.items if isinstance(item, Connected)][-1]
    assert not moved.moved, "it is told as any lost connection that is back"
    assert dan.changes == ["connected"]


@contextmanager
def frozen(room: Host) -> Iterator[None]:
    """The host keeps its links meanwhile and says nothing, as a machine that stands still."""
    over = threading.Event()

    def answer(room: Room) -> bytes:
        over.wait()
        return b""

    room._hub.inbox.put_now(Asked(next(iter(room._hub.sessions)), answer))
    try:
        yield
    finally:
        over.set()


def test_the_people_of_a_host_that_stands_still_go_on_at_the_other_one(together, join):
    cat = join("cat", timing=SILENCE)
    cat.hear(lambda: cat.room.silence is not None, "a sign of life")
    with frozen(together.hosts["ann"]):
        wait_until(at(together, "bob", 1), what="cat to come over")
        cat.room.say("after", wait=PATIENCE)


def test_who_comes_is_promised_a_sign_of_life_at_once(together, join):
    dan = join("dan", timing=SILENCE)
    dan.hear(lambda: dan.room.silence is not None, "a sign of life")
    together.beside["ann"]._beat_at = math.inf  # no more comes for everybody
    cat = join("cat", timing=SILENCE)
    cat.hear(lambda: cat.room.silence is not None, "a sign of life for cat")


def test_a_host_alone_promises_no_sign_of_life(together, join):
    cat = join("cat", timing=SILENCE)
    cat.hear(lambda: cat.room.silence is not None, "a sign of life")
    del together.hosts["bob"]
    together.tell()
    cat.hear(lambda: cat.room.silence is None, "the end of that")


def test_a_host_that_came_later_is_known_to_those_who_were_there(together, join):
    bob = together.hosts.pop("bob")
    together.tell()
    cat = join("cat")
    together.hosts["bob"] = bob
    together.tell()
    cat.hear(lambda: len(cat.room._member.follower.cluster.places) == 2, "where bob hosts")
    together.end("ann", lose)
    wait_until(at(together, "bob", 1), what="cat to come over")


def test_nobody_goes_to_a_host_that_the_owner_has_removed(together, join):
    cat = join("cat")
    together.named = replace(together.named, number=2, standbys=())
    together.beside["ann"].learn(together.papers, together.places)
    cat.hear(lambda: cat.room._member.follower._room.papers.named == together.named, "the newer list")
    together.end("ann", lose)
    cat.hear(lambda: "has not named this computer as one of its hosts" in str(reasons(cat)), "the refusal")
    assert together.hosts["bob"].people == 0


def answers(person: Person) -> list[str]:
    """What the host has answered."""
    person.listen()
    return [item.text for item in person.items if isinstance(item, Notice)]


def test_who_asks_for_standbys_reads_which_computers_host_the_room(together, join):
    cat = join("cat", at="bob")
    assert cat.room.standbys() == "", "the host answers"
    told = "This room has 2 hosts: bob (where you are), ann. If one of them goes, its people go on at another one."
    cat.hear(lambda: answers(cat) == [told], "the hosts")
    together.end("ann", Host.close)
    together.tell()
    cat.room.standbys()
    alone = (
        "This room has one host: bob (where you are). "
        "More computers can host it, if its owner accepts them: lanchat help engine"
    )
    cat.hear(lambda: answers(cat) == [told, alone], "the one that is left")
    cat.room.moderate("takeback")
    cat.hear(lambda: answers(cat)[2:] != [], "an answer")
    assert answers(cat)[2].startswith("A room on an engine is not handed over")
    with pytest.raises(ValueError, match="has hosts and no standbys"):
        cat.room.standbys("off")


def reasons(person: Person) -> list[str]:
    person.listen()
    return [item.reason for item in person.items if isinstance(item, Disconnected)]


def test_a_computer_that_only_has_the_engine_is_believed_by_nobody(together, join, identity, host):
    """It has the papers of the room, which everybody may read, and a key that stands in none."""
    papers = together.papers
    eve = host(nick="eve", room_id=ROOM, beside=lambda timeline: Beside(papers, identity("eve").public))
    together.hosts["eve"] = eve
    with pytest.raises(HostKeyChanged, match="has not named this computer as one of its hosts"):
        join("cat", at="eve")
    assert eve.people == 0
    del together.hosts["eve"]


def test_the_owner_finds_that_another_host_has_an_engine(together, identity):
    ann, papers = identity("ann").public, together.papers
    search = Search(Papers(ROOM, ann, papers.delegation), ann, ())
    search._ask(Endpoint("127.0.0.1", together.hosts["bob"].port), PATIENCE)
    assert [(found.host, found.on_engine) for found in search._hosts] == [("bob", True)]


def test_the_last_host_closes_the_room(together, join):
    cat = join("cat")
    bob = together.hosts.pop("bob")
    together.tell()
    together.end("ann", Host.close)
    wait_until(lambda: isinstance(cat.room.ended, RoomClosed), what="the end")
    assert bob.people == 0


# ---- what a host knows of the others


def sent(beside: Beside) -> list[str]:
    return [type(message).__name__ for message in beside.take_due()]


def test_what_is_new_is_told_once(identity):
    ann, bob = identity("ann"), identity("bob")
    alone = HostPapers(ann.public, b"", b"record")
    beside = Beside(alone, ann.public)
    here, there = Place(OWNER_INDEX, ann.public, "ann"), Place(1, bob.public, "bob")
    beside.learn(alone, [here])
    assert sent(beside) == ["Standbys"] and beside.successor == -1 and beside.greeting() == []
    both = replace(alone, delegation=b"newer")
    beside.learn(both, [here, there])
    assert sent(beside) == ["Delegation", "Standbys"] and beside.successor == 1
    assert [type(message) for message in beside.greeting()] == [Standbys]
    beside.learn(both, [here, there])
    assert sent(beside) == []
    assert beside.shown == (ann.public, b"newer", b"record")


def test_signs_of_life_are_promised_while_there_is_another_host(identity):
    papers = HostPapers(identity("ann").public, b"", b"record")
    beside = Beside(papers, papers.owner, beat=1.0)
    here, there = Place(OWNER_INDEX, papers.owner, "ann"), Place(1, identity("bob").public, "bob")
    assert beside.beat(10.0) is None, "there is nobody to go to"
    beside.learn(papers, [here, there])
    assert (beside.beat(10.5), beside.pause(10.5), beside.promised) == (None, 0.5, None)
    assert [beside.beat(now) for now in (11.0, 11.5, 12.0)] == [1.0, None, 1.0]
    assert beside.promised == 1.0, "who comes in between is promised it as well"
    beside.learn(papers, [here])
    assert [beside.beat(now) for now in (13.0, 14.0)] == [0.0, None], "it is said once that no more follow"


def test_the_index_of_a_host_is_the_owners_or_that_of_the_list(together, identity):
    papers = together.papers
    assert [papers.index_of(identity(nick).public) for nick in ("ann", "bob", "eve")] == [OWNER_INDEX, 1, None]
    standby = Delegation(ROOM, 1, 0, VALIDITY, standbys=(Standby(1, identity("bob").public, bytes(8)),))
    only = replace(papers, delegation=standby.signed(identity("ann").sign))
    assert only.index_of(identity("bob").public) is None, "a standby is no host beside the owner"
