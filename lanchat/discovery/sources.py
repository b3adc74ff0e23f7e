"""The discovery sources, which see the rooms that others advertise (advertise.py)."""

from collections.abc import Callable
from pathlib import Path

from lanchat.discovery.scan import Scan
from lanchat.discovery.sighting import OnProblem, Report, Sighting
from lanchat.discovery.udp.announce import Seeker
from lanchat.discovery.udp.multicast import PORT
from lanchat.network.addresses import OwnAddresses
from lanchat.storage.recent import RecentRooms
from lanchat.threads import Closable

VIA_RECENT = "recent"

Source = Callable[[Report, OnProblem], Closable]  # starts to watch until it is closed; any thread may report


def default_sources(on: OwnAddresses, home: Path, port: int = PORT) -> list[Source]:
    """The sources that may run without being asked for, the fastest first: zeroconf loads slower than UDP answers.

    Args:
        on: our own addresses on the networks to search.
        home: the folder with the file of recent rooms.
        port: of UDP.
    """
    return [
        lambda report, on_problem: Seeker(on, report, on_problem, port),
        lambda report, on_problem: RecentSource(RecentRooms(home), report),
        lambda report, on_problem: _browse_mdns(on, report, on_problem),
    ]


def scanning(on: OwnAddresses) -> Source:
    """A source that tries every address of our networks: only when a person asks for it."""
    return lambda report, on_problem: Scan(on, report, on_problem)


class RecentSource(Closable):
    """Reports once where this person has been before. Any room that answers there is listed: hosts open new rooms."""

    def __init__(self, rooms: RecentRooms, report: Report) -> None:
        for room in rooms.all():
            where = room.endpoint
            report(Sighting(VIA_RECENT, str(where), "", room.title, "", (where,), machine=where.host, joined=True))

    def close(self) -> None:
        pass


def _browse_mdns(on: OwnAddresses, report: Report, on_problem: OnProblem) -> Closable:
    from lanchat.discovery.mdns.mdns import Browser  # loads asyncio, which takes longer than an answer over UDP

    return Browser(on, report, on_problem)
