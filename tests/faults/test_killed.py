"""kill -9, of the host and of members: what was acknowledged stays, what was not is sent again, and comes once."""

import random
import sys
from collections import Counter
from pathlib import Path

import pytest

from lanchat.protocol.timing import Timing
from tests.faults.chronicle import said_in
from tests.faults.killing import kill_host
from tests.faults.program import STALL
from tests.faults.stage import Stage
from tests.faults.talkers import Talker
from tests.support.program import Program
from tests.support.waiting import PATIENCE, wait_until

full = pytest.mark.full


def test_host_killed_under_load_and_started_again(stage: Stage, eager: Timing) -> None:
    """40 times: test_networks.py, beside what only waits."""
    kill_host(stage, rounds=3)


@full
@pytest.mark.parametrize("rounds", [5])
def test_host_killed_before_anything_is_kept(
    stage: Stage, rounds: int, eager: Timing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members hear what no disk has; after the kill it comes under another number, and is shown once."""
    stalled = tmp_path / "stalled"
    monkeypatch.setenv(STALL, str(stalled))
    stage.rounds = rounds
    host = stage.open()
    ann, bob = stage.join("ann", "bob")
    for _ in range(rounds):
        assert ann.member.delivery.wait_acked(PATIENCE)
        stage.broken()
        stalled.touch()
        text = ann.say()
        wait_until(lambda: text in bob.texts)  # noqa: B023
        host.kill()
        stalled.unlink()
        wait_until(lambda: not (ann.in_room or bob.in_room), what="both to notice")
        host.start()
        stage.mended()
        wait_until(lambda: ann.in_room and bob.in_room, what="both to be back")
    assert stage.settle().verdict.renumbered >= rounds


class KillableTalker:
    """A member in a process of its own."""

    def __init__(self, stage: Stage, nick: str) -> None:
        self._stage = stage
        self._nick = nick
        self._lives = 0
        self._program: Program | None = None
        self.said = 0

    def start(self) -> None:
        folder = self._stage.folder
        argv = [
            *(sys.executable, "-m", "tests.faults.talker", str(folder / "chronicle.jsonl")),
            *(str(self._stage.host.port), self._nick, str(self.said + 1)),
        ]
        self._lives += 1
        env = {"LANCHAT_HOME": str(folder / f"home-{self._nick}")}
        self._program = Program(argv, folder / f"{self._nick}-life{self._lives}", env, stdin="pipe")
        assert self._program.next_line() == "in"

    def say(self, number: int, *, wait: bool = True) -> None:
        self.said += number
        self._running.say(f"{number}\n")
        if wait:
            assert self._running.next_line() == "."

    def kill(self) -> None:
        self._running.close()

    def leave(self) -> None:
        """When all it has said is acknowledged."""
        self._running.end_input()
        assert self._running.wait().code == 0

    @property
    def _running(self) -> Program:
        assert self._program is not None
        return self._program


@pytest.mark.parametrize("rounds", [1, pytest.param(5, marks=full)])
def test_member_killed_with_unacknowledged_messages(stage: Stage, rounds: int) -> None:
    """The host is frozen while they talk and die, so that nothing of it can have been acknowledged.

    Every other time, and the first, the host dies too. What the kernel held for it is gone then, and only kim's disk
    has the messages. Else they come by both ways.
    """
    stage.rounds = rounds
    host = stage.open("--no-limits")
    stage.join("ann")
    member = KillableTalker(stage, "kim")
    member.start()
    member.say(3)
    for number in range(rounds):
        host.freeze()
        member.say(5)
        stage.broken()
        member.kill()
        if number % 2 == 0:
            host.kill()
            host.start()
        else:
            host.thaw()
        member.start()
        stage.mended()
        if number == rounds - 1:
            member.say(2)
    member.leave()
    log = [said_in(event) for event in _settled_log(stage) if event.nick == "kim" and said_in(event)]
    assert log == [f"kim-{number}" for number in range(1, member.said + 1)]


@pytest.mark.full
def test_members_killed_in_the_middle_of_talking(stage: Stage) -> None:
    """What `say` returned for is sent, once, whenever the kill came."""
    stage.rounds = 8
    stage.open("--no-limits")
    (ann,) = stage.join("ann")
    member = KillableTalker(stage, "kim")
    chance = random.Random(8)
    for _ in range(stage.rounds):
        member.start()
        enough = ann.seq + chance.randrange(5, 300)
        member.say(2000, wait=False)
        wait_until(lambda: ann.seq > enough)  # noqa: B023
        member.kill()
    member.start()
    member.leave()
    log = Counter(said_in(event) for event in _settled_log(stage))
    said = [record.text for record in stage.chronicle.records() if record.what == "said" and record.who == "kim"]
    assert len(said) > stage.rounds
    assert [text for text in said if log[text] != 1] == []


def _settled_log(stage: Stage) -> list:
    """Judges the run, too."""
    stage.settle()
    return stage.host.events()


@pytest.mark.full
def test_host_killed_while_members_come_back(stage: Stage, eager: Timing) -> None:
    """Again and again, before anybody is quite there."""
    stage.rounds = 2
    host = stage.open()
    talkers: list[Talker] = stage.join("ann", "bob", "cyd", disk=True)
    for _ in range(stage.rounds):
        for talker in talkers:
            talker.say()
        host.kill()
        wait_until(lambda: not any(talker.in_room for talker in talkers))
        host.start()
        wait_until(lambda: any(talker.in_room for talker in talkers))
    stage.settle()
