"""Events are stored the same, whether many of them or each of them is one statement."""

from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from lanchat.protocol.messages import Said
from lanchat.storage.inserting import TOGETHER
from lanchat.storage.store import Store

NUMBER = 2 * TOGETHER + 3


def said(seq: int) -> Said:
    return Said(seq, 1000 + seq, "a" * 32, "ann", str(seq), f"line {seq}")


def test_a_run_of_one_author_is_stored_as_it_was_said_and_only_once(tmp_path: Path):
    run = [said(seq) for seq in range(1, NUMBER + 1)]
    with closing(Store(tmp_path / "log.db", durable=False)) as store:
        assert store.add(run[5:7]) == 2
        assert store.add(run) == NUMBER - 2
        assert store.add(run) == 0
        assert store.last(NUMBER, 1 << 20) == tuple(run)


def test_what_is_special_about_one_message_of_a_run_is_stored_too(tmp_path: Path):
    with closing(Store(tmp_path / "log.db", durable=False)) as store:
        for number, odd in enumerate(
            [
                replace(said(40), by="b" * 32),
                replace(said(40), nick="anna"),
                replace(said(40), action=True),
                replace(said(40), late=True),
                replace(said(40), id=""),
            ]
        ):
            first = 1 + number * TOGETHER
            run = [said(seq) for seq in range(first, first + TOGETHER)]
            run[40] = replace(odd, seq=run[40].seq, id=odd.id and run[40].id)
            assert store.add(run) == TOGETHER
            assert store.last(TOGETHER, 1 << 20) == tuple(run)
