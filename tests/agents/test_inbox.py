"""What was said to an agent: bounded, with cursors, and waited for."""

import threading
from functools import partial
from itertools import islice

from lanchat.agents import inbox as inbox_module
from lanchat.agents.heard import Heard
from lanchat.agents.inbox import AgentInbox
from tests.support.waiting import PATIENCE, ended

LONG = 100 * PATIENCE  # s; a wait that nothing ends


def add(inbox: AgentInbox, *texts: str) -> None:
    for text in texts:
        inbox.add(partial(_heard, text))


def _heard(text: str, number: int) -> Heard:
    return Heard(number, "Room A", 0, "ann", "a", text, allowed=True)


def texts(inbox: AgentInbox, after: int = 0, limit: int = 9) -> tuple[list[str], bool]:
    found, more = inbox.after(after, lambda one: True, limit)
    return [one.text for one in found], more


def test_a_cursor_stands_behind_what_was_given():
    inbox = AgentInbox()
    add(inbox, "one", "two", "three")
    assert texts(inbox, limit=2) == (["one", "two"], True)
    assert texts(inbox, inbox.number_of(inbox.cursor(2))) == (["three"], False)


def test_a_cursor_of_another_run_or_of_nobody_begins_at_the_oldest():
    inbox = AgentInbox()
    add(inbox, "one")
    for cursor in ("", "zz-1", inbox.cursor(1) + "x", f"{inbox.cursor(0)[:5]}-1", inbox.cursor(0)[:5] + "9" * 99):
        assert inbox.number_of(cursor) == 0
    assert inbox.number_of(inbox.cursor(99)) == 1, "there are no such messages yet"


def test_of_too_many_the_oldest_go_and_that_is_said():
    inbox = AgentInbox(limit=2)
    add(inbox, "one", "two", "three")
    assert texts(inbox) == (["two", "three"], True)
    assert texts(inbox, 1) == (["two", "three"], False)
    found, more = inbox.latest(lambda one: True, 1)
    assert ([one.text for one in found], more) == (["three"], True)


def test_a_wait_ends_with_a_message_and_those_that_follow_at_once(monkeypatch):
    monkeypatch.setattr(inbox_module, "BURST", 0.01)
    inbox = AgentInbox()
    further = iter(["two", "three"])

    def go_on() -> bool:
        """Is asked while the inbox waits for what follows."""
        add(inbox, *islice(further, 1))
        return False

    speaker = threading.Timer(0.01, add, (inbox, "one"))
    speaker.start()
    assert inbox.wait(0, lambda one: one.text == "one", PATIENCE, lambda: bool(inbox.last) and go_on())
    assert texts(inbox) == (["one", "two", "three"], False)
    speaker.join()


def test_a_wait_ends_when_time_is_over_or_the_client_wants_no_answer_any_more():
    inbox, cancelled = AgentInbox(), threading.Event()
    assert not inbox.wait(0, lambda one: True, 0, cancelled.is_set)

    def cancel() -> None:
        cancelled.set()
        inbox.wake()

    threading.Timer(0.01, cancel).start()
    assert not ended(lambda: inbox.wait(0, lambda one: True, LONG, cancelled.is_set))
    threading.Timer(0.01, inbox.close).start()
    assert not ended(lambda: inbox.wait(0, lambda one: True, LONG, lambda: False))
