"""What a chat socket needs on this platform: options, and waiting."""

import select
import socket

# bytes; a batch of a busy room fits. Without a limit the kernel alone hides 3.9 MB of a reader that never reads.
SEND_BUFFER = 128 * 1024
RECEIVE_SIZE = 64 * 1024  # bytes
SMALL_READ = 2 * 1024  # bytes to ask for when little comes: a reader holds the memory for a read while it waits for it
DONTWAIT = getattr(socket, "MSG_DONTWAIT", 0)  # Windows has none: there the socket is non-blocking


class ReadSize:
    """How much to ask for in the next read: little as long as little comes. Owned by a link's reader thread."""

    def __init__(self, least: int = SMALL_READ) -> None:
        self.size = self._least = least

    def got(self, size: int) -> None:
        """So much came."""
        if size == self.size:
            self.size = RECEIVE_SIZE
        elif size < self._least:
            self.size = self._least


def tune(sock: socket.socket) -> None:
    """Options of every chat socket, as far as this platform and this kind of socket have them.

    Keepalive finds a dead idle peer, TCP_USER_TIMEOUT one that owes an acknowledgement; neither finds the
    other's case (measured), and a frozen process is found by the heartbeat alone.
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


def receive(sock: socket.socket, size: int = RECEIVE_SIZE) -> bytes:
    """What has come, b"" at the end; waits. Raises OSError."""
    if DONTWAIT:
        return sock.recv(size)
    while True:
        readable(sock, None)
        try:
            return sock.recv(size)
        except BlockingIOError:
            continue


def readable(sock: socket.socket, timeout: float | None) -> bool:
    """Whether something comes within so many seconds; without a limit it waits."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))
    return bool(select.select([sock], [], [], timeout)[0])


def peer_name(sock: socket.socket) -> str:
    """The address of who is at the other end; "local" for a socket without a network, "?" where nobody is any more."""
    try:
        name = sock.getpeername()
    except OSError:
        return "?"
    return str(name[0]) if isinstance(name, tuple) else "local"


def describe_error(error: OSError) -> str:
    """What went wrong, in small letters, to stand in a sentence."""
    if isinstance(error, ConnectionError):
        return "the connection was lost"  # broken pipe, reset, aborted: as chance has it
    return (error.strerror or str(error)).lower()
