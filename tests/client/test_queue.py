"""What waits for whoever takes it, and who waits when it is full."""

import threading

from lanchat.client.events import Connected, Item, weight
from lanchat.client.queue import QUEUE_LIMIT, EventQueue
from lanchat.protocol.limits import MAX_PEOPLE
from lanchat.protocol.messages import Card, Notice, Present, Welcome
from tests.support.waiting import wait_until

NICK = "\U0001f600" + "n" * 255
CROWD = Connected(
    Card(1, "5" * 32, "Room A", "hal", 0, False, bytes(32)),
    Welcome("v" * 32, "vera", 0, 0, MAX_PEOPLE),
    tuple(Present(f"{n:032}", NICK) for n in range(MAX_PEOPLE)),
    "1" * 32,
)


def put_all(queue: EventQueue, item: Item, number: int) -> threading.Thread:
    def put() -> None:
        for _ in range(number):
            queue.put(item)

    thread = threading.Thread(target=put, name="test-reader")
    thread.start()
    return thread


def test_a_crowd_that_comes_with_each_reconnect_fills_the_queue():
    queue = EventQueue()
    reader = put_all(queue, CROWD, 20)
    try:
        wait_until(lambda: queue._load >= QUEUE_LIMIT)
        taken = queue.take()
        assert len(taken) <= 1 + QUEUE_LIMIT // weight(CROWD), "the reader waited for room"
    finally:
        queue.close()
        reader.join()


def test_who_drops_the_oldest_drops_what_is_heavy_sooner():
    queue = EventQueue(drop_oldest=True)
    page = Notice("x", "\U0001f600" * 4096)
    put_all(queue, page, 2000).join()
    assert queue.dropped == 2000 - QUEUE_LIMIT // weight(page)
