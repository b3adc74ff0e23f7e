"""The addresses of this machine, as they are now: the one place that a node asks for them.

    interfaces.py (the system)  -->  OwnAddresses  -->  listeners, announcements, searches, invites, screen, doctor

Interfaces come, go and change their addresses while a room is open. So nobody keeps a list of addresses: each holds the
same `OwnAddresses`, asks it again every second, and follows.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence

from lanchat.errors import LanchatError
from lanchat.network.interfaces import interface_names, is_up, kind_of, read_addresses
from lanchat.network.reach import choose, is_named, ordered, reachable
from lanchat.protocol.address import Address

READ_AGAIN = 0.5  # s that an answer of the system is good for; several threads of a node ask every second

_log = logging.getLogger(__name__)


class OwnAddresses:
    """The addresses of this machine on the interfaces that a node uses. Any thread.

    Args:
        wanted: interfaces as a person names them, by name or address; none: all.
        read: gives all addresses of this machine.
        read_again: s that its answer is good for.

    Raises:
        LanchatError: this machine has no such interface or address.
        OSError: this process has no file descriptors left.
    """

    def __init__(
        self,
        wanted: Sequence[str] = (),
        read: Callable[[], list[Address]] = read_addresses,
        read_again: float = READ_AGAIN,
    ) -> None:
        self._read = read
        self._read_again = read_again
        self._lock = threading.Lock()  # guards the two below
        self._known = ordered(read())
        self._known_at = time.monotonic()
        self._wanted = {word: _interface_of(word, self._known) for word in wanted}

    @property
    def chosen(self) -> bool:
        """Whether a person has chosen interfaces."""
        return bool(self._wanted)

    def all(self) -> list[Address]:
        """Every address, those that most people can use first; also of an interface that is switched off or has no
        link."""
        with self._lock:
            if time.monotonic() >= self._known_at + self._read_again:
                self._known_at = time.monotonic()
                try:
                    self._known = ordered(self._read())
                except OSError as error:  # this process has no descriptor left
                    _log.warning("cannot read our own addresses: %s", error)
            known = self._known
        return choose(known, self._wanted) if self._wanted else list(known)

    def now(self) -> list[Address]:
        """The addresses of the interfaces that work, in the same order."""
        return [address for address in self.all() if address.up]

    def reachable(self) -> list[Address]:
        """The addresses to tell others, in this order; none if no other machine can reach this one."""
        return reachable(self.now(), chosen=self.chosen)

    def trouble(self) -> str:
        """Why no other machine can reach this one, as a sentence; empty if others can."""
        if self.reachable():
            return ""
        if self._wanted:
            names = ", ".join(dict.fromkeys(self._wanted.values()))
            return f"This machine has no network on {names}."
        waiting = [name for name in interface_names() if kind_of(name) == "network" and is_up(name)]
        if waiting:
            return f"This machine has no address on {', '.join(waiting)} yet."
        return "This machine has no network."


def where(interfaces: tuple[str, ...] | None = None) -> OwnAddresses:
    """Where to listen, announce and look.

    Args:
        interfaces: names or addresses, perhaps several in one word, separated by commas; None: what LANCHAT_INTERFACE
            says.

    Raises:
        LanchatError: this machine has no such interface.
    """
    if interfaces is None:
        interfaces = (os.environ.get("LANCHAT_INTERFACE", ""),)
    return OwnAddresses([name for given in interfaces for part in given.split(",") if (name := part.strip())])


def _interface_of(word: str, addresses: Sequence[Address]) -> str:
    """The interface that a person means by this word; it may have no address yet.

    Raises:
        LanchatError: no interface has this name or address.
    """
    for address in addresses:
        if is_named(address, word):
            return address.interface
    names = dict.fromkeys([*(address.interface for address in addresses), *interface_names()])
    if word in names:
        return word
    raise LanchatError(f'This machine has no interface or address "{word}".', f"It has: {', '.join(names) or 'none'}")
