"""The screen of a terminal that knows no escape sequences, with its lines from a pipe."""

import io
import os
import threading
from collections.abc import Callable, Iterator

import pytest

from lanchat.storage.input_history import InputHistory
from lanchat.terminal.cells import Fragments
from lanchat.terminal.chat.line_screen import LineScreen
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no such terminals")


class Typist:
    """Types lines into a screen, which runs in a thread of its own, and notes what becomes of them."""

    def __init__(self, may_leave: Callable[[], bool] = lambda: True) -> None:
        self.accepted: list[str] = []
        self.stays = False  # whether the next line would stay in the typed line
        self.to_print: list[str] = []
        self.typed = InputHistory()
        self.left: list[int | None] = []
        self._reading, self._writing = os.pipe()
        self.out = io.StringIO()
        self.screen = LineScreen(
            accept=self._accept,
            portion=self._portion,
            may_leave=may_leave,
            typed=self.typed,
            file=self._reading,
            out=self.out,
        )
        self._begun = threading.Event()
        self._thread = threading.Thread(target=lambda: self.left.append(self.screen.run(self._begun.set)))

    def __enter__(self) -> "Typist":
        self._thread.start()
        assert self._begun.wait(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._writing)
        self._thread.join(PATIENCE)
        os.close(self._reading)

    def type(self, text: str) -> None:
        os.write(self._writing, text.encode())

    def says(self, *lines: str) -> None:
        wait_until(lambda: self.accepted == [*lines], what=f"{lines} instead of {self.accepted}")

    def _accept(self, text: str) -> bool:
        self.accepted.append(text)
        return self.stays

    def _portion(self, columns: int) -> tuple[Fragments, bool]:
        return ([("class:mine", self.to_print.pop(0))], bool(self.to_print)) if self.to_print else ([], False)


@pytest.fixture
def typist() -> Iterator[Typist]:
    with Typist() as typist:
        yield typist


def test_each_line_is_accepted_and_comes_back_in_a_better_terminal(typist):
    typist.type("hello\n")
    typist.says("hello")
    typist.type("and so")
    typist.type(" on\n")
    typist.says("hello", "and so on")
    assert typist.typed.lines == ["hello", "and so on"]


def test_what_is_to_be_said_is_printed_as_plain_lines(typist):
    typist.to_print += ["11:46 bob hi\n", "11:46 bob ho\n"]
    typist.screen.wake()
    wait_until(lambda: typist.out.getvalue() == "11:46 bob hi\n11:46 bob ho\n")


def test_lines_that_are_pasted_together_are_one_message(typist):
    typist.type("def f():\n    return 1\n\nf()\n")
    typist.says("def f():\n    return 1\n\nf()")


def test_keys_that_are_no_text_are_not_said(typist):
    typist.type("up\x1b[A and\x01 on\n")
    typist.says("up and on")


def test_an_empty_line_repeats_one_that_was_not_sent(typist):
    typist.stays = True
    typist.type("/msg ~gus hi\n")
    typist.says("/msg ~gus hi")
    typist.stays = False
    typist.type("\n")
    typist.says("/msg ~gus hi", "/msg ~gus hi")
    typist.type("\n")
    typist.type("next\n")
    typist.says("/msg ~gus hi", "/msg ~gus hi", "next")


def test_a_line_that_is_too_long_is_not_said(typist):
    typist.type("x" * 5000 + "\n")
    wait_until(lambda: "-- 5000 bytes are too many for one message" in typist.out.getvalue())
    assert typist.accepted == []


def test_the_end_of_the_input_leaves_once_that_is_allowed():
    asked: list[str] = []

    def may_leave() -> bool:
        asked.append("may I?")
        return len(asked) > 1

    with Typist(may_leave) as ann:
        pass
    assert len(asked) == 2 and ann.left == [None]


def test_an_error_while_a_line_is_carried_out_ends_the_screen():
    failed = threading.Event()

    def accept(text: str) -> bool:
        raise RuntimeError(text)

    reading, writing = os.pipe()
    screen = LineScreen(
        accept=accept,
        portion=lambda columns: ([], False),
        may_leave=lambda: True,
        typed=InputHistory(),
        file=reading,
        out=io.StringIO(),
    )

    def run() -> None:
        try:
            screen.run(lambda: None)
        except RuntimeError:
            failed.set()

    thread = threading.Thread(target=run)
    thread.start()
    os.write(writing, b"boom\n")
    thread.join(PATIENCE)
    os.close(reading)
    os.close(writing)
    assert failed.is_set()


def test_a_dumb_terminal_is_sent_no_escape_sequence_and_ctrl_c_leaves(ann):
    screen = ann(40, term="dumb")
    screen.press("hello everybody out there, this is longer than a row\n")
    screen.wait_until(lambda: "\n          this is longer than a row\n" in screen.text)
    screen.press("/help\n")
    screen.wait_until(lambda: "Ctrl-C leaves.\n" in screen.text)
    screen.press("\x03")
    assert screen.wait_exit() == 0
    assert b"\x1b" not in screen.raw
    assert "\nleft: error=None signal=None unsent=''" in screen.text, "not behind the terminal's ^C"
    assert screen.modes == screen.modes_before
