"""Links that break without a word, lose, delay and crawl; a host that is frozen. In namespaces of our own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from lanchat.protocol.messages import Left
from lanchat.protocol.timing import Timing
from tests.faults.cable import require_cables
from tests.faults.killing import kill_host
from tests.faults.stage import Stage
from tests.support.waiting import PATIENCE, wait_until

NOTICED = 27.0  # s; dead_after, and two sweeps
MORE_THAN_AT_HAND = 600  # lines said while somebody is away: they come back page by page (room.RESUME)
BOTH, TO_HOST, TO_MEMBER = (True, True), (True, False), (False, True)  # packets to the near end, to the far end


def cut_links(stage: Stage, *, patience: float = PATIENCE) -> None:
    """One cable is cut both ways, two one way only; who is near the host talks on, and so do they."""
    stage.open("--no-limits", own_network=True)
    (ann,) = stage.join("ann")
    cables = {nick: stage.cable() for nick in ("bob", "cyd", "dan")}
    far = [stage.talker(nick, over=cable, disk=True).join() for nick, cable in cables.items()]
    for talker in stage.talkers:
        talker.talk(rate=5)
    wait_until(lambda: ann.seq > 20)
    for (nick, cable), ways in zip(cables.items(), (BOTH, TO_HOST, TO_MEMBER), strict=True):
        stage.broken(nick)
        cable.cut(*ways)
    wait_until(lambda: not any(talker.in_room for talker in far), patience, "the far ones to notice")
    wait_until(lambda: _left(stage) >= {"bob", "cyd", "dan"}, patience, "the host to notice")
    wait_until(lambda: ann.in_room, what="ann, who is near the host, to be there, or back if the machine is very busy")
    for _ in range(MORE_THAN_AT_HAND):
        ann.say()
    for nick, cable in cables.items():
        cable.cut(False, False)
        stage.mended(nick)
    wait_until(lambda: all(talker.in_room for talker in far), what="them to be back")
    notice = stage.settle().times.notice
    assert stage.timing.dead_after / 2 < notice <= patience, "by the silence, which is all there is"


def lossy_link(stage: Stage, *, number: int, delay: float = 0.2, joins: int = 1) -> None:
    """10 % of all packets lost, and a long way, each way: slow, but nobody is thrown out."""
    stage.open("--no-limits", own_network=True)
    stage.join("ann")
    for member in range(joins):
        cable = stage.cable(loss=0.1, delay=delay, jitter=delay / 4, seed=member + 1)
        stage.talker(f"far{member}", over=cable, disk=True).join()
    for talker in stage.talkers:
        talker.talk(rate=20)
    wait_until(lambda: stage.host.last() > number, 60)
    stage.settle()
    assert not any(record.what == "lost" for record in stage.chronicle.records())


def crawling_link(stage: Stage, *, lines: int, rate: float = 1000) -> None:
    """More is said than the cable can carry; the others notice nothing, and who crawls stays and gets it all."""
    stage.open("--no-limits", own_network=True)
    ann, bob = stage.join("ann", "bob")
    cable = stage.cable()
    slow = stage.talker("sue", over=cable, disk=True).join()
    cable.rate = rate
    slow.say()
    assert slow.member.delivery.wait_acked(PATIENCE)
    cable.held = True
    before = ann.seq
    for _ in range(lines):
        ann.say(" " + "x" * 100)
    assert ann.member.delivery.wait_acked(PATIENCE)
    wait_until(lambda: bob.seq >= ann.seq >= before + lines)
    assert slow.seq < ann.seq, "who has a good link need not wait for who has none"
    cable.held = False
    stage.settle()
    assert not any(record.what == "lost" for record in stage.chronicle.records())


def frozen_host(stage: Stage, *, seconds: float = 0.0) -> None:
    """SIGSTOP and SIGCONT. For less than `dead_after` it costs nobody the link.

    Args:
        seconds: how long it is frozen; 0: until all have noticed.
    """
    host = stage.open("--no-limits")
    talkers = stage.join("ann", "bob", "cyd", disk=True)
    for talker in talkers:
        talker.talk(rate=50)
    wait_until(lambda: all(talker.seq > 30 for talker in talkers))
    stage.broken()
    host.freeze()
    if seconds:
        threading.Event().wait(seconds)  # the time itself is the fault here; there is no condition to wait for
    else:
        wait_until(lambda: not any(talker.in_room for talker in talkers), what="all to notice")
    host.thaw()
    stage.mended()
    stage.settle()
    assert not seconds or not any(record.what == "lost" for record in stage.chronicle.records())


@pytest.mark.full
@pytest.mark.netns
def test_links_cut_without_a_word(make_stage: Callable[[str], Stage], hasty: Timing) -> None:
    require_cables()
    cut_links(make_stage("links cut, hasty"))


@pytest.mark.netns
def test_link_that_loses_and_delays(stage: Stage) -> None:
    require_cables()
    lossy_link(stage, number=20, delay=0.05)


@pytest.mark.full
@pytest.mark.netns
def test_link_that_crawls(stage: Stage) -> None:
    require_cables()
    crawling_link(stage, lines=6, rate=2000)


@pytest.mark.full
@pytest.mark.netns
def test_the_welcome_may_take_longer_than_a_strangers_greeting(stage: Stage) -> None:
    """Here a stranger has 1 s for a card; the last lines of this room take 2 s over this cable."""
    require_cables()
    stage.timing = Timing(greeting=1.0)
    stage.open("--no-limits", own_network=True)
    (ann,) = stage.join("ann")
    for _ in range(50):
        ann.say(" " + "x" * 150)
    assert ann.member.delivery.wait_acked(PATIENCE)
    cable = stage.cable()
    cable.rate = 8000
    slow = stage.talker("sue", over=cable)
    slow.join()
    stage.settle()
    assert not any(record.what == "lost" for record in stage.chronicle.records())


def test_host_frozen_for_longer_than_a_member_waits(stage: Stage, hasty: Timing) -> None:
    frozen_host(stage)


@pytest.mark.full
@pytest.mark.netns
@pytest.mark.timeout(400)
def test_all_that_takes_its_time(make_stage: Callable[[str], Stage], eager: Timing) -> None:
    """The same with the waits that people have, at the same time: each of them mostly waits."""
    require_cables()
    scenarios: list[Callable[[], None]] = [
        lambda: cut_links(make_stage("links cut without a FIN"), patience=2 * NOTICED),
        lambda: lossy_link(make_stage("10 % loss, 200 ms each way"), number=1000, joins=3),
        lambda: crawling_link(make_stage("1 kB per second"), lines=100),
        lambda: frozen_host(make_stage("host frozen for 20 s"), seconds=20.0),
        lambda: kill_host(make_stage("host killed under load 40 times"), rounds=40),
    ]
    with ThreadPoolExecutor(len(scenarios)) as pool:
        for done in [pool.submit(scenario) for scenario in scenarios]:
            done.result()


def _left(stage: Stage) -> set[str]:
    return {event.nick for event in stage.host.events() if isinstance(event, Left)}
