"""The bandwidth limit of one link. Time stands still; a sleep is only recorded."""

import pytest

from lanchat.network.allowance import Allowance
from lanchat.network.bandwidth import NOISE_BURST, NOISE_RATE, Bandwidth
from lanchat.protocol.limits import TokenBucket
from tests.support.links import Clock, open_links


class Peer:
    def __init__(self) -> None:
        self.established = True
        self.over = False
        self.touched = 0
        self.reason = ""

    def reset_idle(self) -> None:
        self.touched += 1

    def drop(self, code: str, reason: str) -> None:
        self.over, self.reason = True, reason


def bandwidth(rate: float, burst: float, clock: Clock) -> Bandwidth:
    return Bandwidth(Allowance(TokenBucket(rate, burst, clock()), clock=clock), clock)


def test_a_burst_is_free_and_further_bytes_wait(clock, slept):
    peer, paid = Peer(), bandwidth(1000, 5000, clock)
    paid.pay(peer, 5000, 4900)
    assert slept == []
    paid.pay(peer, 2000, 1900)
    assert sum(slept) == pytest.approx(2.0)
    assert peer.touched == len(slept), "while it waits for us it counts as alive"
    assert not peer.over


def test_a_waiting_reader_notices_that_the_link_is_over(clock, slept, monkeypatch):
    peer, paid = Peer(), bandwidth(1, 1, clock)
    monkeypatch.setattr(peer, "reset_idle", lambda: peer.drop("lost", "gone"))
    paid.pay(peer, 1000, 1000)
    assert len(slept) == 1


def test_noise_ends_the_link(clock, slept):
    """KeyUpdates and empty records are bytes without content."""
    peer, paid = Peer(), bandwidth(1e9, 1e9, clock)
    records = 0
    while not peer.over:
        paid.pay(peer, 27, 0)
        records += 1
    assert records == NOISE_BURST // 27 + 1 and "noise" in peer.reason


def test_the_pings_of_a_living_link_are_no_noise(clock, slept):
    peer, paid = Peer(), bandwidth(1e9, 1e9, clock)
    for _ in range(10_000):
        clock.now += 27 / NOISE_RATE
        paid.pay(peer, 27, 0)
    assert not peer.over


@pytest.mark.parametrize("size", [1, 13, 100, 4096, 16384])
def test_content_pays_for_its_records(clock, slept, size):
    """Messages are no noise, however small their records are: each needs 22 bytes of framing (RFC 8446, 5.2)."""
    peer, paid = Peer(), bandwidth(1e9, 1e9, clock)
    for _ in range(1000):
        clock.now += 0.05
        paid.pay(peer, size + 22, size)
    assert not peer.over


def test_a_record_in_pieces_is_no_noise(clock, slept):
    peer, paid = Peer(), bandwidth(1e9, 1e9, clock)
    for _ in range(1000):
        for _ in range(15):
            paid.pay(peer, 1024, 0)
        paid.pay(peer, 1024 + 22, 16 * 1024)
    assert not peer.over


def test_a_handshake_is_no_noise(clock, slept):
    peer, paid = Peer(), bandwidth(1e9, 1e9, clock)
    peer.established = False
    for _ in range(100):
        paid.pay(peer, 16 * 1024, 0)
    assert not peer.over


def test_a_link_pays_for_what_it_reads(identity, monkeypatch):
    """The link uses its bandwidth limit."""
    paid: list[tuple[int, int]] = []
    monkeypatch.setattr(Bandwidth, "pay", lambda self, link, raw, plain: paid.append((raw, plain)))
    with open_links(identity("hal")) as links:
        link, other = links.alone()
        link.limit_bytes(Allowance(TokenBucket(1000, 1000, 0.0)))
        reader = links.read(link)
        other.sendall(b"hello")
        other.close()
        reader.join()
    assert paid == [(5, 5)]
