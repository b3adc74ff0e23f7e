"""Questions about files, put to a host that is played."""

import threading
from collections.abc import Callable, Iterator
from queue import Empty, Queue
from typing import Any

import pytest

from lanchat.client.host_link import HostLink
from lanchat.client.questions import FileQuestions
from lanchat.errors import TimedOut
from lanchat.protocol.file_messages import FileEnd, FileEntry, FileGet, FileList, FileReply, FileTicket
from lanchat.protocol.messages import FromMember
from tests.support.waiting import PATIENCE

FILE = "1" * 32


class PlayedHost:
    """Hears the questions of a member that it has admitted."""

    def __init__(self) -> None:
        self.heard: Queue[FromMember] = Queue()
        self.link = HostLink(self.heard.put)
        self.questions = FileQuestions(self.link)
        self.link.begin(b"k" * 32, 1000)

    def hears(self) -> FromMember:
        return self.heard.get(timeout=PATIENCE)

    def says(self, *replies: FileReply) -> list[bool]:
        return [self.questions.receive(reply) for reply in replies]

    def reconnects(self) -> None:
        self.link.pause()
        self.link.begin(b"k" * 32, 1000)


class Asking:
    """A thread that asks, and what it got."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        self._ask = ask
        self._got: Queue[Any] = Queue()
        threading.Thread(target=self._run, name="asking").start()

    def _run(self) -> None:
        try:
            self._got.put(self._ask())
        except Exception as error:
            self._got.put(error)

    @property
    def got(self) -> Any:
        return self._got.get(timeout=PATIENCE)


@pytest.fixture
def host() -> Iterator[PlayedHost]:
    played = PlayedHost()
    yield played
    played.questions.close()


def ticket(number: int) -> FileTicket:
    return FileTicket(FILE, bytes([number]) * 32, 1000, 1000)


def test_two_that_ask_for_one_file_at_the_same_time_get_a_ticket_each(host):
    fetching = [Asking(lambda: host.questions.ask(FileGet(FILE), FILE, host.questions.check)) for _ in range(2)]
    assert [host.hears(), host.hears()] == [FileGet(FILE)] * 2
    assert host.says(ticket(1), ticket(2), ticket(3)) == [True, True, False]
    assert sorted(asking.got.ticket[0] for asking in fetching) == [1, 2]


def test_a_question_is_asked_again_on_the_next_link(host):
    asking = Asking(lambda: host.questions.ask(FileGet(FILE), FILE, host.questions.check))
    assert host.hears() == FileGet(FILE)
    host.reconnects()
    assert host.hears() == FileGet(FILE)
    assert host.says(ticket(1)) == [True]
    assert asking.got == ticket(1)


def entry(name: str) -> FileEntry:
    return FileEntry(FILE, name, 1000, "2" * 32, "ann", 0)


def test_a_list_is_asked_for_once_on_each_link(host):
    """A second question on the same link would mix two answers, of which the first may be cut."""
    asking = Asking(lambda: host.questions.list(PATIENCE))
    assert host.hears() == FileList()
    with pytest.raises(Empty):
        host.heard.get(timeout=1.2)  # the host takes its time
    host.says(entry("a"))
    host.reconnects()
    assert host.hears() == FileList()
    host.says(entry("a"), entry("b"), FileEnd())
    assert [found.name for found in asking.got] == ["a", "b"]


def test_a_list_stays_as_it_is(host):
    asking = Asking(lambda: host.questions.list(PATIENCE))
    host.hears()
    host.says(entry("a"), FileEnd())
    got = asking.got
    host.says(entry("b"))
    assert [found.name for found in got] == ["a"]


def test_a_host_that_lists_nothing_is_given_up(host):
    with pytest.raises(TimedOut):
        host.questions.list(0.2)
