"""Many at once: readers that never read, all coming back together, a stream of newcomers while others talk."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from lanchat.client.connect import Connection, Credentials, connect
from lanchat.client.events import Connected
from lanchat.network.flusher import OUTBOX_LIMIT, OUTBOXES_LIMIT, Flusher
from lanchat.network.link import Link
from lanchat.network.sending import Sending
from lanchat.protocol.messages import Event, Left
from lanchat.protocol.tls import client_context
from tests.faults.program import TIMING
from tests.faults.stage import Stage
from tests.faults.stayers import SentAway, Stayers
from tests.faults.talkers import Talker
from tests.support.waiting import PATIENCE, wait_until

OWNERS = 130  # keys that a crowd has between them; one may have 8 nicks in a room
READERS = 24  # of the log at once; SQLite keeps their descriptors for the next ones while the log itself is open
MEMORY = OUTBOXES_LIMIT + 16 * 1024 * 1024  # bytes that 50 readers who do not read may cost a host, with their links


class DeafFlusher(Flusher):
    """For links of which nobody takes anything, and which do not mind."""

    def add(self, link: Sending) -> None:
        pass


@pytest.mark.full
@pytest.mark.parametrize("readers", [3, 50])
def test_readers_that_never_read(stage: Stage, readers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are sent away with a reason; the others notice nothing, and the host's memory stays small."""
    # What waits for them decides, and not the time.
    monkeypatch.setenv(TIMING, json.dumps({"stall": 3600, "dead_after": 3600}))
    host = stage.open("--no-limits")
    ann, bob = stage.join("ann", "bob")
    flusher, tls = DeafFlusher("deaf"), client_context()
    links: list[Link] = []

    def come(number: int) -> Connection:
        nick = f"deaf{number}"
        who = Credentials(stage.identity(f"owner{number % OWNERS}"), nick, lambda card, key: None)
        return connect(stage.way(receive_buffer=4096), tls, flusher, who, links.append)

    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(come, range(readers)))
        before = _memory(host.pid)
        page, heard_beside_all = " " + "x" * 4000, 0
        while (gone := len(_sent_away(stage))) < readers:
            heard_beside_all += not gone
            text = [ann.say(page) for _ in range(10)][-1]
            assert ann.member.delivery.wait_acked(PATIENCE)
            wait_until(lambda: text in bob.texts)  # noqa: B023
        waiting = min(OUTBOX_LIMIT, OUTBOXES_LIMIT // readers)  # bytes for each of them, before the first one goes
        # On a busy machine the kernel may lose its patience first (TCP_USER_TIMEOUT). One thread is told why.
        reasons, of_kernel = set(_sent_away(stage)), {"connection timed out", "the connection was lost"}
        assert reasons <= {"reads too slowly"} | of_kernel
        enough = heard_beside_all > waiting // (10 * len(page)) // 2
        assert enough or reasons & of_kernel, "who reads need not wait for who does not"
        assert _memory(host.pid) - before < MEMORY
    finally:
        for link in links:
            link.close()
        flusher.close()
    stage.settle()


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize("people", [20, 199])
def test_all_come_back_at_once(stage: Stage, people: int) -> None:
    """With the limits that hosts have: who hosts is the 200th."""
    host = stage.open()
    threads, files = host.threads, host.files
    talkers = stage.join(*(f"m{number}" for number in range(people)), owners=OWNERS)
    for talker in talkers[:4]:
        talker.say()
    stage.broken()
    host.kill()
    wait_until(lambda: not any(talker.in_room for talker in talkers), 60, "all to notice")
    host.start()
    stage.mended()
    wait_until(lambda: all(talker.in_room for talker in talkers), 120, "all to be back")
    for talker in talkers[:4]:
        talker.say()
    stage.quiet()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(Talker.close, talkers))
    most = files + 2 + READERS
    wait_until(lambda: host.threads <= threads + 2 and host.files <= most, what="the host to be at rest again")
    stage.talkers.clear()
    stage.settle()


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize("joins", [24, 1000])
def test_newcomers_while_others_talk(stage: Stage, joins: int) -> None:
    """A hundred messages a second flow; whoever comes has every event from the welcome on, until they go."""
    stage.open("--no-limits")
    speakers = stage.join("ann", "bob")
    for speaker in speakers:
        speaker.talk(rate=50)
    lacking: list[str] = []

    def visit(number: int) -> None:
        seen: list[int] = []
        visitor = Visitor(stage, f"v{number}", f"owner{number % OWNERS}", seen)
        visitor.stay(events=40)
        first = visitor.welcome
        later = [seq for seq in seen if seq > first]
        if later != list(range(first + 1, first + 1 + len(later))):
            lacking.append(f"v{number}: welcome {first}, then {later}")

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(visit, range(joins)))
    assert lacking == []
    stage.settle()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("people", [30, pytest.param(1000, marks=pytest.mark.full)])
def test_a_crowd_comes_and_stays_while_others_talk(stage: Stage, people: int) -> None:
    """For each of the crowd who comes in, a line is said; each of them has every event from its welcome to the end.

    How much is said depends on no clock: however busy the machine is, the crowd, which is one thread, can take it all.
    """
    stage.open("--no-limits")
    speakers = stage.join("ann", "bob")
    who = [(f"s{number}", stage.identity(f"owner{number % OWNERS}")) for number in range(people)]
    with closing(Stayers(who, stage.way())) as crowd:
        try:
            for number in range(people):
                wait_until(lambda: crowd.number > number, 60, "the next one to come in")  # noqa: B023
                speakers[number % 2].say()
            stage.quiet()
            last = stage.host.last()
            wait_until(lambda: crowd.all_have(last), 60, "all to have all")
        except SentAway as gone:
            pytest.fail(f"{gone}; the log says: {_goodbye(stage, gone)}")
        assert [fault for stayer in crowd.inside for fault in stayer.faults] == []
    stage.settle()


class Visitor:
    """Comes, stays for some events, goes."""

    def __init__(self, stage: Stage, nick: str, owner: str, seen: list[int]) -> None:
        self._talker = stage.talker(nick, owner=owner)
        stage.talkers.remove(self._talker)
        self._seen = seen
        self.welcome = -1

    def stay(self, events: int) -> None:
        member = self._talker.member
        self.welcome = member.join().welcome.seq
        try:
            while sum(seq > self.welcome for seq in self._seen) < events:
                items = member.queue.take(PATIENCE)
                assert items, "nothing comes"
                assert not any(isinstance(item, Connected) and item.again for item in items), "the link was lost"
                self._seen += [item.seq for item in items if isinstance(item, Event)]
        finally:
            member.close()


def _goodbye(stage: Stage, gone: SentAway) -> str:
    """Why the host has ended a link. It keeps no reason for somebody who was not in the room."""
    if not gone.was_in:
        return "nothing"

    def leave() -> list[Left]:
        return [event for event in stage.host.events() if isinstance(event, Left) and event.nick == gone.nick]

    left = wait_until(leave, what=f"the host to write down that {gone.nick} has left")[0]
    return f"{left.code}, {left.reason or 'no reason'}, as number {left.seq}"


def _sent_away(stage: Stage) -> list[str]:
    return [e.reason for e in stage.host.events() if isinstance(e, Left) and e.nick.startswith("deaf")]


def _memory(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * 4096
