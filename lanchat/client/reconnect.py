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
    """How long to wait before each try, in s, spread by half, so that a crowd does not come at once.

    Args:
        patience: s of waiting in all; None: no end.
    """
    waited, pause = 0.0, timing.first_retry
    while patience is None or waited < patience:
        wait = pause * spread(0.5, 1.5)
        wait = wait if patience is None else min(wait, patience - waited)
        yield wait
        waited, pause = waited + wait, min(pause * 2, timing.last_retry)


def may_reconnect(error: errors.LanchatError) -> bool:
    """Whether it is worth trying again: after a lost link it is, after a refusal it is not."""
    match error:
        case errors.Refused(code=code):
            return code == "busy"
        case errors.RoomClosed():
            return False
        case _:
            return isinstance(error, errors.ConnectionLost | errors.NoSuchRoom | errors.ProtocolError)


def same_host(first: Card, first_key: bytes) -> Trust:
    """After the first time only this room on this key will do: a password is never tried on anybody else.

    Args:
        first_key: the raw public key that the host showed at first.
    """

    def check(card: Card, host_key: bytes) -> None:
        if host_key != first_key:
            raise errors.HostKeyChanged(
                "The machine that answers now has another key than the host.",
                "Ask the host whether it was set up anew.",
            )
        if card.room != first.room:
            raise errors.RoomClosed(f'The host has closed "{first.title}" and opened another room.')

    return check
