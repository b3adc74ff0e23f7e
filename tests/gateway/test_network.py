"""The rooms of the gateway and the commands of its client, without a socket of the client."""

import errno
import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lanchat.api.room import JoinedRoom
from lanchat.client.events import Acked, Closed
from lanchat.discovery.sighting import Listing
from lanchat.errors import ConnectionLost, NotConnected
from lanchat.gateway.client import Client
from lanchat.gateway.commands import Commands
from lanchat.gateway.network import Entered, Heard, Network
from lanchat.network.addresses import where
from lanchat.protocol.irc.line import Line
from tests.gateway.serving import PASSWORD
from tests.support.irc import parsed
from tests.support.waiting import PATIENCE


class FakeNetwork:
    """Rooms without a network: only what a line of the client needs."""

    def __init__(self) -> None:
        self.client: Client | None = None
        self.entered: dict[str, Any] = {}

    def welcome(self, client: Client) -> None:
        self.client = client


@pytest.fixture
def registered() -> Callable[[Commands], tuple[Client, list[bytes]]]:
    """`client, told = registered(commands)`: a client that has registered as wee, and what it was sent."""

    def register(commands: Commands) -> tuple[Client, list[bytes]]:
        told: list[bytes] = []
        link: Any = SimpleNamespace(send=told.append, finish=told.append, within=lambda deadline: None)
        client = Client(link, nick="wee", password=PASSWORD)
        commands.carry_out(client, Line("USER", ("wee", "0", "*", "wee")), 0.0)
        assert client.registered
        return client, told

    return register


def test_what_is_left_of_a_client_whose_place_another_has_taken_is_not_done(seen, registered):
    """Its lines may still wait when the other one has gone as well. The gateway ended then."""
    finder: Any = seen
    network = Network(finder, where(("127.0.0.1",)))
    commands = Commands(network, PASSWORD, 0.0)
    first, told = registered(commands)
    registered(commands)
    assert told[-1].endswith(b"Another client has come in your place\r\n")
    network.client = None
    told.clear()
    commands.carry_out(first, Line("JOIN", ("#room-a",)), 0.0)
    assert told == []


def test_the_end_of_a_room_that_was_left_does_not_end_it_where_it_was_entered_again(seen):
    """PART and JOIN in one read: the thread of the first visit says that it has left, which may come late."""
    finder: Any = seen
    network = Network(finder, where(("127.0.0.1",)))
    first, second = (cast(JoinedRoom, SimpleNamespace(name=name)) for name in ("first", "second"))
    heard: list[Any] = []
    entered_again: Any = SimpleNamespace(room=second, hear=lambda items, client: heard.extend(items))
    network.entered["#room-a"] = entered_again
    network.handle(Heard("#room-a", first, [(Closed(ConnectionLost("You have left.")), False)]))
    assert network.entered == {"#room-a": entered_again} and not heard
    network.handle(Heard("#room-a", second, [(Acked(("1",)), False)]))
    assert heard == [(Acked(("1",)), False)]


def test_a_room_that_could_not_be_joined_for_want_of_descriptors_may_be_tried_again(seen, host, registered):
    """JOIN of it did nothing from then on."""

    class Exhausted(Network):
        def _joined(self, listing: Listing, nick: str, password: str) -> JoinedRoom:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    seen.rooms = [host("Room A")]
    finder: Any = seen
    network = Exhausted(finder, where(("127.0.0.1",)))
    commands = Commands(network, PASSWORD, 0.0)
    client, told = registered(commands)
    try:
        for _ in range(2):
            told.clear()
            commands.carry_out(client, Line("JOIN", ("#room-a",)), 0.0)
            [outcome] = network.inbox.take(PATIENCE)
            assert isinstance(outcome, Entered)
            network.handle(outcome)
            [answer] = told
            assert b" 437 wee #room-a :This computer cannot join it now (" in answer
    finally:
        network.close()


def test_a_nick_is_changed_in_the_rooms_that_are_connected_and_the_others_are_named(registered):
    """A room without a link to its host cannot be asked for it. The gateway ended then."""
    asked: list[str] = []

    def not_connected(nick: str) -> None:
        raise NotConnected

    def channel(name: str, rename: Any) -> Any:
        return SimpleNamespace(names=SimpleNamespace(channel=name), room=SimpleNamespace(nick="wee", rename=rename))

    network = FakeNetwork()
    network.entered = {"#lost": channel("#lost", not_connected), "#room-a": channel("#room-a", asked.append)}
    commands = Commands(cast(Network, network), PASSWORD, 0.0)
    client, told = registered(commands)
    commands.carry_out(client, Line("NICK", ("woo",)), 0.0)
    assert asked == ["woo"] and client.nick == "woo"
    notice, renamed = map(parsed, map(bytes.decode, told[-2:]))
    assert notice.parameters[0] == "#lost"
    assert notice.parameters[1].startswith("You are still wee here. You are not connected at the moment.")
    assert renamed.parameters == ("woo",)
