"""Private messages that were seen: the host forgets them, and the page shows them again after it was loaded again."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from lanchat.client.events import PrivateMessage
from tests.browser.pages import Visitor, cut
from tests.support.people import Listener

HIDE = "Object.defineProperty(document, 'hidden', { value: true, configurable: true })"
MUTE = """() => {
    const send = Channel.prototype.send;
    Channel.prototype.send = function (message) { if (message.t !== "got") send.call(this, message); };
}"""
FULL = "() => { Object.getPrototypeOf(localStorage).setItem = () => { throw new Error('full'); }; }"
FORBIDDEN = "() => { Object.defineProperty(window, 'localStorage', { get() { throw new Error('forbidden'); } }); }"
TAGS = "#lines .message.first .tag"


def tell(ann: Listener, zoe: Visitor, text: str) -> None:
    ann.member.outgoing.tell("zoe", text)
    zoe.sees(text)


def say(ann: Listener, zoe: Visitor, text: str) -> None:
    ann.round_trip(text)
    zoe.sees(text)


def load_again(zoe: Visitor) -> None:
    zoe.page.reload()
    zoe.is_inside()


def kept(page: Page, where: str = "localStorage") -> int:
    """How many private messages lie in the browser."""
    names: list[str] = page.evaluate(f"Object.keys({where})")
    return len([name for name in names if name.startswith("lanchat private ")])


@pytest.mark.full
def test_they_stand_where_they_stood_and_are_nothing_new(room, join, visit):
    ann, zoe = Listener(join(room, "ann")), visit(room, "zoe")
    say(ann, zoe, "one")
    for number in range(8):
        tell(ann, zoe, f"psst {number}")
    say(ann, zoe, "two")
    zoe.say("/msg ann psst yourself")
    zoe.sees("psst yourself")
    ann.hear_kind(PrivateMessage, text="psst yourself", problem="")
    say(ann, zoe, "three")
    texts, tags = zoe.texts, zoe.page.locator(TAGS).all_inner_texts()
    assert texts == ["one", *(f"psst {number}" for number in range(8)), "two", "psst yourself", "three"]
    assert tags == ["to you only", "to ann only"]
    zoe.page.add_init_script(HIDE)
    for _ in range(2):
        load_again(zoe)
        zoe.sees("three")
        zoe.sees("psst yourself")
        assert zoe.texts == texts and zoe.page.locator(TAGS).all_inner_texts() == tags
        assert zoe.page.locator("#log").get_attribute("aria-busy") is None, "a screen reader hears of many new messages"
        assert zoe.page.locator("#lines .private[aria-live=off]").count() == 9
        assert not zoe.page.title().startswith("("), "the title counts them"
    cut(room)
    zoe.look_back()
    say(ann, zoe, "four")
    assert zoe.texts == [*texts, "four"], "a reconnect shows nothing again"
    zoe.forgive_lost_links()


@pytest.mark.full
def test_one_whose_confirmation_was_lost_is_shown_once_and_confirmed(room, join, visit):
    ann, zoe = Listener(join(room, "ann")), visit(room, "zoe")
    zoe.page.evaluate(MUTE)
    tell(ann, zoe, "psst")
    zoe.page.wait_for_function("Object.keys(localStorage).some(name => name.startsWith('lanchat private '))")
    load_again(zoe)
    say(ann, zoe, "one")
    assert zoe.texts == ["psst", "one"]
    zoe.page.evaluate("localStorage.removeItem(Object.keys(localStorage).find(name => name.includes('private')))")
    load_again(zoe)
    say(ann, zoe, "two")
    assert zoe.texts == ["one", "two"], "the host has it no longer"


@pytest.mark.full
def test_one_of_ours_whose_receipt_was_lost_is_shown_once_and_waits_no_longer(room, join, visit):
    ann, zoe = Listener(join(room, "ann")), visit(room, "zoe")
    zoe.page.evaluate("() => { Room.prototype.takeReceipt = () => {}; }")
    zoe.say("/msg ann psst")
    zoe.sees("psst")
    load_again(zoe)
    zoe.page.wait_for_function("Object.keys(localStorage).every(name => !name.startsWith('lanchat unsent '))")
    say(ann, zoe, "one")
    assert zoe.texts == ["psst", "one"]
    expect(zoe.page.locator("#waiting .message")).to_have_count(0)
    assert len([item for item in ann.items if isinstance(item, PrivateMessage)]) == 1


@pytest.mark.full
def test_two_tabs_keep_the_same_messages_once(room, join, visit):
    ann, zoe = Listener(join(room, "ann")), visit(room, "zoe")
    tell(ann, zoe, "before")
    other = zoe.context.new_page()
    other.goto(zoe.url)
    other.get_by_role("button", name="Join").click()
    expect(other.locator("#lines .text")).to_have_text(["before"])
    zoe.say("/msg ann from the first tab")
    zoe.sees("from the first tab")
    other.locator("#text").fill("/msg ann from the second tab")
    other.locator("#text").press("Enter")
    zoe.sees("from the second tab")
    tell(ann, zoe, "psst")
    expected = ["before", "from the first tab", "from the second tab", "psst"]
    expect(other.locator("#lines .text")).to_have_text(expected)
    assert kept(other) == 4
    for page in (zoe.page, other):
        page.reload()
        expect(page.locator("#lines .text")).to_have_text(expected)


@pytest.mark.full
def test_those_of_an_ephemeral_room_go_with_the_tab(host, join, visit):
    room = host("Room A", web_port=0, web_names=("room.test",), ephemeral=True)
    ann, zoe = Listener(join(room, "ann")), visit(room, "zoe")
    tell(ann, zoe, "psst")
    load_again(zoe)
    zoe.sees("psst")
    assert (kept(zoe.page), kept(zoe.page, "sessionStorage")) == (0, 1)


@pytest.mark.full
@pytest.mark.parametrize("refuse", [FULL, FORBIDDEN], ids=["full", "forbidden"])
def test_a_store_that_takes_nothing_harms_nothing(room, join, visit, refuse):
    ann, zoe = Listener(join(room, "ann")), visit(room)
    zoe.page.evaluate(refuse)
    zoe.join("zoe")
    tell(ann, zoe, "psst")
    zoe.say("/msg ann psst yourself")
    ann.hear_kind(PrivateMessage, text="psst yourself", problem="")
    zoe.sees("psst yourself")
    cut(room)
    say(ann, zoe, "one")
    assert zoe.texts == ["psst", "psst yourself", "one"]
    zoe.composer.fill("a draft for all")
    zoe.page.locator("#people-button").click()
    zoe.page.get_by_role("button", name="ann").click()
    zoe.page.get_by_role("button", name="Private message").click()
    expect(zoe.composer).to_have_value("")
    zoe.composer.press("Escape")
    expect(zoe.composer).to_have_value("a draft for all")
    zoe.forgive_lost_links()


STORE = """([rooms, messages]) => {
    const items = new Map(), fake = {};
    Object.defineProperties(fake, {
        getItem: { value: name => items.has(name) ? items.get(name) : null },
        setItem: { value: (name, text) => { items.set(name, text); fake[name] = text; } },
        removeItem: { value: name => { items.delete(name); delete fake[name]; } },
    });
    const store = new Storage(() => fake);
    store.set("lanchat room " + rooms[0], "a key");
    store.set("lanchat private 5", "nonsense");
    store.set("lanchat private 5 " + rooms[0] + " a x", { by: "a", text: "from no time" });
    const histories = rooms.map(room => new PrivateHistory(store, room));
    const told = { by: "a", nick: "ann", to: "z", to_nick: "zoe", own: false, open: false };
    for (const [at, id, size, room] of messages) histories[room].keep({ ...told, at, id, text: "x".repeat(size) });
    const size = [...items].reduce((sum, [name, text]) => sum + name.length + text.length, 0);
    return [histories.map(history => history.all.map(({ id }) => id)), size, store.get("lanchat room " + rooms[0])];
}"""
ROOMS = ["5" * 32, "6" * 32]


@pytest.fixture
def keep(room: Any, visit: Callable[..., Visitor]) -> Callable[..., Any]:
    """Keep messages, each with its time, its id, the length of its text and its room, in an empty store."""
    return lambda messages: visit(room).page.evaluate(STORE, [ROOMS, messages])


@pytest.mark.full
def test_only_so_many_are_kept_and_the_oldest_go_first(keep):
    """Other programs may have written there, too."""
    many = [[1000 + number // 5, f"5eed-{number}", 10, number % 2] for number in range(250)]
    (first, second), _, key = keep(many)
    assert first == [f"5eed-{number}" for number in range(50, 250, 2)], "in their order, also within one millisecond"
    assert second == [f"5eed-{number}" for number in range(51, 250, 2)]
    assert key == "a key"
    assert keep([[9, "nine", 1, 0], [10, "ten", 1, 0]])[0] == [["nine", "ten"], []]
    (long, _), size, _ = keep([[number, str(number), 4096, 0] for number in range(100)])
    assert long == [str(number) for number in range(100 - len(long), 100)]
    assert 60 <= len(long) and size < 257 * 1024
