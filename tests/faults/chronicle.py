"""What happened to whom, as JSON lines, and the judgement of it: what was lost, came twice, in another order, or never.

A text says who wrote it and which of theirs it is ("ann-17"); lanchat's own ids and seqs prove nothing by themselves.
"""

import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from lanchat.protocol.messages import Event, Said

What = Literal[
    "joined",  # in the room, on a new screen; seq: of the welcome
    "attempted",  # about to say this
    "said",  # `say` has returned this id
    "acknowledged",  # this id is on the host's disk
    "shown",  # on this screen; seq: the event's, text: of what was said, else ""
    "told",  # a notice; id: its code
    "lost",  # the link
    "back",
    "settled",  # this screen has all there is up to this seq, as far as it can know
    "ended",  # the member has given up
    "fault",  # the stage breaks something; who: for whom, or "" for all
    "mended",
]


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    at: float  # s, monotonic: one clock for all processes of this machine
    who: str
    what: What
    text: str = ""
    id: str = ""
    seq: int = 0


class Chronicle:
    """A file of records. Any thread; several processes may write into one, a line at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()  # guards the order of lines of this process
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(self, who: str, what: What, text: str = "", id: str = "", seq: int = 0) -> None:
        with self._lock:
            record = Record(time.monotonic(), who, what, text, id, seq)
            os.write(self._file, msgspec.json.encode(record) + b"\n")

    def records(self) -> list[Record]:
        """All of them, of other processes too. A line that a kill cut short was never written."""
        lines = self._path.read_bytes().split(b"\n")[:-1]
        return sorted((msgspec.json.decode(line, type=Record) for line in lines), key=lambda record: record.at)

    def close(self) -> None:
        os.close(self._file)


@dataclass(frozen=True)
class Verdict:
    """Each list holds sentences; a good run has none."""

    said: int
    acknowledged: int
    renumbered: int  # shown live, then the host died before they were kept: the log has them under a later number
    lost: tuple[str, ...] = ()
    duplicated: tuple[str, ...] = ()
    reordered: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def faults(self) -> list[str]:
        return [*self.lost, *self.duplicated, *self.reordered, *self.missing]

    def __str__(self) -> str:
        counts = f"said {self.said}, acknowledged {self.acknowledged}, lost {len(self.lost)}"
        return (
            f"{counts}, duplicated {len(self.duplicated)}, reordered {len(self.reordered)}, "
            f"missing {len(self.missing)}, renumbered after a crash {self.renumbered}"
        )


def said_in(event: Event) -> str:
    """Which text this is, without what makes it longer; "" for what nobody said."""
    return event.text.partition(" ")[0] if isinstance(event, Said) else ""


@dataclass
class _Screen:
    """What one member saw from one start of their program."""

    name: str
    since: int  # seq of the welcome
    shown: list[tuple[int, str]]
    settled: int = 0  # has all up to this seq; 0: nobody says so

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.shown if text]


def check(records: Sequence[Record], log: Sequence[Event], *, damaged: bool = False) -> Verdict:
    """Judge a run.

    Args:
        log: all events of the room's log, as it is in the end.
        damaged: the scenario destroyed a piece of the log; what screens have counts as kept. Authors say again what was
            in that piece, behind what they say now, so these lines may stand behind later ones.
    """
    said = {record.id: record.text for record in records if record.what == "said"}
    text_of = {event.id: said_in(event) for event in log if isinstance(event, Said)} | said  # a kill may cut off "said"
    acknowledged = {text_of.get(record.id, record.id): None for record in records if record.what == "acknowledged"}
    screens = _screens(records)
    logged = [(event.seq, said_in(event)) for event in log]
    in_log = {text: seq for seq, text in logged if text}
    kept = set(in_log).union(*(screen.texts for screen in screens)) if damaged else set(in_log)
    moved = {text for screen in screens for seq, text in screen.shown if text and in_log.get(text, seq) != seq}
    may_be_late = moved if damaged else set()
    views = [("the log", logged), *((screen.name, screen.shown) for screen in screens)]
    return Verdict(
        said=len(said),
        acknowledged=len(acknowledged),
        renumbered=sum(in_log.get(text, seq) != seq for screen in screens for seq, text in screen.shown if text),
        lost=tuple(f"{text} was acknowledged and is lost" for text in acknowledged if text not in kept),
        duplicated=tuple(fault for name, view in views for fault in _duplicated(name, view)),
        reordered=(*(one for name, view in views for one in _reordered(name, view, may_be_late)), *_ambiguous(views)),
        missing=tuple(fault for screen in screens if screen.settled for fault in _missing(screen, logged)),
    )


def _screens(records: Iterable[Record]) -> list[_Screen]:
    screens: list[_Screen] = []
    now: dict[str, _Screen] = {}
    for record in records:
        match record.what:
            case "joined":
                count = sum(screen.name.split("#")[0] == record.who for screen in screens)
                now[record.who] = _Screen(f"{record.who}#{count + 1}", record.seq, [])
                screens.append(now[record.who])
            case "shown":
                now[record.who].shown.append((record.seq, record.text))
            case "settled":
                now[record.who].settled = record.seq
            case _:
                pass
    return screens


def _duplicated(name: str, view: list[tuple[int, str]]) -> list[str]:
    texts = Counter(text for _, text in view if text)
    seqs = Counter(seq for seq, _ in view)
    return [f"{name} has {text} {count} times" for text, count in texts.items() if count > 1] + [
        f"{name} has the number {seq} {count} times" for seq, count in seqs.items() if count > 1
    ]


def _reordered(name: str, view: list[tuple[int, str]], may_be_late: set[str]) -> list[str]:
    faults = [
        f"{name} has {later} behind {earlier}"
        for (earlier, _), (later, _) in zip(view, view[1:], strict=False)
        if later < earlier
    ]
    numbers: dict[str, int] = defaultdict(lambda: -1)
    for _, text in view:
        if not text or text in may_be_late:
            continue
        author, _, number = text.rpartition("-")
        if int(number) < numbers[author]:
            faults.append(f"{name} has {text} behind {author}-{numbers[author]}")
        numbers[author] = int(number)
    return faults


def _ambiguous(views: list[tuple[str, list[tuple[int, str]]]]) -> list[str]:
    """Two that have different things under one number."""
    meaning: dict[int, str] = {}
    return [
        f"{name} has {text or 'an event'} as {seq}, others {meaning[seq] or 'an event'}"
        for name, view in views
        for seq, text in view
        if meaning.setdefault(seq, text) != text
    ]


def _missing(screen: _Screen, logged: list[tuple[int, str]]) -> list[str]:
    seqs, texts = {seq for seq, _ in screen.shown}, set(screen.texts)
    return [
        f"{screen.name} lacks {text or 'the event'} ({seq})"
        for seq, text in logged
        if screen.since < seq <= screen.settled and (text not in texts if text else seq not in seqs)
    ]


@dataclass(frozen=True)
class Times:
    """s; the worst of a run."""

    notice: float = 0.0  # from the fault until a member says that the link is lost
    back: float = 0.0  # from the repair until that member is in the room again


def times(records: Sequence[Record]) -> Times:
    """How long members took, where a fault cost them their link."""
    stage = [record for record in records if record.what in ("fault", "mended")]
    notice = back = 0.0
    for index, fault in enumerate(stage):
        if fault.what != "fault":
            continue
        same = [record for record in stage[index + 1 :] if record.who == fault.who]
        mended = next((record.at for record in same if record.what == "mended"), None)
        until = next((record.at for record in same if record.what == "fault"), float("inf"))
        lost: dict[str, float] = {}
        done: set[str] = set()
        for record in records:
            if not fault.at <= record.at < until or (fault.who and record.who != fault.who) or record.who in done:
                continue
            if record.what == "lost" and record.who not in lost:
                lost[record.who] = record.at
                notice = max(notice, record.at - fault.at)
            elif record.what == "back" and record.who in lost and mended is not None and record.at > mended:
                back = max(back, record.at - max(mended, lost[record.who]))
                done.add(record.who)
    return Times(notice, back)
