"""The unacknowledged messages of a member, and the window in which they are resent. Pure."""

from collections import deque
from collections.abc import Sequence

from lanchat.protocol.drafts import PrivateDraft, Talk
from lanchat.protocol.messages import Receipt, Said, Say

REFUSED = 100  # private messages whose refusal is remembered
WINDOW = 64  # messages on their way at once; further ones wait, so that the host is not flooded


class Unacked:
    """Messages that no host has acknowledged yet, oldest first. Pure, and not thread safe."""

    def __init__(self) -> None:
        self._says: dict[str, tuple[Talk, int]] = {}  # by id, with its seq once it has one
        self.refused: dict[str, str] = {}  # why the host refused the last private messages, by id

    def __len__(self) -> int:
        return len(self._says)

    @property
    def talk(self) -> list[Talk]:
        return [say for say, _ in self._says.values()]

    def resend(self) -> list[Talk]:
        """All messages, to be resent after a reconnect.

        After a crash a host continues with much higher numbers, so the old ones no longer tell what it acknowledges.
        """
        self._says = {id: (say, 0) for id, (say, _) in self._says.items()}
        return [
            Say(say.id, say.text, say.action, again=True, at=say.at) if isinstance(say, Say) else say
            for say in self.talk
        ]

    def unheard(self, number: int) -> tuple[list[Talk], int]:
        """The newest messages that the host has not sent back yet, oldest first, and how many there are in all."""
        unheard = [say for say, seq in self._says.values() if not seq]
        return unheard[-number:], len(unheard)

    def drop_unheard(self) -> list[str]:
        """Forget the messages that the host has not sent back yet. Returns their ids."""
        unheard = [id for id, (_, seq) in self._says.items() if not seq]
        for id in unheard:
            del self._says[id]
        return unheard

    def add(self, say: Talk) -> None:
        self._says[say.id] = say, 0

    def numbered(self, said: Said) -> None:
        """The host has sent back one of our messages, with its number."""
        if said.id in self._says:
            self._says[said.id] = self._says[said.id][0], said.seq

    def acknowledged(self, seq: int) -> tuple[str, ...]:
        """The host has stored every event up to this seq. Returns the ids of our messages among them."""
        stored = tuple(id for id, (_, said) in self._says.items() if 0 < said <= seq)
        for id in stored:
            del self._says[id]
        return stored

    def draft(self, id: str) -> PrivateDraft | None:
        """The private message of this id."""
        draft, _ = self._says.get(id, (None, 0))
        return draft if isinstance(draft, PrivateDraft) else None

    def replace(self, draft: PrivateDraft) -> None:
        """From now on this draft is sent in place of the one with the same id."""
        self._says[draft.id] = draft, 0

    def settled(self, receipt: Receipt) -> bool:
        """The host has stored or refused one of our private messages. Returns whether this is the first receipt."""
        if self._says.pop(receipt.id, None) is None:
            return False
        if receipt.code == "refused":
            self.refused[receipt.id] = receipt.text
            if len(self.refused) > REFUSED:
                del self.refused[next(iter(self.refused))]
        return True


class ResendWindow:
    """Resends a few messages at a time, because a host drops a link that sends far too many at once.

    Pure, and not thread safe.

    Args:
        size: how many.
    """

    def __init__(self, size: int = WINDOW) -> None:
        self._size = size
        self._waiting: deque[Talk] = deque()
        self._under_way: set[str] = set()  # ids of messages that were resent and not answered yet

    @property
    def busy(self) -> bool:
        """Whether some of them have no place in the window yet."""
        return bool(self._waiting)

    def begin(self, talk: Sequence[Talk]) -> list[Talk]:
        """Begin to resend these messages. Returns the ones to send now."""
        self._waiting, self._under_way = deque(talk), set()
        return self._next()

    def is_behind(self, message: Talk) -> bool:
        """Whether this new message has to wait behind older ones; if so, it is queued."""
        if self._waiting:
            self._waiting.append(message)
        return bool(self._waiting)

    def answered(self, id: str) -> list[Talk]:
        """The host has answered this message. Returns the ones to send next."""
        self._under_way.discard(id)
        return self._next() if self._waiting else []

    def _next(self) -> list[Talk]:
        now: list[Talk] = []
        while self._waiting and len(self._under_way) < self._size:
            now.append(self._waiting.popleft())
            self._under_way.add(now[-1].id)
        return now
