"""The numbers of a room that moves between hosts, and where two copies of its log part. Pure.

Each period in which one computer hosts a room is a term. Its epoch stands in the high bits of every number that it
gives out, so two hosts never give out one number, and a later term's numbers are higher:

    epoch = term << 6 | index of the host        seq = epoch << 32 | n

A timeline lists the terms that a log continues, each with its last `n`. A copy that was filled by a host which others
did not follow ends on another line; `Timeline.common` finds the last number that both have (Kafka's KIP-101).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

INDEX_BITS = 6
N_BITS = 32
MAX_INDEX = (1 << INDEX_BITS) - 1
MAX_N = (1 << N_BITS) - 1
MAX_TERM = (1 << 15) - 1  # 53 bits in all, which every JSON reader can hold
_END = 1 << 53  # above every number
MAX_ENTRIES = 64  # of a timeline: 1 KB in a paper, and two months of one start a day


def make_epoch(term: int, index: int) -> int:
    """The epoch of a term: its number and the index of its host, in one integer.

    Raises:
        ValueError: the term or the index is out of range.
    """
    if not (0 <= term <= MAX_TERM and 0 <= index <= MAX_INDEX):
        raise ValueError(f"There is no term {term} of a host with the index {index}.")
    return term << INDEX_BITS | index


def make_seq(epoch: int, n: int) -> int:
    """The number of the n-th event of an epoch.

    Raises:
        ValueError: a term cannot have that many events.
    """
    if not 0 <= n <= MAX_N:
        raise ValueError(f"A term has no event {n}.")
    return epoch << N_BITS | n


def term_of(epoch: int) -> int:
    return epoch >> INDEX_BITS


def index_of(epoch: int) -> int:
    return epoch & MAX_INDEX


def epoch_of(seq: int) -> int:
    return seq >> N_BITS


def n_of(seq: int) -> int:
    return seq & MAX_N


@dataclass(frozen=True)
class Timeline:
    """The terms of which the log of a host consists.

    Args:
        epoch: the host's own term, which goes on.
        past: earlier epochs with their last `n`, in order. At most MAX_ENTRIES: the oldest are left out first.

    Raises:
        ValueError: no log can look like that.
    """

    epoch: int
    past: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        epochs = [epoch for epoch, _ in self.past] + [self.epoch]
        if len(self.past) > MAX_ENTRIES:
            raise ValueError(f"A timeline has at most {MAX_ENTRIES} entries.")
        if any(one >= other for one, other in pairwise(epochs)) or any(not 0 <= n <= MAX_N for _, n in self.past):
            raise ValueError("The terms of a timeline follow each other.")
        make_epoch(term_of(self.epoch), index_of(self.epoch))
        if epochs[0] < 0:
            raise ValueError("There is no term before the first.")

    def covers(self, seq: int) -> bool:
        """Whether this number is certainly in the log, or can still come in the term that goes on.

        Of a term before the oldest entry of a full timeline nobody knows it, so it is not covered: the author says the
        line again, and a host that has it knows it by its id. To take such a line for covered could lose it.
        """
        epoch, n = epoch_of(seq), n_of(seq)
        return epoch == self.epoch or any(epoch == theirs and n <= last for theirs, last in self.past)

    @property
    def gaps(self) -> tuple[tuple[int, int], ...]:
        """The numbers that are not covered: those between the two of each pair, the highest first."""
        found, end = [], -1
        for epoch, last in (*self.past, (self.epoch, MAX_N)):
            if (first := make_seq(epoch, 0)) > end + 1:
                found.append((end, first))
            end = make_seq(epoch, last)
        return ((end, _END), *reversed(found))

    def before(self, seq: int, number: int) -> int:
        """The seq `number` events before this one, across terms; the first of the log if there are fewer."""
        epoch, n = epoch_of(seq), n_of(seq)
        for earlier, last in reversed(self.past):
            if n >= number:
                break
            if earlier < epoch:
                number, epoch, n = number - n, earlier, last
        return make_seq(epoch, max(0, n - number))

    def common(self, mine: Mapping[int, int]) -> int:
        """The number after which a copy has to be filled from this log.

        Args:
            mine: what the copy has, epoch by epoch: its last `n`, with no hole before it.

        Returns:
            The last number that both have. -1 for a copy that shares nothing it could go on from, so that it is served
            like a newcomer: an empty one, or one so old that this timeline does not reach back to it. To take older
            terms for complete would leave holes.
        """
        if not mine or (len(self.past) == MAX_ENTRIES and self.past[0][0] not in mine):
            return -1
        for epoch, last in self.past:
            if mine.get(epoch) != last:
                return make_seq(epoch, min(mine.get(epoch, 0), last))
        return make_seq(self.epoch, mine.get(self.epoch, 0))

    def next(self, epoch: int, last: int) -> "Timeline":
        """The timeline of a host that continues this log.

        Args:
            epoch: of the new term.
            last: the last `n` of the term so far.
        """
        return Timeline(epoch, (*self.past, (self.epoch, last))[-MAX_ENTRIES:])
