"""A host that is killed again and again while members talk."""

import random

from tests.faults.program import EAGER
from tests.faults.stage import Stage
from tests.support.waiting import wait_until


def kill_host(stage: Stage, rounds: int) -> None:
    """Under load, and again as soon as all are back."""
    stage.rounds = rounds
    host = stage.open("--no-limits")
    talkers = stage.join("ann", "bob", "cyd", "dan", disk=True)
    stage.join("eve")  # keeps nothing and says nothing
    chance = random.Random(rounds)
    for talker in talkers:
        talker.talk(rate=100)
    for _ in range(rounds):
        _hear(stage, lines=20 + chance.randrange(80))
        stage.broken()
        host.kill()
        wait_until(lambda: not any(talker.in_room for talker in stage.talkers), what="all to notice")
        host.start()
        stage.mended()
        wait_until(lambda: all(talker.in_room for talker in stage.talkers), what="all to be back")
    figures = stage.settle()
    assert figures.times.notice < EAGER.dead_after, "by the end of the connection, not by silence"


def _hear(stage: Stage, lines: int) -> None:
    """Until everybody has seen so many more."""
    for talker, seq in [(talker, talker.seq) for talker in stage.talkers]:
        wait_until(lambda: talker.seq >= seq + lines, what=f"{talker.nick} to hear something")  # noqa: B023
