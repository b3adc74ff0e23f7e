"""Advertising and finding rooms over mDNS / DNS-SD. The door of `zeroconf`.

zeroconf runs an asyncio loop in a thread of its own. Each `Registration` and each `Browser` talks to it from one plain
thread: from zeroconf's callbacks or from another loop, it would skip its goodbyes or refuse to work. That thread also
imports zeroconf, when it needs it. What goes wrong here becomes one sentence for a person.
"""

import logging
import queue
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from lanchat.discovery.mdns.loop_thread import LoopThread, describe_error
from lanchat.discovery.mdns.records import SERVICE, VIA_MDNS, instance_name, properties, read_record
from lanchat.discovery.sighting import Advertisement, OnProblem, Report, Vanished
from lanchat.network.interfaces import still
from lanchat.protocol.address import Address

if TYPE_CHECKING:
    from zeroconf import ServiceInfo, Zeroconf

MAX_WAITING = 4096  # names to be looked up; a flood loses what is beyond
MAX_KNOWN = 2048  # names that are reported again
REPORT_AGAIN_AFTER = 5.0  # s
_REPORTED_AT_ONCE = 50  # names between two looks at what is new
_TOO_MANY = "Too many rooms are announced here to look at them all. If yours is missing, join it by its address."
LOOKUP_LIMIT = 1.0  # s for one name
FOLLOW_EVERY = 4.0  # s between two looks at our own addresses; when they change, everything starts over
REGISTER_LIMIT = 15.0  # s; the standard makes it take 1.65 (RFC 6762, 8.1 and 8.3)

_log = logging.getLogger(__name__)


class _MdnsThread(LoopThread["Zeroconf"]):
    """The thread of a registration or a browser."""

    def __init__(self, name: str, addresses: Sequence[Address] | None, on_problem: OnProblem) -> None:
        super().__init__(name, on_problem)
        self._addresses = addresses
        self._opened_on: set[str] = set()  # our addresses when zeroconf was opened
        self._ended = threading.Event()

    def _wake(self) -> None:
        self._ended.set()

    def _should_restart(self) -> bool:
        """Whether an interface came, left or changed its address: the old sockets neither send nor receive there."""
        while not self._ended.wait(0.0 if self._has_moved() else FOLLOW_EVERY):
            if self._has_moved():
                return True
        return False

    def _has_moved(self) -> bool:
        return _ipv4(self._addresses) != self._opened_on

    def _open(self) -> "Zeroconf":
        """Open zeroconf on the wanted addresses, or on fewer of them, with a report, if that fails."""
        from zeroconf import InterfaceChoice, IPVersion, Zeroconf

        self._opened_on = _ipv4(self._addresses)
        attempts: list[InterfaceChoice | list[str]]
        if self._addresses is None:
            attempts = [InterfaceChoice.All, InterfaceChoice.Default]
        else:
            wanted = self._usable(self._addresses)
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
                works_on = choice[0] if isinstance(choice, list) else "the default interface"
                self._on_problem(f"mDNS works on {works_on} only ({describe_error(failure)}).")
            return zeroconf
        assert failure is not None
        raise failure

    def _usable(self, addresses: Sequence[Address]) -> list[str]:
        """Those that this machine has now. With any other, Zeroconf fails and forgets to close a socket."""
        wanted = [address for address in addresses if address.version == 4]
        here = [address for address in still(addresses) if address.version == 4]
        if not wanted and not here:
            raise OSError("the chosen interface has no IPv4 address")
        if not here:
            raise OSError(f"this machine no longer has the address {', '.join(address.text for address in wanted)}")
        working = {address.interface for address in here}
        if missing := [address.text for address in wanted if address.interface not in working]:
            works_on = ", ".join(address.text for address in here)
            self._on_problem(f"mDNS works on {works_on} only (this machine no longer has {', '.join(missing)}).")
        return [address.text for address in here]


class Registration(_MdnsThread):
    """Advertises a room until `close`. What goes wrong is reported and never raised into the host.

    Args:
        addresses: our own addresses on the networks to advertise on; None for all.
        on_problem: called from a thread of the registration.

    Raises:
        RuntimeError: this process has no thread left.
    """

    def __init__(
        self, advertisement: Advertisement, addresses: Sequence[Address] | None, on_problem: OnProblem
    ) -> None:
        super().__init__("mdns-register", addresses, on_problem)
        self._advertisement = advertisement
        self._registered = threading.Event()
        self._thread.start()

    def wait_registered(self, timeout: float) -> bool:
        """Wait until the room is advertised, which takes about 1.7 s.

        Returns:
            Whether it is, at the latest after `timeout` seconds.
        """
        return self._registered.wait(timeout)

    def _work(self, opened: "Zeroconf") -> None:
        from zeroconf import NonUniqueNameException

        try:
            self._await(opened, self._register(opened, self._info()), REGISTER_LIMIT)
        except NonUniqueNameException:  # its message is empty
            raise RuntimeError("somebody on this network announces this very room already") from None
        self._registered.set()
        while not self._ended.wait(FOLLOW_EVERY) and not self._has_moved():
            pass

    async def _register(self, zeroconf: "Zeroconf", info: "ServiceInfo") -> None:
        await (await zeroconf.async_register_service(info))

    def _info(self) -> "ServiceInfo":
        from zeroconf import ServiceInfo

        usable = [address for address in still(self._addresses) if address.version == 4]
        others = [address.text for address in usable if not address.is_loopback]
        return ServiceInfo(
            SERVICE,
            instance_name(self._advertisement),
            port=self._advertisement.port,
            properties=properties(self._advertisement),
            server=f"lanchat-{self._advertisement.room_id[:16]}.local.",
            parsed_addresses=others or [a.text for a in usable],  # to other machines loopback means themselves
        )

    def _problem(self, why: str) -> str:
        return f"This room is not announced over mDNS ({why}). Others can join it by its address."


class Browser(_MdnsThread):
    """Watches the network for rooms until `close`.

    Args:
        addresses: our own addresses on the networks to search; None for all.
        report: called from a thread of the browser.
        on_problem: called from a thread of the browser.

    Raises:
        RuntimeError: this process has no thread left.
    """

    def __init__(self, addresses: Sequence[Address] | None, report: Report, on_problem: OnProblem) -> None:
        super().__init__("mdns-browse", addresses, on_problem)
        self._report = report
        self._names: queue.Queue[tuple[str, bool] | None] = queue.Queue(MAX_WAITING)
        self._thread.start()

    def _work(self, opened: "Zeroconf") -> None:
        from zeroconf import ServiceBrowser, ServiceStateChange

        def changed(zeroconf: "Zeroconf", service_type: str, name: str, state_change: ServiceStateChange) -> None:
            try:
                self._names.put_nowait((name, state_change is not ServiceStateChange.Removed))
            except queue.Full:
                _log.debug("too many mDNS names at once")
                self._on_problem(_TOO_MANY)

        browser = ServiceBrowser(opened, SERVICE, handlers=[changed])
        try:
            self._follow(opened)
        finally:
            browser.cancel()

    def _follow(self, zeroconf: "Zeroconf") -> None:
        """Look up each name that is found: at once if its record came along, otherwise when nothing else waits.

        Known rooms are reported again from time to time, because in a flood the directory may have had no space.
        """
        later: deque[str] = deque(maxlen=MAX_KNOWN)
        known: OrderedDict[str, float] = OrderedDict()  # the names that exist, and when each was reported last
        look_at = time.monotonic() + FOLLOW_EVERY
        while not self._closing:
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + FOLLOW_EVERY
                if self._has_moved():
                    for name in known:
                        self._report(Vanished(VIA_MDNS, name))
                    return
            try:
                item = self._names.get(timeout=0.0 if later else REPORT_AGAIN_AFTER / 10)
            except queue.Empty:
                if later:
                    self._look_up(zeroconf, later.popleft(), ask=True)
                self._report_again(zeroconf, known)
                continue
            if item is None:
                continue
            name, exists = item
            if not exists:
                known.pop(name, None)
                self._report(Vanished(VIA_MDNS, name))
                continue
            if len(known) < MAX_KNOWN:
                known[name] = time.monotonic()
            else:
                self._on_problem(_TOO_MANY)
            if not self._look_up(zeroconf, name, ask=False) and name not in later:
                later.append(name)

    def _report_again(self, zeroconf: "Zeroconf", known: "OrderedDict[str, float]") -> None:
        now = time.monotonic()
        for name, reported_at in list(islice(known.items(), _REPORTED_AT_ONCE)):
            if now - reported_at < REPORT_AGAIN_AFTER:
                return
            known[name] = now
            known.move_to_end(name)
            self._look_up(zeroconf, name, ask=False)

    def _look_up(self, zeroconf: "Zeroconf", name: str, *, ask: bool) -> bool:
        """Report the record of this name.

        Args:
            ask: ask the network for what is missing, which takes up to LOOKUP_LIMIT.

        Returns:
            Whether nothing is left to ask for.
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
        except Exception as error:  # BadTypeInNameException and others: a stranger's record must not end the browser
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
            pass  # then the thread does not wait

    def _problem(self, why: str) -> str:
        return f"mDNS does not work here ({why}). Join by the address that the host's screen shows."


def _ipv4(addresses: Sequence[Address] | None) -> set[str]:
    return {address.text for address in still(addresses) if address.version == 4}
