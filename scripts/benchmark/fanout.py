"""Fan-out: how many deliveries a second, while each sender keeps a window of messages under way."""

import time
from dataclasses import dataclass

from scripts.benchmark.check import Receiver, Stream, Tally, Verdict
from scripts.benchmark.crowd import Crowd, Hear, Member
from scripts.benchmark.machine import Use


@dataclass(frozen=True)
class Fanout:
    """A task for the load process.

    Args:
        seconds: how long they talk.
        window: messages of a sender that its judge has not read yet.
        patience: s without a byte, after which what is missing is lost.
        least: messages that each sender sends even if that takes longer.
    """

    senders: int
    seconds: float
    window: int = 64
    patience: float = 5.0
    least: int = 0

    def run(self, crowd: Crowd) -> "FanoutResult":
        return _Run(self, crowd).run()


@dataclass(frozen=True)
class FanoutResult:
    members: int
    senders: int
    deliveries: int
    seconds: float  # first send to last delivery
    use: Use
    verdict: Verdict
    dropped: int


class _Run:
    def __init__(self, task: Fanout, crowd: Crowd) -> None:
        self._task = task
        self._crowd = crowd
        self._marks = crowd.next_marks()
        self._speakers = crowd.members[: task.senders]
        self._stream = Stream()
        self._receivers: dict[Member, Receiver] = {}
        self._sent = [0] * task.senders
        self._judges = self._choose_judges()
        self._last_ns = 0

    def run(self) -> FanoutResult:
        crowd, task = self._crowd, self._task
        then: dict[Member, Hear] = {}
        followers = []
        for member in crowd.members:
            follows = member not in self._judges.values() and (crowd.dialect.echoes or member not in self._speakers)
            if follows:
                followers.append(member)
            then[member] = self._receive(member, follows)
        dropped = crowd.dropped
        crowd.sync(self._marks, then, followers)
        meter, started = crowd.meter(), time.monotonic_ns()
        stop_at = time.monotonic() + task.seconds
        self._refill()
        while time.monotonic() < stop_at or min(self._sent) < task.least:
            crowd.poll(0.1)
            self._refill()
        self._drain()
        use = meter.read()
        verdict = self._verdict()
        crowd.ignore()
        seconds = (self._last_ns - started) / 1e9 if self._last_ns else task.seconds
        return FanoutResult(
            len(crowd.members), task.senders, verdict.seen, seconds, use, verdict, crowd.dropped - dropped
        )

    def _choose_judges(self) -> dict[int, Member]:
        """For each sender the member whose reading opens its window: one in the middle, but not itself."""
        members, judges = self._crowd.members, {}
        for sender in range(self._task.senders):
            middle = len(members) // 2
            judges[sender] = members[middle if middle != sender or self._crowd.dialect.echoes else middle + 1]
        return judges

    def _receive(self, member: Member, follows: bool) -> Hear:
        stream = self._stream if follows else None
        receiver = Receiver(self._marks, self._task.senders, stream, self._crowd.dialect.noise)
        self._receivers[member] = receiver

        def hear(data: bytes) -> None:
            if receiver.take(data):
                self._crowd.reply(member, data)
            self._last_ns = time.monotonic_ns()

        return hear

    def _refill(self) -> None:
        say = self._crowd.dialect.say
        for sender, member in enumerate(self._speakers):
            sent = self._sent[sender]
            room = self._task.window - sent + self._receivers[self._judges[sender]].tally.next[sender]
            if room > 0:
                now = time.monotonic_ns()
                numbers = range(sent, sent + room)
                lines = [say(self._marks.text(sender, n, now), self._marks.id(n)) for n in numbers]
                self._sent[sender] = sent + room
                self._crowd.send(member, b"".join(lines))

    def _drain(self) -> None:
        """Until all have got what they were sent, or nothing more comes."""
        silent_since = time.monotonic()
        while time.monotonic() - silent_since < self._task.patience:
            if self._crowd.poll(0.02):
                silent_since = time.monotonic()
            elif self._complete():
                return

    def _complete(self) -> bool:
        streamed = self._stream.data.count(self._marks.begin)
        return all(
            receiver.tally.next == self._expected(member)
            if receiver.stream is None
            else streamed == sum(self._expected(member)) and receiver.got == len(self._stream.data)
            for member, receiver in self._receivers.items()
        )

    def _expected(self, member: Member) -> list[int]:
        """What this one should have got of each sender."""
        if self._crowd.dialect.echoes:
            return self._sent
        return [0 if speaker is member else sent for speaker, sent in zip(self._speakers, self._sent, strict=True)]

    def _verdict(self) -> Verdict:
        tally = Tally(self._marks, self._task.senders)
        tally.feed(bytes(self._stream.data))
        total = Verdict()
        for member, receiver in self._receivers.items():
            followed = receiver.stream is not None and receiver.got == len(self._stream.data)
            total.add((tally if followed else receiver.final()).verdict(self._expected(member)))
        return total
