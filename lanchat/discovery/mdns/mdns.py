"""Advertising and finding rooms over mDNS / DNS-SD. The door of `zeroconf`.

zeroconf runs an asyncio loop in a thread of its own. Each `Registration` and each `Browser` talks to it from one plain
thread: from zeroconf's callbacks or from another loop, it would skip its goodbyes or refuse to work. That thread also
imports zeroconf, when it needs it. What goes wrong here becomes one sentence for a person.
"""

import logging
import queue
import socket
import threading
import time
from collections import OrderedDict, deque
from itertools import islice
from typing import TYPE_CHECKING

from lanchat.discovery.mdns.loop_thread import LoopThread, describe_error
from lanchat.discovery.mdns.records import (
    SERVICE,
    VIA_MDNS,
    instance_name,
    properties,
    read_record,
    server_name,
)
from lanchat.discovery.sighting import Advertisement, OnProblem, Report, Vanished
from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.timing import DEFAULT_TIMING

if TYPE_CHECKING:
    from zeroconf import ServiceInfo, Zeroconf

MAX_WAITING = 4096  # names to be looked up; a flood loses what is beyond
MAX_KNOWN = 2048  # names that are reported again
REPORT_AGAIN_AFTER = 5.0  # s
_REPORTED_AT_ONCE = 50  # names that are reported again before new ones are looked at
_TOO_MANY = "Too many rooms are announced here to look at them all. If yours is missing, join it by its address."
LOOKUP_LIMIT = 1.0  # s for one name
FOLLOW_EVERY = DEFAULT_TIMING.own_addresses  # s; when our IPv4 addresses change, everything starts over
SETTLED = DEFAULT_TIMING.settled  # s without an IPv4 address, after which a person is told
RETRY_AFTER = 30.0  # s; the program that has the port may have ended
REGISTER_LIMIT = 15.0  # s; the standard makes it take 1.65 (RFC 6762, 8.1 and 8.3)

_log = logging.getLogger(__name__)


class _MdnsThread(LoopThread["Zeroconf"]):
    """The thread of a registration or a browser."""

    def __init__(self, name: str, on: OwnAddresses, on_problem: OnProblem) -> None:
        super().__init__(name, on_problem)
        self._on = on
        self._opened_on: list[str] = []  # our addresses when zeroconf was opened
        self._moved = False  # they have changed since
        self._ended = threading.Event()

    def _wake(self) -> None:
        self._ended.set()

    def _should_start(self) -> bool:
        """Wait for an IPv4 address: zeroconf is used with nothing else."""
        told_at = time.monotonic() + SETTLED
        while not self._ipv4():
            if time.monotonic() >= told_at and self._on.now():
                self._say(self._problem("this machine has no IPv4 address there"))
            if self._ended.wait(FOLLOW_EVERY):
                return False
        return True

    def _should_restart(self) -> bool:
        """Wait until an interface came, left or changed its address, because the old sockets neither send nor receive
        there; or until what has failed may be tried again."""
        again_at = time.monotonic() + RETRY_AFTER
        while not self._has_moved():
            if self._ended.wait(FOLLOW_EVERY):
                return False
            if self._reported and time.monotonic() >= again_at:
                break
        return True

    def _has_moved(self) -> bool:
        """Whether our addresses have changed, also if they are back: then zeroconf is being closed all the same."""
        self._moved = self._moved or set(self._ipv4()) != set(self._opened_on)
        return self._moved

    def _ipv4(self) -> list[str]:
        return [address.text for address in self._on.now() if address.version == 4]

    def _open(self) -> "Zeroconf":
        """Open zeroconf on the wanted addresses, or on fewer of them, with a report, if that fails."""
        from zeroconf import InterfaceChoice, IPVersion, Zeroconf

        self._opened_on, self._moved = self._ipv4(), False
        failure: Exception | None = None
        attempts: list[InterfaceChoice | list[str]] = [InterfaceChoice.All, InterfaceChoice.Default]
        if self._on.chosen:
            usable, failure = _usable(self._opened_on)
            attempts = [usable, *([text] for text in usable if len(usable) > 1)] if usable else []
        for choice in attempts:
            try:
                # Never on a running loop, such as that of prompt_toolkit.
                zeroconf = Zeroconf(interfaces=choice, ip_version=IPVersion.V4Only, use_asyncio=False)
            except (OSError, RuntimeError) as error:
                failure = failure or error
                continue
            if failure is not None:
                works_on = ", ".join(choice) if isinstance(choice, list) else "the default interface"
                self._say(f"mDNS works on {works_on} only ({describe_error(failure)}).")
            return zeroconf
        assert failure is not None
        raise failure


class Registration(_MdnsThread):
    """Advertises a room until `close`. What goes wrong is reported and never raised into the host.

    Args:
        on: our own addresses on the networks to advertise on.
        on_problem: called from a thread of the registration.

    Raises:
        RuntimeError: this process has no thread left.
    """

    def __init__(self, advertisement: Advertisement, on: OwnAddresses, on_problem: OnProblem) -> None:
        super().__init__("mdns-register", on, on_problem)
        self._advertisement = advertisement
        self._thread.start()

    def _work(self, opened: "Zeroconf") -> None:
        from zeroconf import NonUniqueNameException

        try:
            self._await(opened, self._register(opened, self._info()), REGISTER_LIMIT)
        except NonUniqueNameException:  # its message is empty
            raise RuntimeError("somebody on this network announces this very room already") from None
        self._take_back_problems()
        while not self._ended.wait(FOLLOW_EVERY) and not self._has_moved():
            pass

    async def _register(self, zeroconf: "Zeroconf", info: "ServiceInfo") -> None:
        await (await zeroconf.async_register_service(info))

    def _info(self) -> "ServiceInfo":
        from zeroconf import ServiceInfo

        others = [address.text for address in self._on.reachable() if address.version == 4]
        return ServiceInfo(
            SERVICE,
            instance_name(self._advertisement),
            port=self._advertisement.port,
            properties=properties(self._advertisement),
            server=server_name(self._advertisement),
            parsed_addresses=others or self._ipv4(),  # to other machines loopback means themselves
        )

    def _problem(self, why: str) -> str:
        return f"This room is not announced over mDNS ({why}). Others can join it by its address."


class Browser(_MdnsThread):
    """Watches the network for rooms until `close`.

    Args:
        on: our own addresses on the networks to search.
        report: called from a thread of the browser.
        on_problem: called from a thread of the browser.

    Raises:
        RuntimeError: this process has no thread left.
    """

    def __init__(self, on: OwnAddresses, report: Report, on_problem: OnProblem) -> None:
        super().__init__("mdns-browse", on, on_problem)
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
                self._say(_TOO_MANY)  # from zeroconf's thread; the sets that it uses need no lock

        browser = ServiceBrowser(opened, SERVICE, handlers=[changed])
        self._take_back_problems()
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
                self._say(_TOO_MANY)
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


def _usable(addresses: list[str]) -> tuple[list[str], OSError | None]:
    """The addresses that can be bound, and why the first of the others cannot.

    With an address that this machine has just lost, Zeroconf would fail and forget to close a socket.
    """
    usable, failure = [], None
    for address in addresses:
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.bind((address, 0))
        except OSError as error:
            failure = failure or error
        else:
            usable.append(address)
    return usable, failure
