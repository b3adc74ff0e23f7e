"""Handing a room over to a standby, step by step. Owned by the hub thread.

1. From the first moment on, nothing is numbered any more: what comes in is held back.
2. Once the standby has all that the host has, it gets `Promote` and begins its term.
3. It answers `Promoted`. Then everybody is told where to go, and this host is none any more.

A standby that does not do its part in time leaves everything as it was, and what was held back goes on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lanchat.protocol.messages import FromMember
from lanchat.protocol.standby import StandbyMessage
from lanchat.server.session import Item, JoinRequest, LinkEnded, LogTrouble, Received, Session, Stop, Stored

Done = Callable[[str], None]


@dataclass(eq=False)
class Handover:
    """One try.

    Args:
        index: of the standby.
        session: over which it follows; None: it hosts already.
        until: s, by the host's clock, when the step of now has failed.
        done: called in the hub's thread with "", or with a sentence that says why the room stays here.
        stage: "over": the room is hosted elsewhere.
        lost: the link of the standby has ended.
    """

    index: int
    session: Session | None
    until: float
    done: Done
    stage: Literal["filling", "asked", "over"] = "filling"
    held: list[Item] = field(default_factory=list)
    lost: bool = False

    def admit(self, item: Item) -> Sequence[Item]:
        """The part of this item that is handled now. The rest waits until the room is here or there for certain.

        The log goes on to report, and the standby to answer; what its person says waits as well. Once it is over, only
        newcomers hear where the room is.
        """
        match item:
            case _ if self.stage == "over":
                return [item] if isinstance(item, JoinRequest | Stop) else []
            case Stored() | LogTrouble():
                return [item]
            case Received(session, messages, said_before) if session is self.session:
                answers: list[FromMember] = [message for message in messages if isinstance(message, StandbyMessage)]
                others: list[FromMember] = [message for message in messages if not isinstance(message, StandbyMessage)]
                if others:
                    self.held.append(Received(session, others, said_before))
                return [Received(session, answers)]
            case _:
                self.lost = self.lost or (isinstance(item, LinkEnded) and item.session is self.session)
                self.held.append(item)
                return []

    def release(self) -> Sequence[Item]:
        """What was held back, for a room that stays; of one that is elsewhere, the newcomers, who hear where it is."""
        held, self.held = self.held, []
        return [item for item in held if isinstance(item, JoinRequest)] if self.stage == "over" else held
