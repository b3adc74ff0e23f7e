"""A page in a room with several hosts: it goes on at the other one when its host ends, and for a file that is there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from lanchat.protocol.delegation import OWNER_INDEX, Delegation, Standby, TermRecord
from lanchat.protocol.places import Place
from lanchat.protocol.timeline import Timeline
from lanchat.server.beside import Beside, HostPapers
from lanchat.server.host import Host
from lanchat.storage.blobs import Blobs
from tests.support.files import digest, file_of
from tests.support.moving import FAR
from tests.support.people import Listener, lose
from tests.support.transfers import LIMITS
from tests.support.waiting import wait_until

ROOM, NAME = "5" * 32, "room.test"  # as the fixture visit calls this machine


class Hosts(dict[str, Host]):
    """Ann's and bob's hosts of ann's room, which have pages and no engine. The arguments are fixtures."""

    def __init__(self, host: Callable[..., Host], identity: Callable[[str], Any], **options: Any) -> None:
        ann, bob = identity("ann"), identity("bob")
        named = Delegation(ROOM, 1, 0, FAR, standbys=(Standby(1, bob.public, bytes(8), "h"),))
        record = TermRecord(ROOM, ann.public, 1, 0, Timeline(0), engine=True)
        papers = HostPapers(ann.public, named.signed(ann.sign), record.signed(ann.sign))
        self._papers = papers
        self._beside = {nick: Beside(papers, identity(nick).public) for nick in ("ann", "bob")}
        for nick, one in self._beside.items():
            more = {name: values[nick] for name, values in options.items()}
            about = {"nick": nick, "room_id": ROOM, "web_port": 0, "web_names": (NAME,), **more}
            self[nick] = host(beside=lambda timeline, one=one: one, **about)
        self.places = [
            Place(index, key, nick, (f"127.0.0.1:{self[nick].port}",), (f"{NAME}:{self[nick].ports['web']}",))
            for index, nick, key in ((OWNER_INDEX, "ann", ann.public), (1, "bob", bob.public))
        ]
        self.learn(self.places)

    def learn(self, places: list[Place]) -> None:
        """Both are told where the room is hosted."""
        for one in self._beside.values():
            one.learn(self._papers, places)


@pytest.mark.full
@pytest.mark.parametrize("has_page", [True, False])
def test_a_page_goes_to_the_host_that_has_the_file_it_wants(host, enter, visit, identity, tmp_path, has_page):
    blobs = {nick: Blobs(tmp_path / nick, LIMITS) for nick in ("ann", "bob")}
    hosts = Hosts(host, identity, blobs=blobs)
    source = file_of(tmp_path, "report.pdf")
    enter(hosts["bob"], "cat").send_file(source)
    [known] = hosts["bob"]._room.files.all.values()
    files = hosts["ann"]._room.files  # what an engine would have told ann's host
    files._files[known.file], files.elsewhere[known.file] = known, "bob"
    if not has_page:
        hosts.learn([place.with_page(()) for place in hosts.places])
    zoe = visit(hosts["ann"], "zoe")
    zoe.page.get_by_role("button", name="Show the files of this room").click()
    if not has_page:
        zoe.page.get_by_role("button", name="Save report.pdf").click()
        zoe.reads("report.pdf was not fetched: report.pdf is on the computer of bob.")
        return
    with zoe.page.expect_download() as download:
        zoe.page.get_by_role("button", name="Save report.pdf").click()
    assert digest(Path(download.value.path())) == digest(source)
    assert hosts["bob"].people == 2


@pytest.mark.full
def test_a_page_goes_on_at_another_host(host, join, visit, identity):
    hosts = Hosts(host, identity)
    cat = Listener(join(hosts["bob"], "cat"))
    zoe = visit(hosts["ann"], "zoe")
    zoe.say("before")
    expect(zoe.page.get_by_text("before")).to_be_visible()
    lose(hosts["ann"])
    wait_until(lambda: hosts["bob"].people == 2, what="the page to come over")
    zoe.say("after")
    cat.hear_text("after")
    zoe.forgive_lost_links()
