"""Acknowledgements: which session waits until the log has stored what it said. Pure; owned by the hub."""

from collections import deque
from collections.abc import Iterable, Iterator

from lanchat.protocol.messages import Ack, Notice, Receipt
from lanchat.server.session import Session


class Acks:
    """Gives out pairs of a session and what it is to be told.

    Args:
        stored: every event up to this seq is stored.
    """

    def __init__(self, stored: int) -> None:
        self.stored = stored
        self.trouble = ""  # why the log stores nothing now
        self._waiting: dict[Session, tuple[int, int]] = {}  # first and last seq of what a session waits for
        self._receipts: deque[tuple[int, Session, Receipt]] = deque()  # with the ticket that each waits for
        self._warned: set[Session] = set()  # they were told that what they say is not stored

    def wait(self, session: Session, seq: int) -> None:
        """This session has said this event, or said it again."""
        first, last = self._waiting.get(session, (seq, seq))
        self._waiting[session] = min(first, seq), max(last, seq)

    def wait_for_receipt(self, session: Session, ticket: int, receipt: Receipt) -> None:
        """This session gets the receipt once the record of this ticket is stored."""
        self._receipts.append((ticket, session, receipt))

    def forget(self, session: Session) -> None:
        """This session has ended."""
        self._waiting.pop(session, None)
        self._warned.discard(session)

    def store(self, ticket: int, seq: int) -> Iterator[tuple[Session, Ack | Receipt]]:
        """Every record up to this ticket is stored, and every event up to this seq."""
        self.stored = max(self.stored, seq)
        yield from self.due()
        while self._receipts and self._receipts[0][0] <= ticket:
            _, session, receipt = self._receipts.popleft()
            yield session, receipt

    def due(self) -> Iterator[tuple[Session, Ack]]:
        """Acks for what is stored already."""
        for session, (first, last) in list(self._waiting.items()):
            if self.stored < first:
                continue
            yield session, Ack(min(self.stored, last))
            if self.stored < last:
                self._waiting[session] = self.stored + 1, last
            else:
                del self._waiting[session]

    def set_trouble(self, text: str) -> Iterator[tuple[Session, Notice]]:
        """Why the log stores nothing now; "" when that is over."""
        self.trouble = text
        yield from self.warn(list(self._waiting if text else self._warned))

    def warn(self, sessions: Iterable[Session]) -> Iterator[tuple[Session, Notice]]:
        """Warns each session once that the room goes on without its log, and says once that this is over."""
        for session in sessions:
            if self.trouble and session not in self._warned:
                self._warned.add(session)
                yield (
                    session,
                    Notice("unsaved", f"What you say is delivered but not saved: {self.trouble} at the host."),
                )
            elif not self.trouble:
                self._warned.discard(session)
                yield session, Notice("saved", "What you say is saved again.")
