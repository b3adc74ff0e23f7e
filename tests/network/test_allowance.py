"""What links share. Time stands still; a sleep is written down."""

import threading

import pytest

from lanchat.network.allowance import Allowance
from lanchat.protocol.limits import TokenBucket
from tests.support.links import Clock


class Peer:
    over = False

    def reset_idle(self) -> None:
        pass


def bucket(clock: Clock, rate: float, burst: float) -> TokenBucket:
    return TokenBucket(rate, burst, clock())


def test_both_buckets_must_have_it_and_nothing_is_taken_where_one_has_not(clock):
    own, shared = bucket(clock, 1, 10), bucket(clock, 1, 5)
    allowance = Allowance(own, shared, clock=clock)
    assert not allowance.spare(6) and own.level(clock()) == 10 and shared.level(clock()) == 5
    assert allowance.spare(5) and not allowance.spare(1) and own.level(clock()) == 5
    clock.now += 1
    assert allowance.spare(1)


def test_who_pays_waits_for_the_slower_bucket(clock, slept):
    allowance = Allowance(bucket(clock, 10, 0), bucket(clock, 2, 0), clock=clock)
    began = clock.now
    allowance.pay(Peer(), 20)
    assert clock.now - began == pytest.approx(10.0)


def test_nobody_waits_for_all_that_another_link_has_to_pay(clock, monkeypatch):
    """One link of the owner has much to pay; another asks for a little in the middle of it."""
    own, lock = bucket(clock, 10, 0), threading.Lock()
    much, little = (Allowance(own, lock=lock, clock=clock) for _ in range(2))
    ended: list[float] = []

    def sleep(seconds: float) -> None:
        if clock.now == 1000.0 and not ended:
            ended.append(0.0)
            began = clock.now
            little.pay(Peer(), 1)
            ended.append(clock.now - began)
        clock.now += seconds

    monkeypatch.setattr("lanchat.network.allowance.time.sleep", sleep)
    much.pay(Peer(), 1000)
    assert ended[1] < 0.5


def test_who_is_gone_pays_no_more(clock, slept):
    peer, allowance = Peer(), Allowance(bucket(clock, 1, 0), clock=clock)
    peer.reset_idle = lambda: setattr(peer, "over", True)  # type: ignore[method-assign]
    allowance.pay(peer, 1000)
    assert len(slept) == 1


def test_from_now_on_somebody_else_pays(clock):
    stranger, member = bucket(clock, 1, 5), bucket(clock, 1, 100)
    allowance = Allowance(stranger, clock=clock)
    allowance.spare(5)
    allowance.belong_to(member, bucket(clock, 1, 100), threading.Lock())
    assert allowance.spare(50) and member.level(clock()) == 50


def test_an_owner_shares_more_buckets_with_others(clock):
    source, room = bucket(clock, 1, 200), bucket(clock, 1, 60)
    ann, bob = (Allowance(bucket(clock, 1, 5), source, clock=clock) for _ in range(2))
    for allowance in (ann, bob):
        allowance.belong_to(bucket(clock, 1, 50), room, threading.Lock())
    assert ann.spare(50) and not bob.spare(50)
    assert bob.spare(10) and source.level(clock()) == 140 and room.level(clock()) == 0
