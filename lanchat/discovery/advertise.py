"""A room made known by every way there is, from now until `close`."""

from collections.abc import Callable, Sequence

from lanchat.discovery.mdns.mdns import Announcement
from lanchat.discovery.sighting import Advertisement
from lanchat.discovery.udp.announce import Announcer
from lanchat.protocol.address import Address
from lanchat.threads import Closable


class Advertiser(Closable):
    """Never raises into the host.

    Args:
        interfaces: where; None for everywhere.
        tell: takes problems; called in threads of our own.
        people: how many are inside; any thread.
    """

    def __init__(
        self,
        advertisement: Advertisement,
        interfaces: Sequence[Address] | None,
        tell: Callable[[str], None],
        people: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._announcer = Announcer(advertisement, interfaces, tell, people)
        self._announcement = Announcement(advertisement, interfaces, tell)

    def close(self) -> None:
        """Say goodbye by each way. May be called twice."""
        self._announcer.close()
        self._announcement.close()
