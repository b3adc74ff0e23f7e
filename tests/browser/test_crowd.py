"""A crowd in the page. Three people are one here."""

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from lanchat.protocol.limits import NO_LIMITS
from tests.support.people import Listener
from tests.support.waiting import wait_until

ELSEWHERE = "room.test"  # as the fixture visit calls this machine
FEW = replace(NO_LIMITS, crowd=2, crowd_over=2)


@pytest.mark.full
def test_the_page_shows_a_number_and_those_who_spoke(host, join, visit):
    room = host("Room A", web_port=0, web_names=(ELSEWHERE,), limits=FEW)
    ann = Listener(join(room, "ann"))
    zoe = visit(room, "zoe")
    people = zoe.page.locator("#people-button")
    expect(people).to_have_text("2 people")
    bob = Listener(join(room, "bob"))
    expect(people).to_have_text("3 people")
    cat = Listener(join(room, "cat"))
    cat.round_trip("hi zoe")
    expect(zoe.page.get_by_text("hi zoe")).to_be_visible()
    expect(zoe.page.get_by_text("cat joined")).to_have_count(0)
    rows = zoe.page.locator("ul.people").first.locator("li")
    expect(rows.filter(has_text="cat")).to_have_count(1)
    expect(rows.filter(has_text="bob")).to_have_count(0)
    zoe.say("hi cat")
    cat.hear_text("hi cat")
    for one in (bob, cat):
        one.member.close()
    wait_until(lambda: room.people == 2)
    ann.member.close()
    expect(people).to_have_text("1 person")
