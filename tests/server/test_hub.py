"""The hub with links that record what they are handed. `Evening.batch()` is one batch, in the test's own thread."""

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
from lanchat.room.effects import Snapshot
from lanchat.room.room import MAX_SESSIONS, Room
from lanchat.server.hub import Hub
from lanchat.server.session import CloseRoom, JoinRequest, LinkEnded, LogTrouble, Received, Session, Stop, Stored
from lanchat.storage.log import NoLog


class RecordingLink:
    """Keeps each send as it was handed over."""

    def __init__(self) -> None:
        self.code, self.reason = "lost", "the other side closed the connection"
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

    def __init__(self) -> None:
        self.encoded: list[FromHost] = []

    def snapshot(self, snapshot: Snapshot) -> bytes:
        told: list[FromHost] = [snapshot.welcome, *snapshot.present, *snapshot.past, *snapshot.private]
        return b"".join(map(self.encode, told))

    def encode(self, message: FromHost) -> bytes:
        self.encoded.append(message)
        return encode(message)


class TerseDoor(TalkativeDoor):
    """Tells events only, not even to those who made them."""

    echoes = False

    def snapshot(self, snapshot: Snapshot) -> bytes:
        return b""

    def encode(self, message: FromHost) -> bytes:
        super().encode(message)
        return encode(message) if isinstance(message, Said | Joined | Left | Renamed | Notice | Closing) else b""


class SlowLog(NoLog):
    """Stores nothing until told to."""

    def __init__(self) -> None:
        self.records: list = []

    def append(self, records: Any) -> int:
        self.records += records
        return len(self.records)

    @property
    def events(self) -> list:
        return [record for record in self.records if not isinstance(record, Told)]

    @property
    def private(self) -> list:
        return [record for record in self.records if isinstance(record, Told)]


@dataclass
class Evening:
    """A hub, and who is at it."""

    log: Any = field(default_factory=NoLog)  # or a SlowLog
    native: TalkativeDoor = field(default_factory=TalkativeDoor)
    plain: TerseDoor = field(default_factory=TerseDoor)

    def __post_init__(self) -> None:
        self.clock = count(1000)
        self.hub: Hub = Hub(Room("5" * 32, "Room A", "id-hal"), self.log, lambda: next(self.clock))
        self.log.start(self.hub.stored)

    def batch(self, *items) -> None:
        """One batch of all these and what was left over."""
        for item in items:
            self.hub.inbox.put_now(item)
        self.hub.inbox.put_now(Stop())
        self.hub._run()

    def come(self, *nicks: str, door: TalkativeDoor | None = None) -> Any:
        """These come in, and what that made everybody hear is forgotten."""
        sessions = [new_session(self, door) for _ in nicks]
        self.batch(*(JoinRequest(session, f"id-{nick}", nick) for session, nick in zip(sessions, nicks, strict=True)))
        for session in [*self.hub._sessions]:
            heard(session)
        return sessions


def new_session(evening: Evening, door: TalkativeDoor | None = None) -> Any:
    door = door or evening.native
    return Session(RecordingLink(), door, echoes=door.echoes)


def heard(session: Any) -> list[Any]:
    """All messages so far. Forgets them."""
    messages: list[Any] = decode_all(b"".join(session.link.sends).split(b"\n"), FROM_HOST)
    session.link.sends.clear()
    return messages


def says(session: Session, *texts: str) -> Received:
    messages: list[FromMember] = [Say(text, text) for text in texts]
    return Received(session, messages)


def texts(messages: list[FromHost]) -> list[str]:
    return [message.text for message in messages if isinstance(message, Said)]


# ---- batches


def test_one_send_for_each_link_and_batch():
    evening = Evening()
    ann, bob, eve = evening.come("ann", "bob", "eve")
    evening.batch(says(ann, "1", "2"), says(bob, "3"), says(eve, "4"), Received(ann, [Ping()]))
    for session in (ann, bob, eve):
        assert len(session.link.sends) == 1
        assert texts(heard(session)) == ["1", "2", "3", "4"]


def test_the_bytes_of_an_event_are_made_once_for_each_dialect():
    evening = Evening()
    [ann, *_] = evening.come(*(f"n{number}" for number in range(20)))
    evening.come("pat", "pia", door=evening.plain)
    evening.native.encoded.clear()
    evening.plain.encoded.clear()
    evening.batch(says(ann, "1", "2"))
    assert texts(evening.native.encoded) == texts(evening.plain.encoded) == ["1", "2"]


def test_the_deaf_hear_who_comes_and_goes_and_themselves():
    evening = Evening()
    ann, bob = evening.come("ann", "bob")
    evening.batch(Received(ann, [Deaf()]))
    evening.batch(says(bob, "1"), says(ann, "2"), says(bob, "3"), LinkEnded(bob))
    assert [type(message) for message in heard(ann)] == [Said, Left]
    evening.batch(says(ann, "4"), Received(ann, [Ping()]))
    assert [type(message) for message in heard(ann)] == [Ack, Said, Pong]
    evening.batch(JoinRequest(again := new_session(evening), "id-ann", "ann", after=2), says(again, "5"))
    assert texts(heard(again))[-1] == "5", "another link of hers hears all"


def test_a_batch_in_which_nothing_is_said_sends_nothing():
    evening = Evening()
    [ann] = evening.come("ann")
    evening.batch(Received(ann, [Pong()]), Stored(0, 0))
    assert ann.link.sends == []


def test_events_carry_the_time_of_their_batch():
    evening = Evening()
    [ann] = evening.come("ann")
    evening.batch()
    evening.batch()
    evening.batch(says(ann, "1"))
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
        hub.inbox.put_now(CloseRoom("x"))
        assert asked.wait(5)
    finally:
        hub.stop()


def test_answers_come_between_the_events_they_belong_between():
    evening = Evening(SlowLog())
    ann, bob = evening.come("ann", "bob")
    evening.batch(says(ann, "1"), Received(ann, [Ping(), Say("", "  ")]), says(bob, "2"))
    assert [type(message) for message in heard(ann)] == [Said, Pong, Notice, Said]
    assert texts(heard(bob)) == ["1", "2"]


# ---- coming


def test_a_newcomer_gets_the_snapshot_then_what_is_live():
    evening = Evening()
    ann, bob = evening.come("ann", "bob")
    evening.batch(says(ann, "old"))
    eve = new_session(evening)
    evening.batch(says(ann, "before"), JoinRequest(eve, "id-eve", "eve"), says(bob, "after"))
    assert len(eve.link.sends) == 1
    assert heard(eve) == [
        Welcome("id-eve", "eve", seq=4, stored=3, people=2),
        Present("id-ann", "ann"),
        Present("id-bob", "bob"),
        Said(3, 1001, "id-ann", "ann", "old", "old"),
        Said(4, 1002, "id-ann", "ann", "before", "before"),
        Joined(5, 1002, "id-eve", "eve"),
        Said(6, 1002, "id-bob", "bob", "after", "after"),
    ]


def test_newcomers_of_one_batch_see_no_gap_and_nothing_twice():
    evening = Evening()
    [ann] = evening.come("ann")
    sessions = [new_session(evening) for _ in range(10)]
    items = [
        item
        for number, session in enumerate(sessions)
        for item in (
            says(ann, f"a{number}"),
            JoinRequest(session, f"id-{number}", f"n{number}"),
            says(session, f"b{number}"),
        )
    ]
    evening.batch(*items)
    everything = [event.seq for event in heard(ann) if isinstance(event, Said | Joined)]
    assert everything == list(range(2, 32))
    for session in sessions:
        messages = heard(session)
        welcome = messages[0]
        assert [e.seq for e in messages[1:] if isinstance(e, Joined | Said) and e.seq > welcome.seq] == [
            seq for seq in everything if seq > welcome.seq
        ]
        past = [e.seq for e in messages[1:] if isinstance(e, Said) and e.seq <= welcome.seq]
        assert past == sorted(set(past))


def test_who_comes_back_gets_what_they_missed_and_no_more():
    evening = Evening()
    ann, bob = evening.come("ann", "bob")
    evening.batch(LinkEnded(bob), says(ann, "missed"))
    back = new_session(evening)
    evening.batch(says(ann, "same batch"), JoinRequest(back, "id-bob", "bob", after=2), says(ann, "live"))
    assert [event.seq for event in heard(back)[2:]] == [3, 4, 5, 6, 7]


def test_a_second_link_of_a_member_gets_a_snapshot_too():
    evening = Evening()
    [ann] = evening.come("ann")
    second = new_session(evening)
    evening.batch(JoinRequest(second, "id-ann", "ann"), says(second, "hi"))
    assert [type(message) for message in heard(second)] == [Welcome, Present, Said]
    assert texts(heard(ann)) == ["hi"]
    evening.batch(LinkEnded(ann))
    assert heard(second) == [Ack(2)], "ann is still here"


def test_a_refused_one_is_told_and_finished():
    evening = Evening()
    [ann] = evening.come("ann")
    eve = new_session(evening)
    evening.batch(JoinRequest(eve, "id-eve", "Ann"), says(eve, "unheard"), LinkEnded(eve))
    assert heard(eve) == [Refused("nick", "The nick Ann is taken here.", "Ann2")]
    assert eve.link.finished and heard(ann) == []


def test_who_cannot_be_asked_again_gets_a_free_nick():
    evening = Evening()
    [ann] = evening.come("ann")
    pat = new_session(evening, evening.plain)
    evening.batch(JoinRequest(pat, "~1", "ann", any_nick=True))
    assert heard(pat) == [Notice("nick", "The nick ann is taken; you are ann2.")]
    assert heard(ann) == [Joined(2, 1001, "~1", "ann2")]


def test_of_too_many_sessions_of_one_member_the_oldest_ends():
    """Four ghosts of a flaky member never keep that member out, and nobody else need know."""
    evening = Evening()
    [bob] = evening.come("bob")
    first, *others = evening.come(*["ann"] * MAX_SESSIONS)
    heard(bob)
    [last] = evening.come("ann")
    assert heard(first) == [Closing("replaced", "You joined from another window.")] and first.link.finished
    assert heard(bob) == []
    evening.batch(*(LinkEnded(session) for session in others), says(last, "still here"))
    assert [type(message) for message in heard(bob)] == [Said]


# ---- going


def test_who_goes_is_missed():
    evening = Evening()
    ann, bob = evening.come("ann", "bob")
    evening.batch(LinkEnded(bob), says(bob, "from beyond"))
    assert heard(ann) == [Left(3, 1001, "id-bob", "bob", "lost", "the other side closed the connection")]
    assert heard(bob) == [] and evening.hub.people == 1
    evening.batch(LinkEnded(bob))
    assert heard(ann) == []


def test_a_bye_is_the_last_word():
    evening = Evening()
    ann, bob = evening.come("ann", "bob")
    evening.batch(Received(bob, [Say("1", "so long"), Bye(), Say("2", "unheard")]), LinkEnded(bob))
    assert heard(ann) == [Said(3, 1001, "id-bob", "bob", "1", "so long"), Left(4, 1001, "id-bob", "bob")]
    assert bob.link.finished


def test_gone_before_they_came():
    evening = Evening()
    evening.batch(LinkEnded(new_session(evening)))
    assert evening.hub.people == 0


# ---- acknowledgements


def test_an_ack_comes_after_the_log_has_it_and_not_before():
    evening = Evening(SlowLog())
    ann, bob = evening.come("ann", "bob")
    evening.batch(says(ann, "1", "2", "3"))
    evening.batch()
    assert texts(heard(ann)) == ["1", "2", "3"] and [event.seq for event in evening.log.events[2:]] == [3, 4, 5]
    evening.batch(Stored(2, 2))
    assert heard(ann) == []
    evening.batch(Stored(4, 4))
    assert heard(ann) == [Ack(4)]
    evening.batch(Stored(5, 5))
    assert heard(ann) == [Ack(5)]
    evening.batch(Stored(5, 5))
    assert heard(ann) == []
    assert texts(heard(bob)) == ["1", "2", "3"], "acks are the author's alone"


def test_what_is_delivered_is_handed_to_the_log_in_the_same_batch():
    evening = Evening(SlowLog())
    [ann] = evening.come("ann")
    evening.batch(says(ann, "1"))
    assert texts(evening.log.events) == ["1"]


def test_a_resend_is_acknowledged_again():
    evening = Evening()
    [ann] = evening.come("ann")
    evening.batch(says(ann, "1"))
    evening.batch()
    [said, ack] = heard(ann)
    evening.batch(says(ann, "1"))
    assert heard(ann) == [said, ack]


def test_a_resend_of_what_is_not_kept_yet_waits():
    evening = Evening(SlowLog())
    [ann] = evening.come("ann")
    evening.batch(says(ann, "1", "2"))
    heard(ann)
    evening.batch(says(ann, "1"))
    assert texts(heard(ann)) == ["1"]
    evening.batch(Stored(3, 3))
    assert heard(ann) == [Ack(3)]


def test_whoever_left_is_not_acknowledged():
    evening = Evening(SlowLog())
    ann, bob = evening.come("ann", "bob")
    evening.batch(says(ann, "1"), LinkEnded(ann))
    evening.batch(Stored(9, 9))
    assert ann.link.sends == []


# ---- private messages

PSST = Told("1", 1001, "id-ann", "ann", "id-bob", "bob", "psst")


def tells(session: Session, nick: str, id: str = "1") -> Received:
    return Received(session, [Tell(id, f"id-{nick}", nick, "psst")])


def test_a_private_message_reaches_its_two_and_nobody_else():
    evening = Evening()
    ann, bob, eve = evening.come("ann", "bob", "eve")
    [pat] = evening.come("pat", door=evening.plain)
    evening.batch(tells(ann, "bob"))
    evening.batch()
    psst = Told("1", 1002, "id-ann", "ann", "id-bob", "bob", "psst")
    assert heard(ann) == [psst, Receipt("1", "here")]
    assert heard(bob) == [psst]
    assert eve.link.sends == pat.link.sends == []


def test_every_link_of_theirs_gets_it_at_its_place():
    evening = Evening()
    ann, bob = evening.come("ann", "bob")
    second = new_session(evening)
    evening.batch(JoinRequest(second, "id-bob", "bob"))
    heard(second)
    evening.batch(says(ann, "before"), tells(ann, "bob"), says(ann, "after"))
    for session in (bob, second):
        assert [message.text for message in heard(session)] == ["before", "psst", "after"]


def test_it_is_acknowledged_when_the_log_has_it_and_not_before():
    evening = Evening(SlowLog())
    ann, bob = evening.come("ann", "bob")
    evening.batch(tells(ann, "bob"), tells(bob, "ann", "of bob"))
    evening.batch(tells(ann, "bob", "2"))
    assert [told.id for told in evening.log.private] == ["1", "of bob", "2"]
    heard(ann), heard(bob)
    evening.batch(Stored(3, 2))
    assert (heard(ann), heard(bob)) == ([Receipt("1", "here")], [])
    evening.batch(Stored(5, 2))
    assert (heard(ann), heard(bob)) == ([Receipt("2", "here")], [Receipt("of bob", "here")])


def test_what_waits_comes_with_the_welcome_until_they_have_it():
    evening = Evening(SlowLog())
    ann, bob = evening.come("ann", "bob")
    evening.batch(LinkEnded(bob), tells(ann, "bob"))
    for _ in range(2):
        back = new_session(evening)
        evening.batch(JoinRequest(back, "id-bob", "bob", after=3))
        assert PSST in heard(back)
    evening.batch(Received(back, [Got("id-ann", "1")]))
    assert evening.log.private == [PSST, Told("1", 1001, "id-ann", "ann", "id-bob", "bob", "")]
    last = new_session(evening)
    evening.batch(JoinRequest(last, "id-bob", "bob", after=3))
    assert not any(isinstance(message, Told) for message in heard(last))


def test_a_sender_who_left_is_told_nothing():
    evening = Evening(SlowLog())
    ann, bob = evening.come("ann", "bob")
    evening.batch(tells(ann, "bob"), LinkEnded(ann))
    evening.batch(Stored(3, 2))
    assert ann.link.sends == []


def test_while_nothing_is_saved_a_sender_is_warned_and_when_memory_is_full_refused():
    evening = Evening(SlowLog())
    ann, bob = evening.come("ann", "bob")
    evening.batch(LogTrouble("the disk is full"), tells(ann, "bob"))
    assert [type(message) for message in heard(ann)] == [Told, Notice]
    evening.log.full = True
    evening.batch(tells(ann, "bob", "2"))
    assert heard(ann) == [Receipt("2", "refused", "Not sent: the disk is full at the host. Try again later.")]
    assert len(evening.log.private) == 1


# ---- doors


def test_a_door_that_does_not_echo():
    evening = Evening()
    [ann] = evening.come("ann")
    pat, pia = evening.come("pat", "pia", door=evening.plain)
    evening.batch(says(pat, "1"), says(pia, "2"), says(ann, "3"), says(pat, "4"))
    assert texts(heard(pat)) == ["2", "3"]
    assert texts(heard(pia)) == ["1", "3", "4"]
    assert texts(heard(ann)) == ["1", "2", "3", "4"]


def test_a_door_that_does_not_remember():
    evening = Evening()
    [ann] = evening.come("ann")
    evening.batch(says(ann, "old"))
    pat = new_session(evening, evening.plain)
    evening.batch(JoinRequest(pat, "~1", "pat"), says(ann, "new"), Received(pat, [Rename("pat2")]))
    assert texts(heard(pat)) == ["new"]


def test_a_door_that_has_nothing_to_tell_sends_nothing():
    evening = Evening()
    [pat] = evening.come("pat", door=evening.plain)
    evening.batch(says(pat, "alone"))
    evening.batch()
    assert pat.link.sends == []


# ---- the end


def test_goodbye_is_the_last_line_for_everyone():
    evening = Evening()
    [ann] = evening.come("ann")
    [pat] = evening.come("pat", door=evening.plain)
    evening.batch(says(ann, "last words"), CloseRoom("the room is closed"))
    for session in (ann, pat):
        assert session.link.finished
        assert heard(session)[-2:] == [
            Said(3, 1002, "id-ann", "ann", "last words", "last words"),
            Closing("closed", "the room is closed"),
        ]


def test_nobody_comes_in_after_goodbye():
    evening = Evening()
    eve = new_session(evening)
    evening.batch(CloseRoom("the room is closed"), JoinRequest(eve, "id-eve", "eve"), LinkEnded(eve))
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
    evening.hub.stored(7, 7)
