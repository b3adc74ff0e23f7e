"""Admission control, with time as a value."""

import threading

import pytest
from msgspec.structs import replace

from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.server import admission as net_gate
from lanchat.server.admission import (
    ATTEMPTS_OF_KNOWN,
    ATTEMPTS_OF_NEW,
    ATTEMPTS_PER_SOURCE,
    GRACE,
    MAX_ADMITTED,
    MAX_SOURCES,
    Admission,
    PasswordThrottle,
    source_of,
)
from tests.support.cases import cases
from tests.support.waiting import PATIENCE, wait_until

LIMITS = replace(
    DEFAULT_LIMITS, strangers=3, strangers_per_source=2, links_per_source=4, connects_burst=5, connects_rate=1.0
)


class Visitor:
    def __init__(self) -> None:
        self.dropped = ""

    def drop(self, code: str, reason: str) -> None:
        self.dropped = reason


@pytest.fixture
def admission(clock) -> Admission:
    return Admission(LIMITS, clock)


def stand_at(admission: Admission, *sources: str) -> list[Visitor]:
    visitors = []
    for source in sources:
        admission.begin(visitor := Visitor(), source)
        visitors.append(visitor)
    return visitors


# ---- sources


@cases(
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
def test_the_source_of_an_address(address, source):
    assert source_of(address) == source


def test_neighbours_on_one_ipv6_network_are_not_one_source():
    """A /64 is the whole network here, and fe80::/64 all of them."""
    assert len({source_of(f"fe80::{number}%wlan0") for number in range(1, 31)}) == 30


# ---- connects


def test_connects_of_one_source_are_limited_at_a_rate(admission, clock):
    assert [admission.accepts("a") for _ in range(7)] == [True] * 5 + [False] * 2
    assert admission.accepts("b"), "others do not wait for them"
    clock.now += 1
    assert [admission.accepts("a") for _ in range(2)] == [True, False]


def test_a_penalty_does_not_grow(admission, clock):
    """However many connects were refused, one is accepted a second later."""
    for _ in range(10_000):
        admission.accepts("a")
    clock.now += 1
    assert admission.accepts("a")


def test_this_machine_is_not_counted(admission):
    assert all(admission.accepts("") for _ in range(1000))
    visitors = stand_at(admission, "", "", "")
    assert not any(visitor.dropped for visitor in visitors)


def test_links_of_one_source_are_limited(admission):
    visitors = stand_at(admission, "a", "a")
    for visitor in visitors:
        admission.admit(visitor)
    for visitor in (more := stand_at(admission, "a", "a")):
        admission.admit(visitor)
    assert not admission.accepts("a") and admission.accepts("b")
    admission.end(more[0])
    assert admission.accepts("a")


def test_the_number_of_remembered_sources_is_limited(admission):
    for number in range(MAX_SOURCES + 100):
        admission.accepts(f"source {number}")
    assert len(admission._connects) == MAX_SOURCES


def test_nothing_is_remembered_of_a_link_that_has_ended(admission):
    for visitor in stand_at(admission, "a", "b", ""):
        admission.end(visitor)
        admission.end(visitor)
    assert not admission._per_source and not admission._links and not admission._strangers


# ---- strangers


def test_the_oldest_stranger_is_dropped_after_its_grace(admission, clock):
    first, second, third = stand_at(admission, "a", "b", "c")
    clock.now += GRACE
    (fourth,) = stand_at(admission, "d")
    assert first.dropped == "too many strangers at the door"
    assert not (second.dropped or third.dropped or fourth.dropped)


def test_a_stranger_after_its_grace_is_dropped_at_once(admission, clock, monkeypatch):
    """32 silent strangers do not make each new link wait for half a second."""
    stand_at(admission, "a", "b", "c")
    clock.now += GRACE
    monkeypatch.setattr(admission._changed, "wait", lambda timeout=None: pytest.fail("waits") if timeout else False)
    stand_at(admission, "d", "e", "f")


def test_a_new_link_waits_for_the_grace_of_the_oldest_stranger(monkeypatch):
    monkeypatch.setattr(net_gate, "GRACE", 30.0)
    admission = Admission(LIMITS)
    first, *_ = stand_at(admission, "a", "b", "c")
    thread = threading.Thread(target=stand_at, args=(admission, "d"))
    thread.start()
    admission.admit(first)
    thread.join(PATIENCE)
    assert not thread.is_alive() and not first.dropped
    wait_until(lambda: len(admission._strangers) == 3)


def test_strangers_of_one_source_replace_each_other(admission):
    first, second, third = stand_at(admission, "a", "a", "a")
    assert first.dropped and not (second.dropped or third.dropped)
    stand_at(admission, "b")
    assert not (second.dropped or third.dropped)


def test_an_admitted_link_is_no_stranger(admission, clock):
    for visitor in (admitted := stand_at(admission, "a", "b", "c")):
        admission.admit(visitor)
    stand_at(admission, "d", "e", "f")
    assert not any(visitor.dropped for visitor in admitted)


# ---- attempts


@pytest.fixture
def password_throttle(clock) -> PasswordThrottle:
    return PasswordThrottle(clock)


def test_password_attempts_of_one_source_are_limited(password_throttle, clock):
    assert [password_throttle.begin("a", "eve") == 0 for _ in range(5)] == [True] * ATTEMPTS_PER_SOURCE + [False] * 2
    assert password_throttle.begin("b", "bob") == 0
    clock.now += 60 / ATTEMPTS_PER_SOURCE
    assert password_throttle.begin("a", "eve") == 0 and password_throttle.begin("a", "eve") > 0


def test_password_attempts_of_all_sources_are_limited(password_throttle, clock):
    """Of 200 guesses in a minute, from 100 machines under 200 keys, 10 at once and then 10 a minute are accepted."""
    heard_out = 0
    for number in range(200):
        heard_out += password_throttle.begin(f"source {number % 100}", f"key {number}") == 0
        clock.now += 60 / 200
    assert ATTEMPTS_OF_NEW <= heard_out <= 2 * ATTEMPTS_OF_NEW


def test_a_refused_attempt_does_not_count(password_throttle):
    waits = [password_throttle.begin("a", "eve") for _ in range(100)]
    assert 0 < waits[-1] <= 60 / ATTEMPTS_PER_SOURCE


def test_a_key_that_was_admitted_with_this_password_is_not_locked_out_by_any_attack(clock):
    password_throttle = PasswordThrottle(clock, known=[f"key {number}" for number in range(100)])
    assert password_throttle.begin("a", "ann") == 0
    password_throttle.succeed("a", "ann")
    for number in range(100):
        password_throttle.begin(f"source {number}", "eve")
        password_throttle.begin(f"source {number}", f"key {number}")
    for key in ("eve", "key 1"):
        assert password_throttle.begin("source x", key) > 0
    assert password_throttle.begin("a", "ann") == 0 and password_throttle.begin("source 1", "ann") == 0


def test_a_key_that_was_in_the_room_before_is_not_locked_out_by_new_keys(clock):
    password_throttle = PasswordThrottle(clock, known=["bob"])
    for number in range(100):
        password_throttle.begin(f"source {number}", f"stranger {number}")
    assert password_throttle.begin("b", "stranger") > 0
    assert password_throttle.begin("b", "bob") == 0


def test_many_known_keys_share_one_limit(clock):
    """One person brought 400 keys when the room had no password, and guesses with all of them from many addresses."""
    password_throttle = PasswordThrottle(clock, known=[f"key {number}" for number in range(400)])
    heard_out = 0
    for number in range(1200):
        heard_out += password_throttle.begin(f"source {number % 100}", f"key {number % 400}") == 0
        clock.now += 60 / 1200
    assert ATTEMPTS_OF_KNOWN <= heard_out <= 2 * ATTEMPTS_OF_KNOWN


def test_known_keys_of_one_source_share_its_limit(clock):
    password_throttle = PasswordThrottle(clock, known=["eve", "eva", "bob"])
    keys = ["eve", "eva", "eve", "eva", "stranger"]
    assert [password_throttle.begin("a", key) == 0 for key in keys] == [True] * ATTEMPTS_PER_SOURCE + [False] * 2
    assert password_throttle.begin("b", "bob") == 0, "her guesses are hers"
    clock.now += 60 / ATTEMPTS_PER_SOURCE
    assert password_throttle.begin("a", "eve") == 0 and password_throttle.begin("a", "eve") > 0


def test_the_attempts_in_all_are_as_few_as_the_documents_say(clock):
    """New keys and known keys try far more often than they may: SECURITY.md says how long a made password lasts."""
    password_throttle = PasswordThrottle(clock, known=[f"known {number}" for number in range(100)])
    heard_out, minutes = 0, 20
    for number in range(minutes * 200):
        for key in (f"new {number}", f"known {number % 100}"):
            heard_out += password_throttle.begin(f"source {number % 1000}", key) == 0
        clock.now += 60 / 200
    per_minute = (heard_out - ATTEMPTS_OF_NEW - ATTEMPTS_OF_KNOWN) / minutes
    assert per_minute <= 30
    assert 2**33 / 2 / per_minute / 60 / 24 / 365 >= 270, "years, on average"


def test_a_crowd_that_knows_the_password_is_not_slowed_down(password_throttle):
    """Thirty members from one classroom join one after the other."""
    for number in range(30):
        assert password_throttle.begin("router", f"pupil {number}") == 0
        password_throttle.succeed("router", f"pupil {number}")


def test_success_gives_back_no_more_than_was_taken(password_throttle):
    password_throttle.begin("a", "ann")
    for _ in range(50):
        password_throttle.succeed("a", "ann")
    assert sum(password_throttle.begin("b" * number, "eve") == 0 for number in range(1, 30)) == ATTEMPTS_OF_NEW


def test_the_number_of_remembered_keys_is_limited(password_throttle):
    for number in range(MAX_ADMITTED + 10):
        password_throttle.succeed("", f"key {number}")
    assert len(password_throttle._admitted) == MAX_ADMITTED


def test_attempts_of_this_machine_count_only_for_the_room(password_throttle):
    assert [password_throttle.begin("", "eve") == 0 for _ in range(11)] == [True] * 10 + [False]
