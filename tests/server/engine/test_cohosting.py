"""A second computer hosts somebody's room on an engine: it asks, is accepted, serves the room, and is removed."""

import io
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from lanchat.api import hosted
from lanchat.api.engine_hosting import BesideFolder
from lanchat.api.engine_rooms import RoomAtEngine, connect, find_room, finding
from lanchat.api.hosted import HostedRoom
from lanchat.api.joining import join_target
from lanchat.api.moving import MovingRoom
from lanchat.api.returning import find_at_engine
from lanchat.api.second_host import host_beside
from lanchat.api.targets import Target
from lanchat.client.events import Disconnected, PrivateFile
from lanchat.errors import LanchatError, Refused, RoomClosed, TimedOut
from lanchat.protocol.address import Endpoint
from lanchat.protocol.delegation import read_delegation
from lanchat.protocol.engine import Asking, Ending, EngineRoom
from lanchat.protocol.messages import Joined, Left, Moved, Said
from lanchat.protocol.text import grouped
from lanchat.protocol.timing import Timing
from lanchat.server.engine.address import EngineAddress, EngineChoice
from lanchat.server.engine.cohosts import announce
from lanchat.server.engine.controls import RoomOver
from lanchat.server.engine.entries import own_key, proposal_of
from lanchat.server.engine.redis_log import RedisLog
from lanchat.server.engine.shared_log import LeaseOver
from lanchat.storage.identity import load_identity
from lanchat.storage.reader import LogReader
from lanchat.terminal.history import show_history
from tests.support.addresses import LOOPBACK
from tests.support.engines import RedisProcess
from tests.support.files import digest, file_of
from tests.support.moving import Person
from tests.support.people import lose
from tests.support.waiting import PATIENCE, wait_until

QUICK = Timing(  # nobody is lost, and no host closes a link, only because a busy machine was slow
    first_retry=0.02, engine_read=0.05, engine_retry=0.02, beat=0.05, host_silence=PATIENCE, greeting=PATIENCE
)


class Computers:
    """Each person has a home of their own, all have one engine."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, engine: EngineChoice) -> None:
        self._home, self._monkeypatch, self._engine = home, monkeypatch, engine
        self.hosts: dict[str, HostedRoom] = {}
        self.people: list[Person] = []
        self.said: list[str] = []  # to those who host
        self._threads: list[threading.Thread] = []

    @property
    def engine(self) -> EngineAddress:
        return self._engine.address

    def use(self, server: RedisProcess) -> None:
        """From now on this is the engine."""
        self._engine = replace(self._engine, address=server.address)

    def home(self, nick: str) -> Path:
        self._monkeypatch.setenv("LANCHAT_HOME", str(self._home / nick))
        return self._home / nick

    def open(self, nick: str = "ann", *, password: str | None = None, **choice: Any) -> HostedRoom:
        """This person's room, with this choice of an engine."""
        self.home(nick)
        room = hosted.host(
            "Room A",
            nick=nick,
            port=0,
            announce=False,
            engine=replace(self._engine, **choice),
            password=password,
            interfaces=("127.0.0.1",),
            on_problem=self.said.append,
            timing=QUICK,
        )
        self.hosts[nick] = room
        return room

    def found(self, nick: str) -> RoomAtEngine:
        """Ann's room, as this person's computer finds it."""
        home = self.home(nick)
        room = find_room(self._engine.address, "Room A", load_identity(home), home, QUICK)
        assert room is not None
        return room

    def host_beside(self, nick: str, room: RoomAtEngine, **options: Any) -> HostedRoom:
        """Host it as this person, whose home is the one of now."""
        self.hosts[nick] = host_beside(
            room,
            self._engine,
            nick=nick,
            port=0,
            announce=False,
            interfaces=("127.0.0.1",),
            on_problem=self.said.append,
            say=self.said.append,
            timing=QUICK,
            **options,
        )
        return self.hosts[nick]

    def beside(self, nick: str) -> Callable[[], HostedRoom]:
        """This person's computer asks to host the room as well. Returns what waits until it does."""
        room = self.found(nick)

        def host() -> None:
            self.host_beside(nick, room)

        thread = threading.Thread(target=host)
        thread.start()
        self._threads.append(thread)

        def hosts() -> HostedRoom:
            wait_until(lambda: nick in self.hosts, what=f"{nick} to host")
            return self.hosts[nick]

        return hosts

    def join(self, nick: str, at: str, **options: Any) -> Person:
        self.home(nick)
        target = Target((Endpoint("127.0.0.1", self.hosts[at].host.port),))
        room = join_target(target, nick, patience=None, on=LOOPBACK, drop_oldest=False, timing=QUICK, **options)
        self.people.append(person := Person(room))
        return person

    def hear(self, text: str) -> str:
        """What somebody who hosts reads, once it is there."""
        wait_until(lambda: any(text in said for said in self.said), what=text)
        return next(said for said in self.said if text in said)

    def cohost(self, code: str) -> str:
        """Ann accepts the computer with this code, once that has asked just now, which takes a busy one longer."""

        def accepted() -> str:
            try:
                return self.hosts["ann"].cohost(code)
            except ValueError:
                return ""

        return wait_until(accepted, what="the computer that asks")

    def accept(self, nick: str) -> HostedRoom:
        """Ann accepts this person's computer, by the code that her screen shows."""
        asked = self.beside(nick)
        code = self.hear(f"{nick} wants to host").rpartition(" ")[2]
        self.cohost(code)
        room = asked()
        self.hear(f"is open on {len(self.hosts)} hosts")
        return room

    def close(self) -> None:
        for person in self.people:
            person.room.close()
        for room in self.hosts.values():
            room.close()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def computers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis: RedisProcess) -> Iterator[Computers]:
    redis.command("DEL", "{lanchat:rooms}", "{lanchat:claimed}")
    computers = Computers(tmp_path, monkeypatch, EngineChoice(redis.address))
    yield computers
    computers.close()


def test_a_computer_that_the_owner_accepts_hosts_the_room_as_well(computers):
    computers.open("ann")
    asked = computers.beside("bob")
    waiting = computers.hear("Waiting for ann to accept this computer as a host: /cohost ")
    wanted = computers.hear('bob wants to host "Room A" as well. If that screen shows the same code: /cohost ')
    code = wanted.rpartition(" ")[2]
    assert waiting.endswith(code), "both see one code"
    who = f"ann: hosts, 1 person there\nbob: waits for /cohost {code}"
    wait_until(lambda: computers.hosts["ann"].standbys() == who, what="who hosts and who asks")
    assert computers.cohost(code).startswith("bob's computer may host the room from now on.")
    asked()
    computers.hear('"Room A" is open on 2 hosts: ')
    ann = computers.hosts["ann"]
    wait_until(lambda: ann.other_hosts == ("bob",), what="ann's host to know bob's")
    assert ann.engine == computers.engine.without_password
    cat, dan = computers.join("cat", at="ann"), computers.join("dan", at="bob")
    cat.room.say("one", wait=PATIENCE)
    dan.room.say("two", wait=PATIENCE)
    for person in (cat, dan):
        person.hear(lambda person=person: person.texts == ["one", "two"], "both messages in one order")
    assert [one.nick for one in dan.room.people if one.host] == ["bob"]
    assert [one.nick for one in cat.room.people if one.host] == ["ann"]


def test_who_hosts_beside_the_owner_finds_the_room_in_their_history(computers):
    ann = computers.open("ann")
    ann.say("one", wait=PATIENCE)
    bob = computers.accept("bob")
    bob.say("two", wait=PATIENCE)
    computers.hosts.pop("bob").close()
    out = io.StringIO()
    show_history(
        computers.home("bob"), "Room A", search="", since=0, number=2, as_json=False, out=out, talk=out, visits=False
    )
    assert [line.split()[-2:] for line in out.getvalue().splitlines()[1:]] == [["ann", "one"], ["bob", "two"]]


@pytest.mark.parametrize("how", ["it dies", "it quits"])
def test_the_people_of_a_host_that_ends_go_on_at_the_owners(computers, how):
    ann = computers.open("ann")
    bob = computers.accept("bob")
    cat, dan = computers.join("cat", at="ann"), computers.join("dan", at="bob")
    dan.room.say("before", wait=PATIENCE)
    dan.hear(lambda: dan.room._member.follower.cluster.others, "where ann hosts")
    if how == "it dies":
        lose(bob.host)
    else:
        bob.close()
    dan.hear(lambda: dan.room.connected and ann.host.served == 3, "dan to come over")
    dan.room.say("after", wait=PATIENCE)
    cat.hear(lambda: cat.texts == ["before", "after"], "what dan says")
    assert [event for event in cat.events if isinstance(event, Moved)] == []
    if how == "it quits":
        seen = [type(event) for event in cat.events if isinstance(event, Joined | Left) and event.nick == "dan"]
        assert seen == [Joined], "who is sent to another host neither leaves nor joins"


def test_a_host_that_the_owner_removes_serves_nobody_any_more(computers):
    ann = computers.open("ann")
    computers.accept("bob")
    dan = computers.join("dan", at="bob")
    dan.hear(lambda: dan.room._member.follower.cluster.others, "where ann hosts")
    assert ann.uncohost("bob").startswith("bob's computer does not host the room any more")
    computers.hear("The owner of the room has removed this computer from its hosts.")
    dan.hear(lambda: dan.changes == ["connected", "lost", "connected"], "the move")
    assert [item.moved for item in dan.items if isinstance(item, Disconnected)] == [True], "nothing went wrong"
    bob = computers.hosts["bob"]
    dan.hear(lambda: dan.room.connected and ann.host.served == 3, "dan and bob to come over")
    wait_until(lambda: bob.connected, what="bob to be a member")
    assert not bob.hosting
    bob.say("from bob", wait=PATIENCE)
    with pytest.raises(ValueError, match="bob does not host the room"):
        ann.uncohost("bob")


def test_a_file_is_fetched_from_the_host_that_it_came_to(computers, tmp_path):
    computers.open("ann")
    computers.accept("bob")
    cat, dan = computers.join("cat", at="ann"), computers.join("dan", at="bob")
    for person in (cat, dan):
        person.hear(lambda person=person: person.room.has_other_hosts, "where the other host is")
    for sender, receiver, name in ((cat, dan, "report.pdf"), (dan, cat, "photo.jpg")):
        source = file_of(tmp_path / "from", name)
        sender.room.send_file(source)
        wait_until(partial(lists, receiver, name), what=f"{name} to be listed")
        assert digest(receiver.room.fetch(name, tmp_path / "to")) == digest(source)
    cat.room.send_file(file_of(tmp_path / "from", "secret.pdf"), to="dan")
    told = partial(told_of_file, dan)
    wait_until(told, what="dan to be told")
    secret = dan.room.start_fetching(told(), tmp_path / "to", lambda transfer: None)
    secret.wait(PATIENCE)
    assert digest(secret.path) == digest(tmp_path / "from" / "secret.pdf")
    hosts = {entry.name: entry.elsewhere for entry in cat.room.files}
    assert hosts == {"report.pdf": "", "photo.jpg": "bob", "secret.pdf": ""}
    assert {entry.name: entry.elsewhere for entry in dan.room.files} == {
        "report.pdf": "ann",
        "photo.jpg": "",
        "secret.pdf": "ann",
    }
    computers.hosts.pop("bob").close()
    cat.hear(lambda: not cat.room.has_other_hosts, "bob's host to be gone")
    with pytest.raises(LanchatError, match="photo.jpg is on the computer of bob. It can be fetched while they host"):
        cat.room.fetch("photo.jpg", tmp_path / "again")


def told_of_file(person: Person) -> PrivateFile | None:
    """A file for this person alone that is whole at a host."""
    person.listen()
    return next((item for item in person.items if isinstance(item, PrivateFile) and item.state == "stored"), None)


def lists(person: Person, name: str) -> bool:
    """Whether their host lists this file as whole."""
    return any(entry.name == name and entry.sha256 for entry in person.room.files)


def notices(person: Person) -> int:
    return person.notices


def has_closed(person: Person) -> bool:
    return isinstance(person.room.ended, RoomClosed)


def refuses(port: int) -> bool:
    """Whether nothing listens there."""
    try:
        with socket.create_connection(("127.0.0.1", port)):
            return False
    except ConnectionRefusedError:
        return True


def test_the_owner_closes_the_room_at_all_hosts(computers):
    ann = computers.open("ann")
    computers.accept("bob")
    wait_until(lambda: ann.goes_on, what="the other host")
    cat, dan = computers.join("cat", at="ann"), computers.join("dan", at="bob")
    bob = computers.hosts["bob"]
    port = bob.host.port
    with pytest.raises(LanchatError, match="Only the owner of the room"):
        bob.close_for_all()
    assert ann.close_for_all(), "this program closes it"
    ann.close()
    for person in (cat, dan):
        wait_until(partial(has_closed, person), what="the end")
    wait_until(partial(refuses, port), what="bob's host to end")
    wait_until(lambda: bob.ended is not None, what="bob to be told")
    for room in (dan.room, bob):
        assert str(room.ended) == "The room was closed by ann.", "it was not bob"
    assert not bob.hosting
    assert not any("has removed this computer" in said for said in computers.said)
    computers.hosts.pop("bob").close()
    computers.hosts.pop("ann")
    computers.open("ann")
    asked = computers.beside("bob")
    computers.cohost(computers.hear("bob wants to host").rpartition(" ")[2])  # once more
    asked()


def writes(log: RedisLog, endings: list[Ending | None]) -> bool:
    """Write into the log that the room is over. False: this host was too slow, and counts as gone by now."""
    lease = log.enter(0, known=True).lease
    try:
        log.append([proposal_of(RoomOver(ending), own_key(lease, n)) for n, ending in enumerate(endings)], 0)
    except LeaseOver:
        return False
    return True


def test_nobody_but_the_owner_ends_the_room(computers, redis):
    """A computer that may use the engine writes there what it likes, also what the owner has written before."""
    ann = computers.open("ann")
    computers.accept("bob")
    cat, dan = computers.join("cat", at="ann"), computers.join("dan", at="bob")
    known, eve = load_identity(computers.home("ann")), load_identity(computers.home("eve"))
    id, number = ann.card.room, read_delegation(ann.host.beside.papers.delegation, known.public).number
    endings = [
        None,
        Ending("ann", number, b"?" * 64),
        Ending("ann", number).signed(id, eve.sign),
        Ending("ann", number).signed("0" * 32, known.sign),
        Ending("ann", number - 1).signed(id, known.sign),  # before it was opened again
    ]
    with closing(RedisLog(redis.address, id, eve.id, known.id, timing=QUICK)) as log:
        wait_until(partial(writes, log, endings), what="the lines to be written")
    cat.room.say("after", wait=PATIENCE)
    for person in (cat, dan):
        person.hear(lambda person=person: person.texts == ["after"], "what comes after that")
    dan.room.say("still here", wait=PATIENCE)
    assert ann.hosting and computers.hosts["bob"].hosting


def test_a_host_whose_engine_has_lost_the_room_serves_it_no_more(computers, own_redis):
    server = own_redis()
    computers.use(server)
    ann = computers.open("ann")
    port = ann.host.port
    server.command("FLUSHALL")
    wait_until(partial(refuses, port), what="the host to end")
    wait_until(lambda: ann.ended is not None, what="ann to be told")
    assert not ann.hosting
    assert str(ann.ended) == "This computer does not host the room any more."
    assert computers.hear("has lost a part of this room").endswith("--restore")


def test_what_hosts_could_not_say_because_the_engine_was_away_is_said_when_they_host_again(computers, own_redis):
    server = own_redis()
    computers.use(server)
    ann, bob = computers.open("ann"), computers.accept("bob")
    ann.say("before", wait=PATIENCE)
    server.kill()
    for person in (Person(ann), Person(bob)):
        person.hear(partial(notices, person), "that the room is paused")
        person.room.say(f"{person.room.nick} waits")
        assert person.room.unsent.is_kept
    for nick in ("ann", "bob"):
        computers.hosts.pop(nick).close()
    server.start()
    ann = computers.open("ann")
    bob = computers.host_beside("bob", computers.found("bob"))
    for room in (ann, bob):
        assert room.unsent.left_over == 1
        room.wait_acked(PATIENCE)
    [log] = computers.home("ann").glob("rooms/*/log.db")

    def texts() -> list[str]:
        return sorted(event.text for event in LogReader(log).events() if isinstance(event, Said))

    wait_until(lambda: "bob waits" in texts(), what="ann's file to have what came by way of bob's host")
    assert texts() == ["ann waits", "before", "bob waits"]


def test_a_room_is_closed_at_all_hosts_only_where_these_can_be_told(computers, monkeypatch):
    ann = computers.open("ann")
    monkeypatch.setattr(MovingRoom, "goes_on", True)
    ann.state.paused = True
    with pytest.raises(LanchatError, match="so its other hosts cannot be told"):
        ann.close_for_all()


def test_an_owner_who_does_not_host_cannot_close_the_room_and_takes_back_nothing(computers):
    computers.open("ann")
    bob = computers.accept("bob")
    computers.hosts.pop("ann").close()
    ann = computers.join("ann", at="bob", standby=1)
    with pytest.raises(LanchatError, match="is closed where its owner hosts it"):
        ann.room.close_for_all()
    ann.room.close()
    computers.people.remove(ann)
    computers.open("ann")
    wait_until(lambda: computers.hosts["ann"].goes_on, what="the other host, which is still permitted")
    assert bob.hosting


def test_a_computer_that_was_accepted_need_not_ask_again(computers):
    computers.open("ann")
    computers.accept("bob").close()
    del computers.hosts["bob"]
    computers.said.clear()
    computers.beside("bob")()
    assert not any("Waiting" in said for said in computers.said)


def test_a_computer_that_the_owner_has_named_beforehand_need_not_be_accepted(computers):
    id = load_identity(computers.home("bob")).id
    ann = computers.open("ann", cohosts=(id,), has_screen=False)
    computers.beside("bob")()
    computers.hear("bob's computer may host the room from now on, as --cohost says.")
    computers.hear("is open on 2 hosts")
    assert not any("wants to host" in said for said in computers.said)
    asked = computers.beside("cat")
    id = load_identity(computers.home("cat")).id
    assert computers.hear("cat wants to host").endswith(f"there, start this host again with  --cohost {id}")
    computers.cohost(f"{id[:4]}-{id[4:8]}")
    asked()
    ann.uncohost("bob")
    computers.hear("The owner of the room has removed this computer from its hosts.")
    bob = load_identity(computers.home("bob")).public
    wait_until(
        lambda: ann.host.beside.papers.index_of(bob) is None, what="ann's own papers, which come after the others'"
    )


def test_a_host_that_has_another_password_does_not_open(computers):
    ann = computers.open("ann", password="correct horse", cohosts=(load_identity(computers.home("bob")).id,))
    room = computers.found("bob")
    with pytest.raises(Refused, match='The room "Room A" has a password.'):
        computers.host_beside("bob", room)
    with pytest.raises(Refused, match='That is not the password of the room "Room A".'):
        computers.host_beside("bob", room, password="wrong horse")
    assert ann.host.served == 1, "nobody was let in"
    bob = computers.host_beside("bob", room, password="correct horse")
    bob.say("hello", wait=PATIENCE)
    events: list[object] = []
    while not any(isinstance(event, Said) for event in events):
        events += ann.take(PATIENCE)
    assert [type(event) for event in events if isinstance(event, Joined | Left) and event.nick == "bob"] == [Joined]


def test_the_owner_comes_back_with_the_password_that_the_other_hosts_have(computers):
    computers.open("ann", password="correct horse", cohosts=(load_identity(computers.home("bob")).id,))
    bob = computers.host_beside("bob", computers.found("bob"), password="correct horse")
    computers.hosts.pop("ann").close()
    with pytest.raises(Refused, match='The room "Room A" has a password.'):
        computers.open("ann")
    with pytest.raises(Refused, match='That is not the password of the room "Room A".'):
        computers.open("ann", password="wrong horse")
    assert computers.open("ann", password="correct horse").say("hello", wait=PATIENCE)
    bob.close()
    del computers.hosts["bob"]


def test_an_owner_asks_the_engine_who_hosts_the_room_there(computers):
    """Discovery may not reach the other hosts, which are often in other subnets."""
    computers.open("ann", cohosts=(load_identity(computers.home("bob")).id,))
    home = computers.home("ann")
    assert find_at_engine("Room A", home=home, timing=QUICK) is None
    bob = computers.host_beside("bob", computers.found("bob"))
    wait_until(lambda: find_at_engine("Room A", home=home, timing=QUICK), what="bob at the engine")
    computers.hosts.pop("ann").close()
    place = find_at_engine("Room A", home=home, timing=QUICK)
    assert place is not None and (place.nick, bob.host.port) == ("bob", place.endpoints[0].port)
    computers.hosts.pop("bob").close()
    assert find_at_engine("Room A", home=home, timing=QUICK) is None


def test_the_owner_gives_a_room_no_password_that_its_other_hosts_do_not_have(computers):
    ann = computers.open("ann")
    computers.accept("bob")
    wait_until(lambda: ann.goes_on, what="the other host")
    computers.hosts.pop("ann").close()
    with pytest.raises(Refused, match='The room "Room A" has no password.'):
        computers.open("ann", password="correct horse")


def test_only_the_right_code_is_accepted(computers):
    ann = computers.open("ann")
    with pytest.raises(ValueError, match="No computer with the code 1234-5678 waits to host the room"):
        ann.cohost("1234-5678")
    with pytest.raises(ValueError, match="has hosts and no standbys"):
        ann.standbys("bob")


def test_who_is_not_accepted_in_time_hosts_nothing(computers, monkeypatch):
    computers.open("ann")
    home = computers.home("bob")
    room = find_room(computers._engine.address, "Room A", load_identity(home), home, QUICK)
    assert room is not None
    with pytest.raises(TimedOut, match="has not accepted this computer as a host in time"):
        host_beside(room, computers._engine, nick="bob", interfaces=("127.0.0.1",), deadline=0.0, timing=QUICK)


def test_a_program_without_a_screen_waits_as_long_as_it_may(computers, redis):
    computers.open("ann")
    environment = {**os.environ, "LANCHAT_HOME": str(computers.home("bob")), "LANCHAT_ENGINE": redis.url}
    words = ["host", "Room A", "--nick", "bob", "--port", "0", "--headless", "--timeout", "1"]
    ended = subprocess.run(
        [sys.executable, "-m", "lanchat", *words], env=environment, capture_output=True, text=True, timeout=4 * PATIENCE
    )
    assert ended.returncode == 124
    assert "Waiting for ann to accept this computer as a host: /cohost " in ended.stderr


def test_a_room_is_found_by_its_title_and_never_ones_own(computers, tmp_path):
    computers.open("ann")
    for nick, title, found in (("bob", "Room A", True), ("bob", "Room B", False), ("ann", "Room A", False)):
        home = computers.home(nick)
        room = find_room(computers._engine.address, title, load_identity(home), home, QUICK)
        assert (room is not None) is found, (nick, title)


SURE = structs.replace(QUICK, engine_claim=3600.0)  # no claim ends only because a busy machine was slow


class Finder:
    """Bob's computer, in a thread of its own, is about to open a room called Room A."""

    def __init__(self, computers: Computers, timing: Timing = SURE) -> None:
        home = computers.home("bob")
        self.said: list[str] = []
        self.found: RoomAtEngine | None = None
        self._arguments = computers.engine, "Room A", load_identity(home), home, self.said.append, timing
        self.thread = threading.Thread(target=self._find)
        self.thread.start()

    def _find(self) -> None:
        with finding(*self._arguments) as self.found:
            pass


def opening(computers: Computers) -> AbstractContextManager[RoomAtEngine | None]:
    """Ann's computer opens a room called Room A within this block."""
    home = computers.home("ann")
    return finding(computers.engine, "Room A", load_identity(home), home, pytest.fail, QUICK)


def test_of_two_who_open_one_title_at_once_one_asks_to_host_the_room_of_the_other(computers):
    with opening(computers) as none:
        assert none is None
        bob = Finder(computers)
        wait_until(lambda: bob.said, what="bob to wait")
        ann = computers.open("ann")
    bob.thread.join()
    assert bob.said == ['Somebody else is opening a room called "Room A" at this engine. Waiting for it.']
    assert bob.found is not None and bob.found.id == ann.card.room


def test_who_waits_opens_the_room_if_the_first_one_cannot(computers):
    with pytest.raises(LanchatError, match="no port"), opening(computers):
        bob = Finder(computers)
        wait_until(lambda: bob.said, what="bob to wait")
        raise LanchatError("There is no port.")
    bob.thread.join()
    assert bob.found is None


def test_a_program_that_has_died_while_it_opened_a_room_keeps_nobody_waiting(computers, redis):
    assert redis.command("HINCRBY", "{lanchat:claimed}", "Room A", "1") == b":1\r\n"
    bob = Finder(computers, structs.replace(QUICK, engine_claim=0.0))
    bob.thread.join()
    assert bob.found is None and len(bob.said) == 1
    bob = Finder(computers)
    bob.thread.join()
    assert bob.said == [], "the title is free again"


WAITING = (
    'The room "Room A", which this computer has hosted before, is not at this engine now. '
    "Waiting until its owner opens it there. (To open a room of your own: --new)"
)


def test_a_computer_that_has_hosted_a_room_waits_until_its_owner_has_opened_it(computers):
    """The engine has lost it, and this computer is started first. It opens no other room with that title."""
    room = RoomAtEngine("a" * 32, EngineRoom("Room A", "ann", load_identity(computers.home("ann")).public))
    BesideFolder(computers.home("bob"), room).close()
    home = computers.home("bob")
    for title in ("Room A", room.id):
        with pytest.raises(TimedOut, match="has not opened it at this engine in time"):
            with finding(computers.engine, title, load_identity(home), home, computers.said.append, QUICK, 0.0):
                pass
    bob = Finder(computers)
    wait_until(lambda: bob.said, what="bob to wait")
    with closing(connect(computers.engine, QUICK)) as commands:
        announce(commands, room.id, room.about)
    bob.thread.join()
    assert (bob.found, bob.said) == (room, [WAITING])


@pytest.mark.full
def test_a_second_host_waits_until_the_owner_has_restored_what_the_engine_has_lost(computers, own_redis):
    server = own_redis()
    computers.use(server)
    ann = computers.open("ann")
    computers.accept("bob")
    server.command("FLUSHALL")
    wait_until(lambda: ann.ended is not None and computers.hosts["bob"].ended is not None, what="both to end")
    for nick in ("ann", "bob"):
        computers.hosts.pop(nick).close()
    bob = Finder(computers)
    wait_until(lambda: bob.said, what="bob to wait")
    again = computers.open("ann", restore=True)
    bob.thread.join()
    assert bob.found is not None and bob.found.id == again.card.room
    assert bob.said == [WAITING]


def test_an_owner_reads_that_another_room_has_the_title_and_how_to_host_that(computers):
    """It is wanted, with --new, or one of them was opened at another engine first."""
    first = computers.open("ann")
    second = computers.open("eve")
    ann = load_identity(computers.home("ann"))
    assert computers.hear("Another room called").startswith(
        'Another room called "Room A" is at this engine: that of ann, with the fingerprint '
        f"{grouped(ann.id)}. To host that one as well, leave and enter: lanchat host {first.card.room} --engine redis://"
    )
    home = computers.home("bob")
    for title, id in ((first.card.room, first.card.room), (second.card.room, second.card.room)):
        found = find_room(computers.engine, title, load_identity(home), home, QUICK)
        assert found is not None and found.id == id
    with pytest.raises(LanchatError, match='Several rooms at this engine are called "Room A"') as error:
        computers.found("bob")
    assert f"that of eve:  lanchat host {second.card.room}" in error.value.hint


def test_the_code_is_that_of_the_key():
    assert Asking(b"k" * 32, bytes(8), "bob").code == Asking(b"k" * 32, bytes(8), "eve").code
