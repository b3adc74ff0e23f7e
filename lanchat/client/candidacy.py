"""Decides whether a member's computer offers itself as a standby, and what its person is told about that. Pure."""

import math
from collections.abc import Mapping

from lanchat.errors import LanchatError
from lanchat.protocol.papers import Papers
from lanchat.protocol.timing import Timing


class Candidacy:
    """Owned by the reader thread of a member; methods for any thread say so. All times are in s.

    Attributes:
        declined: our own person does not want it, or the disk is too full now.
        offered: the host of this link knows that the computer is ready to be a standby.
    """

    def __init__(self, timing: Timing) -> None:
        self._pause = timing.copy_retry
        self.declined = self.offered = False
        self._known = False  # our person was told that the computer is a standby, by this run or an earlier one
        self._ready = False  # a host has asked for this computer, or its person has offered it
        self._accepted = False  # our person has accepted, and the host does not know it yet
        self._again_at: float | None = None  # when a copy that was given up is tried again

    def begin(self, *, named: bool) -> bool:
        """A host has admitted us. Returns whether the computer offers itself.

        Args:
            named: whether the room is ours, or its owner has named this computer.
        """
        self.offered = False
        return not self.declined and (self._ready or named)

    def recall(self, *, named: bool) -> None:
        """A copy was opened, which tells whether our person knows from an earlier run that the computer is a standby.

        Args:
            named: whether the computer was a standby when the copy was used last.
        """
        self._known = self._known or named

    def offer(self) -> None:
        """The host is told that the computer is ready."""
        self.offered = self._ready = True

    def decline(self) -> None:
        """Our person wants the computer to be no standby any more. Any thread."""
        self.declined, self._known, self._again_at = True, False, None

    def accept(self) -> None:
        """The computer may be a standby again. Any thread."""
        self.declined, self._accepted, self._again_at = False, True, None

    def give_up(self) -> bool:
        """The disk cannot store the copy. Any thread. Returns whether to try again later, by `try_later`."""
        if self.declined and self._again_at is None:
            return False  # our person has declined anyway
        self.declined, self._again_at = True, math.inf
        return True

    def try_later(self, now: float) -> None:
        """The host was told that the copy was given up; after a while it is tried again. Any thread."""
        if self._again_at is not None:
            self._again_at = now + self._pause

    def begins_again(self, now: float) -> bool:
        """Whether to offer the computer again: our person has accepted, or it is time to try the disk again."""
        if self._again_at is not None and now >= self._again_at:
            self.accept()
        accepted, self._accepted = self._accepted, False
        return accepted and not self.declined

    def should_notify(self, *, named: bool) -> bool:
        """Whether our person is notified now that the computer is a standby, if it is one."""
        known, self._known = self._known, named
        return named and not known


def was_named(state: Mapping[str, bytes], papers: Papers, key: bytes) -> bool:
    """Whether a copy says that the computer with this key and this copy was a standby when it was used last.

    Args:
        state: of the copy, as `storage.moving` names it.
    """
    before = Papers(papers.room, papers.owner, state.get("delegation", b""))
    try:
        return before.index(key, state.get("instance", b"")) is not None
    except LanchatError:
        return False
