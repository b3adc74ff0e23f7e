"""The list of rooms comes back after a room."""

import click
import pytest

from lanchat.cli import join, options, picking
from lanchat.discovery.sighting import Listing
from lanchat.errors import HostKeyChanged, Refused
from lanchat.terminal import prompts
from lanchat.terminal.options import ScreenOptions
from lanchat.terminal.picker import picker
from lanchat.terminal.picker.picker import Chosen, Quit
from lanchat.terminal.prompts import WantedNick, Who
from tests.support.listings import room


@pytest.fixture
def look(monkeypatch, own_world):
    """`look(error)`: a person chooses a room that cannot be entered, and then quits the list. Returns the exit code."""
    monkeypatch.setenv("TERM", "xterm")

    def run(error: Exception) -> int:
        choices = [Chosen(room("Room A")), Quit()]

        def enter(*_: object, **__: object) -> int:
            raise error

        monkeypatch.setattr(picker, "pick", lambda source: choices.pop(0))
        monkeypatch.setattr(picking, "talk_in", enter)
        who = Who(WantedNick("ann", given=True))
        return picking.pick_and_talk("ann", who, ("127.0.0.1",), False, look=ScreenOptions(), standby=0)

    return run


@pytest.mark.parametrize("error", [click.Abort(), Refused("The room is full.", "Try again later.")])
def test_the_list_comes_back_after_a_room_that_was_not_entered(look, error, capsys):
    assert look(error) == 0
    if isinstance(error, Refused):
        assert capsys.readouterr().err == "lanchat: The room is full.\n  Try again later.\n"


def test_what_comes_unasked_is_the_same_in_each_room_of_the_list(monkeypatch, own_world):
    """`--accept` counts in a room that was picked as in one that was named."""
    monkeypatch.setenv("TERM", "xterm")
    choices, entered = [Chosen(room("Room A")), Chosen(room("Room B")), Quit()], []

    def enter(listing: Listing, *_: object, accept: int, **__: object) -> int:
        entered.append((listing.title, accept))
        return 0

    monkeypatch.setattr(picker, "pick", lambda source: choices.pop(0))
    monkeypatch.setattr(picking, "talk_in", enter)
    monkeypatch.setattr(join, "has_terminal", lambda: True)
    assert options.run(join.join, "lanchat join", ["--accept", "20M", "--interface", "127.0.0.1", "--nick", "ann"]) == 0
    assert entered == [("Room A", 20 << 20), ("Room B", 20 << 20)]


@pytest.mark.parametrize("name", ["lanchat://192.168.1.7:47474/7b217", "192.168.1.7:99999"])
def test_nobody_is_asked_for_a_nick_before_the_name_of_the_room_is_looked_at(monkeypatch, own_world, name):
    monkeypatch.setattr(join, "has_terminal", lambda: True)
    monkeypatch.setattr(prompts, "ask_nick", lambda *_: pytest.fail("asked for a nick"))
    with pytest.raises(click.BadParameter) as caught:
        options.run(join.join, "lanchat join", [name])
    assert caught.value.param_hint == "ROOM"


def test_another_key_than_before_is_no_reason_to_go_on(look):
    with pytest.raises(HostKeyChanged):
        look(HostKeyChanged("another key"))
