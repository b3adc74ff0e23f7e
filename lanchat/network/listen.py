"""Listening sockets."""

import errno
import os
import socket

from lanchat.errors import LanchatError
from lanchat.protocol.address import DEFAULT_PORT

PORT_TRIES = 100  # ports that are tried to find a free one, and so the rooms that fit on one machine
BACKLOG = 1024  # connections; a backlog of 5 lost 800 of 1000 that came at once (measured)

_TAKEN = {errno.EADDRINUSE, errno.EACCES}


def listen(addresses: list[str] | None, port: int | None) -> list[socket.socket]:
    """Listen on these addresses (None: on all, IPv4 and IPv6), with the same port on each.

    Args:
        port: None for DEFAULT_PORT or the next free one, 0 for any.

    Raises:
        LanchatError: the port is taken, or the address cannot be used.
    """
    listeners = _listen_somewhere(addresses, port)
    for listener in listeners:
        listener.setblocking(False)  # a peer may go away between select() and accept(); accept() would block then
    return listeners


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


def _listen_somewhere(addresses: list[str] | None, port: int | None) -> list[socket.socket]:
    if port is not None:
        try:
            return _listen_all(addresses, port)
        except OSError as error:
            if error.errno in _TAKEN:
                raise LanchatError(
                    f"Port {port} is in use or not allowed.", "Choose another, or leave the port out to get a free one."
                ) from None
            raise _unusable(addresses, error) from None
    for candidate in range(DEFAULT_PORT, DEFAULT_PORT + PORT_TRIES):
        try:
            return _listen_all(addresses, candidate)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise _unusable(addresses, error) from None
    raise LanchatError(
        f"No port is free between {DEFAULT_PORT} and {DEFAULT_PORT + PORT_TRIES - 1}.", "Choose one with --port."
    )


def _listen_all(addresses: list[str] | None, port: int) -> list[socket.socket]:
    if addresses is None:
        return [_listen_everywhere(port)]
    listeners: list[socket.socket] = []
    try:
        for address in addresses:
            info = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0]
            listener = socket.create_server(info[4], family=info[0], backlog=BACKLOG)
            listeners.append(listener)
            port = listener.getsockname()[1]
    except OSError:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _listen_everywhere(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG)
        except OSError as error:
            if error.errno in _TAKEN:
                raise
    return socket.create_server(("", port), backlog=BACKLOG)  # IPv6 is switched off here


def _unusable(addresses: list[str] | None, error: OSError) -> LanchatError:
    where = ", ".join(addresses) if addresses else "this machine"
    what = f"Cannot listen on {where}: {error.strerror or error}."
    return LanchatError(what, "Give --interface a name or address of this machine.")
