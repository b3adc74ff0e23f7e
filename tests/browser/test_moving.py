"""The page in Chromium follows its room to another computer and back, without being loaded again."""

import base64
import random
from typing import Any

from playwright.sync_api import Browser, expect

from lanchat.protocol.delegation import TermRecord
from lanchat.protocol.guest_ticket import ticket_from
from lanchat.protocol.timeline import Timeline, make_epoch, make_seq
from tests.api.test_moving import Stage, heard, hosts
from tests.api.test_moving import stage as stage
from tests.api.test_takeover import cut_off
from tests.api.test_web_moves import places_of, web_port, with_page
from tests.browser.pages import Visitor
from tests.support.waiting import wait_until

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


def test_the_page_follows_the_room_to_another_computer_and_back(stage, chromium):
    ann, bob = with_page(stage, password="secret")
    url = ann.room.web.address.url
    assert ticket_from(url.partition("#")[2])
    zoe = come(chromium, url)
    zoe.join("zoe")
    zoe.say("one")
    wait_until(heard(bob, "one"), what="bob to hear it")
    zoe.composer.fill("a thought that is not finished")

    ann.room.moderate("handover", "bob")
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
    ann.room.moderate("takeback")
    hosts(ann)
    zoe.reads("ann hosts the room again")
    wait_until(heard(bob, "four"), what="bob to hear it")
    zoe.sees("four")
    assert zoe.texts == ["one", "two", "three", "four"] == [text for text in bob.texts if text]
    assert zoe.requests == [url.partition("#")[0]]
    assert [problem for problem in zoe.problems if "WebSocket" not in problem] == []
    zoe.context.close()


def test_the_page_finds_the_computer_that_takes_over_when_the_host_is_gone(stage, chromium):
    ann, bob = with_page(stage)
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


COMPARE = """cases => cases.map(({ term, mine, seq, own }) => {
    const timeline = Timeline.of({ term });
    const positions = new Positions();
    for (const [epoch, n] of mine) positions.known.set(epoch, n);
    positions.seq = seq;
    const lines = new OwnLines();
    own.forEach((seq, at) => lines.keep({ id: String(at), seq }));
    return [positions.common(timeline), lines.take(timeline).map(({ seq }) => seq)];
})"""


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


LEARN = """web => {
    const where = new Whereabouts("192.168.1.7:47480", false);
    const key = "A".repeat(43) + "=";
    where.learn(JSON.stringify([{ index: 1, key, web }, { index: 2, key }]));
    return where.places.map(({ url }) => url);
}"""


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
