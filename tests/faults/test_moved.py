"""The judge of a room that has moved: a good run has no faults, and each verdict is given where it is deserved."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from lanchat.protocol.messages import Event, Moved, Said
from lanchat.protocol.timeline import make_epoch, make_seq
from tests.faults.crowd import Crowd
from tests.faults.moved import Evidence, verdict
from tests.support.cases import cases

ANNS, BOBS = make_epoch(1, 0), make_epoch(2, 1)


def line(epoch: int, n: int, text: str, **fields: bool) -> Said:
    return Said(make_seq(epoch, n), 0, text.split("-")[0], text.split("-")[0], f"id of {text}", text, **fields)


LOG: list[Event] = [
    line(ANNS, 1, "tom-1"),
    line(ANNS, 2, "sue-1"),
    line(ANNS, 3, "tom-2"),
    Moved(make_seq(BOBS, 1), 0, "b", "bob", BOBS, "ann", "takeover"),
    line(BOBS, 2, "tom-3"),
    line(BOBS, 3, "sue-2"),
]
TEXTS = ["tom-1", "sue-1", "tom-2", "tom-3", "sue-2"]
GOOD = Evidence(
    said={"tom": ["tom-1", "tom-2", "tom-3"], "sue": ["sue-1", "sue-2"]},
    shown={"tom": TEXTS, "sue": TEXTS},
    logs={"ann": LOG, "bob": LOG},
    hosts=["bob"],
    terms=[("ann, life 1", ANNS), ("bob, life 1", BOBS)],
)


def all_have(log: list[Event]) -> dict[str, list[Event]]:
    return {"ann": log, "bob": log}


def test_a_good_run_has_no_faults() -> None:
    assert verdict(GOOD) == []


def test_two_that_host_in_the_end_are_found_and_so_is_nobody() -> None:
    assert verdict(replace(GOOD, hosts=["ann", "bob"])) == ["2 host the room in the end: ann, bob"]
    assert verdict(replace(GOOD, hosts=[])) == ["0 host the room in the end: nobody"]


def test_two_hosts_of_one_epoch_are_found_and_so_are_two_lives_of_one() -> None:
    for again in ("bob, life 1", "ann, life 2"):
        terms = [*GOOD.terms, (again, ANNS)]
        assert verdict(replace(GOOD, terms=terms)) == [f"2 have hosted the epoch {ANNS}: ann, life 1, {again}"]
    assert verdict(replace(GOOD, terms=[])) == ["nobody was seen to begin hosting"]


@cases("lost", ["tom-1", "sue-2"])
def test_what_a_log_has_lost_is_found(lost: str) -> None:
    log = [event for event in LOG if not (isinstance(event, Said) and event.text == lost)]
    faults = verdict(replace(GOOD, logs={"ann": LOG, "bob": log}))
    assert f"{lost} was acknowledged, and the log of bob has lost it" in faults
    assert verdict(replace(GOOD, logs=all_have(log))) == [
        f"{lost} was acknowledged, and the log of {name} has lost it" for name in ("ann", "bob")
    ]


@cases("more", ["sue-2", "eve-1"])
def test_what_a_log_has_twice_or_nobody_said_is_found(more: str) -> None:
    log = [*LOG, line(BOBS, 4, more)]
    assert verdict(replace(GOOD, logs=all_have(log))) == [
        f"the log of {name} has {more} too often" for name in ("ann", "bob")
    ]


def test_a_copy_that_differs_is_found_whatever_differs() -> None:
    other = [*LOG[:-1], line(BOBS, 4, "sue-2")]
    wrong = f"the logs of ann and bob differ, from the number {make_seq(BOBS, 3)} on"
    assert verdict(replace(GOOD, logs={"ann": LOG, "bob": other})) == [wrong]
    longer = [*LOG, Moved(make_seq(make_epoch(3, 0), 1), 0, "a", "ann", make_epoch(3, 0), "bob", "failback")]
    assert verdict(replace(GOOD, logs={"ann": LOG, "bob": longer})) == [
        "the logs of ann and bob differ, from their ends on"
    ]


def test_a_number_that_stands_behind_a_higher_one_is_found() -> None:
    log = [LOG[0], LOG[2], LOG[1], *LOG[3:]]
    assert verdict(replace(GOOD, logs=all_have(log))) == [
        f"the log of {name} has the number {make_seq(ANNS, 2)} behind {make_seq(ANNS, 3)}" for name in ("ann", "bob")
    ]


def test_a_line_behind_a_later_one_of_its_author_is_found_unless_it_was_late_or_two_hosted_at_once() -> None:
    log = [*LOG[:2], *LOG[3:], line(BOBS, 4, "tom-2")]
    assert verdict(replace(GOOD, logs=all_have(log))) == [
        f"the log of {name} has tom-2 behind tom-3" for name in ("ann", "bob")
    ]
    assert verdict(replace(GOOD, logs=all_have([*log[:-1], line(BOBS, 4, "tom-2", late=True)]))) == []
    assert verdict(replace(GOOD, logs=all_have(log), apart=True)) == []


@cases("gap", TEXTS)
def test_what_a_screen_lacks_is_found(gap: str) -> None:
    shown = {**GOOD.shown, "sue": [text for text in TEXTS if text != gap]}
    assert verdict(replace(GOOD, shown=shown)) == [f"the screen of sue lacks {gap}"]


def test_what_a_screen_has_twice_or_in_another_order_is_found() -> None:
    shown = {**GOOD.shown, "sue": [*TEXTS, "sue-2"]}
    assert verdict(replace(GOOD, shown=shown)) == ["the screen of sue has sue-2 too often"]
    shown = {**GOOD.shown, "sue": ["tom-1", "sue-1", "tom-3", "tom-2", "sue-2"]}
    assert verdict(replace(GOOD, shown=shown)) == ["the screen of sue has tom-2 behind tom-3"]


class Computer:
    """Enough of a `Node` for a verdict."""

    def __init__(self, nick: str, *, port: int = 0, said: tuple[str, ...] = (), log: list[Event] = LOG) -> None:
        self.nick, self.port, self.alive, self.said = nick, port, True, said
        self.shown, self.events = TEXTS, log
        self.terms = [(f"{nick}, life 1", ANNS if port else BOBS)]

    def say(self) -> str:
        return self.said[-1]


def test_a_crowd_hands_all_of_that_to_the_judge(tmp_path: Path) -> None:
    def judge(*computers: Any) -> str:
        try:
            Crowd(tmp_path, computers, patience=0.0).judge()
        except AssertionError as error:
            return str(error)
        return ""

    ann, bob = Computer("ann", port=1, said=(*TEXTS,)), Computer("bob")
    assert judge(ann, bob) == ""
    two = judge(ann, Computer("bob", port=2))
    assert "2 host the room in the end: ann, bob" in two
    assert f"2 have hosted the epoch {ANNS}: ann, life 1, bob, life 1" in two
    assert "the log of bob has lost it" in judge(ann, Computer("bob", log=LOG[:-1]))
    bob.shown = TEXTS[1:]
    assert judge(ann, bob) == "the screen of bob lacks tom-1"
