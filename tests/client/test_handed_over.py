"""The standby's side of a handover."""

from lanchat.client.handed_over import HandedOver
from lanchat.protocol.standby import Promote
from lanchat.protocol.timing import Timing

TIMING = Timing(promotion=3.0)
PROMOTE = Promote(9, 0, 1)


def test_what_the_host_asks_for_is_due_until_the_host_expects_it_no_more():
    one = HandedOver(TIMING)
    assert one.due(0.0) is None
    one.ask(PROMOTE, 0.0)
    assert one.due(3.0) == PROMOTE
    assert one.due(3.1) is None and one.due(2.0) is None


def test_a_host_to_which_nobody_comes_ends_that_once():
    one = HandedOver(TIMING)
    one.ask(PROMOTE, 0.0)
    one.begin(1.0)
    assert one.hosts and one.due(1.0) is None
    assert not one.has_failed(4.0)
    assert one.has_failed(4.1) and not one.has_failed(4.2)
    assert not one.hosts


def test_who_cannot_host_has_nothing_to_end():
    one = HandedOver(TIMING)
    one.ask(PROMOTE, 0.0)
    one.begin(None)
    assert not one.hosts and one.due(1.0) is None and not one.has_failed(9.0)
