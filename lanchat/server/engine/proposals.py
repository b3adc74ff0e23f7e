"""The decisions of a hub that the engine has not given back yet. Pure; owned by the hub thread."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from lanchat.protocol.messages import Event, Said, Told
from lanchat.room.effects import Effect
from lanchat.server.engine.controls import Line
from lanchat.server.engine.entries import box_key, own_key, proposal_of, said_key
from lanchat.server.engine.shared_log import CALL, Position, Proposal, Rules
from lanchat.server.engine.state import Change
from lanchat.server.items import Item, JoinRequest
from lanchat.server.session import Session

MOST = 10_000  # lines that wait while the engine is away: some minutes of a lively room
MOST_BYTES = 16 * 1024 * 1024  # of text in these lines; a host must not fill its memory


@dataclass(eq=False)
class Waiting:
    """A proposal that the engine has not given back.

    Args:
        said: the message to everyone, if it is one; None: it is something else.
        alone: nothing that depends on the rules may be decided until it has come back.
        rules: those by which it was decided; "any": it depends on none.
        cause: the item that led to it, which is decided again if the rules have changed meanwhile.
        request: of the client that comes in by it.
        sessions: those that sent the command: one, or several that have sent the same message.
        then: what follows for each of these sessions once it has come back.
    """

    proposal: Proposal
    said: Said | None = None
    alone: bool = False
    rules: Rules = "any"
    cause: Item | None = None
    request: JoinRequest | None = None
    sessions: list[Session] = field(default_factory=list)
    then: list[tuple[Session, Sequence[Effect]]] = field(default_factory=list)


class Proposals:
    """What this host has given to the engine's log, and has not come back from there yet.

    Attributes:
        rules: the last change of the rules that has come back. Set by the hub.

    Args:
        lease: the number of this host's lease, which no other start of a host has.
    """

    def __init__(self, lease: int, rules: Position | None = None) -> None:
        self.rules = rules
        self._lease, self._count = lease, count(1)
        self._waiting: dict[str, Waiting] = {}  # by key, oldest first
        self._unsent: deque[str] = deque()  # keys
        self._sent: list[str] = []  # keys of the call that is under way
        self._sent_by: Rules = "any"  # the rules by which these were decided
        self._refused: Rules = "any"  # the rules of the last call that the engine has refused
        self._bytes = self._alone = self._bound = self._joins = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, key: str) -> bool:
        return key in self._waiting

    @property
    def full(self) -> bool:
        return len(self._waiting) >= MOST or self._bytes >= MOST_BYTES

    @property
    def rules_wait(self) -> bool:
        """Whether a proposal has not come back that changes the rules, so that nothing may be decided by them now."""
        return self._alone > 0

    @property
    def takes_joins(self) -> bool:
        """Whether all proposals that wait are joins, and no call is under way, so that another join fits in."""
        return self._joins == len(self._waiting) < CALL and not self._sent

    @property
    def lines(self) -> int:
        """How many messages wait."""
        return sum(waiting.said is not None for waiting in self._waiting.values())

    def add_said(self, said: Said, session: Session | None = None) -> None:
        """Propose a message to everyone."""
        waiting = self._waiting.get(said_key(said.by, said.id))
        if waiting is None:
            waiting = Waiting(proposal_of(said), said)
            self._add(waiting)
        if session is not None:
            waiting.sessions.append(session)

    def add_private(self, told: Told, session: Session, then: Sequence[Effect]) -> None:
        """Propose a private message, or its end."""
        waiting = self._waiting.get(box_key(told))
        if waiting is None:
            waiting = Waiting(proposal_of(told))
            self._add(waiting)
        waiting.then.append((session, then))

    def add(
        self,
        record: Event | Line,
        *,
        changes: tuple[Change, ...] = (),
        alone: bool = False,
        bound: bool = False,
        cause: Item | None = None,
        request: JoinRequest | None = None,
        session: Session | None = None,
        then: Sequence[Effect] = (),
    ) -> None:
        """Propose anything else; for the arguments see `Waiting`.

        Args:
            changes: of the state that the engine keeps.
            bound: whether it was decided by the rules as they are now.
        """
        proposal = proposal_of(record, own_key(self._lease, next(self._count)), changes)
        waiting = Waiting(proposal, None, alone, self.rules if bound else "any", cause, request)
        if session is not None:
            waiting.sessions.append(session)
            waiting.then.append((session, then))
        self._add(waiting)

    def outdated(self) -> list[Waiting]:
        """Remove and return proposals that were decided by rules that have changed since."""
        if not self._bound or self._sent:
            return []
        found = [self._waiting[key] for key in self._unsent if key in self._waiting]
        found = [waiting for waiting in found if waiting.rules not in ("any", self.rules)]
        for waiting in found:
            self.fed(waiting.proposal.key)
        return found

    def call(self) -> tuple[list[Proposal], Rules]:
        """The proposals of the next call, and the rules by which they were decided; none while a call is under way."""
        if self._sent or self._refused == self.rules:
            return [], "any"
        self._sent_by = "any"
        while self._unsent and len(self._sent) < CALL:
            key = self._unsent.popleft()
            if key in self._waiting:  # otherwise another host has proposed it meanwhile
                self._sent.append(key)
                if (rules := self._waiting[key].rules) != "any":
                    self._sent_by = rules
        return [self._waiting[key].proposal for key in self._sent], self._sent_by

    def fed(self, key: str) -> Waiting | None:
        """Remove and return the proposal of an entry that was read; None: another host or an earlier start made it."""
        waiting = self._waiting.pop(key, None)
        if waiting is not None:
            self._bytes -= len(waiting.proposal.body)
            self._alone -= waiting.alone
            self._joins -= waiting.request is not None
            self._bound -= waiting.rules != "any"
        return waiting

    def answered(self) -> None:
        """The call has succeeded."""
        self._sent = []

    def refused(self) -> None:
        """The call has changed nothing, because the rules had changed before. The change will be read soon."""
        self._refused = self._sent_by
        self.too_early()

    def too_early(self) -> None:
        """The call has changed nothing, and is to be made again."""
        self._unsent.extendleft(reversed(self._sent))
        self._sent = []

    def begin_again(self, lease: int) -> list[Waiting]:
        """Drop all proposals, because this host has another lease, and return them, the oldest first."""
        dropped = list(self._waiting.values())
        for waiting in dropped:
            self.fed(waiting.proposal.key)
        self._unsent.clear()
        self._lease, self._sent, self._sent_by, self._refused = lease, [], "any", "any"
        return dropped

    def _add(self, waiting: Waiting) -> None:
        self._waiting[waiting.proposal.key] = waiting
        self._unsent.append(waiting.proposal.key)
        self._bytes += len(waiting.proposal.body)
        self._alone += waiting.alone
        self._joins += waiting.request is not None
        self._bound += waiting.rules != "any"
