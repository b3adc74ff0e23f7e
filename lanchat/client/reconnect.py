"""Reconnect policy: the backoff, which errors are final, and which host will do. Pure.

A reconnect accepts only the same room, at its owner or at a standby that the owner has named. Another host that answers
meanwhile, even at the same address, ends no conversation: the member tries again until its patience is over.
"""

import math
from collections.abc import Callable, Iterator

from lanchat import errors
from lanchat.protocol.delegation import read_term
from lanchat.protocol.messages import Card
from lanchat.protocol.papers import AHEAD_MATTERS, Papers, first_contact
from lanchat.protocol.text import safe_text
from lanchat.protocol.timeline import index_of
from lanchat.protocol.timing import DEFAULT_TIMING, Timing

Spread = Callable[[float, float], float]  # a random number between two; `random.uniform` but in tests


def backoff(
    timing: Timing = DEFAULT_TIMING,
    patience: float | None = None,
    hasty: bool = False,
    first: float | None = None,
    *,
    spread: Spread,
) -> Iterator[float]:
    """The pauses before each attempt, in s. They are randomised by half, so that members do not all reconnect at once.

    Args:
        patience: s of pauses in all; None: without end.
        hasty: somebody else is expected to host the room in a moment, so the first pauses stay short.
        first: before the very first try, where a host waits for us already; it counts for no other one.
    """
    waited, pause = 0.0, timing.first_retry
    if first is not None:
        waited = first * spread(0.5, 1.5)
        yield waited
    while patience is None or waited < patience:
        wait = pause * spread(0.5, 1.5)
        wait = wait if patience is None else min(wait, patience - waited)
        yield wait
        waited += wait
        most = timing.ask_again if hasty and waited < timing.abandoned else timing.last_retry
        pause = min(pause * 2, most)


class HostSearch:
    """What a member knows while it looks for its host again, from one lost link to the next one.

    Args:
        lost: how the link has ended.
        people: the number of people in the room, who have all lost it as well.
        others: whether the room may go on at another computer, or at this one.
        now: s.

    Attributes:
        lost: why the last try failed.
        moved: the host has handed the room over, and said where it is.
        hasty: somebody else is expected to host it in a moment, or does so already.
        asks: whether a standby finds out first who hosts the room. Later it does so in any case.
    """

    def __init__(self, lost: errors.LanchatError, people: int, timing: Timing, now: float, *, others: bool) -> None:
        self.lost, self._timing = lost, timing
        self.moved = isinstance(lost, errors.RoomMoved)
        self._closed = isinstance(lost, errors.RoomClosed)  # then another host may well answer at its address
        self.hasty = others and not self._closed
        self.asks = self.hasty and not self.moved
        # The new host waits for us. Who comes is spread over the time that it takes to let all of them in.
        self._first = min(timing.first_retry, people * timing.join) if self.moved else None
        self._abandoned_at = now + timing.abandoned if self.hasty else math.inf
        self._passed_over_at = now + timing.host_silence + timing.ask + timing.promotion

    def pauses(self, patience: float | None, spread: Spread) -> Iterator[float]:
        """The pauses before each attempt; for the arguments see `backoff`."""
        if self.moved and patience is not None:
            patience = max(patience, self._timing.follow)
        return backoff(self._timing, patience, hasty=self.hasty, first=self._first, spread=spread)

    def is_abandoned(self, now: float) -> bool:
        """Whether nobody has taken over for so long that the person is told. True only once."""
        if now < self._abandoned_at:
            return False
        self._abandoned_at = math.inf
        return True

    def is_passed_over(self, now: float) -> bool:
        """Whether the likeliest standby does not host the room by now, so that another one does instead."""
        return now >= self._passed_over_at

    def is_surprising(self, error: errors.LanchatError) -> bool:
        """Whether a person is told why this try failed: another host answers, as it did not before."""
        return is_another_host(error) and str(error) != str(self.lost) and not self._closed


class AnotherRoom(errors.NoSuchRoom):
    """A host with the right key answers, but for another room."""


def may_reconnect(error: errors.LanchatError, reopening: bool = False) -> bool:
    """Whether to reconnect after this error: after a lost link or another host yes, after a refusal no.

    Args:
        reopening: wait for a room that its host has closed.
    """
    match error:
        case errors.Refused(code=code):
            return code in ("busy", "paused")
        case errors.RoomClosed():
            return reopening
        case _:
            return is_another_host(error) or isinstance(
                error, errors.ConnectionLost | errors.NoSuchRoom | errors.ProtocolError
            )


def is_another_host(error: errors.LanchatError) -> bool:
    """Whether another host answered, by the verdict of `SameRoom`."""
    return isinstance(error, errors.HostKeyChanged | AnotherRoom)


def is_occupied(error: errors.LanchatError, before: errors.LanchatError) -> bool:
    """Whether to look for the host elsewhere, because something else answers at its address.

    For something that does not speak lanchat this takes two errors in a row: a crowded host hangs up, too.

    Args:
        before: why the try before this one failed.
    """
    return is_another_host(error) or (isinstance(error, errors.NotLanchat) and isinstance(before, errors.NotLanchat))


def given_up(last: errors.LanchatError) -> errors.LanchatError:
    """The error for a person whose patience is over.

    Args:
        last: why the last try failed.
    """
    if isinstance(last, errors.HostKeyChanged):
        return last
    return errors.ConnectionLost(f"The host did not come back. {last}")


class SameRoom:
    """Trusts only the room of the first connection, at its owner and at those whom the owner lets host it.

    So no other host gets a password attempt. Owned by the reader thread.

    Attributes:
        hint: the index of the computer that hosts the room, as a standby has said that was asked just now; None: none.

    Args:
        first_key: the raw public key that the first host showed.
        now: returns ms since 1970.
        known, ahead: the newest list of standbys that an earlier run has seen, and the owner's clock; see
            `first_contact`.
        learned: called with what is to be remembered for a later run, when there is something new.
    """

    def __init__(
        self,
        first: Card,
        first_key: bytes,
        now: Callable[[], int],
        *,
        known: bytes = b"",
        ahead: int = 0,
        learned: Callable[[Papers], None] = lambda papers: None,
    ) -> None:
        self._now, self._learned = now, learned
        self.papers = self._latest = Papers(first.room, first.owner or first_key)
        self._take(first_contact(first, first_key, now(), known, ahead))
        self._host_key = first_key
        self.hint: int | None = None

    def __call__(self, card: Card, host_key: bytes) -> None:
        """Check a host before anything of ours is sent.

        Raises:
            HostKeyChanged: it may not host this room.
            AnotherRoom: the owner has another room there.
            Refused: it keeps a copy of the room and does not host it, or it asks for no password.
        """
        if host_key == self.papers.owner and card.room != self.papers.room:
            raise AnotherRoom(f'The host has another room there now ("{safe_text(card.title)}").')
        self.hint = None
        try:
            self._take(self.papers.accept(card, host_key, self._now()))
        except errors.Refused:
            if card.standby == "hears" and card.term:
                self.hint = index_of(read_term(card.term).epoch)
            raise
        self._host_key = host_key

    def shown(self) -> tuple[bytes, bytes]:
        """The papers that a hello shows: the newest delegation, and the record of the latest term that we have seen.

        The host that is greeted may have an earlier one, if it stayed while others of the room had another host: from
        this it learns that a term has begun there.
        """
        return self.papers.delegation, self._latest.term

    def learn(self, card: Card) -> None:
        """Another computer of this room has shown this card.

        Raises:
            ProtocolError: its list of standbys is false.
        """
        self._take(self.papers.learn(card.delegation))

    def renew(self, delegation: bytes, term: bytes) -> None:
        """The host that was checked last has sent these papers.

        Raises:
            ProtocolError: they are false.
        """
        self._take(self.papers.renewed(delegation, term, self._host_key, self._now()))

    def _take(self, papers: Papers) -> None:
        before, self.papers = self.papers, papers
        if papers.epoch >= self._latest.epoch:
            self._latest = papers
        if papers.delegation != before.delegation or abs(papers.ahead - before.ahead) > AHEAD_MATTERS:
            self._learned(papers)
