"""The papers that let a room move, as their readers see them: every other paper is refused, with the reason."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.errors import ProtocolError
from lanchat.protocol.binding import join_fields
from lanchat.protocol.delegation import (
    MAX_STANDBYS,
    OWNER_INDEX,
    VALIDITY,
    Delegation,
    Standby,
    TermRecord,
    check_host,
    read_delegation,
    read_term,
)
from lanchat.protocol.keys import key_from_seed
from lanchat.protocol.timeline import MAX_ENTRIES, MAX_TERM, Timeline, make_epoch
from tests.support.cases import cases

ROOM, OTHER_ROOM = "0a" * 16, "0b" * 16
ANN, BOB, CAT = (key_from_seed(bytes([number]) * 32) for number in (1, 2, 3))  # ann owns the room
ANN_KEY, BOB_KEY, CAT_KEY = (key.public_key().public_bytes_raw() for key in (ANN, BOB, CAT))
MADE = 1_800_000_000_000  # ms
NOW = MADE + 60_000

PAPER = Delegation(
    *(ROOM, 4, MADE, MADE + VALIDITY),
    term_limit=1025,
    standbys=(Standby(1, BOB_KEY, b"bob's PC"), Standby(2, CAT_KEY, b"cat's PC")),
)
BOB_HOSTS = TermRecord(ROOM, BOB_KEY, 4, MADE, Timeline(make_epoch(2, 1), ((make_epoch(1, OWNER_INDEX), 42),)))


def check(delegation: Delegation = PAPER, term: TermRecord = BOB_HOSTS, host: bytes = BOB_KEY, now: int = NOW) -> None:
    check_host(delegation, term, room=ROOM, owner=ANN_KEY, host=host, now=now)


BOB_AND_ANN = replace(
    PAPER, standbys=(Standby(1, BOB_KEY, b"bob's PC", "h"), PAPER.standbys[1])
)  # bob is a host beside ann
ENGINE = TermRecord(ROOM, ANN_KEY, 4, MADE, Timeline(make_epoch(2, OWNER_INDEX), BOB_HOSTS.timeline.past), engine=True)

# Ed25519 signatures of these, so that a second client can check itself.
SIGNED_DELEGATION = (
    "34770c1921fd9ed0173b69adf87614da1ccb33e56d3662b9caa4d6e0538a8ca1"
    "08d7d52fd421187a2a32dda2b35706a81f13ebfeb92c58ab44830574272ab60b"
)
SIGNED_TERM = (
    "21ea1c39ce705c8cac01b0a52f687d21f3506f3247e39b4f06e17cb133b2331c"
    "66512adcb8bf53fa3f61095a69d48251471513ea99d960785b6a13f97566eb0b"
)
SIGNED_ENGINE = (
    "b174befd3eede03807547d1b77264762022acf26f3a327396b92c82d3c9e9612"
    "c5e051d4a37bcb764e9701a1056506b9980e63bef58c80b96af844f9e0fe4306"
)


# ---- as bytes


def test_the_vectors():
    paper, record = PAPER.signed(ANN.sign), BOB_HOSTS.signed(BOB.sign)
    assert paper[:-64] == join_fields(
        *(b"lanchat delegation", b"1", ROOM.encode(), b"4", b"1800000000000", b"1800604800000", b"0", b"1025"),
        *(b"1", b"s", BOB_KEY, b"bob's PC", b"2", b"s", CAT_KEY, b"cat's PC"),
    )
    assert paper[-64:].hex() == SIGNED_DELEGATION
    assert record[:-64] == join_fields(
        *(b"lanchat term", b"1", ROOM.encode(), b"129", BOB_KEY, b"4", b"1800000000000", b"64", b"42")
    )
    assert record[-64:].hex() == SIGNED_TERM
    engine = ENGINE.signed(ANN.sign)
    assert engine[:-64] == join_fields(
        *(b"lanchat engine", b"1", ROOM.encode(), b"128", ANN_KEY, b"4", b"1800000000000", b"64", b"42")
    )
    assert engine[-64:].hex() == SIGNED_ENGINE
    assert read_term(engine) == ENGINE


STANDBYS = st.lists(
    st.builds(
        Standby, st.integers(1, 63), st.binary(min_size=32, max_size=32), st.binary(min_size=8, max_size=8),
        st.sampled_from("sh"),
    ),
    max_size=MAX_STANDBYS,
    unique_by=lambda standby: standby.index,
).map(tuple)  # fmt: skip
MS = st.integers(0, 2**53 - 1)
DELEGATIONS = st.builds(
    Delegation, st.just(ROOM), MS, MS, MS, st.booleans(), st.integers(0, MAX_TERM), STANDBYS
)  # fmt: skip
TIMELINES = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 2**32 - 1)), max_size=MAX_ENTRIES, unique_by=lambda entry: entry[0]
).map(lambda past: Timeline(500, tuple(sorted(past))))
TERMS = st.builds(TermRecord, st.just(ROOM), st.just(BOB_KEY), MS, MS, TIMELINES)


@given(DELEGATIONS)
def test_a_delegation_reads_as_it_was_written(delegation):
    assert read_delegation(delegation.signed(ANN.sign), ANN_KEY) == delegation


@given(TERMS)
def test_a_term_record_reads_as_it_was_written(term):
    assert read_term(term.signed(BOB.sign)) == term


def test_the_longest_papers_fit_into_a_card():
    full = replace(PAPER, standbys=tuple(Standby(index, BOB_KEY, bytes(8)) for index in range(1, MAX_STANDBYS + 1)))
    past = tuple((epoch << 6 | 63, 2**32 - 1) for epoch in range(MAX_TERM - MAX_ENTRIES, MAX_TERM))
    longest = replace(BOB_HOSTS, timeline=Timeline(MAX_TERM << 6 | 63, past))
    assert len(full.signed(ANN.sign)) + len(longest.signed(BOB.sign)) < 3 * 1024


def test_every_changed_byte_of_a_delegation_is_seen():
    paper = PAPER.signed(ANN.sign)
    for at in range(len(paper)):
        changed = bytearray(paper)
        changed[at] ^= 1
        with pytest.raises(ProtocolError):
            read_delegation(bytes(changed), ANN_KEY)


@given(st.binary(max_size=400))
def test_noise_is_no_paper(noise):
    for read in (lambda: read_delegation(noise, ANN_KEY), lambda: read_term(noise)):
        with pytest.raises(ProtocolError):
            read()


@cases(
    "fields",
    [
        (b"lanchat term", b"1", ROOM.encode(), b"129", BOB_KEY, b"04", b"1", b"64", b"42"),  # a number in another way
        (b"lanchat term", b"1", ROOM.encode(), b"129", BOB_KEY, b"4", b"1", b"64"),  # half an entry
        (b"lanchat term", b"2", ROOM.encode(), b"129", BOB_KEY, b"4", b"1"),  # another version
        (b"lanchat term", b"1", b"x" * 32, b"129", BOB_KEY, b"4", b"1"),
        (b"lanchat term", b"1", ROOM.encode(), b"-1", BOB_KEY, b"4", b"1"),
        (b"lanchat term", b"1", ROOM.encode(), b"129", BOB_KEY[:31], b"4", b"1"),
        (b"lanchat term", b"1", ROOM.encode(), b"129", BOB_KEY, b"4", b"1", b"130", b"42"),  # after its own term
        (b"lanchat term", b"1", ROOM.encode(), b"999", BOB_KEY, b"4", b"1", *(b"%d" % n for n in range(130))),
        (b"lanchat term", b"1", ROOM.encode(), b"129", BOB_KEY, "\u0664".encode(), b"1"),  # a digit, elsewhere
    ],
)
def test_there_is_one_way_to_write_a_record(fields):
    text = join_fields(*fields)
    with pytest.raises(ProtocolError, match="record of who hosts"):
        read_term(text + BOB.sign(text))


def test_a_delegation_of_somebody_else_is_refused():
    with pytest.raises(ProtocolError, match="not signed by the owner"):
        read_delegation(PAPER.signed(BOB.sign), ANN_KEY)


def test_a_record_that_names_another_host_than_its_signer_is_refused():
    with pytest.raises(ProtocolError, match="not signed by that host"):
        read_term(BOB_HOSTS.signed(CAT.sign))


# ---- who may host


def test_a_named_standby_may_host():
    check()


def test_the_owner_hosts_by_its_own_right_whatever_the_delegation_says():
    term = TermRecord(ROOM, ANN_KEY, 4, MADE, Timeline(make_epoch(3, OWNER_INDEX)))
    check(replace(PAPER, standbys=(), until=MADE), term, ANN_KEY, now=MADE + 2 * VALIDITY)


@cases(
    ("changed", "reason"),
    [
        ({"delegation": replace(PAPER, room=OTHER_ROOM), "term": replace(BOB_HOSTS, room=OTHER_ROOM)}, "another room"),
        ({"delegation": replace(PAPER, room=OTHER_ROOM)}, "another room"),
        ({"term": replace(BOB_HOSTS, room=OTHER_ROOM)}, "another room"),
        ({"host": CAT_KEY}, "another computer"),  # bob's papers, replayed under cat's certificate
        ({"term": replace(BOB_HOSTS, timeline=Timeline(make_epoch(2, 2)))}, "not named"),  # with cat's index
        ({"term": replace(BOB_HOSTS, timeline=Timeline(make_epoch(2, 0)))}, "claims to be the owner"),
        ({"term": replace(BOB_HOSTS, timeline=Timeline(make_epoch(2, 9)))}, "not named"),
        ({"delegation": replace(PAPER, standbys=PAPER.standbys[1:])}, "not named"),  # removed meanwhile
        ({"now": PAPER.until}, "expired"),
        ({"term": replace(BOB_HOSTS, timeline=Timeline(make_epoch(1026, 1)))}, "more terms"),
    ],
)
def test_everybody_else_is_refused(changed, reason):
    with pytest.raises(ProtocolError, match=reason):
        check(**changed)


def test_on_an_engine_the_owner_hosts_and_whom_it_has_named_a_host():
    check(BOB_AND_ANN, ENGINE, BOB_KEY)
    check(BOB_AND_ANN, ENGINE, ANN_KEY)
    check(replace(BOB_AND_ANN, standbys=()), ENGINE, ANN_KEY, now=MADE + 2 * VALIDITY)


@cases(
    ("changed", "reason"),
    [
        ({"host": CAT_KEY}, "has not named this computer as one of its hosts"),  # cat is a standby
        ({"delegation": PAPER}, "has not named this computer as one of its hosts"),  # bob is one again
        (
            {"delegation": replace(BOB_AND_ANN, standbys=())},
            "has not named this computer as one of its hosts",
        ),  # removed
        ({"now": BOB_AND_ANN.until}, "has expired"),
        ({"term": replace(ENGINE, host_key=BOB_KEY)}, "is not signed by the owner"),
        ({"term": replace(ENGINE, host_key=CAT_KEY)}, "is not signed by the owner"),
        ({"term": replace(ENGINE, room=OTHER_ROOM)}, "another room"),
        ({"term": replace(ENGINE, engine=False)}, "another computer"),  # the owner's record of a room without an engine
        ({"term": BOB_HOSTS}, "only together with its owner"),  # a term of its own
    ],
)
def test_on_an_engine_everybody_else_is_refused(changed, reason):
    with pytest.raises(ProtocolError, match=reason):
        check(**{"delegation": BOB_AND_ANN, "term": ENGINE, "host": BOB_KEY, **changed})


def test_a_record_that_one_of_the_hosts_has_signed_itself_names_it():
    """It reads, as any record does that its signer has made; but it is not the owner's."""
    forged = replace(ENGINE, host_key=BOB_KEY).signed(BOB.sign)
    with pytest.raises(ProtocolError, match="is not signed by the owner"):
        check(BOB_AND_ANN, read_term(forged), BOB_KEY)
    with pytest.raises(ProtocolError, match="is not signed by that host"):
        read_term(ENGINE.signed(BOB.sign))


def test_the_terms_of_an_engine_are_the_owners():
    with pytest.raises(ValueError, match="are the owner's"):
        replace(ENGINE, timeline=Timeline(make_epoch(2, 1)))
    standbys = (
        replace(ENGINE, engine=False, timeline=Timeline(make_epoch(2, 1)))
        .text()
        .replace(b"lanchat term", b"lanchat engine")
    )
    with pytest.raises(ProtocolError, match="cannot be read"):
        read_term(b"\0\0\0\x0e" + standbys[4:] + bytes(64))


def test_an_index_is_of_one_key_and_one_instance():
    assert PAPER.index(BOB_KEY) == PAPER.index(BOB_KEY, b"bob's PC") == 1
    assert PAPER.index(BOB_KEY, b"a laptop") is None
    assert PAPER.index(ANN_KEY) is None


@pytest.mark.parametrize(
    "impossible",
    [
        {"room": "x"},
        {"number": -1},
        {"until": 2**53},
        {"term_limit": MAX_TERM + 1},
        {"standbys": (Standby(1, BOB_KEY, bytes(8)), Standby(1, CAT_KEY, bytes(8)))},
        {"standbys": tuple(Standby(index, BOB_KEY, bytes(8)) for index in range(1, MAX_STANDBYS + 2))},
    ],
)
def test_an_impossible_delegation_cannot_be_made(impossible):
    with pytest.raises(ValueError, match=r"room id|range|index|at most"):
        replace(PAPER, **impossible)
