"""The page in Chromium: what a person with a phone does, over http."""

import pytest
from playwright.sync_api import Page, expect

from lanchat.client.events import PrivateMessage
from lanchat.protocol.guest_ticket import ticket_text
from lanchat.protocol.limits import MAX_PEOPLE
from lanchat.protocol.messages import Joined, Say
from lanchat.server.doors.web.guest_link import GuestLink
from lanchat.threads import now_ms
from tests.browser.audit import AUDIT
from tests.browser.pages import cut
from tests.support.page import PageClient
from tests.support.people import Listener
from tests.support.waiting import wait_until


def test_people_with_phones_and_programs_talk_with_each_other(room, join, visit):
    ann = Listener(join(room, "ann"))
    zoe = visit(room)
    assert not zoe.page.evaluate("isSecureContext")
    zoe.reads("People who listen on this network cannot read this chat.")
    zoe.join("zoe")
    zoe.say("hello from a phone")
    assert ann.hear_text("hello from a phone").nick == "zoe"
    ann.member.outgoing.say("hello from <b>ann</b>\nin two lines")
    zoe.sees("hello from <b>ann</b>")
    assert zoe.texts == ["hello from a phone", "hello from <b>ann</b>\nin two lines"]
    expect(zoe.page.locator("#people-button")).to_have_text("2 people")
    assert zoe.requests == [zoe.url]
    zoe.page.reload()
    zoe.is_inside()
    zoe.sees("in two lines")
    ann.hear(
        lambda: len([item for item in ann.items if isinstance(item, Joined) and item.nick == "zoe"]) == 2, "zoe again"
    )


def test_a_cut_link_loses_and_doubles_nothing(room, join, visit):
    ann, zoe = Listener(join(room, "ann")), visit(room, "zoe")
    for number in range(4):
        zoe.say(f"zoe {number}")
        ann.member.outgoing.say(f"ann {number}")
        cut(room)
        zoe.say(f"zoe {number} again")
        ann.member.outgoing.say(f"ann {number} again")
    for last in ("ann 3 again", "zoe 3 again"):
        ann.hear_text(last)
        zoe.sees(last)
    expected = {f"{who} {number}{again}" for who in ("ann", "zoe") for number in range(4) for again in ("", " again")}
    assert sorted(zoe.texts) == sorted(ann.texts) == sorted(expected)
    assert [text for text in zoe.texts if text in ann.texts] == ann.texts
    zoe.forgive_lost_links()


@pytest.mark.full
def test_what_was_not_said_is_said_after_the_page_was_loaded_again(host, join, visit):
    room = host("Room A", web_port=0, web_names=("room.test",))
    zoe = visit(room, "zoe")
    zoe.page.evaluate("WebSocket.prototype.send = () => {}")  # the network takes nothing any more
    zoe.say("into the void")
    zoe.reads("waiting")
    zoe.page.reload()
    zoe.is_inside()
    zoe.sees("into the void")
    assert zoe.texts == ["into the void"]


def test_private_messages_are_sealed_and_drafts_are_kept(room, join, visit):
    ann, zoe = Listener(join(room, "ann")), visit(room, "zoe")
    zoe.page.locator("#people-button").click()
    zoe.page.get_by_role("button", name="ann").click()
    zoe.page.get_by_role("button", name="Private message").click()
    zoe.reads("To ann only")
    zoe.say("psst")
    ann.hear_kind(PrivateMessage, text="psst", problem="")
    zoe.sees("psst")
    zoe.composer.fill("a draft for ann")
    zoe.composer.press("Escape")
    expect(zoe.composer).to_have_value("")
    zoe.composer.fill("a draft for all")
    told = next(item for item in ann.items if isinstance(item, PrivateMessage))
    ann.member.outgoing.tell("zoe", "psst yourself", to=told.by, key=key_of(ann, told.by))
    zoe.sees("psst yourself")
    zoe.page.reload()
    zoe.is_inside()
    expect(zoe.composer).to_have_value("a draft for all")
    zoe.sees("psst yourself")
    assert zoe.texts == ["psst", "psst yourself"]  # of this browser: they were seen, and the host has forgotten them


# A page that nobody looks at reconnects at once, not after half a minute.
SOON = """() => {
    const later = window.setTimeout;
    window.setTimeout = (act, time) => later(act, time === HIDDEN_RETRY ? 0 : time);
}"""


@pytest.mark.full
def test_a_private_message_that_nobody_has_seen_comes_again(room, join, visit):
    """The page was not in view when it came, and neither when it came once more after a cut."""
    ann, zoe = Listener(join(room, "ann")), visit(room, "zoe")
    ann.hear_kind(Joined, nick="zoe")
    joined = next(item for item in ann.items if isinstance(item, Joined) and item.nick == "zoe")
    zoe.look_away()
    zoe.page.evaluate(SOON)
    ann.member.outgoing.tell("zoe", "psst", to=joined.by, key=joined.key)
    zoe.sees("psst")
    cut(room)
    ann.member.outgoing.say("after the cut")
    zoe.sees("after the cut")
    zoe.page.reload()
    zoe.is_inside()
    zoe.sees("psst")


@pytest.mark.full
def test_a_message_that_waits_is_not_said_in_another_room_at_the_same_address(host, visit):
    """zoe's browser has one of an earlier day, and the host opens another room while she reads what the first is."""
    room = host("Room A", web_port=0, web_names=("room.test",))
    port = room.ports["web"]
    zoe = visit(room, "zoe")
    zoe.page.evaluate("WebSocket.prototype.send = () => {}")
    zoe.say("for Room A")
    zoe.reads("waiting")
    zoe.page.evaluate("sessionStorage.clear()")
    zoe.page.reload()
    zoe.reads("1 person is here.")
    room.close()
    other = host("Room B", web_port=port, web_names=("room.test",))
    ann = PageClient(port, "ann")
    button = zoe.page.get_by_role("button", name="Join")
    button.click()
    zoe.reads("Room B")
    button.click()
    zoe.is_inside()
    zoe.say("for Room B")
    zoe.sees("for Room B")
    assert zoe.texts == ["for Room B"]
    ann.close()
    other.close()


@pytest.mark.full
def test_a_computer_that_has_taken_the_address_is_named_before_anybody_joins(host, visit):
    room = host("Room A", web_port=0, web_names=("room.test",))
    port = room.ports["web"]
    zoe = visit(room, "zoe")
    zoe.page.evaluate("sessionStorage.clear()")
    room.close()
    host("Room A", nick="eve", room_id=room.room_id, web_port=port, web_names=("room.test",))
    zoe.page.reload()
    zoe.reads("A different computer answers at this address.")
    expect(zoe.page.get_by_role("button", name="Join")).to_have_count(0)


def key_of(listener: Listener, id: str) -> bytes:
    return next(item.key for item in listener.items if isinstance(item, Joined) and item.by == id)


def test_a_guest_link_opens_a_room_with_a_password(host, visit):
    link = GuestLink()
    room = host("Room A", web_port=0, web_names=("room.test",), guest_link=link, password="secret")
    ticket = ticket_text(link.current().secret)
    visit(room).reads("This room has a password, and web pages never ask for it.")
    zoe = visit(room, "zoe", fragment=f"#{ticket}")
    assert zoe.page.url == zoe.url
    link.renew()
    zoe.page.reload()
    zoe.reads("This guest link is no longer valid. Ask the host for a new one.")


@pytest.mark.full
def test_a_taken_nick_brings_another_one(room, join, visit):
    join(room, "zoe")
    zoe = visit(room)
    zoe.page.get_by_label("What should the others call you?").fill("zoe")
    zoe.page.keyboard.press("Enter")
    zoe.reads("zoe2 is free")
    assert zoe.page.get_by_text("has not kept your key").count() == 0, "the other zoe is here"
    zoe.page.keyboard.press("Enter")
    zoe.is_inside()
    zoe.page.close()
    wait_until(lambda: room.people == 1, what="zoe2 to leave")
    forgetful = visit(room)
    forgetful.page.get_by_label("What should the others call you?").fill("zoe2")
    forgetful.page.keyboard.press("Enter")
    forgetful.reads("zoe22 is free. If that was you, this browser has not kept your key")


def focused(page: Page) -> tuple[str, str]:
    """The role and the name of what has the focus, as a screen reader gets them."""
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    with_focus = [
        (node["role"]["value"], node["name"]["value"])
        for node in nodes
        if any(one["name"] == "focused" and one["value"]["value"] for one in node.get("properties", []))
    ]
    return with_focus[-1]


@pytest.mark.full
def test_a_screen_reader_hears_what_each_stop_of_the_keyboard_is(room_with_files, visit):
    zoe = visit(room_with_files, reduced_motion="reduce")
    expect(zoe.page.locator("#nick")).to_be_focused()
    assert focused(zoe.page) == ("textbox", "What should the others call you?")
    zoe.join("zoe")
    assert focused(zoe.page) == ("textbox", "Message to everyone")
    zoe.page.locator("#people-button").focus()
    stops = []
    for _ in range(5):
        stops.append(focused(zoe.page))
        zoe.page.keyboard.press("Tab")
    assert stops == [
        ("button", "1 person"),
        ("log", "Messages"),
        ("button", "Choose files to send"),
        ("textbox", "Message to everyone"),
        ("button", "Send"),
    ]
    zoe.page.locator("#people-button").press("Enter")
    assert focused(zoe.page) == ("button", "Close")
    assert zoe.page.evaluate("document.getAnimations().length") == 0  # as asked for
    zoe.page.keyboard.press("Escape")
    assert focused(zoe.page) == ("button", "1 person")


def test_the_page_works_by_keyboard_and_names_its_parts(room, visit):
    zoe = visit(room)
    expect(zoe.page.get_by_label("What should the others call you?")).to_be_focused()
    zoe.page.keyboard.type("zoe")
    zoe.page.keyboard.press("Enter")
    zoe.is_inside()
    expect(zoe.composer).to_be_focused()
    zoe.page.keyboard.type("one")
    zoe.page.keyboard.press("Shift+Enter")
    zoe.page.keyboard.type("two")
    zoe.page.keyboard.press("Enter")
    zoe.sees("one")
    assert zoe.texts == ["one\ntwo"]
    zoe.page.keyboard.press("F6")
    expect(zoe.page.get_by_role("log", name="Messages")).to_be_focused()
    zoe.page.keyboard.press("F6")
    expect(zoe.page.locator("#people-button")).to_be_focused()
    zoe.page.keyboard.press("Enter")
    expect(zoe.page.get_by_role("dialog", name="People")).to_be_visible()
    zoe.page.keyboard.press("Escape")
    expect(zoe.page.get_by_role("dialog")).to_have_count(0)
    expect(zoe.page.get_by_role("textbox", name="Message to everyone")).to_be_visible()
    expect(zoe.page.locator("#state")).to_have_role("status")


STRANGE = {  # what a stranger says, and how it is shown
    "<img src=x onerror=alert(1)>": "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>": "</script><script>alert(1)</script>",
    "\u202egnp.exe": "<U+202E>gnp.exe",
    "a\u0301\u0301\u0301\u0301\u0301\u0301": "a\u0301\u0301\u0301\u0301",
    "\x1b[31m \u200b\ufeff": "\\x1b[31m <U+200B><U+FEFF>",
    "👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 می‌خواهم": "👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 می‌خواهم",
    "`<b>`": "<b>",
}


def test_what_a_stranger_says_is_only_text(room, visit):
    zoe, eve = visit(room, "zoe"), PageClient(room.ports["web"], "eve")
    for text in (*STRANGE, "the end"):
        eve.say(text)
    zoe.sees("the end")
    assert zoe.texts == [*STRANGE.values(), "the end"]
    eve.close()


@pytest.mark.full
def test_what_comes_late_says_so_once_for_messages_that_follow_each_other(room, join, visit):
    ann, zoe = Listener(join(room, "ann")), visit(room, "zoe")
    at = now_ms() - 60_000
    ann.round_trip("now")
    for id in ("one", "two"):
        ann.member.delivery.ask(Say(id, id, again=True, at=at))
    ann.hear_text("two")
    ann.round_trip("later")
    zoe.sees("later")
    assert zoe.texts == ["now", "one", "two", "later"]
    assert zoe.page.locator("#lines .tag").all_text_contents() == ["said while disconnected"]


CROWD = """(most) => {
    const ui = new Proxy({}, { get: () => () => {} });
    const room = new Room(new Whereabouts(location.host, false), ui);
    room.welcome = { people: 1 };
    room.card = { room: "5".repeat(32) };
    try {
        for (let number = 0; number < most; number += 1) room.takePresent({ id: String(number), nick: "a" });
    } catch (error) {
        return [room.people.size, error.message];
    }
}"""


@pytest.mark.full
def test_a_host_that_tells_of_people_without_end_is_not_believed(room, visit):
    assert visit(room).page.evaluate(CROWD, 100_000) == [MAX_PEOPLE, "The host tells of too many people."]


@pytest.mark.full
def test_a_row_that_cannot_be_made_hides_no_other(room, visit):
    zoe = visit(room, "zoe")
    zoe.page.evaluate("""() => {
        const log = new Log();
        log.add(() => log.message("a", "ann", 2 ** 53, "in no year"));
        log.add(() => { throw new Error("a fault"); });
        log.add(() => log.message("a", "ann", 0, "after it"));
    }""")
    zoe.sees("after it")
    assert zoe.texts == ["in no year", "after it"]
    [problem], zoe.problems[:] = zoe.problems, []
    assert "a fault" in problem


@pytest.mark.full
def test_the_door_that_the_host_closes_says_so(room, visit):
    zoe = visit(room, "zoe")
    door = room.doors.find("web")
    room.doors.close(door)
    wait_until(lambda: door.dismiss() >= 1)
    zoe.reads("The host has closed the door for browsers.")


@pytest.mark.full
def test_a_flood_leaves_the_typed_line_and_a_bounded_page(room, join, visit):
    ann, zoe = Listener(join(room, "ann")), visit(room, "zoe")
    zoe.composer.fill("half a sen")
    for number in range(3000):
        ann.member.outgoing.say(f"line {number}")
        if number % 100 == 99:
            ann.hear_text(f"line {number}")
    zoe.composer.press_sequentially("tence")
    zoe.sees("line 2999")
    assert zoe.texts == [f"line {number}" for number in range(2000, 3000)]
    expect(zoe.composer).to_have_value("half a sentence")
    zoe.page.locator("#log").evaluate("log => { log.scrollTop = 0 }")
    for number in range(12):
        ann.member.outgoing.say(f"more {number}")
    more = zoe.page.get_by_role("button", name="12 new messages")
    expect(more).to_be_visible()
    assert zoe.page.locator("#log").evaluate("log => log.scrollTop") == 0
    more.click()
    expect(zoe.page.locator("#lines .text").last).to_be_in_viewport()


@pytest.mark.full
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1440])
def test_everything_can_be_read_and_hit(room_with_files, join, visit, scheme, width):
    """Controls of 44 px with a name, texts with the contrast of WCAG AA, nothing beside the page."""
    join(room_with_files, "bob-with-a-nick-of-thirty-chars")
    zoe = visit(room_with_files, viewport={"width": width, "height": 700}, color_scheme=scheme)
    assert zoe.page.evaluate(AUDIT) == []
    zoe.join("zoe")
    zoe.say("a `line` with " + "averylongword" * 30)
    zoe.say("/nonsense")
    zoe.reads("There is no command")
    zoe.page.set_input_files("#chosen", {"name": "notes.txt", "mimeType": "", "buffer": b"hello"})
    zoe.reads("notes.txt")
    assert zoe.page.evaluate(AUDIT) == []
    zoe.composer.fill("/files")
    zoe.composer.press("Enter")
    expect(zoe.page.get_by_role("dialog", name="Files of this room")).to_be_visible()
    assert zoe.page.evaluate(AUDIT) == []
