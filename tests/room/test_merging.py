"""What a computer brings back that has hosted the room apart: bans, the lock, and private messages that wait."""

from typing import Any

import pytest

from lanchat.protocol.messages import Notice, Tell, Told
from lanchat.protocol.places import Rules, write_rules
from lanchat.protocol.standby import MergeRules, MergeTold
from lanchat.room.effects import Kick, Reply, SaveAccess, SendTo, Store
from lanchat.room.merging import to_merge
from tests.support.rooms import LiveRoom, admit, box, copy

ANN, BOB, CAT, DAN, EVE = (letter * 32 for letter in "abcde")


@pytest.fixture
def room() -> Any:
    """ann's room, which bob hosts; cat's computer copies it, and eve is there."""
    made = LiveRoom("5" * 32, "Room A", host_id=BOB, owner_id=ANN)
    for nick, id in (("bob", BOB), ("cat", CAT), ("eve", EVE)):
        admit(made, nick, id)
    called(made, "cat").copies = True
    return made


def called(room: Any, nick: str) -> Any:
    return next(member for member in room.members if member.nick == nick)


def brings(room: Any, message: MergeRules | MergeTold, nick: str = "cat") -> list[Any]:
    return list(room.act(called(room, nick), message))


def rules(*banned: str, locked: bool = False) -> MergeRules:
    return MergeRules(write_rules(Rules(dict.fromkeys(banned, "somebody"), locked)))


def waits(id: str = "1", by: str = ANN, to: str = DAN, sealed: bytes = box()) -> MergeTold:
    return MergeTold(id, 5, by, "ann", to, "dan", sealed)


def test_the_bans_of_both_sides_count_and_who_is_there_is_sent_away(room):
    brings(room, rules(DAN))
    [save, kick] = brings(room, rules(EVE))
    assert save == SaveAccess({DAN: "somebody", EVE: "somebody"}, False)
    assert isinstance(kick, Kick) and kick.member is called(room, "eve")
    assert brings(room, rules(EVE, DAN)) == [], "all of that was known"


def test_the_room_is_locked_if_either_side_was(room):
    assert brings(room, rules(locked=True)) == [SaveAccess({}, True)]
    assert room.access.locked
    assert brings(room, rules()) == [] and room.access.locked


@pytest.mark.parametrize("spared", [ANN, BOB, "~guest"])
def test_nobody_bans_the_owner_the_host_or_somebody_without_a_key(room, spared):
    assert brings(room, rules(spared)) == []


def test_a_private_message_waits_here_too_and_once(room):
    told = Told("1", 5, ANN, "ann", DAN, "dan", box())
    assert brings(room, waits()) == [SendTo(DAN, told), Store(told)]
    assert brings(room, waits()) == []
    assert room.private.waiting(DAN) == (told,)


def test_what_has_been_delivered_here_does_not_come_again(room):
    room.decide(called(room, "cat"), Tell("7", EVE, "eve", box(), copy()), 0)
    room.private.confirm(EVE, (CAT, "7"))
    assert brings(room, waits("7", CAT, EVE)) == []


@pytest.mark.parametrize("wrong", [waits(sealed=b"of no size"), waits(by="~guest"), waits(to="~guest")])
def test_what_is_no_sealed_message_between_two_keys_is_not_taken(room, wrong):
    assert brings(room, wrong) == []


@pytest.mark.parametrize("message", [rules(EVE), waits()])
def test_only_a_computer_that_copies_the_room_is_heard(room, message):
    [reply] = brings(room, message, "eve")
    assert isinstance(reply, Reply) and isinstance(reply.message, Notice) and reply.message.code == "rights"


def test_rules_that_cannot_be_read_change_nothing(room):
    [reply] = brings(room, MergeRules("no rules"))
    assert isinstance(reply, Reply) and not room.access.locked


def test_what_a_host_brings_is_what_the_other_one_takes(room):
    brings(room, waits())
    brought = to_merge({DAN: "dan"}, room.private, locked=True)
    assert brought == [MergeRules(write_rules(Rules({DAN: "dan"}, True))), waits()]
    assert to_merge({}, LiveRoom("5" * 32, "Room A", host_id=BOB).private, locked=False) == []
