"""The bounds of a member's histories: by entries and by bytes, of one room and of all rooms."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lanchat.protocol.messages import Joined, Left, Record, Renamed, Said, Told
from lanchat.storage import history_bounds
from lanchat.storage.files import lock_file
from lanchat.storage.history_bounds import HistoryBounds, size_of
from lanchat.storage.retention import Amount
from lanchat.storage.rooms import LOCK, LOG
from lanchat.storage.schema import EVENTS, PRIVATE, Table
from lanchat.storage.store import Store

ANN, BOB = "a" * 32, "b" * 32
PAGE = "\U0001f600" + "\u6f22" * 1000


def said(seq: int, text: str = "a word") -> Said:
    return Said(seq, 0, ANN, "ann", f"id-{seq}", text)


def told(number: int, text: str = "psst") -> Told:
    return Told(f"id-{number}", 0, ANN, "ann", BOB, "bob", text.encode())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / LOG, durable=False)) as one:
        yield one


def bounded(monkeypatch: pytest.MonkeyPatch, table: Table, **bound: int) -> None:
    monkeypatch.setitem(history_bounds.BOUNDS, table, Amount(**{"entries": 10**9, "size": 10**12, **bound}))


def grow(store: Store, bounds: HistoryBounds, records: list[Record], step: int = 10) -> Amount:
    """Add these a few at a time.

    Returns:
        The most that was stored at any time.
    """
    entries = size = 0
    for at in range(0, len(records), step):
        assert bounds.make_room(store.pruning)
        store.add(records[at : at + step])
        bounds.added(records[at : at + step])
        there = store.pruning.amount(EVENTS) + store.pruning.amount(PRIVATE)
        entries, size = max(entries, there.entries), max(size, there.size)
    assert bounds.make_room(store.pruning)
    return Amount(entries, size)


def never() -> bool:
    return False


EVERY_KIND = [
    Joined(1, 0, ANN, "\u00e4nn", host=True),
    Said(2, 0, ANN, "ann", "1", f"hi\nthere \x00 {PAGE}", action=True),
    Said(3, 0, ANN, "ann", "", "no id"),
    Renamed(4, 0, ANN, "ann", "\U0001f600anna"),
    Left(5, 0, ANN, "anna", "lost", "went to bed"),
    told(1, PAGE),
]


@pytest.mark.parametrize("record", EVERY_KIND, ids=lambda record: type(record).__name__)
def test_a_record_has_the_size_that_its_table_counts(store, record):
    store.add([record])
    table = PRIVATE if isinstance(record, Told) else EVENTS
    assert store.pruning.amount(table) == Amount(1, size_of(record))


def test_a_history_is_bounded_by_bytes_while_it_grows(store, monkeypatch):
    bounded(monkeypatch, EVENTS, size=100 * size_of(said(1, PAGE)))
    most = grow(store, HistoryBounds(never), [said(seq, PAGE) for seq in range(1000, 2000)])
    assert most.size <= 110 * size_of(said(1, PAGE))
    assert store.last(1, 10**9) == (said(1999, PAGE),), "what goes are the oldest"
    assert store.pruning.amount(EVENTS).entries >= 85, "and no more of them than must"


def test_a_history_is_bounded_by_entries_while_it_grows(store, monkeypatch):
    bounded(monkeypatch, EVENTS, entries=100)
    most = grow(store, HistoryBounds(never), [Joined(seq, 0, ANN, "ann") for seq in range(1000)])
    assert most.entries <= 110 and store.pruning.amount(EVENTS).entries >= 90


def test_private_messages_have_bounds_of_their_own(store, monkeypatch):
    bounded(monkeypatch, EVENTS, entries=100)
    bounded(monkeypatch, PRIVATE, size=50 * size_of(told(1, PAGE)))
    store.add([said(1)])
    grow(store, HistoryBounds(never), [told(number, PAGE) for number in range(1000)])
    assert 40 <= store.pruning.amount(PRIVATE).entries <= 50 and store.pruning.amount(EVENTS).entries == 1
    assert store.private()[-1] == told(999, PAGE)


def test_records_that_were_stored_before_cost_nothing(store, monkeypatch):
    """Another program of the same person writes the same history."""
    bounded(monkeypatch, EVENTS, entries=100)
    bounds, records = HistoryBounds(never), [said(seq) for seq in range(90)]
    for _ in range(5):
        grow(store, bounds, [*records])
    assert store.pruning.amount(EVENTS).entries == 90


def test_a_surplus_of_an_earlier_run_is_deleted_before_records_are_added(store, monkeypatch):
    store.add([said(seq) for seq in range(2000)])
    bounded(monkeypatch, EVENTS, entries=100)
    assert HistoryBounds(never).make_room(store.pruning)
    assert store.pruning.amount(EVENTS).entries == 90


def test_without_time_nothing_is_added_to_a_surplus(store, monkeypatch):
    store.add([said(seq) for seq in range(2000)])
    bounded(monkeypatch, EVENTS, entries=100)
    assert not HistoryBounds(lambda: True).make_room(store.pruning)


@pytest.mark.full
def test_the_index_is_bounded_too_and_the_file_becomes_smaller(tmp_path, monkeypatch):
    """What was deleted stays in a full-text index until its parts are merged."""
    path = tmp_path / LOG
    bounded(monkeypatch, EVENTS, entries=300)
    monkeypatch.setattr(history_bounds, "FILE_BOUND", 2_500_000)
    bounds, sizes = HistoryBounds(never), list[int]()
    for seq in range(0, 3600, 300):
        with closing(Store(path, durable=False)) as store:
            assert bounds.make_room(store.pruning)
            words = [
                " ".join(f"{number * number * 7919:x}" for number in range(n, n + 300)) for n in range(seq, seq + 300)
            ]
            records = [said(seq + n, text) for n, text in enumerate(words)]
            store.add(records)
            bounds.added(records)
            while store.indexing.step():
                pass
        sizes.append(path.stat().st_size)
    assert max(sizes[5:]) < 1.2 * max(sizes[:5]) and min(sizes[5:]) < max(sizes)


# ---- all rooms together


def make_history(folder: Path, name: str, number: int) -> Path:
    (folder / name).mkdir(parents=True)
    with closing(Store(folder / name / LOG, durable=False)) as store:
        store.add([said(seq, PAGE) for seq in range(number)])
    return folder / name / LOG


def entries(path: Path) -> int:
    with closing(Store(path, durable=False)) as store:
        return store.pruning.amount(EVENTS).entries


def test_the_largest_histories_are_pruned_until_all_fit(tmp_path, monkeypatch):
    paths = [make_history(tmp_path, name, number) for name, number in (("a", 1000), ("b", 30), ("c", 700), ("d", 60))]
    monkeypatch.setattr(history_bounds, "TOTAL", 3_000_000)
    HistoryBounds(never).fit_all(tmp_path)
    assert sum(path.stat().st_size for path in paths) <= 3_000_000
    large, small, other, middle = map(entries, paths)
    assert (small, middle) == (30, 60), "those that have little lose nothing"
    assert large == pytest.approx(other, rel=0.1) and large > 250


def test_a_history_that_another_process_writes_is_left_to_that_process(tmp_path, monkeypatch):
    path = make_history(tmp_path, "a", 1000)
    monkeypatch.setattr(history_bounds, "TOTAL", 1_000_000)
    lock = lock_file(path.with_name(LOCK))
    assert lock is not None
    HistoryBounds(never).fit_all(tmp_path)
    lock.close()
    assert entries(path) == 1000


def test_a_history_that_cannot_be_read_stops_no_other(tmp_path, monkeypatch, caplog):
    (tmp_path / "a" / LOG).mkdir(parents=True)
    for number in range(10):  # a folder has a size in every file system
        (tmp_path / "a" / LOG / f"{number}").touch()
    make_history(tmp_path, "b", 100)
    monkeypatch.setattr(history_bounds, "TOTAL", 100)
    HistoryBounds(never).fit_all(tmp_path)
    assert "cannot prune the histories" in caplog.text


def test_all_rooms_are_checked_again_after_some_growth(tmp_path, monkeypatch):
    looked: list[str] = []

    def glob(self: Path, pattern: str) -> list[Path]:
        looked.append(pattern)
        return []

    monkeypatch.setattr(Path, "glob", glob)
    with closing(Store(tmp_path / LOG, durable=False)) as store:
        bounds = HistoryBounds(never)
        bounds.make_room(store.pruning)
        for _ in range(100):
            bounds.added([said(1, "x" * 1000)])
            bounds.fit_all(tmp_path)
        assert len(looked) == 1
        monkeypatch.setattr(history_bounds, "CHECK_EVERY", 10_000)
        for _ in range(100):
            bounds.added([said(1, "x" * 1000)])
            bounds.fit_all(tmp_path)
    assert 10 <= len(looked) <= 14
