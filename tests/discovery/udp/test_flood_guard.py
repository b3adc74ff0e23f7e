from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from lanchat.discovery.sighting import Sighting, Vanished
from lanchat.discovery.udp.flood_guard import (
    ANSWER_BURST,
    ANSWER_BURST_OF_ONE,
    EXPIRES_AFTER,
    MAX_NAMES,
    MAX_NAMES_OF_ONE,
    MAX_SENDERS,
    NEW_BURST,
    AnnouncementFilter,
    AnswerLimit,
    Challenge,
)
from lanchat.discovery.udp.packets import Gone, Here
from lanchat.protocol.address import Endpoint

ANN, BOB = "192.168.1.7", "192.168.1.8"


def room(number: int = 1, nonce: str = "", port: int = 47474) -> Here:
    return Here(f"{number:032x}", f"Room {number}", "hal", port, "ab" * 16, nonce=nonce)


def new_filter() -> AnnouncementFilter:
    secrets = count(1)
    return AnnouncementFilter(lambda: f"secret {next(secrets)}", now=0)


def name(number: int = 1, sender: str = ANN, port: int = 47474) -> str:
    return f"{number:032x} {sender} {port}"


def test_a_room_is_where_its_packet_came_from():
    assert new_filter().here(ANN, room(), 0) == Sighting(
        "announce", name(), f"{1:032x}", "Room 1", "hal", (Endpoint(ANN, 47474),), "ab" * 16, ANN
    )


def test_a_room_that_is_announced_often_is_reported_now_and_then():
    guard = new_filter()
    reports = [guard.here(ANN, room(), now) for now in (0, 0.1, 0.4, 0.6, 0.7, 3)]
    assert [report is not None for report in reports] == [True, False, False, True, False, True]


def test_a_room_that_misses_three_announcements_has_vanished():
    guard = new_filter()
    guard.here(ANN, room(1), 0)
    guard.here(BOB, room(2), 5)
    assert guard.expired(EXPIRES_AFTER - 0.1) == []
    assert guard.expired(EXPIRES_AFTER) == [Vanished("announce", name(1))]
    assert guard.expired(EXPIRES_AFTER) == []
    assert isinstance(guard.here(ANN, room(1), EXPIRES_AFTER + 1), Sighting)


def test_a_goodbye_counts_only_from_the_sender_that_announced_the_room():
    guard = new_filter()
    guard.here(ANN, room(), 0)
    assert guard.gone(BOB, Gone(room().room_id)) == []
    assert guard.gone(ANN, Gone(room(2).room_id)) == []
    assert guard.gone(ANN, Gone(room().room_id)) == [Vanished("announce", name())]


def test_a_false_announcement_of_a_room_does_not_replace_the_true_one():
    guard = new_filter()
    guard.here(ANN, room(), 0)
    other = guard.here(ANN, room(port=2222), 1)
    assert isinstance(other, Sighting) and other.name == name(port=2222) != name()


def test_in_a_flood_a_new_sender_is_challenged_and_then_believed():
    guard = new_filter()
    flood = [guard.here(f"10.0.{n // 250}.{n % 250}", room(n), 0) for n in range(1, 400)]
    assert sum(isinstance(what, Sighting) for what in flood) == NEW_BURST
    guard.expired(20)
    for n in range(400, 440):
        guard.here(f"10.1.{n // 250}.{n % 250}", room(n), 20)
    challenge = guard.here(ANN, room(), 20)
    assert isinstance(challenge, Challenge) and challenge.sender == ANN
    assert isinstance(guard.here(BOB, room(2, nonce=challenge.nonce), 20), Challenge), "another's answer proves nothing"
    answer = guard.here(ANN, room(nonce=challenge.nonce), 20)
    assert isinstance(answer, Sighting) and answer.name == name()
    assert isinstance(guard.here(ANN, room(3), 20), Sighting), "and so are the other rooms of that sender"


def test_one_sender_fills_only_its_share():
    guard = new_filter()
    reports = [guard.here(ANN, room(n), n) for n in range(1, 3 * MAX_NAMES_OF_ONE)]
    assert sum(isinstance(what, Sighting) for what in reports) == MAX_NAMES_OF_ONE
    assert isinstance(guard.here(BOB, room(99), 3 * MAX_NAMES_OF_ONE), Sighting)


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 9), st.floats(0, 0.5)), max_size=600))
def test_whatever_is_announced_the_memory_is_bounded(announcements):
    guard, now, there = new_filter(), 0.0, set[str]()
    for sender, number, later in announcements:
        now += later
        for gone in guard.expired(now):
            there.discard(gone.name)
        report = guard.here(f"10.0.0.{sender}", room(number), now)
        if isinstance(report, Sighting):
            there.add(report.name)
        assert len(there) <= MAX_NAMES


def test_a_question_that_arrives_three_times_is_answered_once():
    limit = AnswerLimit(now=0)
    question = ((ANN, 5000), "n1")
    assert [limit.allows(ANN, question, 0) for _ in range(3)] == [True, False, False]
    assert limit.allows(ANN, ((ANN, 5000), "n2"), 0)


def test_answers_to_one_sender_and_to_all_are_limited():
    limit = AnswerLimit(now=0)
    one = sum(limit.allows(ANN, (ANN, n), 0) for n in range(100))
    everybody = sum(limit.allows(f"10.0.{n // 250}.{n % 250}", (n,), 0) for n in range(5 * MAX_SENDERS))
    assert one == ANSWER_BURST_OF_ONE
    assert one + everybody == ANSWER_BURST
    assert limit.allows(BOB, ("later",), 60)
