"""An agent in a room with ann, who may call it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lanchat.agents import inbox as inbox_module
from lanchat.agents import rooms as rooms_module
from lanchat.agents.rules import Allowed
from lanchat.api.room import JoinedRoom
from lanchat.client.member import Member
from lanchat.network.connect import dial
from lanchat.protocol.address import Endpoint
from lanchat.server.host import Host
from lanchat.storage.identity import load_identity
from tests.support.agent_client import Client
from tests.support.people import Listener, joined_room
from tests.support.waiting import PATIENCE


@pytest.fixture
def room(host: Callable[..., Host]) -> Host:
    return host("Room A")


@pytest.fixture
def ann(room: Host, join: Callable[..., Member]) -> Listener:
    return Listener(join(room, "ann"))


@pytest.fixture
def client(
    room: Host, ann: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Client]]:
    """Makes an agent's client, which ann may call."""
    monkeypatch.setattr(inbox_module, "BURST", 0.01)
    monkeypatch.setattr(rooms_module, "RECEIPT_WAIT", PATIENCE)
    made: list[Client] = []

    def make(nick: str = "agent", allowed: Allowed | None = None, **options: Any) -> Client:
        identity = load_identity(tmp_path / nick)

        def enter() -> JoinedRoom:
            return joined_room(lambda: dial((Endpoint("127.0.0.1", room.port),)), identity, nick, bot=True)

        made.append(Client(enter, allowed or Allowed(frozenset([ann.me])), **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def agent(client: Callable[..., Client]) -> Client:
    one = client()
    one.come()
    return one
