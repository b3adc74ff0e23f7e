"""The bytes of a batch for each session: made once, in as few pieces as the sessions need."""

from collections.abc import Sequence
from typing import Any

import pytest

from lanchat.protocol.framing import encode, encode_lines
from lanchat.protocol.messages import FromHost, Joined, Notice, Said, Welcome
from lanchat.room.snapshot import Snapshot
from lanchat.server.batch import Batch
from lanchat.server.doors.native import LINES
from lanchat.server.doors.plain import PlainDoor
from lanchat.server.session import Dialect, Session

EVENTS = [
    Said(n, 0, "a" * 32, "ann", str(n), f"text {n}") if n % 3 else Joined(n, 0, "b" * 32, "bob") for n in range(9)
]
OWN = encode(Notice("rules", "for one alone"))


class Lines(Dialect):
    """The dialect of members, which counts the events that it encodes at once."""

    def __init__(self) -> None:
        self.runs: list[int] = []

    def encode(self, message: FromHost) -> bytes:
        return encode(message)

    def encode_all(self, messages: Sequence[FromHost]) -> bytes:
        self.runs.append(len(messages))
        return encode_lines(messages)

    def snapshot(self, snapshot: Snapshot) -> bytes:
        return b""


class Heard:
    """A link that keeps what is sent."""

    code = reason = ""
    keepalive: Any = None

    def __init__(self) -> None:
        self.bytes = b""

    def send(self, plain: bytes) -> None:
        self.bytes += plain

    def finish(self, plain: bytes = b"") -> None:
        self.send(plain)


def heard(session: Session) -> bytes:
    assert isinstance(session.link, Heard)
    return session.link.bytes


def lines(*numbers: int) -> bytes:
    return b"".join(encode(EVENTS[n]) for n in numbers)


@pytest.mark.parametrize("text", ["plain", "\x1b[31mred", "e\u0301t\u00e9", "two\nlines", "joiner at the end\u200d"])
@pytest.mark.parametrize("dialect", [LINES, PlainDoor(None)], ids=["native", "plain"])  # type: ignore[arg-type]
def test_events_have_the_same_bytes_alone_and_together(dialect: Dialect, text: str):
    events = [*EVENTS, Said(9, 0, "a" * 32, "ann", "9", text), Welcome("a" * 32, "ann", 0, 0, 0), *EVENTS]
    assert dialect.encode_all(events) == b"".join(map(dialect.encode, events))
    assert dialect.encode_all([]) == b""


def test_a_batch_without_bytes_for_one_alone_is_encoded_at_once():
    dialect = Lines()
    ann, bob = Session(Heard(), dialect), Session(Heard(), dialect)
    batch = Batch(0)
    batch.add(EVENTS)
    assert batch.deliver([ann, bob]) is None
    assert heard(ann) == heard(bob) == lines(*range(9))
    assert dialect.runs == [9]


def test_what_is_for_one_alone_stands_at_its_place_and_cuts_the_batch_there_and_nowhere_else():
    dialect = Lines()
    everybody, told, late, quiet, author = (Session(Heard(), dialect) for _ in range(5))
    quiet.deaf = True
    batch = Batch(0)
    batch.add(EVENTS[:4])
    batch.insert(told, OWN)
    batch.personal_for(late).start = 4
    batch.insert(quiet, OWN)
    batch.personal_for(author).skips |= {6, 7}
    batch.add(EVENTS[4:])
    batch.deliver([everybody, told, late, author])
    assert dialect.runs == [4, 2, 2, 1]
    batch.deliver([quiet])
    assert heard(everybody) == lines(*range(9))
    assert heard(told) == lines(0, 1, 2, 3) + OWN + lines(4, 5, 6, 7, 8)
    assert heard(late) == lines(4, 5, 6, 7, 8)
    assert heard(author) == lines(0, 1, 2, 3, 4, 5, 8)
    assert heard(quiet) == lines(0, 3) + OWN + lines(6)


def test_a_part_that_was_kept_back_is_not_encoded_again():
    dialect = Lines()
    ann, bob = Session(Heard(), dialect), Session(Heard(), dialect)
    batch = Batch(0)
    batch.add(EVENTS[:3])
    batch.insert(ann, OWN)
    kept = batch.deliver([ann, bob], waits=True)
    assert kept is not None and (heard(ann), heard(bob)) == (lines(0, 1, 2) + OWN, b"")
    kept.go_on(0).add(EVENTS[3:5])
    kept.insert(bob, OWN)
    kept.deliver([ann, bob])
    assert heard(ann) == lines(0, 1, 2) + OWN + lines(3, 4)
    assert heard(bob) == lines(0, 1, 2, 3, 4) + OWN
    assert dialect.runs == [3, 2]
