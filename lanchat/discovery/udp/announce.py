"""Seeing and being seen over UDP: a host announces its room every few seconds, and answers who seeks.

    Announcer (a thread)  -- here, every 3 s -->  everybody  <-- seek --  Seeker (a thread) --> reports
                          <------------------ seek ----------------------
                          ------ here, to the one who asked -->

An answer goes to the one who asked, and now and then to everybody: a firewall may drop what comes to
the random port of the question (wsdd #215), but let in what comes to the well-known one.
"""

import errno
import logging
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from lanchat.discovery.sighting import Advertisement, Sighting, Vanished
from lanchat.discovery.udp.flood_guard import ANNOUNCE_EVERY, Answering, AskBack, Hearing
from lanchat.discovery.udp.packets import Gone, Here, Knock, Seek, decode, encode, here
from lanchat.discovery.udp.sockets import Heard, Spots
from lanchat.network.listen import PORT_TRIES
from lanchat.protocol.address import DEFAULT_PORT, Address
from lanchat.protocol.limits import TokenBucket
from lanchat.threads import Closable

FIRST_TIMES = (0.0, 0.2, 1.0)  # s after the start that it is said besides: single packets get lost on Wi-Fi
SEEK_EVERY = 5.0  # s
GOODBYES = 2
KNOCK_LIMIT = 1.5  # s until a knock is over
MAX_KNOCKS = 4  # at once
CLOSE_LIMIT = 3.0  # s

_log = logging.getLogger(__name__)


class _Caller(Closable):
    """A thread with our spots in it. Nothing that goes wrong there ends more than that."""

    def __init__(self, thread_name: str, interfaces: Sequence[Address] | None, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._spots = Spots(interfaces, tell)
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=thread_name, daemon=True)

    def close(self) -> None:
        """Come to rest. May be called twice."""
        self._closing = True
        self._spots.wake()
        self._thread.join(CLOSE_LIMIT)

    def _run(self) -> None:
        try:
            self._call()
        except Exception as error:  # a platform that does what none of ours did: the chat goes on without
            _log.warning("calling over UDP failed", exc_info=True)
            self._tell(f"rooms are not announced or seen over UDP here ({error})")
        finally:
            self._spots.close()

    def _call(self) -> None:
        """Say what there is to say at its times, and take what comes, until `close`."""
        due = deque(time.monotonic() + after for after in FIRST_TIMES)
        while not self._closing:
            now = time.monotonic()
            if self._spots.follow(now) and now < due[0]:
                due.appendleft(now)
            if now >= due[0]:
                due.popleft()
                self._say(now)
                if not due:
                    due.append(now + self._pause)
            for heard in self._spots.hear(min(due[0] - now, self._patience)):
                self._take(heard, time.monotonic())
            self._tick(time.monotonic())
        self._farewell(time.monotonic())

    _pause = ANNOUNCE_EVERY  # s between two calls
    _patience = 1.0  # s between two ticks

    def _say(self, now: float) -> None:
        raise NotImplementedError

    def _take(self, heard: Heard, now: float) -> None:
        raise NotImplementedError

    def _tick(self, now: float) -> None:
        raise NotImplementedError

    def _farewell(self, now: float) -> None:
        pass


class Announcer(_Caller):
    """Tells everybody of a room, from now until `close`. Never raises into the host.

    Args:
        interfaces: where; None for everywhere.
        tell: takes problems, each once; called in a thread of our own.
        people: how many are inside; any thread.
    """

    def __init__(
        self,
        advertisement: Advertisement,
        interfaces: Sequence[Address] | None,
        tell: Callable[[str], None],
        people: Callable[[], int | None] = lambda: None,
    ) -> None:
        super().__init__("announce", interfaces, tell)
        self._advertisement = advertisement
        self._people = people
        now = time.monotonic()
        self._answering = Answering(now)
        self._aloud = TokenBucket(1.0, 1.0, now)  # answers to everybody: one a second, whoever asks
        self._knocks: deque[tuple[float, socket.socket]] = deque()
        self._knocking = TokenBucket(1.0, 3.0, now)
        self._thread.start()

    def _say(self, now: float) -> None:
        self._spots.shout(encode(here(self._advertisement, self._people())), now)

    def _take(self, heard: Heard, now: float) -> None:
        match decode(heard.data):
            case Seek(nonce):
                self._answer(heard, nonce, now)
            case Knock(port, nonce) if self._answering.may_answer(heard.source, (heard.where, nonce), now):
                self._knock(heard.source, port, now)
            case _:
                pass

    def _answer(self, heard: Heard, nonce: str, now: float) -> None:
        data = encode(here(self._advertisement, self._people(), nonce))
        if len(data) > len(heard.data):
            return  # else we would make somebody's small packet a big one
        if self._answering.may_answer(heard.source, (heard.where, nonce), now):
            heard.spot.answer(data, heard.where)
            if self._aloud.spare(1, now):
                self._say(now)

    def _knock(self, source: str, port: int, now: float) -> None:
        """Connect to whoever asks for it: at a port of lanchat, on our network, and close again. Nothing is sent."""
        if not DEFAULT_PORT <= port < DEFAULT_PORT + PORT_TRIES or len(self._knocks) >= MAX_KNOCKS:
            return
        if not self._knocking.spare(1, now):
            return
        try:
            family, kind, _, _, where = socket.getaddrinfo(
                source, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
            )[0]
            sock = socket.socket(family, kind)
        except OSError:
            return
        sock.setblocking(False)
        failed = sock.connect_ex(where) not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK)
        self._knocks.append((now if failed else now + KNOCK_LIMIT, sock))

    def _tick(self, now: float) -> None:
        while self._knocks and now >= self._knocks[0][0]:
            self._knocks.popleft()[1].close()

    def _farewell(self, now: float) -> None:
        for _ in range(GOODBYES):
            self._spots.shout(encode(Gone(self._advertisement.room_id)), now)
        self._tick(now + KNOCK_LIMIT)


class Seeker(_Caller):
    """Asks everybody for their rooms, and listens to those who announce, until `close`.

    Args:
        interfaces: where; None for everywhere.
        report: takes what is seen; called in a thread of our own.
        tell: takes problems, likewise, each once.
    """

    _pause = SEEK_EVERY

    def __init__(
        self,
        interfaces: Sequence[Address] | None,
        report: Callable[[Sighting | Vanished], None],
        tell: Callable[[str], None],
    ) -> None:
        super().__init__("seek", interfaces, tell)
        self._report = report
        self._hearing = Hearing(_nonce, time.monotonic())
        self._thread.start()

    def _say(self, now: float) -> None:
        self._spots.shout(encode(Seek(_nonce())), now)

    def _take(self, heard: Heard, now: float) -> None:
        match decode(heard.data):
            case Here() as said:
                match self._hearing.hear(heard.source, said, now):
                    case Sighting() as sighting:
                        self._report(sighting)
                    case AskBack(source, nonce):
                        self._spots.whisper(encode(Seek(nonce)), source)
                    case None:
                        pass
            case Gone() as said:
                self._tell_gone(self._hearing.gone(heard.source, said))
            case _:
                pass

    def _tick(self, now: float) -> None:
        self._tell_gone(self._hearing.expired(now))

    def _tell_gone(self, vanished: list[Vanished]) -> None:
        for one in vanished:
            self._report(one)


def _nonce() -> str:
    return secrets.token_hex(8)
