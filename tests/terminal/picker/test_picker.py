"""The picker without a terminal: keys come through a pipe, rooms from a script. And once in a real terminal."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Literal

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from lanchat.discovery.sighting import Listing
from lanchat.errors import LanchatError
from lanchat.protocol.address import Endpoint
from lanchat.terminal.cells import cells
from lanchat.terminal.picker import picker
from lanchat.terminal.picker.picker import EXAMINE_TIME, Chosen, HostNew, Picked, Quit, pick
from lanchat.terminal.picker.selection import Selection
from lanchat.terminal.picker.view import HINTS_AFTER, paint
from tests.support.ptyscreen import PtyScreen

UP, DOWN, END, PAGE_DOWN, TAB = "\x1b[A", "\x1b[B", "\x1b[F", "\x1b[6~", "\t"
ENTER, ESCAPE, CTRL_C, CTRL_D, BACKSPACE = "\r", "\x1b", "\x03", "\x04", "\x7f"


def room(title: str, host: str = "ann", people: int = 3, *, password: bool = False) -> Listing:
    return Listing(title, title, host, people, password, (Endpoint("10.0.0.2"),), ("mdns",), "answering")


ROOMS = (room("Lobby"), room("Room A"), room("hq"), room("quiet"))


class Script:
    """A source of rooms that also presses keys: each look takes the next step, a list of rooms or keys to press."""

    def __init__(self, *steps: tuple[Listing, ...] | str) -> None:
        self.steps = list(steps)
        self.rooms: tuple[Listing, ...] = ()
        self.press: Callable[[str], None] = lambda keys: None

    def listings(self) -> tuple[Listing, ...]:
        if self.steps:
            match self.steps.pop(0):
                case str(keys):
                    self.press(keys)
                case rooms:
                    self.rooms = rooms
        return self.rooms

    def problems(self) -> tuple[str, ...]:
        return ()


def picked(*steps: tuple[Listing, ...] | str) -> Picked:
    script = Script(*steps)
    with create_pipe_input() as pipe:
        script.press = pipe.send_text
        return pick(lambda: script, input=pipe, output=DummyOutput())


def screen(
    rooms: tuple[Listing, ...] = (),
    *,
    width: int = 80,
    height: int = 24,
    looked: float = 1,
    problems: tuple[str, ...] = (),
    keys: str = "",
    hints: tuple[str, ...] = (),
    scan: str = "",
) -> list[str]:
    selection = Selection()
    selection.update(rooms, 0)
    for key in keys:
        selection.search() if key == "/" else selection.type(key, 0)
    fragments = paint(selection, problems, looked=looked, now=0, width=width, height=height, hints=hints, scan=scan)
    return "".join(text for _, text in fragments).split("\n")


class Doctor(Script):
    """A source that knows why there is no room."""

    def __init__(self, *steps: tuple[Listing, ...] | str) -> None:
        super().__init__(*steps)
        self.asked = self.scans = 0

    def hint(self) -> tuple[str, ...]:
        self.asked += 1
        return ("This machine is on no network.", "Try:  plug in the cable")

    @property
    def scan_state(self) -> Literal["possible", "running", "over"]:
        return ("possible", "running", "over")[min(self.scans, 2)]

    def scan(self) -> None:
        self.scans += 1


# ---- keys


@pytest.mark.parametrize(
    ("keys", "title"),
    [
        (ENTER, "Lobby"),
        (DOWN + ENTER, "Room A"),
        (END + ENTER, "quiet"),
        (END + UP + ENTER, "hq"),
        ("ro" + ENTER, "Room A"),
        ("/q" + ENTER, "hq"),
        ("/qu" + ENTER, "quiet"),
        ("/qux" + BACKSPACE + ENTER, "quiet"),
        ("/z" + ENTER + BACKSPACE + ENTER, "Lobby"),
        ("Rh/lob" + ENTER, "Lobby"),  # h is a letter while letters are typed, and a search begins at any time
        ("zz" + ENTER + DOWN + ENTER, "Room A"),
    ],
)
def test_arrows_letters_and_a_search_choose_a_room(keys, title):
    assert picked(ROOMS, keys) == Chosen(room(title))


@pytest.mark.parametrize("keys", ["q", ESCAPE, CTRL_C, CTRL_D, "h" + CTRL_C])
def test_these_keys_quit(keys):
    assert picked(ROOMS, keys) == Quit()


def test_after_the_list_signals_wake_the_same_descriptor_as_before():
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    with reading, writing:
        before = signal.set_wakeup_fd(writing.fileno())
        try:
            assert picked(ROOMS, "q") == Quit()
        finally:
            assert signal.set_wakeup_fd(before) == writing.fileno()


def test_enter_on_an_empty_list_does_nothing():
    assert picked((), ENTER, "q") == Quit()


def test_rooms_come_and_go_and_the_selection_stays():
    b, c = room("b"), room("c")
    assert picked((b, c), DOWN, (room("a"), b, c), (c,), ENTER) == Chosen(c)
    assert picked((b, c), (c,), ENTER, DOWN + ENTER) == Chosen(c), "Enter was meant for b"


def test_hosting_a_room_asks_for_its_title():
    assert picked((), "h Room B " + ENTER) == HostNew("Room B")


def test_a_page_is_as_long_as_the_window():
    rooms = tuple(room(f"room {number:02}") for number in range(64))  # in a window of 40 rows
    assert picked(rooms, PAGE_DOWN + ENTER) == Chosen(rooms[35])


def test_a_password_can_be_set_for_a_room_that_is_hosted():
    assert picked((), "hRoom B" + TAB + "secret" + ENTER) == HostNew("Room B", "secret")
    assert picked((), "h" + TAB + "secret" + TAB + "Room B" + ENTER) == HostNew("Room B", "secret")
    assert picked((), "hRoom B" + TAB + "abc" + ENTER + "d" + ENTER) == HostNew("Room B", "abcd"), "4 characters"


def test_a_title_that_breaks_the_rules_is_asked_for_again():
    assert picked((), "h" + ENTER + "x" * 61 + ENTER + BACKSPACE + ENTER) == HostNew("x" * 60)


def test_escape_goes_back_to_the_list_from_a_title():
    assert picked(ROOMS, "hno" + ESCAPE, DOWN + ENTER) == Chosen(room("Room A"))


def test_escape_ends_a_search_before_it_leaves():
    assert picked(ROOMS, "/quiet" + ESCAPE, "", "", ENTER) == Chosen(room("quiet"))


def test_pasted_text_is_ignored():
    assert picked(ROOMS, "\x1b[200~q\r\x1b[201~" + ENTER) == Chosen(room("Lobby"))


def test_s_scans_the_network_while_there_is_no_room_and_is_a_letter_otherwise():
    source = Doctor("s", "q")
    with create_pipe_input() as pipe:
        source.press = pipe.send_text
        assert pick(lambda: source, input=pipe, output=DummyOutput()) == Quit()
    assert source.scans == 1
    other = Doctor((room("Lobby"), room("secret")), "s", ENTER)
    with create_pipe_input() as pipe:
        other.press = pipe.send_text
        assert pick(lambda: other, input=pipe, output=DummyOutput()) == Chosen(room("secret"))
    assert other.scans == 0


def test_the_list_says_that_a_scan_runs_and_that_it_is_over():
    assert screen(looked=1, scan="Trying every address …")[1:3] == [
        "  Looking for rooms … 1 s",
        "  Trying every address …",
    ]


# ---- what is drawn


def test_the_doctor_is_asked_in_time_and_its_hints_are_shown():
    assert HINTS_AFTER > EXAMINE_TIME
    shown = screen(looked=HINTS_AFTER, hints=("It is\x1b[2J the cable.", "Try:  plug it in"))
    assert shown[1:4] == ["  No rooms yet, still looking … 5 s", "  It is\\x1b[2J the cable.", "  Try:  plug it in"]
    ticks = iter(range(100))
    source = Doctor(*[()] * 9, "q")
    with create_pipe_input() as pipe:
        source.press = pipe.send_text
        assert pick(lambda: source, input=pipe, output=DummyOutput(), clock=lambda: float(next(ticks))) == Quit()
    assert source.asked > 0


def test_the_list_shows_title_host_people_and_note():
    assert screen((room("Lobby", people=1), room("会議室", "bob", 12, password=True))) == [
        "Rooms on this network",
        "> Lobby   ann  1 person",
        "  会議室  bob  12 people  password",
        "↑↓ or type to choose · Enter join · / search · h host · q quit",
    ]


def test_without_rooms_it_says_so_and_later_what_to_try():
    assert screen(looked=2)[1] == "  Looking for rooms … 2 s"
    later = " ".join(screen(looked=HINTS_AFTER))
    assert "same network" in later and "lanchat join ADDRESS" in later and "press h" in later


def test_a_problem_takes_one_line():
    lines = screen(problems=("mDNS does not work\x1b[2J here " + "x" * 100,), width=40)
    assert lines[-1] == "mDNS does not work\\x1b[2J here xxxxxxxx…"


def test_the_searched_text_is_shown():
    assert screen(ROOMS, keys="/hq")[1:3] == ["> hq  ann  3 people", "/hq_"]
    assert screen(ROOMS, keys="/zz")[1:3] == ['  No room matches "zz".', "/zz_"]
    assert "h host" not in screen(ROOMS, keys="/hq")[-1], "it is a letter there"
    assert screen((), keys="/")[1] == "  Looking for rooms … 1 s"


def test_letters_that_no_room_begins_with_are_said_and_no_room_is_marked():
    lines = screen(ROOMS, keys="zz")
    assert lines[5] == '  No room begins with "zz".' and not any(line.startswith(">") for line in lines)


def test_a_room_that_has_closed_stays_and_is_marked():
    selection = Selection()
    selection.update(ROOMS, 0)
    selection.update(ROOMS[1:], 1)
    lines = "".join(text for _, text in paint(selection, (), looked=1, now=1, width=80, height=24)).split("\n")
    assert lines[1].split() == [">", "Lobby", "ann", "closed"]
    assert lines[5] == "  Lobby has just closed. Choose another room."


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("looked", [0, 60])
@pytest.mark.parametrize("rooms", [(), (room("会議室" * 20, "bob" * 10, 12, password=True), *ROOMS)])
def test_nothing_is_wider_than_the_screen(rooms, looked, width):
    lines = screen(rooms, looked=looked, width=width, problems=("a problem " * 20,))
    assert [line for line in lines if cells(line) > width] == []


@pytest.mark.parametrize("height", [6, 10, 24])
def test_a_long_list_fits_the_height_and_shows_the_selected_room(height):
    rooms = tuple(room(f"room {number:02}") for number in range(64))
    lines = screen(rooms, height=height, keys="room 63")
    assert len(lines) < height
    assert any(line.startswith("> room 63") for line in lines)


# ---- a real terminal

PROGRAM = """
import sys
from lanchat.discovery.sighting import Listing
from lanchat.protocol.address import Endpoint
from lanchat.terminal.picker.picker import pick

class Rooms:
    def listings(self):
        return tuple(
            Listing(title, title, host, 3, password, (Endpoint("10.0.0.2"),), ("mdns",), "answering")
            for title, host, password in [("Room A", "ann", False), ("会議室", "bob", True)]
        )
    def problems(self):
        return ("no mDNS here",)

print("before")
print("picked", pick(Rooms).listing.host)
"""


def test_in_a_real_terminal_it_is_drawn_resized_and_wiped():
    with PtyScreen([sys.executable, "-c", PROGRAM], columns=40, rows=12) as terminal:
        terminal.wait_until(lambda: "no mDNS here" in terminal.text)
        assert terminal.lines[:6] == [
            "before",
            "Rooms on this network",
            "> Room A  ann  3 people",
            "  会議室  bob  3 people  password",
            "↑↓ choose · Enter join · h host · q quit",
            "no mDNS here",
        ]
        terminal.resize(20, 12)
        terminal.wait_until(lambda: "Enter · h host · q" in terminal.text)
        assert all(len(line) <= 20 for line in terminal.lines)
        terminal.press(DOWN)
        terminal.wait_until(lambda: any(line.startswith("> 会") for line in terminal.lines))
        terminal.press(ENTER)
        assert terminal.wait_exit() == 0
        assert [line for line in terminal.lines if line] == ["before", "picked bob"]
        assert not terminal.cursor_hidden


# ---- the first moment


class Drawn(DummyOutput):
    """Remembers the texts that were drawn, and the state of the terminal."""

    def __init__(self) -> None:
        self.text = ""
        self.wiped = self.cursor_hidden = self.pastes_marked = False

    def write(self, data: str) -> None:
        self.text += data
        self.wiped = False

    def erase_down(self) -> None:
        self.wiped = True

    def hide_cursor(self) -> None:
        self.cursor_hidden = True

    def show_cursor(self) -> None:
        self.cursor_hidden = False

    def enable_bracketed_paste(self) -> None:
        self.pastes_marked = True

    def disable_bracketed_paste(self) -> None:
        self.pastes_marked = False


def test_the_search_begins_when_the_empty_list_is_drawn():
    output, seen = Drawn(), []

    def search() -> Script:
        seen.append(output.text)
        script.press = pipe.send_text
        return script

    script = Script(ROOMS, ENTER)
    with create_pipe_input() as pipe:
        assert pick(search, input=pipe, output=output) == Chosen(ROOMS[0])
    assert len(seen) == 1, "it begins once"
    assert "Rooms on this network" in seen[0] and "Looking for rooms" in seen[0]
    assert "Lobby" in output.text


def test_a_search_that_cannot_begin_ends_the_list_and_leaves_the_terminal_in_order():
    output = Drawn()

    def search() -> Script:
        assert output.cursor_hidden and output.pastes_marked
        raise LanchatError("There is no folder.")

    with create_pipe_input() as pipe, pytest.raises(LanchatError, match="no folder"):
        pick(search, input=pipe, output=output)
    assert output.wiped and not output.cursor_hidden and not output.pastes_marked


def test_the_first_rooms_are_drawn_at_once(monkeypatch):
    monkeypatch.setattr(picker, "REFRESH_EVERY", 60.0)  # s, in which nothing else draws the list again
    script = Script((), ROOMS, ENTER)
    with create_pipe_input() as pipe:
        script.press = pipe.send_text
        given_up = threading.Timer(10, pipe.send_text, [CTRL_C])
        given_up.start()
        assert pick(lambda: script, input=pipe, output=DummyOutput()) == Chosen(ROOMS[0])
        given_up.cancel()
        given_up.join()


def test_a_list_is_drawn_without_what_looks_for_rooms_and_looks_without_what_talks_in_them():
    program = """import sys
import lanchat.cli.main, lanchat.cli.join, lanchat.terminal.prompts, lanchat.terminal.picker.numbered
print(*sys.modules)
import lanchat.discovery.finder
from lanchat.network.connect import begin_connect
from lanchat.protocol.address import Endpoint
try:
    begin_connect(Endpoint("127.0.0.1", 1)).close()
except OSError:
    pass
print(*sys.modules)"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    drawing, looking = (set(line.split()) for line in said.splitlines())
    assert "lanchat.terminal.picker.picker" in drawing
    assert not {"msgspec", "cryptography", "zeroconf", "ifaddr", "lanchat.discovery", "lanchat.protocol.tls"} & drawing
    talk, keys = "lanchat.client.events", "cryptography.hazmat.primitives.serialization"
    assert not {talk, "lanchat.room.roster", keys, "encodings.idna"} & looking
