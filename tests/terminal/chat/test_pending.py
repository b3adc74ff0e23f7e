"""What was said and not heard yet, above the line."""

from lanchat.client.receiving import Unacked
from lanchat.protocol.messages import Said, Say, Tell
from lanchat.terminal.chat.pending import PENDING_AFTER, PENDING_LINES, Pending


def shown(pending: Pending, unkept: Unacked, now: float, width: int = 80) -> list[str]:
    newest, total = unkept.unheard(PENDING_LINES)
    return "".join(text for _, text in pending.lines(newest, total, now, width)).split("\n")


def test_what_is_heard_soon_is_never_shown_as_waiting():
    unkept, pending = Unacked(), Pending()
    unkept.add(Say("1", "hi"))
    assert shown(pending, unkept, 0.0) == [""]
    unkept.numbered(Said(1, 0, "id-ann", "ann", "1", "hi"))
    assert shown(pending, unkept, PENDING_AFTER) == [""]


def test_what_waits_is_shown_until_it_is_heard():
    unkept, pending = Unacked(), Pending()
    for id, text in (("1", "one"), ("2", "two\nlines"), ("3", "\x1b[31mred")):
        unkept.add(Say(id, text, action=id == "1"))
    shown(pending, unkept, 0.0)
    assert shown(pending, unkept, PENDING_AFTER) == ["… * one", "… two lines", "… \\x1b[31mred"]
    unkept.add(Tell("4", "", "bob", "psst"))
    assert shown(pending, unkept, PENDING_AFTER) == ["… 2 more wait", "… two lines", "… \\x1b[31mred"]
    assert shown(pending, unkept, 2 * PENDING_AFTER)[-1] == "… [you -> bob] psst"
    unkept.numbered(Said(1, 0, "id-ann", "ann", "2", "two\nlines"))
    assert shown(pending, unkept, 2 * PENDING_AFTER) == ["… * one", "… \\x1b[31mred", "… [you -> bob] psst"]


def test_a_narrow_window_gets_a_row_for_each():
    unkept, pending = Unacked(), Pending()
    unkept.add(Say("1", "long " * 100))
    shown(pending, unkept, 0.0)
    (line,) = shown(pending, unkept, 1.0, width=20)
    assert len(line) == 20 and line.endswith("…")
