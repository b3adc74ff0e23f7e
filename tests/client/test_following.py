"""A standby's copy of a room over one link: rules, owners, private messages and events, none missing and none twice."""

import random

from hypothesis import given
from hypothesis import strategies as st

from lanchat.client import following as module
from lanchat.client.following import Following, Taken
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.messages import Fetch, Page, Private, Said, Told
from lanchat.protocol.standby import CopyPosition, Follow, Heartbeat, Owned, State
from lanchat.storage.memory import waiting_size

ANN, BOB = "a" * 64, "b" * 64


def said(seq: int) -> Said:
    return Said(seq, 0, ANN, "ann", str(seq), "hi")


def told(number: int) -> Told:
    return Told(str(number), 0, ANN, "ann", BOB, "bob", b"psst", number=number)


def owned(seq: int) -> Owned:
    return Owned(f"nick{seq}", ANN, b"", seq)


class FakeHost:
    """Answers as a host does, a few entries a page, while people go on talking."""

    def __init__(self, events: int, private: int, page: int) -> None:
        self.events = [said(seq + 1) for seq in range(events)]
        self.private = [told(number + 1) for number in range(private)]
        self.owners = [owned(seq) for seq in range(1, events + 1, 3)]
        self.under_way: list[object] = []
        self._page = page
        self._followed = False

    def says(self) -> None:
        self.events.append(said(len(self.events) + 1))
        self.under_way.append(self.events[-1])

    def tells(self) -> None:
        self.private.append(told(len(self.private) + 1))
        self.under_way += [self.private[-1]] if self._followed else []

    def follow(self, message: Follow) -> None:
        self._followed = True
        self.under_way += [State(9, "{}"), Heartbeat(0, 0, 1, 5)]

    def answer(self, fetch: Fetch) -> None:
        numbered: list[tuple[int, object]] = [(event.seq, event) for event in self.events]
        if fetch.of == "private":
            numbered = [(one.number, one) for one in self.private]
        elif fetch.of == "owners":
            numbered = [(one.seq, one) for one in self.owners]
        found = [pair for pair in numbered if pair[0] > fetch.after][: self._page]
        upto = found[-1][0] if len(found) == self._page else MAX_NUMBER
        self.under_way += [*(entry for _, entry in found), Page(upto)]


class Copy:
    """What a copy stores."""

    def __init__(self, following: Following) -> None:
        self.following = following
        self.asked: list[Fetch] = []
        self.events: list[int] = []
        self.private: list[int] = []
        self.owners: list[int] = []
        self.values: dict[str, bytes] = {}

    def receive(self, message: object) -> None:
        match message:
            case Said():
                self.take(Taken(records=self.following.event(message)))
            case Told():
                self.take(self.following.private(message))
            case Owned():
                self.following.owner(message)
            case State():
                self.take(self.following.state(message))
            case Heartbeat():
                self.take(self.following.heartbeat(message))
            case Page():
                self.take(self.following.page(message))

    def take(self, taken: Taken) -> None:
        self.asked += [taken.ask] if taken.ask else []
        self.events += [record.seq for record in taken.records if not isinstance(record, Private)]
        self.private += [record.number for record in taken.records if isinstance(record, Told)]
        self.owners += [one.seq for one in taken.owned]
        self.values |= taken.values
        assert ("whole" in self.values) == self.following.complete, "a copy of a part does not call itself whole"


def fill(copy: Copy, host: FakeHost, chance: random.Random, happens: int) -> None:
    host.follow(copy.following.begin())
    while host.under_way or copy.asked or happens:
        if happens and chance.random() < 0.4:
            chance.choice([host.says, host.tells])()
            happens -= 1
        if copy.asked and chance.random() < 0.5:
            host.answer(copy.asked.pop(0))
        elif host.under_way:
            copy.receive(host.under_way.pop(0))


@given(
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(1, 7),
    st.integers(0, 40),
    st.randoms(use_true_random=False),
)
def test_nothing_is_missing_and_nothing_comes_twice(had, more, private, page, happens, chance):
    host = FakeHost(had + more, private, page)
    copy = Copy(Following(CopyPosition(had or -1, private // 2), had + more))
    fill(copy, host, chance, happens)
    assert copy.following.complete and copy.values.items() >= {"rules": b"{}", "rev": b"9", "count": b"5"}.items()
    assert copy.events == list(range(had + 1, len(host.events) + 1))
    assert copy.private == list(range(private // 2 + 1, len(host.private) + 1))
    assert copy.owners == [one.seq for one in host.owners if one.seq > had]


def test_too_many_private_messages_at_once_are_fetched_again(monkeypatch):
    monkeypatch.setattr(module, "WAITING_PRIVATE", 5)
    host = FakeHost(0, 4, 3)
    copy = Copy(Following(CopyPosition(), 0))
    host.follow(copy.following.begin())
    for _ in range(20):
        host.tells()
    fill(copy, host, random.Random(1), 0)
    assert copy.private == list(range(1, 25)) and copy.following.complete
    assert not copy.following.private(told(24)), "it came before"


def test_large_private_messages_at_once_are_fetched_again_before_their_number_is_too_large(monkeypatch):
    monkeypatch.setattr(module, "WAITING_SIZE", 3 * waiting_size(told(1)))
    host = FakeHost(0, 4, 3)
    copy = Copy(Following(CopyPosition(), 0))
    host.follow(copy.following.begin())
    for _ in range(20):
        host.tells()
    for message in host.under_way:
        copy.receive(message)
        assert len(copy.following._waiting) <= 3
    host.under_way.clear()
    fill(copy, host, random.Random(1), 0)
    assert copy.private == list(range(1, 25)) and copy.following.complete


def test_a_page_of_which_a_part_was_dropped_is_fetched_again(monkeypatch):
    monkeypatch.setattr(module, "WAITING_PRIVATE", 5)
    host = FakeHost(0, 4, 3)
    copy = Copy(Following(CopyPosition(), 0))
    host.follow(copy.following.begin())
    while not copy.asked or copy.asked[0].of != "private":
        if host.under_way:
            copy.receive(host.under_way.pop(0))
        else:
            host.answer(copy.asked.pop(0))
    for _ in range(3):
        host.tells()
    fill(copy, host, random.Random(1), 0)
    assert copy.private == list(range(1, 8)) and copy.following.complete


def test_a_page_that_was_not_asked_for_changes_nothing():
    assert not Following(CopyPosition(), 0).page(Page(MAX_NUMBER))


def test_only_a_new_heartbeat_is_stored():
    following = Following(CopyPosition(beat=4), 0)
    assert not following.heartbeat(Heartbeat(0, 0, 1, 4))
    assert following.heartbeat(Heartbeat(0, 0, 1, 5)).values == {"count": b"5"}
    assert not following.heartbeat(Heartbeat(1, 1, 1, 5))
