"""Members that write down what they say and see."""

import socket
import threading
from collections.abc import Callable
from itertools import count

from lanchat.client.events import Acked, Closed, Connected, Disconnected, Item, PrivateMessage
from lanchat.client.member import Member
from lanchat.errors import LanchatError
from lanchat.protocol.messages import Card, Joined, Left, Notice, Renamed, Said
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.storage.identity import Identity
from lanchat.storage.member_store import MemberStore, NoStore
from tests.faults.chronicle import Chronicle, said_in
from tests.support.waiting import wait_until

WINDOW = 64  # messages of one talker on their way at once


class Talker:
    """A member, a thread that takes what comes, and perhaps one that talks. Made and closed by one thread.

    Args:
        patience: as for Member; by default it never gives up.
    """

    def __init__(
        self,
        chronicle: Chronicle,
        dial: Callable[[], socket.socket],
        identity: Identity,
        nick: str,
        *,
        open_store: Callable[[Card], MemberStore] = lambda card: NoStore(),
        timing: Timing = DEFAULT_TIMING,
        patience: float | None = None,
        first: int = 1,
    ) -> None:
        self.nick = nick
        self.seq = -1  # of the last event on the screen, or of the welcome
        self.last = ""  # text on the screen
        self.texts: set[str] = set()  # on the screen so far
        self.in_room = False
        self.ended: LanchatError | None = None
        self.told: list[str] = []  # codes of notices
        self.member = Member(dial, identity, nick, patience=patience, open_store=open_store, timing=timing)
        self._chronicle = chronicle
        self._numbers = count(first)
        self._saying = threading.Lock()  # guards the order of our numbers, which is that of our messages
        self._stop = threading.Event()
        self._listener: threading.Thread | None = None
        self._speaker: threading.Thread | None = None

    def join(self) -> "Talker":
        self.member.join()
        self._listener = threading.Thread(target=self._listen, name=f"listener-{self.nick}")
        self._listener.start()
        wait_until(lambda: self.in_room, what="the welcome")
        return self

    def say(self, more: str = "") -> str:
        """The next of our texts. It is said at once, or kept for later."""
        with self._saying:
            text = f"{self.nick}-{next(self._numbers)}"
            self._chronicle.note(self.nick, "attempted", text)
            id = self.member.outgoing.say(text + more)
            self._chronicle.note(self.nick, "said", text, id)
        return text

    def talk(self, rate: float) -> None:
        """From now on, so many messages a second, whatever happens."""
        self._stop.clear()
        self._speaker = threading.Thread(target=self._speak, args=(1 / rate,), name=f"speaker-{self.nick}")
        self._speaker.start()

    def hush(self) -> None:
        self._stop.set()
        if self._speaker is not None:
            self._speaker.join()
            self._speaker = None

    def settled(self) -> None:
        self._chronicle.note(self.nick, "settled", seq=self.seq)

    def close(self) -> None:
        """May be called twice."""
        self.hush()
        self.member.close()
        if self._listener is not None:
            self._listener.join()

    def _speak(self, pause: float) -> None:
        while not self._stop.wait(pause):
            try:
                while not self.member.delivery.wait_acked(0.5, below=WINDOW):
                    if self._stop.is_set():
                        return
            except LanchatError:
                return  # the room is gone, which the chronicle says
            self.say()

    def _listen(self) -> None:
        while self.ended is None:
            for item in self.member.queue.take():
                self._note(item)
                if isinstance(item, PrivateMessage):
                    self.member.confirm([item])

    def _note(self, item: Item) -> None:
        match item:
            case Connected(welcome=welcome, again=again):
                if not again:
                    self.seq = welcome.seq
                self._chronicle.note(self.nick, "back" if again else "joined", seq=welcome.seq)
                self.in_room = True
            case Disconnected():
                self.in_room = False
                self._chronicle.note(self.nick, "lost")
            case Acked(ids):
                for id in ids:
                    self._chronicle.note(self.nick, "acknowledged", id=id)
            case Notice(code=code, text=text):
                self.told.append(code)
                self._chronicle.note(self.nick, "told", text, code)
            case Closed(error):
                self.ended = error
                self._chronicle.note(self.nick, "ended", str(error))
            case Said() | Joined() | Left() | Renamed():
                text = said_in(item)
                self._chronicle.note(self.nick, "shown", text, seq=item.seq)
                self.seq, self.last = max(self.seq, item.seq), text or self.last
                self.texts.add(text)
            case _:
                pass
