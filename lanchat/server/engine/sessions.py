"""Who comes into a room whose numbers come from an engine, and what they say. Owned by the hub thread."""

from collections.abc import Iterable

from lanchat.protocol import messages as wire
from lanchat.room.effects import Member, Repeated, Reply
from lanchat.room.room import Room
from lanchat.server.acks import Acks
from lanchat.server.batch import Batch
from lanchat.server.engine.held import Held
from lanchat.server.engine.proposals import Proposals
from lanchat.server.session import JoinRequest, Session
from lanchat.server.sessions import Sessions

BUSY = wire.Refused("busy", "The room is paused: its log does not answer. Try again in a moment.")


class EngineSessions(Sessions):
    """Owned by the hub thread.

    Args:
        held: what waits for what is on its way.

    Attributes:
        paused: whether the engine does not answer. Nobody comes in meanwhile.
    """

    def __init__(self, room: Room, acks: Acks, proposals: Proposals, held: Held) -> None:
        super().__init__(room, acks)
        self.paused = False
        self._proposals, self._held = proposals, held

    def publish(self, draft: wire.Event, batch: Batch, session: Session | None = None) -> None:
        if draft.seq == wire.UNNUMBERED:
            self._proposals.add(draft, session)
        else:
            self.happen(draft, batch, session)

    def hear(self, session: Session, says: Iterable[wire.Say], batch: Batch) -> None:
        for say in says:
            if (member := session.member) is None:
                return
            match self._room.say(member, say, batch.now):
                case Repeated(said):
                    self.repeat(said, batch, session)
                case Reply(message):
                    self.tell(session, message, batch)
                case draft:
                    self._proposals.add(draft, session)

    def join(self, request: JoinRequest, batch: Batch) -> None:
        if self.paused and self.closing is None:
            request.session.refuse(BUSY)
        else:
            super().join(request, batch)

    def join_later(self, request: JoinRequest, batch: Batch) -> None:
        self._held.put_back(request)

    def let_in(self, request: JoinRequest, decision: wire.Joined | Member, batch: Batch) -> None:
        if isinstance(decision, wire.Joined) and decision.seq == wire.UNNUMBERED:
            self._proposals.add(decision, request=request)
        else:
            super().let_in(request, decision, batch)
