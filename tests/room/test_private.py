"""Whom a private message reaches, and what waits for whom. The id of ann is "id-ann"; hal hosts."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.messages import Got, Moderate, Notice, Receipt, Rename, Tell, Told
from lanchat.protocol.people import Owner, Who
from lanchat.room import private as private_module
from lanchat.room.access import Access
from lanchat.room.effects import Reply, SendTo, Store
from lanchat.room.members import Member, Members
from lanchat.room.private import MAILBOX, Mailboxes
from tests.support.cases import cases
from tests.support.rooms import LiveRoom, admit, box, boxed, copy, room_with

ANN = Member("id-ann", "ann")
AWAY = Receipt("1", "away", "bob is away and will get it on returning.")


def told(id: str = "1", text: str = "psst", *, by: str = "ann", to: str = "bob", at: int = 5) -> Told:
    """As the recipient gets it; without a text it is over."""
    return Told(id, at, f"id-{by}", by, f"id-{to}", to, box(text) if text else b"")


def copied(id: str = "1", *, at: int = 5) -> Told:
    """As sessions of its sender, ann, get it."""
    return Told(id, at, "id-ann", "ann", "id-bob", "bob", copy())


def tell(room, member, nick: str = "bob", *, to: str = "", id: str = "1", text: str = "psst", now: int = 5, size=64):
    return room.act(member, Tell(id, to or f"id-{nick}", nick, box(text, size), copy(text, size)), now)


def refusal(effects) -> str:
    [answer] = effects
    assert isinstance(answer, Reply) and isinstance(answer.message, Receipt) and answer.message.code == "refused"
    return answer.message.text


def waiting(room, nick: str) -> list[str]:
    """The private messages that a member gets when it joins."""
    return [boxed(told) for told in admit(room, nick).private if isinstance(told, Told)]


# ---- whom it reaches


def test_a_private_message_goes_to_recipient_and_sender_and_is_no_event():
    room, ann, bob, eve = room_with("ann", "bob", "eve")
    assert tell(room, ann, to="id-bob") == [
        SendTo("id-ann", copied()),
        SendTo("id-bob", told()),
        Store(told(), Receipt("1", "here")),
    ]
    assert room.seq == 3, "it has no number: nobody sees a gap"


def test_a_recipient_who_is_away_gets_it_on_returning():
    room, ann, bob, eve = room_with("ann", "bob", "eve")
    room.go(bob, 1)
    assert tell(room, ann, to="id-bob")[2] == Store(told(), AWAY)
    assert admit(room, "eve2", "id-eve").private == ()
    assert admit(room, "bob").private == (told(),)
    assert admit(room, "bob").private == (told(),), "until they say that they have it"
    assert room.act(bob, Got("id-ann", "1"), 6) == [Store(told(text=""))]
    assert admit(room, "bob").private == ()
    assert room.act(bob, Got("id-ann", "1"), 7) == []


def test_a_nick_stands_for_the_key_that_owns_it():
    """Taking somebody's nick must never give anybody their private messages (toxic#622)."""
    room, ann = room_with("ann")
    bob = admit(room, "bob", key=b"key of bob").member

    def owner(nick: str) -> Owner:
        [answer] = room.act(ann, Who("1", "", nick))
        assert isinstance(answer, Reply) and isinstance(answer.message, Owner), answer
        return answer.message

    room.act(bob, Rename("rob"), 1)
    assert owner("bob") == Owner("1", "id-bob", "rob", b"key of bob"), "and what they are called now is told"
    room.go(bob, 2)
    assert owner("BOB") == Owner("1", "id-bob", "BOB", b"key of bob")
    pat = admit(room, "pat", "~1f").member
    assert pat.nick == "pat"
    room.go(pat, 3)
    admit(room, "pat", "id-pat", key=b"key of pat")
    assert owner("pat").to == "id-pat"


def test_an_old_nick_of_somebody_who_is_there_or_away_still_reaches_them():
    room, ann, bob = room_with("ann", "bob")
    room.act(bob, Rename("rob"), 1)
    assert tell(room, ann, "bob", to="id-bob")[1] == SendTo(
        "id-bob", Told("1", 5, "id-ann", "ann", "id-bob", "rob", box())
    )
    room.go(bob, 2)
    assert tell(room, ann, "BOB", to="id-bob", id="2")[1].message.to_nick == "BOB"


def test_a_member_id_counts_more_than_a_nick():
    room, ann, bob, eve = room_with("ann", "bob", "eve")
    assert tell(room, ann, "eve", to="id-bob")[1] == SendTo("id-bob", told()), "and what they are called is told"


def test_nobody_can_confirm_a_message_for_somebody_else():
    room, ann, bob, eve = room_with("ann", "bob", "eve")
    tell(room, ann, to="id-bob")
    assert room.act(eve, Got("id-ann", "1"), 6) == []
    assert waiting(room, "bob") == ["psst"]


def test_recipients_that_cannot_be_reached():
    room, ann, bob = room_with("ann", "bob")
    assert refusal(tell(room, ann, "nobody")) == "No one called nobody has been in this room. Nothing was sent."
    assert refusal(tell(room, ann, "bob", to="id-eve")) == "No one called bob has been in this room. Nothing was sent."
    assert refusal(tell(room, ann, "ann")) == "ann is you. Nothing was sent."
    assert "A nick" in refusal(tell(room, ann, "\u202e", to="id-bob"))
    hal = admit(room, "hal").member
    room.act(hal, Moderate("ban", "bob"), 1)
    assert refusal(tell(room, ann, to="id-bob")) == "bob is banned from this room. Nothing was sent."


@cases(
    "message",
    [
        Tell("1", "id-bob", "bob", text="psst"),
        Tell("1", "id-bob", "bob", box(), copy(), text="psst"),
        Tell("1", "id-bob", "bob"),
        Tell("1", "id-bob", "bob", box()),
        Tell("1", "id-bob", "bob", b"", copy()),
        Tell("1", "id-bob", "bob", box(), copy(size=256)),
        Tell("1", "id-bob", "bob", box()[:-1], copy()[:-1]),
        Tell("1", "id-bob", "bob", bytes(4608), bytes(4608)),
        Tell("1", "", "bob", box(), copy()),
    ],
)
def test_what_is_not_sealed_and_padded_for_a_member_is_refused(message):
    room, ann, bob = room_with("ann", "bob")
    assert refusal(room.act(ann, message, 5)) == "A private message must be sealed and padded. Nothing was sent."
    assert waiting(room, "bob") == []


# ---- guests, who have no key


def test_a_guest_who_is_there_gets_the_text_and_it_is_stored_nowhere():
    room, ann = room_with("ann")
    pat = admit(room, "pat", "~1f").member
    psst = Told("1", 5, "id-ann", "ann", "~1f", "pat", text="psst")
    assert room.act(ann, Tell("1", "~1f", "pat", text="psst"), 5) == [
        SendTo("id-ann", psst),
        SendTo("~1f", psst),
        Reply(Receipt("1", "passed")),
    ]
    assert room.act(ann, Tell("1", "~1f", "pat", text="psst"), 5) == [Reply(psst), Reply(Receipt("1", "passed"))]
    room.go(pat, 6)
    gone = "No one called pat has been in this room. Nothing was sent."
    assert refusal(room.act(ann, Tell("2", "~1f", "pat", text="psst"), 7)) == gone
    assert admit(room, "pat", "~1f").private == ()


def test_what_a_guest_is_told_follows_the_rules_for_messages():
    room, ann = room_with("ann")
    admit(room, "pat", "~1f")
    assert "empty" in refusal(room.act(ann, Tell("1", "~1f", "pat", text=" "), 5))
    assert "4096" in refusal(room.act(ann, Tell("1", "~1f", "pat", text="\x01" * 4000), 5))
    no_key = "~pat has no key, so nothing can be sealed for them. Nothing was sent."
    assert refusal(room.act(ann, Tell("1", "~1f", "pat", box(), copy()), 5)) == no_key
    assert refusal(room.act(ann, Who("1", "", "pat"), 5)) == no_key


# ---- whose key it is sealed to


def test_a_guest_writes_unsealed_to_who_is_there_and_it_waits_nowhere():
    room, ann, bob = room_with("ann", "bob")
    pat = admit(room, "pat", "~1f").member
    psst = Told("1", 5, "~1f", "pat", "id-ann", "ann", text="psst")
    assert room.act(pat, Tell("1", "", "ann", text="psst"), 5) == [
        SendTo("~1f", psst),
        SendTo("id-ann", psst),
        Reply(Receipt("1", "passed")),
    ]
    room.go(ann)
    assert room.act(pat, Tell("1", "", "ann", text="psst"), 5) == [Reply(psst), Reply(Receipt("1", "passed"))]
    assert "are not kept" in refusal(room.act(pat, Tell("2", "", "ann", text="psst"), 5))
    assert "sealed" in refusal(room.act(pat, Tell("3", "id-bob", "bob", box(), copy()), 5))
    assert admit(room, "ann").private == ()


def test_the_key_of_somebody_present_or_away_is_told():
    room, ann = room_with("ann")
    bob = admit(room, "bob", key=b"key of bob").member
    answer = [Reply(Owner("1", "id-bob", "bob", b"key of bob"))]
    assert room.act(ann, Who("1", "", "bob")) == answer
    room.go(bob, 1)
    assert room.act(ann, Who("1", "", "bob")) == room.act(ann, Who("1", "id-bob", "bob")) == answer


def test_a_key_is_known_when_the_room_is_opened_again():
    owners = Access([("bob", "id-bob"), ("old", "id-old")])
    room = LiveRoom("5" * 32, "Room A", "id-hal", access=owners, keys={"id-bob": b"key of bob"})
    ann = admit(room, "ann").member
    assert room.act(ann, Who("1", "", "bob")) == [Reply(Owner("1", "id-bob", "bob", b"key of bob"))]
    unknown = "The key of old is not known here. It will be once they come back. Nothing was sent."
    assert refusal(room.act(ann, Who("2", "", "old"))) == unknown


def test_nobodys_key():
    room, ann, bob = room_with("ann", "bob")
    assert (
        refusal(room.act(ann, Who("1", "", "nobody")))
        == "No one called nobody has been in this room. Nothing was sent."
    )
    assert refusal(room.act(ann, Who("1", "", "ann"))) == "ann is you. Nothing was sent."


def test_a_newcomer_learns_the_keys_of_all_who_are_there():
    room, ann = room_with("ann")
    joined = admit(room, "bob", key=b"key of bob").joined
    assert joined is not None and joined.key == b"key of bob"
    assert [(person.nick, person.key) for person in admit(room, "eve").present] == [
        ("ann", b""),
        ("bob", b"key of bob"),
    ]


# ---- resends


def test_a_resend_is_recognised_before_and_after_the_confirmation():
    room, ann, bob = room_with("ann", "bob")
    tell(room, ann)
    again = [Reply(copied()), Store(told(), Receipt("1", "here"))]
    assert tell(room, ann, now=9) == again
    room.go(bob, 9)
    assert tell(room, ann, now=9) == [again[0], Store(told(), AWAY)]
    room.act(admit(room, "bob").member, Got("id-ann", "1"), 10)
    assert tell(room, ann, now=11) == [Reply(copied()), Store(told(text=""), Receipt("1", "here"))]
    assert waiting(room, "bob") == []


def test_a_resend_goes_to_the_first_recipient_even_if_it_names_another():
    room, ann, bob, eve = room_with("ann", "bob", "eve")
    tell(room, ann, to="id-bob")
    assert tell(room, ann, "eve", to="id-eve")[0] == Reply(copied())
    assert waiting(room, "eve") == []


def test_two_senders_may_use_the_same_id():
    room, ann, bob, eve = room_with("ann", "bob", "eve")
    tell(room, ann)
    tell(room, eve)
    assert waiting(room, "bob") == ["psst", "psst"]


def test_mailboxes_are_restored_after_a_restart():
    past = (told("1"), told("2", ""), told("3"))
    room = LiveRoom("5" * 32, "Room A", "id-hal", private=past, access=Access([("bob", "id-bob")]))
    ann = admit(room, "ann").member
    assert [told.id for told in admit(room, "bob").private] == ["1", "3"]
    assert tell(room, ann, id="2")[-1] == Store(told("2", ""), Receipt("2", "here"))


# ---- bounds


def full_mailbox(*senders: str) -> tuple[LiveRoom, dict]:
    """Bob is away, and these senders have alternately sent him MAILBOX private messages."""
    room, bob, *others = room_with("bob", *dict.fromkeys(senders))
    room.go(bob, 0)
    members = {member.nick: member for member in others}
    for number in range(MAILBOX):
        tell(room, members[senders[number % len(senders)]], id=str(number), text=str(number))
    return room, members


def test_a_full_mailbox_drops_the_oldest_message_and_tells_its_sender():
    room, members = full_mailbox("ann")
    effects = tell(room, members["ann"], id="new", text="new", now=9)
    assert effects[3:] == [
        Store(told("0", "")),
        SendTo("id-ann", Notice("mailbox", "The mailbox of bob is full: your oldest message was dropped.")),
    ]
    assert waiting(room, "bob") == [*map(str, range(1, MAILBOX)), "new"]
    assert tell(room, members["ann"], id="0")[-1].told == told("0", ""), "what was dropped does not come back"


def test_a_flood_pushes_out_no_message_of_another_sender():
    room, members = full_mailbox("eve")
    ann = admit(room, "ann").member
    tell(room, ann, id="of ann", text="of ann")
    for number in range(3 * MAILBOX):
        tell(room, members["eve"], id=f"more {number}", text="more")
    assert "of ann" in waiting(room, "bob") and len(waiting(room, "bob")) == MAILBOX


def mailbox_of_bob(**sent: list[int]) -> dict[str, int]:
    """How many messages of each sender wait for bob, when one after the other has sent some of these sizes."""
    room, bob, *others = room_with("bob", *sent)
    room.go(bob, 0)
    for member in others:
        for number, size in enumerate(sent[member.nick]):
            tell(room, member, id=f"{member.nick} {number}", size=size)
    return Counter(told.nick for told in admit(room, "bob").private)


def test_a_few_long_messages_push_out_no_short_ones_of_another_sender():
    """But for those with which the other sender has more than half of the mailbox."""
    assert mailbox_of_bob(ann=[64] * 80, eve=[4096] * 17) == {"ann": 80, "eve": 14}
    assert mailbox_of_bob(ann=[64] * 90, eve=[4096] * 17) == {"ann": 87, "eve": 13}


def test_many_short_messages_push_out_no_long_ones_of_another_sender():
    assert mailbox_of_bob(ann=[4096] * 5, eve=[64] * 200) == {"ann": 5, "eve": 95}


def test_long_messages_fill_a_mailbox_sooner():
    """They count as what they are padded to."""
    room, ann, bob = room_with("ann", "bob")
    for number in range(MAILBOX):
        tell(room, ann, id=str(number), size=4096)
    assert len(waiting(room, "bob")) == 16


def test_what_waits_from_before_messages_were_sealed_is_handed_on_as_it_is():
    old = Told("1", 5, "id-ann", "ann", "id-bob", "bob", text="psst")
    room = LiveRoom("5" * 32, "Room A", "id-hal", private=[old], access=Access([("bob", "id-bob")]))
    assert admit(room, "bob").private == (old,)
    assert room.act(room.member("id-bob", "bob"), Got("id-ann", "1"), 6) == [Store(told(text=""))]


def test_all_mailboxes_together_are_limited(monkeypatch):
    monkeypatch.setattr(private_module, "MAX_WAITING", 10)
    room, ann, *_ = room_with("ann", *(f"n{number}" for number in range(20)))
    for number in range(20):
        for batch in range(1 + (number == 3)):
            tell(room, ann, f"n{number}", id=f"{number} {batch}")
    assert sum(len(waiting(room, f"n{number}")) for number in range(20)) == 10


@pytest.mark.parametrize(("number", "size"), [(60, 10**9), (10**9, 60 * 64)], ids=["by number", "by size"])
def test_a_flood_to_many_mailboxes_pushes_out_no_message_of_another_sender(monkeypatch, number, size):
    """One key writes to many, and another one has written to one: the fullest mailbox is of the honest one."""
    monkeypatch.setattr(private_module, "MAX_WAITING", number)
    monkeypatch.setattr(private_module, "MAX_WAITING_SIZE", size)
    room, ann, bob, eve, *_ = room_with("ann", "bob", "eve", *(f"n{number}" for number in range(100)))
    for number in range(25):
        tell(room, ann, id=str(number))
    for number in range(100):
        last = tell(room, eve, f"n{number}", id=str(number))
    assert len(waiting(room, "bob")) == 25 and [len(waiting(room, f"n{n}")) for n in (64, 65, 99)] == [0, 1, 1]
    words = "Too many private messages wait in this room: your oldest one, to n64, was dropped."
    assert last[-1] == SendTo("id-eve", Notice("mailbox", words))


def test_the_number_of_remembered_finished_messages_is_limited(monkeypatch):
    monkeypatch.setattr(private_module, "MAILBOX_KNOWN", 3)
    room, ann, bob = room_with("ann", "bob")
    for number in range(5):
        tell(room, ann, id=str(number))
        room.act(bob, Got("id-ann", str(number)), 6)
    assert [len(tell(room, ann, id=str(number))) for number in range(5)] == [3, 3, 2, 2, 2]


@given(
    st.lists(
        st.tuples(st.sampled_from(["tell", "got"]), st.sampled_from("abc"), st.sampled_from("xy"), st.integers(0, 6))
    )
)
def test_no_message_ever_waits_twice_or_for_the_wrong_member(steps):
    private, access = Mailboxes(), Access([("x", "id-x"), ("y", "id-y")])
    sent: dict[tuple[str, int], str] = {}
    got: set[tuple[str, int]] = set()
    for step, by, to, number in steps:
        if step == "tell":
            sent.setdefault((by, number), to)
            message = Tell(str(number), f"id-{to}", to, box(), copy())
            private.tell(Member(f"id-{by}", by), message, 0, Members(), access)
        elif private.confirm(f"id-{to}", (f"id-{by}", str(number))):
            assert sent[by, number] == to and (by, number) not in got
            got.add((by, number))
    assert private._number == sum(map(len, private._boxes.values())) == sum(map(len, private._sent.values()))
    assert private._size == 64 * private._number and set(private._shares) == set(private._sent)
    for to in "xy":
        there = {(told.nick, int(told.id)) for told in private.waiting(f"id-{to}")}
        assert there == {key for key, recipient in sent.items() if recipient == to} - got


def test_what_another_host_of_the_room_has_decided_holds_here_once():
    boxes = Mailboxes()
    assert [boxes.take(told()), boxes.take(told())] == [True, False]
    assert boxes.waiting("id-bob") == (told(),)
    assert [boxes.take(told(text="")), boxes.take(told(text=""))] == [True, False]
    assert not boxes.take(told()), "it was over before"
    assert boxes.waiting("id-bob") == ()
    assert [boxes.take(told("2", "")), boxes.take(told("2"))] == [True, False]
