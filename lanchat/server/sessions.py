"""The sessions of a room: they come in and end, and some of them wait a while for a lost client to come back."""

import logging
import time
from collections.abc import Callable, Sequence

from lanchat.protocol import messages as wire
from lanchat.protocol.closings import FAULT, REPLACED
from lanchat.protocol.guest_ports import Onward
from lanchat.protocol.standby import Heartbeat
from lanchat.room.crowd import is_lost_in_crowd
from lanchat.room.members import Member
from lanchat.room.room import Room
from lanchat.room.snapshot import take_snapshot
from lanchat.server.acks import Acks
from lanchat.server.batch import Batch
from lanchat.server.beside import Beside
from lanchat.server.broadcast import Broadcast
from lanchat.server.items import Answer, Asked, JoinRequest
from lanchat.server.session import Session

_LOOK = 1.0  # s between two looks at the clients that were lost
_CROWD = 64  # sessions, from which on those who come and go at about the same time are announced together ...
_GATHER = 0.1  # s ... so long at most after the first of them, and longer where a send to everybody takes longer:
_GATHER_EACH = 0.0003  # s for each session, of which a send takes up to 0.02 ms ...
_GATHER_MOST = 0.5  # s
_VISITS = {wire.Joined, wire.Left}
_UNWANTED = ("lost", "silent")  # the codes of a link that ended without anybody wanting it

_log = logging.getLogger(__name__)


class Sessions(Broadcast):
    """Lets clients into the room and out of it. Owned by the hub thread.

    Attributes:
        closing: the last line to everybody; None: the room goes on here. Nobody is let in any more then.
        onward: where people without lanchat go on after that; None: nobody has said so.
        gone: called with each session that has ended.
        beside: the other hosts of the room; None: it never has any.
        clock: s of a monotonic clock.

    A session whose link was lost may stay for a while (`Session.absence`), because the browser of a phone loses its
    link each time that the phone sleeps. Only if its client has not come back by then, the member has left.
    """

    def __init__(self, room: Room, acks: Acks) -> None:
        super().__init__(room, acks)
        self.closing: wire.Closing | None = None
        self.onward: Onward | None = None
        self.gone: Callable[[Session], None] = lambda session: None
        self.beside: Beside | None = None
        self.clock = time.monotonic
        self._announce_at = 0.0  # s, by the clock, when those who have come or gone are announced; 0: nobody waits
        self._absent: dict[Session, int] = {}  # sessions without a link, with when they end, in ms since 1970

    def may_wait(self, batch: Batch) -> bool:
        """Whether sessions without bytes of their own may get this batch a moment later.

        In a large room a send to everybody takes longer than everything else of a join. So people who come and go at
        about the same time are announced together, unless anything else happens.
        """
        crowded = len(self) >= _CROWD and self.closing is None
        if crowded and (batch.events or batch.records) and _VISITS.issuperset(map(type, batch.records)):
            now = self.clock()
            self._announce_at = self._announce_at or now + announce_after(len(self))
            if now < self._announce_at:
                return True
        self._announce_at = 0.0
        return False

    def answer(self, asked: Asked, batch: Batch) -> Sequence[wire.FromMember]:
        """Answer the question of a client. An error in the answer ends the link of this client alone.

        Returns:
            The messages of the answer.
        """
        session = asked.session
        try:
            found = asked.answer(self._room)
        except Exception:  # an answer only reads: the room is sound, and the others go on
            _log.exception("an unforeseen error in an answer has ended the link of its client")
            self.dismiss(session, FAULT, batch)
            return ()
        answer = found if isinstance(found, Answer) else Answer(found)
        for to, data in ((session, answer.data), *answer.others):
            if data and to.member is not None:
                batch.insert(to, data)
            elif data:  # a client outside the room gets nothing else
                to.link.send(data)
        if session.member is not None and session.bot != session.member.bot:
            self._update_bot(session.member, batch)
        return answer.messages

    def join(self, request: JoinRequest, batch: Batch) -> None:
        """Let a client in, or tell it why not."""
        session = request.session
        if self.closing is not None:
            session.link.finish(session.farewell(self.closing, self.onward))
            return
        nick = request.nick
        decision = self._join(request, nick, batch)
        if isinstance(decision, wire.Refused) and request.any_nick and decision.suggestion:
            nick = decision.suggestion
            decision = self._join(request, nick, batch)
        if isinstance(decision, wire.Refused) and decision.code == "full" and self._absent:
            self._end(next(iter(self._absent)), batch)  # a session without a client makes room for a newcomer
            self.join_later(request, batch)
            return
        if isinstance(decision, wire.Refused):
            _log.info("refused a member: %s", decision.code)
            session.refuse(decision)
            return
        if nick != request.nick:
            renamed = wire.Notice("nick", f"The nick {request.nick} is taken; you are {nick}.")
            session.link.send(session.encode(renamed))
        self.let_in(request, decision, batch)

    def join_later(self, request: JoinRequest, batch: Batch) -> None:
        """Let a client in once an event has happened. In this class it has happened already; see engine/sessions.py."""
        self.join(request, batch)

    def let_in(self, request: JoinRequest, decision: wire.Joined | Member, batch: Batch) -> None:
        """Give a client its snapshot and all that follows.

        Args:
            decision: a draft; or the member, if another session of theirs is in the room.
        """
        session = request.session
        stored = max(0, self._acks.stored)
        snapshot = take_snapshot(
            self._room, request.id, decision.nick, request.after, stored, everybody=session.sees_all
        )
        self._sessions[session] = None
        if session.observes:
            self._observers[session] = None
        batch.personal_for(session).start = len(batch.events)
        batch.insert(session, session.snapshot(snapshot))
        if self.beside is not None:
            for message in (*self.beside.greeting(), *self._alive(self.beside.promised)):
                self.send(session, message, batch)
        if isinstance(decision, wire.Joined):
            lost = self._room.crowd and is_lost_in_crowd(decision)
            self.publish(decision, batch)
            if lost and session.own_join:
                self.send(session, decision, batch)
            elif not lost and not session.own_join:
                batch.personal_for(session).skips.add(len(batch.events) - 1)
        session.member = self._room.member(request.id, decision.nick)
        session.member.enter()
        for other in [other for other in self._absent if other.member is session.member]:
            self._end(other, batch)
        if session.member.sessions > 1 or session.bot != session.member.bot:
            self._update_bot(session.member, batch)
        if session.member.has_too_many_sessions:  # the links of some of them may have died unnoticed
            oldest = next(other for other in self._sessions if other.member is session.member)
            self.dismiss(oldest, REPLACED, batch)
        first = session.member.sessions == 1
        if session.member.host and first and self._room.access.locked:  # perhaps since an earlier start
            locked = wire.Notice("locked", "The room is locked: nobody new is admitted. /unlock ends that.")
            self.send(session, locked, batch)
        _log.info("%s joined", request.id)

    def _join(self, request: JoinRequest, nick: str, batch: Batch) -> wire.Joined | wire.Refused | Member:
        bot = request.session.bot
        return self._room.join(request.id, nick, batch.now, request.key, web=request.web, bot=bot)

    def dismiss(self, session: Session, closing: wire.Closing, batch: Batch) -> None:
        """End a session, with this last line."""
        session.link.finish(session.encode(closing))
        self.leave(session, batch, code=closing.code)

    @property
    def pause(self) -> float | None:
        """Seconds after which the next batch is due even if nothing comes; None: it need not come."""
        if self._announce_at:
            return max(0.0, self._announce_at - self.clock())
        if self.beside is not None:
            return min(_LOOK, self.beside.pause(self.clock()))
        return _LOOK if self._absent or self._crowd.has_changed else None

    def lost(self, session: Session, batch: Batch) -> None:
        """Note that the link of a session has ended."""
        member, wanted = session.member, session.link.code not in _UNWANTED
        if session.absence > 0 and not wanted and self.closing is None and member is not None and member.sessions == 1:
            self._absent[session] = batch.now + round(session.absence * 1000)
            self._acks.forget(session)
        else:
            self._end(session, batch)

    def do_what_is_due(self, batch: Batch) -> None:
        """End sessions whose client has not come back in time, and send what is due about a crowd and about hosts."""
        self.announce_hosts(batch)
        self._crowd.count(self, batch)
        for session in [session for session, until in self._absent.items() if until <= batch.now]:
            self._end(session, batch)

    def announce_hosts(self, batch: Batch) -> None:
        """Tell everybody which computers host the room, if that has changed, and send a sign of life, if one is due."""
        if self.beside is None:
            return
        for message in (*self.beside.take_due(), *self._alive(self.beside.beat(self.clock()))):
            self.send_all([(session, message) for session in self], batch)

    def _alive(self, beat: float | None) -> Sequence[wire.FromHost]:
        """A sign of life that promises the next one after `beat` s; nothing if that is None."""
        if beat is None:
            return ()
        return (Heartbeat(self._room.seq, self._acks.stored, beat=round(beat * 1000)),)

    def _end(self, session: Session, batch: Batch) -> None:
        self.leave(session, batch, code=session.link.code, reason=session.link.reason)

    def leave(self, session: Session, batch: Batch, *, code: str = "", reason: str = "") -> None:
        """Note that a session has ended; does nothing the second time."""
        if session.member is None:
            return
        member, session.member = session.member, None
        del self._sessions[session]
        self._observers.pop(session, None)
        self._absent.pop(session, None)
        self._acks.forget(session)
        batch.personal.pop(session, None)
        self.gone(session)
        left = self._room.leave(member, batch.now, code=code, reason=reason)
        if left is not None:
            self.publish(left, batch)
        else:
            self._update_bot(member, batch)
        _log.info("%s left: %s", member.id, reason or code)

    def _update_bot(self, member: Member, batch: Batch) -> None:
        """Tell everybody if a member has become a program, or is a person again: all sessions are those of programs."""
        bot = all(session.bot for session in self._sessions if session.member is member)
        if bot != member.bot:
            member.bot = bot
            self.announce(member.status, batch)

    def say_goodbye(self) -> None:
        """Tell everybody that the room closes, or goes on elsewhere."""
        if self.closing is None:
            return
        for session in self._sessions:
            own = self.beside is not None and session.member is not None and session.member.host
            if not own or self.closing.code != "moved":  # the host's own person stays, to read why nobody else is here
                session.link.finish(session.farewell(self.closing, self.onward))


def announce_after(sessions: int) -> float:
    """The s after which everybody hears who has come into or gone from a large room, with this number of sessions."""
    return min(max(_GATHER, sessions * _GATHER_EACH), _GATHER_MOST)
