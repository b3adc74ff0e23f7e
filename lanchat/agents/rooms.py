"""The rooms of an agent. A thread for each joins it, takes its messages, and joins again after the room is gone."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from lanchat.agents.inbox import AgentInbox
from lanchat.agents.rules import Allowed, LoopGuard
from lanchat.errors import LanchatError, Refused

if TYPE_CHECKING:
    from lanchat.api.room import JoinedRoom
    from lanchat.client.events import PrivateMessage

AGAIN_AFTER = (2.0, 5.0, 10.0, 30.0, 60.0)  # s before a room is tried again; the last for ever
RECEIPT_WAIT = 1.0  # s for a receipt that has come to be taken by the thread that hears


T = TypeVar("T")


class Once(Generic[T]):
    """A value that is made when it is first asked for: keys cost a start more than all else. Any thread."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: list[T] = []
        self._lock = threading.Lock()  # guards _made

    def __call__(self) -> T:
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]


class AgentRoom:
    """One room. `start` begins its thread; all else but `room` and `problem` is for any thread.

    Args:
        name: as the person named it.
        join: enters the room; may raise LanchatError.
        allowed: returns who may wake the agent; may raise LanchatError.
        note: called with a sentence for the person, when the room cannot be entered or is gone.
    """

    def __init__(
        self,
        name: str,
        join: Callable[[], "JoinedRoom"],
        inbox: AgentInbox,
        allowed: Callable[[], Allowed],
        note: Callable[[str], None],
    ) -> None:
        self.name = name
        self.title = name
        self.room: JoinedRoom | None = None
        self.problem = "The room is being joined. Try again in a second."  # while there is no room
        self.loop_guard = LoopGuard()
        self.lock = threading.Lock()  # guards loop_guard, unread and receipts
        self._join, self.inbox, self.allowed, self._note = join, inbox, allowed, note
        self.unread: dict[int, PrivateMessage] = {}  # private messages that the agent has not seen yet
        self.receipts: dict[str, str] = {}
        self.settled = threading.Condition(self.lock)
        self.closing = threading.Event()
        self._thread = threading.Thread(target=self._stay, name="agent-room")

    def start(self) -> None:
        self._thread.start()

    def joined(self) -> "JoinedRoom":
        """The room.

        Raises:
            LanchatError: we are not in it now.
        """
        if self.room is None:
            raise LanchatError(f"You are not in {self.title} now. {self.problem}")
        return self.room

    def keep(self, number: int, message: "PrivateMessage") -> None:
        """Keep a private message until the agent has seen it, or the inbox has forgotten it."""
        with self.lock:
            self.unread[number] = message
            while (oldest := next(iter(self.unread))) <= number - self.inbox.limit:
                del self.unread[oldest]

    def seen(self, numbers: set[int]) -> None:
        """The agent has got the messages with these numbers: private ones of them need not come again."""
        with self.lock:
            private = [self.unread.pop(number) for number in numbers & self.unread.keys()]
        if private and self.room is not None:
            self.room.confirm(private)

    def receipt(self, id: str) -> str:
        """What became of a private message that the host has settled; "": nothing is known."""
        with self.settled:
            self.settled.wait_for(lambda: id in self.receipts, RECEIPT_WAIT)
            return self.receipts.pop(id, "")

    def leave(self) -> None:
        """Leave the room; `join` waits for its thread."""
        self.closing.set()
        if self.room is not None:
            self.room.leave()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def _stay(self) -> None:
        from lanchat.agents.stay import Stay  # loads the whole client: the first answers come before that

        tries = 0
        while not self.closing.is_set():
            try:
                allowed, room = self.allowed(), self._join()
            except LanchatError as error:
                self._note_problem(error)
            else:
                tries = 0
                self.title, self.room = room.title, room
                with room:
                    end = Stay(self, room, allowed).run()
                self.room = None
                if not self.closing.is_set():
                    self._note_problem(end)
                if isinstance(end, Refused):
                    return  # kicked or banned: nobody wants us back
            self.closing.wait(AGAIN_AFTER[min(tries, len(AGAIN_AFTER) - 1)])
            tries += 1

    def _note_problem(self, error: LanchatError) -> None:
        """Note why the room cannot be entered, or has ended. A person is told once."""
        problem = " ".join(filter(None, (str(error), error.hint)))
        if problem != self.problem:
            self.problem = problem
            self._note(f"{self.title}: {problem}")
