"""A room with three computers that may host it: whichever hosts is killed, frozen or left, and the others go on."""

import random
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.crowd import Crowd, Node
from tests.faults.disks import DISK, fill
from tests.support.longer import TIMES
from tests.support.namespaces import require_namespaces
from tests.support.waiting import PATIENCE, wait_until

YEAR = 365 * 86_400  # s

pytestmark = pytest.mark.timeout(240)  # many waits, one after the other


@pytest.fixture
def crowd(tmp_path: Path, leaves_nothing: None, own_world: Path) -> Iterator[Crowd]:
    made = Crowd(tmp_path)
    yield made
    made.close()


def kill_hosts(crowd: Crowd, rounds: int, talkers: int, rate: int) -> tuple[float, float]:
    """Returns the s in which half of the talkers were back, and 95 % of them."""
    crowd.begin(talkers)
    chance = random.Random(rounds)
    for talker in crowd.talkers:
        talker.talk(rate)
    for _ in range(rounds):
        host = crowd.wait_ready()
        crowd.hear(chance.randrange(20, 60))
        host.kill()
        host.start(crowd.wait_host().at)
    crowd.wait_ready()
    crowd.judge()
    waits = sorted(wait for talker in crowd.talkers for wait in talker.waits)
    return waits[(len(waits) - 1) // 2], waits[int(0.95 * (len(waits) - 1))]


def test_whichever_hosts_is_killed_under_load(crowd: Crowd) -> None:
    _, most = kill_hosts(crowd, rounds=3, talkers=2, rate=50)
    assert most < PATIENCE


@pytest.mark.full
@pytest.mark.timeout(100 + 200 * TIMES)
def test_whichever_hosts_is_killed_under_more_load(crowd: Crowd) -> None:
    """LANCHAT_LONGER=10 kills two hundred."""
    half, most = kill_hosts(crowd, rounds=20 * TIMES, talkers=10, rate=20)
    print(f"back within {half:.2f} s (p50), {most:.2f} s (p95)")


@pytest.mark.parametrize("lines", [30, pytest.param(500, marks=pytest.mark.full)])
def test_a_host_that_freezes_is_replaced_and_comes_over_when_it_thaws(crowd: Crowd, lines: int) -> None:
    crowd.begin(talkers=2)
    ann = crowd.nodes[0]
    for talker in crowd.talkers:
        talker.talk(50)
    crowd.hear(30)
    crowd.frozen = [ann]
    ann.send(signal.SIGSTOP)
    crowd.wait_host()
    wait_until(lambda: all(talker.waits and talker.connected for talker in crowd.talkers), what="all to be back")
    crowd.hear(lines)
    ann.send(signal.SIGCONT)
    crowd.frozen = []
    crowd.wait_ready()
    assert not ann.port, "nobody is drawn back to her"
    crowd.judge(apart=True)


@pytest.mark.full
@pytest.mark.netns
def test_a_standby_whose_disk_is_full_is_waited_for_by_nobody_hosts_nothing_and_comes_back_once_there_is_room(
    tmp_path: Path, leaves_nothing: None, own_world: Path
) -> None:
    """In a mount namespace of its own, which goes with it."""
    require_namespaces()  # who may make those may make this
    small = f'mkdir -p "$LANCHAT_HOME" && mount -t tmpfs -o size={DISK},mode=700 lanchat "$LANCHAT_HOME" && exec "$@"'
    wrap = ["unshare", "--mount", "--propagation", "private", "sh", "-c", small, "sh"]
    ann, bob, cat = Node(tmp_path, "ann"), Node(tmp_path, "bob", wrap=wrap, own_disk=True), Node(tmp_path, "cat")
    with closing(Crowd(tmp_path, [ann, bob, cat])) as crowd:
        crowd.begin(talkers=2)
        for talker in crowd.talkers:
            talker.talk(20)
        crowd.hear(30)
        fill(bob.disk / "ballast")
        wait_until(lambda: ann.state.endswith("backup cat"), what="another backup")
        crowd.hear(30)
        ann.kill()
        wait_until(lambda: cat.port, what="cat to host")
        crowd.hear(30)
        (bob.disk / "ballast").unlink()
        ann.start(cat.at)
        crowd.wait_ready()
        crowd.judge()


@pytest.mark.full
@pytest.mark.parametrize("years", [(0, 10, -10), (10, 0, -10), (-10, 10, 0)], ids=str)
def test_clocks_that_are_off_by_years_keep_nobody_from_hosting(
    tmp_path: Path, leaves_nothing: None, own_world: Path, years: tuple[int, ...]
) -> None:
    nodes = [Node(tmp_path, nick, clock=year * YEAR) for nick, year in zip(("ann", "bob", "cat"), years, strict=True)]
    with closing(Crowd(tmp_path, nodes)) as crowd:
        ann, bob, _ = nodes
        crowd.begin(talkers=2)
        for talker in crowd.talkers:
            talker.talk(20)
        crowd.hear(30)
        ann.kill()
        wait_until(lambda: bob.port, what="bob to host")
        crowd.hear(30)
        ann.start(bob.at)
        crowd.wait_ready()
        crowd.hear(30)
        crowd.judge()


STEPS = [  # of a takeover
    "lanchat.storage.replica:Replica.finish",
    "lanchat.storage.sqlite_log:begin_term",
    "lanchat.storage.store:Store.begin",
    "lanchat.server.host:Host.start",
    "lanchat.server.hub:Hub.begin",
    "lanchat.api.standby:StandbyKeeper.settled",
]


@pytest.mark.full
@pytest.mark.parametrize("step", STEPS)
def test_a_standby_that_dies_while_it_takes_over_is_replaced(crowd: Crowd, step: str) -> None:
    crowd.begin(talkers=2, die_at=step)
    ann, bob, _ = crowd.nodes
    for talker in crowd.talkers:
        talker.talk(50)
    crowd.hear(30)
    ann.kill()
    wait_until(lambda: not bob.alive, what="bob to die")
    new = crowd.wait_host().at
    for node in (ann, bob):
        node.kill()
        node.start(new)
    crowd.wait_ready()
    crowd.judge()


HANDING_OVER = [  # who dies, and at which step
    ("ann", "lanchat.server.handover:Handovers.begin"),
    ("ann", "lanchat.server.handover:Promote"),
    ("ann", "lanchat.server.handover:Handovers.promoted"),
    ("ann", "lanchat.api.standby:StandbyKeeper.yielded"),
    ("ann", "lanchat.server.host:Host.close"),
    *(("bob", step) for step in STEPS),
]


@pytest.mark.full
@pytest.mark.parametrize(("who", "step"), HANDING_OVER)
def test_whoever_dies_while_a_host_hands_the_room_to_a_standby_is_replaced(crowd: Crowd, who: str, step: str) -> None:
    ann, bob, _ = crowd.nodes
    dies = ann if who == "ann" else bob
    crowd.begin(talkers=2, first_dies_at=step if dies is ann else "", die_at=step if dies is bob else "")
    for talker in crowd.talkers:
        talker.talk(50)
    crowd.hear(30)
    ann.hand_over(bob.nick)
    wait_until(lambda: not dies.alive, what=f"{who} to die")
    crowd.hear(30)
    new = crowd.wait_host().at
    dies.kill()
    dies.start(new)
    crowd.wait_ready()
    crowd.judge()


YIELDING = [  # steps of the one that yields
    "lanchat.server.handover:Handovers.yield_to",
    "lanchat.api.standby:StandbyKeeper.yielded",
    "lanchat.server.host:Host.close",
    "lanchat.storage.moving:Moving.follow",
]


@pytest.mark.full
@pytest.mark.parametrize("step", YIELDING)
def test_a_host_that_dies_while_it_yields_to_another_one_comes_back_as_a_member(crowd: Crowd, step: str) -> None:
    crowd.begin(talkers=2, first_dies_at=step)
    ann = crowd.nodes[0]
    for talker in crowd.talkers:
        talker.talk(50)
    crowd.hear(30)
    crowd.frozen = [ann]
    ann.send(signal.SIGSTOP)
    new = crowd.wait_host().at
    wait_until(lambda: all(talker.waits and talker.connected for talker in crowd.talkers), what="all to be back")
    crowd.hear(30)
    ann.send(signal.SIGCONT)
    wait_until(lambda: not ann.alive, what="ann to die")
    crowd.frozen = []
    ann.kill()
    ann.start(new)
    crowd.wait_ready()
    assert not ann.port, "nobody is drawn back to her"
    crowd.judge(apart=True)
