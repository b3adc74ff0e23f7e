"""The page of a room goes with the room: to the computer that hosts it next, with the guest link."""

import pytest

from lanchat.protocol.guest_ticket import ticket_from
from lanchat.protocol.messages import Closing, Moved, Refused, Said, Welcome
from lanchat.protocol.places import read_places
from lanchat.protocol.standby import Standbys
from tests.support.moving import heard, hosts, places_of, web_port
from tests.support.page import PageClient, WebSocket, fetch
from tests.support.waiting import wait_until


@pytest.mark.full
def test_a_standby_sends_browsers_to_the_host_until_it_hosts_the_room_with_the_same_guest_link(stage):
    ann, bob = stage.with_page(password="secret")
    address = ann.room.web.address
    ticket = ticket_from(address.url.partition("#")[2])
    places = places_of(ann)
    at_ann, at_bob = web_port(places["ann"]), web_port(places["bob"])
    status, _, body = fetch(at_bob)
    assert status == "HTTP/1.1 503 Service Unavailable" and f"http://127.0.0.1:{at_ann}/".encode() in body

    zoe = PageClient(at_ann, "zoe", ticket=ticket)
    welcome = zoe.next(Welcome)
    told = {place.index: place for place in read_places(zoe.next(Standbys).places)}
    assert web_port(told[1]) == at_bob and told[1].key != told[0].key == zoe.host_key
    wait_until(lambda: ann.room.host.moving.hand_over(1) == "", what="the handover")
    closing = zoe.next(Closing)
    assert (closing.code, closing.to) == ("moved", 1)
    hosts(bob)
    zoe.close()

    def opened() -> bool:  # for ann's page, which was not loaded again
        page = WebSocket(at_bob, {"Origin": f"http://127.0.0.1:{at_ann}"})
        page.close()
        return page.status == 101

    wait_until(opened, what="bob's page to know ann's")
    again = PageClient(at_bob, "zoe", key=zoe.key, ticket=ticket, after=welcome.seq)
    assert again.host_key == told[1].key and again.next(Welcome).nick == "zoe"
    assert again.next(Moved).nick == "bob"
    again.say("by bob's page")
    wait_until(heard(ann, "by bob's page"), what="ann to hear it")
    woo = PageClient(at_bob, "woo", ticket=bytes(16))
    assert woo.next(Refused).code == "ticket"
    again.close()
    woo.close()


def test_a_door_that_is_opened_and_closed_is_so_at_the_standby(stage):
    ann = stage.host()
    bob = stage.join("bob")
    wait_until(lambda: stage.sync(ann) > 0, what="a sync standby")
    assert not any(place.web for place in places_of(ann).values())
    ann.room.web.open(0)
    wait_until(lambda: web_port(places_of(ann)["bob"]), what="bob's page")
    at_bob = web_port(places_of(ann)["bob"])
    wait_until(lambda: fetch(at_bob)[2].startswith(b"<!doctype"), what="a link to ann's page")
    ann.room.web.close()
    wait_until(lambda: not any(place.web for place in places_of(ann).values()), what="no page")
    with pytest.raises(OSError):
        fetch(at_bob)
    assert bob.room.connected


def test_the_owner_gets_the_page_back_with_the_room(stage):
    ann, bob = stage.with_page()
    wait_until(lambda: ann.room.host.moving.hand_over(1) == "", what="the handover")
    hosts(bob)
    wait_until(lambda: stage.sync(bob) == 0, what="ann to follow")
    wait_until(lambda: web_port(places_of(bob)["ann"]), what="ann's page to wait")
    wait_until(lambda: bob.room._standby.hosting.host.moving.hand_over(0) == "", what="the room to come back")
    hosts(ann)
    assert ann.room.web.is_open
    zoe = PageClient(web_port(places_of(ann)["ann"]), "zoe")
    zoe.next(Welcome)
    zoe.say("home again")
    assert isinstance(zoe.hear("home again"), Said)
    zoe.close()


@pytest.mark.full
def test_a_guest_link_that_was_renewed_at_a_standby_is_that_of_the_owners_next_run(stage):
    """Also where the owner's computer only followed, and never hosted the room in between."""
    ann, bob = stage.with_page(password="secret")
    first = ann.room.web.address.url.partition("#")[2]
    wait_until(lambda: ann.room.host.moving.hand_over(1) == "", what="the handover")
    hosts(bob)
    web = bob.room._standby.hosting.web
    web.renew(2)
    second = web.address.url.partition("#")[2]
    assert ticket_from(first) != ticket_from(second)
    wait_until(lambda: stage.sync(bob) == 0, what="ann to follow")
    copy = ann.room._member.follower.offering.replica
    wait_until(lambda: second.encode() in copy.state.get("rules", b""), what="ann's copy to have the new link")
    ann.room.close()
    bob.room.close(end=True)
    again = stage.host(web_port=0, password="secret")
    assert again.room.web.address.url.partition("#")[2] == second
