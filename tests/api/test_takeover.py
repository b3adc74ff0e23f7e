"""A room survives its host: real sockets, real disks, everybody in one process."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from msgspec import structs
from msgspec.structs import replace

from lanchat.api.watch import Watch
from lanchat.client import takeover
from lanchat.client.following import Following, Taken
from lanchat.errors import ConnectionLost, Refused
from lanchat.network.card import card_at, cards_at, refuses
from lanchat.protocol.address import Endpoint
from lanchat.protocol.delegation import OWNER_INDEX
from lanchat.protocol.messages import Left, Moved, Said
from lanchat.protocol.timeline import epoch_of, n_of
from lanchat.protocol.tls import client_context
from lanchat.server.replication import DiskPosition
from lanchat.storage.identity import load_identity
from lanchat.storage.terms import begin_term
from tests.support.addresses import LOOPBACK, Machine
from tests.support.moving import TIMING, Person, Stage, ask, cut_off, heard, hosts, moves
from tests.support.waiting import PATIENCE, wait_until


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    made = Stage(tmp_path, monkeypatch)
    made.timing = replace(TIMING, host_silence=3.0, promotion=3.0, roster=1.0)  # here some are lost, and left behind
    yield made
    made.close()


def merges(person: Person) -> list[str]:
    """The nicks of those who host since two halves of the room have found each other again."""
    return [event.nick for event in person.events if isinstance(event, Moved) and event.reason == "merge"]


def topic_of(person: Person) -> str:
    person.listen()
    return person.room.state.topic


def slow_path(person: Person, open_for: set[str]) -> None:
    """This person's computer reaches no host until the path is open for it."""
    room: Any = person.room
    dial = room._member.dial

    def dial_late() -> Any:
        if room.nick not in open_for:
            raise ConnectionLost("cut off")
        return dial()

    room._member.dial = dial_late


def no_term_on_the_disk_of(nick: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk of this person's computer is full when it is to host the room."""

    def begin(path: Path, *args: Any, **options: Any) -> int:
        if nick in path.parts:
            raise OSError(28, "No space left on device")
        return begin_term(path, *args, **options)

    monkeypatch.setattr("lanchat.storage.sqlite_log.begin_term", begin)


def test_a_standby_hosts_the_room_when_its_host_is_gone(stage):
    ann, bob, cat = stage.with_backup()
    cat.room.say("at ann's", wait=PATIENCE)
    cut_off(ann)
    ann.room.leave()
    cat.room.say("to whoever hosts")
    wait_until(lambda: bob.room.hosting and bob.room.connected and cat.room.connected, what="bob to host")
    cat.room.say("at bob's", wait=PATIENCE)
    for person in (bob, cat):
        person.hear(heard(person, "at bob's"), "the last message")
        assert person.texts == ["at ann's", "to whoever hosts", "at bob's"]
    moved = [event for event in cat.events if isinstance(event, Moved)]
    assert [(one.nick, one.before, one.reason) for one in moved] == [("bob", "ann", "takeover")]
    wait_until(lambda: "ann" in [event.nick for event in cat.events if isinstance(event, Left)], what="ann to go")


def test_a_standby_hosts_the_room_even_if_it_was_not_told_yet_where_the_others_are(stage):
    ann, bob, _ = stage.with_backup()
    cluster: Any = bob.room._member.follower.cluster
    wait_until(lambda: len(cluster.places) == 2, what="bob to be told")
    cluster.places = cluster.places[:1]  # as a moment before
    cut_off(ann)
    wait_until(lambda: bob.room.hosting and bob.room.connected, what="bob to host")


def test_a_standby_hosts_the_room_even_if_the_last_host_was_gone_before_it_had_compared_its_copy(stage, monkeypatch):
    """What it has is no less than where it had never reached that host."""
    ann, bob, _ = stage.with_backup()
    follower: Any = bob.room._member.follower
    first = follower._following
    monkeypatch.setattr(Following, "state", lambda self, state: Taken())  # so it asks for nothing of what follows
    for link in ann.room.host.links:
        link.drop("lost", "cut off")
    wait_until(lambda: follower._following not in (None, first) and bob.room.connected, what="bob to follow again")
    assert not follower._following.complete
    cut_off(ann)
    ann.room.leave()
    wait_until(lambda: bob.room.hosting and bob.room.connected, what="bob to host")


def test_a_standby_that_cannot_host_stays_a_member_and_its_port_says_so_until_it_leaves(stage):
    ann, bob, _ = stage.with_backup()
    room: Any = bob.room
    at = Endpoint("127.0.0.1", room._standby._port.port)
    room._standby._card = structs.replace(room._standby._card, title="a\nb")  # of a host that keeps to no rules
    cut_off(ann)

    def shown() -> str:
        card, _ = card_at(at, client_context(), PATIENCE) or (None, b"")
        return card.standby if card is not None else ""

    wait_until(lambda: shown() == "unable", what="another port")
    assert not bob.room.hosting
    bob.room.say("kept until somebody hosts")
    bob.room.close(end=True)
    assert refuses((at,), PATIENCE)


def test_a_person_who_hosts_because_their_own_network_is_gone_is_told_so(stage):
    machine = Machine(*LOOPBACK.all())
    ann = stage.host()
    notes: list[str] = []
    bob = stage.join("bob", on=machine.own("lo"), on_problem=notes.append)
    wait_until(lambda: stage.sync(ann) > 0, what="a sync standby")
    machine.addresses.clear()
    cut_off(ann)
    ann.room.leave()
    wait_until(lambda: bob.room.hosting and bob.room.connected, what="bob to host for himself")
    wait_until(lambda: notes, what="the reason")
    assert notes[0] == "This machine has no network on lo. Others cannot join until it has one."


def test_an_owner_that_was_cut_off_alone_comes_over_and_takes_the_room_back(stage):
    ann, bob, cat = stage.with_backup()
    cat.room.say("at ann's", wait=PATIENCE)
    cut_off(ann)
    wait_until(lambda: bob.room.hosting and cat.room.connected, what="bob to host")
    ann.room.say("alone")
    cat.room.say("at bob's", wait=PATIENCE)
    wait_until(lambda: not ann.room.hosting and ann.room.connected, what="ann to come over")
    for person in (ann, bob, cat):
        person.hear(heard(person, "at bob's"), "the last message")
    cat.room.say("together", wait=PATIENCE)
    ann.hear(heard(ann, "together"), "the last message")
    for person in (ann, bob, cat):
        person.hear(heard(person, "alone"), "what ann said alone")
        assert sorted(person.texts) == ["alone", "at ann's", "at bob's", "together"]
    wait_until(lambda: stage.sync(bob) == 0, what="ann's copy to be complete")
    ask(ann, "takeback", until=lambda: ann.room.hosting and not bob.room.hosting)
    cat.room.say("at ann's again", wait=PATIENCE)
    wait_until(lambda: stage.log("ann", "rooms") == stage.log("bob", "standby"), what="equal logs")


def test_an_owner_that_starts_again_has_all_of_the_room(stage):
    ann, bob, cat = stage.with_backup()
    cat.room.say("at ann's", wait=PATIENCE)
    ann.room.close()
    wait_until(lambda: bob.room.hosting and bob.room.connected and cat.room.connected, what="bob to host")
    cat.room.say("at bob's", wait=PATIENCE)
    stage.join("ann", port=bob.room._standby.hosting.host.port)
    wait_until(lambda: stage.sync(bob) == 0, what="ann's copy to be complete")
    wait_until(lambda: stage.log("ann", "rooms") == stage.log("bob", "standby"), what="equal logs")


@pytest.mark.full  # the quick one: tests/api/test_standby.py
@pytest.mark.timeout(180)
def test_a_person_with_one_key_on_two_computers_hosts_at_one_after_the_other(stage, tmp_path):
    """Each of the two is a standby of its own, and nothing of the room is lost on the way, or comes twice."""
    stage.timing = replace(stage.timing, ask=PATIENCE)
    load_identity(tmp_path / "laptop")
    copytree(tmp_path / "laptop", tmp_path / "desktop")
    ann, laptop = stage.host(), stage.join("bob", home="laptop")
    wait_until(lambda: stage.sync(ann) == 1, what="a sync standby")
    desktop, cat = stage.join("bob", home="desktop"), stage.join("cat", standby=0)
    replication = ann.room._standby.hosting.host.moving._standbys.replication
    wait_until(lambda: replication.is_ready(2), what="the copy of the desktop to be complete")
    desktop.room.say("at ann's", wait=PATIENCE)
    ann.room._standby.hide()  # as when its process is killed, it sees nobody who hosts the room
    cut_off(ann)

    both = {laptop: 1, desktop: 2}  # with their indexes
    wait_until(lambda: [one for one in both if one.room.hosting] and cat.room.connected, what="one of them to host")
    first, second = sorted(both, key=lambda one: not one.room.hosting)  # on a busy machine either one
    ann.room.close()
    cat.room.say("at the first one's", wait=PATIENCE)
    replication = first.room._standby.hosting.host.moving._standbys.replication
    wait_until(lambda: replication.is_ready(both[second]), what="the copy of the other one to be complete")
    ask(first, "handover", "bob", until=lambda: second.room.hosting and not first.room.hosting)
    cat.room.say("at the second one's", wait=PATIENCE)
    ann = stage.join("ann", port=second.room._standby.hosting.host.port)
    replication = second.room._standby.hosting.host.moving._standbys.replication
    wait_until(lambda: replication.is_ready(OWNER_INDEX), what="ann's copy to be complete")
    ask(ann, "takeback", until=lambda: ann.room.hosting and not second.room.hosting)
    first.room.say("at ann's again", wait=PATIENCE)

    for person in (laptop, desktop, cat):
        person.hear(heard(person, "at ann's again"), "the last message")
        assert person.texts == ["at ann's", "at the first one's", "at the second one's", "at ann's again"]
    moved = [(event.nick, event.reason) for event in cat.events if isinstance(event, Moved)]
    assert moved == [("bob", "takeover"), ("bob", "handover"), ("ann", "failback")]

    def logs_are_equal() -> bool:
        anns, *others = [stage.log(*at) for at in (("ann", "rooms"), ("laptop", "standby"), ("desktop", "standby"))]
        return bool(others == [anns, anns])

    wait_until(logs_are_equal, what="equal logs")


@pytest.mark.full
@pytest.mark.parametrize("learns", ["by looking", "by the papers of a member"])
def test_a_standby_that_was_cut_off_alone_and_hosts_comes_back_to_the_owner_and_the_others(stage, monkeypatch, learns):
    """Who stays begins a term above: it has seen the other host, or somebody who comes from there shows its papers."""
    ann, bob, cat = stage.with_backup()
    standby: Any = bob.room._standby
    hosted, over, look = threading.Event(), threading.Event(), Watch.look

    def look_later(self: Any) -> None:
        """bob looks late, and then he yields to ann; she looks for him, or does not."""
        if learns == "by looking" if self._host.as_peer.index == OWNER_INDEX else over.is_set():
            look(self)

    monkeypatch.setattr(Watch, "look", look_later)
    begin, connect = standby.begin_hosting, standby._dialer._connect

    def begin_hosting(promotion: Any) -> bytes:
        hosted.set()
        return bytes(begin(promotion))

    def connect_later() -> Any:
        if not hosted.is_set():
            raise ConnectionLost("cut off")
        return connect()

    def read_later(*places: Any, **options: Any) -> Any:
        """bob reads nobody's card, or on a slow machine he would ask ann once more, and go to her."""
        return cards_at(*places, **options) if hosted.is_set() else {}

    monkeypatch.setattr(takeover, "cards_at", read_later)
    monkeypatch.setattr(standby, "begin_hosting", begin_hosting)
    monkeypatch.setattr(standby._dialer, "_connect", connect_later)
    bob.room._member._link.drop("silent", "cut off")
    bob.room.send("apart")
    cat.room.say("at ann's", wait=PATIENCE)
    wait_until(hosted.is_set, what="bob to host for himself")
    if learns == "by looking":
        ann.hear(lambda: merges(ann), "ann to begin a term above bob's")
    else:
        bob.hear(lambda: "apart" in bob.texts, "what bob says at his own host")
    over.set()
    wait_until(lambda: not bob.room.hosting and bob.room.connected, what="bob to come over")
    for person in (ann, bob, cat):
        person.hear(lambda person=person: len(person.texts) >= 2, "what was said in both halves")
        assert sorted(person.texts) == ["apart", "at ann's"]
    assert ann.room.hosting
    for person in (ann, bob, cat):
        person.hear(lambda person=person: merges(person), "a term above bob's")
        assert merges(person) == ["ann"]
    wait_until(lambda: stage.sync(ann) == 1, what="bob's copy to be complete")
    wait_until(lambda: stage.log("ann", "rooms") == stage.log("bob", "standby"), what="equal logs")
    terms = {epoch_of(event.seq): n_of(event.seq) for event in stage.log("ann", "rooms")}
    assert len(terms) == 2 and stage.timeline("ann", "rooms") == stage.timeline("bob", "standby")
    assert stage.timeline("ann", "rooms") == {min(terms): terms[min(terms)]}


@pytest.mark.full
def test_whom_a_half_of_the_room_has_banned_its_lock_and_what_waits_there_for_somebody_count_in_the_other(
    stage, monkeypatch
):
    apart, look = threading.Event(), Watch.look

    def look_later(watch: Any) -> None:
        """ann looks for another host only when she has done all that she does apart."""
        if apart.is_set() or watch._host.standing.index != OWNER_INDEX:
            look(watch)

    monkeypatch.setattr(Watch, "look", look_later)
    ann, bob, cat = stage.with_backup()
    dan, eve = stage.join("dan", standby=0), stage.join("eve", standby=0)
    for person in (dan, eve):
        person.room.say("hello", wait=PATIENCE)
        person.room.leave()
    cat.room.say("at ann's", wait=PATIENCE)
    left = lambda: {event.nick for event in ann.events if isinstance(event, Left)}  # noqa: E731
    wait_until(lambda: left() == {"dan", "eve"}, what="two to go")
    cut_off(ann)
    wait_until(lambda: bob.room.hosting and cat.room.connected, what="bob to host")
    host = bob.room._standby.hosting.host
    wait_until(lambda: ann.room.connected, what="ann to be in her own room again")
    ann.room.moderate("ban", "dan")
    ann.room.moderate("lock")
    ann.room.tell("eve", "psst", wait=PATIENCE)
    apart.set()
    wait_until(lambda: not ann.room.hosting and ann.room.connected, what="ann to come over")
    wait_until(lambda: host.rules.rules.locked, what="the lock")
    assert list(host.rules.rules.bans.values()) == ["dan"]
    eve = stage.join("eve", standby=0, port=host.port)
    eve.hear(lambda: [item.text for item in eve.private] == ["psst"], "what waited at ann's")
    with pytest.raises(Refused, match="banned"):
        stage.join("dan", standby=0, port=host.port)


@pytest.mark.full  # the quick ones are about a handover: in test_moving.py, and for the password in test_standby.py
@pytest.mark.timeout(180)
def test_bans_the_lock_the_password_and_the_topic_outlive_a_host_that_crashes_and_come_back_to_it(stage):
    word = {"password": "correct horse"}
    ann, bob = stage.host(**word), stage.join("bob", **word)
    wait_until(lambda: stage.sync(ann) > 0, what="a sync standby")
    cat, eve = stage.join("cat", standby=0, **word), stage.join("eve", standby=0, **word)
    ann.room.moderate("ban", "eve")
    wait_until(lambda: not eve.room.connected, what="eve to be sent away")
    ann.room.moderate("topic", text="deploy at 5")
    ann.room.moderate("lock")
    host, nothing = ann.room.host, DiskPosition(-1, 0)
    wait_until(lambda: host.rules.rules.locked, what="the lock")
    wait_until(lambda: host.moving._standbys.followers.has(1, nothing, host.rules.rev), what="the rules at bob's")
    cat.hear(lambda: topic_of(cat) == "deploy at 5", "the topic")
    ann.room._standby.hide()  # as when its process is killed, it sees nobody who hosts the room
    cut_off(ann)
    wait_until(lambda: bob.room.hosting and bob.room.connected and cat.room.connected, what="bob to host")
    ann.room.close()

    stage.port = bob.room._standby.hosting.host.port
    cat.hear(lambda: moves(cat) == ["bob"], "the new host")
    assert cat.room.state.topic == "deploy at 5"
    for nick, password, code in (
        ("eve", word, "banned"),
        ("fay", word, "locked"),
        ("fay", {"password": "guess"}, "password"),
    ):
        with pytest.raises(Refused) as refused:
            stage.join(nick, standby=0, **password)
        assert refused.value.code == code
    before = cat.notices
    cat.room.moderate("unlock")
    cat.hear(lambda: cat.notices > before, "that cat may not do that")
    with pytest.raises(Refused, match="locked"):
        stage.join("fay", standby=0, **word)
    bob.room.moderate("topic", text="deploy at 6")
    bob.room.moderate("unlock")
    wait_until(lambda: not bob.room._standby.hosting.host.rules.rules.locked, what="the room to be open")

    ann = stage.join("ann", **word)
    wait_until(lambda: stage.sync(bob) == 0, what="ann's copy to be complete")
    ask(ann, "takeback", until=lambda: ann.room.hosting and not bob.room.hosting)
    hosts(ann)
    stage.port = ann.room._standby.hosting.host.port
    fay = stage.join("fay", standby=0, **word)
    assert topic_of(fay) == "deploy at 6" and fay.room.card.password
    with pytest.raises(Refused, match="banned"):
        stage.join("eve", standby=0, **word)


@pytest.mark.full
def test_a_standby_whose_disk_is_full_leaves_the_room_to_the_next_one(stage, monkeypatch):
    ann, bob = stage.host(), stage.join("bob")
    wait_until(lambda: stage.sync(ann) == 1, what="bob to be the sync standby")
    cat, dan = stage.join("cat"), stage.join("dan", standby=0)
    moving = ann.room._standby.hosting.host.moving
    wait_until(lambda: len(moving._standbys.followers.indexes) == 2, what="cat to follow")
    dan.room.say("at ann's", wait=PATIENCE)

    no_term_on_the_disk_of("bob", monkeypatch)
    wait_until(lambda: moving._standbys.replication.is_ready(2), what="cat's copy to be complete")
    cut_off(ann)
    ann.room.leave()
    wait_until(lambda: cat.room.hosting and cat.room.connected and dan.room.connected, what="cat to host")
    dan.room.say("at cat's", wait=PATIENCE)
    for person in (bob, cat, dan):
        person.hear(heard(person, "at cat's"), "the last message")
        assert person.texts == ["at ann's", "at cat's"]
    assert not bob.room.hosting


def with_two_standbys(stage: Any) -> tuple[Any, Any, Any, Any]:
    """The host; bob, who is the sync standby; cat, whose copy is complete as well; and dan, who is none."""
    ann, bob = stage.host(), stage.join("bob")
    wait_until(lambda: stage.sync(ann) == 1, what="bob to be the sync standby")
    cat, dan = stage.join("cat"), stage.join("dan", standby=0)
    replication = ann.room._standby.hosting.host.moving._standbys.replication
    wait_until(lambda: replication.is_ready(2), what="cat's copy to be complete")
    return ann, bob, cat, dan


@pytest.mark.full  # the quick ones: tests/client/test_cluster.py, and HostSearch in tests/client/test_member.py
@pytest.mark.parametrize("bob_comes", [True, False])
def test_a_member_that_looks_late_finds_the_room_beside_the_standby_that_could_not_host(stage, monkeypatch, bob_comes):
    """That one says who hosts, if it knows. The next host has no standby, and so it promises no signs of life."""
    stage.timing = replace(stage.timing, ping_after=3600.0, dead_after=7200.0, file_copies=3600.0)
    ann, bob, cat, dan = with_two_standbys(stage)
    no_term_on_the_disk_of("bob", monkeypatch)
    open_for = {"bob"} if bob_comes else set()
    for person in (bob, dan):
        slow_path(person, open_for)
    cut_off(ann)
    ann.room.leave()
    wait_until(lambda: cat.room.hosting and cat.room.connected, what="cat to host")
    if bob_comes:
        wait_until(lambda: bob.room.connected, what="bob to come")
        keepalive = bob.room._member._link.keepalive
        wait_until(lambda: time.monotonic() - keepalive.heard_at > stage.timing.host_silence, what="silence")
    open_for.add("dan")
    wait_until(lambda: dan.room.connected, what="dan to find the room")


@pytest.mark.full
def test_what_only_a_standby_has_that_cannot_host_is_not_lost(stage, monkeypatch):
    """And who has said it is gone, so that nobody says it again."""
    stage.timing = replace(stage.timing, ask=PATIENCE)
    ann, bob, cat, dan = with_two_standbys(stage)

    no_term_on_the_disk_of("bob", monkeypatch)
    slow: Any = cat.room
    slow._member.follower._take = lambda taken: None
    dan.room.say("on ann's disk and on bob's", wait=PATIENCE)
    dan.room.leave()
    cut_off(ann)
    ann.room.leave()
    wait_until(lambda: cat.room.hosting and cat.room.connected and bob.room.connected, what="cat to host")
    bob.room.say("at cat's", wait=PATIENCE)
    texts = [event.text for event in stage.log("cat", "standby") if isinstance(event, Said)]
    assert texts == ["on ann's disk and on bob's", "at cat's"]
