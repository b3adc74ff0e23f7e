"""How much what a host sends counts for, while nobody takes it."""

import sys
from dataclasses import astuple

import msgspec
import pytest

from lanchat.client.events import HEAVY, PERSON, Acked, Connected, Disconnected, Item, PrivateMessage, weight
from lanchat.protocol.limits import MAX_PEOPLE
from lanchat.protocol.messages import Card, Joined, Left, Notice, Present, Renamed, Said, Welcome

SHORT, NAME, TEXT = "s" * 64, "n" * 256, "t" * 4096
CARD, WELCOME = Card(1, "5" * 32, NAME, NAME, 0, False, bytes(32)), Welcome(SHORT, NAME, 0, 0, 0)


def wide(text: str) -> str:
    """As long, with one character that makes all of them wide."""
    return "\U0001f600" + text[1:]


def items(fill) -> list[Item]:
    """One of each kind, as large as a host can make it."""
    short, name, text = fill(SHORT), fill(NAME), fill(TEXT)
    return [
        Said(1, 0, short, name, short, text),
        Joined(1, 0, short, name),
        Left(1, 0, short, name, short, name),
        Renamed(1, 0, short, name, name),
        PrivateMessage(short, 0, short, name, short, name, text, text),
        Notice(short, text),
        Connected(CARD, WELCOME, tuple(Present(short + str(n), name + str(n)) for n in range(100)), "1" * 32),
        Disconnected(text),
    ]


def strings(item: object) -> list[str]:
    match item:
        case str():
            return [item]
        case tuple():
            return [text for each in item for text in strings(each)]
        case msgspec.Struct():
            return strings(msgspec.structs.astuple(item))
        case PrivateMessage():
            return strings(astuple(item))
        case Connected(present=part) | Disconnected(reason=part):
            return strings(part)
    return []


@pytest.mark.parametrize("fill", [str, wide], ids=["narrow", "wide"])
def test_no_item_takes_more_memory_than_it_counts_for(fill):
    """Besides 2 KB for the item itself: the longest ids and what Python needs."""
    for item in items(fill):
        people = len(item.present) if isinstance(item, Connected) else 0
        size = sum(map(sys.getsizeof, strings(item)))
        assert size <= weight(item) * HEAVY + 2 * 1024 + people * PERSON, item


def test_a_line_of_talk_counts_for_one_in_every_alphabet():
    for letter in ("a", "\u00e9", "\u6f22", "\U0001f600"):
        assert weight(Said(1, 0, "a" * 32, "ann", "1", letter * 200)) == 1
    assert weight(Acked(("1", "2"))) == 1


def test_everybody_present_counts():
    people = tuple(Present(f"{n:032}", wide(NAME)) for n in range(MAX_PEOPLE))
    assert weight(Connected(CARD, WELCOME, people, "1" * 32)) * HEAVY >= MAX_PEOPLE * 4 * len(NAME)
