"""The judgement of a room that has moved: what was lost, came twice, or differs, and who hosted it when. Pure.

A text says who said it and which of theirs it is ("ann-17").
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lanchat.protocol.messages import Event, Said


@dataclass(frozen=True)
class Evidence:
    """What is known in the end, when everybody has fallen silent and everything is acknowledged.

    Args:
        said: the texts of each person, in their order.
        shown: the texts on each screen, in their order.
        logs: the log or the copy of each computer.
        hosts: the computers that host the room now.
        terms: each start of hosting: of which computer, in which of its lives, and the epoch.
        apart: two have hosted the room at once, or a host has gone on alone: what the others lacked of that was said
            again behind later lines.
    """

    said: Mapping[str, Sequence[str]]
    shown: Mapping[str, Sequence[str]]
    logs: Mapping[str, Sequence[Event]]
    hosts: Sequence[str]
    terms: Sequence[tuple[str, int]]
    apart: bool = False


def verdict(evidence: Evidence) -> list[str]:
    """What is wrong, as sentences; a good run has none."""
    return [
        *_hosts(evidence),
        *_terms(evidence),
        *_screens(evidence),
        *(fault for name, log in evidence.logs.items() for fault in _log(name, log, evidence)),
        *_differences(evidence.logs),
    ]


def _hosts(evidence: Evidence) -> Iterator[str]:
    if len(evidence.hosts) != 1:
        yield f"{len(evidence.hosts)} host the room in the end: {', '.join(evidence.hosts) or 'nobody'}"


def _terms(evidence: Evidence) -> Iterator[str]:
    of: dict[int, list[str]] = defaultdict(list)
    if not evidence.terms:
        yield "nobody was seen to begin hosting"  # then nothing below can be found
    for life, epoch in evidence.terms:
        of[epoch].append(life)
    for epoch, lives in of.items():
        if len(lives) > 1:
            yield f"{len(lives)} have hosted the epoch {epoch}: {', '.join(lives)}"


def _screens(evidence: Evidence) -> Iterator[str]:
    said = Counter(text for texts in evidence.said.values() for text in texts)
    for name, shown in evidence.shown.items():
        yield from (f"the screen of {name} lacks {text}" for text in (said - Counter(shown)))
        yield from (f"the screen of {name} has {text} too often" for text in (Counter(shown) - said))
        if not evidence.apart:
            yield from _order(f"the screen of {name}", shown)


def _log(name: str, log: Sequence[Event], evidence: Evidence) -> Iterator[str]:
    said = Counter(text for texts in evidence.said.values() for text in texts)
    lines = [event for event in log if isinstance(event, Said)]
    logged = Counter(line.text for line in lines)
    yield from (f"{text} was acknowledged, and the log of {name} has lost it" for text in (said - logged))
    yield from (f"the log of {name} has {text} too often" for text in (logged - said))
    for before, after in pairwise(log):
        if after.seq <= before.seq:
            yield f"the log of {name} has the number {after.seq} behind {before.seq}"
    if not evidence.apart:
        yield from _order(f"the log of {name}", [line.text for line in lines if not line.late])


def _order(where: str, texts: Sequence[str]) -> Iterator[str]:
    last: dict[str, int] = {}
    for text in texts:
        author, _, number = text.rpartition("-")
        if int(number) < last.get(author, 0):
            yield f"{where} has {text} behind {author}-{last[author]}"
        last[author] = int(number)


def _differences(logs: Mapping[str, Sequence[Event]]) -> Iterator[str]:
    (first, log), *others = logs.items()
    for name, other in others:
        if list(other) != list(log):
            at = next((i for i, (one, two) in enumerate(zip(log, other, strict=False)) if one != two), None)
            where = "their ends" if at is None else f"the number {log[at].seq}"
            yield f"the logs of {first} and {name} differ, from {where} on"
