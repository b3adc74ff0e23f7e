"""The sessions of a room on an engine: joins and messages become proposals. Owned by the hub thread."""

from collections.abc import Iterable

from msgspec import structs

from lanchat.protocol import messages as wire
from lanchat.protocol.closings import MOVED, PAUSED
from lanchat.protocol.confusables import skeletons
from lanchat.protocol.ids import is_verified
from lanchat.protocol.standby import Owned
from lanchat.protocol.status import Status
from lanchat.protocol.topic import Topic
from lanchat.room.effects import Repeated, Reply
from lanchat.room.members import Member
from lanchat.room.room import Room
from lanchat.server.acks import Acks
from lanchat.server.batch import Batch
from lanchat.server.engine import state
from lanchat.server.engine.controls import Here, NotHere
from lanchat.server.engine.held import Held
from lanchat.server.engine.items import Leaving
from lanchat.server.engine.people import People
from lanchat.server.engine.proposals import Proposals
from lanchat.server.items import Item, JoinRequest
from lanchat.server.session import Session
from lanchat.server.sessions import Sessions


class EngineSessions(Sessions):
    """Owned by the hub thread.

    Args:
        held: items that wait for proposals to come back.

    Attributes:
        paused: whether the engine does not answer, so that nobody comes in.
        coming: member ids and skeletons of nicks of the people who come in by the next call.
        came_back: whether this host has had another lease before, because it stood still for too long.
        cause: the command that is carried out now. It is carried out again if the rules change meanwhile.
    """

    def __init__(self, room: Room, acks: Acks, proposals: Proposals, held: Held, people: People) -> None:
        super().__init__(room, acks)
        self.paused = self.came_back = False
        self.coming: set[str] = set()
        self.cause: Item | None = None
        self._proposals, self._held, self._people = proposals, held, people

    def publish(self, draft: wire.Event, batch: Batch, session: Session | None = None) -> None:
        match draft:
            case _ if draft.seq != wire.UNNUMBERED:
                self.happen(draft, batch, session)
            case wire.Said():
                self._proposals.add_said(draft, session)
            case wire.Left():
                self.go(draft)
            case wire.Renamed(by=id, nick=nick, to=to):
                present = structs.replace(self._room.member(id, nick).present, nick=to)
                changes = (*state.gone(id, nick), state.here(present, self._people.leases(id, nick)))
                changes += (state.stands(structs.replace(self._room.member(id, nick).status, nick=to)),)
                changes += self._owning(id, to, present.key, batch)
                self._proposals.add(draft, changes=changes, alone=True, bound=True, cause=self.cause, session=session)
            case Topic(topic=topic):
                self._proposals.add(draft, changes=(state.about(topic),), alone=True, session=session)
            case _:
                self._proposals.add(draft, alone=True, session=session)

    def go(self, left: wire.Left) -> None:
        """A member has lost the last session here: propose that they leave, if they have none elsewhere either."""
        id, nick = left.by, left.nick
        if self.closing is not None and self.closing.code == MOVED.code:
            return  # they go to another host; those who do not come there leave when our lease ends
        if self._people.is_elsewhere(id, nick):
            others = self._people.leases(id, nick) - {self._people.own}
            change = state.here(self._room.member(id, nick).present, others)
            self._proposals.add(NotHere(id, nick), changes=(change,), bound=True, cause=Leaving(left))
        else:
            self._proposals.add(left, changes=state.gone(id, nick), bound=True, cause=Leaving(left))

    def hear(self, session: Session, says: Iterable[wire.Say], batch: Batch) -> None:
        for say in says:
            if (member := session.member) is None:
                return
            match self._room.say(member, say, batch.now):
                case Repeated(said):
                    self.repeat(said, batch, session)
                case Reply(message):
                    self.send(session, message, batch)
                case draft:
                    self._proposals.add_said(draft, session)

    def may_join(self, request: JoinRequest) -> bool:
        """Whether this join can be decided now: nobody who comes in by the same call has its key or its nick."""
        if not self._proposals:
            self.coming.clear()
            return True
        if not self._proposals.takes_joins or request.any_nick or not self._room.has_place(len(self.coming)):
            return False
        return self.coming.isdisjoint({request.id, *skeletons(request.nick)})

    def join(self, request: JoinRequest, batch: Batch) -> None:
        if self.paused and self.closing is None:
            request.session.refuse(PAUSED)
        else:
            super().join(request, batch)

    def join_later(self, request: JoinRequest, batch: Batch) -> None:
        self._held.put_back(request)

    def let_in(self, request: JoinRequest, decision: wire.Joined | Member, batch: Batch) -> None:
        """Propose a join: the client comes in when it comes back, also if its member is in the room at another host."""
        people = self._people
        if (
            isinstance(decision, Member)
            and decision.host
            and people.is_ghost(decision.id, decision.nick)
            and not self.came_back
        ):  # the person who hosts the room comes in as somebody new, as at every start
            host = decision
            decision = wire.Joined(
                wire.UNNUMBERED, batch.now, host.id, host.nick, host=True, key=host.key, bot=request.session.bot
            )
        self.coming |= {request.id, *skeletons(decision.nick)}
        if isinstance(decision, wire.Joined) and decision.seq == wire.UNNUMBERED:
            present = wire.Present(decision.by, decision.nick, decision.host, decision.key, decision.web, decision.bot)
            changes = (
                state.here(present, [people.own]),
                *self._owning(decision.by, decision.nick, decision.key, batch),
            )
            self._proposals.add(decision, changes=changes, alone=True, bound=True, cause=request, request=request)
        elif isinstance(decision, Member) and not people.is_here(decision.id, decision.nick):
            leases = people.leases(decision.id, decision.nick) | {people.own}
            change = state.here(decision.present, leases)
            here = Here(decision.id, decision.nick)
            self._proposals.add(here, changes=(change,), alone=True, bound=True, cause=request, request=request)
        else:
            super().let_in(request, decision, batch)

    def _owning(self, id: str, nick: str, key: bytes, batch: Batch) -> tuple[state.Change, ...]:
        """The owner that this nick gets, if it has none."""
        if not is_verified(id) or self._room.access.owner(nick) is not None:
            return ()
        return (state.owns(Owned(nick, id, key, batch.now)),)

    def announce(self, status: Status, batch: Batch) -> None:
        """Tell all sessions here, and those at other hosts."""
        self.show(status, batch)
        self._proposals.add(status, changes=(state.stands(status),))

    def show(self, status: Status, batch: Batch) -> None:
        """Tell all sessions here."""
        super().announce(status, batch)

    def _update_bot(self, member: Member, batch: Batch) -> None:
        if not self._people.is_elsewhere(member.id, member.nick):  # otherwise we do not know all of their sessions
            super()._update_bot(member, batch)
