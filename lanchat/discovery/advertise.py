"""Makes a room visible to the discovery sources of others."""

from collections.abc import Callable

from lanchat.discovery.sighting import Advertisement, OnProblem
from lanchat.discovery.udp.announce import Announcer
from lanchat.discovery.udp.multicast import PORT
from lanchat.network.addresses import OwnAddresses
from lanchat.threads import Closable


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
