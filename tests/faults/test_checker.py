"""The judge itself: a good run is good, and each planted fault is found."""

from pathlib import Path

import pytest

from lanchat.protocol.messages import Event, Joined, Said
from tests.faults.chronicle import Chronicle, Record, What, check, times

LOG: list[Event] = [
    Joined(1, 0, "a", "ann"),
    Joined(2, 0, "b", "bob"),
    *(Said(seq, 0, "a", "ann", f"id{seq}", f"ann-{seq}") for seq in (3, 4, 5)),
]


def run(*, bob: tuple[int, ...] = (2, 3, 4, 5), settled: bool = True) -> list[Record]:
    """Ann says three things, which are acknowledged; bob sees the entries of these numbers."""
    records = [Record(0, "bob", "joined", seq=1)]
    for seq in (3, 4, 5):
        records += [
            Record(seq, "ann", "attempted", f"ann-{seq}"),
            Record(seq, "ann", "said", f"ann-{seq}", f"id{seq}"),
            Record(seq, "ann", "acknowledged", id=f"id{seq}"),
        ]
    records += [Record(10 + seq, "bob", "shown", f"ann-{seq}" if seq > 2 else "", seq=seq) for seq in bob]
    return [*records, Record(99, "bob", "settled", seq=99)] if settled else records


def test_a_good_run_has_no_faults() -> None:
    verdict = check(run(), LOG)
    assert (verdict.said, verdict.acknowledged, verdict.faults) == (3, 3, [])


def test_an_acknowledged_message_that_the_log_lacks_is_lost() -> None:
    assert check(run(), LOG[:-1]).lost == ("ann-5 was acknowledged and is lost",)


def test_of_a_destroyed_log_only_what_no_screen_has_is_lost() -> None:
    assert check(run(bob=(2, 3, 4)), LOG[:-2], damaged=True).lost == ("ann-5 was acknowledged and is lost",)


def test_what_was_said_again_behind_a_destroyed_log_may_stand_behind_later_lines() -> None:
    again = [*LOG[:2], *(Said(seq, 0, "a", "ann", f"id{id}", f"ann-{id}") for seq, id in ((6, 5), (7, 3), (8, 4)))]
    only_moved = [*again[:2], Said(5, 0, "a", "ann", "id5", "ann-5"), *again[3:]]
    assert check(run(), only_moved, damaged=True).reordered == ()
    assert check(run(), only_moved).reordered == ("the log has ann-3 behind ann-5",)
    unseen = [Said(9, 0, "a", "ann", "id7", "ann-7"), Said(10, 0, "a", "ann", "id6", "ann-6")]
    assert check(run(), [*again, *unseen], damaged=True).reordered == ("the log has ann-6 behind ann-7",)


def test_a_message_that_comes_twice_is_found_under_one_number_and_under_two() -> None:
    assert len(check(run(bob=(2, 3, 4, 4, 5)), LOG).duplicated) == 2
    twice = [*LOG, Said(6, 0, "a", "ann", "id3", "ann-3")]
    assert check(run(bob=(2, 3, 4, 5)), twice).duplicated == ("the log has ann-3 2 times",)


def test_another_order_is_found_on_a_screen_and_in_the_log() -> None:
    assert len(check(run(bob=(2, 4, 3, 5)), LOG).reordered) == 2  # by the numbers, and by whose it is
    swapped = [*LOG[:2], Said(3, 0, "a", "ann", "id4", "ann-4"), Said(4, 0, "a", "ann", "id3", "ann-3"), LOG[4]]
    assert any("the log has ann-3 behind ann-4" in fault for fault in check(run(), swapped).reordered)


def test_one_number_for_two_things_is_found() -> None:
    other = Said(5, 0, "a", "ann", "id5", "ann-6")
    assert check(run(), [*LOG[:-1], other]).reordered == ("bob#1 has ann-5 as 5, others ann-6",)


@pytest.mark.parametrize("gap", [2, 3, 4, 5])
def test_a_gap_is_found_wherever_it_is_and_whatever_is_missing(gap: int) -> None:
    bob = tuple(seq for seq in (2, 3, 4, 5) if seq != gap)
    assert len(check(run(bob=bob), LOG).missing) == 1
    assert check(run(bob=bob, settled=False), LOG).missing == ()  # they left, and cannot have it


def test_what_came_before_the_welcome_is_not_missed() -> None:
    records = [Record(0, "bob", "joined", seq=4), *run(bob=(5,))[1:]]
    assert check(records, LOG).missing == ()


def test_a_message_shown_before_the_host_died_and_numbered_anew_is_no_fault() -> None:
    log = [*LOG[:-1], Said(1_000_005, 0, "a", "ann", "id5", "ann-5")]
    verdict = check(run(), log)
    assert (verdict.renumbered, verdict.faults) == (1, [])


def test_each_start_of_a_program_is_a_screen_of_its_own() -> None:
    again = [Record(50, "bob", "joined", seq=5), Record(51, "bob", "shown", "ann-5", seq=5)]  # a line of history
    assert check([*run(), *again], LOG).faults == []


def test_times_are_counted_from_the_fault_and_from_the_repair() -> None:
    moments: list[tuple[float, str, What]] = [
        (1, "", "fault"),
        (1.5, "ann", "lost"),
        (2.25, "bob", "lost"),
        (4, "", "mended"),
        (4.5, "bob", "back"),
        (7, "ann", "back"),
        (8, "ann", "lost"),  # of its own
    ]
    assert times([Record(at, who, what) for at, who, what in moments]) == times([]).__class__(1.25, 3.0)


def test_a_line_that_a_kill_cut_short_was_never_written(tmp_path: Path) -> None:
    chronicle = Chronicle(tmp_path / "chronicle.jsonl")
    chronicle.note("ann", "attempted", "ann-1")
    with open(tmp_path / "chronicle.jsonl", "ab") as out:
        out.write(b'{"at":1.0,"who":"an')
    assert [record.text for record in chronicle.records()] == ["ann-1"]
    chronicle.close()
