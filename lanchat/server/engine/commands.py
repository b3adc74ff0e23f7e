"""Carries out commands of members in a room on an engine: they become proposals, and happen when these come back."""

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any

from lanchat.protocol import messages as wire
from lanchat.protocol.file_messages import FileChange, FileCommand, FilePrivate
from lanchat.room.effects import Decision, Effect, Kick, Reply, SaveAccess, SendTo, Store
from lanchat.room.files import FileWhole
from lanchat.room.members import Member
from lanchat.room.room import Room
from lanchat.server.batch import Batch
from lanchat.server.engine.controls import PassOn, Ruled
from lanchat.server.engine.entries import box_key
from lanchat.server.engine.held import Held
from lanchat.server.engine.log import EngineLog
from lanchat.server.engine.people import People
from lanchat.server.engine.proposals import Proposals, Waiting
from lanchat.server.engine.sessions import EngineSessions
from lanchat.server.engine.state import admitting
from lanchat.server.hub import Hub
from lanchat.server.items import CloseRoom, Item, JoinRequest, Received
from lanchat.server.session import Session

_BY_RULES = wire.Rename | wire.Moderate | FileCommand  # commands that depend on the rules of the room, or change them
ANOTHER = "another host"  # has the files that came there


class EngineCommands(Hub):
    """Proposes what members ask for. Owned by the hub thread.

    Args:
        log: opened.
    """

    def __init__(self, room: Room, log: EngineLog, *arguments: Any) -> None:
        super().__init__(room, log, *arguments)
        entered = log.entered
        assert entered is not None
        self._proposals = Proposals(entered.lease, entered.rules)
        self._held = Held()  # what waits for what is on its way
        self._people = People(entered.lease, entered.living, entered.state.people)
        for person in entered.state.people:
            room.expect(_member(person.present, room.host_id))
        self._files.leave_to(ANOTHER)
        self.sessions = self._engine_sessions = EngineSessions(
            room, self._acks, self._proposals, self._held, self._people
        )

    def _must_wait(self, item: Item) -> bool:
        match item:
            case JoinRequest():
                return not self._engine_sessions.may_join(item)
            case FileWhole() | CloseRoom():
                return bool(self._proposals)
            case Received(messages=[first, *_]) if isinstance(first, _BY_RULES):
                return bool(self._proposals)
        return self._proposals.rules_wait

    def _receive(self, session: Session, messages: Iterable[wire.FromMember], batch: Batch) -> None:
        left = list(messages)
        while left:
            item = Received(session, left)
            if self._must_wait(item):
                self._held.put_back(item)
                return
            run = len(list(takewhile(_is_said, left))) or 1  # messages to everyone keep nothing that follows waiting
            self._engine_sessions.cause = Received(session, left[:1])
            super()._receive(session, left[:run], batch)
            left = left[run:]

    def _carry_out(self, session: Session, member: Member, command: wire.Command, batch: Batch) -> None:
        match command:
            case wire.Moderate(action=action) if action != "topic":
                decisions = self._room.decide(member, command, batch.now)
                effects = [decision for decision in decisions if isinstance(decision, Effect)]
                if any(isinstance(effect, SaveAccess | Kick) for effect in effects):
                    self._rule(session, effects)
                else:
                    for effect in effects:
                        self._effect(session, effect, batch)
            case wire.Tell():
                self._carry(session, self._room.decide(member, command, batch.now), batch)
            case _:
                super()._carry_out(session, member, command, batch)

    def _rule(self, session: Session, effects: Sequence[Effect]) -> None:
        """Propose the decision of a member with the rights of the host."""
        access = self._room.access
        [(bans, locked)] = [(e.bans, e.locked) for e in effects if isinstance(e, SaveAccess)] or [
            (access.bans, access.locked)
        ]
        kicks = [effect for effect in effects if isinstance(effect, Kick)]
        banned = {id: nick for id, nick in bans.items() if access.bans.get(id) != nick}
        unbanned = tuple(access.bans.keys() - bans.keys())
        sent_away = tuple((kick.member.id, kick.member.nick) for kick in kicks)
        self._proposals.add(
            Ruled(banned, unbanned, locked, sent_away, kicks[0].closing.code if kicks else ""),
            changes=admitting(banned, unbanned, locked=locked),
            alone=True,
            bound=True,
            cause=self._engine_sessions.cause,
            session=session,
            then=[effect for effect in effects if isinstance(effect, Reply)],
        )

    def _carry(self, session: Session, decisions: Sequence[Decision], batch: Batch) -> None:
        """Propose a private message, or its end. Nobody gets it before it has come back."""
        effects = [decision for decision in decisions if isinstance(decision, Effect)]
        stored = next((index for index, effect in enumerate(effects) if isinstance(effect, Store)), None)
        if stored is None:
            for effect in effects:
                self._effect(session, effect, batch)
            return
        then, rest = effects[: stored + 1], effects[stored + 1 :]
        [told] = [effect.told for effect in then if isinstance(effect, Store)]
        if isinstance(effects[0], Reply) and box_key(told) not in self._proposals:  # it came before
            for effect in then:
                super()._effect(session, effect, batch)
            return
        self._proposals.add_private(told, session, then)
        for effect in then:
            if isinstance(effect, SendTo) and effect.message != told and self._people.has_elsewhere(effect.to):
                self._proposals.add(PassOn(effect.to, effect.message))
        for effect in rest:
            self._effect(session, effect, batch)

    def _effect(self, session: Session, effect: Effect, batch: Batch) -> None:
        match effect:
            case Store(told):
                self._proposals.add_private(told, session, [effect])
            case SendTo(to, message):
                super()._effect(session, effect, batch)
                if self._people.has_elsewhere(to):
                    self._proposals.add(PassOn(to, message))
            case _:
                super()._effect(session, effect, batch)

    def _follow_up(self, waiting: Waiting, batch: Batch) -> None:
        """Carry out what was to follow once this has happened."""
        for session, effects in waiting.then:
            for effect in effects:
                super()._effect(session, effect, batch)

    def _publish_file(self, draft: FileChange, batch: Batch, session: Session | None = None) -> None:
        if isinstance(draft, FilePrivate):
            super()._publish_file(draft, batch, session)
            if draft.state == "stored":
                self._room.files.elsewhere.pop(draft.file, None)
            if not self._people.is_alone:
                self._proposals.add(draft)
        else:
            self.sessions.publish(draft, batch, session)


def _is_said(message: wire.FromMember) -> bool:
    return isinstance(message, wire.Say)


def _member(present: wire.Present, host_id: str) -> Member:
    host = present.id == host_id
    return Member(present.id, present.nick, host, present.key, 0, present.web, present.bot, present.away)
