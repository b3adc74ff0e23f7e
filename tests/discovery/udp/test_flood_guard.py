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
    MAX_SOURCES,
    NEW_BURST,
    Answering,
    AskBack,
    Hearing,
)
from lanchat.discovery.udp.packets import Gone, Here
from lanchat.protocol.address import Endpoint

ANN, BOB = "192.168.1.7", "192.168.1.8"


def room(number: int = 1, nonce: str = "", port: int = 47474) -> Here:
    return Here(f"{number:032x}", f"Room {number}", "hal", port, "ab" * 16, nonce=nonce)


def hearing() -> Hearing:
    secrets = count(1)
    return Hearing(lambda: f"secret {next(secrets)}", now=0)


def name(number: int = 1, source: str = ANN, port: int = 47474) -> str:
    return f"{number:032x} {source} {port}"


def test_a_room_is_where_its_packet_came_from():
    assert hearing().hear(ANN, room(), 0) == Sighting(
        "announce", name(), f"{1:032x}", "Room 1", "hal", (Endpoint(ANN, 47474),), "ab" * 16, ANN
    )


def test_what_is_said_often_is_reported_now_and_then():
    heard = hearing()
    reports = [heard.hear(ANN, room(), now) for now in (0, 0.1, 0.4, 0.6, 0.7, 3)]
    assert [report is not None for report in reports] == [True, False, False, True, False, True]


def test_who_is_silent_for_three_rounds_has_vanished():
    heard = hearing()
    heard.hear(ANN, room(1), 0)
    heard.hear(BOB, room(2), 5)
    assert heard.expired(EXPIRES_AFTER - 0.1) == []
    assert heard.expired(EXPIRES_AFTER) == [Vanished("announce", name(1))]
    assert heard.expired(EXPIRES_AFTER) == []
    assert isinstance(heard.hear(ANN, room(1), EXPIRES_AFTER + 1), Sighting)


def test_a_goodbye_counts_for_its_own_source():
    heard = hearing()
    heard.hear(ANN, room(), 0)
    assert heard.gone(BOB, Gone(room().room_id)) == []
    assert heard.gone(ANN, Gone(room(2).room_id)) == []
    assert heard.gone(ANN, Gone(room().room_id)) == [Vanished("announce", name())]


def test_a_false_word_about_a_room_does_not_replace_the_true_one():
    heard = hearing()
    heard.hear(ANN, room(), 0)
    other = heard.hear(ANN, room(port=2222), 1)
    assert isinstance(other, Sighting) and other.name == name(port=2222) != name()


def test_in_a_flood_a_newcomer_is_asked_back_and_then_believed():
    heard = hearing()
    flood = [heard.hear(f"10.0.{n // 250}.{n % 250}", room(n), 0) for n in range(1, 400)]
    assert sum(isinstance(what, Sighting) for what in flood) == NEW_BURST
    heard.expired(20)
    for n in range(400, 440):
        heard.hear(f"10.1.{n // 250}.{n % 250}", room(n), 20)
    asked = heard.hear(ANN, room(), 20)
    assert isinstance(asked, AskBack) and asked.source == ANN
    assert isinstance(heard.hear(BOB, room(2, nonce=asked.nonce), 20), AskBack), "another's answer proves nothing"
    answer = heard.hear(ANN, room(nonce=asked.nonce), 20)
    assert isinstance(answer, Sighting) and answer.name == name()
    assert isinstance(heard.hear(ANN, room(3), 20), Sighting), "and so are the other rooms of that machine"


def test_one_machine_fills_only_its_share():
    heard = hearing()
    told = [heard.hear(ANN, room(n), n) for n in range(1, 50)]
    assert sum(isinstance(what, Sighting) for what in told) == MAX_NAMES_OF_ONE
    assert isinstance(heard.hear(BOB, room(99), 50), Sighting)


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 9), st.floats(0, 0.5)), max_size=600))
def test_whatever_is_heard_its_memory_is_bounded(said):
    heard, now, there = hearing(), 0.0, set[str]()
    for source, number, later in said:
        now += later
        for gone in heard.expired(now):
            there.discard(gone.name)
        report = heard.hear(f"10.0.0.{source}", room(number), now)
        if isinstance(report, Sighting):
            there.add(report.name)
        assert len(there) <= MAX_NAMES


def test_a_question_that_came_by_three_ways_is_answered_once():
    answering = Answering(now=0)
    question = ((ANN, 5000), "n1")
    assert [answering.may_answer(ANN, question, 0) for _ in range(3)] == [True, False, False]
    assert answering.may_answer(ANN, ((ANN, 5000), "n2"), 0)


def test_answers_to_one_and_to_all_are_limited():
    answering = Answering(now=0)
    one = sum(answering.may_answer(ANN, (ANN, n), 0) for n in range(100))
    everybody = sum(answering.may_answer(f"10.0.{n // 250}.{n % 250}", (n,), 0) for n in range(5 * MAX_SOURCES))
    assert one == ANSWER_BURST_OF_ONE
    assert one + everybody == ANSWER_BURST
    assert answering.may_answer(BOB, ("later",), 60)
