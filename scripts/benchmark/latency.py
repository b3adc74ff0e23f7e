"""Latency: the time from when a message is due, at a fixed rate, until each receiver has read it."""

import statistics
import time
from dataclasses import dataclass

from scripts.benchmark.check import Receiver, Verdict
from scripts.benchmark.crowd import Crowd, Hear, Member
from scripts.benchmark.machine import Use

_SENDERS = 10  # take turns
_DRAIN = 0.5  # s without a byte
_SLEEP_MARGIN = 0.002  # s before a send that are spent looking, not sleeping: epoll counts in milliseconds


@dataclass(frozen=True)
class Latency:
    """A task for the load process: an open loop, in which messages do not wait for the server."""

    rate: int  # messages a second, in all
    seconds: float

    def run(self, crowd: Crowd) -> "LatencyResult":
        marks, senders = crowd.next_marks(), min(_SENDERS, len(crowd.members))
        receivers = {member: Receiver(marks, senders, None, None) for member in crowd.members}
        times: list[tuple[int, int]] = []

        def receive(member: Member) -> Hear:
            receiver = receivers[member]
            receiver.tally.times = times

            def hear(data: bytes) -> None:
                receiver.take(data, time.monotonic_ns())
                crowd.reply(member, data)

            return hear

        crowd.sync(marks, {member: receive(member) for member in crowd.members}, [])
        meter, started, sent = crowd.meter(), time.monotonic_ns(), [0] * senders
        count = int(self.rate * self.seconds)
        for n in range(count):
            due = started + n * 1_000_000_000 // self.rate
            while (left := (due - time.monotonic_ns()) / 1e9) > 0:
                crowd.poll(max(0.0, left - _SLEEP_MARGIN))
            sender = n % senders
            crowd.say(crowd.members[sender], marks.text(sender, sent[sender], due), marks.id(sent[sender]))
            sent[sender] += 1
        crowd.quiet(_DRAIN)
        use, verdict = meter.read(), Verdict()
        for number, member in enumerate(crowd.members):
            mine = [0 if s == number and not crowd.dialect.echoes else all_ for s, all_ in enumerate(sent)]
            verdict.add(receivers[member].tally.verdict(mine))
        crowd.ignore()
        return LatencyResult(
            len(crowd.members), self.rate, *percentiles([(b - a) / 1e6 for a, b in times]), use, verdict
        )


@dataclass(frozen=True)
class LatencyResult:
    members: int
    rate: int
    p50: float  # ms
    p99: float
    max: float
    use: Use
    verdict: Verdict


def percentiles(values: list[float]) -> tuple[float, float, float]:
    """p50, p99, max; 0 of nothing."""
    if len(values) < 2:
        return (values[0],) * 3 if values else (0.0, 0.0, 0.0)
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[98], max(values)
