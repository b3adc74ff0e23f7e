"""Tells a host's person when others can no longer reach the room, when they can again, and at which address."""

import threading
import time
from collections.abc import Callable

from lanchat.network.addresses import OwnAddresses
from lanchat.network.reach import ReachStory
from lanchat.protocol.address import Endpoint
from lanchat.protocol.timing import Timing
from lanchat.server.host import Host
from lanchat.threads import Closable

CLOSE_LIMIT = 1.0  # s; a terminal that stands still must not keep a room from closing


def endpoints_of(host: Host, on: OwnAddresses) -> list[Endpoint]:
    """Where others can join a room now, the address that most people can use first."""
    not_listening = host.not_listening
    return [Endpoint(address.text, host.port) for address in on.reachable() if address.text not in not_listening]


class ReachNotices(Closable):
    """A thread that follows our own addresses for the person who hosts, until `close`.

    Args:
        say: called from that thread with a sentence.

    Raises:
        RuntimeError: this process has no thread left.
    """

    def __init__(self, on: OwnAddresses, host: Host, say: Callable[[str], None], timing: Timing) -> None:
        self._on = on
        self._host = host
        self._say = say
        self._every = timing.own_addresses
        self._story = ReachStory(next(iter(self._addresses()), ""), on.trouble(), timing.settled)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reach", daemon=True)  # `say` may wait for a terminal
        self._thread.start()

    def close(self) -> None:
        """May be called twice."""
        self._closing.set()
        self._thread.join(CLOSE_LIMIT)

    def _run(self) -> None:
        while not self._closing.wait(self._every):
            port = self._host.port
            deaf = {str(Endpoint(address, port)): why for address, why in self._host.not_listening.items()}
            for sentence in self._story.look(self._addresses(), self._on.trouble(), deaf, time.monotonic()):
                self._say(sentence)

    def _addresses(self) -> list[str]:
        return [str(endpoint) for endpoint in endpoints_of(self._host, self._on)]
