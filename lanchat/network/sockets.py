"""Chat sockets on this platform: options, waiting, and error texts."""

import select
import socket
import struct
import sys
from typing import Protocol

# bytes; a batch of a busy room fits. Without a limit the kernel alone takes 3.9 MB for a peer that never reads.
SEND_BUFFER = 128 * 1024
RECEIVE_SIZE = 64 * 1024  # bytes
SMALL_READ = 1024  # bytes to ask for while little comes, because a waiting reader holds that much memory
DONTWAIT = getattr(socket, "MSG_DONTWAIT", 0)  # Windows has no such flag: there the socket is non-blocking


class ReadSize:
    """The number of bytes to ask for in the next read: few while few come. Owned by a link's reader thread."""

    def __init__(self, least: int = SMALL_READ, most: int = RECEIVE_SIZE) -> None:
        self.size = self._least = least
        self._most = most

    def got(self, size: int) -> None:
        """Note that the last read returned this many bytes."""
        if size == self.size:
            self.size = self._most
        elif size < self._least:
            self.size = self._least


def tune(sock: socket.socket) -> None:
    """Set the options of a chat socket, as far as this platform and this kind of socket have them.

    TCP keepalive detects a dead peer that is idle, TCP_USER_TIMEOUT one that owes an acknowledgement. Neither detects
    the other's case (measured), and only our own pings detect a frozen process.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # we batch ourselves; Nagle adds 30 ms at p99
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", 10),  # s
        ("TCP_KEEPALIVE", 10),  # s, the same on macOS
        ("TCP_KEEPINTVL", 5),  # s
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", 20_000),  # ms
    ):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def receive(sock: socket.socket, size: int = RECEIVE_SIZE, flags: int = 0) -> bytes:
    """Read the bytes that have come; b"" at the end. Waits, but see `wait_at_most`. Raises OSError."""
    if DONTWAIT:
        return sock.recv(size, flags)
    while True:
        readable(sock, None)
        try:
            return sock.recv(size)
        except BlockingIOError:
            continue


def discard(sock: socket.socket, most: int) -> None:
    """Read and throw away until the other end closes, or about `most` bytes have come. Waits."""
    while most > 0:
        try:
            data = receive(sock)
        except BlockingIOError:  # see `wait_at_most`
            continue
        except OSError:
            return
        if not data:
            return
        most -= len(data)


def wait_at_most(sock: socket.socket, seconds: float) -> None:
    """From now on a read that has waited for so long ends with BlockingIOError, at no cost of its own. Linux only."""
    whole, rest = int(seconds), int(seconds % 1 * 1_000_000)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", whole, rest))
    except OSError:  # a system of 32 bits whose time has 64
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@qq", whole, rest))


class HasDescriptor(Protocol):
    """A socket, or what stands for one."""

    def fileno(self) -> int: ...


def readable(sock: HasDescriptor, timeout: float | None) -> bool:
    """Whether something arrives within `timeout` seconds; None waits without a limit."""
    if sys.platform != "win32":  # select() cannot hold a descriptor above 1023
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))
    return bool(select.select([sock], [], [], timeout)[0])


def writable(sock: HasDescriptor, timeout: float) -> bool:
    """Whether the kernel takes bytes, or the socket is at its end, within `timeout` seconds."""
    if sys.platform != "win32":
        poll = select.poll()
        poll.register(sock, select.POLLOUT)
        return bool(poll.poll(timeout * 1000))
    return bool(select.select([], [sock], [], timeout)[1])


def peer_name(sock: socket.socket) -> str:
    """The address at the other end; "local" for a socket without a network, "?" if the peer is gone."""
    try:
        name = sock.getpeername()
    except OSError:
        return "?"
    return str(name[0]) if isinstance(name, tuple) else "local"


def numeric(address: str) -> bytes:
    """An IP address for `getaddrinfo`, which for a str loads the table of international names: that takes 5 ms.

    Raises:
        UnicodeError: this is no address.
    """
    return address.encode("ascii")


def local_end(sock: socket.socket) -> tuple[str, int]:
    """Our own address and port of a connection, an IPv4 address as such; ("", 0) for a socket without a network."""
    try:
        name = sock.getsockname()
    except OSError:
        return "", 0
    return (str(name[0]).removeprefix("::ffff:"), int(name[1])) if isinstance(name, tuple) else ("", 0)


def describe_error(error: OSError) -> str:
    """The error as a part of a sentence, in lower case."""
    if isinstance(error, ConnectionError):
        return "the connection was lost"  # broken pipe, reset or aborted: which one is a matter of timing
    return (error.strerror or str(error)).lower()
