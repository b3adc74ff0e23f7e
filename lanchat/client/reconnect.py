"""Reconnect policy: backoff, which errors are final, and which host will do. No threads, no sockets."""

import random
from collections.abc import Callable, Iterator

from lanchat import errors
from lanchat.client.connect import Trust
from lanchat.protocol.messages import Card
from lanchat.protocol.timing import DEFAULT_TIMING, Timing


def backoff(
    timing: Timing = DEFAULT_TIMING,
    patience: float | None = None,
    spread: Callable[[float, float], float] = random.uniform,
) -> Iterator[float]:
    """The pauses before each try, in s. They are randomised by half, so that members do not all reconnect at once.

    Args:
        patience: s of pauses in all; None: without end.
    """
    waited, pause = 0.0, timing.first_retry
    while patience is None or waited < patience:
        wait = pause * spread(0.5, 1.5)
        wait = wait if patience is None else min(wait, patience - waited)
        yield wait
        waited, pause = waited + wait, min(pause * 2, timing.last_retry)


def may_reconnect(error: errors.LanchatError) -> bool:
    """Whether to reconnect after this error: after a lost link yes, after a refusal no."""
    match error:
        case errors.Refused(code=code):
            return code == "busy"
        case errors.RoomClosed():
            return False
        case _:
            return isinstance(error, errors.ConnectionLost | errors.NoSuchRoom | errors.ProtocolError)


def same_host(first: Card, first_key: bytes) -> Trust:
    """Trust only the room and the key of the first connection, so that no other host gets a password attempt.

    Args:
        first_key: the raw public key that the host showed then.
    """

    def check(card: Card, host_key: bytes) -> None:
        if host_key != first_key:
            raise errors.HostKeyChanged(
                "The machine that answers now has another key than the host.",
                "Ask the host whether the room was set up again.",
            )
        if card.room != first.room:
            raise errors.RoomClosed(f'The host has closed "{first.title}" and opened another room.')

    return check
