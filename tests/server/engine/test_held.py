from lanchat.protocol.messages import Say, Tell
from lanchat.server.doors.native import LINES
from lanchat.server.engine import held as module
from lanchat.server.engine.held import Held
from lanchat.server.items import CloseRoom, LinkEnded, Received
from lanchat.server.session import Session
from tests.support.hub import RecordingLink

SESSION = Session(RecordingLink(), LINES)


def said(text):
    return Received(SESSION, [Say("1", text)])


def test_the_order_stays_and_what_is_put_back_comes_first():
    held = Held()
    one, two, close = said("one"), said("two"), CloseRoom("over")
    for item in (one, two, close):
        held.add(item)
    assert (held.first, held.take(), held.lines) == (one, one, 1)
    held.put_back(one)
    assert (held.lines, held.bytes, held.take_all(), len(held)) == (2, 6, [one, two, close], 0)
    assert (held.lines, held.bytes) == (0, 0)


def test_of_too_many_lines_the_last_ones_go_and_all_else_stays(monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    held = Held()
    items = [said("1"), LinkEnded(SESSION), said("2"), said("3"), CloseRoom("over"), said("4")]
    for item in items:
        held.add(item)
    assert list(held.surplus()) == [items[5], items[3]]
    assert held.take_all() == [items[0], items[1], items[2], items[4]]


def test_few_long_messages_are_too_much_as_well(monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 20)
    held = Held()
    fits = Received(SESSION, [Tell("1", "x", "ann", b"123456", b"7890")])
    held.add(fits)
    assert not list(held.surplus())
    held.add(long := said("ü" * 5))
    assert list(held.surplus()) == [long]
    assert held.take_all() == [fits]
