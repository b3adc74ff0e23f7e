"""A room moves when it is asked to: real sockets, real disks, everybody in one process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from msgspec.structs import replace

from lanchat.api.joining import join_target
from lanchat.api.room import JoinedRoom
from lanchat.api.targets import Target
from lanchat.client.events import Backup, Disconnected, Named
from lanchat.errors import Refused
from lanchat.network.card import card_at
from lanchat.network.connect import dial
from lanchat.protocol.address import Endpoint
from lanchat.protocol.delegation import Delegation, Standby
from lanchat.protocol.messages import Event, Joined, Left, Moved, Notice, Said
from lanchat.protocol.places import Place
from lanchat.protocol.timing import Timing
from lanchat.protocol.tls import client_context
from lanchat.server.doors.native import native_door
from lanchat.server.followers import Followers
from lanchat.server.handover import Handovers
from lanchat.server.host import Host
from lanchat.server.items import JoinRequest
from lanchat.server.term import Term
from lanchat.storage import replica
from lanchat.storage.identity import load_identity
from lanchat.storage.reader import LogReader
from lanchat.storage.rooms import open_room
from lanchat.storage.sqlite_log import SqliteLog
from tests.support.addresses import LOOPBACK
from tests.support.moving import CALM, FAR, Person, ask
from tests.support.people import joined_room
from tests.support.waiting import PATIENCE, wait_until


class Stage:
    """ann's room, whose host is in this process without a member of its own."""

    def __init__(
        self, home: Path, monkeypatch: pytest.MonkeyPatch, password: str | None = None, timing: Timing = CALM
    ) -> None:
        self._home, self._monkeypatch, self._password, self._timing = home, monkeypatch, password, timing
        self.identity = load_identity(home / "ann")
        self.yielded = 0
        self.folder = open_room(home / "ann", "Room A", now=0)
        self.path = self.folder.log_path
        self.host = Host(
            "Room A",
            self.identity,
            nick="ann",
            room_id=self.folder.about.id,
            doors=(native_door(0),),
            on=LOOPBACK,
            password=password,
            log=SqliteLog(self.path, new_term=True),
            term=Term(self.identity.public),
            yielded=self._yield,
            timing=self._timing,
        )
        self.host.start()
        self.people: list[Person] = []
        self._number = 0

    def _yield(self) -> None:
        self.yielded += 1

    def join(self, nick: str, standby: int = 1, at: JoinedRoom | None = None) -> Person:
        """Somebody joins at ann's computer, or at that of another one who hosts the room now."""
        self._monkeypatch.setenv("LANCHAT_HOME", str(self._home / nick))
        port = self.host.port
        if at is not None:
            assert at.invite is not None
            port = at.invite.endpoints[0].port
        target = Target((Endpoint("127.0.0.1", port),))
        room = join_target(
            target,
            nick,
            password=self._password,
            patience=None,
            on=LOOPBACK,
            drop_oldest=False,
            standby=standby,
            timing=self._timing,
        )
        self.people.append(person := Person(room))
        return person

    def name(self, *nicks: str) -> None:
        """The owner names these, once their computers are ready."""
        moving = self.host.moving
        assert moving is not None

        def volunteers() -> dict[str, Any]:
            return {one.nick: one for one in moving.volunteers if one.nick in nicks}

        wait_until(lambda: len(volunteers()) == len(nicks), what="the volunteers")
        for one in volunteers().values():
            moving.recruit(one)
        wait_until(lambda: all(one.port for one in volunteers().values()), what="the offers")
        ready = sorted(volunteers().values(), key=lambda one: nicks.index(one.nick))
        self._number += 1
        standbys = tuple(Standby(index, one.key, one.instance) for index, one in enumerate(ready, 1))
        paper = Delegation(
            self.host.room_id, self._number, 0, FAR, self._password is not None, standbys=standbys
        ).signed(self.identity.sign)
        places = [Place(index, one.key, one.nick, (f"127.0.0.1:{one.port}",)) for index, one in enumerate(ready, 1)]
        moving.name(paper, Place(0, self.identity.public, "ann"), *places)
        wait_until(lambda: moving.sync > 0, what="a sync standby")

    def hand_over(self, index: int | None = None) -> str:
        assert self.host.moving is not None
        return self.host.moving.hand_over(index)

    def close(self) -> None:
        for person in self.people:
            person.room.close(end=True)
        self.host.close()
        self.folder.close()

    def moves_away(self, index: int | None = None) -> None:
        """ann hands the room over, and her program ends."""
        wait_until(lambda: self.hand_over(index) == "", what="a copy that is complete")
        wait_until(lambda: self.yielded, what="the host to be told")
        self.host.close()
        self.folder.close()

    def log_of(self, nick: str) -> list[Event]:
        """What is on that person's disk, as the host of the room or as a standby."""
        path = self.path if nick == "ann" else self._home / nick / "standby" / self.host.room_id / "log.db"
        return LogReader(path).events_after(-1, 10_000)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Stage]]:
    made: list[Stage] = []

    def make(**options: Any) -> Stage:
        made.append(Stage(tmp_path, monkeypatch, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_standby_has_everything_that_the_host_has(stage):
    ann = stage()
    cat = ann.join("cat", standby=0)
    cat.room.say("before", wait=PATIENCE)
    ann.join("bob")
    ann.name("bob")
    cat.room.say("after", wait=PATIENCE)
    wait_until(lambda: len(ann.log_of("bob")) >= 4, what="the copy")
    assert [event.text for event in ann.log_of("bob") if isinstance(event, Said)] == ["before", "after"]
    assert ann.log_of("bob") == LogReader(ann.path).events_after(-1, 100)


def test_a_computer_that_is_asked_for_a_copy_at_once_has_its_welcome_first(stage, monkeypatch):
    """Somebody asks while the hub lets its member in."""
    ann = stage()
    came = Followers.came

    def came_and_asked(followers: Followers, request: JoinRequest, now: float) -> None:
        came(followers, request, now)
        if followers.volunteers:
            ann.host.moving.recruit(followers.volunteers[-1])

    monkeypatch.setattr(Followers, "came", came_and_asked)
    ann.join("bob")
    wait_until(lambda: [one.nick for one in ann.host.moving.volunteers if one.port] == ["bob"], what="the offer")


def test_a_room_that_is_handed_over_goes_on_at_another_computer(stage):
    ann = stage()
    bob, cat = ann.join("bob"), ann.join("cat", standby=0)
    ann.name("bob")
    cat.room.say("one", wait=PATIENCE)
    ann.moves_away()
    assert bob.room.hosting
    cat.room.say("two", wait=PATIENCE)
    bob.room.say("three", wait=PATIENCE)
    for person in (bob, cat):
        person.hear(lambda person=person: person.texts[-1:] == ["three"], "the last message")
        assert person.texts == ["one", "two", "three"]
        moved = [event for event in person.events if isinstance(event, Moved)]
        assert [(one.nick, one.before, one.reason) for one in moved] == [("bob", "ann", "handover")]
        assert not [item for item in person.items if isinstance(item, Disconnected) and not item.moved]
        assert [item.nick for item in person.items if isinstance(item, Backup)] == ["bob"], "no word of a lost backup"
        assert [event.nick for event in person.events if isinstance(event, Left)] == []
        assert [event.nick for event in person.events if isinstance(event, Joined)].count(person.room.nick) == 1


def test_where_the_room_was_handed_to_a_computer_that_waits_nobody_pauses_before_the_first_try(stage):
    ann = stage(timing=replace(CALM, first_retry=3600.0))
    bob, cat = ann.join("bob"), ann.join("cat", standby=0)
    ann.name("bob")
    ann.moves_away()
    for person in (bob, cat):
        person.hear(lambda person=person: any(isinstance(event, Moved) for event in person.events), "bob to host")


def test_a_host_that_has_handed_its_room_over_claims_it_no_more_although_its_program_takes_its_time(stage):
    ann = stage()
    ann.join("bob")
    ann.name("bob")
    at = Endpoint("127.0.0.1", ann.host.port)
    assert card_at(at, client_context()) is not None
    wait_until(lambda: ann.hand_over() == "", what="a copy that is complete")
    assert card_at(at, client_context()) is None


def test_the_other_computer_of_the_person_who_hosts_is_a_standby_as_well(stage, tmp_path):
    """It has the same key, so the host that it joins looks like its own."""
    ann = stage()
    load_identity(tmp_path / "bob")
    copytree(tmp_path / "bob", tmp_path / "robert")
    bob, robert = ann.join("bob"), ann.join("robert")
    ann.name("bob", "robert")
    ann.moves_away(1)
    assert bob.room.hosting and not robert.room.hosting
    wait_until(lambda: bob.room._standby.hosting.host.moving.sync == 2, what="a sync standby")


def test_the_owner_comes_back_as_a_member_and_hosts_the_room_again(stage):
    ann = stage()
    bob, cat = ann.join("bob"), ann.join("cat", standby=0)
    ann.name("bob")
    cat.room.say("one", wait=PATIENCE)
    ann.moves_away()
    cat.room.say("two", wait=PATIENCE)
    back = ann.join("ann", at=bob.room)
    wait_until(lambda: len(ann.log_of("ann")) >= len(ann.log_of("bob")), what="the owner's copy")
    ask(back, "takeback", until=lambda: back.room.hosting)
    wait_until(lambda: not bob.room.hosting, what="bob to host no more")
    cat.room.say("three", wait=PATIENCE)
    for person in (bob, cat):
        person.hear(lambda person=person: person.texts[-1:] == ["three"], "the last message")
        assert person.texts == ["one", "two", "three"]
    assert sum(isinstance(item, Named) for item in bob.items) == 1, "it is told once"
    moved = [event for event in cat.events if isinstance(event, Moved)]
    assert [(one.nick, one.before, one.reason) for one in moved] == [
        ("bob", "ann", "handover"),
        ("ann", "bob", "failback"),
    ]


def test_who_leaves_while_the_room_is_just_being_shown_waits_for_that(stage):
    ann = stage()
    bob = ann.join("bob")
    standby, shown = bob.room._standby, threading.Thread(target=lambda: None)
    standby._showing = shown  # which begins a moment later
    leaving = threading.Thread(target=standby.hide)
    leaving.start()
    shown.start()
    leaving.join(PATIENCE)
    assert not leaving.is_alive() and not shown.is_alive()


def test_a_room_with_a_password_has_one_wherever_it_is(stage):
    ann = stage(password="open sesame")
    bob, cat = ann.join("bob"), ann.join("cat", standby=0)
    ann.name("bob")
    ann.moves_away()
    cat.room.say("one", wait=PATIENCE)
    bob.hear(lambda: bob.texts == ["one"], "the message")
    assert ann.join("dan", standby=0, at=bob.room).room.card.password


def test_what_is_said_while_the_room_moves_is_said_once_and_by_nobody_lost(stage):
    ann = stage()
    bob, cat, dan = ann.join("bob"), ann.join("cat", standby=0), ann.join("dan", standby=0)
    ann.name("bob")
    said = [f"{number}" for number in range(60)]

    def speak() -> None:
        for text in said:
            cat.room.say(text)

    speaker = threading.Thread(target=speak)
    speaker.start()
    cat.hear(lambda: len(cat.texts) > 5, "the first messages")
    ann.moves_away()
    speaker.join()
    cat.room.wait_acked(PATIENCE)
    for person in (bob, cat, dan):
        person.hear(lambda person=person: len(person.texts) >= len(said), "all messages")
        assert person.texts == said
        seqs = [event.seq for event in person.events]
        assert seqs == sorted(set(seqs))
    assert [event.text for event in ann.log_of("bob") if isinstance(event, Said)] == said


def test_a_stranger_at_the_port_of_a_standby_is_sent_away(stage):
    ann = stage()
    bob = ann.join("bob")
    ann.name("bob")
    place = next(place for place in bob.room._member.follower.cluster.places if place.index == 1)
    with pytest.raises(Refused, match="keeps a copy") as refused:
        joined_room(lambda: dial(place.endpoints), load_identity(ann.path.parent / "eve"), "eve")
    assert refused.value.code == "busy"


@pytest.mark.parametrize("moves", [4, pytest.param(20, marks=pytest.mark.full)])
def test_the_copy_and_the_log_are_equal_after_many_moves(stage, moves):
    ann = stage()
    bob, cat = ann.join("bob"), ann.join("cat")
    ann.name("bob", "cat")
    dan = ann.join("dan", standby=0)
    ann.moves_away(1)
    for number, (host, other) in enumerate([(bob, cat), (cat, bob)] * (moves // 2)):
        dan.room.say(f"{number}", wait=PATIENCE)
        pass_on(host, other)
    wait_until(lambda: ann.log_of("bob") == ann.log_of("cat"), what="equal logs")
    dan.hear(lambda: len(dan.texts) == moves, "all messages")
    assert dan.texts == [f"{number}" for number in range(moves)]
    assert [event.text for event in ann.log_of("cat") if isinstance(event, Said)] == dan.texts


def pass_on(host: Person, other: Person) -> None:
    """The host hands the room to this standby, as soon as it has everything."""
    standby = host.room._standby
    assert standby is not None
    wait_until(lambda: standby.hosting is not None, what="the next host")
    assert standby.hosting is not None and standby.hosting.host.moving is not None
    moving = standby.hosting.host.moving
    wait_until(lambda: moving.sync > 0, what="the copy")
    ask(host, "handover", other.room.nick, until=lambda: other.room.hosting and not host.room.hosting)
    host.listen()
    other.listen()


def test_a_standby_to_which_nobody_comes_ends_its_hosting(stage, monkeypatch):
    """Its answer came too late, so that the host has gone on."""
    monkeypatch.setattr(Handovers, "promoted", lambda handovers, session, paper: None)
    ann = stage(timing=replace(CALM, promotion=0.2, heartbeat=0.05, follow_sweep=0.05))
    bob, cat = ann.join("bob"), ann.join("cat", standby=0)
    ann.name("bob")
    assert "not taken over in time" in ann.hand_over()
    wait_until(lambda: not bob.room.hosting, what="bob to host no more")
    cat.room.say("still here", wait=PATIENCE)
    bob.hear(lambda: bob.texts == ["still here"], "the message")
    wait_until(lambda: ann.log_of("bob") == ann.log_of("ann"), what="the copy to go on")
    assert not ann.yielded


def test_a_person_takes_the_computer_away_from_the_room(stage):
    ann = stage()
    bob = ann.join("bob")
    ann.name("bob")
    wait_until(lambda: (bob.listen(), bob.room.backup)[1], what="the bar")
    assert bob.room.backup == "bob" and any(isinstance(item, Named) for item in bob.items)
    assert bob.room.standbys("off").startswith("This computer is no standby of the room any more. /standbys auto ")
    wait_until(lambda: (bob.listen(), not bob.room.backup)[1], what="the host to know")
    assert ann.hand_over() == "Nobody can take over now."
    assert bob.room.standbys() == "", "the host answers"
    wait_until(lambda: (bob.listen(), bob.notices)[1], what="the answer")
    assert [item.text for item in bob.items if isinstance(item, Notice)][-1].endswith(": has declined")
    assert bob.room.standbys("auto") == "This computer may be a standby of the room again."
    wait_until(lambda: (bob.listen(), bob.room.backup)[1], what="the copy to go on")
    assert [type(item) for item in bob.items].count(Named) == 2, "its person is told once more"


@contextmanager
def full_disk(person: Person, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Meanwhile the computer of this person has no room for a copy."""
    with monkeypatch.context() as patch:
        patch.setattr(replica, "SPARE", 1 << 62)
        patch.setattr(person.room._member.follower.offering.replica, "_unchecked", 0)
        yield


def test_a_copy_that_was_given_up_is_kept_again_if_a_person_wants_that(stage, monkeypatch):
    ann = stage(timing=replace(CALM, sync_wait=0.2))
    bob, cat = ann.join("bob"), ann.join("cat", standby=0)
    ann.name("bob")
    with full_disk(bob, monkeypatch):
        cat.room.say("one", wait=PATIENCE)
        wait_until(lambda: ann.hand_over() == "Nobody can take over now.", what="the copy to be given up")
    bob.room.standbys("auto")
    cat.room.say("two", wait=PATIENCE)
    wait_until(lambda: ann.log_of("bob") == ann.log_of("ann"), what="the copy to go on")


def test_a_copy_that_was_given_up_is_kept_again_once_there_is_room_on_the_disk(stage, monkeypatch):
    ann = stage(timing=replace(CALM, sync_wait=0.2, copy_retry=0.05, heartbeat=0.05, follow_sweep=0.05))
    bob, cat = ann.join("bob"), ann.join("cat", standby=0)
    ann.name("bob")
    with full_disk(bob, monkeypatch):
        cat.room.say("one", wait=PATIENCE)
        wait_until(lambda: ann.hand_over() == "Nobody can take over now.", what="the copy to be given up")

    def back() -> bool:
        cat.room.say("more", wait=PATIENCE)  # what comes makes bob's computer look whether it is time
        return bool(ann.host.moving.sync > 0)

    wait_until(back, what="acks to wait for the copy again")
    wait_until(lambda: ann.log_of("bob") == ann.log_of("ann"), what="equal logs")


def test_a_program_is_a_standby_only_if_it_asks_for_that(stage):
    ann = stage()
    ann.join("script", standby=0)
    bot = ann.join("bot", standby=2)
    assert ann.host.moving is not None
    wait_until(lambda: ann.host.moving.volunteers, what="the volunteers")
    assert [(one.nick, one.asked) for one in ann.host.moving.volunteers] == [("bot", True)]
    assert bot.room.standbys() == "", "the host answers"
    wait_until(lambda: bot.notices, what="the answer")


@pytest.mark.full
@pytest.mark.parametrize("name", ["log", "hub", "host-flusher"])
def test_a_standby_whose_host_gets_no_thread_stays_a_standby(stage, no_thread, name):
    """What was begun of the host ends again, and everybody stays where the room was."""
    ann = stage()
    bob, cat = ann.join("bob"), ann.join("cat", standby=0)
    ann.name("bob")
    no_thread(name)
    wait_until(lambda: bob.room.connected and ann.hand_over(), what="the room to stay")
    no_thread()
    cat.room.say("still here", wait=PATIENCE)
    bob.hear(lambda: bob.texts == ["still here"], "the message")
    assert not bob.room.hosting and not ann.yielded
