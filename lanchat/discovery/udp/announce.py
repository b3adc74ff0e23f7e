"""Advertising and finding rooms over UDP: a host announces its room every few seconds, and answers those who seek.

    Announcer (a thread)  -- here, every 3 s -->  everybody  <-- seek --  Seeker (a thread) --> reports
                          <------------------ seek ----------------------
                          ------ here, to the sender of the question -->

An answer goes to the one who asked, and once a second at most to everybody as well: a firewall may drop what comes to
the random port of the question (wsdd #215), but let in what comes to the well-known port.
"""

import logging
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from lanchat.discovery.sighting import Advertisement, OnProblem, Report, Sighting, Vanished
from lanchat.discovery.udp.flood_guard import ANNOUNCE_EVERY, AnnouncementFilter, AnswerLimit, Challenge
from lanchat.discovery.udp.multicast import PORT
from lanchat.discovery.udp.packets import MAX_DATAGRAM, Connect, Gone, Here, Seek, decode, encode, here
from lanchat.discovery.udp.sockets import MulticastSockets, Received
from lanchat.network.addresses import OwnAddresses
from lanchat.network.connect import begin_connect
from lanchat.network.listen import PORT_TRIES
from lanchat.protocol.address import DEFAULT_PORT, Endpoint
from lanchat.protocol.limits import TokenBucket
from lanchat.threads import Closable

GOODBYES = 2  # packets; one may be lost
CONNECT_LIMIT = 1.5  # s that a connection on request is left open
MAX_CONNECTS = 4  # at once
CLOSE_LIMIT = 3.0  # s
_TICK_EVERY = 1.0  # s

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """When to send to everybody: at these seconds after the start, and then at a regular interval."""

    every: float
    first: tuple[float, ...] = (0.0, 0.2, 1.0)  # single packets get lost on Wi-Fi


ANNOUNCE_SCHEDULE = Schedule(ANNOUNCE_EVERY)
SEEK_SCHEDULE = Schedule(5.0)


class _UdpThread(Closable):
    """A thread that sends to everybody on a schedule, and handles what others send. No error leaves it.

    Raises:
        OSError: this process has no file descriptors left.
    """

    def __init__(self, name: str, on: OwnAddresses, on_problem: OnProblem, port: int, schedule: Schedule) -> None:
        self._on_problem = on_problem
        self._schedule = schedule
        self._closing = False
        self._sockets = MulticastSockets(on, on_problem, port)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def close(self) -> None:
        """Say goodbye and end the thread. May be called twice."""
        self._closing = True
        self._sockets.wake()
        self._thread.join(CLOSE_LIMIT)

    def _start(self) -> None:
        """Start the thread: the last thing that a constructor does."""
        try:
            self._thread.start()
        except BaseException:
            self._sockets.close()
            raise

    def _run(self) -> None:
        try:
            self._loop()
        except Exception as error:  # an operating system that behaves like none we know: the chat works without this
            _log.warning("discovery over UDP failed", exc_info=True)
            self._on_problem(f"Rooms are not announced or found over UDP here ({error}).")
        finally:
            self._sockets.close()

    def _loop(self) -> None:
        began = time.monotonic()
        due = deque(began + after for after in self._schedule.first)
        while not self._closing:
            now = time.monotonic()
            if self._sockets.follow_addresses(now) and now < due[0]:
                due.appendleft(now)  # a new network has heard nothing yet
            if now >= due[0]:
                due.popleft()
                self._send(now)
                if not due:
                    due.append(now + self._schedule.every)
            for received in self._sockets.receive(min(due[0] - now, _TICK_EVERY)):
                self._handle(received, time.monotonic())
            self._tick(time.monotonic())
        self._say_goodbye(time.monotonic())

    def _send(self, now: float) -> None:
        raise NotImplementedError

    def _handle(self, received: Received, now: float) -> None:
        raise NotImplementedError

    def _tick(self, now: float) -> None:
        raise NotImplementedError

    def _say_goodbye(self, now: float) -> None:
        pass


class Announcer(_UdpThread):
    """Announces a room until `close`, and answers those who seek. What goes wrong is never raised into the host.

    Args:
        on: our own addresses on the networks to announce on.
        on_problem: called with each problem once, and with "" when all are over, from the announcer's thread.
        people: how many are in the room; called from the announcer's thread.
        port: of UDP.

    Raises:
        OSError, RuntimeError: this process has no file descriptor or no thread left.
    """

    def __init__(
        self,
        advertisement: Advertisement,
        on: OwnAddresses,
        on_problem: OnProblem,
        people: Callable[[], int | None] = lambda: None,
        port: int = PORT,
        schedule: Schedule = ANNOUNCE_SCHEDULE,
    ) -> None:
        super().__init__("announce", on, on_problem, port, schedule)
        self._advertisement = advertisement
        self._people = people
        now = time.monotonic()
        self._answers = AnswerLimit(now)
        self._answers_to_all = TokenBucket(1.0, 1.0, now)  # one a second, however many ask
        self._connections: deque[tuple[float, socket.socket]] = deque()  # made on request, and when each is closed
        self._connects = TokenBucket(1.0, 3.0, now)
        self._start()

    def _run(self) -> None:
        try:
            super()._run()
        finally:
            for _, sock in self._connections:
                sock.close()

    def _send(self, now: float) -> None:
        self._sockets.broadcast(encode(here(self._advertisement, self._people())), now)

    def _handle(self, received: Received, now: float) -> None:
        match decode(received.data):
            case Seek(nonce):
                self._answer(received, nonce, now)
            case Connect() if len(received.data) < MAX_DATAGRAM:
                pass  # a small packet with a forged sender must not cause several larger ones
            case Connect(port, nonce) if self._answers.allows(received.sender, (received.reply_to, nonce), now):
                self._connect(received.sender, port, now)
            case _:
                pass

    def _answer(self, received: Received, nonce: str, now: float) -> None:
        data = encode(here(self._advertisement, self._people(), nonce))
        if len(data) > len(received.data):
            return  # a small packet with a forged sender must not become a large one
        if self._answers.allows(received.sender, (received.reply_to, nonce), now):
            received.socket.reply(data, received.reply_to)
            if self._answers_to_all.spare(1, now):
                self._send(now)

    def _connect(self, sender: str, port: int, now: float) -> None:
        """Connect to the sender once, only at a port that lanchat uses, and close again. Nothing is sent."""
        if not DEFAULT_PORT <= port < DEFAULT_PORT + PORT_TRIES or len(self._connections) >= MAX_CONNECTS:
            return
        if not self._connects.spare(1, now):
            return
        try:
            self._connections.append((now + CONNECT_LIMIT, begin_connect(Endpoint(sender, port))))
        except OSError as error:
            _log.debug("cannot connect to %s: %s", sender, error)

    def _tick(self, now: float) -> None:
        while self._connections and now >= self._connections[0][0]:
            self._connections.popleft()[1].close()

    def _say_goodbye(self, now: float) -> None:
        for _ in range(GOODBYES):
            self._sockets.broadcast(encode(Gone(self._advertisement.room_id)), now)


class Seeker(_UdpThread):
    """Asks everybody for their rooms, and listens to announcements, until `close`.

    Args:
        on: our own addresses on the networks to search.
        report: called from the seeker's thread.
        on_problem: called with each problem once, and with "" when all are over, from the seeker's thread.
        port: of UDP.

    Raises:
        OSError, RuntimeError: this process has no file descriptor or no thread left.
    """

    def __init__(
        self,
        on: OwnAddresses,
        report: Report,
        on_problem: OnProblem,
        port: int = PORT,
    ) -> None:
        super().__init__("seek", on, on_problem, port, SEEK_SCHEDULE)
        self._report = report
        self._filter = AnnouncementFilter(_nonce, time.monotonic())
        self._start()

    def _send(self, now: float) -> None:
        self._sockets.broadcast(encode(Seek(_nonce())), now)

    def _handle(self, received: Received, now: float) -> None:
        match decode(received.data):
            case Here() as packet:
                match self._filter.here(received.sender, packet, now):
                    case Sighting() as sighting:
                        self._report(sighting)
                    case Challenge(sender, nonce):
                        self._sockets.unicast(encode(Seek(nonce)), sender)
                    case None:
                        pass
            case Gone() as packet:
                self._report_all(self._filter.gone(received.sender, packet))
            case _:
                pass

    def _tick(self, now: float) -> None:
        self._report_all(self._filter.expired(now))

    def _report_all(self, vanished: list[Vanished]) -> None:
        for one in vanished:
            self._report(one)


def _nonce() -> str:
    return secrets.token_hex(8)
