"""Handing a room over to a standby, step by step. Owned by the hub thread.

1. From the beginning of the handover on, nothing is numbered: what comes in is held back.
2. Once the standby has all that the host has, it gets `Promote` and begins its term.
3. The standby answers `Promoted`. Then everybody is told where to go, and this computer is no longer the host.

If the standby does not do its part in time, the room stays here, and what was held back is handled.
"""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lanchat.errors import ProtocolError
from lanchat.protocol.guest_ports import GuestPorts, Onward
from lanchat.protocol.messages import Closing, FromMember
from lanchat.protocol.standby import Promote, Promoted, StandbyMessage
from lanchat.protocol.timing import Timing
from lanchat.room.room import Room
from lanchat.server.batch import Batch
from lanchat.server.followers import Followers
from lanchat.server.items import (
    CloseRoom,
    HandOver,
    Item,
    JoinRequest,
    LinkEnded,
    LogStored,
    LogTrouble,
    Received,
    Stop,
)
from lanchat.server.replication import DiskPosition, Replication
from lanchat.server.session import Session
from lanchat.server.sessions import Sessions
from lanchat.server.term import Standing

Done = Callable[[str], None]

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Handover:
    """One attempt to hand the room over.

    Args:
        index: of the standby.
        session: of the standby, which follows over it; None: that computer hosts the room already.
        until: s, by the host's clock, when the current step counts as failed.
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
        """The part of this item that is handled now. The rest waits until it is certain which computer hosts the room.

        The log goes on to report, and the standby to answer; what its person says waits as well. Once it is over, only
        newcomers hear where the room is.
        """
        match item:
            case _ if self.stage == "over":
                return [item] if isinstance(item, JoinRequest | Stop) else []
            case LogStored() | LogTrouble():
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
        """The items that were held back. Of a room that has moved only those of newcomers, who are told where it is."""
        held, self.held = self.held, []
        return [item for item in held if isinstance(item, JoinRequest)] if self.stage == "over" else held


class Handovers:
    """The handovers of one host, one at a time, and its yielding to another host. Owned by the hub thread.

    Args:
        clock: s.
        yielded: called once the room is hosted elsewhere; never waits.

    Attributes:
        successor: the nick of the next host's person, once the room has moved.
    """

    def __init__(
        self,
        standing: Standing,
        room: Room,
        sessions: Sessions,
        followers: Followers,
        replication: Replication,
        timing: Timing,
        clock: Callable[[], float],
        yielded: Callable[[], None],
    ) -> None:
        self.successor = ""
        self._standing, self._room, self._sessions = standing, room, sessions
        self._followers, self._replication = followers, replication
        self._timing, self._clock, self._yielded = timing, clock, yielded
        self._handover: Handover | None = None  # meanwhile no event may be numbered

    @property
    def frozen(self) -> bool:
        """Whether no event may be numbered now."""
        return self._handover is not None

    @property
    def over(self) -> bool:
        """Whether the room is hosted elsewhere."""
        return self._handover is not None and self._handover.stage == "over"

    @property
    def was_apart(self) -> bool:
        """Whether the new host took the room without this one's help: each of the two may have what the other lacks."""
        return self._handover is not None and self._handover.session is None

    def begin(self, item: HandOver) -> None:
        """Begin to hand the room over."""
        index = self._replication.sync if item.index is None else item.index
        session = self._followers.session(index)
        if self._handover is not None:
            item.done("The room is being handed over already.")
        elif session is None:
            item.done("Nobody can take over now." if item.index is None else "That computer is not connected.")
        elif not self._replication.is_ready(index):
            item.done("That computer does not have all of the room yet.")
        else:
            self._handover = Handover(index, session, self._clock() + self._timing.sync_wait, item.done)

    def yield_to(self, index: int) -> None:
        """Send everybody to another host."""
        if self._handover is not None:
            return  # a handover is under way; if it fails, the watch calls this again
        self._handover = Handover(index, None, math.inf, lambda why: None, "over")
        self.successor = self._standing.nick(index)
        self._sessions.closing = Closing("moved", f"{self.successor or 'Another computer'} hosts the room, too.", index)
        self._yielded()

    def admit(self, items: Sequence[Item]) -> Sequence[Item]:
        """The items of these that are handled now. The others are held back."""
        handover = self._handover
        if handover is None:
            return items
        if handover.stage != "over" and any(isinstance(item, CloseRoom) for item in items):
            return [*self._end(handover, "The room closes."), *items]
        return [part for item in items for part in handover.admit(item)]

    def go_on(self, everything: DiskPosition, rev: int, batch: Batch) -> Sequence[Item]:
        """Take the next step, if it is due. Returns items that were held back and are handled now.

        Args:
            everything: the position of the last event and private message that this host has numbered.
            rev: the revision of the rules.
        """
        handover = self._handover
        if handover is None:
            return ()
        if handover.stage == "over":
            return handover.release()
        session, now = handover.session, self._clock()
        if session is None or handover.lost or self._followers.session(handover.index) is not session:
            return self._end(handover, "The link to that computer is lost.")
        if (
            handover.stage == "filling"
            and not batch.records
            and self._replication.has(everything)
            and self._followers.has(handover.index, everything, rev)
        ):
            handover.stage, handover.until = "asked", now + self._timing.promotion
            self._sessions.send(session, Promote(*everything, rev), batch)
        if now >= handover.until:
            return self._end(handover, "That computer has not taken over in time.")
        return ()

    def promoted(self, session: Session, message: Promoted) -> None:
        """A standby says that its term has begun, and sends the record of that term."""
        handover = self._handover
        if handover is None or handover.session is not session or handover.stage != "asked":
            return
        key = session.member.key if session.member is not None else b""
        try:
            self._standing.check_successor(message.term, key)
        except ProtocolError as error:
            _log.warning("not handed over: %s", error)
            return  # the time runs out
        nick, host = self._standing.nick(handover.index), self._room.host_nick
        text = f"{host or 'The host'} has handed the room to {nick or 'another computer'}."
        self._sessions.closing = Closing("moved", text, handover.index)
        ports = GuestPorts(message.plain or None, message.irc or None, message.irc_tls or None)
        self._sessions.onward = Onward(self._standing.address(handover.index), ports)
        handover.stage, self.successor = "over", nick
        handover.done("")
        self._yielded()

    def _end(self, handover: Handover, why: str) -> Sequence[Item]:
        """End the handover; the room stays here. Returns what was held back."""
        self._handover = None
        _log.info("not handed over: %s", why)
        handover.done(why)
        return handover.release()
