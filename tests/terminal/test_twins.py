"""A room is opened whose title is that of another room here: who opens it is asked, and a script is warned."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lanchat.discovery.sighting import Listing
from lanchat.protocol.address import Endpoint
from lanchat.terminal.twins import Twin, twin_among, twin_text
from tests.support.commands import own_title
from tests.support.program import Program
from tests.support.ptyscreen import PtyScreen
from tests.support.waiting import PATIENCE

PATIENT = (  # a busy machine finds no room within the second that a person waits
    "from lanchat.cli.main import main; from lanchat.terminal import twins; "
    f"twins.LOOK_FOR = twins.WATCH_FOR = {2 * PATIENCE}; main()"
)


@pytest.fixture
def started_patiently(tmp_path: Path) -> Iterator[Callable[[str], Program]]:
    """`started_patiently(title)`: ann's script that hosts a room of this title, and looks long for another one."""
    with ExitStack() as programs:

        def start(title: str) -> Program:
            arguments = ("host", title, "--nick", "ann", "--port", "0", "--headless")
            home = {"LANCHAT_HOME": str(tmp_path / "ann")}
            return programs.enter_context(Program([sys.executable, "-c", PATIENT, *arguments], tmp_path / "run", home))

        yield start


def room(host: str, key: str, state: str = "answering", people: int | None = 3) -> Listing:
    where = (Endpoint("10.0.0.2"),)
    return Listing("1" * 32, "Room A", host, people, False, where, ("mdns",), state, key)  # type: ignore[arg-type]


def test_a_room_of_our_own_or_one_that_does_not_answer_is_no_twin():
    rooms = [room("hal", "11"), room("eve", "22", "silent", None), room("ann", "33")]
    twin = twin_among(rooms, "room a", "11")
    assert twin == Twin(rooms[2], ours=False)
    assert twin_text(twin.listing) == "ann hosts Room A here already (3 people)"
    assert twin_among(rooms[:2], "Room A", "11") is None
    assert twin_among(rooms, "Room B", "11") is None


def test_our_own_room_is_found_where_it_is_open_before_it_is_opened_here():
    rooms = [room("ann", "33"), room("hal", "22"), room("hal", "11")]
    assert twin_among(rooms, "Another title by now", "11", opens="1" * 32) == Twin(rooms[2], ours=True)
    assert twin_among(rooms[:2], "Room A", "11", opens="1" * 32) == Twin(rooms[0], ours=False)
    assert twin_among(rooms[2:], "Room A", "11", opens="2" * 32) is None, "another one of our rooms"


@pytest.mark.full
def test_a_person_is_asked_whether_to_join_the_room_that_is_open_already(lanchat):
    room_a = own_title("Room A")
    lanchat.host(room_a, announce=True)
    for title, answer, sign in ((room_a.lower(), "", f"You are in {room_a}"), (room_a, "n", f"You host {room_a}")):
        with PtyScreen(
            [sys.executable, "-c", PATIENT, "host", title, "--nick", "ann", "--port", "0"],
            env={"LANCHAT_HOME": str(lanchat.home("ann"))},
        ) as screen:
            screen.wait_until(lambda: "Join it" in screen.text)
            assert f"hal hosts {room_a} here already (1 person)." in screen.text
            screen.press(answer + "\r")
            screen.wait_until(lambda sign=sign: sign in screen.text)  # type: ignore[misc]
            screen.press("/quit\r")
            assert screen.wait_exit() == 0


def test_a_script_is_warned_of_the_room_that_is_open_already(lanchat, started_patiently):
    title = own_title("Room A")
    lanchat.host(title, announce=True)
    ann = started_patiently(title)
    ann.wait_err(f"-- hal hosts {title} here already (1 person). This is another room with the same title.")
    ann.stop()


def test_a_script_opens_its_room_while_it_still_looks_for_another_one(started_patiently):
    """There is none, and the room is open and closed again long before the looking is over."""
    ann = started_patiently(own_title("Room B"))
    ann.wait_err("ann joined")
    assert "already" not in ann.stop().err
