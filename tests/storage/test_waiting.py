"""What waits for the disk, between the hub and the log thread."""

import threading

import pytest

from lanchat.protocol.messages import Record, Said
from lanchat.storage import waiting as module
from lanchat.storage.waiting import Waiting


def said(*seqs: int) -> list[Record]:
    return [Said(seq, 0, "id-ann", "ann", str(seq), "hi") for seq in seqs]


def seqs(records: list[Record]) -> list[int]:
    return [record.seq for record in records if isinstance(record, Said)]


def test_what_was_added_together_is_stored_together_if_it_fits(monkeypatch):
    monkeypatch.setattr(module, "TRANSACTION", 10)
    waiting = Waiting()
    for first, number in ((1, 8), (9, 2), (11, 25)):
        waiting.add(said(*range(first, first + number)))
    taken = []
    while (transaction := waiting.take(0)).portions:
        taken.append(seqs(transaction.records))
        waiting.stored(transaction)
    assert taken == [[*range(1, 11)], [*range(11, 21)], [*range(21, 31)], [*range(31, 36)]]
    assert waiting.records == []


def test_records_are_found_until_they_are_stored():
    waiting = Waiting()
    waiting.add(said(1, 2))
    transaction = waiting.take(0)
    waiting.add(said(3))
    assert seqs(waiting.records) == [1, 2, 3]
    waiting.stored(transaction)
    assert seqs(waiting.records) == [3]


def test_a_value_that_is_set_again_while_it_is_stored_waits_for_the_next_transaction():
    waiting = Waiting()
    waiting.set_values({"rules": b"old", "web": b"open"})
    transaction = waiting.take(0)
    waiting.set_values({"rules": b"new"})
    waiting.stored(transaction)
    assert waiting.take(0).values == {"rules": b"new"}


def test_it_is_full_until_enough_is_stored(monkeypatch):
    monkeypatch.setattr(module, "WAITING_LIMIT", 1000)
    waiting = Waiting()
    waiting.add(said(1))
    assert not waiting.full
    waiting.add(said(2))
    assert waiting.full
    waiting.stored(waiting.take(0))
    assert not waiting.full


@pytest.mark.parametrize("thread_waits_in", ["take", "pause"])
def test_closing_wakes_the_thread_that_waits(thread_waits_in):
    waiting = Waiting()
    wait = {"take": lambda: waiting.take(3600), "pause": lambda: waiting.pause(3600, closing=False)}[thread_waits_in]
    thread = threading.Thread(target=wait)
    thread.start()
    waiting.close()
    thread.join(60)
    assert not thread.is_alive() and waiting.take(0).closing
