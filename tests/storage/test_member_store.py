"""The stores of a member: what one run has shown, the next one knows."""

from pathlib import Path

import pytest

from lanchat.protocol.messages import Card, Got, Say, Told
from lanchat.storage.member_store import DiskStore, EngineStore, HistoryStore, PrivateStore
from lanchat.storage.rooms import joined_folder

ROOM, ANN, BOB = "0a" * 16, "a" * 32, "b" * 32
CARD = Card(1, ROOM, "Room A", "ann", 1, False, bytes(32))


def never(trouble: str) -> None:
    raise AssertionError(trouble)


@pytest.mark.parametrize("kind", [DiskStore, EngineStore, HistoryStore, PrivateStore])
def test_a_private_message_that_was_shown_is_known_to_the_next_run(tmp_path: Path, kind):
    first = kind(tmp_path, CARD, never)
    assert not first.shown and not first.was_shown(ANN, "1")
    first.add_history([Told(id, 0, ANN, "ann", BOB, "bob", text="hi") for id in ("1", "2")])
    first.add_history([Got(ANN, "1")])
    first.close()
    again = kind(tmp_path, CARD, never)
    assert again.shown == [(ANN, "1")]
    assert again.was_shown(ANN, "1") and not again.was_shown(ANN, "2")
    again.close()


def test_what_a_host_on_an_engine_leaves_unsent_its_next_run_sends_also_as_a_member(tmp_path: Path):
    first = EngineStore(tmp_path, CARD, never)
    assert first.unsent == () and first.keeps_unsent
    said, acknowledged = Say("1", "hi"), Say("2", "there")
    first.add_unsent(said)
    first.add_unsent(acknowledged)
    first.remove_unsent(["2"])
    first.close()
    again = EngineStore(tmp_path, CARD, never)
    assert again.unsent == (said,) and again.left_at > 0
    again.close()
    member = DiskStore(tmp_path, CARD, never)
    assert member.unsent == (said,)
    member.close()


def test_a_history_that_cannot_be_read_says_of_nothing_that_it_was_shown(tmp_path: Path):
    (joined_folder(tmp_path, ROOM, "Room A", 1) / "log.db").write_bytes(b"no log" * 100)
    store = HistoryStore(tmp_path, CARD, lambda trouble: None)
    assert not store.shown and not store.was_shown(ANN, "1")
    store.close()
