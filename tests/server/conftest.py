"""Clients of the doors for other programs."""

from collections.abc import Callable, Iterator

import pytest

from lanchat.server.host import Host
from tests.support.irc import IrcClient
from tests.support.people import PlainClient


@pytest.fixture
def irc() -> Iterator[Callable[..., IrcClient]]:
    """`irc(room, "wee")`: an IRC client in the room; without a nick, one that has only connected."""
    clients: list[IrcClient] = []

    def connect(room: Host, nick: str = "", capabilities: str = "") -> IrcClient:
        clients.append(client := IrcClient(room.ports["irc"], nick, capabilities=capabilities))
        return client

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def plain() -> Iterator[Callable[..., PlainClient]]:
    """`plain(room, "pat")`: a plain client in the room; without a name, one that has only connected."""
    clients: list[PlainClient] = []

    def connect(room: Host, name: str = "") -> PlainClient:
        clients.append(client := PlainClient(room.ports["plain"]))
        assert client.until(b"Enter your name: ") == b"Enter your name: "
        if name:
            client.come_in(name)
        return client

    yield connect
    for client in clients:
        client.socket.close()
