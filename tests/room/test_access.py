"""Nick owners, bans and the lock of a room."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.confusables import skeletons
from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import Closing, Moderate, Notice, Refused
from lanchat.room import access as the_rights
from lanchat.room import effects
from lanchat.room.access import MAX_NICKS, MAX_RENAMERS, Access
from tests.support.rooms import Entry, LiveRoom

ANN, BOB, EVE, HAL = (letter * 32 for letter in "abeh")


def present(*nicks: str) -> Callable[[str], bool]:
    """Whether a member with this skeleton is present, if these nicks are."""
    return frozenset(look for nick in nicks for look in skeletons(nick)).__contains__


NOBODY = present()


def code(access: Access, id: str, nick: str, is_present: Callable[[str], bool] = NOBODY, **options) -> str:
    refused = access.refuse(id, nick, is_present, **options)
    return refused.code if refused else ""


# ---- nicks


class Look(str):
    """A skeleton that counts how often a table is asked for one."""

    __slots__ = ()
    asked = 0

    def __hash__(self) -> int:
        Look.asked += 1
        return super().__hash__()


def test_to_claim_a_nick_costs_the_same_however_many_have_an_owner(monkeypatch):
    monkeypatch.setattr(the_rights, "skeletons", lambda nick: frozenset(map(Look, skeletons(nick))))
    access = Access()
    for number in range(300):
        access.claim(f"{number:032x}", f"nick{number}")
    Look.asked = 0
    access.claim(ANN, "ann")
    assert access.owner("ann") == ANN
    assert 0 < Look.asked < 20


def test_a_nick_belongs_to_the_first_key_that_used_it():
    access = Access()
    access.claim(ANN, "ann")
    access.claim(EVE, "ann")
    assert access.owner("Ann") == ANN
    refused = access.refuse(EVE, "\u0430nn", NOBODY)
    assert refused is not None and refused.code == "nick" and refused.suggestion == "\u0430nn2"
    assert refused.owned and "somebody who was here before" in refused.text
    assert code(access, ANN, "ann") == ""


def test_the_nick_of_a_present_guest_is_taken_though_nobody_owns_it():
    refused = Access().refuse(EVE, "Pat", present("pat"))
    assert refused is not None and "The nick Pat is taken" in refused.text and not refused.owned


def test_a_nick_whose_owner_is_present_is_taken_by_them():
    """Only of a nick that nobody present has, a page says that the browser may have lost its key."""
    refused = Access([("ann", ANN)]).refuse(EVE, "ann", present("ann"))
    assert refused is not None and refused.code == "nick" and not refused.owned


def test_the_suggested_nick_is_free():
    access = Access([("ann", ANN), ("ann2", BOB)])
    refused = access.refuse(EVE, "ann", present("ann3"))
    assert refused is not None and refused.suggestion == "ann4"
    assert code(access, EVE, "ann4") == ""


def test_unverified_members_own_no_nicks():
    access = Access()
    access.claim("~1234", "pat")
    assert access.owner("pat") is None and code(access, EVE, "pat") == ""


def test_one_key_owns_a_limited_number_of_nicks():
    access = Access()
    for number in range(MAX_NICKS):
        assert code(access, EVE, f"name{'abcdefgh'[number]}") == ""
        access.claim(EVE, f"name{'abcdefgh'[number]}")
    refused = access.refuse(EVE, "another", lambda look: False)
    assert refused is not None and refused.code == "rules"
    assert "nobody gets more" in refused.text, "else it is a riddle, to whoever used eight without counting"
    assert code(access, EVE, "namea") == "", "the ones it has it may use"


def test_one_nick_in_many_spellings_counts_as_many_nicks_of_its_key():
    """Each capital nu gives the nick another look."""
    access, taken = Access(), 0
    for letters in product("\u039d\u03bd", repeat=6):
        if code(access, EVE, "".join(letters)) == "":
            access.claim(EVE, "".join(letters))
            taken += 1
    assert 0 < taken < 2**6 and len(access._owners) <= 2 * MAX_NICKS


def test_a_member_may_rename_only_now_and_then():
    access = Access()
    limits = DEFAULT_LIMITS
    waits = [access.may_rename(EVE, 0) for _ in range(limits.rename_burst + 50)]
    assert waits[: limits.rename_burst] == [0] * limits.rename_burst
    assert waits[limits.rename_burst :] == [1 / limits.rename_rate] * 50, "a refused rename makes the wait no longer"
    assert access.may_rename(ANN, 0) == 0, "each member has a limit of its own"
    assert access.may_rename(EVE, -86_400_000) == 1 / limits.rename_rate, "a clock that is set back changes nothing"
    assert access.may_rename(EVE, int(1000 / limits.rename_rate)) == 0


def test_a_rename_that_has_not_happened_does_not_count():
    access = Access()
    for _ in range(3 * DEFAULT_LIMITS.rename_burst):
        assert access.may_rename(EVE, 0) == 0
        access.forget_rename(EVE)
    access.forget_rename(ANN)  # it has none


def test_the_number_of_members_whose_renames_are_counted_is_limited():
    access = Access()
    for number in range(MAX_RENAMERS + 100):
        access.may_rename(f"key {number}", 0)
    assert len(access._renames) == MAX_RENAMERS


def test_the_number_of_owned_nicks_is_limited(monkeypatch):
    monkeypatch.setattr(the_rights, "MAX_OWNED", 100)
    access = Access()
    for number in range(200):
        access.claim(f"key {number}", f"n{number}x")
    assert len(access._owners) == 100 and code(access, "new", "fresh") == ""
    assert access.full and access.owner("n0x") == "key 0", "the first ones keep their nicks"


def test_owners_from_before_a_restart_keep_their_nicks():
    access = Access([("ann", ANN), ("ann", EVE)])
    assert access.owner("ann") == ANN and not access.full


def test_all_owners_from_before_a_restart_are_known_however_many():
    """A member whose nick was spelled in 10,050 ways pushed out the owners that came later."""
    spellings = [
        ("".join(spelling) + "opqr", EVE) for spelling in product(*zip("abcdefghijklmn", "ABCDEFGHIJKLMN", strict=True))
    ]
    access = Access([*spellings[:10_050], ("victor", ANN)])
    assert access.owner("victor") == ANN and code(access, EVE, "victor") == "nick"
    assert code(access, EVE, "eve") == "", "her spellings were one nick"


def test_a_look_alike_takes_no_nick_from_its_owner():
    """Both nicks are from a time when capitals of other alphabets were no look-alikes, and eve may have been first."""
    for order in (1, -1):
        access = Access([("\u0412ob", EVE), ("bob", BOB)][::order])
        assert code(access, BOB, "bob") == "" and code(access, EVE, "\u0412ob") == "nick"


CAPITALS = ["\u0412ob", "\u0392ob", "\u0397arry", "\u03a4O\u039c", "\u039cA\u03a7", "\u039dick"]
THEIRS = ["bob", "Bob", "harry", "tom", "max", "nick"]


@pytest.mark.parametrize(("capital", "theirs"), list(zip(CAPITALS, THEIRS, strict=True)))
def test_a_nick_with_a_capital_of_another_alphabet_is_no_other_nick(capital, theirs):
    for mine, others in ((capital, theirs), (theirs, capital)):
        assert code(Access([(others, ANN)]), EVE, mine) == "nick"
        assert code(Access(), EVE, mine, present(others)) == "nick"


def test_n_and_v_are_no_look_alikes_though_nu_looks_like_both():
    access = Access([("Nick", ANN), ("vick", BOB)])
    assert access.owner("nick") == ANN and access.owner("vick") == BOB
    refused = access.refuse(EVE, "\u039dick", NOBODY)
    assert refused is not None and refused.suggestion == "\u039dick2"
    assert code(access, ANN, "\u039dick") == code(access, BOB, "\u039dick") == "nick", (
        "to each of them it is the nick of the other"
    )


NICKS = st.text("abAB01lo\u0392\u03b2\u0412\u039d\u03bdnNvV", min_size=1, max_size=3)


@given(st.lists(st.tuples(st.sampled_from([ANN, BOB, EVE]), NICKS), max_size=30))
def test_no_nick_ever_has_two_owners(steps):
    access, seen = Access(), dict[str, str]()
    for id, nick in steps:
        if code(access, id, nick) == "":
            access.claim(id, nick)
            for look in skeletons(nick):
                assert seen.setdefault(look, id) == id


# ---- moderation


@pytest.fixture
def room() -> LiveRoom:
    room = LiveRoom("5" * 32, "Room A", HAL)
    for id, nick in ((HAL, "hal"), (ANN, "ann"), (EVE, "eve")):
        assert isinstance(room.come(nick, id), Entry)
    return room


def member(room: LiveRoom, nick: str):
    return next(member for member in room.members if member.nick == nick)


def does(room: LiveRoom, who: str, action: str, nick: str = "") -> Sequence[Any]:
    return room.act(member(room, who), Moderate(action, nick), 0)


def kinds(done: Sequence[Any]) -> list[str]:
    return [type(effect).__name__ for effect in done]


@pytest.mark.parametrize("action", ["kick", "ban", "unban", "lock", "unlock", "op", ""])
def test_only_the_host_may_moderate(room, action):
    (answer,) = does(room, "eve", action, "ann")
    assert isinstance(answer.message, Notice) and answer.message.code == "rights"


def test_a_kicked_member_may_come_back(room):
    (expel,) = [effect for effect in does(room, "hal", "kick", "EVE") if isinstance(effect, effects.Kick)]
    assert expel.member.nick == "eve" and expel.closing == Closing("kicked", "The host removed you from the room.")
    room.go(expel.member, 0, code="kicked")
    assert isinstance(room.come("eve", EVE), Entry)


def test_a_ban_holds_for_the_key_under_every_nick(room):
    done = does(room, "hal", "ban", "eve")
    assert {"SaveAccess", "Kick"} <= set(kinds(done))
    room.go(member(room, "eve"), 0, code="banned")
    for nick in ("eve", "harmless"):
        assert room.come(nick, EVE).code == "banned"
    kept = next(effect for effect in done if isinstance(effect, effects.SaveAccess))
    assert kept.bans == {EVE: "eve"}
    assert code(Access(bans=kept.bans), EVE, "anybody") == "banned", "and after the next start"


def test_a_member_who_has_left_can_be_banned(room):
    room.go(member(room, "eve"), 0)
    assert "SaveAccess" in kinds(does(room, "hal", "ban", "eve"))
    assert room.come("eve", EVE).code == "banned"


def test_an_unbanned_member_may_come_back(room):
    does(room, "hal", "ban", "eve")
    room.go(member(room, "eve"), 0, code="banned")
    (answer,) = does(room, "hal", "unban", "nobody")
    assert "Banned: eve" in answer.message.text
    assert "SaveAccess" in kinds(does(room, "hal", "unban", "Eve"))
    assert isinstance(room.come("eve", EVE), Entry)


def test_a_lock_keeps_newcomers_out_and_admits_known_members(room):
    assert "SaveAccess" in kinds(does(room, "hal", "lock"))
    room.go(member(room, "ann"), 0)
    assert room.come("bob", BOB).code == "locked"
    assert room.come("pat", "~1").code == "locked", "a plain client is always new"
    assert isinstance(room.come("ann", ANN), Entry)
    [saved, _] = does(room, "hal", "unlock")
    assert saved == effects.SaveAccess({}, locked=False)
    assert isinstance(room.come("bob", BOB), Entry)


def test_only_the_host_sets_the_topic_and_newcomers_are_told(room):
    def sets(who: str, topic: str) -> Any:
        return room.act(member(room, who), Moderate("topic", argument=topic), 7)

    [answer] = sets("ann", "mine")
    assert answer.message.code == "rights" and room.topic == ""
    [event] = sets("hal", " deploy at 5 ")
    assert (event.by, event.topic, event.at) == (HAL, "deploy at 5", 7)
    assert sets("hal", "deploy at 5") == [], "it is that already"
    assert room.come("bob", BOB).welcome.topic == "deploy at 5"
    for wrong in ("two\nlines", "x" * 241, "\u202edrawkcab"):
        [answer] = sets("hal", wrong)
        assert answer.message.code == "rules" and room.topic == "deploy at 5"
    [event] = sets("hal", "")
    assert event.topic == room.topic == ""


def test_a_lock_holds_after_a_restart():
    room = LiveRoom("5" * 32, "Room A", HAL, access=Access([("ann", ANN)], locked=True))
    assert room.access.locked
    assert isinstance(room.come("hal", HAL), Entry) and isinstance(room.come("ann", ANN), Entry)
    eve = room.come("eve", EVE)
    assert isinstance(eve, Refused) and eve.code == "locked"


def test_the_host_cannot_be_kicked_or_banned(room):
    for action in ("kick", "ban"):
        (answer,) = does(room, "hal", action, "hal")
        assert answer.message.text == "That is you."
    assert code(Access(bans={HAL: "hal"}), HAL, "hal", host=True) == ""


def test_a_member_who_is_not_in_the_room_cannot_be_kicked(room):
    (answer,) = does(room, "hal", "kick", "nobody")
    assert "No one here is called nobody" in answer.message.text


def test_a_guest_is_removed_but_not_banned(room):
    room.come("pat", "~1")
    done = does(room, "hal", "ban", "pat")
    assert "Kick" in kinds(done) and "SaveAccess" not in kinds(done)
