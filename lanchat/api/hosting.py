"""Everything that a program runs while it hosts a room: the host, its advertising, its standbys, its disk."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lanchat.api.naming import Naming
from lanchat.api.reach import ReachNotices, endpoints_of
from lanchat.api.watch import Watch
from lanchat.api.web import WebAccess
from lanchat.discovery.advertise import Advertiser
from lanchat.discovery.sighting import Advertisement
from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.address import Endpoint
from lanchat.protocol.ids import fingerprint
from lanchat.protocol.invite import Invite
from lanchat.protocol.timing import Timing
from lanchat.server.host import Host
from lanchat.threads import Closable

if TYPE_CHECKING:
    from lanchat.api.cohosting import Cohosting


class Hosting(Closable):
    """One hosting of a room. Owned by one thread at a time.

    Args:
        host: has started.
        owner: the raw public key of the room's owner.
        disk: closed after the host.
        announce: let others find the room.
        web: its door for browsers, open or not; None: it can have none.
    """

    def __init__(
        self,
        host: Host,
        owner: bytes,
        on: OwnAddresses,
        disk: Sequence[Closable],
        *,
        announce: bool,
        web: WebAccess | None = None,
    ) -> None:
        self.host = host
        self.web = web
        self.on = on  # our own addresses
        self.owner = owner
        self._disk = disk
        self._announce = announce
        self.naming: Naming | None = None  # names standbys, at the room's owner
        self.cohosting: Cohosting | None = None  # of a room on an engine, which may have several hosts
        self.engine = ""  # the address of that engine, without its password
        self._outside: list[Closable] = []  # parts that show the room to others, and watch for them

    def show(self, on_problem: Callable[[str], None], timing: Timing) -> None:
        """Let others find the room, and tell our person when they cannot reach it. To be called once.

        Args:
            on_problem: called with a sentence, from other threads.
        """
        host = self.host
        keys = fingerprint(self.owner), fingerprint(host.identity.public)
        shown = Advertisement(host.room_id, host.title, host.nick, host.port, *keys)
        if host.moving is not None:
            self._outside.append(Watch(host.moving, timing))
        if self._announce:
            self._outside.append(Advertiser(shown, self.on, on_problem, lambda: host.people))
        self._outside.append(ReachNotices(self.on, host, on_problem, timing))

    def hide(self) -> None:
        """From now on nobody finds the room. May be called twice."""
        for part in self._outside:
            part.close()

    @property
    def pages(self) -> tuple[str, ...]:
        """What browsers may call our page; nothing if there is none."""
        return self.web.places if self.web is not None else ()

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where others can join now, the address that most people can use first."""
        return tuple(endpoints_of(self.host, self.on))

    @property
    def invite(self) -> Invite | None:
        """None: no other machine can reach the room."""
        endpoints = self.endpoints
        return Invite(endpoints, self.host.room_id, fingerprint(self.owner)) if endpoints else None

    def close(self, *, end: bool = False) -> None:
        """May be called twice.

        Args:
            end: of a room of ours with several hosts: close it at all of them.
        """
        self.hide()
        if self.naming is not None:
            self.naming.close()
        if self.cohosting is not None and end:  # the others hear first that the room closes
            self.cohosting.end()
            self.host.close(everywhere=True)
            self.cohosting.close(end=True)
        elif self.cohosting is not None:
            self.cohosting.close()
        self.host.close()
        for part in self._disk:
            part.close()
