"""Bytes that may wait: a second way to send, for bulk data, whose pace is the peer's.

`Link.send` never waits, because one slow member must not hold up the others; so a peer that is far behind is dropped.
A file has a link and a thread of its own, and there it is right to wait.
"""

import os
import socket
import sys
import threading
import time
from collections.abc import Iterable

from lanchat.network.link import Link
from lanchat.network.sockets import writable

BULK_BUFFER = 4 * 1024 * 1024  # bytes that the kernel may take for one link, as far as the system lets it
PIECE = 64 * 1024  # bytes of an answer that are sent at once, after which the peer has to have read them
_NICENESS = 5  # more, of a thread that moves bulk data, so that those who talk go first

_LOOK_AGAIN = 0.25  # s; a link that another thread has closed wakes nobody


def begin_bulk(link: Link) -> None:
    """From here on this link carries bulk data. For its reader thread, which lets all others go first from now on."""
    with socket.fromfd(link.fileno(), socket.AF_INET, socket.SOCK_STREAM) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BULK_BUFFER)
    if sys.platform == "linux":  # elsewhere it would be the whole process
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS)


def send_wait(link: Link, plain: bytes, timeout: float | None = None) -> bool:
    """Send these bytes, and wait until the kernel has taken them and all that were sent before. No bytes: only wait.
    This is back-pressure: who sends a file goes on at the pace of its peer.

    Args:
        timeout: s to wait at most; None: as long as the peer reads at all, see `Timing.stall`.

    Returns:
        Whether that is so; False when the time is over or the link has ended.
    """
    end = None if timeout is None else time.monotonic() + timeout
    link.send(plain, watched=False)  # else two threads would wait for the same socket
    while link.flush():
        left = _LOOK_AGAIN if end is None else min(_LOOK_AGAIN, end - time.monotonic())
        if left <= 0:
            return False
        try:
            writable(link, left)
        except (OSError, ValueError):  # another thread has closed it just now
            return False
    return not link.over


def send_pieces(link: Link, pieces: Iterable[bytes]) -> None:
    """Send a long answer while it is made, and drop a peer that does not read what it has asked for."""
    data = b""
    for piece in pieces:
        data += piece
        if len(data) > PIECE:
            if not send_wait(link, data):
                link.drop("slow", "reads too slowly")
                return
            data = b""
    link.send(data)
