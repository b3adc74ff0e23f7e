"""Listening sockets, which follow the addresses of this machine."""

import errno
import os
import socket
from collections.abc import Callable

from lanchat.errors import LanchatError
from lanchat.network.addresses import OwnAddresses
from lanchat.network.sockets import describe_error
from lanchat.protocol.address import DEFAULT_PORT, Address
from lanchat.threads import Closable

PORT_TRIES = 100  # ports that are tried to find a free one, and so the rooms that fit on one machine
BACKLOG = 1024  # connections; a backlog of 5 lost 800 of 1000 that came at once (measured)

_TAKEN = {errno.EADDRINUSE, errno.EACCES}


class Listeners(Closable):
    """Listening sockets with the same port on each of our own addresses. One thread at a time.

    Without a choice one socket listens on all addresses, those of later included. For chosen interfaces there is one
    for each address that can be listened on: an IPv6 address cannot for its first second or two (RFC 4862, 5.4), and an
    interface may get an address later. `follow` tries the rest again.

    Args:
        port: None for `first` or the next free one, 0 for any.
        first: None for DEFAULT_PORT.

    Raises:
        LanchatError: the port is taken, or this machine cannot listen.
    """

    def __init__(self, own: OwnAddresses, port: int | None, first: int | None = None) -> None:
        self._own = own
        self._listening: dict[tuple[str, int], socket.socket] = {}  # by address and number of the interface
        self.missing: dict[str, str] = {}  # addresses that cannot be listened on, and why
        self.port = self._open_first(port, DEFAULT_PORT if first is None else first)

    @property
    def sockets(self) -> list[socket.socket]:
        return list(self._listening.values())

    def follow(self, opened: Callable[[socket.socket], object], closed: Callable[[socket.socket], object]) -> None:
        """Listen on the addresses of now. Does nothing without a choice.

        Args:
            opened: called with each new socket.
            closed: called with each socket whose address is gone, before it is closed.
        """
        if not self._own.chosen:
            return
        wanted = {(address.text, address.scope): address for address in self._own.all()}
        for key in self._listening.keys() - wanted.keys():
            closed(self._listening[key])
            self._listening.pop(key).close()
        missing = {}
        for key, address in wanted.items():
            if key not in self._listening:
                try:
                    self._listening[key] = listener = _listen_at(address, self.port)
                except OSError as error:
                    missing[address.text] = _why(error)
                else:
                    opened(listener)
        self.missing = missing  # in one step, because other threads look at it

    def close(self) -> None:
        """May be called twice."""
        for listener in self._listening.values():
            listener.close()
        self._listening.clear()

    def _open_first(self, port: int | None, first: int) -> int:
        """Open the first sockets, and find a free port for them.

        Returns:
            The port.
        """
        if port is not None:
            try:
                return self._open_all(port)
            except OSError as error:
                if error.errno in _TAKEN:
                    raise LanchatError(
                        f"Port {port} is in use or not allowed.",
                        "Choose another, or leave the port out to get a free one.",
                    ) from None
                raise _unusable(error) from None
        for candidate in range(first, first + PORT_TRIES):
            try:
                return self._open_all(candidate)
            except OSError as error:
                if error.errno not in _TAKEN:
                    raise _unusable(error) from None
        raise LanchatError(f"No port is free between {first} and {first + PORT_TRIES - 1}.", "Choose one with --port.")

    def _open_all(self, port: int) -> int:
        """Listen at this port wherever that is possible; 0 for any port.

        Returns:
            The port.

        Raises:
            OSError: the port is taken at one of the addresses, or this machine cannot listen at all.
        """
        try:
            if not self._own.chosen:
                self._listening["", 0] = listener = _listen_everywhere(port)
                return _port_of(listener)
            for address in self._own.all():
                try:
                    listener = _listen_at(address, port)
                except OSError as error:
                    if error.errno in _TAKEN:
                        raise
                    self.missing[address.text] = _why(error)
                else:
                    port = _port_of(listener)
                    self._listening[address.text, address.scope] = listener
            if not self._listening:  # there is no address yet: only find a port
                with socket.create_server(("127.0.0.1", port)) as probe:
                    port = _port_of(probe)
        except OSError:
            self.close()
            raise
        return port


class Spare:
    """A spare descriptor for the time when this process has no other left. Accept thread only.

    Without it a new connection could be neither accepted nor closed, and accept() would fail 200,000 times a second.
    """

    def __init__(self) -> None:
        self._file = os.open(os.devnull, os.O_RDONLY)

    def send_away(self, listener: socket.socket) -> None:
        """Accept the next connection and close it at once.

        Raises:
            OSError: another thread has taken the descriptor; wait before the next try.
        """
        self.close()
        try:
            listener.accept()[0].close()
        finally:
            self._file = os.open(os.devnull, os.O_RDONLY)

    def close(self) -> None:
        """Close the spare descriptor. May be called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _listen_at(address: Address, port: int) -> socket.socket:
    """The socket never blocks: a peer may go away between select() and accept(); accept() would wait then."""
    info = socket.getaddrinfo(address.text, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0]
    listener = socket.create_server(info[4], family=info[0], backlog=BACKLOG)
    listener.setblocking(False)
    return listener


def _listen_everywhere(port: int) -> socket.socket:
    listener = None
    if socket.has_dualstack_ipv6():
        try:
            listener = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG)
        except OSError as error:
            if error.errno in _TAKEN:
                raise
    listener = listener or socket.create_server(("", port), backlog=BACKLOG)  # IPv6 is switched off here
    listener.setblocking(False)
    return listener


def _port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def _unusable(error: OSError) -> LanchatError:
    return LanchatError(f"This machine cannot listen for connections: {_why(error)}.")


def _why(error: OSError) -> str:
    return describe_error(error).partition(" (while ")[0]  # Python adds what it attempted
