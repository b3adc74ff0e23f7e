"""IRC clients for the tests of the IRC door."""

from collections.abc import Callable, Iterator

import pytest

from lanchat.server.host import Host
from tests.support.irc import IrcClient


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
