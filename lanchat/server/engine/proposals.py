"""What a hub has decided, until the engine gives it back. Pure; owned by the hub."""

from collections import deque
from dataclasses import dataclass, field
from itertools import count

from lanchat.protocol.messages import Event, Left, Said, Say
from lanchat.server.engine.entries import proposal_of, said_key
from lanchat.server.engine.shared_log import CALL, Position, Proposal
from lanchat.server.session import JoinRequest, Received, Session

MOST = 10_000  # lines that wait while the engine is away: some minutes of a lively room
MOST_BYTES = 16 * 1024 * 1024  # of them; a host must not fill its memory


@dataclass(eq=False)
class Waiting:
    """A proposal that the engine has not given back.

    Args:
        sessions: whose command it was: one, or several that have sent the same message.
        request: of somebody who comes in by it.
    """

    proposal: Proposal
    said: Said | None
    alone: bool
    sessions: list[Session] = field(default_factory=list)
    request: JoinRequest | None = None


class Proposals:
    """
    Attributes:
        rules_wait: something is on its way by which the rules of the room change, so nothing may be decided by them.

    Args:
        lease: the number of this host's lease, which no other start of a host has.
    """

    def __init__(self, lease: int) -> None:
        self._lease, self._count = lease, count(1)
        self._waiting: dict[str, Waiting] = {}  # by key, oldest first
        self._unsent: deque[str] = deque()  # keys
        self._sent: list[str] = []  # keys of the call that is under way
        self._bytes = self._alone = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        return len(self._waiting) >= MOST or self._bytes >= MOST_BYTES

    @property
    def rules_wait(self) -> bool:
        return self._alone > 0

    @property
    def lines(self) -> int:
        """How many messages wait."""
        return sum(waiting.said is not None for waiting in self._waiting.values())

    def add(self, draft: Event, session: Session | None = None, request: JoinRequest | None = None) -> None:
        """Propose this."""
        said = draft if isinstance(draft, Said) else None
        key = said_key(said.by, said.id) if said is not None else ""
        waiting = self._waiting.get(key)
        if waiting is None:
            proposal = proposal_of(draft, f"{self._lease} {next(self._count)}")
            waiting = Waiting(proposal, said, said is None and not isinstance(draft, Left), request=request)
            self._waiting[proposal.key] = waiting
            self._unsent.append(proposal.key)
            self._bytes += len(proposal.body)
            self._alone += waiting.alone
        if session is not None:
            waiting.sessions.append(session)

    def call(self) -> list[Proposal]:
        """What to send next; nothing while a call is under way."""
        if self._sent:
            return []
        while self._unsent and len(self._sent) < CALL:
            key = self._unsent.popleft()
            if key in self._waiting:  # else another host has said it meanwhile
                self._sent.append(key)
        return [self._waiting[key].proposal for key in self._sent]

    def fed(self, key: str) -> Waiting | None:
        """The engine has given this back; None: it is another host's, or of an earlier start."""
        waiting = self._waiting.pop(key, None)
        if waiting is not None:
            self._bytes -= len(waiting.proposal.body)
            self._alone -= waiting.alone
        return waiting

    def answered(self, positions: list[Position], read: Position) -> list[Received]:
        """The call is over.

        Args:
            read: the place up to which everything was given back.

        Returns:
            Messages that the engine had before, as resends: what they repeat is to be looked for in the past.
        """
        sent, self._sent = self._sent, []
        again: list[Received] = []
        for key, position in zip(sent, positions, strict=True):
            if position <= read and (waiting := self.fed(key)) is not None and (said := waiting.said) is not None:
                say = Say(said.id, said.text, said.action, again=True)
                again += [Received(session, [say]) for session in waiting.sessions]
        return again
