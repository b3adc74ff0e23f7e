"""Who may come near, with time as a value."""

import threading
from dataclasses import replace

import pytest

from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.server import admission as net_gate
from lanchat.server.admission import (
    ATTEMPTS_PER_ROOM,
    ATTEMPTS_PER_SOURCE,
    GRACE,
    MAX_ADMITTED,
    MAX_SOURCES,
    Attempts,
    Gate,
    source_of,
)
from tests.support.links import Clock
from tests.support.waiting import wait_until

LIMITS = replace(
    DEFAULT_LIMITS, strangers=3, strangers_per_source=2, links_per_source=4, connects_burst=5, connects_rate=1.0
)


class Visitor:
    def __init__(self) -> None:
        self.dropped = ""

    def drop(self, reason: str) -> None:
        self.dropped = reason


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock) -> Gate:
    return Gate(LIMITS, clock)


def stand_at(gate: Gate, *sources: str) -> list[Visitor]:
    visitors = []
    for source in sources:
        gate.begin(visitor := Visitor(), source)
        visitors.append(visitor)
    return visitors


# ---- sources


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.168.1.7", "192.168.1.7"),
        ("::ffff:192.168.1.7", "192.168.1.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", ""),
        ("127.9.9.9", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("local", ""),
        ("?", ""),
        ("", ""),
    ],
)
def test_whom_an_address_is_counted_for(address, source):
    assert source_of(address) == source


def test_neighbours_on_one_ipv6_network_are_not_one_source():
    """A /64 is the whole network here, and fe80::/64 all of them."""
    assert len({source_of(f"fe80::{number}%wlan0") for number in range(1, 31)}) == 30


# ---- connects


def test_connects_of_one_source_are_counted_and_come_back_with_time(gate, clock):
    assert [gate.knock("a") for _ in range(7)] == [True] * 5 + [False] * 2
    assert gate.knock("b"), "others do not wait for them"
    clock.now += 1
    assert [gate.knock("a") for _ in range(2)] == [True, False]


def test_a_penalty_does_not_grow(gate, clock):
    """However often they knocked in vain: a second later one may come."""
    for _ in range(10_000):
        gate.knock("a")
    clock.now += 1
    assert gate.knock("a")


def test_this_machine_is_not_counted(gate):
    assert all(gate.knock("") for _ in range(1000))
    visitors = stand_at(gate, "", "", "")
    assert not any(visitor.dropped for visitor in visitors)


def test_links_of_one_source(gate):
    visitors = stand_at(gate, "a", "a")
    for visitor in visitors:
        gate.admit(visitor)
    for visitor in (more := stand_at(gate, "a", "a")):
        gate.admit(visitor)
    assert not gate.knock("a") and gate.knock("b")
    gate.end(more[0])
    assert gate.knock("a")


def test_sources_do_not_fill_the_memory(gate):
    for number in range(MAX_SOURCES + 100):
        gate.knock(f"source {number}")
    assert len(gate._connects) == MAX_SOURCES


def test_nothing_is_left_of_who_has_gone(gate):
    for visitor in stand_at(gate, "a", "b", ""):
        gate.end(visitor)
        gate.end(visitor)
    assert not gate._per_source and not gate._links and not gate._strangers


# ---- strangers


def test_the_oldest_stranger_makes_room_after_its_grace(gate, clock):
    first, second, third = stand_at(gate, "a", "b", "c")
    clock.now += GRACE
    (fourth,) = stand_at(gate, "d")
    assert first.dropped == "too many strangers at the door"
    assert not (second.dropped or third.dropped or fourth.dropped)


def test_who_had_its_grace_is_not_waited_for(gate, clock, monkeypatch):
    """32 silent ones do not make each newcomer wait half a second at the door."""
    stand_at(gate, "a", "b", "c")
    clock.now += GRACE
    monkeypatch.setattr(gate._changed, "wait", lambda timeout=None: pytest.fail("waits") if timeout else False)
    stand_at(gate, "d", "e", "f")


def test_a_stranger_in_its_grace_is_waited_for(monkeypatch):
    monkeypatch.setattr(net_gate, "GRACE", 30.0)
    gate = Gate(LIMITS)
    first, *_ = stand_at(gate, "a", "b", "c")
    thread = threading.Thread(target=stand_at, args=(gate, "d"))
    thread.start()
    gate.admit(first)
    thread.join(5)
    assert not thread.is_alive() and not first.dropped
    wait_until(lambda: len(gate._strangers) == 3)


def test_strangers_of_one_source_make_room_for_each_other(gate):
    first, second, third = stand_at(gate, "a", "a", "a")
    assert first.dropped and not (second.dropped or third.dropped)
    stand_at(gate, "b")
    assert not (second.dropped or third.dropped)


def test_who_was_admitted_is_no_stranger(gate, clock):
    for visitor in (admitted := stand_at(gate, "a", "b", "c")):
        gate.admit(visitor)
    stand_at(gate, "d", "e", "f")
    assert not any(visitor.dropped for visitor in admitted)


# ---- attempts


@pytest.fixture
def attempts(clock) -> Attempts:
    return Attempts(clock)


def test_attempts_of_one_source(attempts, clock):
    assert [attempts.begin("a", "eve") == 0 for _ in range(5)] == [True] * ATTEMPTS_PER_SOURCE + [False] * 2
    assert attempts.begin("b", "bob") == 0
    clock.now += 60 / ATTEMPTS_PER_SOURCE
    assert attempts.begin("a", "eve") == 0 and attempts.begin("a", "eve") > 0


def test_attempts_of_the_room_from_everywhere(attempts, clock):
    """200 guesses in a minute from 100 machines under 200 keys: 10 at once and 10 a minute are heard out."""
    heard_out = 0
    for number in range(200):
        heard_out += attempts.begin(f"source {number % 100}", f"key {number}") == 0
        clock.now += 60 / 200
    assert ATTEMPTS_PER_ROOM <= heard_out <= 2 * ATTEMPTS_PER_ROOM


def test_who_is_told_to_wait_waits_no_longer_for_having_asked(attempts):
    waits = [attempts.begin("a", "eve") for _ in range(100)]
    assert 0 < waits[-1] <= 60 / ATTEMPTS_PER_SOURCE


def test_a_known_key_comes_in_during_the_attack(attempts):
    assert attempts.begin("a", "ann") == 0
    attempts.succeed("a", "ann")
    for number in range(100):
        attempts.begin(f"source {number}", "eve")
    assert attempts.begin("source 1", "eve") > 0
    assert attempts.begin("a", "ann") == 0 and attempts.begin("source 1", "ann") == 0


def test_a_known_key_may_guess_no_more_often_than_a_stranger(clock):
    """Somebody from an evening when the room was open."""
    attempts = Attempts(clock, known=["eve", "bob"])
    assert [attempts.begin("a", "eve") == 0 for _ in range(5)] == [True] * ATTEMPTS_PER_SOURCE + [False] * 2
    assert attempts.begin("a", "bob") == 0, "her guesses are hers"
    clock.now += 60 / ATTEMPTS_PER_SOURCE
    assert attempts.begin("a", "eve") == 0 and attempts.begin("a", "eve") > 0


def test_a_crowd_that_knows_the_password_is_not_slowed_down(attempts):
    """Thirty from one classroom, one after the other."""
    for number in range(30):
        assert attempts.begin("router", f"pupil {number}") == 0
        attempts.succeed("router", f"pupil {number}")


def test_success_gives_back_no_more_than_was_taken(attempts):
    attempts.begin("a", "ann")
    for _ in range(50):
        attempts.succeed("a", "ann")
    assert sum(attempts.begin("b" * number, "eve") == 0 for number in range(1, 30)) == ATTEMPTS_PER_ROOM


def test_keys_do_not_fill_the_memory(attempts):
    for number in range(MAX_ADMITTED + 10):
        attempts.succeed("", f"key {number}")
    assert len(attempts._admitted) == MAX_ADMITTED


def test_this_machine_counts_for_the_room_only(attempts):
    assert [attempts.begin("", "eve") == 0 for _ in range(11)] == [True] * 10 + [False]
