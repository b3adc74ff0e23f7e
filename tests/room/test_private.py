"""Whom a private message reaches, and what waits for whom. The id of ann is "id-ann"; hal hosts."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.messages import Got, Moderate, Notice, Receipt, Rename, Tell, Told
from lanchat.room import private as private_module
from lanchat.room.access import Access
from lanchat.room.effects import Member, Reply, SendTo, Store
from lanchat.room.members import Members
from lanchat.room.private import MAILBOX, Mailboxes
from tests.support.rooms import LiveRoom, admit, room_with

ANN = Member("id-ann", "ann")
AWAY = Receipt("1", "away", "bob is away and will get it on returning.")


def told(id: str = "1", text: str = "psst", *, by: str = "ann", to: str = "bob", at: int = 5) -> Told:
    return Told(id, at, f"id-{by}", by, f"id-{to}", to, text)


def tell(room, member, nick: str = "bob", *, to: str = "", id: str = "1", text: str = "psst", now: int = 5):
    return room.act(member, Tell(id, to, nick, text), now)


def refusal(effects) -> str:
    [answer] = effects
    assert isinstance(answer, Reply) and isinstance(answer.message, Receipt) and answer.message.code == "refused"
    return answer.message.text


def waiting(room, nick: str) -> list[str]:
    """The private messages that a member gets when it joins."""
    return [told.text for told in admit(room, nick).private]


# ---- whom it reaches


def test_a_private_message_goes_to_recipient_and_sender_and_is_no_event():
    room, ann, bob, eve = room_with("ann", "bob", "eve")
    assert tell(room, ann, to="id-bob") == [
        Reply(told()),
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
    room, ann, bob = room_with("ann", "bob")
    room.act(bob, Rename("rob"), 1)
    assert tell(room, ann, "bob")[1] == SendTo("id-bob", Told("1", 5, "id-ann", "ann", "id-bob", "rob", "psst"))
    room.go(bob, 2)
    assert tell(room, ann, "BOB", id="2")[1] == SendTo("id-bob", Told("2", 5, "id-ann", "ann", "id-bob", "BOB", "psst"))
    pat = admit(room, "pat", "~1f").member
    assert pat.nick == "pat"
    room.go(pat, 3)
    admit(room, "pat", "id-pat")
    assert tell(room, ann, "pat", id="3")[1].to == "id-pat"


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
    admit(room, "pat", "~1f")
    assert refusal(tell(room, ann, "nobody")) == "No one called nobody has been in this room. Nothing was sent."
    assert refusal(tell(room, ann, "bob", to="id-eve")) == "No one called bob has been in this room. Nothing was sent."
    assert refusal(tell(room, ann, "ann")) == "ann is you. Nothing was sent."
    by_the_plain_door = "~pat is a netcat guest and cannot get private messages. Nothing was sent."
    assert refusal(tell(room, ann, "pat")) == refusal(tell(room, ann, "pat", to="~1f")) == by_the_plain_door
    assert "A nick" in refusal(tell(room, ann, "\u202e"))
    assert "empty" in refusal(tell(room, ann, text=" "))
    assert "4096" in refusal(tell(room, ann, text="\x01" * 4000))
    hal = admit(room, "hal").member
    room.act(hal, Moderate("ban", "bob"), 1)
    assert refusal(tell(room, ann, to="id-bob")) == "bob is banned from this room. Nothing was sent."


# ---- resends


def test_a_resend_is_recognised_before_and_after_the_confirmation():
    room, ann, bob = room_with("ann", "bob")
    tell(room, ann)
    again = [Reply(told()), Store(told(), Receipt("1", "here"))]
    assert tell(room, ann, now=9) == again
    room.go(bob, 9)
    assert tell(room, ann, now=9) == [again[0], Store(told(), AWAY)]
    room.act(admit(room, "bob").member, Got("id-ann", "1"), 10)
    assert tell(room, ann, now=11) == [Reply(told()), Store(told(text=""), Receipt("1", "here"))]
    assert waiting(room, "bob") == []


def test_a_resend_goes_to_the_first_recipient_even_if_it_names_another():
    room, ann, bob, eve = room_with("ann", "bob", "eve")
    tell(room, ann, to="id-bob")
    assert tell(room, ann, "eve", to="id-eve")[0] == Reply(told())
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


def mailbox_of_bob(**sent: list[str]) -> dict[str, int]:
    """How many messages of each sender wait for bob after all of them were sent, one sender after the other."""
    room, bob, *others = room_with("bob", *sent)
    room.go(bob, 0)
    for member in others:
        for number, text in enumerate(sent[member.nick]):
            tell(room, member, id=f"{member.nick} {number}", text=text)
    return Counter(told.nick for told in admit(room, "bob").private)


def test_a_few_long_messages_push_out_no_short_ones_of_another_sender():
    """But for those with which the other sender has more than half of the mailbox."""
    assert mailbox_of_bob(ann=["short"] * 80, eve=["x" * 4000] * 17) == {"ann": 80, "eve": 16}
    assert mailbox_of_bob(ann=["short"] * 90, eve=["x" * 4000] * 17) == {"ann": 88, "eve": 12}


def test_many_short_messages_push_out_no_long_ones_of_another_sender():
    assert mailbox_of_bob(ann=["x" * 4000] * 5, eve=["x"] * 200) == {"ann": 5, "eve": 95}


def test_a_wide_character_counts_for_what_it_takes_in_memory():
    assert mailbox_of_bob(eve=["\U0001f600" + "x" * 4000] * 17) == {"eve": 4}


def test_long_messages_fill_a_mailbox_sooner():
    room, ann, bob = room_with("ann", "bob")
    for number in range(MAILBOX):
        tell(room, ann, id=str(number), text="x" * 4000)
    assert sum(map(len, waiting(room, "bob"))) == 16 * 4000


def test_all_mailboxes_together_are_limited(monkeypatch):
    monkeypatch.setattr(private_module, "MAX_WAITING", 10)
    room, ann, *_ = room_with("ann", *(f"n{number}" for number in range(20)))
    for number in range(20):
        for batch in range(1 + (number == 3)):
            tell(room, ann, f"n{number}", id=f"{number} {batch}")
    assert sum(len(waiting(room, f"n{number}")) for number in range(20)) == 10


@pytest.mark.parametrize(("number", "size"), [(60, 10**9), (10**9, 60 * 100)], ids=["by number", "by size"])
def test_a_flood_to_many_mailboxes_pushes_out_no_message_of_another_sender(monkeypatch, number, size):
    """One key writes to many, and another one has written to one: the fullest mailbox is of the honest one."""
    monkeypatch.setattr(private_module, "MAX_WAITING", number)
    monkeypatch.setattr(private_module, "MAX_WAITING_SIZE", size)
    room, ann, bob, eve, *_ = room_with("ann", "bob", "eve", *(f"n{number}" for number in range(100)))
    for number in range(25):
        tell(room, ann, id=str(number), text="x" * 100)
    for number in range(100):
        last = tell(room, eve, f"n{number}", id=str(number), text="x" * 100)
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
            private.tell(Member(f"id-{by}", by), Tell(str(number), f"id-{to}", to, "psst"), 0, Members(), access)
        elif private.confirm(f"id-{to}", (f"id-{by}", str(number))):
            assert sent[by, number] == to and (by, number) not in got
            got.add((by, number))
    assert private._number == sum(map(len, private._boxes.values())) == sum(map(len, private._sent.values()))
    assert private._size == 4 * private._number and set(private._shares) == set(private._sent)
    for to in "xy":
        there = {(told.nick, int(told.id)) for told in private.waiting(f"id-{to}")}
        assert there == {key for key, recipient in sent.items() if recipient == to} - got
