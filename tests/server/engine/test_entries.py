"""Records become entries of a shared log and come back; everything else that comes back is refused."""

import pytest
from msgspec import structs

from lanchat.errors import ProtocolError
from lanchat.protocol.messages import UNNUMBERED, Joined, Said, Told
from lanchat.server.engine.controls import Here, Over, write_line
from lanchat.server.engine.entries import (
    Surplus,
    changes_rules,
    hosted_by,
    key_of,
    lease_of,
    own_key,
    proposal_of,
    record_of,
    records_of,
    surplus,
)
from lanchat.server.engine.shared_log import Entry, Position
from tests.support.cases import cases

SAID = Said(UNNUMBERED, 5, "ann-id", "ann", "id1", "hi 🙂 \n", True)
JOINED = Joined(UNNUMBERED, 5, "ann-id", "ann", host=True, key=b"k" * 32)
TOLD = Told("id1", 5, "ann-id", "ann", "bob-id", "bob", b"sealed")


@cases(
    "record, kind, key, at",
    [
        (SAID, "e", "sann-id id1", Position(8)),
        (JOINED, "r", "u7", Position(8)),
        (TOLD, "p", "pann-id id1", Position(7, 1)),
        (Told("id1", 5, "ann-id", "ann", "bob-id", "bob"), "g", "gann-id id1", Position(7, 1)),
    ],
)
def test_a_record_comes_back_as_it_was_with_its_number(record, kind, key, at):
    proposal = proposal_of(record, "u7")
    assert (proposal.kind, proposal.key) == (kind, key)
    found = record_of(Entry(at, proposal.kind, proposal.body), Position(7))
    assert found == (record if at.sub else structs.replace(record, seq=8))


@cases(
    "position, kind, body",
    [
        (Position(7), "e", b'{"t":"said"}'),
        (Position(6, 9), "p", b"{}"),
        (Position(8), "e", b""),
        (Position(8), "e", b"\xff"),
        (Position(8), "e", b"[" * 10000),
        (Position(8), "e", b'{"t":"said","seq":0}'),
        (Position(8), "e", b'{"t":"later","seq":0,"at":1,"by":"a","nick":"a"}'),
        (Position(8), "e", b'{"t":"ping"}'),
        (Position(8, 1), "e", proposal_of(SAID, "").body),
        (Position(8), "e", proposal_of(TOLD, "").body),
        (Position(8), "p", proposal_of(TOLD, "").body),
        (Position(8, 1), "p", proposal_of(SAID, "").body),
        (Position(8), "e", proposal_of(SAID, "").body + b" " * 16384),
        (Position(8), "k", write_line(Here("ann-id", "ann"))),
        (Position(8, 1), "k", b"{}"),
        (Position(8, 1), "k", proposal_of(TOLD, "").body),
        (Position(8), "x", b"3"),
        (Position(8, 1), "x", b"three"),
        (Position(8, 1), "x", b"9" * 17),
    ],
)
def test_what_is_no_entry_of_ours_or_in_a_wrong_place_is_refused(position, kind, body):
    with pytest.raises(ProtocolError, match="Its entry"):
        record_of(Entry(position, kind, body), Position(7))


def test_what_is_surplus_ends_with_an_event_that_the_disk_has():
    entries = [
        Entry(Position(8), "e", proposal_of(SAID, "").body),
        Entry(Position(8, 1), "g", proposal_of(TOLD, "").body, "gann-id id1"),
        Entry(Position(9), "r", proposal_of(JOINED, "").body, "u1 1"),
        Entry(Position(9, 1), "p", proposal_of(TOLD, "").body, "pann-id id1"),
        Entry(Position(10), "e", proposal_of(SAID, "").body),
    ]
    assert surplus(entries, stored=9) == Surplus(9, ("ann-id id1",))
    assert surplus(entries[1:2], stored=9) is surplus(entries, stored=7) is surplus([], stored=7) is None


def test_lines_between_hosts_and_the_ends_of_leases_have_no_number():
    here = Here("ann-id", "ann")
    proposal = proposal_of(here, own_key(3, 7), (("in ann-id ann", b"{}"),))
    assert (proposal.kind, proposal.changes) == ("k", (("in ann-id ann", b"{}"),))
    entry = Entry(Position(7, 1), proposal.kind, proposal.body, proposal.key)
    assert record_of(entry, Position(7)) == here
    assert record_of(Entry(Position(7, 2), "x", b"3", "x3"), entry.position) == Over(3)
    assert [changes_rules(record) for record in (here, Over(3), JOINED, SAID, TOLD)] == [True, True, True, False, False]


def test_a_proposal_names_the_host_that_made_it():
    assert lease_of(own_key(3, 7)) == 3
    assert [lease_of(key) for key in ("", "u", "u 7", "ux 7", "sann-id 3", "u\u00b2 1")] == [0] * 6


def test_each_host_says_of_itself_that_it_hosts():
    elsewhere = structs.replace(JOINED, host=False)
    assert (hosted_by(JOINED, "ann-id"), hosted_by(elsewhere, "ann-id")) == (JOINED, JOINED)
    assert (hosted_by(JOINED, "bob-id"), hosted_by(elsewhere, "bob-id")) == (elsewhere, elsewhere)
    assert hosted_by(SAID, "ann-id") is SAID


def entry(at, record, key=""):
    proposal = proposal_of(record, key)
    return Entry(at, proposal.kind, proposal.body, key)


@cases(
    "entries",
    [
        [entry(Position(n), SAID) for n in (8, 9, 11)],
        [entry(Position(8), SAID), entry(Position(9), JOINED, "u1 1"), entry(Position(9, 1), TOLD, "pann-id id1")],
        [],
    ],
)
def test_entries_become_records_together_as_they_do_one_by_one(entries):
    alone = [record_of(one, Position(7)) for one in entries]
    keys = [key_of(one, record) for one, record in zip(entries, alone, strict=True)]
    places = [one.position for one in entries]
    assert records_of(entries, Position(7)) == list(zip(places, keys, alone, strict=True))


@cases(
    "last",
    [
        entry(Position(8), SAID),
        entry(Position(9, 1), SAID),
        Entry(Position(9), "e", b""),
        Entry(Position(9), "p", proposal_of(SAID, "").body),
        Entry(Position(9), "e", b'{"t":"later","seq":0,"at":1,"by":"a","nick":"a"}'),
        Entry(Position(9), "e", proposal_of(SAID, "").body + b" " * 16384),
        Entry(Position(9), "e", b'{"more":' + b"[" * 10000),
    ],
)
def test_one_that_is_none_of_ours_is_refused_among_others(last):
    with pytest.raises(ProtocolError, match="Its entry"):
        records_of([entry(Position(8), SAID), last], Position(7))
