"""Clients of the doors of a host."""

import socket
from collections.abc import Callable, Iterator

import pytest

from lanchat.server.host import Host
from tests.support.irc import IrcClient
from tests.support.people import PlainClient
from tests.support.waiting import PATIENCE


@pytest.fixture
def raw() -> Iterator[Callable[[Host], socket.socket]]:
    """`raw(room)`: a bare connection to the native port."""
    opened: list[socket.socket] = []

    def connect(room: Host) -> socket.socket:
        opened.append(sock := socket.create_connection(("127.0.0.1", room.port)))
        sock.settimeout(PATIENCE)
        return sock

    yield connect
    for sock in opened:
        sock.close()


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
