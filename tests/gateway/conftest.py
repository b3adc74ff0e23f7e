"""A gateway, its IRC client on loopback, and a list of rooms as discovery would give it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from lanchat.gateway.listener import Gateway
from tests.gateway.serving import PASSWORD, Seen, serving
from tests.support.irc import IrcClient


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def gateway(seen: Seen, host: object) -> Iterator[Gateway]:  # which leaves the rooms before they close
    with serving(seen) as opened:
        yield opened


@pytest.fixture
def come(gateway: Gateway) -> Iterator[Callable[..., IrcClient]]:
    """`come("wee")`: the IRC client of this person."""
    with ExitStack() as stack:

        def connect(nick: str = "wee", capabilities: str = "", password: str = PASSWORD) -> IrcClient:
            client = IrcClient(gateway.port, capabilities=capabilities, password=password)
            stack.enter_context(closing(client))
            client.send(f"NICK {nick}", "USER wee 0 * :wee")
            return client

        yield connect
