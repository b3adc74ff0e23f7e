"""The ways of seeing rooms, each begun with two functions that take what it sees and what is wrong."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from lanchat.discovery.recent import Places, Remembered
from lanchat.discovery.scan import Scan
from lanchat.discovery.sighting import Sighting, Vanished
from lanchat.discovery.udp.announce import Seeker
from lanchat.protocol.address import Address

Report = Callable[[Sighting | Vanished], None]
Tell = Callable[[str], None]  # a problem, as one sentence for a person


class Watching(Protocol):
    """A way of seeing that has begun."""

    def close(self) -> None: ...


Way = Callable[[Report, Tell], Watching]  # begins to watch; any thread may report


def every_way(interfaces: Sequence[Address] | None, home: Path) -> list[Way]:
    """All that may be done unasked, the fastest first: to load zeroconf takes longer than an answer over UDP.

    Args:
        interfaces: where; None for everywhere.
        home: where the places of before are kept.
    """
    places = Places(home)
    return [
        lambda report, tell: Seeker(interfaces, report, tell),
        lambda report, tell: Remembered(places, report),
        lambda report, tell: _mdns(interfaces, report, tell),
    ]


def scanning(interfaces: Sequence[Address] | None) -> Way:
    """Knock at every address of our network: only when a person asks for it."""
    return lambda report, tell: Scan(interfaces, report, tell)


def _mdns(interfaces: Sequence[Address] | None, report: Report, tell: Tell) -> Watching:
    from lanchat.discovery.mdns.mdns import Browser

    return Browser(interfaces, report, tell)
