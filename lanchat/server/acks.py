"""Acks: which sessions wait until the log has stored their messages. Pure; owned by the hub thread."""

from collections import deque
from collections.abc import Iterable, Iterator

from lanchat.protocol.messages import Ack, Notice, Receipt
from lanchat.server.session import Session


class Acks:
    """Decides which sessions get acks, receipts and warnings, as pairs of a session and its message.

    Args:
        stored: every event up to this seq is stored.
    """

    def __init__(self, stored: int) -> None:
        self.stored = stored
        self.trouble = ""  # why the log stores nothing now; "": it does
        self._waiting: dict[Session, tuple[int, int]] = {}  # the first and the last seq that each session waits for
        self._receipts: deque[tuple[int, Session, Receipt]] = deque()  # with the number that each waits for
        self._warned: set[Session] = set()  # sessions that know that their messages are not stored now

    @property
    def awaited(self) -> bool:
        """Whether any session waits for an ack or a receipt."""
        return bool(self._waiting or self._receipts)

    def wait(self, session: Session, first: int, last: int) -> None:
        """This session sent or resent the messages of events from the first to the last seq, and waits for acks."""
        waiting = self._waiting.get(session, (first, last))
        self._waiting[session] = min(first, waiting[0]), max(last, waiting[1])

    def wait_for_receipt(self, session: Session, number: int, receipt: Receipt) -> None:
        """This session gets the receipt once the private message of this number is stored."""
        self._receipts.append((number, session, receipt))

    def forget(self, session: Session) -> None:
        """This session has ended."""
        self._waiting.pop(session, None)
        self._warned.discard(session)

    def store(self, seq: int, private: int) -> Iterator[tuple[Session, Ack | Receipt]]:
        """Every event up to this seq is stored, and every private message up to this number.

        While acks also wait for the disk of a standby, both numbers may be lower than before.
        """
        self.stored = seq
        yield from self.due()
        while self._receipts and self._receipts[0][0] <= private:
            _, session, receipt = self._receipts.popleft()
            yield session, receipt

    def due(self) -> Iterator[tuple[Session, Ack]]:
        """Acks for events that are stored already."""
        for session, (first, last) in list(self._waiting.items()):
            if self.stored < first:
                continue
            yield session, Ack(min(self.stored, last))
            if self.stored < last:
                self._waiting[session] = self.stored + 1, last
            else:
                del self._waiting[session]

    def set_trouble(self, text: str, hosts: Iterable[Session] = ()) -> Iterator[tuple[Session, Notice]]:
        """Note why the log stores nothing now; "": it stores messages again.

        Args:
            hosts: the sessions of who hosts the room. They are warned without having said anything: only there can
                somebody do something about it.
        """
        self.trouble = text
        yield from self.warn([*self._waiting, *hosts] if text else list(self._warned))

    def warn(self, sessions: Iterable[Session]) -> Iterator[tuple[Session, Notice]]:
        """Warn each session once that the log stores nothing, and tell it once when that is over."""
        for session in sessions:
            if self.trouble and session not in self._warned:
                self._warned.add(session)
                words = f"Messages are delivered but not stored: {self.trouble} on the host's computer."
                yield session, Notice("unstored", words)
            elif not self.trouble:
                self._warned.discard(session)
                yield session, Notice("stored", "Messages are stored again, those of the meantime as well.")
