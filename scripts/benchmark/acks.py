"""Acknowledgements: the time from a `say` until its sender knows that it is stored. For members of lanchat only."""

import time
from collections import deque
from dataclasses import dataclass, field

from lanchat.protocol.framing import FROM_HOST, LineSplitter, decode_all
from lanchat.protocol.messages import Ack, Said
from scripts.benchmark.check import Marks
from scripts.benchmark.crowd import Crowd, Hear, Member
from scripts.benchmark.latency import percentiles
from scripts.benchmark.machine import Use

_DRAIN_LIMIT = 5.0  # s for the last acknowledgements


@dataclass(frozen=True)
class Acks:
    """A task for the load process.

    Args:
        window: messages of each member that are not acknowledged yet.
        rate: at most so many messages a second in all; None: as many as the window allows.
    """

    seconds: float
    window: int = 64
    rate: int | None = None

    def run(self, crowd: Crowd) -> "AcksResult":
        return _Run(self, crowd).run()


@dataclass(frozen=True)
class AcksResult:
    members: int
    rate: float  # acknowledged messages a second
    p50: float  # ms
    p99: float
    max: float
    lost: int  # never acknowledged
    use: Use


@dataclass
class _Speaker:
    """One member, and its messages that are not acknowledged yet."""

    said: int = 0
    splitter: LineSplitter = field(default_factory=LineSplitter)
    unheard: dict[str, int] = field(default_factory=dict)  # ns, by message id
    unstored: deque[tuple[int, int]] = field(default_factory=deque)  # seq, ns

    @property
    def waiting(self) -> int:
        return len(self.unheard) + len(self.unstored)


class _Run:
    def __init__(self, task: Acks, crowd: Crowd) -> None:
        self._task = task
        self._crowd = crowd
        self._marks: Marks = crowd.next_marks()
        self._speakers = {member: _Speaker() for member in crowd.members}
        self._times: list[float] = []

    def run(self) -> AcksResult:
        crowd, task = self._crowd, self._task
        crowd.sync(self._marks, {member: self._hear(member) for member in crowd.members}, [])
        meter, started = crowd.meter(), time.monotonic()
        said = 0
        while (now := time.monotonic() - started) < task.seconds:
            due = None if task.rate is None else int(now * task.rate) + 1 - said
            said += self._say(due)
            crowd.poll(0.1 if task.rate is None else 0.001)
        deadline = time.monotonic() + _DRAIN_LIMIT
        while any(speaker.waiting for speaker in self._speakers.values()) and time.monotonic() < deadline:
            crowd.poll(0.1)
        use = meter.read()
        crowd.ignore()
        lost = sum(speaker.waiting for speaker in self._speakers.values())
        return AcksResult(len(crowd.members), len(self._times) / use.seconds, *percentiles(self._times), lost, use)

    def _say(self, most: int | None) -> int:
        """Fill the windows in turn, with at most so many messages."""
        count = 0
        for member, speaker in sorted(self._speakers.items(), key=lambda item: item[1].said):
            room = self._task.window - speaker.waiting
            room = room if most is None else min(room, most - count)
            for _ in range(room):
                ns, id = time.monotonic_ns(), self._marks.id(speaker.said)
                self._crowd.say(member, self._marks.text(member.number, speaker.said, ns), id)
                speaker.unheard[str(id)] = ns
                speaker.said += 1
                count += 1
        return count

    def _hear(self, member: Member) -> Hear:
        speaker = self._speakers[member]

        def hear(data: bytes) -> None:
            self._crowd.reply(member, data)
            for message in decode_all(speaker.splitter.feed(data), FROM_HOST):
                if isinstance(message, Said) and message.id in speaker.unheard:
                    speaker.unstored.append((message.seq, speaker.unheard.pop(message.id)))
                elif isinstance(message, Ack):
                    now = time.monotonic_ns()
                    while speaker.unstored and speaker.unstored[0][0] <= message.seq:
                        self._times.append((now - speaker.unstored.popleft()[1]) / 1e6)

        return hear
