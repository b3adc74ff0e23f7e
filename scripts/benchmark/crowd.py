"""A crowd of clients on one epoll: they join, hear each other, and then do a task."""

import select
import time
from collections.abc import Callable
from dataclasses import dataclass

from scripts.benchmark.check import Marks
from scripts.benchmark.client import Client, Disconnected, client_context
from scripts.benchmark.dialects import Dialect, Greeting
from scripts.benchmark.machine import Meter, Use, rss_kib

_SYNC_EVERY = 0.1  # s
_SYNC_LIMIT = 30.0  # s until everybody hears everybody
_LAST_SYNC = 999_999
_FEW = 32  # members
_SETTLE = 0.3  # s without a byte after which all the joins are told

Hear = Callable[[bytes], object]


@dataclass(frozen=True)
class Target:
    """A running server."""

    port: int
    pid: int
    dialect: Dialect
    under_way: int = 16  # joins at once
    join_limit: float = 60.0  # s for all to join


@dataclass(frozen=True)
class Joins:
    """The joins of the crowd."""

    asked: int
    joined: int
    seconds: float
    times: list[float]  # s, of each join
    use: Use
    rss: int  # KiB of the server, once all are inside
    rss_each: float  # KiB of a member, over what the first few of them cost: that is code and tables


class Member:
    """One client, and the function that takes the bytes it hears."""

    def __init__(self, number: int, client: Client) -> None:
        self.number = number
        self.client = client
        self.began = time.monotonic()
        self.greeting: Greeting | None = None
        self.hear: Hear = lambda data: None


class Crowd:
    """Owned by the load process, which closes it."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.dialect = target.dialect
        self.members: list[Member] = []  # those inside, by number
        self.dropped = 0  # connections that the server ended
        self._context = client_context() if target.dialect.tls else None
        self._epoll = select.epoll()
        self._by_file: dict[int, Member] = {}
        self._run = 0

    def next_marks(self) -> Marks:
        self._run += 1
        return Marks(self._run)

    def meter(self) -> Meter:
        return Meter(self.target.pid)

    def join(self, count: int) -> Joins:
        """Let so many join, at most `target.under_way` at a time, and wait until all notices about it have come."""
        meter, started = self.meter(), time.monotonic()
        times: list[float] = []
        few, rss_of_few, begun = 0, 0, 0
        while len(times) < count and not self.dropped and time.monotonic() - started < self.target.join_limit:
            while begun < count and begun - len(times) < self.target.under_way:
                self._begin(begun, times)
                begun += 1
            self.poll(0.1)
            if not few and len(times) >= min(_FEW, count // 2):
                few, rss_of_few = len(times), rss_kib(self.target.pid)
        seconds, use = time.monotonic() - started, meter.read()
        self.members.sort(key=lambda member: member.number)
        self.quiet(_SETTLE)
        rss, more = rss_kib(self.target.pid), len(times) - few
        return Joins(count, len(times), seconds, times, use, rss, (rss - rss_of_few) / more if more else 0.0)

    def poll(self, timeout: float) -> bool:
        """Wait for bytes, and hand them to their members.

        Returns:
            Whether anything came.
        """
        events = self._epoll.poll(timeout)
        for file, event in events:
            member = self._by_file[file]
            try:
                if event & select.EPOLLOUT:
                    member.client.flush()
                    if not member.client.wants_to_write:
                        self._epoll.modify(file, select.EPOLLIN)
                if event & ~select.EPOLLOUT:
                    data = member.client.read()
                    if data or member.greeting is None:  # None: TLS may be done now
                        member.hear(data)
            except Disconnected:
                self._drop(member)
        return bool(events)

    def send(self, member: Member, data: bytes) -> None:
        if data and member.client.socket.fileno() >= 0:  # else it was dropped, which is counted
            member.client.write(data)
            if member.client.wants_to_write:
                self._epoll.modify(member.client.socket, select.EPOLLIN | select.EPOLLOUT)

    def say(self, member: Member, text: bytes, id: int) -> None:
        self.send(member, self.dialect.say(text, id))

    def reply(self, member: Member, data: bytes) -> None:
        """Answer what needs an answer in these bytes."""
        self.send(member, self.dialect.reply(data))

    def quiet(self, seconds: float) -> None:
        """Take bytes until none have come for so long; at most 20 times as long."""
        limit = time.monotonic() + 20 * seconds
        while self.poll(seconds) and time.monotonic() < limit:
            pass

    def sync(self, marks: Marks, then: dict[Member, Hear], followers: list[Member]) -> None:
        """Make sure that everybody is in the room, and that all followers begin at the same line.

        Args:
            then: takes what each member hears after that.

        Raises:
            TimeoutError: somebody does not hear the others.
        """
        deadline = time.monotonic() + _SYNC_LIMIT
        deaf = {member: b"" for member in self.members}  # with the end of what each has heard
        for member in self.members:
            member.hear = self._until(member, marks, 1, deaf, self._ignoring(member))
        for number in range(1, _LAST_SYNC):
            for speaker in self.members[: 1 if self.dialect.echoes else 2]:  # the second one for the first
                self.say(speaker, marks.sync(number), -marks.id(number))
            self._wait(deaf, min(deadline, time.monotonic() + _SYNC_EVERY))
            if not deaf:
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(deaf)} of {len(self.members)} hear nothing")
        self.quiet(_SYNC_EVERY)
        behind = {member: b"" for member in followers}
        for member in self.members:
            member.hear = then[member]
            if member in behind:
                member.hear = self._until(member, marks, _LAST_SYNC, behind, then[member])
        if behind:
            self.say(self.members[0], marks.sync(_LAST_SYNC), -marks.id(_LAST_SYNC))
            self._wait(behind, deadline)
        if behind:
            raise TimeoutError(f"{len(behind)} of {len(self.members)} hear nothing")

    def ignore(self) -> None:
        """Ignore what comes from now on."""
        for member in self.members:
            member.hear = self._ignoring(member)

    def close(self) -> None:
        for member in self._by_file.values():
            member.client.close()
        self._epoll.close()

    def _begin(self, number: int, times: list[float]) -> None:
        member = Member(number, Client(self.target.port, self._context))
        self._by_file[member.client.socket.fileno()] = member
        self._epoll.register(member.client.socket, select.EPOLLIN)
        if member.client.wants_to_write:
            self._epoll.modify(member.client.socket, select.EPOLLIN | select.EPOLLOUT)

        def greet(data: bytes) -> None:
            try:
                if member.greeting is None:
                    member.greeting = self.dialect.greet(number, member.client.certificate())
                    self.send(member, next(member.greeting))
                if data:
                    self.send(member, member.greeting.send(data))
            except StopIteration as inside:
                self.send(member, inside.value)
                times.append(time.monotonic() - member.began)
                member.hear = self._ignoring(member)
                self.members.append(member)

        def handshake(data: bytes) -> None:
            if member.client.established:
                member.hear = greet
                greet(data)

        member.hear = handshake
        handshake(b"")

    def _until(self, member: Member, marks: Marks, number: int, waiting: dict[Member, bytes], then: Hear) -> Hear:
        """Waits for this sync, or for a later one; `then` gets what comes after its line."""

        def hear(data: bytes) -> None:
            self.reply(member, data)
            data = waiting[member] + data
            end = marks.after_sync(data, number)
            if end < 0:
                waiting[member] = data[-256:]
                return
            del waiting[member]
            member.hear = then
            if end < len(data):
                then(data[end:])

        return hear

    def _wait(self, for_: dict[Member, bytes], until: float) -> None:
        while for_ and (left := until - time.monotonic()) > 0:
            self.poll(left)

    def _ignoring(self, member: Member) -> Hear:
        return lambda data: self.reply(member, data)

    def _drop(self, member: Member) -> None:
        self.dropped += 1
        del self._by_file[member.client.socket.fileno()]
        member.client.close()
        if member in self.members:
            self.members.remove(member)
