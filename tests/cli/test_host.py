"""`lanchat host` for a room that others host, too."""

from contextlib import nullcontext

import pytest

from lanchat.api import returning, second_host
from lanchat.api.engine_rooms import RoomAtEngine
from lanchat.api.search import Elsewhere, Seen
from lanchat.api.targets import Target
from lanchat.cli import engines, options
from lanchat.cli import host as command
from lanchat.cli import returning as cli_returning
from lanchat.cli.picking import wanted_twin
from lanchat.discovery.sighting import Listing
from lanchat.errors import LanchatError
from lanchat.protocol.address import Endpoint
from lanchat.protocol.engine import EngineRoom
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.places import Place
from lanchat.storage.identity import load_identity
from lanchat.storage.own_settings import own_settings
from lanchat.storage.rooms import joined_folder, open_room
from lanchat.terminal import twins
from lanchat.terminal.run import Notices
from tests.support.addresses import LOOPBACK

ROOM = "5" * 32


@pytest.mark.parametrize(
    ("known", "typed"),
    [
        ("redis://box:7000/0", 'lanchat host "Room A" --engine redis://box:7000/0'),
        ("", 'lanchat host "Room A" --engine redis://HOST'),
        ("redis://ann:PASSWORD@box/0", 'LANCHAT_ENGINE=redis://ann:PASSWORD@box/0 lanchat host "Room A"'),
    ],
)
def test_an_owner_who_forgets_the_engine_reads_what_to_type(own_world, monkeypatch, known, typed):
    """`/takeback` could not take the room from a host that has its numbers from an engine."""
    own_world.mkdir()
    with open_room(own_world, "Room A", now=1) as folder:
        folder.note_engine(known)
    seen = Seen(Elsewhere(Target(()), "bob", 0, on_engine=True))
    monkeypatch.setattr(returning, "find_elsewhere", lambda title, on: seen)
    with pytest.raises(LanchatError, match='"Room A" is on an engine, where bob hosts it now.') as error:
        options.run(command.host, "lanchat host", ["Room A", "--headless", "--nick", "ann"])
    assert error.value.hint.startswith(f"To host it there:  {typed}   Or join it: ")


def test_a_room_of_ours_that_is_open_at_another_computer_with_our_key_is_not_opened_twice(own_world, monkeypatch):
    """Both would give the same numbers to different messages."""
    own_world.mkdir()
    with open_room(own_world, "Room A", now=1):
        pass
    seen = Seen(Elsewhere(Target((Endpoint("192.0.2.7", 47474),)), "ann", 0, own_key=True))
    monkeypatch.setattr(returning, "find_elsewhere", lambda title, on: seen)
    with pytest.raises(LanchatError) as error:
        options.run(command.host, "lanchat host", ["Room A", "--headless", "--nick", "ann"])
    assert str(error.value) == 'Your room "Room A" is open already, at 192.0.2.7:47474.'
    assert error.value.hint.startswith("Join it:  lanchat join 192.0.2.7:47474   Or open another room")


def test_a_person_at_a_screen_reads_the_same_of_a_room_that_has_no_standbys(own_world, monkeypatch):
    """Nobody looks for such a room but who asks whether it is somebody else's."""
    own_world.mkdir()
    own = fingerprint(load_identity(own_world).public)
    listing = Listing(ROOM, "Room A", "ann", 1, False, (Endpoint("192.0.2.7", 47474),), ("mdns",), "answering", own)
    monkeypatch.setattr(twins, "find_twin", lambda title, on: twins.Twin(listing, ours=True))
    with pytest.raises(LanchatError, match='Your room "Room A" is open already'):
        wanted_twin("Room A", LOOPBACK)


def test_an_owner_whom_discovery_shows_nobody_reads_who_hosts_the_room_at_its_engine(own_world, monkeypatch):
    """Hosts of one room are often in several subnets. Without this two rooms would go on, with one title."""
    own_world.mkdir()
    with open_room(own_world, "Room A", now=1) as folder:
        folder.note_engine("redis://box/0")
    monkeypatch.setattr(returning, "find_elsewhere", lambda title, on: Seen())
    place = Place(0, bytes(32), "bob", ("192.0.2.7:47474",))
    monkeypatch.setattr(returning, "find_at_engine", lambda title: place)
    with pytest.raises(LanchatError, match='"Room A" is on an engine, where bob hosts it now.') as error:
        options.run(command.host, "lanchat host", ["Room A", "--headless", "--nick", "ann"])
    assert error.value.hint.endswith("--engine redis://box/0   Or join it:  lanchat join 192.0.2.7:47474")


def test_an_owner_whose_engine_cannot_be_asked_is_warned_and_goes_on(own_world, monkeypatch):
    def away(title: str) -> None:
        raise LanchatError("Cannot reach Redis at box:6379 (connection refused).", "Is it running?")

    monkeypatch.setattr(returning, "find_at_engine", away)
    told: list[str] = []
    notices = Notices()
    notices.show_with(told.append)
    cli_returning._ask_engine("Room A", "redis://box/0", notices)
    assert told == [
        'Other computers may host "Room A" on its engine, which cannot be asked. Cannot reach Redis at box:6379 '
        "(connection refused). If they do, there are two rooms now. To host it there: end this one, and  "
        'lanchat host "Room A" --engine redis://box/0'
    ]


class _Opened:
    """Stands for a room that this computer hosts beside its owner."""

    nick = "bobby"

    class card:
        room = ROOM


def test_a_second_host_keeps_the_nick_that_it_was_given(own_world, monkeypatch):
    own_world.mkdir()
    joined_folder(own_world, ROOM, "Room A", 1)
    there, nicks = RoomAtEngine(ROOM, EngineRoom("Room A", "ann", bytes(32))), []

    def host_beside(*_: object, nick: str, **__: object) -> _Opened:
        nicks.append(nick)
        return _Opened()

    monkeypatch.setattr(engines, "finding", lambda engine, title, home, deadline: nullcontext(there))
    monkeypatch.setattr(second_host, "host_beside", host_beside)
    for given in (["--nick", "bobby"], []):
        arguments = ["Room A", "--engine", "redis://box", *given]
        with command.host.make_context("host", arguments) as context:
            settings = command.HostOptions(
                **{name: context.params[name] for name in command.HostOptions.__annotations__}
            )
            command._open_room("Room A", settings, Notices(), 0, None, screen=True)
    assert nicks == ["bobby", "bobby"]
    assert own_settings(own_world, ROOM).nick == "bobby"
