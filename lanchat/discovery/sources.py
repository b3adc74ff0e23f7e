"""The discovery sources, which see rooms, and the advertiser, which makes one visible to the sources of others."""

from collections.abc import Callable
from pathlib import Path

from lanchat.discovery.scan import Scan
from lanchat.discovery.sighting import Advertisement, OnProblem, Report, Sighting
from lanchat.discovery.udp.announce import Announcer, Seeker
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


class Advertiser(Closable):
    """Advertises a room over UDP and mDNS until `close`. What goes wrong is reported and never raised into the host.

    Args:
        on: our own addresses on the networks to advertise on.
        on_problem: called from threads of the advertiser with a sentence for a person, and with another one when the
            problem is over.
        people: how many are in the room; called from threads of the advertiser.

    Raises:
        OSError, RuntimeError: this process has no file descriptor or no thread left.
    """

    def __init__(
        self,
        advertisement: Advertisement,
        on: OwnAddresses,
        on_problem: Callable[[str], None],
        people: Callable[[], int | None] = lambda: None,
        port: int = PORT,
    ) -> None:
        from lanchat.discovery.mdns.mdns import Registration

        def taken_back(way: str) -> OnProblem:
            return lambda problem: on_problem(problem or f"This room is announced over {way} again.")

        self._announcer = Announcer(advertisement, on, taken_back("UDP"), people, port)
        try:
            self._registration = Registration(advertisement, on, taken_back("mDNS"))
        except BaseException:
            self._announcer.close()
            raise

    def close(self) -> None:
        """Say goodbye over UDP and mDNS. May be called twice."""
        self._announcer.close()
        self._registration.close()


def _browse_mdns(on: OwnAddresses, report: Report, on_problem: OnProblem) -> Closable:
    from lanchat.discovery.mdns.mdns import Browser  # loads asyncio, which takes longer than an answer over UDP

    return Browser(on, report, on_problem)
