"""Keys that are no text, in a real pseudo-terminal: what they do, and that nothing of them is ever said."""

import os
import shlex
import shutil
import signal
import sys
import termios

import pytest

pytest.importorskip("termios", reason="needs a pseudo-terminal")

from lanchat.protocol.messages import Said
from tests.support.people import Listener
from tests.support.ptyscreen import PtyScreen
from tests.support.typed import has_line
from tests.support.waiting import PATIENCE

CTRL_C, CTRL_R, CTRL_Z, UP = "\x03", "\x12", "\x1a", "\x1b[A"
SHIFT_ENTER = "\x1b[13;2u"


@pytest.fixture
def heard(bob):
    """`heard(text)`: all that bob has heard of ann, up to this text."""
    listener = Listener(bob)

    def until(text: str) -> list[str]:
        listener.hear_text(text)
        return [item.text for item in listener.items if isinstance(item, Said)]

    return until


@pytest.mark.parametrize(
    "keys",
    [
        "\x1b[15;5~",
        "\x1b[I",
        "\x1b[?64;1;2c",
        "\x1b]11;rgb:0000/0000/0000\x1b\\",
        "\x1bOP",
        "\x1b[24;6~",
        "\x1bq",
        "\x00",
    ],
    ids=["Ctrl-F5", "focus", "device", "colour", "F1", "Ctrl-Shift-F12", "Alt-q", "Ctrl-Space"],
)
def test_a_key_that_is_no_text_is_not_typed(ann, heard, keys):
    screen = ann()
    screen.press("ab")
    screen.wait_until(lambda: has_line(screen, "ab"))
    screen.press(keys)
    screen.press("cd")
    screen.wait_until(lambda: has_line(screen, "abcd"))
    screen.press("\r")
    assert heard("abcd") == ["abcd"]


def test_shift_enter_makes_a_new_line(ann, heard):
    ann().press(f"one{SHIFT_ENTER}two\r")
    assert heard("one\ntwo") == ["one\ntwo"]


def test_half_a_paste_locks_nothing(ann, heard):
    screen = ann()
    screen.press("\x1b[200~half of a paste")
    screen.wait_until(lambda: has_line(screen, "half of a paste"))  # after a moment of silence
    screen.press("\r")
    heard("half of a paste")
    screen.press("\x1b[200~another")
    screen.wait_until(lambda: has_line(screen, "another"))
    screen.press(CTRL_C)
    screen.wait_until(lambda: has_line(screen, ""))
    screen.press("free\r")
    assert heard("free") == ["half of a paste", "free"]


def test_a_paste_without_marks_is_one_text_that_its_author_sends_or_not(ann, heard):
    screen = ann()
    screen.press("".join(f"line {number} of the file\r" for number in range(400)))
    screen.wait_until(lambda: "line 399 of the file" in screen.text and "400 lines" in screen.text)
    end = screen.cursor
    screen.press(UP)  # as any other key, this ends the paste
    screen.wait_until(lambda: screen.cursor != end)
    screen.press("\r")
    screen.wait_until(lambda: "A message may have at most 4096 bytes. Longer texts go as a file:" in screen.text)
    screen.press(CTRL_C)
    screen.wait_until(lambda: has_line(screen, ""))
    screen.press("one\rtwo\rthree\rfour")
    screen.wait_until(lambda: "four" in screen.text)
    screen.press("\x7f\x7f")
    screen.wait_until(lambda: "four" not in screen.text)
    screen.press("ur\r")
    assert heard("one\ntwo\nthree\nfour") == ["one\ntwo\nthree\nfour"]


def test_a_command_that_is_begun_behind_a_refused_one_takes_its_place(ann):
    screen = ann()
    screen.press("/reply hello\r")
    screen.wait_until(lambda: "no private message to reply to" in screen.text and has_line(screen, "/reply hello"))
    screen.press("/nick b/b\r")
    screen.wait_until(lambda: has_line(screen, "/nick b/b") and "(no " in screen.text)
    screen.press(" \x7f\x7f\x7f")
    screen.wait_until(lambda: has_line(screen, "/nick b"))
    screen.press("/c")
    screen.wait_until(lambda: has_line(screen, "/nick b/c"))  # who corrects it goes on with it
    screen.press(CTRL_C)
    screen.wait_until(lambda: has_line(screen, ""))
    for earlier in ("/nick b/c", "/nick b/b", "/reply hello"):
        screen.press(UP)
        screen.wait_until(lambda earlier=earlier: has_line(screen, earlier))


def test_a_draft_and_what_was_said_come_back_also_tomorrow(ann, heard):
    screen = ann()
    screen.press("said\r")
    heard("said")
    screen.press("a long draft")
    screen.wait_until(lambda: has_line(screen, "a long draft"))
    screen.press(CTRL_C)
    screen.wait_until(lambda: has_line(screen, ""))
    screen.press(UP)
    screen.wait_until(lambda: has_line(screen, "a long draft"))
    screen.kill(signal.SIGTERM)
    screen.wait_exit()
    again = ann()
    again.press(UP)
    again.wait_until(lambda: has_line(again, "a long draft"))
    again.press(UP)
    again.wait_until(lambda: has_line(again, "said"))


def test_ctrl_r_searches_in_what_was_typed(ann, heard):
    screen = ann()
    for text in ("the deploy is at noon", "lunch"):
        screen.press(f"{text}\r")
        heard(text)
    screen.press(CTRL_R)
    screen.wait_until(lambda: "Search:" in screen.text)
    screen.press("DEPL")
    screen.wait_until(lambda: "> the deploy is at noon" in screen.text)
    screen.press("\r")
    screen.wait_until(lambda: "Search:" not in screen.text)
    assert has_line(screen, "the deploy is at noon")
    screen.press(CTRL_C + CTRL_R + "lunch")
    screen.wait_until(lambda: "Search: lunch" in screen.text)
    screen.press(CTRL_C)
    screen.wait_until(lambda: "Search:" not in screen.text and has_line(screen, ""))


@pytest.fixture
def shell(room, tmp_path):
    """A shell with jobs, in which ann chats."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs a shell with jobs")
    program = [sys.executable, "-m", "tests.terminal.chat.chat_program", str(room.port), "ann", str(tmp_path / "ann")]
    with PtyScreen([bash, "--norc", "--noprofile", "-i"], env={"PS1": "shell: ", "HISTFILE": ""}) as screen:
        screen.wait_until(lambda: "shell:" in screen.text)
        screen.press(shlex.join(program) + "\n")
        # The shell starts no fork of what is imported already: a busy machine needs long for it.
        screen.wait_until(lambda: "you joined" in screen.text and has_line(screen, ""), 3 * PATIENCE)
        yield screen


def is_raw(screen: PtyScreen) -> bool:
    flags = screen.modes[3]
    assert isinstance(flags, int)
    return not flags & (termios.ICANON | termios.ECHO)


@pytest.mark.timeout(240)
def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_back(shell, heard):
    shell.press("half typed")
    shell.wait_until(lambda: has_line(shell, "half typed"))
    shell.press(CTRL_Z)
    shell.wait_until(lambda: "Stopped" in shell.text and shell.lines[shell.cursor[1]] == "shell:")
    assert "connected" not in shell.text
    shell.press("echo in the $((1 + 1))nd shell\n")
    shell.wait_until(lambda: "in the 2nd shell" in shell.text)
    shell.press("fg\n")
    shell.wait_until(lambda: has_line(shell, "half typed"))
    assert is_raw(shell)
    assert "in the 2nd shell" in shell.text
    shell.press("\r")
    assert heard("half typed") == ["half typed"]
    shell.press("/quit\r")
    shell.wait_until(lambda: "left: " in shell.text)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
def test_a_stop_from_outside_ends_with_fg_as_well(shell, heard, number):
    shell.press("half typed")
    shell.wait_until(lambda: has_line(shell, "half typed"))
    os.kill(shell.foreground, number)
    shell.wait_until(lambda: shell.lines[shell.cursor[1]] == "shell:")
    shell.press("fg\n")
    shell.wait_until(lambda: has_line(shell, "half typed") and is_raw(shell))
    shell.press("\r")
    assert heard("half typed") == ["half typed"]


def test_the_cursor_stands_where_it_is_beside_an_emoji_of_several_characters(ann):
    """Terminals disagree on how wide such an emoji is, so its parts stand side by side while it is typed."""
    screen = ann(60)
    screen.press("👩\u200d💻❤\ufe0f🇩🇪END")
    screen.wait_until(lambda: "END" in screen.text)
    screen.press("\x1b[H")
    screen.wait_until(lambda: screen.cursor[0] == 2)
    screen.press("A\x1b[C\x1b[C\x1b[C\x1b[C\x1b[CB")
    screen.wait_until(lambda: screen.cursor[0] == 2 + 1 + 2 + 2 + 1 + 1)
    screen.press("\r")
    screen.wait_until(lambda: "ann A" in screen.text)
    assert "A👩\u200d💻❤\ufe0fB🇩🇪END" in screen.raw.decode(), "it is sent as it was typed"


def test_escape_closes_the_menu_of_completions_and_leaves_the_line(ann):
    screen = ann(80)
    screen.press("/re")
    screen.press("\t")
    screen.wait_until(lambda: "reply to the last" in screen.text)
    screen.press("\x1b")
    screen.wait_until(lambda: "reply to the last" not in screen.text)
    assert screen.cursor[0] == len("> /re")
