"""A person who looks elsewhere is called: bell, title, and a line where the new messages begin."""

import os

import pytest

if os.name != "posix":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

FOCUS_IN, FOCUS_OUT = "\x1b[I", "\x1b[O"


def bells(screen) -> int:
    """How often it has rung: here no other sequence ends with a BEL."""
    return int(screen.raw.count(b"\a"))


def test_a_mention_rings_while_the_window_has_no_focus(ann, bob):
    screen = ann()
    assert screen.title == "Room A - lanchat"
    screen.press(FOCUS_OUT)
    screen.press("typed")
    screen.wait_until(lambda: "> typed" in screen.text)
    bob.outgoing.say("hello")
    screen.wait_until(lambda: screen.title == "(1) Room A - lanchat")
    assert bells(screen) == 0
    bob.outgoing.say("ann: look")
    screen.wait_until(lambda: bells(screen) == 1)
    assert "new since" in screen.text and screen.text.count("new since") == 1
    screen.press(FOCUS_IN)
    screen.wait_until(lambda: screen.title == "Room A - lanchat")
    assert "> typed" in screen.text, "the answers of the terminal are not typed"


def test_nothing_rings_while_the_window_has_the_focus(ann, bob):
    screen = ann()
    screen.press(FOCUS_IN)
    bob.outgoing.say("ann: look")
    screen.wait_until(lambda: "ann: look" in screen.text)
    assert bells(screen) == 0 and screen.title == "Room A - lanchat"


def test_the_terminal_is_left_as_it_was_found(ann):
    screen = ann()
    assert b"\x1b[?1004h" in screen.raw
    screen.press("/quit\r")
    screen.wait_exit()
    raw = bytes(screen.raw)
    assert raw.count(b"\x1b[?1004h") == raw.count(b"\x1b[?1004l") == 1
    assert raw.count(b"\x1b[22;2t") == raw.count(b"\x1b[23;2t") == 1
