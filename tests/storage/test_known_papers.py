"""The newest list of standbys of each room, from one run to the next."""

from dataclasses import replace
from pathlib import Path

import pytest

from lanchat.protocol.delegation import Delegation, Standby
from lanchat.protocol.papers import Papers
from lanchat.storage.identity import Identity, load_identity
from lanchat.storage.known_papers import FOLDER, KnownPapers

ROOM, OTHER = "0a" * 16, "0b" * 16
DAY = 86_400_000  # ms
BOB = Standby(1, b"b" * 32, bytes(8))


@pytest.fixture
def ann(tmp_path: Path) -> Identity:
    return load_identity(tmp_path / "ann")


@pytest.fixture
def known(tmp_path: Path) -> KnownPapers:
    return KnownPapers(tmp_path)


def papers(owner: Identity, number: int, room: str = ROOM) -> Papers:
    """What a room has shown."""
    return Papers(room, owner.public, Delegation(room, number, 0, 2**52, standbys=(BOB,)).signed(owner.sign))


def test_a_room_that_was_never_met_has_no_list(known: KnownPapers, ann: Identity) -> None:
    assert known.newest(ROOM, ann.public) == b""


@pytest.mark.parametrize("numbers", [(1, 2), (2, 1), (2, 2)])
def test_the_newest_list_is_kept(known: KnownPapers, ann: Identity, numbers: tuple[int, ...]) -> None:
    for number in numbers:
        known.keep(papers(ann, number))
    assert known.newest(ROOM, ann.public) == papers(ann, 2).delegation


def test_a_list_is_of_one_room_and_one_owner(known: KnownPapers, ann: Identity, tmp_path: Path) -> None:
    eve = load_identity(tmp_path / "eve")
    known.keep(papers(ann, 1))
    (tmp_path / FOLDER / OTHER).write_bytes(papers(ann, 2).delegation)
    assert known.newest(OTHER, ann.public) == b"" and known.newest(ROOM, eve.public) == b""
    known.keep(papers(eve, 1))  # the room has another owner now, since a person has said so
    assert known.newest(ROOM, eve.public) == papers(eve, 1).delegation


@pytest.mark.parametrize("damage", [b"", b"x", b"x" * 100_000])
def test_what_is_damaged_counts_as_none_and_is_replaced(
    known: KnownPapers, ann: Identity, tmp_path: Path, damage: bytes
) -> None:
    known.keep(papers(ann, 2))
    (tmp_path / FOLDER / ROOM).write_bytes(damage)
    assert known.newest(ROOM, ann.public) == b""
    known.keep(papers(ann, 1))
    assert known.newest(ROOM, ann.public) == papers(ann, 1).delegation


def test_a_disk_that_does_not_take_it_is_no_reason_not_to_talk(
    known: KnownPapers, ann: Identity, tmp_path: Path
) -> None:
    (tmp_path / FOLDER).write_text("in the way")
    known.keep(papers(ann, 1))
    assert known.newest(ROOM, ann.public) == b""


def test_how_far_the_owners_clock_is_ahead_is_known_in_the_next_run(known: KnownPapers, ann: Identity) -> None:
    assert known.ahead(ROOM) == 0
    for ahead in (9 * DAY, -9 * DAY, 0):
        known.keep(replace(papers(ann, 1), ahead=ahead))
        assert known.ahead(ROOM) == ahead
    known.keep(replace(papers(ann, 1), ahead=1_000_000))
    assert known.ahead(ROOM) == 0, "an hour is nothing"


@pytest.mark.parametrize("damage", [b"", b"soon", b"-", b"9" * 100, b"\xff"])
def test_a_damaged_clock_counts_as_none(known: KnownPapers, tmp_path: Path, damage: bytes) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / f"{ROOM}.clock").write_bytes(damage)
    assert known.ahead(ROOM) == 0
