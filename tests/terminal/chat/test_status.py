"""What stands around the typed line: the messages that wait, and the bar."""

from lanchat.client.state import RoomState
from lanchat.client.unacked import Unacked
from lanchat.protocol.drafts import PrivateDraft
from lanchat.protocol.messages import Notice, Said, Say
from lanchat.terminal.cells import cells
from lanchat.terminal.chat.status import (
    PENDING_AFTER,
    PENDING_LINES,
    Pending,
    bar_text,
    connection_text,
    no_answer,
    waiting_text,
)
from tests.support.cases import cases


def shown(pending: Pending, unacked: Unacked, now: float, width: int = 80) -> list[str]:
    newest, total = unacked.unheard(PENDING_LINES)
    return "".join(text for _, text in pending.lines(newest, total, now, width)).split("\n")


def test_a_message_that_the_host_numbers_soon_is_never_shown_as_waiting():
    unacked, pending = Unacked(), Pending()
    unacked.add(Say("1", "hi"))
    assert shown(pending, unacked, 0.0) == [""]
    unacked.numbered(Said(1, 0, "id-ann", "ann", "1", "hi"))
    assert shown(pending, unacked, PENDING_AFTER) == [""]


def test_a_message_that_waits_is_shown_until_the_host_numbers_it():
    unacked, pending = Unacked(), Pending()
    for id, text in (("1", "one"), ("2", "two\nlines"), ("3", "\x1b[31mred")):
        unacked.add(Say(id, text, action=id == "1"))
    shown(pending, unacked, 0.0)
    assert shown(pending, unacked, PENDING_AFTER) == ["… * one", "… two lines", "… \\x1b[31mred"]
    unacked.add(PrivateDraft("4", "", "bob", "psst"))
    assert shown(pending, unacked, PENDING_AFTER) == ["… 2 more unsent", "… two lines", "… \\x1b[31mred"]
    assert shown(pending, unacked, 2 * PENDING_AFTER)[-1] == "… [you -> bob] psst"
    unacked.numbered(Said(1, 0, "id-ann", "ann", "2", "two\nlines"))
    assert shown(pending, unacked, 2 * PENDING_AFTER) == ["… * one", "… \\x1b[31mred", "… [you -> bob] psst"]


def test_in_a_narrow_window_each_message_is_cut_to_one_row():
    unacked, pending = Unacked(), Pending()
    unacked.add(Say("1", "long " * 100))
    shown(pending, unacked, 0.0)
    (line,) = shown(pending, unacked, 1.0, width=20)
    assert len(line) == 20 and line.endswith("…")


@cases(
    ("title", "width", "bar"),
    [
        ("Room A", 80, " Room A · 3 people · connected"),
        ("Room A", 24, " Room A · 3 · connected"),
        ("Room A", 20, " Room A · connected"),
        ("Room A", 10, " Room A"),
        ("Room A", 5, " Roo…"),
        ("Room A", 0, ""),
        ("A rather long title of a room", 40, " A rather long t… · 3 people · connected"),
        ("日本語の部屋の長い名前", 40, " 日本語の部屋の… · 3 people · connected"),
        ("日本語の部屋の長い名前", 20, " 日本語… · connected"),
    ],
)
def test_the_bar_fits_its_window(title, width, bar):
    shown = bar_text(title, 3, "connected", width)
    assert cells(shown) <= width
    assert shown == bar


def test_the_bar_of_a_room_that_is_closed_to_us_counts_nobody():
    assert bar_text("Room A", None, "not connected", 80) == " Room A · not connected"


@cases(("silence", "said"), [(None, ""), (2.9, ""), (3.0, "no answer for 3 s"), (8.7, "no answer for 8 s")])
def test_the_bar_says_that_a_host_has_been_silent_for_longer_than_it_promises(silence, said):
    assert no_answer(silence) == said


def test_the_bar_says_that_a_room_is_paused_and_what_waits():
    state = RoomState()
    state.connected = True
    said = []
    for code in ("paused", "resumed"):
        state.follow(Notice(code, "The room is paused."))
        text = connection_text(state, hosting=True, away=False)
        said += [text + waiting_text(number, lost=False, paused=state.paused) for number in (0, 2)]
    assert said == ["paused", "paused · 2 waiting", "hosting", "hosting"]


def test_the_bar_says_what_waits_for_a_lost_host():
    assert waiting_text(3, lost=True, paused=True) == ", 3 unsent"
    assert waiting_text(0, lost=True, paused=False) == ""
