"""Handing a room over to a standby, step by step. Owned by the hub thread.

1. From the first moment on, nothing is numbered any more: what comes in is held back.
2. Once the standby has all that the host has, it gets `Promote` and begins its term.
3. It answers `Promoted`. Then everybody is told where to go, and this host is none any more.

A standby that does not do its part in time leaves everything as it was, and what was held back goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from lanchat.server.session import Item, LogTrouble, Received, Session, Stored

Done = Callable[[str], None]


@dataclass(eq=False)
class Handover:
    """One try.

    Args:
        index: of the standby.
        session: over which it follows.
        until: s, by the host's clock, when the step of now has failed.
        done: called in the hub's thread with "", or with a sentence that says why the room stays here.
        reply: the session that asked for it.
    """

    index: int
    session: Session
    until: float
    done: Done
    stage: Literal["filling", "asked", "over"] = "filling"
    held: list[Item] = field(default_factory=list)

    def holds(self, item: Item) -> bool:
        """Whether this item waits until the room is here or there for certain; it is kept then.

        The log goes on to report, and the standby to answer.
        """
        if isinstance(item, Stored | LogTrouble) or (isinstance(item, Received) and item.session is self.session):
            return False
        self.held.append(item)
        return True
