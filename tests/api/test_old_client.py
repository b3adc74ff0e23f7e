"""A client from before rooms could move is in a room that moves: it reads where its host is, and does not follow."""

from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from lanchat.protocol.delegation import Delegation, Standby
from lanchat.protocol.places import Place
from lanchat.server.term import Term
from lanchat.storage.identity import Identity
from lanchat.storage.sqlite_log import SqliteLog
from tests.support.moving import FAR, TIMING, ask, cut_off, heard, hosts
from tests.support.old_client import KeyChanged, OldClient
from tests.support.waiting import PATIENCE, wait_until


@pytest.fixture
def old(identity: Callable[[str], Identity]) -> Iterator[OldClient]:
    with OldClient(identity("old"), "old") as made:
        yield made


def test_it_skips_what_it_does_not_know_and_reads_who_hosts_the_room_now(host, old, identity, tmp_path):
    """The host has papers and a standby that is away; then it yields to that one."""
    ann, bob = identity("ann"), identity("bob")
    room = host(log=SqliteLog(tmp_path / "log.db", new_term=True), term=Term(ann.public), nick="ann")
    named = (Standby(1, bob.public, bytes(8)),)
    paper = Delegation(room.room_id, 1, 0, FAR, standbys=named)
    room.moving.name(paper.signed(ann.sign), Place(0, ann.public, "ann"), Place(1, bob.public, "bob"))
    wait_until(lambda: room.moving.papers.delegation, what="the papers")
    assert old.join(room.port)["t"] == "welcome"
    old.say("hello")
    assert old.skipped == {"heartbeat", "delegation", "standbys"}
    room.moving.yield_to(1)
    closing = old.hear("closing")
    assert (closing["code"], closing["text"]) == ("moved", "bob hosts the room, too.")
    assert old.hear("said") == {}, "that was the last line"


@pytest.mark.full
def test_it_reads_who_hosts_after_a_handover_and_has_everything_once_the_owner_hosts_again(stage, old):
    ann, bob, cat = stage.with_backup()
    assert old.join(stage.port)["t"] == "welcome"
    old.say("hello")
    cat.hear(heard(cat, "hello"), "what the old client says")
    assert {"heartbeat", "delegation", "standbys"} & old.skipped, "it was told things that it does not know"
    ask(ann, "handover", "bob", until=lambda: bob.room.hosting and not ann.room.hosting)
    closing = old.hear("closing")
    assert (closing["code"], closing["text"]) == ("moved", "ann has handed the room to bob.")
    assert old.hear("said") == {}, "that was the last line"
    hosts(bob)
    port, people = bob.room._standby.hosting.host.port, len(bob.room.people)
    with pytest.raises(KeyChanged):
        old.join(port)
    assert len(bob.room.people) == people, "the new host has heard nothing of it"
    for text in ("one", "two"):
        cat.room.say(text, wait=PATIENCE)
    wait_until(lambda: stage.sync(bob) == 0, what="ann's copy to be complete")
    ask(ann, "takeback", until=lambda: ann.room.hosting and not bob.room.hosting)
    hosts(ann)
    assert old.join(ann.room._standby.hosting.host.port)["t"] == "welcome"
    old.say("hello", again=True)
    old.say("back")
    cat.hear(heard(cat, "back"), "what the old client says")
    assert old.texts == cat.texts == ["hello", "one", "two", "back"]


@pytest.mark.full
def test_it_loses_its_link_in_a_takeover_and_does_not_follow_but_whoever_comes_anew_is_let_in(stage, old, identity):
    stage.timing = replace(TIMING, host_silence=3.0, promotion=3.0, roster=1.0)
    ann, bob, cat = stage.with_backup()
    old.join(stage.port)
    old.say("hello")
    cut_off(ann)
    ann.room.leave()
    assert old.hear("welcome") == {}, "the link ends"
    hosts(bob)
    port = bob.room._standby.hosting.host.port
    with pytest.raises(KeyChanged):
        old.join(port)
    with OldClient(identity("eve"), "eve") as eve:
        eve.join(port)
        eve.say("first time here")
        assert eve.texts == ["hello", "first time here"]
    cat.hear(heard(cat, "first time here"), "what the other one says")


def test_an_older_version_of_the_wire_is_refused_in_words_that_say_why(host, identity):
    with OldClient(identity("eve"), "eve", version=1) as eve:
        refused = eve.join(host().port)
    assert refused["code"] == "version"
    assert refused["text"] == "This room speaks version 2 of lanchat's protocol, you speak 1."
