"""The hub with links that record what they are handed. `Evening.turn()` is one turn, in the test's own thread."""

import threading
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from lanchat.protocol.framing import FROM_HOST, decode_all, encode
from lanchat.protocol.messages import (
    Ack,
    Bye,
    Closing,
    Deaf,
    FromHost,
    FromMember,
    Got,
    Joined,
    Left,
    Notice,
    Ping,
    Pong,
    Present,
    Receipt,
    Refused,
    Rename,
    Renamed,
    Said,
    Say,
    Tell,
    Told,
    Welcome,
)
from lanchat.room.room import Room
from lanchat.server.hub import Hub
from lanchat.server.session import Arrived, Gone, Goodbye, Heard, Posted, Saved, Seat, Stop, Trouble
from lanchat.storage.log import NoLog


class RecordingLink:
    """Keeps each send as it was handed over."""

    def __init__(self) -> None:
        self.reason = "the other side closed the link"
        self.sends: list[bytes] = []
        self.finished = False

    def send(self, plain: bytes) -> None:
        if not self.finished:
            self.sends.append(plain)

    def finish(self, plain: bytes = b"") -> None:
        if not self.finished and plain:
            self.sends.append(plain)
        self.finished = True


class TalkativeDoor:
    """As the native door tells it, counting how often it makes bytes of an event."""

    echoes = True
    remembers = True

    def __init__(self) -> None:
        self.encoded: list[FromHost] = []

    def encode(self, message: FromHost) -> bytes:
        self.encoded.append(message)
        return encode(message)


class TerseDoor(TalkativeDoor):
    """Tells events only, not even to those who made them."""

    echoes = False
    remembers = False

    def encode(self, message: FromHost) -> bytes:
        super().encode(message)
        return encode(message) if isinstance(message, Said | Joined | Left | Renamed | Notice | Closing) else b""


class SlowLog(NoLog):
    """Keeps nothing until told to."""

    def __init__(self) -> None:
        self.events: list = []
        self.posts: list = []

    def append(self, events: list) -> None:
        self.events += events

    def post(self, mail: list, on_posted: object) -> None:
        self.posts += mail


@dataclass
class Evening:
    """A hub, and who is at it."""

    log: Any = field(default_factory=NoLog)  # or a SlowLog
    native: TalkativeDoor = field(default_factory=TalkativeDoor)
    plain: TerseDoor = field(default_factory=TerseDoor)

    def __post_init__(self) -> None:
        self.clock = count(1000)
        self.hub: Hub = Hub(Room("5" * 32, "Room A", "id-hal"), self.log, lambda: next(self.clock))
        self.log.open(self.hub.saved)

    def turn(self, *items) -> None:
        """One turn with all of these and what was left over."""
        for item in items:
            self.hub.inbox.put_now(item)
        self.hub.inbox.put_now(Stop())
        self.hub._run()

    def come(self, *nicks: str, door: TalkativeDoor | None = None) -> Any:
        """These come in, and what that made everybody hear is forgotten."""
        seats = [Seat(RecordingLink(), door or self.native) for _ in nicks]
        self.turn(*(Arrived(seat, f"id-{nick}", nick) for seat, nick in zip(seats, nicks, strict=True)))
        for seat in [*self.hub._seats]:
            heard(seat)
        return seats


def new_seat(evening: Evening, door: TalkativeDoor | None = None) -> Any:
    return Seat(RecordingLink(), door or evening.native)


def heard(seat: Any) -> list[Any]:
    """All messages so far. Forgets them."""
    messages: list[Any] = decode_all(b"".join(seat.link.sends).split(b"\n"), FROM_HOST)
    seat.link.sends.clear()
    return messages


def says(seat: Seat, *texts: str) -> Heard:
    messages: list[FromMember] = [Say(text, text) for text in texts]
    return Heard(seat, messages)


def texts(messages: list[FromHost]) -> list[str]:
    return [message.text for message in messages if isinstance(message, Said)]


# ---- turns


def test_one_send_for_each_link_and_turn():
    evening = Evening()
    ann, bob, eve = evening.come("ann", "bob", "eve")
    evening.turn(says(ann, "1", "2"), says(bob, "3"), says(eve, "4"), Heard(ann, [Ping()]))
    for seat in (ann, bob, eve):
        assert len(seat.link.sends) == 1
        assert texts(heard(seat)) == ["1", "2", "3", "4"]


def test_the_bytes_of_an_event_are_made_once_for_each_kind_of_door():
    evening = Evening()
    [ann, *_] = evening.come(*(f"n{number}" for number in range(20)))
    evening.come("pat", "pia", door=evening.plain)
    evening.native.encoded.clear()
    evening.plain.encoded.clear()
    evening.turn(says(ann, "1", "2"))
    assert texts(evening.native.encoded) == texts(evening.plain.encoded) == ["1", "2"]


def test_the_deaf_hear_who_comes_and_goes_and_themselves():
    evening = Evening()
    ann, bob = evening.come("ann", "bob")
    evening.turn(Heard(ann, [Deaf()]))
    evening.turn(says(bob, "1"), says(ann, "2"), says(bob, "3"), Gone(bob))
    assert [type(message) for message in heard(ann)] == [Said, Left]
    evening.turn(says(ann, "4"), Heard(ann, [Ping()]))
    assert [type(message) for message in heard(ann)] == [Ack, Said, Pong]
    evening.turn(Arrived(again := new_seat(evening), "id-ann", "ann", after=2), says(again, "5"))
    assert texts(heard(again))[-1] == "5", "another link of hers hears all"


def test_a_turn_in_which_nothing_is_said_sends_nothing():
    evening = Evening()
    [ann] = evening.come("ann")
    evening.turn(Heard(ann, [Pong()]), Saved(0))
    assert ann.link.sends == []


def test_events_carry_the_time_of_their_turn():
    evening = Evening()
    [ann] = evening.come("ann")
    evening.turn()
    evening.turn()
    evening.turn(says(ann, "1"))
    assert heard(ann)[0].at == next(evening.clock) - 1


def test_the_time_is_that_of_hearing_not_of_beginning_to_wait():
    """After an hour of silence a message is not an hour old."""
    asked = threading.Event()

    def now() -> int:
        asked.set()
        return 5

    hub = Hub(Room("5" * 32, "Room A", "id-hal"), NoLog(), now)
    hub.start()
    try:
        assert not asked.wait(0.05)
        hub.inbox.put_now(Goodbye("x"))
        assert asked.wait(5)
    finally:
        hub.stop()


def test_answers_come_between_the_events_they_belong_between():
    evening = Evening(SlowLog())
    ann, bob = evening.come("ann", "bob")
    evening.turn(says(ann, "1"), Heard(ann, [Ping(), Say("", "  ")]), says(bob, "2"))
    assert [type(message) for message in heard(ann)] == [Said, Pong, Notice, Said]
    assert texts(heard(bob)) == ["1", "2"]


# ---- coming


def test_a_newcomer_gets_the_snapshot_then_what_is_live():
    evening = Evening()
    ann, bob = evening.come("ann", "bob")
    evening.turn(says(ann, "old"))
    eve = new_seat(evening)
    evening.turn(says(ann, "before"), Arrived(eve, "id-eve", "eve"), says(bob, "after"))
    assert len(eve.link.sends) == 1
    assert heard(eve) == [
        Welcome("id-eve", "eve", seq=4, saved=3, people=2),
        Present("id-ann", "ann"),
        Present("id-bob", "bob"),
        Said(3, 1001, "id-ann", "ann", "old", "old"),
        Said(4, 1002, "id-ann", "ann", "before", "before"),
        Joined(5, 1002, "id-eve", "eve"),
        Said(6, 1002, "id-bob", "bob", "after", "after"),
    ]


def test_newcomers_of_one_turn_see_no_gap_and_nothing_twice():
    evening = Evening()
    [ann] = evening.come("ann")
    seats = [new_seat(evening) for _ in range(10)]
    items = [
        item
        for number, seat in enumerate(seats)
        for item in (says(ann, f"a{number}"), Arrived(seat, f"id-{number}", f"n{number}"), says(seat, f"b{number}"))
    ]
    evening.turn(*items)
    everything = [event.seq for event in heard(ann) if isinstance(event, Said | Joined)]
    assert everything == list(range(2, 32))
    for seat in seats:
        messages = heard(seat)
        welcome = messages[0]
        assert [e.seq for e in messages[1:] if isinstance(e, Joined | Said) and e.seq > welcome.seq] == [
            seq for seq in everything if seq > welcome.seq
        ]
        past = [e.seq for e in messages[1:] if isinstance(e, Said) and e.seq <= welcome.seq]
        assert past == sorted(set(past))


def test_who_comes_back_gets_what_they_missed_and_no_more():
    evening = Evening()
    ann, bob = evening.come("ann", "bob")
    evening.turn(Gone(bob), says(ann, "missed"))
    back = new_seat(evening)
    evening.turn(says(ann, "same turn"), Arrived(back, "id-bob", "bob", after=2), says(ann, "live"))
    assert [event.seq for event in heard(back)[2:]] == [3, 4, 5, 6, 7]


def test_a_second_link_of_a_member_gets_a_snapshot_too():
    evening = Evening()
    [ann] = evening.come("ann")
    second = new_seat(evening)
    evening.turn(Arrived(second, "id-ann", "ann"), says(second, "hi"))
    assert [type(message) for message in heard(second)] == [Welcome, Present, Said]
    assert texts(heard(ann)) == ["hi"]
    evening.turn(Gone(ann))
    assert heard(second) == [Ack(2)], "ann is still here"


def test_a_refused_one_is_told_and_finished():
    evening = Evening()
    [ann] = evening.come("ann")
    eve = new_seat(evening)
    evening.turn(Arrived(eve, "id-eve", "Ann"), says(eve, "unheard"), Gone(eve))
    assert heard(eve) == [Refused("nick", "somebody else is Ann in this room", "Ann2")]
    assert eve.link.finished and heard(ann) == []


def test_who_cannot_be_asked_again_gets_a_free_nick():
    evening = Evening()
    [ann] = evening.come("ann")
    pat = new_seat(evening, evening.plain)
    evening.turn(Arrived(pat, "~1", "ann", any_nick=True))
    assert heard(pat) == [Notice("nick", "ann is taken, you are ann2")]
    assert heard(ann) == [Joined(2, 1001, "~1", "ann2")]


# ---- going


def test_who_goes_is_missed():
    evening = Evening()
    ann, bob = evening.come("ann", "bob")
    evening.turn(Gone(bob), says(bob, "from beyond"))
    assert heard(ann) == [Left(3, 1001, "id-bob", "bob", "the other side closed the link")]
    assert heard(bob) == [] and evening.hub.people == 1
    evening.turn(Gone(bob))
    assert heard(ann) == []


def test_a_bye_is_the_last_word():
    evening = Evening()
    ann, bob = evening.come("ann", "bob")
    evening.turn(Heard(bob, [Say("1", "so long"), Bye(), Say("2", "unheard")]), Gone(bob))
    assert heard(ann) == [Said(3, 1001, "id-bob", "bob", "1", "so long"), Left(4, 1001, "id-bob", "bob")]
    assert bob.link.finished


def test_gone_before_they_came():
    evening = Evening()
    evening.turn(Gone(new_seat(evening)))
    assert evening.hub.people == 0


# ---- acknowledgements


def test_an_ack_comes_after_the_log_has_it_and_not_before():
    evening = Evening(SlowLog())
    ann, bob = evening.come("ann", "bob")
    evening.turn(says(ann, "1", "2", "3"))
    evening.turn()
    assert texts(heard(ann)) == ["1", "2", "3"] and [event.seq for event in evening.log.events[2:]] == [3, 4, 5]
    evening.turn(Saved(2))
    assert heard(ann) == []
    evening.turn(Saved(4))
    assert heard(ann) == [Ack(4)]
    evening.turn(Saved(5))
    assert heard(ann) == [Ack(5)]
    evening.turn(Saved(5))
    assert heard(ann) == []
    assert texts(heard(bob)) == ["1", "2", "3"], "acks are the author's alone"


def test_what_is_delivered_is_handed_to_the_log_in_the_same_turn():
    evening = Evening(SlowLog())
    [ann] = evening.come("ann")
    evening.turn(says(ann, "1"))
    assert texts(evening.log.events) == ["1"]


def test_a_resend_is_acknowledged_again():
    evening = Evening()
    [ann] = evening.come("ann")
    evening.turn(says(ann, "1"))
    evening.turn()
    [said, ack] = heard(ann)
    evening.turn(says(ann, "1"))
    assert heard(ann) == [said, ack]


def test_a_resend_of_what_is_not_kept_yet_waits():
    evening = Evening(SlowLog())
    [ann] = evening.come("ann")
    evening.turn(says(ann, "1", "2"))
    heard(ann)
    evening.turn(says(ann, "1"))
    assert texts(heard(ann)) == ["1"]
    evening.turn(Saved(3))
    assert heard(ann) == [Ack(3)]


def test_whoever_left_is_not_acknowledged():
    evening = Evening(SlowLog())
    ann, bob = evening.come("ann", "bob")
    evening.turn(says(ann, "1"), Gone(ann))
    evening.turn(Saved(9))
    assert ann.link.sends == []


# ---- private messages

PSST = Told("1", 1001, "id-ann", "ann", "id-bob", "bob", "psst")


def tells(seat: Seat, nick: str, id: str = "1") -> Heard:
    return Heard(seat, [Tell(id, f"id-{nick}", nick, "psst")])


def test_a_private_message_reaches_its_two_and_nobody_else():
    evening = Evening()
    ann, bob, eve = evening.come("ann", "bob", "eve")
    [pat] = evening.come("pat", door=evening.plain)
    evening.turn(tells(ann, "bob"))
    evening.turn()
    psst = Told("1", 1002, "id-ann", "ann", "id-bob", "bob", "psst")
    assert heard(ann) == [psst, Receipt("1", "here")]
    assert heard(bob) == [psst]
    assert eve.link.sends == pat.link.sends == []


def test_every_link_of_theirs_gets_it_at_its_place():
    evening = Evening()
    ann, bob = evening.come("ann", "bob")
    second = new_seat(evening)
    evening.turn(Arrived(second, "id-bob", "bob"))
    heard(second)
    evening.turn(says(ann, "before"), tells(ann, "bob"), says(ann, "after"))
    for seat in (bob, second):
        assert [message.text for message in heard(seat)] == ["before", "psst", "after"]


def test_it_is_acknowledged_when_the_log_has_it_and_not_before():
    evening = Evening(SlowLog())
    ann, bob = evening.come("ann", "bob")
    evening.turn(tells(ann, "bob"), tells(bob, "ann", "of bob"))
    evening.turn(tells(ann, "bob", "2"))
    assert [told.id for told in evening.log.posts] == ["1", "of bob", "2"]
    heard(ann), heard(bob)
    evening.turn(Posted(1))
    assert (heard(ann), heard(bob)) == ([Receipt("1", "here")], [])
    evening.turn(Posted(3))
    assert (heard(ann), heard(bob)) == ([Receipt("2", "here")], [Receipt("of bob", "here")])


def test_what_waits_comes_with_the_welcome_until_they_have_it():
    evening = Evening(SlowLog())
    ann, bob = evening.come("ann", "bob")
    evening.turn(Gone(bob), tells(ann, "bob"))
    for _ in range(2):
        back = new_seat(evening)
        evening.turn(Arrived(back, "id-bob", "bob", after=3))
        assert PSST in heard(back)
    evening.turn(Heard(back, [Got("id-ann", "1")]))
    assert evening.log.posts == [PSST, Told("1", 1001, "id-ann", "ann", "id-bob", "bob", "")]
    last = new_seat(evening)
    evening.turn(Arrived(last, "id-bob", "bob", after=3))
    assert not any(isinstance(message, Told) for message in heard(last))


def test_a_sender_who_left_is_told_nothing():
    evening = Evening(SlowLog())
    ann, bob = evening.come("ann", "bob")
    evening.turn(tells(ann, "bob"), Gone(ann))
    evening.turn(Posted(1))
    assert ann.link.sends == []


def test_while_nothing_is_saved_a_sender_is_warned_and_when_memory_is_full_refused():
    evening = Evening(SlowLog())
    ann, bob = evening.come("ann", "bob")
    evening.turn(Trouble("the disk is full"), tells(ann, "bob"))
    assert [type(message) for message in heard(ann)] == [Told, Notice]
    evening.log.full = True
    evening.turn(tells(ann, "bob", "2"))
    assert heard(ann) == [Receipt("2", "refused", "not sent: the disk is full; try later")]
    assert len(evening.log.posts) == 1


# ---- doors


def test_a_door_that_does_not_echo():
    evening = Evening()
    [ann] = evening.come("ann")
    pat, pia = evening.come("pat", "pia", door=evening.plain)
    evening.turn(says(pat, "1"), says(pia, "2"), says(ann, "3"), says(pat, "4"))
    assert texts(heard(pat)) == ["2", "3"]
    assert texts(heard(pia)) == ["1", "3", "4"]
    assert texts(heard(ann)) == ["1", "2", "3", "4"]


def test_a_door_that_does_not_remember():
    evening = Evening()
    [ann] = evening.come("ann")
    evening.turn(says(ann, "old"))
    pat = new_seat(evening, evening.plain)
    evening.turn(Arrived(pat, "~1", "pat"), says(ann, "new"), Heard(pat, [Rename("pat2")]))
    assert texts(heard(pat)) == ["new"]


def test_a_door_that_has_nothing_to_tell_sends_nothing():
    evening = Evening()
    [pat] = evening.come("pat", door=evening.plain)
    evening.turn(says(pat, "alone"))
    evening.turn()
    assert pat.link.sends == []


# ---- the end


def test_goodbye_is_the_last_line_for_everyone():
    evening = Evening()
    [ann] = evening.come("ann")
    [pat] = evening.come("pat", door=evening.plain)
    evening.turn(says(ann, "last words"), Goodbye("the room is closed"))
    for seat in (ann, pat):
        assert seat.link.finished
        assert heard(seat)[-2:] == [
            Said(3, 1002, "id-ann", "ann", "last words", "last words"),
            Closing("closed", "the room is closed"),
        ]


def test_nobody_comes_in_after_goodbye():
    evening = Evening()
    eve = new_seat(evening)
    evening.turn(Goodbye("the room is closed"), Arrived(eve, "id-eve", "eve"), Gone(eve))
    assert heard(eve) == [Closing("closed", "the room is closed")] and eve.link.finished
    assert evening.hub.people == 0


@pytest.mark.parametrize("already", [0, 100])
def test_stop_ends_the_thread_after_all_that_waits(already):
    evening = Evening()
    [ann] = evening.come("ann")
    evening.hub.start()
    for number in range(already):
        evening.hub.inbox.put(says(ann, str(number)))
    evening.hub.stop()
    assert texts(heard(ann)) == [str(number) for number in range(already)]
    evening.hub.inbox.put(says(ann, "too late"))
    evening.hub.saved(7)
