"""A room that moves, the homes of the people in it, and what they hear."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from lanchat.api import hosted
from lanchat.api.joining import join_target
from lanchat.api.returning import find_elsewhere
from lanchat.api.room import JoinedRoom
from lanchat.api.targets import Target
from lanchat.client.events import Connected, Disconnected, Item, PrivateMessage
from lanchat.errors import NotConnected
from lanchat.protocol.address import Endpoint
from lanchat.protocol.messages import Event, Moved, Notice, Said
from lanchat.protocol.places import Place
from lanchat.protocol.timing import Timing
from lanchat.storage.reader import LogReader
from tests.support.addresses import LOOPBACK
from tests.support.waiting import PATIENCE, wait_until

CALM = Timing(  # nothing moves, stays or ends only because a busy machine was slow
    first_retry=0.02,
    newcomer=0.0,
    naming=0.05,
    host_silence=PATIENCE,
    sync_pause=0.1,
    promotion=PATIENCE,
    roster=PATIENCE,
    copy_retry=3600.0,
)
TIMING = replace(CALM, naming=0.02, watch=0.2, company=0.5)
AGAIN = 0.5  # s, after which somebody asks again
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

    @property
    def notices(self) -> int:
        self.listen()
        return sum(isinstance(item, Notice) for item in self.items)

    @property
    def private(self) -> list[PrivateMessage]:
        self.listen()
        return [item for item in self.items if isinstance(item, PrivateMessage)]

    @property
    def changes(self) -> list[str]:
        """What became of the connection."""
        self.listen()
        kinds = {Connected: "connected", Disconnected: "lost"}
        return [kinds[type(item)] for item in self.items if type(item) in kinds]

    def hear(self, condition: Callable[[], object], what: str) -> None:
        wait_until(condition, what=what)


def ask(person: Person, action: str, nick: str = "", *, until: Callable[[], bool]) -> None:
    """Ask the host for something until it happens: it refuses while the copy is not known to be complete, and an order
    is lost with its link."""
    asked_at = 0.0

    def asked() -> bool:
        nonlocal asked_at
        person.listen()
        if not until() and time.monotonic() - asked_at > AGAIN:
            asked_at = time.monotonic()
            with suppress(NotConnected):
                person.room.moderate(action, nick)
        return until()

    wait_until(asked, what=action)


class Stage:
    """Homes of several people, and the rooms that they are in."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._home, self._monkeypatch, self.timing = home, monkeypatch, TIMING
        self.people: list[Person] = []
        self.notes: list[str] = []

    def host(self, nick: str = "ann", **options: Any) -> Person:
        self._monkeypatch.setenv("LANCHAT_HOME", str(self._home / nick))
        options = {"port": 0, "announce": False, "drop_oldest": False, "timing": self.timing, **options}
        room = hosted.host("Room A", nick=nick, on_problem=self.notes.append, interfaces=("127.0.0.1",), **options)
        self.port = room.host.port
        return self._person(room)

    def join(self, nick: str, standby: int = 1, port: int = 0, home: str = "", **options: Any) -> Person:
        self._monkeypatch.setenv("LANCHAT_HOME", str(self._home / (home or nick)))
        target = Target((Endpoint("127.0.0.1", port or self.port),))
        options = {"patience": None, "on": LOOPBACK, "drop_oldest": False, "timing": self.timing, **options}
        return self._person(join_target(target, nick, standby=standby, **options))

    def with_backup(self) -> tuple[Person, Person, Person]:
        """ann hosts, bob's computer has everything, and cat is there as well."""
        ann, bob, cat = self.host(), self.join("bob"), self.join("cat", standby=0)
        wait_until(lambda: self.sync(ann) > 0, what="a sync standby")
        return ann, bob, cat

    def with_page(self, password: str | None = None) -> tuple[Person, Person]:
        """ann hosts a room with a page, and bob's computer is ready to host it with one."""
        ann, bob = self.host(web_port=0, password=password), self.join("bob", password=password)
        wait_until(lambda: self.sync(ann) > 0, what="a sync standby")
        wait_until(lambda: "bob" in places_of(ann) and web_port(places_of(ann)["bob"]), what="bob's page")
        return ann, bob

    def sync(self, person: Person) -> int:
        room: Any = person.room
        hosting = room._standby.hosting
        return hosting.host.moving.sync if hosting is not None else -1

    def named(self, person: Person) -> set[str]:
        """The nicks of the standbys, as the host knows them."""
        room: Any = person.room
        standing = room._standby.hosting.host.moving.standing
        return {standing.nick(one.index) for one in standing.named.standbys} if standing.named else set()

    def elsewhere(self, nick: str = "ann", look: float = PATIENCE) -> Any:
        """Where its host is now, as soon as it is found."""
        return find_elsewhere("Room A", LOOPBACK, home=self._home / nick, look=look).host

    def log(self, nick: str, kind: str) -> list[Event]:
        """What is on that person's disk of the only room there."""
        [path] = (self._home / nick / kind).glob("*/log.db")
        return LogReader(path).events_after(-1, 1000)

    def timeline(self, nick: str, kind: str) -> dict[int, int]:
        """The terms that are over, by what is on that person's disk, each with its last `n`."""
        [path] = (self._home / nick / kind).glob("*/log.db")
        with closing(sqlite3.connect(path)) as db:
            return dict(db.execute("SELECT epoch, last FROM timeline").fetchall())

    def _person(self, room: Any) -> Person:
        self.people.append(person := Person(room))
        return person

    def close(self) -> None:
        for person in self.people:
            person.room.close(end=True)


def moves(person: Person) -> list[str]:
    """Who has hosted the room, one after the other."""
    return [event.nick for event in person.events if isinstance(event, Moved)]


def hosts(person: Person) -> None:
    """Wait until this person's computer hosts the room, and the person is in it, so that it may be asked for things."""

    def inside() -> bool:  # not by the link to the last host
        return moves(person)[-1:] == [person.room.nick] and person.room.hosting and person.room.connected

    wait_until(inside, what=f"{person.room.nick} to host")


def heard(person: Person, text: str) -> Callable[[], bool]:
    return lambda: text in person.texts


def cut_off(person: Person) -> None:
    """Nobody reaches the host of this person any more, and all links to it end, as when its process is killed."""
    room: Any = person.room
    host = room._standby.hosting.host
    host._acceptor.stop()
    host._acceptor.close()
    for link in host.links:
        link.drop("lost", "cut off")


def places_of(person: Person) -> dict[str, Place]:
    """Where each computer is that may host the room, by the nick; this person's hosts it."""
    room: Any = person.room
    return {place.nick: place for place in room._standby.hosting.host.moving.standing.places.values()}


def web_port(place: Place) -> int:
    """0: it has no page."""
    return int(place.web[0].rpartition(":")[2]) if place.web else 0
