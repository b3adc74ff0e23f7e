"""What a member knows about its host: whether the link to it lives."""

from collections.abc import Callable, Iterator

import pytest

from lanchat.client.cluster import Cluster
from lanchat.client.connect import Connection, HostReader
from lanchat.network.link import Link
from lanchat.protocol.framing import LineSplitter
from lanchat.protocol.messages import VERSION, Card, Welcome
from lanchat.protocol.standby import Heartbeat
from lanchat.protocol.timing import Timing
from lanchat.storage.identity import Identity
from tests.support.links import open_links

TIMING = Timing()


@pytest.fixture
def link(identity: Callable[[str], Identity]) -> Iterator[Link]:
    with open_links(identity("hal")) as links:
        yield links.alone()[0]


def at_a_host(link: Link) -> Cluster:
    cluster = Cluster(lambda item: None, lambda places: None, TIMING)
    card = Card(VERSION, "5" * 32, "Room A", "hal", 2, False, bytes(32))
    cluster.begin(
        Connection(link, HostReader(link, LineSplitter()), card, b"h" * 32, Welcome("a" * 32, "ann", 7, 7, 2), ())
    )
    return cluster


def says_nothing(link: Link) -> None:
    """For as long as a host that promises signs of life may at most."""
    link.keepalive.heard_at -= TIMING.host_silence


def test_the_silence_of_a_host_that_promises_no_signs_of_life_is_none(link):
    """It has no standby to promise them to. Whoever asks a computer there is told where the room is hosted."""
    cluster = at_a_host(link)
    says_nothing(link)
    assert cluster.hears
    cluster.hear(Heartbeat(7, 7, -1, 0, 0))
    says_nothing(link)
    assert cluster.hears
    link.drop("lost", "cut off")
    assert not cluster.hears


def test_a_host_that_promises_signs_of_life_and_gives_none_is_not_heard(link):
    cluster = at_a_host(link)
    cluster.hear(Heartbeat(7, 7, 1, 0, 1000))
    assert cluster.hears
    says_nothing(link)
    assert not cluster.hears
