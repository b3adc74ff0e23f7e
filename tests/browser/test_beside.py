"""A page in a room with several hosts: when its host ends, it goes on at the other one."""

from playwright.sync_api import expect

from lanchat.protocol.delegation import OWNER_INDEX, Delegation, Standby, TermRecord
from lanchat.protocol.places import Place
from lanchat.protocol.timeline import Timeline
from lanchat.server.beside import Beside, HostPapers
from tests.api.test_standby import FAR
from tests.support.people import Listener, lose
from tests.support.waiting import wait_until

ROOM, NAME = "5" * 32, "room.test"  # as the fixture visit calls this machine


def test_a_page_goes_on_at_another_host(host, join, visit, identity):
    ann, bob = identity("ann"), identity("bob")
    named = Delegation(ROOM, 1, 0, FAR, standbys=(Standby(1, bob.public, bytes(8), "h"),))
    record = TermRecord(ROOM, ann.public, 1, 0, Timeline(0), engine=True)
    papers = HostPapers(ann.public, named.signed(ann.sign), record.signed(ann.sign))
    beside = {nick: Beside(papers, identity(nick).public) for nick in ("ann", "bob")}
    hosts = {
        nick: host(nick=nick, room_id=ROOM, web_port=0, web_names=(NAME,), beside=lambda timeline, one=one: one)
        for nick, one in beside.items()
    }
    places = [
        Place(index, key, nick, (f"127.0.0.1:{hosts[nick].port}",), (f"{NAME}:{hosts[nick].ports['web']}",))
        for index, nick, key in ((OWNER_INDEX, "ann", ann.public), (1, "bob", bob.public))
    ]
    for one in beside.values():
        one.learn(papers, places)
    cat = Listener(join(hosts["bob"], "cat"))
    zoe = visit(hosts["ann"], "zoe")
    zoe.say("before")
    expect(zoe.page.get_by_text("before")).to_be_visible()
    lose(hosts["ann"])
    wait_until(lambda: hosts["bob"].people == 2, what="the page to come over")
    zoe.say("after")
    cat.hear_text("after")
    zoe.forgive_lost_links()
