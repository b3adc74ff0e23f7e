"""Decides the time of a message that comes late, because its author was disconnected. Pure."""

from lanchat.protocol.limits import LATE_AFTER, LATE_AGE
from lanchat.protocol.messages import Say


def when_said(say: Say, now: int) -> tuple[int, bool]:
    """The time of a message, and whether it is late.

    Only a resend says when it was said first. A time in the future is ignored, and so is one longer ago than a message
    waits: a clock may be wrong, and nobody may insert a message into the distant past.

    Args:
        now: ms since 1970.
    """
    if say.again and say.at and LATE_AFTER < now - say.at <= LATE_AGE:
        return say.at, True
    return now, False
