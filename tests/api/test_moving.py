"""The owner's program names standbys by itself, and a room outlives it: real sockets, real disks, one process."""

import threading
from typing import Any

import pytest
from msgspec.structs import replace

from lanchat.api.returning import Renewal
from lanchat.api.standby import StandbyKeeper
from lanchat.discovery.sighting import Listing
from lanchat.errors import NotConnected, Refused, RoomClosed
from lanchat.protocol.address import Endpoint
from lanchat.protocol.messages import Left, Moved, Notice
from lanchat.room import file_copies
from lanchat.storage.known_papers import KnownPapers
from tests.support.moving import TIMING, ask, heard, hosts, moves
from tests.support.waiting import PATIENCE, wait_until


def test_a_computer_that_hosts_no_room_is_asked_once(stage, monkeypatch):
    """However often the list of rooms changes meanwhile."""
    asked: list[Endpoint] = []

    class Changing:
        """A list that changes all the time, with a computer that only keeps a copy."""

        def __init__(self, on: object, wanted: str) -> None:
            copy = Listing(wanted, "Room A", "bob", 1, False, (Endpoint("127.0.0.9", 1),), (), "answering")
            self.listings = lambda: [copy]
            self.wait_change = lambda before, timeout: [copy]

        def __enter__(self) -> "Changing":
            return self

        def __exit__(self, *_: object) -> None:
            pass

    def ask_for_card(endpoint: Endpoint, *_: object) -> None:
        asked.append(endpoint)

    stage.with_backup()
    monkeypatch.setattr("lanchat.discovery.finder.Finder", Changing)
    monkeypatch.setattr("lanchat.api.search.card_at", ask_for_card)
    assert stage.elsewhere(look=0.5) is None
    wait_until(lambda: asked, what="the thread that asks")
    assert asked.count(Endpoint("127.0.0.9", 1)) == 1


def test_who_hosts_and_quits_leaves_the_room_to_a_standby_that_was_named_by_itself(stage):
    ann, bob, cat = stage.with_backup()
    wait_until(lambda: stage.notes, what="the owner to be told")
    assert stage.notes == ["bob can take over when you leave or lose the connection. /standbys shows who can."]
    cat.room.say("one", wait=PATIENCE)
    ann.room.close()
    hosts(bob)
    cat.room.say("two", wait=PATIENCE)
    cat.hear(heard(cat, "two"), "what cat said")
    assert cat.texts == ["one", "two"]
    moved = [event for event in cat.events if isinstance(event, Moved)]
    assert [(one.nick, one.before, one.reason) for one in moved] == [("bob", "ann", "handover")]
    assert [event.nick for event in cat.events if isinstance(event, Left)] == ["ann"]


def test_the_owner_names_standbys_also_while_another_one_hosts(stage):
    ann, bob, cat = stage.host(), stage.join("bob"), stage.join("cat")
    wait_until(lambda: stage.named(ann) == {"bob", "cat"} and stage.sync(ann) > 0, what="two standbys")
    ask(ann, "handover", "bob", until=lambda: bob.room.hosting and not ann.room.hosting)
    for person in (ann, bob, cat):
        person.hear(lambda person=person: moves(person) == ["bob"] and person.room.connected, "bob to host")
    with pytest.raises(ValueError, match="Only the owner"):
        cat.room.standbys("bob")
    for wrong, words in (("zoe", "called zoe"), ("ann", "never been a standby")):
        with pytest.raises(ValueError, match=words):
            ann.room.standbys(wrong)
    assert ann.room.standbys("bob") == "bob is the standby from now on. /standbys shows who can take over."
    wait_until(lambda: stage.named(bob) == {"bob"}, what="cat to be named no more")
    assert ann.room.standbys("bob cat").startswith("bob and cat are the standbys from now on.")
    wait_until(lambda: stage.named(bob) == {"bob", "cat"}, what="cat to be named again")


def test_files_are_taken_wherever_the_room_is_and_those_of_another_host_are_named(stage, tmp_path):
    ann, bob, cat = stage.with_backup()
    for name in ("plan", "notes"):
        (tmp_path / name).write_text(name)
    cat.room.send_file(tmp_path / "plan")
    ask(ann, "handover", "bob", until=lambda: bob.room.hosting and not ann.room.hosting)
    cat.hear(lambda: moves(cat) == ["bob"] and cat.room.connected, "bob to host")
    [plan] = cat.room.files
    assert plan.elsewhere == "ann"
    with pytest.raises(Refused, match="plan is on the computer of ann"):
        cat.room.fetch(plan, tmp_path / "got")
    cat.room.send_file(tmp_path / "notes")
    ask(ann, "takeback", until=lambda: ann.room.hosting and not bob.room.hosting)
    cat.hear(lambda: moves(cat) == ["bob", "ann"] and cat.room.connected, "ann to host again")
    assert {entry.name: entry.elsewhere for entry in cat.room.files} == {"plan": "", "notes": "bob"}
    assert cat.room.fetch(plan, tmp_path / "got").read_text() == "plan"


def test_a_standby_copies_files_and_gives_them_when_it_hosts(stage, tmp_path, monkeypatch):
    monkeypatch.setattr(file_copies, "LARGEST", 100)
    stage.timing = replace(TIMING, file_copies=0.05)
    ann, bob, cat = stage.with_backup()
    for name, text in (("small", "small"), ("gone", "gone"), ("large", "x" * 101)):
        (tmp_path / name).write_text(text)
        cat.room.send_file(tmp_path / name)
    small, gone, _ = cat.room.files

    def copies() -> set[str]:
        return {path.name for path in (tmp_path / "bob").glob("standby/*/files/*") if not path.name.startswith(".")}

    wait_until(lambda: copies() == {small.file, gone.file}, what="the copies")
    cat.room.remove_file(gone.file)
    wait_until(lambda: copies() == {small.file}, what="a copy to go with its file")
    ask(ann, "handover", "bob", until=lambda: bob.room.hosting and not ann.room.hosting)
    for person in (bob, cat):
        person.hear(lambda person=person: moves(person) == ["bob"] and person.room.connected, "bob to host")
        assert {entry.name: entry.elsewhere for entry in person.room.files} == {"small": "", "large": "ann"}
        assert person.room.fetch(small, tmp_path / f"got by {person.room.nick}").read_text() == "small"


def test_a_room_that_is_closed_for_everybody_is_closed(stage):
    ann, bob, cat = stage.with_backup()
    ann.room.close(end=True)
    for person in (bob, cat):
        list(person.room.events(timeout=PATIENCE))
        assert isinstance(person.room.ended, RoomClosed)
    assert not bob.room.hosting


def test_a_room_without_a_standby_closes_as_ever(stage):
    ann, cat = stage.host(standby=False), stage.join("cat")
    assert cat.room.card.owner == b"", "and it shows no papers"
    ann.room.close()
    list(cat.room.events(timeout=PATIENCE))
    assert isinstance(cat.room.ended, RoomClosed)


def test_the_owner_finds_its_room_at_the_standby(stage):
    ann, bob, cat = stage.with_backup()
    found = stage.elsewhere()  # as from another computer, to which the home was copied
    assert found.own_key and found.target.endpoints[0].port == ann.room.host.port
    ann.room.close()
    hosts(bob)
    found = stage.elsewhere()
    assert found.host == "bob" and found.target.room_id == bob.room.card.room


def test_the_owner_closes_a_room_at_a_standby_only_with_a_link_to_it(stage):
    """Else nobody would hear of it, while the list on the owner's disk names nobody any more."""
    ann, bob, cat = stage.with_backup()
    ann.room.close()
    hosts(bob)
    again = stage.join("ann", port=stage.elsewhere().target.endpoints[0].port)
    again.room._member.delivery.pause()
    with pytest.raises(NotConnected):
        again.room.close_for_all()
    assert again.room._standby.signing().standbys, "nothing was signed"


def test_the_owner_comes_back_and_takes_the_room_back(stage):
    ann, bob, cat = stage.with_backup()
    cat.room.say("at ann's", wait=PATIENCE)
    ann.room.close()
    hosts(bob)
    cat.room.say("at bob's", wait=PATIENCE)
    before = bob.room._standby.hosting.host.moving.standing.named.number
    endpoint = stage.elsewhere().target.endpoints[0]
    again = stage.join("ann", port=endpoint.port)
    wait_until(lambda: bob.room._standby.hosting.host.moving.sync == 0, what="ann's copy to be complete")
    with Renewal(again.room, 3600):
        newest = bob.room._standby.hosting.host.moving.standing
        wait_until(lambda: newest.named.number > before, what="the list to be signed again")
    ask(again, "takeback", until=lambda: again.room.hosting)
    hosts(again)
    cat.room.say("at ann's again", wait=PATIENCE)
    cat.hear(heard(cat, "at ann's again"), "the last message")
    assert cat.texts == ["at ann's", "at bob's", "at ann's again"]
    reasons = [(one.nick, one.reason) for one in cat.events if isinstance(one, Moved)]
    assert reasons == [("bob", "handover"), ("ann", "failback")]
    again.hear(heard(again, "at ann's again"), "the last message")
    assert again.texts == cat.texts
    wait_until(lambda: again.room._standby.hosting.host.moving.sync == 1, what="bob to be the backup again")


def test_a_standby_that_cannot_read_the_rules_of_the_room_does_not_host_it(stage):
    ann, bob, cat = stage.with_backup()
    bob.room._member.follower.offering.replica.state["rules"] = b"{"
    ann.room.moderate("handover", "bob")

    def answered() -> bool:
        ann.listen()
        return any(isinstance(item, Notice) and "The room stays here." in item.text for item in ann.items)

    wait_until(answered, what="the answer")
    cat.room.say("still here", wait=PATIENCE)
    assert ann.room.hosting and not bob.room.hosting


@pytest.mark.full
def test_an_owner_that_hands_the_room_over_and_stays_keeps_a_copy_and_gets_it_back(stage):
    ann, bob, cat = stage.with_backup()
    for number in range(3):
        ask(ann, "handover", "bob", until=lambda: bob.room.hosting and not ann.room.hosting)
        cat.room.say(f"at bob's {number}", wait=PATIENCE)
        ask(ann, "takeback", until=lambda: ann.room.hosting and not bob.room.hosting)
        cat.room.say(f"at ann's {number}", wait=PATIENCE)
    said = [f"at {who}'s {number}" for number in range(3) for who in ("bob", "ann")]
    for person in (ann, bob, cat):
        person.hear(heard(person, said[-1]), "the last message")
        assert person.texts == said
    wait_until(lambda: stage.log("ann", "rooms") == stage.log("bob", "standby"), what="equal logs")
    moved = [(event.nick, event.reason) for event in cat.events if isinstance(event, Moved)]
    assert moved == [("bob", "handover"), ("ann", "failback")] * 3


def test_an_owner_who_opens_the_room_without_its_last_host_is_told_so(stage):
    ann, bob, cat = stage.with_backup()
    ann.room.close()
    assert ann.room.successor == "bob"
    hosts(bob)
    bob.room.close(end=True)
    del stage.notes[:]
    again = stage.host()
    assert stage.notes == ["bob hosted this room last, and cannot be found now. What was said there is missing here."]
    again.room.close(end=True)
    del stage.notes[:]
    stage.host()
    assert stage.notes == [], "and only once"


def test_a_standby_is_known_by_the_nick_that_its_person_has_now(stage):
    ann, bob, _ = stage.with_backup()
    bob.room.rename("robert")
    wait_until(lambda: stage.named(ann) == {"robert"}, what="the new nick among the standbys")


def test_a_member_knows_on_another_day_who_was_taken_off_the_list_meanwhile(stage, tmp_path):
    ann, _, _ = stage.with_backup()
    room: Any = ann.room
    standing, known = room._standby.hosting.host.moving.standing, KnownPapers(tmp_path / "cat")
    ann.room.standbys("off")
    wait_until(lambda: not standing.named.standbys, what="an empty list")
    wait_until(lambda: known.newest(standing.room, standing.owner) == standing.delegation, what="cat to remember it")


def test_a_room_that_is_unlocked_by_its_new_host_stays_so_when_the_last_one_follows(stage, monkeypatch):
    ann, bob = stage.host(), stage.join("bob")
    wait_until(lambda: stage.sync(ann) > 0, what="a sync standby")
    ann.room.moderate("lock")
    wait_until(lambda: ann.room.host.rules.rules.locked, what="the lock")
    go_on, yielded = threading.Event(), StandbyKeeper.yielded

    def slowly(standby: StandbyKeeper) -> None:
        assert go_on.wait(PATIENCE)
        yielded(standby)

    monkeypatch.setattr(StandbyKeeper, "yielded", slowly)
    wait_until(lambda: ann.room.host.moving.hand_over(1) == "", what="the handover")
    hosts(bob)
    host = bob.room._standby.hosting.host
    assert host.rules.rules.locked
    bob.room.moderate("unlock")
    wait_until(lambda: not host.rules.rules.locked, what="the room to be open")
    go_on.set()
    wait_until(lambda: stage.sync(bob) == 0, what="ann to follow")
    ann.room.say("here I am", wait=PATIENCE)  # what her computer brings has come before
    stage.port = host.port
    stage.join("fay", standby=0)


def test_bans_the_lock_and_waiting_private_messages_go_with_the_room_and_come_back(stage):
    ann, bob, cat = stage.with_backup()
    eve, dan = stage.join("eve", standby=0), stage.join("dan", standby=0)
    cat.room.say("everybody is here", wait=PATIENCE)
    dan.room.close()
    cat.room.tell("dan", "for later", wait=PATIENCE)
    ann.room.moderate("ban", "eve")
    wait_until(lambda: not eve.room.connected, what="eve to be sent away")
    ann.room.moderate("lock")
    ask(ann, "handover", "bob", until=lambda: bob.room.hosting and not ann.room.hosting)
    hosts(bob)
    stage.port = bob.room._standby.hosting.host.port
    for nick, code in (("eve", "banned"), ("fay", "locked")):
        with pytest.raises(Refused) as refused:
            stage.join(nick, standby=0)
        assert refused.value.code == code
    back = stage.join("dan", standby=0)
    back.hear(lambda: [item.text for item in back.private] == ["for later"], "the private message")

    heard = bob.notices
    bob.room.moderate("unlock")
    wait_until(lambda: bob.notices > heard, what="the room to be open")
    wait_until(lambda: bob.room._standby.hosting.host.moving.sync == 0, what="ann's copy to be complete")
    ask(ann, "takeback", until=lambda: ann.room.hosting)
    hosts(ann)
    ann.room.close(end=True)
    again = stage.host()
    stage.join("fay", standby=0)
    with pytest.raises(Refused, match="banned"):
        stage.join("eve", standby=0)
    assert again.room.hosting
