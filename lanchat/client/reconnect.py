"""When and to whom a member comes back after a lost link. No threads, no sockets."""

import random
from collections.abc import Callable, Iterator

from lanchat import errors
from lanchat.client.connect import Accepted, Trust
from lanchat.protocol.messages import Card

FIRST_RETRY = 0.5  # s; doubled each time ...
LAST_RETRY = 15.0  # s; ... up to this


def pauses(patience: float | None = None, spread: Callable[[float, float], float] = random.uniform) -> Iterator[float]:
    """How long to wait before each try, in s, spread by half, so that no crowd comes at once.

    Args:
        patience: s of waiting in all; None: no end.
    """
    waited, pause = 0.0, FIRST_RETRY
    while patience is None or waited < patience:
        nap = pause * spread(0.5, 1.5)
        nap = nap if patience is None else min(nap, patience - waited)
        yield nap
        waited, pause = waited + nap, min(pause * 2, LAST_RETRY)


def may_come_back(error: errors.LanchatError) -> bool:
    """Whether it is worth trying again: after a lost link it is, after a "no" it is not."""
    match error:
        case errors.Refused(code=code):
            return code == "busy"
        case errors.RoomClosed():
            return False
        case _:
            return isinstance(error, errors.ConnectionLost | errors.NoSuchRoom | errors.ProtocolError)


def same_host(first: Accepted) -> Trust:
    """After the first time only this room on this key will do: a password is never tried on anybody else."""

    def check(card: Card, host_key: bytes) -> None:
        if host_key != first.host_key:
            raise errors.HostKeyChanged(
                "somebody with another key answers in the host's place", "ask the host whether it was set up again"
            )
        if card.room != first.card.room:
            raise errors.RoomClosed(f'the host has closed "{first.card.title}" and opened another room')

    return check
