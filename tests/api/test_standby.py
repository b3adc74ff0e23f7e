"""A room moves when it is asked to: real sockets, real disks, everybody in one process."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lanchat.api.joining import join_target
from lanchat.api.room import JoinedRoom
from lanchat.api.targets import Target
from lanchat.client.events import Disconnected, Item
from lanchat.protocol.address import Endpoint
from lanchat.protocol.delegation import Delegation, Standby
from lanchat.protocol.messages import Event, Joined, Left, Moved, Said
from lanchat.protocol.places import Place
from lanchat.protocol.timing import Timing
from lanchat.server.doors.native import native_door
from lanchat.server.host import Host
from lanchat.server.term import Term
from lanchat.storage.identity import load_identity
from lanchat.storage.reader import LogReader
from lanchat.storage.sqlite_log import SqliteLog
from tests.support.addresses import LOOPBACK
from tests.support.waiting import wait_until

TIMING = Timing(first_retry=0.02, newcomer=0.0, naming=0.05)
FAR = 9_000_000_000_000  # ms since 1970


class Person:
    """Somebody with a computer of their own: a home, and everything that has come to them."""

    def __init__(self, room: JoinedRoom) -> None:
        self.room = room
        self.items: list[Item] = []

    def listen(self) -> None:
        for item in self.room.take(0.01):
            self.items.append(item)
            self.room.follow(item)

    @property
    def texts(self) -> list[str]:
        self.listen()
        return [item.text for item in self.items if isinstance(item, Said)]

    @property
    def events(self) -> list[Event]:
        self.listen()
        return [item for item in self.items if isinstance(item, Event)]

    def hear(self, condition: Callable[[], object], what: str) -> None:
        wait_until(condition, what=what)


class Stage:
    """ann's room, whose host is in this process without a member of its own."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, password: str | None = None) -> None:
        self._home, self._monkeypatch, self._password = home, monkeypatch, password
        self.identity = load_identity(home / "ann")
        self.yielded = 0
        self.path = home / "ann.db"
        self.host = Host(
            "Room A",
            self.identity,
            nick="ann",
            doors=(native_door(0),),
            on=LOOPBACK,
            password=password,
            log=SqliteLog(self.path, new_term=True),
            term=Term(self.identity.public),
            yielded=self._yield,
            timing=TIMING,
        )
        self.host.start()
        self.people: list[Person] = []
        self._number = 0

    def _yield(self) -> None:
        self.yielded += 1

    def join(self, nick: str, standby: int = 1) -> Person:
        self._monkeypatch.setenv("LANCHAT_HOME", str(self._home / nick))
        target = Target((Endpoint("127.0.0.1", self.host.port),))
        room = join_target(
            target,
            nick,
            password=self._password,
            patience=None,
            on=LOOPBACK,
            drop_oldest=False,
            standby=standby,
            timing=TIMING,
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

    def log_of(self, nick: str) -> list[Event]:
        """What is on that person's disk, as the host of the room or as a standby."""
        path = self._home / nick / "standby" / self.host.room_id / "log.db"
        return LogReader(path).events_after(-1, 1000)


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
    cat.room.say("before", wait=10)
    ann.join("bob")
    ann.name("bob")
    cat.room.say("after", wait=10)
    wait_until(lambda: len(ann.log_of("bob")) >= 4, what="the copy")
    assert [event.text for event in ann.log_of("bob") if isinstance(event, Said)] == ["before", "after"]
    assert ann.log_of("bob") == LogReader(ann.path).events_after(-1, 100)


def test_a_room_that_is_handed_over_goes_on_at_another_computer(stage):
    ann = stage()
    bob, cat = ann.join("bob"), ann.join("cat", standby=0)
    ann.name("bob")
    cat.room.say("one", wait=10)
    assert ann.hand_over() == ""
    wait_until(lambda: ann.yielded, what="the host to be told")
    ann.host.close()
    wait_until(lambda: bob.room.hosting, what="bob to host")
    cat.room.say("two", wait=10)
    bob.room.say("three", wait=10)
    for person in (bob, cat):
        person.hear(lambda person=person: person.texts[-1:] == ["three"], "the last message")
        assert person.texts == ["one", "two", "three"]
        moved = [event for event in person.events if isinstance(event, Moved)]
        assert [(one.nick, one.before, one.reason) for one in moved] == [("bob", "ann", "handover")]
        assert not [item for item in person.items if isinstance(item, Disconnected) and not item.moved]
        assert [event.nick for event in person.events if isinstance(event, Left)] == []
        assert [event.nick for event in person.events if isinstance(event, Joined)].count(person.room.nick) == 1
