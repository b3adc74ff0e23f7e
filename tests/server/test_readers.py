"""The threads that read links, one after the other."""

import threading
from collections.abc import Iterator

import pytest

from lanchat.network.link import Link
from lanchat.server.readers import Readers
from tests.support.links import Links, open_links
from tests.support.waiting import PATIENCE, wait_until

LATE = 3600.0  # s, longer than any test


class Stage:
    """Readers whose threads wait for another link for so many seconds, and links for them."""

    def __init__(self, links: Links, linger: float) -> None:
        self._links = links
        self.readers = Readers(linger)
        self.read_by: list[threading.Thread] = []  # the thread of each link that was read, in order

    def come(self, until: threading.Event | None = None) -> None:
        """A link comes, which is read until then."""
        link, _ = self._links.alone()

        def read() -> None:
            self.read_by.append(threading.current_thread())
            if until is not None:
                until.wait(PATIENCE)
            self.readers.done(link)

        self.readers.start(link, read)

    @property
    def links(self) -> list[Link]:
        return self.readers.links


def lingering() -> int:
    return [thread.name for thread in threading.enumerate()].count("reader-lingers")


@pytest.fixture
def links(identity) -> Iterator[Links]:
    with open_links(identity("hal")) as links:
        yield links


def test_a_thread_that_is_done_with_a_link_reads_the_next_one(links):
    stage = Stage(links, LATE)
    for _ in range(3):
        stage.come()
        wait_until(lambda: not stage.links and lingering() == 1)
    stage.readers.finish(0.0)
    assert len(set(stage.read_by)) == 1


def test_each_link_that_comes_while_others_are_read_has_a_thread_at_once(links):
    stage, over = Stage(links, LATE), threading.Event()
    stage.come()
    wait_until(lambda: lingering() == 1)
    for _ in range(5):
        stage.come(over)
    wait_until(lambda: len(stage.read_by) == 6)
    assert len(stage.links) == 5 and len(set(stage.read_by)) == 5, "the first thread reads one of them"
    over.set()
    stage.readers.finish(PATIENCE)
    assert not stage.links


def test_no_thread_that_waits_for_a_link_outlives_the_host(links):
    stage, over = Stage(links, LATE), threading.Event()
    for _ in range(3):
        stage.come(over)
    over.set()
    wait_until(lambda: lingering() == 3)
    stage.readers.finish(0.0)
    assert not any(thread.is_alive() for thread in stage.read_by)


def test_a_thread_for_which_no_link_comes_ends(links):
    stage = Stage(links, 0.0)
    stage.come()
    wait_until(lambda: stage.read_by and not stage.read_by[0].is_alive())
    stage.come()
    wait_until(lambda: len(stage.read_by) == 2)
    stage.readers.finish(PATIENCE)
    assert len(set(stage.read_by)) == 2
