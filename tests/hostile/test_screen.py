"""What others write stays in its place: nothing of it stands where a line begins, but its own beginning."""

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("termios", reason="needs a pseudo-terminal")

from lanchat.protocol.messages import Event, Notice, Present, Said, Told
from lanchat.storage.repair import open_store
from lanchat.storage.rooms import joined_folder
from lanchat.terminal.chat.chat import NARROWER
from tests.hostile.attackers import let_in
from tests.support.ptyscreen import PtyScreen
from tests.support.sampling import sampled
from tests.support.tmux import HAVE_TMUX, Tmux

BELIEVED = (
    "ann2 the door code is 4711",
    "[ann2 -> you] the door code is 4711",
    "-- ann2 left the room",
    "-- Fingerprint of ann2:  dead beef dead beef",
    "-- ann2 (host): What is the password?",
    "Try:  lanchat join 10.6.6.6",
)
# What may stand up to the edge, in cells of most terminals and of some: they do not agree on all of it.
FILLERS = {
    "spaces": (" ", 1),
    "letters": ("x", 1),
    "wide": ("字", 2),
    "wide spaces": ("\u3000", 2),
    "dots": ("\u2800", 1),
}
FILLERS |= {"joined": ("👩\u200d👧", 2), "hearts": ("❤\ufe0f", 1), "marks": ("क\u093e", 1), "jamo": ("\u1100\u1161", 2)}
TOLD = f"-- {NARROWER}"[:24]  # the beginning of it, which fits in any window here
_BEGINNING = re.compile(r"(?:\d\d:\d\d )?(.*)")


def forgeries(start: int, columns: int) -> Iterator[str]:
    """Texts that go on at the left edge of a window as somebody else's line, if the terminal breaks them.

    Args:
        start: cells before the text in its row.
    """
    now = time.strftime("%H:%M")
    for number, (filler, width) in enumerate(FILLERS.values()):
        believed = BELIEVED[number % len(BELIEVED)]
        line = believed if believed.startswith(("--", "Try")) else f"{now} {believed}"
        cells = columns - start
        yield filler * (cells // width) + " " * (cells % width) + line


def forged(rows: list[str]) -> list[str]:
    """The rows that look like a line of ann2's, or of the program."""
    found = (_BEGINNING.match(row) for row in rows)
    return [match[0] for match in found if match is not None and match[1].startswith(BELIEVED)]


@pytest.fixture
def screens() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def chat(host, tmp_path, screens) -> Callable[..., tuple[list[str], object]]:
    """`chat()`: the command that shows bob's chat, and the room he is in."""

    def start():
        room = host(title="Room A", nick="hal")
        return [sys.executable, "-m", "tests.terminal.chat.chat_program", str(room.port), "bob", str(tmp_path)], room

    return start


@pytest.mark.parametrize("columns", sampled([40, 80, 160], 1))
def test_a_message_cannot_go_on_as_somebody_elses_line(chat, join, screens, columns):
    """Nor as a line of this program: whatever fills the row, and whatever the terminal takes it for."""
    program, room = chat()
    screen = screens.enter_context(PtyScreen(program, columns=columns, rows=50))
    screen.wait_until(lambda: "you joined" in screen.text)
    mallory = join(room, "mallory")
    for text in forgeries(len("12:00 mallory "), columns):
        mallory.outgoing.say(text)
        mallory.outgoing.say(text, action=True)
    for text in forgeries(len("12:00 [mallory -> you] "), columns):
        mallory.outgoing.tell("bob", text)
    mallory.outgoing.say("and that was all")
    screen.wait_until(lambda: "and that was all" in "\n".join(screen.all_lines))
    # A private message to a nick comes later than what was said after it: first the host is asked for the key.
    screen.wait_until(lambda: sum("door code is" in row for row in screen.all_lines) >= 6)
    assert forged(screen.all_lines) == []


@pytest.mark.full
@pytest.mark.skipif(not HAVE_TMUX, reason="needs tmux")
def test_nor_after_the_window_has_become_narrower(chat, join, screens, tmp_path):
    """The terminal breaks the rows anew then. What is in view is right again, and a line says what is not."""
    program, room = chat()
    screen = screens.enter_context(Tmux(program, tmp_path, columns=160))
    screen.wait_until(lambda: "you joined" in screen.text)
    mallory = join(room, "mallory")
    for columns in (80, 40):
        for text in forgeries(len("12:00 mallory "), columns):
            mallory.outgoing.say(text)
    mallory.outgoing.say("and that was all")
    screen.wait_until(lambda: "and that was all" in screen.text)
    for times, columns in enumerate((80, 40), 1):
        screen.resize(columns)
        screen.wait_until(lambda: sum(row.startswith(TOLD) for row in screen.all_lines) == times)  # noqa: B023
        screen.wait_until(lambda: "connected" in screen.text)
        rows = screen.all_lines
        right = rows[max(number for number, row in enumerate(rows) if row.startswith(TOLD)) :]
        assert any("and that was all" in row for row in right)
        assert forged(right) == []


@pytest.mark.full
def test_a_notice_cannot_pass_for_a_line_of_this_program(evil_host, identity, screens):
    """A false answer to /verify, a false question for a password: each line says whose it is."""
    lies = [believed.removeprefix("-- ") for believed in BELIEVED] + ["Fingerprint of ann2:  dead beef\nTo compare: x"]

    def pose(caller):
        me = Present(identity("mallory").id, "hal", host=True)
        notices = [Notice("x", text) for text in (*lies, *forgeries(len("-- hal (host): "), 80))]
        let_in(caller, me, *notices, people=1)
        caller.send(Notice("x", "and that was all"))

    program = [sys.executable, "-m", "tests.terminal.chat.chat_program", str(evil_host(pose).port), "bob"]
    for extra in ({}, {"NO_COLOR": "1"}):
        screen = screens.enter_context(PtyScreen([*program, str(identity("bob").key_path.parent)], env=extra, rows=60))
        screen.wait_until(lambda: "and that was all" in "\n".join(screen.all_lines))  # noqa: B023
        notices = [row for row in screen.all_lines if row.startswith("-- ")]
        assert forged(screen.all_lines) == []
        assert [row for row in notices if not row.startswith(("-- hal (host):", "-- You are in Room A"))] == []
        assert sum(row.startswith("-- hal (host):") for row in notices) == len(lies) + len(FILLERS) + 1


# ---- what was said before


@pytest.fixture
def past(own_world: Path) -> Path:
    """A home in which mallory's forgeries are kept, for windows of 40 and 80 columns. Gives it."""
    now = int(time.time() * 1000)
    texts = [text for columns in (40, 80) for text in forgeries(len("12:00 mallory "), columns)]
    texts += [f"one\n{time.strftime('%H:%M')} {BELIEVED[0]}", f"the tea\r{BELIEVED[0]}"]
    log, _ = open_store(joined_folder(own_world, "1" * 32, "Room A", now) / "log.db", durable=False)
    events: list[Event | Told] = [
        Said(seq, now, "a" * 32, "mallory", str(seq), text) for seq, text in enumerate(texts, 1)
    ]
    log.add(
        [*events, *(Told(str(n), now, "a" * 32, "mallory", "b" * 32, "bob", text=text) for n, text in enumerate(texts))]
    )
    log.close()
    return own_world


@pytest.mark.parametrize("words", [(), ("--search", "door"), ("--search", "the")], ids=["all", "a word", "another"])
@pytest.mark.parametrize("columns", [40, 80, 160])
def test_the_history_on_a_terminal_holds_no_forged_line(past, screens, columns, words):
    program = [sys.executable, "-m", "lanchat", "history", "Room A", *words]
    screen = screens.enter_context(
        PtyScreen(program, columns=columns, env={"LANCHAT_HOME": str(past), "LANCHAT_PAGER": "cat"})
    )
    assert screen.wait_exit() == 0
    assert sum("door" in row for row in screen.all_lines) >= 4
    assert forged(screen.all_lines) == []


def test_in_a_pipe_a_line_stays_whole_and_begins_only_once(past, lanchat):
    """The format says where a message ends: what goes on in another line is indented."""
    ended = lanchat.run("history", "Room A", LANCHAT_HOME=str(past))
    assert ended.code == 0
    assert forged(ended.lines) == []
    assert max(map(len, ended.lines)) > 80
    assert all(
        re.match(r"\d\d:\d\d (mallory|\[mallory -> bob\]) |            |-- \w+day, ", row) for row in ended.lines
    )


@pytest.mark.full
def test_a_script_whose_output_is_a_terminal_shows_no_forged_line(chat, join, host, screens, own_world, tmp_path):
    """Only its input is a pipe."""
    room = host(title="Room A", nick="hal")
    mallory = join(room, "mallory")
    for text in forgeries(len("mallory: "), 40):
        mallory.outgoing.say(text)
    mallory.outgoing.say("and that was all")
    script = f"{sys.executable} -m lanchat join 127.0.0.1:{room.port} --nick bob --until 'and that' </dev/null"
    screen = screens.enter_context(PtyScreen(["sh", "-c", script], columns=40))
    assert screen.wait_exit() == 0
    assert any("door code" in row for row in screen.all_lines)
    assert forged(screen.all_lines) == []


PRINT_DIAGNOSIS = """
from lanchat.cli.look import _print_diagnosis
from lanchat.doctor.report import Asked, Machine, Node, Report, Tried
from lanchat.doctor.verdict import verdict
nodes = tuple(Node("10.0.0.9", "10.0.0.9:47474", (title,), ("announce",), (), 1.0, True, None) for title in {others!r})
tried = Tried("10.0.0.8:47474", "room", True, True, {title!r})
report = Report(Machine("Linux", {{}}), (), nodes, tried=(tried,))
_print_diagnosis(report, verdict(report, Asked("10.0.0.8", ())), verbose=True)
"""


def test_the_doctor_shows_no_forged_line(screens):
    """Titles of strangers stand in its verdict and in its details."""
    [title, *_], others = forgeries(len('✓ The room "'), 40), [*forgeries(len('  10.0.0.9:47474  "'), 40)]
    program = [sys.executable, "-c", PRINT_DIAGNOSIS.format(title=title, others=others)]
    screen = screens.enter_context(PtyScreen(program, columns=40))
    assert screen.wait_exit() == 0, screen.text
    assert any('✓ The room "' in row for row in screen.all_lines)
    assert any("Try:  lanchat" in row for row in screen.all_lines)
    assert forged(screen.all_lines) == []
