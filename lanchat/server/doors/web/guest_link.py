"""The guest link of a room with a password: its ticket lets anybody in by a browser, until it runs out."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from lanchat.protocol.guest_ticket import TICKET_SIZE, fits

HOURS = 24.0  # that a guest link is valid, unless the host says otherwise


@dataclass(frozen=True)
class Ticket:
    """The secret in a guest link, and until when it lets browsers in."""

    secret: bytes
    until: float  # s since 1970


class GuestLink:
    """The one ticket that is valid now. Any thread.

    Args:
        save: stores a new ticket; never waits.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        save: Callable[[Ticket], None] = lambda ticket: None,
    ) -> None:
        self._clock = clock
        self._save = save
        self._lock = threading.Lock()  # guards the ticket
        self._ticket: Ticket | None = None

    def restore(self, ticket: Ticket) -> None:
        """Use this ticket, which comes from an earlier run or from another computer."""
        with self._lock:
            self._ticket = ticket

    def current(self) -> Ticket:
        """The valid ticket; a new one if there is none or it has run out."""
        with self._lock:
            if self._ticket is None or self._clock() >= self._ticket.until:
                self._ticket = self._make(HOURS)
            return self._ticket

    def renew(self, hours: float = HOURS) -> Ticket:
        """Replace the ticket, so that the old one opens nothing any more."""
        with self._lock:
            self._ticket = self._make(hours)
            return self._ticket

    def admits(self, proof: bytes, binding: bytes, key: bytes) -> bool:
        """Whether this proof was made with the valid ticket, for this link and key."""
        with self._lock:
            ticket = self._ticket
        return ticket is not None and self._clock() < ticket.until and fits(ticket.secret, proof, binding, key)

    def _make(self, hours: float) -> Ticket:
        ticket = Ticket(secrets.token_bytes(TICKET_SIZE), self._clock() + hours * 3600)
        self._save(ticket)
        return ticket
