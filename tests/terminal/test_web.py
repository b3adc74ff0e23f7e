"""What a host reads and types about the door for browsers."""

from datetime import datetime

import pytest

import lanchat
from lanchat.api.web import WebAddress
from lanchat.terminal.cells import Fragments
from lanchat.terminal.chat.commands import parse
from lanchat.terminal.chat.intents import Misused, Web
from lanchat.terminal.invite import welcome
from lanchat.terminal.web import NOWHERE, PROTECTS, valid_text, web_code, web_command, web_lines

URL = "http://192.168.1.7:47480/"
NOON = datetime(2026, 3, 1, 12)


class Screen:
    """Keeps what would be shown."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.drawn: Fragments = []

    def note(self, text: str, *, command: bool = False) -> None:
        self.notes.append(text)

    def show(self, fragments: Fragments) -> None:
        self.drawn = fragments


@pytest.mark.parametrize(
    ("until", "when"),
    [
        (datetime(2026, 3, 1, 14, 2), "14:02 today"),
        (datetime(2026, 3, 2, 14, 2), "14:02 tomorrow"),
        (datetime(2026, 3, 9, 14, 2), "14:02 on 2026-03-09"),
    ],
)
def test_a_guest_link_says_until_when_it_is_valid(until, when):
    address = WebAddress(f"{URL}#AAECAwQFBgcICQoLDA0ODw", until.timestamp())
    assert valid_text(address, NOON) == f"Everybody with this guest link gets in until {when}."
    assert web_lines(address)[:2] == [("In a browser on this network:", False), (address.url, True)]


def test_a_host_that_nobody_can_reach_says_so():
    assert web_lines(None) == [(NOWHERE, False)] and web_code(None, 80) == []


def test_the_code_fits_or_says_why_not():
    assert len(web_code(WebAddress(URL), 80)) > 20
    ((_, words),) = web_code(WebAddress(URL), 20)
    assert "make the window wider" in words


@pytest.mark.parametrize(
    ("typed", "intent"),
    [
        ("/web", Web("show")),
        ("/web off", Web("off")),
        ("/web new", Web("new")),
        ("/web new 1.5", Web("new", 1.5)),
    ],
)
def test_what_a_host_types(typed, intent):
    assert parse(typed, hosting=True) == intent


@pytest.mark.parametrize(
    "typed", ["/web on", "/web new 1 2", "/web new 0", "/web new nan", "/web new x", "/web off now"]
)
def test_anything_else_is_said_to_be_wrong(typed):
    assert isinstance(parse(typed, hosting=True), Misused)


def test_only_a_host_has_the_command():
    assert isinstance(parse("/web"), Misused)


def test_the_door_is_opened_and_closed_from_the_room(own_world):
    screen = Screen()
    with lanchat.host("Room A", nick="hal", port=0, announce=False, ephemeral=True, web_port=0) as room:
        assert (PROTECTS, False) in welcome(room, 80)
        web_command("off", 24, room, screen, 80)
        assert screen.notes == ["The web door is closed."]
        web_command("off", 24, room, screen, 80)
        assert screen.notes.pop() == "The web door is closed already."
        room.web.open(0)
        web_command("show", 24, room, screen, 80)
        assert room.web.address is not None
        assert screen.notes[-4:-2] == ["In a browser on this network:", room.web.address.url] and screen.drawn
        with pytest.raises(ValueError, match="no password"):
            web_command("new", 24, room, screen, 80)


def test_a_new_guest_link_is_made_from_the_room(own_world):
    screen = Screen()
    with lanchat.host("Room A", nick="hal", port=0, announce=False, password="secret", web_port=0) as room:
        before = room.web.address
        web_command("new", 2, room, screen, 80)
        assert screen.notes[0].startswith("New guest link, valid for 2 hours.")
        assert room.web.address != before
