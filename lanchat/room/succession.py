"""Failover: who hosts a room next, and which of two hosts yields. Pure: what is known comes in, what to do goes out.

There is no quorum: on a network that is cut in two both halves go on, and merge when they meet again. What keeps such
a split-brain from losing anything is that numbers carry the term and the host (protocol/timeline.py), that members say
again what the room's timeline lacks, and these rules. Each of them, left out, loses lines or leaves a room without a
host in the model of tests/room/test_succession_model.py.

1. A standby moves nobody whose host is alive. It acts when its own link is dead and no other standby hears the host.
2. Before anybody begins a term, everybody in reach is asked. Who has most of the room goes first.
3. Only standbys of the newest delegation count, or all would wait for somebody who may not host.
4. Of two hosts the one with company stays, then the owner, then the later term. So a claim that nobody has followed
   moves nobody, no standby can draw a live room away from its owner, and an owner that was cut off alone comes over.
5. The host that stays begins a term above all that were seen, so numbers only grow.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from lanchat.errors import LanchatError
from lanchat.protocol.delegation import OWNER_INDEX, Delegation, TermRecord, read_term
from lanchat.protocol.messages import Card
from lanchat.protocol.papers import Papers
from lanchat.protocol.places import Place
from lanchat.protocol.timeline import MAX_TERM, index_of, make_epoch, term_of
from lanchat.protocol.timing import Timing

TERMS_AN_HOUR = 64  # a host moves by itself once in 10 s at most, and a room that does so for long has no use for it
_HOUR = 3_600_000  # ms
UNABLE = "unable"  # on a card, in place of "lost"
State = Literal["hosts", "hears", "lost"]  # it hosts the room; its link to the host lives; it has no host


class Rank(NamedTuple):
    """The rank of a host. Of two hosts of one room the one with the lower rank yields."""

    company: bool  # somebody else's link is there, or was a moment ago
    owner: bool
    epoch: int


@dataclass(frozen=True)
class Peer:
    """A computer that may host the room, as it describes itself.

    Args:
        epoch: the highest one that it has seen.
        seq: the last number in its copy.
        complete: nothing is missing before that.
        sync: the count of the last heartbeat that named it the sync standby; -1 where a later one names another.
        company: of a host: see Rank.
        able: it can host the room; one whose disk is full only gives what it has.
    """

    index: int
    epoch: int
    seq: int
    state: State
    complete: bool = True
    sync: int = -1
    company: bool = False
    able: bool = True

    @property
    def rank(self) -> Rank:
        """The rank that this computer has as a host."""
        return Rank(self.company, self.index == OWNER_INDEX, self.epoch)


@dataclass
class Loss:
    """What a computer has found out since it has no host. Its owner keeps it up to date and asks `next_step`.

    Args:
        since: s, when the last sign of life came.
        certain: the host's port refuses twice, or the silence limit is over, or there was no host to begin with.
        peers: what everybody in reach said of itself when asked last, without us.
        asked_at: s, when that was; None: not yet.
        failed: indexes that were asked to go first, and did not.
        promoted: who was asked to go first just now, and when.
    """

    since: float
    certain: bool = False
    peers: Sequence[Peer] = ()
    asked_at: float | None = None
    failed: set[int] = field(default_factory=set)
    promoted: tuple[int, float] | None = None


@dataclass(frozen=True)
class DialHost:
    """Dial the host: perhaps it answers after all."""


@dataclass(frozen=True)
class Ask:
    """Ask everybody in reach what they know and have."""


@dataclass(frozen=True)
class Follow:
    """Go to the computer with this index, which hosts the room."""

    index: int


@dataclass(frozen=True)
class Promote:
    """Ask this one to go first: it has more of the room."""

    index: int


@dataclass(frozen=True)
class Fetch:
    """Take from this one what it has more of the room. It cannot host, or did not."""

    index: int


@dataclass(frozen=True)
class Claim:
    """Begin this term: write its record, then host."""

    epoch: int


@dataclass(frozen=True)
class Wait:
    """Do nothing for a moment.

    Args:
        reason: in words, for the log and the screen.
    """

    reason: str


Step = DialHost | Ask | Follow | Promote | Fetch | Claim | Wait


def seen(at: Place, card: Card, key: bytes, papers: Papers, now: int) -> Peer | None:
    """What the card says that a computer shows at a place where the room may be.

    Args:
        at: what is known of the place.
        key: of the link on which the card came, raw.
        now: ms since 1970.

    Returns:
        None: it is another computer, or it may not show what it shows.
    """
    if card.room != papers.room or card.owner != papers.owner:
        return None
    try:
        record = read_term(card.term) if card.term else None
        epoch = record.epoch if record is not None else 0
        if not card.standby:
            papers.accept(card, key, now)
            index = at.index if record is not None and record.engine else index_of(epoch)
            return Peer(index, epoch, -1, "hosts", company=card.company)
        named = papers.learn(card.delegation).named
    except LanchatError:
        return None
    if key != _key_at(at, papers, named):
        return None
    known = epoch if record is not None and _counts(record, papers, named) else 0
    state: State = "hears" if card.standby == "hears" else "lost"
    return Peer(at.index, known, card.seq, state, card.seq >= 0, card.sync, able=card.standby != UNABLE)


def _key_at(at: Place, papers: Papers, named: Delegation | None) -> bytes:
    """Whose card counts there. No owner has signed the places, so their keys count only for who is named no more."""
    if at.index == OWNER_INDEX:
        return papers.owner
    standby = named.named(at.index) if named is not None else None
    return standby.key if standby is not None else at.key


def _counts(last: TermRecord, papers: Papers, named: Delegation | None) -> bool:
    """Whether a term that a standby shows has begun: else it may have made it up, and could use up all terms."""
    index = index_of(last.epoch)
    if last.room != papers.room:
        return False
    if index == OWNER_INDEX:
        return last.host_key == papers.owner
    by = named.named(index) if named is not None else None
    if named is None or by is None or (by.key, by.role) != (last.host_key, "s"):
        return False
    return term_of(last.epoch) <= named.term_limit


def next_step(me: Peer, loss: Loss, delegation: Delegation, now: float, timing: Timing) -> Step:
    """What a computer without a host does next.

    Args:
        delegation: the newest that anybody here has shown.
        now: s, of the clock that `loss` is in.
    """
    hosts = [peer for peer in loss.peers if peer.state == "hosts" and _may_host(peer.index, delegation)]
    if hosts:
        return Follow(max(hosts, key=lambda peer: peer.rank).index)
    if not loss.certain:
        return DialHost()
    if loss.asked_at is None or now - loss.asked_at >= timing.ask_again:
        return Ask()
    if any(peer.state == "hears" for peer in loss.peers) and now - loss.since < timing.indirect:
        return Wait("Another standby still hears the host.")
    if loss.promoted is not None and now - loss.promoted[1] < timing.promotion:
        return Wait("Another standby takes over.")
    able = [me] if me.able and me.complete and _may_host(me.index, delegation) else []
    able += [
        peer
        for peer in loss.peers
        if peer.able and peer.complete and _may_host(peer.index, delegation) and peer.index not in loss.failed
    ]
    if not able:
        return Wait("No computer here may host the room and has all of it.")
    first = max(able, key=_goes_first)
    if first.index != me.index:
        return Promote(first.index)
    named = [peer for peer in loss.peers if _may_host(peer.index, delegation)]
    most = max(named, key=lambda peer: peer.seq, default=me)
    if most.seq > me.seq:
        return Fetch(most.index)
    term = 1 + max(term_of(peer.epoch) for peer in (me, *loss.peers))
    if term > last_term(me.index, delegation):
        return Wait("The room has been moved too often: only its owner can host it now.")
    return Claim(make_epoch(term, me.index))


def meet(me: Peer, others: Iterable[Peer], delegation: Delegation) -> Follow | Claim | None:
    """What a host does that sees others.

    Args:
        others: everybody who was seen, host or not.

    Returns:
        Yield to another host, begin a term above what was seen, or nothing.
    """
    others = [peer for peer in others if _may_host(peer.index, delegation)]
    hosts = [peer for peer in others if peer.state == "hosts"]
    if not _may_host(me.index, delegation):
        return Follow(max(hosts, key=lambda peer: peer.rank).index) if hosts else None
    above = [peer for peer in hosts if peer.rank > me.rank]
    if above:
        return Follow(max(above, key=lambda peer: peer.rank).index)
    highest = max((peer.epoch for peer in others), default=me.epoch)
    if highest > me.epoch and term_of(highest) < last_term(me.index, delegation):
        return Claim(make_epoch(term_of(highest) + 1, me.index))
    return None


def last_term(index: int, delegation: Delegation | None) -> int:
    """The last term that the computer with this index may begin."""
    return MAX_TERM if index == OWNER_INDEX or delegation is None else delegation.term_limit


def plausible_term(known: int, ago: float) -> int:
    """The last term that has begun by now, unless somebody begins more of them than a room needs.

    Args:
        known: a term that had begun `ago` ms before now.
    """
    return known + TERMS_AN_HOUR * (1 + max(0, int(ago // _HOUR)))


def _may_host(index: int, delegation: Delegation) -> bool:
    return index == OWNER_INDEX or delegation.named(index) is not None


def _goes_first(peer: Peer) -> tuple[int, int, int]:
    """Most of the room first; then the sync standby, which has all that was acknowledged; then the lowest index."""
    return peer.seq, peer.sync, -peer.index
