"""A standby's copy has no hole, however the past and the present arrive."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lanchat.client.copying import WAITING_LIMIT, Copying
from lanchat.client.events import HEAVY, weight
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.messages import Event, Fetch, Page, Said


def said(seq: int, text: str = "hi") -> Said:
    return Said(seq, 0, "id-ann", "ann", str(seq), text)


class HostLink:
    """A host with a log, whose answers and live events come on one link in any order that a host can produce."""

    def __init__(self, seq: int, page: int, text: str = "hi") -> None:
        self.log = [said(number + 1, text) for number in range(seq)]
        self.under_way: list[Event | Page] = []
        self._page = page
        self._text = text

    def says(self) -> None:
        self.log.append(said(len(self.log) + 1, self._text))
        self.under_way.append(self.log[-1])

    def answers(self, fetch: Fetch | None) -> None:
        assert fetch is not None
        events = self.log[fetch.after :][: self._page]
        full = len(events) == self._page
        self.under_way += [*events, Page(events[-1].seq if full else MAX_NUMBER)]


def fill(copying: Copying, host: HostLink, chance: random.Random, says: int) -> list[int]:
    """Until the copy is complete and everything has come. Returns the numbers in the order of storing."""
    stored: list[Event] = []
    asked = [fetch for fetch in [copying.begin()] if fetch]
    while asked or host.under_way or says:
        if says and chance.random() < 0.5:
            host.says()
            says -= 1
        if host.log and chance.random() < 0.2:
            host.under_way.append(chance.choice(host.log))  # its author has said it again
        if asked and chance.random() < 0.5:
            host.answers(asked.pop(0))
        elif host.under_way:
            match host.under_way.pop(0):
                case Page() as page:
                    fetch, events = copying.page(page)
                    asked += [fetch] if fetch else []
                    stored += events
                case event:
                    stored += copying.take(event)
    return [event.seq for event in stored]


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 7), st.integers(0, 40), st.randoms(use_true_random=False))
def test_a_copy_has_every_event_once_and_in_order(had, more, page, says, chance):
    copying, host = Copying(had, had + more), HostLink(had + more, page)
    assert fill(copying, host, chance, says) == list(range(had + 1, had + more + says + 1))
    assert copying.complete and copying.seq == len(host.log)


def test_live_events_that_wait_for_the_past_are_bounded_and_come_as_pages():
    text = "x" * HEAVY * 10
    copying, host = Copying(0, 500), HostLink(500, 100, text)
    for _ in range(2 * WAITING_LIMIT // weight(said(1, text))):
        host.says()
    host.under_way = []
    assert [event for one in host.log[500:] for event in copying.take(one)] == [] and not copying.complete
    stored = fill(copying, host, random.Random(1), 3)
    assert stored[0] == 1 and all(later == earlier + 1 for earlier, later in pairwise(stored))
    assert stored[-1] == len(host.log)


def test_a_copy_that_has_everything_asks_for_nothing():
    copying = Copying(7, 7)
    assert copying.begin() is None and copying.complete
    assert copying.take(said(8)) == [said(8)] and copying.take(said(8)) == []
    assert copying.page(Page(MAX_NUMBER)) == (None, []), "the page was for the screen"
