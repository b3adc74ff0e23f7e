"""The hub with links that record their sends. `HubStage.batch()` runs one batch in the test's own thread."""

import threading
from typing import Any

import pytest

from lanchat.protocol.closings import FAULT
from lanchat.protocol.framing import encode
from lanchat.protocol.limits import Limits
from lanchat.protocol.messages import (
    Ack,
    Bye,
    Closing,
    Deaf,
    Fetch,
    FromHost,
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
    Said,
    Say,
    Tell,
    Told,
    Welcome,
)
from lanchat.protocol.status import Status
from lanchat.room.access import Access
from lanchat.room.members import MAX_SESSIONS
from lanchat.room.room import Room
from lanchat.server.hub import Hub
from lanchat.server.items import Asked, CloseRoom, Item, JoinRequest, LinkEnded, LogStored, LogTrouble, Received
from lanchat.server.session import Session
from lanchat.server.sessions import announce_after
from lanchat.storage.log import NoLog
from tests.support.hub import HubStage, RecordingLink, SlowLog, heard, new_session, says
from tests.support.rooms import box, boxed, copy
from tests.support.waiting import PATIENCE


def texts(messages: list[FromHost]) -> list[str]:
    return [message.text for message in messages if isinstance(message, Said)]


# ---- crowds


@pytest.fixture
def crowd() -> HubStage:
    """A room so large that who comes or goes is announced together with others; its clock stands still."""
    stage = HubStage(log=SlowLog())
    stage.come(*(f"m{number}" for number in range(70)))
    stage.hub.sessions.clock = lambda: 0.0
    return stage


def pass_of(stage: HubStage, *items: Item) -> None:
    """Let the hub handle these, and go on."""
    for item in items:
        stage.hub.inbox.put_now(item)
    assert stage.hub.run_batch()


def comes(stage: HubStage, nick: str) -> Any:
    session = new_session(stage)
    pass_of(stage, JoinRequest(session, f"id-{nick}", nick))
    return session


def visits(messages: list[FromHost]) -> list[str]:
    """Who has come and gone, in order, and what was said."""
    found: list[str] = []
    for message in messages:
        match message:
            case Joined(nick=nick):
                found.append(f"+{nick}")
            case Left(nick=nick):
                found.append(f"-{nick}")
            case Said(text=text):
                found.append(text)
    return found


def test_who_comes_into_a_large_room_is_in_it_at_once_and_announced_with_others_before_anything_else_happens(crowd):
    ann, *others = crowd.hub.sessions
    commits = crowd.log.commits
    bob = comes(crowd, "bob")
    carl = comes(crowd, "carl")
    pass_of(crowd, LinkEnded(bob))
    assert visits(heard(bob)) == ["+bob"]
    first = heard(carl)
    assert "bob" in [one.nick for one in first if isinstance(one, Present)] and visits(first) == ["+carl"]
    assert not any(heard(session) for session in [ann, *others]) and crowd.log.commits == commits
    assert [event.nick for event in crowd.log.events[-3:]] == ["bob", "carl", "bob"]
    pass_of(crowd, says(ann, "hi"))
    assert visits(heard(carl)) == ["-bob", "hi"] and crowd.log.commits == commits + 1
    assert all(visits(heard(session)) == ["+bob", "+carl", "-bob", "hi"] for session in [ann, *others])


def test_who_comes_alone_into_a_large_room_is_announced_a_moment_later(crowd):
    ann, *_ = crowd.hub.sessions
    comes(crowd, "bob")
    assert heard(ann) == [] and crowd.hub.sessions.pause
    crowd.hub.sessions.clock = lambda: 1.0
    pass_of(crowd)
    assert visits(heard(ann)) == ["+bob"] and crowd.hub.sessions.pause is None
    comes(crowd, "carl")
    assert heard(ann) == [] and crowd.hub.sessions.pause


def test_the_larger_the_room_the_more_newcomers_share_one_announcement():
    """A send to everybody takes the longer the more there are, but nobody waits long to see who is there."""
    assert announce_after(70) == announce_after(300) == 0.1
    assert announce_after(1000) == pytest.approx(0.3)
    assert announce_after(100_000) == 0.5


def test_who_is_told_something_in_a_large_room_hears_first_who_has_come(crowd):
    ann, zoe, *_ = crowd.hub.sessions
    comes(crowd, "bob")
    pass_of(crowd, Received(ann, [Ping()]))
    came, pong = heard(ann)
    assert visits([came]) == ["+bob"] and pong == Pong() and heard(zoe) == []
    comes(crowd, "carl")
    pass_of(crowd, CloseRoom("bye"))
    assert visits(heard(ann)) == ["+carl"] and visits(heard(zoe)) == ["+bob", "+carl"]


def test_nothing_is_kept_from_the_disk_that_somebody_waits_for(crowd):
    ann, zoe, *_ = crowd.hub.sessions
    commits = crowd.log.commits
    bob = new_session(crowd)
    pass_of(crowd, JoinRequest(bob, "id-bob", "bob"), tells(ann, "m1"))
    assert crowd.log.commits == commits + 1 and visits(heard(zoe)) == ["+bob"]


def test_in_a_small_room_everybody_hears_at_once_who_has_come():
    stage = HubStage()
    [ann] = stage.come("ann")
    comes(stage, "bob")
    assert visits(heard(ann)) == ["+bob"]


# ---- programs


def come_as_program(stage: HubStage, nick: str) -> Any:
    session = Session(RecordingLink(), stage.native, bot=True)
    stage.batch(JoinRequest(session, f"id-{nick}", nick))
    return session


def test_a_program_is_marked_for_those_who_are_here_and_for_those_who_come():
    stage = HubStage()
    [ann] = stage.come("ann")
    come_as_program(stage, "bot")
    assert heard(ann) == [Joined(2, 1001, "id-bot", "bot", bot=True)]
    bob = new_session(stage)
    stage.batch(JoinRequest(bob, "id-bob", "bob"))
    assert [one.bot for one in heard(bob) if isinstance(one, Present)] == [False, True]


def test_who_is_here_as_a_person_too_is_no_program():
    stage = HubStage()
    [ann] = stage.come("ann")
    come_as_program(stage, "bob")
    heard(ann)
    person = new_session(stage)
    stage.batch(JoinRequest(person, "id-bob", "bob"))
    assert heard(ann) == [Status("id-bob", "bob", bot=False)]
    stage.batch(LinkEnded(person))
    assert heard(ann) == [Status("id-bob", "bob", bot=True)]


# ---- batches


def test_each_link_gets_one_send_for_each_batch():
    stage = HubStage()
    ann, bob, eve = stage.come("ann", "bob", "eve")
    stage.batch(says(ann, "1", "2"), says(bob, "3"), says(eve, "4"), Received(ann, [Ping()]))
    for session in (ann, bob, eve):
        assert len(session.link.sends) == 1
        assert texts(heard(session)) == ["1", "2", "3", "4"]


def test_the_log_has_a_batch_before_anybody_hears_it_and_begins_to_store_it_after_everybody_has():
    log = SlowLog()
    stage = HubStage(log)
    [ann] = stage.come("ann")
    had: list[tuple[list[str], int]] = []
    commits = log.commits

    def send(data: bytes) -> None:
        had.append((texts(log.events), log.commits - commits))

    ann.link.send = send
    stage.batch(says(ann, "1", "2"))
    assert had == [(["1", "2"], 0)]
    assert log.commits == commits + 1
    stage.batch(Received(ann, [Ping()]))
    assert log.commits == commits + 1


def test_the_bytes_of_an_event_are_made_once_for_each_dialect():
    stage = HubStage()
    [ann, *_] = stage.come(*(f"n{number}" for number in range(20)))
    stage.come("pat", "pia", door=stage.plain)
    stage.native.encoded.clear()
    stage.plain.encoded.clear()
    stage.batch(says(ann, "1", "2"))
    assert texts(stage.native.encoded) == texts(stage.plain.encoded) == ["1", "2"]


def test_deaf_sessions_get_joins_leaves_and_their_own_messages():
    stage = HubStage()
    ann, bob = stage.come("ann", "bob")
    stage.batch(Received(ann, [Deaf()]))
    stage.batch(says(bob, "1"), says(ann, "2"), says(bob, "3"), LinkEnded(bob))
    assert [type(message) for message in heard(ann)] == [Said, Left, Ack]
    stage.batch(says(ann, "4"), Received(ann, [Ping()]))
    assert [type(message) for message in heard(ann)] == [Said, Pong, Ack]
    stage.batch(JoinRequest(again := new_session(stage), "id-ann", "ann", after=2), says(again, "5"))
    assert texts(heard(again))[-1] == "5", "another link of hers hears all"


def test_a_batch_without_events_sends_nothing():
    stage = HubStage()
    [ann] = stage.come("ann")
    stage.batch(Received(ann, [Pong()]), LogStored(0, 0))
    assert ann.link.sends == []


def test_events_carry_the_time_of_their_batch():
    stage = HubStage()
    [ann] = stage.come("ann")
    stage.batch()
    stage.batch()
    stage.batch(says(ann, "1"))
    assert heard(ann)[0].at == next(stage.clock) - 1


def test_the_time_of_an_event_is_when_the_hub_took_it():
    """The hub may have waited for an hour before the message came."""
    asked = threading.Event()

    def now() -> int:
        asked.set()
        return 5

    hub = Hub(Room("5" * 32, "Room A", "id-hal"), NoLog(), now)
    hub.start()
    try:
        assert not asked.wait(0.05)
        hub.inbox.put_now(CloseRoom("x"))
        assert asked.wait(PATIENCE)
    finally:
        hub.stop()


def test_a_reply_comes_at_its_place_between_the_events():
    stage = HubStage(SlowLog())
    ann, bob = stage.come("ann", "bob")
    stage.batch(says(ann, "1"), Received(ann, [Ping(), Say("", "  ")]), says(bob, "2"))
    assert [type(message) for message in heard(ann)] == [Said, Pong, Notice, Said]
    assert texts(heard(bob)) == ["1", "2"]


def test_a_fetch_before_the_welcome_is_answered_in_words():
    stage = HubStage()
    [ann] = stage.come("ann")
    stage.batch(Received(ann, [Fetch(0)]))
    assert heard(ann) == [Notice("rules", "Events can be fetched only after the welcome.")]


# ---- coming


def test_a_newcomer_gets_the_snapshot_and_then_live_events():
    stage = HubStage()
    ann, bob = stage.come("ann", "bob")
    stage.batch(says(ann, "old"))
    eve = new_session(stage)
    stage.batch(says(ann, "before"), JoinRequest(eve, "id-eve", "eve"), says(bob, "after"))
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


def test_newcomers_of_one_batch_get_no_gap_and_no_duplicate():
    stage = HubStage()
    [ann] = stage.come("ann")
    sessions = [new_session(stage) for _ in range(10)]
    items = [
        item
        for number, session in enumerate(sessions)
        for item in (
            says(ann, f"a{number}"),
            JoinRequest(session, f"id-{number}", f"n{number}"),
            says(session, f"b{number}"),
        )
    ]
    stage.batch(*items)
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


def test_a_returning_member_gets_exactly_the_missed_events():
    stage = HubStage()
    ann, bob = stage.come("ann", "bob")
    stage.batch(LinkEnded(bob), says(ann, "missed"))
    back = new_session(stage)
    stage.batch(says(ann, "same batch"), JoinRequest(back, "id-bob", "bob", after=2), says(ann, "live"))
    assert [event.seq for event in heard(back)[2:]] == [3, 4, 5, 6, 7]


def test_a_second_session_of_a_member_gets_a_snapshot_too():
    stage = HubStage()
    [ann] = stage.come("ann")
    second = new_session(stage)
    stage.batch(JoinRequest(second, "id-ann", "ann"), says(second, "hi"))
    assert [type(message) for message in heard(second)] == [Welcome, Present, Said, Ack]
    assert texts(heard(ann)) == ["hi"]
    stage.batch(LinkEnded(ann))
    assert heard(second) == [], "ann is still here"


def test_a_refused_client_is_told_why_and_its_link_is_finished():
    stage = HubStage()
    [ann] = stage.come("ann")
    eve = new_session(stage)
    stage.batch(JoinRequest(eve, "id-eve", "Ann"), says(eve, "unheard"), LinkEnded(eve))
    assert heard(eve) == [Refused("nick", "The nick Ann is taken here.", "Ann2")]
    assert eve.link.finished and heard(ann) == []


def test_a_plain_client_with_a_taken_nick_gets_a_free_one():
    stage = HubStage()
    [ann] = stage.come("ann")
    pat = new_session(stage, stage.plain)
    stage.batch(JoinRequest(pat, "~1", "ann", any_nick=True))
    assert heard(pat) == [Notice("nick", "The nick ann is taken; you are ann2.")]
    assert heard(ann) == [Joined(2, 1001, "~1", "ann2")]


def test_the_oldest_of_too_many_sessions_of_a_member_is_closed():
    """Four dead sessions never keep their member out, and no other member gets an event."""
    stage = HubStage()
    [bob] = stage.come("bob")
    first, *others = stage.come(*["ann"] * MAX_SESSIONS)
    heard(bob)
    [last] = stage.come("ann")
    assert heard(first) == [Closing("replaced", "You joined from another window.")] and first.link.finished
    assert heard(bob) == []
    stage.batch(*(LinkEnded(session) for session in others), says(last, "still here"))
    assert [type(message) for message in heard(bob)] == [Said]


# ---- going


def test_the_others_get_an_event_when_a_link_ends():
    stage = HubStage()
    ann, bob = stage.come("ann", "bob")
    stage.batch(LinkEnded(bob), says(bob, "from beyond"))
    assert heard(ann) == [Left(3, 1001, "id-bob", "bob", "lost", "the other side closed the connection")]
    assert heard(bob) == [] and stage.hub.people == 1
    stage.batch(LinkEnded(bob))
    assert heard(ann) == []


def test_messages_after_a_bye_are_ignored():
    stage = HubStage()
    ann, bob = stage.come("ann", "bob")
    stage.batch(Received(bob, [Say("1", "so long"), Bye(), Say("2", "unheard")]), LinkEnded(bob))
    assert heard(ann) == [Said(3, 1001, "id-bob", "bob", "1", "so long"), Left(4, 1001, "id-bob", "bob")]
    assert bob.link.finished


def test_a_link_that_ended_before_it_joined():
    stage = HubStage()
    stage.batch(LinkEnded(new_session(stage)))
    assert stage.hub.people == 0


# ---- acknowledgements


def test_an_ack_is_sent_when_the_log_has_stored_the_message():
    stage = HubStage(SlowLog())
    ann, bob = stage.come("ann", "bob")
    stage.batch(says(ann, "1", "2", "3"))
    stage.batch()
    assert texts(heard(ann)) == ["1", "2", "3"] and [event.seq for event in stage.log.events[2:]] == [3, 4, 5]
    stage.batch(LogStored(2, 2))
    assert heard(ann) == []
    stage.batch(LogStored(4, 4))
    assert heard(ann) == [Ack(4)]
    stage.batch(LogStored(5, 5))
    assert heard(ann) == [Ack(5)]
    stage.batch(LogStored(5, 5))
    assert heard(ann) == []
    assert texts(heard(bob)) == ["1", "2", "3"], "acks are the author's alone"


def test_events_are_given_to_the_log_in_the_batch_that_delivers_them():
    stage = HubStage(SlowLog())
    [ann] = stage.come("ann")
    stage.batch(says(ann, "1"))
    assert texts(stage.log.events) == ["1"]


def test_what_somebody_hears_is_in_the_log_already():  # a copy that lacks it has a hole
    stage = HubStage(SlowLog())
    ann, bob = stage.come("ann", "bob")
    logged: list[list[str]] = []
    for session in (ann, bob):
        session.link.send = lambda data: logged.append(texts(stage.log.events))
    stage.batch(says(ann, "1"))
    assert logged == [["1"], ["1"]]


def test_a_resend_is_acknowledged_again():
    stage = HubStage()
    [ann] = stage.come("ann")
    stage.batch(says(ann, "1"))
    stage.batch()
    [said, ack] = heard(ann)
    stage.batch(says(ann, "1"))
    assert heard(ann) == [said, ack]


def test_among_several_messages_at_once_each_answer_has_its_place():
    stage = HubStage(log=SlowLog())
    ann, bob = stage.come("ann", "bob")
    new, again, empty, last = Say("1", "one"), Say("1", "one"), Say("2", " "), Say("3", "two")
    stage.batch(Received(ann, [new, again, empty, Ping(), last]))
    one, two = heard(bob)
    assert [one.text, two.text] == ["one", "two"]
    assert heard(ann) == [one, one, Notice("rules", "A message cannot be empty."), Pong(), two]
    stage.batch(LogStored(len(stage.log.records), two.seq))
    assert heard(ann) == [Ack(two.seq)]


def test_in_a_room_that_stores_nothing_the_ack_comes_together_with_the_message():
    stage = HubStage()
    ann, bob = stage.come("ann", "bob")
    stage.batch(says(ann, "1", "2"))
    assert len(ann.link.sends) == len(bob.link.sends) == 1
    [one, two, ack], [same_one, same_two] = heard(ann), heard(bob)
    assert (one, two, ack) == (same_one, same_two, Ack(two.seq))
    assert stage.hub.inbox.take(0) == [], "nobody wakes the hub again"


def test_a_resend_waits_for_its_ack_until_the_message_is_stored():
    stage = HubStage(SlowLog())
    [ann] = stage.come("ann")
    stage.batch(says(ann, "1", "2"))
    heard(ann)
    stage.batch(says(ann, "1"))
    assert texts(heard(ann)) == ["1"]
    stage.batch(LogStored(3, 3))
    assert heard(ann) == [Ack(3)]


def test_a_session_that_has_left_gets_no_ack():
    stage = HubStage(SlowLog())
    ann, bob = stage.come("ann", "bob")
    stage.batch(says(ann, "1"), LinkEnded(ann))
    stage.batch(LogStored(9, 9))
    assert ann.link.sends == []


# ---- private messages

PSST = Told("1", 1001, "id-ann", "ann", "id-bob", "bob", box())


def tells(session: Session, nick: str, id: str = "1") -> Received:
    return Received(session, [Tell(id, f"id-{nick}", nick, box(), copy())])


def test_a_private_message_reaches_sender_and_recipient_only():
    stage = HubStage()
    ann, bob, eve = stage.come("ann", "bob", "eve")
    [pat] = stage.come("pat", door=stage.plain)
    stage.batch(tells(ann, "bob"))
    stage.batch()
    assert heard(ann) == [Told("1", 1002, "id-ann", "ann", "id-bob", "bob", copy()), Receipt("1", "here")]
    assert heard(bob) == [Told("1", 1002, "id-ann", "ann", "id-bob", "bob", box())]
    assert eve.link.sends == pat.link.sends == []


def test_every_session_of_the_recipient_gets_it_at_its_place():
    stage = HubStage()
    ann, bob = stage.come("ann", "bob")
    second = new_session(stage)
    stage.batch(JoinRequest(second, "id-bob", "bob"))
    heard(second)
    stage.batch(says(ann, "before"), tells(ann, "bob"), says(ann, "after"))
    for session in (bob, second):
        before, psst, after = heard(session)
        assert (before.text, boxed(psst), after.text) == ("before", "psst", "after")


def test_every_link_of_the_sender_gets_a_copy():
    stage = HubStage()
    ann, bob = stage.come("ann", "bob")
    second = new_session(stage)
    stage.batch(JoinRequest(second, "id-ann", "ann"))
    heard(second)
    stage.batch(tells(ann, "bob"))
    assert [boxed(message) for message in heard(second)] == ["copy of psst"]


def test_what_is_for_a_guest_is_handed_on_at_once_and_stored_nowhere():
    stage = HubStage(SlowLog())
    ann, bob = stage.come("ann", "bob")
    pat = new_session(stage)
    stage.batch(JoinRequest(pat, "~1f", "pat"))
    heard(pat), heard(ann), heard(bob)
    stage.batch(Received(ann, [Tell("1", "~1f", "pat", text="psst")]))
    psst = Told("1", 1002, "id-ann", "ann", "~1f", "pat", text="psst")
    assert heard(pat) == [psst] and heard(ann) == [psst, Receipt("1", "passed")]
    assert bob.link.sends == [] and stage.log.private == []


def test_a_receipt_is_sent_when_the_log_has_stored_the_private_message():
    stage = HubStage(SlowLog())
    ann, bob = stage.come("ann", "bob")
    stage.batch(tells(ann, "bob"), tells(bob, "ann", "of bob"))
    stage.batch(tells(ann, "bob", "2"))
    assert [told.id for told in stage.log.private] == ["1", "of bob", "2"]
    heard(ann), heard(bob)
    stage.batch(LogStored(3, 2))
    assert (heard(ann), heard(bob)) == ([Receipt("1", "here")], [])
    stage.batch(LogStored(5, 2))
    assert (heard(ann), heard(bob)) == ([Receipt("2", "here")], [Receipt("of bob", "here")])


def test_waiting_private_messages_come_with_the_welcome_until_confirmed():
    stage = HubStage(SlowLog())
    ann, bob = stage.come("ann", "bob")
    stage.batch(LinkEnded(bob), tells(ann, "bob"))
    for _ in range(2):
        back = new_session(stage)
        stage.batch(JoinRequest(back, "id-bob", "bob", after=3))
        assert PSST in heard(back)
    stage.batch(Received(back, [Got("id-ann", "1")]))
    assert stage.log.private == [
        Told("1", 1001, "id-ann", "ann", "id-bob", "bob", box("psst"), number=1),
        Told("1", 1001, "id-ann", "ann", "id-bob", "bob", number=2),
    ]
    last = new_session(stage)
    stage.batch(JoinRequest(last, "id-bob", "bob", after=3))
    assert not any(isinstance(message, Told) for message in heard(last))


def test_a_sender_who_has_left_gets_no_receipt():
    stage = HubStage(SlowLog())
    ann, bob = stage.come("ann", "bob")
    stage.batch(tells(ann, "bob"), LinkEnded(ann))
    stage.batch(LogStored(3, 2))
    assert ann.link.sends == []


def test_senders_are_warned_while_nothing_is_stored_and_refused_when_memory_is_full():
    stage = HubStage(SlowLog())
    ann, bob = stage.come("ann", "bob")
    stage.batch(LogTrouble("the disk is full"), tells(ann, "bob"))
    assert [type(message) for message in heard(ann)] == [Told, Notice]
    stage.log.full = True
    stage.batch(tells(ann, "bob", "2"))
    assert heard(ann) == [
        Receipt("2", "refused", "Not sent: the disk is full on the host's computer. Try again later.")
    ]
    assert len(stage.log.private) == 1


def test_who_hosts_is_told_at_once_that_nothing_is_stored_and_others_when_they_say_something():
    """Nobody else can make space on that disk."""
    stage = HubStage(SlowLog())
    hal, ann, bob = stage.come("hal", "ann", "bob")
    stage.batch(LogTrouble("the disk is full"))
    words = "Messages are delivered but not stored: the disk is full on the host's computer."
    assert heard(hal) == [Notice("unstored", words)] and heard(ann) == heard(bob) == []
    stage.batch(says(ann, "hi"))
    assert Notice("unstored", words) in heard(ann) and Notice("unstored", words) not in heard(hal)
    stage.batch(LogTrouble(""))
    again = Notice("stored", "Messages are stored again, those of the meantime as well.")
    assert heard(hal) == heard(ann) == [again] and again not in heard(bob)


# ---- questions to the room


def test_an_answer_comes_after_what_the_same_client_said():
    stage = HubStage()
    [ann] = stage.come("ann")
    stage.batch(says(ann, "1"), Asked(ann, lambda room: encode(Notice("here", str(room.seq)))), says(ann, "2"))
    assert [type(message) for message in heard(ann)] == [Said, Notice, Said, Ack]


def test_an_error_in_an_answer_is_logged_and_ends_the_link_of_its_client_alone(caplog):
    stage = HubStage()
    ann, eve = stage.come("ann", "eve")

    def fail(room: Room) -> bytes:
        raise RuntimeError(f"not foreseen in {room.title}")

    stage.batch(says(ann, "1"), Asked(eve, fail), says(ann, "2"))
    assert heard(eve) == [FAULT] and eve.link.finished
    heard_by_ann = heard(ann)
    assert texts(heard_by_ann) == ["1", "2"]
    [left] = [message for message in heard_by_ann if isinstance(message, Left)]
    assert (left.nick, left.code) == ("eve", "error")
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "not foreseen in Room A" in (record.exc_text or "")


# ---- who is away


def test_only_who_may_come_in_takes_the_place_of_somebody_who_is_away():
    stage = HubStage()
    access = Access(bans={"id-eve": "eve"})
    stage.hub = Hub(
        Room("5" * 32, "Room A", "id-hal", access=access, limits=Limits(members=2)), stage.log, lambda: 1000
    )
    stage.log.start(stage.hub.stored)
    ann, bob = stage.come("ann", "bob")
    bob.absence = 60.0
    stage.batch(LinkEnded(bob))
    eve = new_session(stage)
    stage.batch(JoinRequest(eve, "id-eve", "eve"))
    assert only_refused(eve).code == "banned" and stage.hub.people == 2
    pat = new_session(stage)
    stage.batch(JoinRequest(pat, "~1", "ann", any_nick=True))
    assert [event.nick for event in heard(ann)] == ["bob", "ann2"], "bob has left, and pat has come under a free nick"
    assert not pat.link.finished


def only_refused(session: Any) -> Refused:
    [refused] = heard(session)
    assert isinstance(refused, Refused)
    return refused


# ---- doors


def test_a_client_without_echo_does_not_get_its_own_messages():
    stage = HubStage()
    [ann] = stage.come("ann")
    pat, pia = stage.come("pat", "pia", door=stage.plain)
    stage.batch(says(pat, "1"), says(pia, "2"), says(ann, "3"), says(pat, "4"))
    assert texts(heard(pat)) == ["2", "3"]
    assert texts(heard(pia)) == ["1", "3", "4"]
    assert texts(heard(ann)) == ["1", "2", "3", "4"]


def test_a_client_without_snapshot_gets_only_live_events():
    stage = HubStage()
    [ann] = stage.come("ann")
    stage.batch(says(ann, "old"))
    pat = new_session(stage, stage.plain)
    stage.batch(JoinRequest(pat, "~1", "pat"), says(ann, "new"), Received(pat, [Rename("pat2")]))
    assert texts(heard(pat)) == ["new"]


def test_a_message_without_bytes_in_a_dialect_sends_nothing():
    stage = HubStage()
    [pat] = stage.come("pat", door=stage.plain)
    stage.batch(says(pat, "alone"))
    stage.batch()
    assert pat.link.sends == []


# ---- the end


def test_the_closing_is_the_last_line_for_everyone():
    stage = HubStage()
    [ann] = stage.come("ann")
    [pat] = stage.come("pat", door=stage.plain)
    stage.batch(says(ann, "last words"), CloseRoom("the room is closed"))
    for session in (ann, pat):
        assert session.link.finished
        assert [message for message in heard(session)[-3:] if not isinstance(message, Ack)] == [
            Said(3, 1002, "id-ann", "ann", "last words", "last words"),
            Closing("closed", "the room is closed"),
        ]


def test_nobody_is_admitted_after_the_closing():
    stage = HubStage()
    eve = new_session(stage)
    stage.batch(CloseRoom("the room is closed"), JoinRequest(eve, "id-eve", "eve"), LinkEnded(eve))
    assert heard(eve) == [Closing("closed", "the room is closed")] and eve.link.finished
    assert stage.hub.people == 0


@pytest.mark.parametrize("already", [0, 100])
def test_stop_ends_the_thread_after_the_waiting_items(already):
    stage = HubStage()
    [ann] = stage.come("ann")
    stage.hub.start()
    for number in range(already):
        stage.hub.inbox.put(says(ann, str(number)))
    stage.hub.stop()
    assert texts(heard(ann)) == [str(number) for number in range(already)]
    stage.hub.inbox.put(says(ann, "too late"))
    stage.hub.stored(7, 7)
