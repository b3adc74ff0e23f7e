"""The page in Chromium follows its room to another computer and back, without being loaded again."""

import base64
import random
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from lanchat.errors import LanchatError
from lanchat.protocol.delegation import Delegation, Standby, TermRecord
from lanchat.protocol.guest_ticket import ticket_from
from lanchat.protocol.keys import key_from_seed
from lanchat.protocol.messages import Card, Joined, Left, Said
from lanchat.protocol.papers import Papers
from lanchat.protocol.timeline import Timeline, make_epoch, make_seq
from tests.browser.pages import Visitor
from tests.support.moving import Stage, cut_off, heard, hosts, places_of, web_port
from tests.support.waiting import PATIENCE, wait_until

# What the page sends gets lost while `mute` is true.
MUTE = """() => {
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) { if (!window.mute) send.call(this, data); };
    window.mute = true;
}"""


def come(chromium: Browser, url: str) -> Visitor:
    return Visitor(chromium.new_context(viewport={"width": 390, "height": 844}), url)


def follows(stage: Stage, host: Any, index: int) -> None:
    """Wait until this computer has all that the host has, and its page waits to be the room's."""
    wait_until(lambda: stage.sync(host) == index, what=f"{index} to follow")
    places = host.room._standby.hosting.host.moving.standing.places
    wait_until(lambda: places.get(index) is None or web_port(places_of(host)[places[index].nick]), what="its page")


def hand_over(host: Any, index: int) -> None:
    """The host gives the room to this computer, as soon as that is ready."""
    wait_until(lambda: host.room._standby.hosting.host.moving.hand_over(index) == "", what="the handover")


@pytest.mark.full
def test_the_page_follows_the_room_to_another_computer_and_back(stage, chromium):
    ann, bob = stage.with_page(password="secret")
    url = ann.room.web.address.url
    assert ticket_from(url.partition("#")[2])
    zoe = come(chromium, url)
    zoe.join("zoe")
    zoe.say("one")
    wait_until(heard(bob, "one"), what="bob to hear it")
    zoe.composer.fill("a thought that is not finished")

    hand_over(ann, 1)
    zoe.reads("ann has handed the room to bob")
    expect(zoe.composer).to_have_value("a thought that is not finished")
    hosts(bob)
    zoe.say("two")
    wait_until(heard(ann, "two"), what="ann to hear it")
    bob.room.say("three")
    zoe.sees("three")

    follows(stage, bob, 0)
    zoe.page.evaluate(MUTE)
    zoe.say("four")  # on its way, it is lost with the link
    zoe.page.evaluate("mute = false")
    hand_over(bob, 0)
    hosts(ann)
    zoe.reads("ann hosts the room again")
    wait_until(heard(bob, "four"), what="bob to hear it")
    zoe.sees("four")
    assert zoe.texts == ["one", "two", "three", "four"] == [text for text in bob.texts if text]
    assert zoe.requests == [url.partition("#")[0]]
    assert [problem for problem in zoe.problems if "WebSocket" not in problem] == []
    zoe.context.close()


def test_the_page_finds_the_computer_that_takes_over_when_the_host_is_gone(stage, chromium):
    ann, bob = stage.with_page()
    zoe = come(chromium, ann.room.web.address.url)
    zoe.join("zoe")
    zoe.say("at ann's")
    wait_until(heard(bob, "at ann's"), what="bob to hear it")
    cut_off(ann)
    ann.room.leave()
    zoe.say("to whoever hosts")
    hosts(bob)
    zoe.reads("ann is gone; bob now hosts the room")
    wait_until(heard(bob, "to whoever hosts"), what="bob to hear it")
    zoe.sees("to whoever hosts")
    assert zoe.texts == bob.texts == ["at ann's", "to whoever hosts"]
    zoe.context.close()


@pytest.mark.full
def test_a_tab_at_the_new_host_goes_on_with_all_that_the_page_knows(stage, chromium):
    """Nothing of it stands in an address, and the others see neither a leaving nor a coming."""
    ann, bob = stage.with_page(password="secret")
    zoe = come(chromium, ann.room.web.address.url)
    zoe.join("zoe")
    zoe.say("one")
    wait_until(heard(bob, "one"), what="bob to hear it")
    zoe.say("/msg bob psst")
    zoe.sees("psst")
    expect(zoe.page.get_by_role("button", name="Open it there")).to_have_count(0)
    hand_over(ann, 1)
    zoe.reads("ann has handed the room to bob")
    hosts(bob)
    zoe.say("two")
    wait_until(heard(ann, "two"), what="ann to hear that zoe has come over")
    settled = bob.room._standby.hosting.host.moving._standbys
    settled._settled_at = 0.0  # long after the move, when a leaving is told as ever
    bob.room.say("all here?")
    wait_until(lambda: settled._settled_at is None, what="who did not come over to count as gone")
    zoe.composer.fill("a thought that is not finished")
    with zoe.context.expect_page() as opened:
        zoe.page.get_by_role("button", name="Open it there").click()
    there = opened.value
    requests: list[str] = []
    there.on("request", lambda request: requests.append(request.url))
    expect(there.locator("#text")).to_have_value("a thought that is not finished")
    expect(there.locator("#lines .text")).to_have_text(["one", "psst", "two", "all here?"])
    zoe.reads("You are in the room in another tab now")
    assert there.url == f"http://{places_of(bob)['bob'].web[0]}/"
    there.locator("#text").press("Enter")
    wait_until(heard(ann, "a thought that is not finished"), what="ann to hear it")
    over = next(at for at, event in enumerate(ann.events) if isinstance(event, Said) and event.text == "two")
    assert not [event for event in ann.events[over:] if isinstance(event, Joined | Left) and event.nick == "zoe"]

    there.reload()
    there.locator("#text").fill("loaded again")
    there.locator("#text").press("Enter")
    wait_until(heard(bob, "loaded again"), what="bob to hear it")
    assert requests == [there.url], "the page alone, and without anything behind its address"
    said = [event for event in bob.events if isinstance(event, Said) and event.nick == "zoe"]
    assert len(said) == 4 and len({event.by for event in said}) == 1
    zoe.context.close()


@pytest.mark.full
def test_a_tab_goes_back_with_the_room_to_an_address_where_this_person_was_before(stage, chromium):
    """A browser copies to a tab what the tab that has opened it had kept, also what belongs to that address."""
    ann, bob = stage.with_page(password="secret")
    zoe = come(chromium, ann.room.web.address.url)
    zoe.join("zoe")
    zoe.say("one")
    wait_until(heard(bob, "one"), what="bob to hear it")
    tab, host = zoe.page, ann
    for number, (index, other) in enumerate([(1, bob), (0, ann), (1, bob)]):
        follows(stage, host, index)
        hand_over(host, index)
        hosts(other)
        tab.locator("#text").fill(f"a thought {number}")
        with zoe.context.expect_page() as opened:
            tab.get_by_role("button", name="Open it there").click()
        before, tab, host = tab, opened.value, other
        expect(tab.locator("#text")).to_have_value(f"a thought {number}", timeout=PATIENCE * 1000)
        expect(before.get_by_text("You are in the room in another tab now")).to_be_visible(timeout=PATIENCE * 1000)
    zoe.context.close()


FORGED = """(room) => {
    const base64 = (size) => btoa("x".repeat(size));
    const memory = { seed: base64(32), nick: "zoe", owner: room.owner, list: "", ahead: 0 };
    const told = { id: "a-1", at: 1, by: "a", nick: "ann", to: "z", to_nick: "zoe", text: "eve was here" };
    const forged = { room: room.id, memory, unsent: [], drafts: { all: "eve was here" }, ticket: "", kept: [told] };
    window.addEventListener("message", (event) => event.source.postMessage(forged, "*"));
    window.open(room.url);
}"""


@pytest.mark.full
def test_a_page_that_is_none_of_the_room_hands_nothing_over(stage, chromium):
    """It would know the key with which somebody talks."""
    ann, bob = stage.with_page()
    eve = chromium.new_context()
    eve.route("http://cats.test/", lambda route: route.fulfill(body="<title>cats</title>", content_type="text/html"))
    page = eve.new_page()
    page.goto("http://cats.test/")
    card = ann.room.card
    about = {"id": card.room, "owner": base64.b64encode(card.owner).decode(), "url": ann.room.web.address.url}
    with eve.expect_page() as opened:
        page.evaluate(FORGED, about)
    there = opened.value
    expect(there.get_by_role("alert").first).to_have_text(
        "This tab was opened by a page that is not of this room. Load it again to join."
    )
    assert there.evaluate("localStorage.length") == 0
    expect(there.locator("#lines .text")).to_have_count(0)
    there.get_by_role("button", name="Try again").click()
    expect(there.get_by_label("What should the others call you?")).to_have_value("")
    eve.close()


COMPARE = """cases => cases.map(({ term, mine, seq, own }) => {
    const timeline = Timeline.of({ term });
    const positions = new Positions();
    for (const [epoch, n] of mine) positions.known.set(epoch, n);
    positions.seq = seq;
    const lines = new OwnLines();
    own.forEach((seq, at) => lines.keep({ id: String(at), seq }));
    return [positions.common(timeline), lines.take(timeline).map(({ seq }) => seq)];
})"""


@pytest.mark.full
def test_the_page_reads_the_timeline_of_a_host_as_programs_do(room, visit):
    """Where its copy parts from that of a host it meets after a split, and what it has to say again there."""
    rng, cases, expected = random.Random(1), [], []
    for _ in range(300):
        epochs = sorted({make_epoch(rng.randint(1, 9), rng.randint(0, 3)) for _ in range(rng.randint(1, 5))})
        timeline = Timeline(epochs[-1], tuple((epoch, rng.randint(0, 3)) for epoch in epochs[:-1]))
        mine = {epoch: n for epoch, n in timeline.past if rng.random() < 0.9}
        mine |= {make_epoch(rng.randint(1, 9), rng.randint(0, 3)): rng.randint(0, 3)}
        own = [make_seq(make_epoch(rng.randint(1, 9), rng.randint(0, 3)), rng.randint(0, 4)) for _ in range(3)]
        record = TermRecord("5" * 32, bytes(32), 1, 2, timeline).text() + bytes(64)
        cases.append(
            {
                "term": base64.b64encode(record).decode(),
                "mine": [*mine.items()],
                "seq": make_seq(max(mine), 3),
                "own": own,
            }
        )
        expected.append([timeline.common(mine), [seq for seq in own if not timeline.covers(seq)]])
    assert visit(room).page.evaluate(COMPARE, cases) == expected


ACCEPT = """([cases, now]) => cases.map(({ card, host, kept, term, list, renewing }) => {
    try {
        const papers = kept ? Papers.kept(card.room, kept) : Papers.first(card, fromBase64(host));
        const bytes = (text) => (text ? fromBase64(text) : null);
        const after = renewing ? papers.renewed(bytes(list), bytes(term), fromBase64(host), now)
            : papers.accept(card, fromBase64(host), now);
        return [after.list ? base64(after.list) : "", after.ahead];
    } catch {
        return null;
    }
})"""
ROOM, NOW = "5" * 32, 1_700_000_000_000


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def damaged(rng: random.Random, paper: bytes) -> bytes:
    """The same paper, now and then with a byte that is another one, cut off, or with more at its end."""
    kind = rng.randrange(12)
    if kind == 0:
        at = rng.randrange(len(paper))
        return paper[:at] + bytes([paper[at] ^ 1 << rng.randrange(8)]) + paper[at + 1 :]
    return paper[: rng.randrange(len(paper))] if kind == 1 else paper + b"x" if kind == 2 else paper


def test_the_page_accepts_a_host_by_its_papers_as_programs_do(room, visit):
    """Lists and records of owners, standbys and strangers, new and old, for this room and others, whole and damaged."""
    rng = random.Random(2)
    keys = [key_from_seed(bytes([number]) * 32) for number in range(4)]  # the owner's, of two standbys, a stranger's
    public = [key.public_key().public_bytes_raw() for key in keys]

    def some_list(signer: int, room: str) -> bytes:
        named = rng.sample([1, 2, 3], rng.randrange(4))
        standbys = tuple(
            Standby(rng.choice([one, one, 7 + one]), public[one], bytes(8), rng.choice(("s", "s", "h")))
            for one in named
        )
        until, limit = NOW + rng.choice([-1, 0, 1, 500]), rng.choice([2, 1000])
        made = Delegation(room, rng.randrange(4), NOW - 100, until, rng.random() < 0.3, limit, standbys)
        return made.signed(keys[signer].sign)

    def some_room() -> str:
        return rng.choice([ROOM] * 9 + ["6" * 32])

    def some_term(host: int) -> bytes:
        if rng.random() < 0.3:  # of an engine
            signer = rng.choice([0] * 9 + [host])
            timeline = Timeline(make_epoch(rng.choice([1, 2, 3]), 0))
            record = TermRecord(some_room(), public[rng.choice([signer] * 9 + [0])], 1, NOW, timeline, engine=True)
            return record.signed(keys[signer].sign)
        index = rng.choice([host, host, host, rng.randrange(4)])
        epoch = make_epoch(rng.choice([1, 2, 3]), index)
        record = TermRecord(some_room(), public[rng.choice([host] * 9 + [0])], 1, NOW, Timeline(epoch))
        return record.signed(keys[rng.choice([host] * 9 + [3])].sign)

    cases: list[Any] = []
    expected: list[list[Any] | None] = []
    for _ in range(600):
        host, renewing = rng.choice([0, 1, 1, 2, 3]), rng.random() < 0.3
        shown = damaged(rng, some_list(rng.choice([0] * 9 + [3]), some_room())) if rng.random() < 0.8 else b""
        term = damaged(rng, some_term(host)) if rng.random() < 0.9 else b""
        owner = public[rng.choice([0] * 9 + [3])] if term else b""
        card = Card(
            2, ROOM, "Room A", "ann", 1, rng.random() < 0.7, bytes(32), owner=owner, delegation=shown, term=term
        )
        mine = some_list(0, ROOM) if rng.random() < 0.5 else b""
        known = None
        if renewing or rng.random() < 0.7:
            known = Papers(ROOM, public[0], mine, ahead=rng.choice([0, 0, -1000]))
        try:
            before = known or Papers(ROOM, card.owner or public[host])
            after = (
                before.renewed(shown, term, public[host], NOW) if renewing else before.accept(card, public[host], NOW)
            )
            expected.append([text(after.delegation), after.ahead])
        except LanchatError:
            expected.append(None)
        kept = {"owner": text(known.owner), "list": text(known.delegation), "ahead": known.ahead} if known else None
        papers = {"term": text(term), "list": text(shown)}
        about = {"room": ROOM, "password": card.password, "owner": text(owner), "delegation": text(shown)}
        whole = {"card": {**about, "term": text(term)}, "host": text(public[host]), "kept": kept, "renewing": renewing}
        cases.append({**whole, **papers})
    assert visit(room).page.evaluate(ACCEPT, [cases, NOW]) == expected
    accepted = len([one for one in expected if one is not None])
    assert 60 < accepted < 540, "both were tried"


LEARN = """web => {
    const where = new Whereabouts("192.168.1.7:47480", false);
    const key = "A".repeat(43) + "=";
    where.learn(JSON.stringify([{ index: 1, key, web }, { index: 2, key }]));
    return where.places.map(({ url }) => url);
}"""


@pytest.mark.full
def test_the_page_calls_no_address_of_a_list_that_is_none(room, visit):
    zoe = visit(room)
    given = [
        "192.168.1.8:47480",
        "[fe80::1]:47480",
        "a b",
        "evil.example/path#",
        "u@h:1",
        "h:99999",
        "h:1:2",
        "",
        7,
        None,
    ]
    assert zoe.page.evaluate(LEARN, given) == ["ws://192.168.1.8:47480/ws", "ws://[fe80::1]:47480/ws"]
    for places in ("{}", "[null]", "[{}]", '[{"index": 1, "key": "AAAA"}]', "[" + ",".join(["1"] * 9) + "]", "x"):
        learned = "text => { try { new Whereabouts('a:1', false).learn(text); return true; } catch { return false; } }"
        assert not zoe.page.evaluate(learned, places), places
