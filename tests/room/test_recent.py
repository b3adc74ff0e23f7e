"""What a room has in memory of its past, and how much that may be."""

import pytest

from lanchat.protocol.limits import RECENT, RECENT_SIZE, memory_of
from lanchat.protocol.messages import Event, Joined, Said
from lanchat.room.recent import HISTORY, RECALLED, RESUME, RecentEvents

ANN = "a" * 32
WIDE = "\U0001f600" + "x" * 4092  # 4,096 bytes on the wire, four times as much in memory


def said(seq: int, text: str = "hi") -> Said:
    return Said(seq, 0, ANN, "ann", str(seq), text)


def holding(*events: Event) -> RecentEvents:
    recent = RecentEvents()
    for event in events:
        recent.add(event)
    return recent


def test_long_messages_are_fewer_in_memory():
    recent = holding(*(said(seq, WIDE) for seq in range(1, RECENT)))
    assert sum(memory_of(event.text) for event in recent.said.values()) <= RECENT_SIZE
    assert RESUME < len(recent.said) == RECENT_SIZE // memory_of(WIDE), "whoever comes back still gets all it may"


def test_usual_messages_are_bounded_by_number_and_joins_count_as_well():
    recent = holding(*(said(seq) if seq % 2 else Joined(seq, 0, ANN, "ann") for seq in range(1, 3 * RECENT)))
    assert len(recent.said) == RECENT / 2


def test_messages_that_come_in_runs_leave_the_same_in_memory_as_one_by_one():
    messages = [said(seq, WIDE if seq % 5 else "hi") for seq in range(1, 2000)]
    together, apart = RecentEvents(), holding(*messages)
    for at in range(0, len(messages), 300):
        together.extend({(event.by, event.id): event for event in messages[at : at + 300]})
    assert together.said == apart.said and len(apart.said) < len(messages)
    assert together.since(-1) == apart.since(-1) and together.since(1500) == apart.since(1500)


def test_one_that_comes_back_from_before_what_is_in_memory_hears_of_the_gap():
    recent = holding(*(said(seq, WIDE) for seq in range(1, 3000)))
    past, since = recent.since(1)
    assert past[-1].seq == 2999 and since == past[0].seq - 1


def test_a_newcomer_sees_the_last_lines():
    assert [event.seq for event in holding(*map(said, range(100))).since(-1)[0]] == list(range(100 - HISTORY, 100))


@pytest.mark.parametrize("number", [1, RECALLED, 2 * RECALLED])
def test_all_that_was_recalled_together_is_known_until_something_else_is(number):
    recent, old = holding(said(1)), [said(seq) for seq in range(100, 100 + number)]
    recent.recall(old)
    assert all(recent.said.get((ANN, event.id)) == event for event in old)
    for seq in range(1000, 1000 + 4 * RECALLED):
        recent.recall([said(seq)])
    assert len(recent.said) == 1 + RECALLED
    assert recent.said[ANN, "1"] == said(1)


def test_what_is_in_memory_already_is_not_recalled():
    recent = holding(said(1))
    recent.recall([said(1)])
    for seq in range(1000, 1000 + 2 * RECALLED):
        recent.recall([said(seq)])
    assert (ANN, "1") in recent.said
