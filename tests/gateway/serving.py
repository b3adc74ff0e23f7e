"""A gateway that runs in this process, and a list of rooms as discovery would give it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lanchat.discovery.sighting import Listing
from lanchat.gateway.listener import Gateway
from lanchat.gateway.network import Network
from lanchat.network.addresses import where
from lanchat.protocol.address import Endpoint
from lanchat.protocol.timing import Timing
from lanchat.server.host import Host
from tests.support.irc import IrcClient

PASSWORD = "kelp-oven-drama"
TIMING = Timing(sweep=0.05, first_retry=0.02)


class Seen:
    """A list of rooms, as discovery would give it."""

    def __init__(self) -> None:
        self.rooms: list[Host] = []

    def listings(self) -> tuple[Listing, ...]:
        return tuple(
            Listing(
                room.room_id,
                room.title,
                room.nick,
                room.people,
                room.has_password,
                (Endpoint("127.0.0.1", room.port),),
                ("udp",),
                "open",  # type: ignore[arg-type]
                room.identity.id,
                "new",
            )
            for room in self.rooms
        )


@contextmanager
def serving(seen: Seen) -> Iterator[Gateway]:
    """A gateway that runs, with the files of this home."""
    finder: Any = seen
    opened = Gateway(Network(finder, where(("127.0.0.1",))), PASSWORD, 0, TIMING)
    running = threading.Thread(target=opened.run, name="test-gateway")
    running.start()
    try:
        yield opened
    finally:
        opened.close()
        running.join()


def entered(client: IrcClient, channel: str, key: str = "") -> list[str]:
    client.send(f"JOIN {channel} {key}")
    return client.until("366")
