"""Seeing and being seen over mDNS / DNS-SD. The door of `zeroconf`.

zeroconf runs an asyncio loop in a thread of its own; we talk to it from one plain thread for each
`Announcement` and each `Browser`, never from its callbacks and never from a loop of ours (there it
would skip its goodbyes, or refuse to work). It is imported in that thread, when it is needed.
Whatever goes wrong here is told in one sentence and ends nothing else.
"""

import logging
import queue
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from lanchat.discovery.mdns.loop_thread import Station, Tell, told
from lanchat.discovery.mdns.records import SERVICE, WAY, instance_name, properties, read_record
from lanchat.discovery.sighting import Advertisement, Sighting, Vanished
from lanchat.network.interfaces import still
from lanchat.protocol.address import Address

if TYPE_CHECKING:
    from zeroconf import ServiceInfo, Zeroconf

MAX_WAITING = 4096  # names to be looked up; what a flood brings on top is lost
MAX_KNOWN = 2048  # names that are told again
TELL_AGAIN_AFTER = 5.0  # s
_TOLD_AT_ONCE = 50  # names between two looks at what is new
_TOO_MANY = "more rooms are announced here than can be looked at; if yours is missing, join it by its address"
LOOKUP_LIMIT = 1.0  # s for one name
FOLLOW_EVERY = 4.0  # s between two looks at our own addresses; with others, we begin anew
REGISTER_LIMIT = 15.0  # s; it takes 1.65 s by the book (RFC 6762, 8.1 and 8.3)

_log = logging.getLogger(__name__)


class _Mdns(Station["Zeroconf"]):
    """The thread of an announcement or a browser."""

    def __init__(self, thread_name: str, interfaces: Sequence[Address] | None, tell: Tell) -> None:
        super().__init__(thread_name, tell)
        self._interfaces = interfaces
        self._here: set[str] = set()  # our addresses when we began
        self._over = threading.Event()

    def _wake(self) -> None:
        self._over.set()

    def _wait_again(self) -> bool:
        """An interface came, went or has another address: sockets bound to what was would stay deaf and mute."""
        while not self._over.wait(0.0 if self._has_moved() else FOLLOW_EVERY):
            if self._has_moved():
                return True
        return False

    def _has_moved(self) -> bool:
        return _ipv4(self._interfaces) != self._here

    def _open(self) -> "Zeroconf":
        """A Zeroconf on what was asked for; on less, and saying so, where that fails."""
        from zeroconf import InterfaceChoice, IPVersion, Zeroconf

        self._here = _ipv4(self._interfaces)
        attempts: list[InterfaceChoice | list[str]]
        if self._interfaces is None:
            attempts = [InterfaceChoice.All, InterfaceChoice.Default]
        else:
            wanted = self._usable(self._interfaces)
            attempts = [wanted, *([text] for text in wanted if len(wanted) > 1)]
        failure: Exception | None = None
        for choice in attempts:
            try:
                # Never on a running loop, such as that of prompt_toolkit.
                zeroconf = Zeroconf(interfaces=choice, ip_version=IPVersion.V4Only, use_asyncio=False)
            except (OSError, RuntimeError) as error:
                failure = failure or error
                continue
            if failure is not None:
                where = choice[0] if isinstance(choice, list) else "the default interface"
                self._tell(f"mDNS works on {where} only ({told(failure)})")
            return zeroconf
        assert failure is not None
        raise failure

    def _usable(self, interfaces: Sequence[Address]) -> list[str]:
        """Those that this machine has now. With any other, Zeroconf fails and forgets to close a socket."""
        wanted = [address for address in interfaces if address.version == 4]
        here = [address for address in still(interfaces) if address.version == 4]
        if not wanted and not here:
            raise OSError("the chosen interface has no IPv4 address")
        if not here:
            raise OSError(f"{', '.join(address.text for address in wanted)} is no address of this machine any more")
        working = {address.interface for address in here}
        if missing := [address.text for address in wanted if address.interface not in working]:
            at = ", ".join(address.text for address in here)
            self._tell(f"mDNS works on {at} only ({', '.join(missing)} is gone)")
        return [address.text for address in here]


class Announcement(_Mdns):
    """Tells the network of a room, from now until `close`. Never raises into the host.

    Args:
        interfaces: where; None for everywhere.
        tell: takes problems; called in a thread of our own.
    """

    def __init__(self, advertisement: Advertisement, interfaces: Sequence[Address] | None, tell: Tell) -> None:
        super().__init__("mdns-announce", interfaces, tell)
        self._advertisement = advertisement
        self._announced = threading.Event()
        self._thread.start()

    def wait_announced(self, timeout: float) -> bool:
        """Whether the room is announced, at the latest after this many seconds. It takes about 1.7."""
        return self._announced.wait(timeout)

    def _work(self, zeroconf: "Zeroconf") -> None:
        from zeroconf import NonUniqueNameException

        try:
            self._await(zeroconf, self._register(zeroconf, self._info()), REGISTER_LIMIT)
        except NonUniqueNameException:  # its message is empty
            raise RuntimeError("somebody on this network announces this very room already") from None
        self._announced.set()
        while not self._over.wait(FOLLOW_EVERY) and not self._has_moved():
            pass

    async def _register(self, zeroconf: "Zeroconf", info: "ServiceInfo") -> None:
        await (await zeroconf.async_register_service(info))

    def _info(self) -> "ServiceInfo":
        from zeroconf import ServiceInfo

        usable = [address for address in still(self._interfaces) if address.version == 4]
        others = [a.text for a in usable if not a.is_loopback]
        return ServiceInfo(
            SERVICE,
            instance_name(self._advertisement),
            port=self._advertisement.port,
            properties=properties(self._advertisement),
            server=f"lanchat-{self._advertisement.room_id[:16]}.local.",
            parsed_addresses=others or [a.text for a in usable],  # loopback means somebody else to everyone else
        )

    def _trouble(self, why: str) -> str:
        return f"this room is not announced over mDNS ({why}); others join it by its address"


class Browser(_Mdns):
    """Watches the network for rooms until `close`.

    Args:
        interfaces: where; None for everywhere.
        report: takes what is seen; called in a thread of our own.
        tell: takes problems, likewise.
    """

    def __init__(
        self,
        interfaces: Sequence[Address] | None,
        report: Callable[[Sighting | Vanished], None],
        tell: Tell,
    ) -> None:
        super().__init__("mdns-browse", interfaces, tell)
        self._report = report
        self._names: queue.Queue[tuple[str, bool] | None] = queue.Queue(MAX_WAITING)
        self._thread.start()

    def _work(self, zeroconf: "Zeroconf") -> None:
        from zeroconf import ServiceBrowser, ServiceStateChange

        def changed(zeroconf: "Zeroconf", service_type: str, name: str, state_change: ServiceStateChange) -> None:
            try:
                self._names.put_nowait((name, state_change is not ServiceStateChange.Removed))
            except queue.Full:
                _log.debug("too many mDNS names at once")
                self._tell(_TOO_MANY)

        browser = ServiceBrowser(zeroconf, SERVICE, handlers=[changed])
        try:
            self._follow(zeroconf)
        finally:
            browser.cancel()

    def _follow(self, zeroconf: "Zeroconf") -> None:
        """Look up each name that comes: at once where its record came along, else when nothing else waits.

        What is known is told again now and then: in a flood the directory may have had no place for it.
        """
        later: deque[str] = deque(maxlen=MAX_KNOWN)
        known: OrderedDict[str, float] = OrderedDict()  # the names that are there, with when they were told last
        look_at = time.monotonic() + FOLLOW_EVERY
        while not self._closing:
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + FOLLOW_EVERY
                if self._has_moved():
                    for name in known:
                        self._report(Vanished(WAY, name))
                    return
            try:
                item = self._names.get(timeout=0.0 if later else TELL_AGAIN_AFTER / 10)
            except queue.Empty:
                if later:
                    self._look_up(zeroconf, later.popleft(), ask=True)
                self._tell_again(zeroconf, known)
                continue
            if item is None:
                continue
            name, there = item
            if not there:
                known.pop(name, None)
                self._report(Vanished(WAY, name))
                continue
            if len(known) < MAX_KNOWN:
                known[name] = time.monotonic()
            else:
                self._tell(_TOO_MANY)
            if not self._look_up(zeroconf, name, ask=False) and name not in later:
                later.append(name)

    def _tell_again(self, zeroconf: "Zeroconf", known: "OrderedDict[str, float]") -> None:
        now = time.monotonic()
        for name, told_at in list(islice(known.items(), _TOLD_AT_ONCE)):
            if now - told_at < TELL_AGAIN_AFTER:
                return
            known[name] = now
            known.move_to_end(name)
            self._look_up(zeroconf, name, ask=False)

    def _look_up(self, zeroconf: "Zeroconf", name: str, *, ask: bool) -> bool:
        """Report the record of this name.

        Returns:
            Whether there is nothing left to ask for.
        """
        from zeroconf.asyncio import AsyncServiceInfo

        try:
            info = AsyncServiceInfo(SERVICE, name)
            complete = info.load_from_cache(zeroconf)
            if not complete and ask:
                complete = self._await(zeroconf, info.async_request(zeroconf, LOOKUP_LIMIT * 1000), LOOKUP_LIMIT + 1)
            if not complete:
                return False
            sighting = read_record(name, info.port, info.parsed_scoped_addresses(), info.text)
        except Exception as error:  # BadTypeInNameException and its kin: a stranger's record must not end the watch
            _log.debug("mDNS record of %r: %r", name, error)
            return True
        if sighting is not None:
            self._report(sighting)
        return True

    def _wake(self) -> None:
        super()._wake()
        try:
            self._names.put_nowait(None)
        except queue.Full:
            pass  # then it is awake

    def _trouble(self, why: str) -> str:
        return f"mDNS does not work here ({why}); join by the address that the host's screen shows"


def _ipv4(interfaces: Sequence[Address] | None) -> set[str]:
    return {address.text for address in still(interfaces) if address.version == 4}
