"""The chat screen in a real pseudo-terminal, with pyte as the terminal that a person looks at."""

import re
import signal

import pytest

pytest.importorskip("termios", reason="needs a pseudo-terminal")

from tests.support.typed import has_line, squeezed

HALF = "half a line, 日本語 and 😀, not sent yet"
CTRL_C, CTRL_D, CTRL_L = "\x03", "\x04", "\x0c"


@pytest.mark.parametrize("columns", [pytest.param(80, marks=pytest.mark.full), 40])
def test_a_half_typed_line_stays_whole_while_500_messages_arrive(ann, bob, columns):
    screen = ann(columns)
    screen.press(HALF[:10])
    for number in range(500):
        bob.outgoing.say(f"number {number:03} 日本 of five hundred.")
        if number == 250:
            screen.press(HALF[10:])
    screen.wait_until(lambda: "number 499" in screen.text and has_line(screen, HALF))
    shown = re.findall(r"bob number (\d+)", "\n".join(screen.all_lines))
    assert shown == [f"{number:03}" for number in range(500)]
    screen.press("\r")
    screen.wait_until(lambda: "annhalfaline" in squeezed(screen.text) and has_line(screen, ""))


def test_the_typed_line_stays_whole_when_the_window_changes_its_size(ann, bob):
    screen = ann(80)
    screen.press(HALF)
    screen.wait_until(lambda: has_line(screen, HALF))
    for columns, rows in ((40, 24), (20, 12), (100, 30), (80, 24)):
        screen.resize(columns, rows)
        screen.wait_until(lambda: has_line(screen, HALF))
        bob.outgoing.say(f"at {columns}")
        screen.wait_until(lambda: f"bob at {columns}" in screen.text and has_line(screen, HALF))  # noqa: B023
        assert max(len(row) for row in screen.lines) <= columns


def test_what_is_in_view_is_printed_again_when_the_window_has_become_narrower(ann, bob):
    """A terminal breaks the rows where it likes, and some cut them off."""
    screen = ann(80)
    screen.press(HALF)
    long = "a message that is much too long for the narrower window, and has to go on in another row there"
    bob.outgoing.say(long)
    screen.wait_until(lambda: "bob a message" in screen.text and has_line(screen, HALF))
    screen.resize(40, 24)
    screen.wait_until(lambda: "-- The window became narrower." in screen.text)
    screen.wait_until(lambda: "narrower window,\n          and has to go on in another\n" in screen.text)
    screen.wait_until(lambda: has_line(screen, HALF))
    assert screen.text.count("bob a message") == 1
    screen.raw.clear()
    screen.resize(80, 24)
    bob.outgoing.say("wider")
    screen.wait_until(lambda: "bob wider" in screen.text)
    assert b"\x1b[2J" not in screen.raw, "rows of a narrow window fit in a wide one"


def test_escape_sequences_of_others_are_shown_as_text(ann, bob):
    screen = ann(80)
    screen.press("mine")
    screen.wait_until(lambda: has_line(screen, "mine"))
    for text in (
        "\x1b]0;owned\x07title",
        "\x1b[2J\x1b[Hcleared",
        "\x1b[?25lhidden",
        "\x1b[31;47mcoloured",
        "\x9b31mcoloured",
        "back\b\b\b\rover",
        "\x1b]52;c;aGk=\x07clipboard",
        "\x1b[?1049halternate",
        "\u202egnp.exe",
    ):
        bob.outgoing.say(text)
    bob.outgoing.say("and that was all")
    screen.wait_until(lambda: "and that was all" in screen.text and has_line(screen, "mine"))
    assert screen.title == "Room A - lanchat"
    assert not screen.cursor_hidden
    assert screen.cursor[0] == len("> mine")
    assert "bob \\x1b[2J\\x1b[Hcleared" in screen.text
    assert "bob back\\x08\\x08\\x08" in screen.text
    assert "bob <U+202E>gnp.exe" in screen.text
    raw = screen.raw.decode().replace("\x1b]2;Room A - lanchat\x1b\\", "")  # our own
    assert not set("\x07\x08\x9b\x9d\u202e") & set(raw.replace("\x08", ""))
    for sequence in ("\x1b]", "\x1b[2J", "\x1b[31", "\x1b[?1049"):
        assert sequence not in raw


@pytest.mark.parametrize(
    ("leave", "said"),
    [
        (lambda screen: screen.press("/quit\r"), "error=None signal=None unsent=''"),
        (lambda screen: screen.press(CTRL_D), "error=None signal=None unsent=''"),
        (lambda screen: screen.press("half" + CTRL_C + CTRL_C), "error=None signal=None unsent=''"),
        (lambda screen: screen.kill(signal.SIGINT), "error=None signal=None unsent=''"),
        (lambda screen: screen.kill(signal.SIGTERM), "error=None signal=15 unsent=''"),
    ],
    ids=["quit", "ctrl-d", "ctrl-c twice", "SIGINT", "SIGTERM"],
)
def test_the_terminal_is_left_as_it_was_found(ann, leave, said):
    screen = ann()
    assert screen.modes != screen.modes_before
    leave(screen)
    assert screen.wait_exit() == 0
    assert screen.modes == screen.modes_before
    assert f"left: {said}" in screen.text
    assert not screen.cursor_hidden
    assert screen.raw.rindex(b"\x1b[?2004l") > screen.raw.rindex(b"\x1b[?2004h")  # no bracketed paste any more
    assert "connected" not in screen.text  # the bar is gone


def test_the_end_of_the_room_leaves_the_terminal_in_order_and_says_why(ann, room):
    screen = ann()
    screen.press(HALF)
    screen.wait_until(lambda: has_line(screen, HALF))
    room.close()
    screen.wait_until(lambda: "closed the room." in screen.text and has_line(screen, HALF))
    screen.press(CTRL_C)
    screen.wait_until(lambda: has_line(screen, ""))
    screen.press(CTRL_C)
    assert screen.wait_exit() == 3
    assert screen.modes == screen.modes_before


def test_a_closed_window_ends_the_program(ann):
    screen = ann()
    screen.hang_up()
    screen.wait_exit()


def test_a_paste_longer_than_the_screen_stays_one_message(ann, bob):
    screen = ann(40)
    screen.paste("\n".join(f"pasted {number}" for number in range(30)))
    screen.wait_until(lambda: "pasted 29" in screen.text and "connected" in screen.text)
    assert "you joined" in screen.text  # half of the window is left to the room
    screen.press("\r")
    screen.wait_until(lambda: "ann pasted 0" in "\n".join(screen.all_lines) and has_line(screen, ""))
    bob.outgoing.say("long")
    screen.wait_until(lambda: "bob long" in screen.text)
    assert len(re.findall("ann pasted", "\n".join(screen.all_lines))) == 1


def test_ctrl_l_prints_everything_again(ann, bob):
    screen = ann()
    bob.outgoing.say("still here")
    screen.press("mine")
    screen.wait_until(lambda: "still here" in screen.text and has_line(screen, "mine"))
    before = screen.lines
    screen.raw.clear()
    screen.press(CTRL_L)
    screen.wait_until(lambda: b"\x1b[2J" in screen.raw and screen.lines == before)


def test_clear_empties_the_window_until_something_new_comes(ann, bob):
    screen = ann(80)
    bob.outgoing.say("of yesterday")
    screen.wait_until(lambda: "of yesterday" in screen.text)
    screen.press("/clear\r")
    screen.wait_until(lambda: "of yesterday" not in screen.text and "connected" in screen.text)
    screen.press(CTRL_L)
    bob.outgoing.say("of today")
    screen.wait_until(lambda: "of today" in screen.text)
    assert "of yesterday" not in screen.text and screen.lines[0].endswith("bob of today")
