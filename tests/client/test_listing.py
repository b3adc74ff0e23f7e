"""The list of people that a host sends in a room with a crowd."""

import pytest

from lanchat.client.events import ListedPeople
from lanchat.client.listing import PeopleListing
from lanchat.errors import ProtocolError
from lanchat.protocol.limits import MAX_PEOPLE
from lanchat.protocol.messages import Present
from lanchat.protocol.people import Crowd, PeopleEnd

ANN, BOB = Present("id-ann", "ann"), Present("id-bob", "bob")


def test_a_page_has_those_who_came_before_its_end():
    listing = PeopleListing()
    listing.add(ANN)
    listing.add(BOB)
    assert listing.take(PeopleEnd(more=True)) == ListedPeople((ANN, BOB), more=True)
    assert listing.take(PeopleEnd()) == ListedPeople(())


def test_the_end_of_a_crowd_brings_everybody():
    listing = PeopleListing()
    assert listing.take(Crowd(612)) == Crowd(612)
    assert listing.take(Crowd()) is None
    listing.add(ANN)
    assert listing.take(PeopleEnd()) == ListedPeople((ANN,), all=True)
    assert listing.take(PeopleEnd()) == ListedPeople(()), "once"


def test_a_host_that_lists_without_an_end_is_left():
    listing = PeopleListing()
    for _ in range(MAX_PEOPLE):
        listing.add(ANN)
    with pytest.raises(ProtocolError, match="lists more than 5000 people"):
        listing.add(ANN)
