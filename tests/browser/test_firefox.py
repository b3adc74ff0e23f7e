"""The page in Firefox: one long story."""

import pytest

from lanchat.client.events import PrivateMessage
from tests.browser.firefox import ENTER, PROGRAM, firefox
from tests.browser.pages import cut
from tests.support.people import Listener

DROP = """(() => {
    const moved = new DataTransfer();
    moved.items.add(new File(["hello"], "notes.txt"));
    const drop = new DragEvent("drop", { dataTransfer: moved, bubbles: true, cancelable: true });
    document.getElementById("log").dispatchEvent(drop);
})()"""


@pytest.mark.full
@pytest.mark.timeout(180)
@pytest.mark.skipif(PROGRAM is None, reason="no Firefox: apt-get install firefox-esr, or set LANCHAT_FIREFOX")
def test_the_page_in_firefox(own_process, room_with_files, join, tmp_path):
    room = room_with_files
    ann = Listener(join(room, "ann"))
    profile = tmp_path / "profile"
    profile.mkdir()
    with firefox(profile, "room.test") as browser:
        browser.go(address := f"http://room.test:{room.ports['web']}/")
        assert browser.run("isSecureContext") is False
        browser.wait_for("document.activeElement.id === 'nick'")
        browser.type(f"zoe{ENTER}")
        browser.wait_for("document.activeElement.id === 'text'")
        browser.type(f"hello from Firefox{ENTER}")
        ann.hear_text("hello from Firefox")
        ann.member.outgoing.say("hello from ann")
        browser.wait_for("document.getElementById('lines').textContent.includes('hello from ann')")
        browser.type(f"/msg ann psst{ENTER}")
        ann.hear_kind(PrivateMessage, text="psst", problem="")
        cut(room)
        browser.type(f"after the break{ENTER}")
        ann.hear_text("after the break")
        browser.run(DROP)
        browser.wait_for("document.getElementById('staged').textContent.includes('notes.txt')")
        browser.type(ENTER)
        browser.wait_for("document.querySelector('#lines .file button') !== null")
        browser.go(address)  # as a phone loads a tab again
        browser.wait_for("document.getElementById('lines').textContent.includes('psst')")
        assert browser.run("document.querySelectorAll('#lines .private').length") == 1
        assert browser.run("document.documentElement.scrollWidth <= innerWidth") is True
        assert browser.problems == []
