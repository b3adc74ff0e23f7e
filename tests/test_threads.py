import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lanchat.threads import Inbox, Wakeup
from tests.support.waiting import PATIENCE, wait_until


@contextmanager
def running(*works) -> Iterator[list[threading.Thread]]:
    """Threads that are joined at the end."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    yield threads
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def take(inbox: Inbox, number: int) -> list:
    """So many items, in as many turns as that needs."""
    taken: list = []
    while len(taken) < number:
        items = inbox.take(timeout=PATIENCE)
        assert items, "nothing comes any more"
        taken += items
    return taken


def test_one_takes_all_that_waits_in_order():
    inbox: Inbox[int] = Inbox()
    for number in range(5):
        inbox.put(number)
    assert inbox.take() == [0, 1, 2, 3, 4]
    assert inbox.take(timeout=0) == []


def test_it_waits_for_a_first_item():
    inbox: Inbox[str] = Inbox()
    with running(lambda: inbox.put("late")):
        assert inbox.take(timeout=PATIENCE) == ["late"]


def test_who_meets_a_full_inbox_waits():
    inbox: Inbox[int] = Inbox(limit=3)
    for number in range(3):
        inbox.put(number)
    with running(lambda: inbox.put(3), lambda: inbox.put(4)) as threads:
        wait_until(lambda: inbox._blocked == 2)
        assert all(thread.is_alive() for thread in threads)
        inbox.put_now(99)
        assert inbox.take() == [0, 1, 2, 99], "the owner's own items wait for nobody"
        assert sorted(take(inbox, 2)) == [3, 4]


def test_each_threads_items_stay_in_order():
    inbox: Inbox[tuple[str, int]] = Inbox(limit=8)
    names = ["a", "b", "c"]

    def put_all(name: str) -> None:
        for number in range(300):
            inbox.put((name, number))

    with running(*[lambda name=name: put_all(name) for name in names]):
        taken = take(inbox, 900)
    for name in names:
        assert [number for who, number in taken if who == name] == list(range(300))


def test_it_never_holds_more_than_its_bound():
    inbox: Inbox[int] = Inbox(limit=4)
    sizes: list[int] = []
    taken = 0

    def put_all() -> None:
        for number in range(100):
            inbox.put(number)

    with running(*[put_all] * 4):
        while taken < 400:
            items = inbox.take(timeout=PATIENCE)
            assert items
            sizes.append(len(items))
            taken += len(items)
    assert max(sizes) <= 4


def test_closing_wakes_who_waits_and_throws_away():
    inbox: Inbox[int] = Inbox(limit=1)
    inbox.put(1)
    with running(lambda: inbox.put(2)):
        wait_until(lambda: inbox._blocked)
        inbox.close()
    inbox.put(3)
    inbox.put_now(4)
    assert inbox.take() == [1]
    inbox.close()


@pytest.fixture
def wakeup() -> Iterator[Wakeup]:
    with Wakeup() as made:
        yield made


def is_set(wakeup: Wakeup) -> bool:
    return bool(select.select([wakeup], [], [], 0)[0])


def test_a_wakeup_ends_a_select_of_another_thread(wakeup):
    woken = threading.Event()

    def wait() -> None:
        select.select([wakeup], [], [])
        woken.set()

    with running(wait):
        wakeup.set()
        assert woken.wait(PATIENCE)


def test_a_wakeup_stays_set_until_it_is_drained(wakeup):
    assert not is_set(wakeup)
    wakeup.set()
    wakeup.set()
    assert is_set(wakeup) and is_set(wakeup)
    wakeup.drain()
    assert not is_set(wakeup)
    wakeup.drain()
    wakeup.set()
    assert is_set(wakeup)


def test_setting_a_wakeup_never_waits_however_often_nobody_looks(wakeup):
    for _ in range(10_000):  # more than its sockets hold
        wakeup.set()
    wakeup.drain()
    assert not is_set(wakeup)


def test_a_closed_wakeup_may_be_set_and_closed_again(wakeup):
    wakeup.close()
    wakeup.set()
    wakeup.close()
    assert wakeup.fileno() == -1


def test_a_wakeup_may_be_closed_while_other_threads_set_it(wakeup):
    began = threading.Barrier(4, timeout=PATIENCE)
    failures: list[BaseException] = []

    def set_often() -> None:
        began.wait()
        try:
            for _ in range(1000):
                wakeup.set()
        except BaseException as error:
            failures.append(error)

    with running(*[set_often] * 3):
        began.wait()
        wakeup.close()
    assert failures == []
