"""The discovery sources, which see rooms, and the advertiser, which makes one visible to the sources of others."""

from collections.abc import Callable, Sequence
from pathlib import Path

from lanchat.discovery.scan import Scan
from lanchat.discovery.sighting import Advertisement, OnProblem, Report, Sighting
from lanchat.discovery.udp.announce import Announcer, Seeker
from lanchat.discovery.udp.multicast import PORT
from lanchat.protocol.address import Address
from lanchat.storage.recent import RecentRooms
from lanchat.threads import Closable

VIA_RECENT = "recent"

Source = Callable[[Report, OnProblem], Closable]  # starts to watch until it is closed; any thread may report


def default_sources(addresses: Sequence[Address] | None, home: Path, port: int = PORT) -> list[Source]:
    """The sources that may run without being asked for, the fastest first: zeroconf loads slower than UDP answers.

    Args:
        addresses: our own addresses on the networks to search; None for all.
        home: the folder with the file of recent rooms.
        port: of UDP.
    """
    return [
        lambda report, on_problem: Seeker(addresses, report, on_problem, port),
        lambda report, on_problem: RecentSource(RecentRooms(home), report),
        lambda report, on_problem: _browse_mdns(addresses, report, on_problem),
    ]


def scanning(addresses: Sequence[Address] | None) -> Source:
    """Tries every address of our networks: only when a person asks for it."""
    return lambda report, on_problem: Scan(addresses, report, on_problem)


class RecentSource(Closable):
    """Reports once where this person has been before. Any room that answers there is listed: hosts open new rooms."""

    def __init__(self, rooms: RecentRooms, report: Report) -> None:
        for room in rooms.all():
            where = room.endpoint
            report(Sighting(VIA_RECENT, str(where), "", room.title, "", (where,), machine=where.host, joined=True))

    def close(self) -> None:
        pass


class Advertiser(Closable):
    """Advertises a room over UDP and mDNS until `close`. What goes wrong is reported and never raised into the host.

    Args:
        addresses: our own addresses on the networks to advertise on; None for all.
        on_problem: called from threads of the advertiser.
        people: how many are in the room; called from threads of the advertiser.

    Raises:
        OSError, RuntimeError: this process has no file descriptor or no thread left.
    """

    def __init__(
        self,
        advertisement: Advertisement,
        addresses: Sequence[Address] | None,
        on_problem: OnProblem,
        people: Callable[[], int | None] = lambda: None,
        port: int = PORT,
    ) -> None:
        from lanchat.discovery.mdns.mdns import Registration

        self._announcer = Announcer(advertisement, addresses, on_problem, people, port)
        try:
            self._registration = Registration(advertisement, addresses, on_problem)
        except BaseException:
            self._announcer.close()
            raise

    def close(self) -> None:
        """Say goodbye over both. May be called twice."""
        self._announcer.close()
        self._registration.close()


def _browse_mdns(addresses: Sequence[Address] | None, report: Report, on_problem: OnProblem) -> Closable:
    from lanchat.discovery.mdns.mdns import Browser  # loads asyncio, which takes longer than an answer over UDP

    return Browser(addresses, report, on_problem)
