"""A standby's computer continues a room from its copy, when nobody hosts it: real sockets, real disks, one process."""

import os
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from lanchat.api.continuing import continue_room, find_copy, look_for_host
from lanchat.api.search import Seen
from lanchat.errors import LanchatError
from lanchat.protocol.delegation import VALIDITY
from lanchat.protocol.timeline import term_of
from lanchat.room.succession import Peer
from lanchat.storage.copies import kept_copies
from lanchat.storage.rooms import LOG, STANDBY
from tests.support.addresses import LOOPBACK
from tests.support.moving import TIMING, Person, Stage
from tests.support.namespaces import require_own_loopback
from tests.support.refused import NO_THREAD
from tests.support.waiting import PATIENCE, wait_until


def home(stage: Stage, nick: str) -> Any:
    return stage._home / nick


def copy_of(stage: Stage, nick: str = "bob", **options: Any) -> Any:
    return find_copy("Room A", home=home(stage, nick), **options)


def with_copy(stage: Stage) -> str:
    """bob's computer has a complete copy of a room in which cat has spoken; then all are gone. Returns the room id."""
    ann, bob, cat = stage.with_backup()
    cat.room.say("on the first day", wait=PATIENCE)
    wait_until(lambda: copy_of(stage) is not None, what="the papers in bob's copy")
    for person in (bob, cat, ann):
        person.room.close(end=True)
    stage.people.clear()
    return str(ann.room.card.room)


def server_of(person: Person) -> Any:
    room: Any = person.room
    return room._standby.hosting.host


def continued(stage: Stage, nick: str = "bob", **options: Any) -> Person:
    stage._monkeypatch.setenv("LANCHAT_HOME", str(home(stage, nick)))
    options = {"on": LOOPBACK, "drop_oldest": False, "timing": TIMING, **options}
    person = Person(continue_room(copy_of(stage, nick), nick, **options))
    stage.people.append(person)
    return person


def test_the_next_morning_the_standby_continues_the_room_and_its_owner_comes_back_to_it(stage):
    require_own_loopback()  # nothing announces the room: it is found because its port is the same
    room = with_copy(stage)
    copy = copy_of(stage)
    assert (copy.problem, copy.nick(0), copy.index) == ("", "ann", 1)
    bob = continued(stage)
    assert bob.room.hosting and bob.room.card.room == room
    stage.port = server_of(bob).port
    cat = stage.join("cat", standby=0)
    cat.hear(lambda: "on the first day" in cat.texts, "what was said before")
    cat.room.say("on the second day", wait=PATIENCE)
    elsewhere = stage.elsewhere()
    assert elsewhere is not None and elsewhere.host == "bob", "the owner finds it there"
    ann = stage.join("ann", port=stage.port)
    ann.hear(lambda: "on the second day" in ann.texts, "what was said meanwhile")


def test_who_could_continue_a_room_knows_it_while_still_in_it(stage):
    ann, bob, cat = stage.with_backup()
    wait_until(lambda: bob.room.continues_here, what="the papers in bob's copy")
    assert ann.room.continues_here, "it is hers"
    assert not cat.room.continues_here


def test_a_term_of_the_copy_is_above_all_that_were_told(stage):
    with_copy(stage)
    last = term_of(copy_of(stage).epoch)
    bob = continued(stage, least_term=last + 7)
    assert term_of(server_of(bob).moving.standing.epoch) == last + 7
    bob.room.close(end=True)
    with pytest.raises(LanchatError, match="moved too often"):
        continued(stage, least_term=last + 5000)


def test_a_room_that_somebody_hosts_is_found_and_not_opened_twice(stage):
    stage.with_backup()
    wait_until(lambda: copy_of(stage) is not None, what="the papers in bob's copy")
    seen = look_for_host(copy_of(stage), LOOPBACK, home=home(stage, "bob"), look=PATIENCE)
    assert seen.host is not None and seen.host.host == "ann"
    with pytest.raises(LanchatError, match="uses the copy"):
        continued(stage)


def test_a_room_that_another_standby_still_hears_is_hosted():
    away, hears = Peer(2, 64, 5, "lost"), Peer(3, 65, 5, "hears")
    assert not Seen().is_hosted and not Seen(None, (away,)).is_hosted
    assert Seen(None, (away, hears)).is_hosted
    assert (Seen().next_term, Seen(None, (away, hears)).next_term) == (0, 2)


def test_a_copy_says_why_it_cannot_be_continued(stage):
    with_copy(stage)
    until = copy_of(stage).named.until
    assert copy_of(stage, now=until - 1).problem == ""
    assert copy_of(stage, now=until + VALIDITY).problem.startswith("ann has been away for too long")
    assert copy_of(stage, "cat") is None and find_copy("Room B", home=home(stage, "bob")) is None


def test_a_copy_that_was_never_whole_is_not_continued(stage):
    """Its host and this computer have left while it was copied: the rest of the room would be set aside everywhere."""
    room = with_copy(stage)
    with closing(sqlite3.connect(home(stage, "bob") / STANDBY / room / LOG)) as db, db:
        db.execute("DELETE FROM state WHERE name = 'whole'")
    assert copy_of(stage).problem == "The copy on this computer is not complete."
    with pytest.raises(LanchatError, match="not complete"):
        continued(stage)


def test_a_copy_that_was_put_on_another_computer_is_no_standby_there(stage):
    room = with_copy(stage)
    (home(stage, "eve") / STANDBY).mkdir(parents=True)
    os.rename(home(stage, "bob") / STANDBY / room, home(stage, "eve") / STANDBY / room)
    assert copy_of(stage, "eve").problem == "ann has taken this computer off the list of standbys."
    (home(stage, "eve") / STANDBY / room / LOG).write_bytes(b"no log" * 100)
    assert kept_copies(home(stage, "eve")) == []


def test_a_room_that_its_owner_has_closed_for_good_is_continued_by_nobody(stage):
    ann, bob, cat = stage.with_backup()
    wait_until(lambda: bob.room.continues_here, what="the papers in bob's copy")
    assert ann.room.close_for_all()
    ann.room.close()
    wait_until(lambda: not bob.room.connected, what="bob to hear that the room is closed")
    for person in (bob, cat):
        person.room.close()
    stage.people.clear()
    assert copy_of(stage).problem == "ann has closed the room, or wants no other computer to host it."


@pytest.mark.full
@pytest.mark.parametrize("name", ["log", "member-reader", "file-copies"])
def test_a_room_that_gets_no_thread_is_continued_later(stage, no_thread, name):
    with_copy(stage)
    no_thread(name)
    with pytest.raises((LanchatError, RuntimeError), match=NO_THREAD):
        continued(stage)
    no_thread()
    bob = continued(stage)
    assert bob.room.hosting
