"""Bytes that may wait: a second way to send, for bulk data, whose pace is the peer's.

`Link.send` never waits, because one slow member must not hold up the others; so a peer that is far behind is dropped.
A file has a link and a thread of its own, and there it is right to wait.
"""

import time

from lanchat.network.link import Link
from lanchat.network.sockets import writable

_LOOK_AGAIN = 0.25  # s; a link that another thread has closed wakes nobody


def send_wait(link: Link, plain: bytes, timeout: float | None = None) -> bool:
    """Send these bytes, and wait until the kernel has taken them and all that were sent before. No bytes: only wait.

    Args:
        timeout: s to wait at most; None: as long as the peer reads at all, see `Timing.stall`.

    Returns:
        Whether that is so; False when the time is over or the link has ended.
    """
    end = None if timeout is None else time.monotonic() + timeout
    link.send(plain)
    while link.flush():
        left = _LOOK_AGAIN if end is None else min(_LOOK_AGAIN, end - time.monotonic())
        if left <= 0:
            return False
        try:
            writable(link, left)
        except (OSError, ValueError):  # another thread has closed it just now
            return False
    return not link.over
