"""A room of several computers and its people, moved by a random hand: crashes, cuts, handovers, half-delivered lines.

The rules are the real ones (timeline, delegation, succession, replication); network, disks and time are simple here, so
that a hundred runs take a second. Every run ends with all computers up and all cuts healed, and then `faults`
says what a person could complain about.

Not in here, and tested where it is decided: bans, the lock and private messages of both halves (room/test_merging.py,
api/test_takeover.py), who comes over in silence (server/test_standbys.py), lists that have run out and clocks that
differ (protocol/test_papers.py), and authors who never come back: what the half that yielded had
of theirs stays set aside.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import Literal

from lanchat.protocol.delegation import OWNER_INDEX, Delegation, Standby
from lanchat.protocol.timeline import MAX_ENTRIES, Timeline, epoch_of, make_epoch, make_seq, n_of, term_of
from lanchat.protocol.timing import Timing
from lanchat.room.succession import (
    Ask,
    Claim,
    DialHost,
    Fetch,
    Follow,
    Loss,
    Peer,
    Promote,
    State,
    Wait,
    meet,
    next_step,
)
from lanchat.server.replication import NOBODY, DiskPosition, Replication

ROOM = "0a" * 16
TIMING = Timing()

Event = tuple[int, str]  # seq, and the id of what was said; "" for the event that begins a term


def key(index: int) -> bytes:
    return bytes([index]) * 32


@dataclass(frozen=True)
class Rules:
    """The rules that a test leaves out to see that the model notices."""

    say_again: bool = True  # members say again what the timeline lacks
    use_timeline: bool = True  # else a bare number says where a copy goes on
    own_index: bool = True  # else all hosts share the index of the owner in their numbers
    wait_for_sync: bool = True
    ask_first: bool = True
    company: bool = True  # of two hosts the one with company stays
    newest_only: bool = True
    term_above: bool = True  # the host that stays begins a term above all that were seen
    hears: bool = True  # nobody claims while another standby hears the host
    instance: bool = True  # of a key on two computers one is a standby
    fetch: bool = True  # who is to host takes what others have more


@dataclass
class Wire:
    """One connection from a host: what is under way on it, oldest first."""

    under_way: list[Callable[[], None]] = field(default_factory=list)


class Person:
    """Somebody in the room: what they said, and what their screen showed."""

    def __init__(self, name: str, computer: "Computer | None") -> None:
        self.name = name
        self.computer = computer  # where they sit; a mere member's is of no interest
        self.at: Computer | None = None
        self.wire = Wire()
        self.has: dict[int, int] = {}
        self.came = False
        self.said: dict[str, int] = {}  # the id, and the number that it was last seen with; 0: none yet
        self.acked: set[str] = set()
        self.screen: list[str] = []
        self.seen = 0  # the highest epoch on the screen

    @property
    def up(self) -> bool:
        return self.computer is None or self.computer.up


class Computer:
    """One that may host the room."""

    def __init__(self, index: int, delegation: Delegation, name: str = "") -> None:
        self.index = index
        self.name = name or f"c{index}"
        self.up = True
        self.able = True  # its disk has room to host
        self.delegation = delegation
        self.log: list[Event] = []
        self.saved = 0  # events of the log that are on the disk
        self.set_aside: list[Event] = []
        self.seen = 0  # the highest epoch
        self.hosting: Timeline | None = None
        self.n = 0
        self.replication: Replication | None = None
        self.company_at = float("-inf")
        self.following: Computer | None = None
        self.wire = Wire()
        self.complete = index == OWNER_INDEX
        self.sync = -1
        self.loss: Loss | None = Loss(0.0, certain=True)

    def positions(self) -> dict[int, int]:
        positions: dict[int, int] = {}
        for seq, _ in self.log:
            positions[epoch_of(seq)] = n_of(seq)
        return positions

    def last(self) -> int:
        return self.log[-1][0] if self.log else 0


class Simulation:
    """One run of the model, which its seed decides.

    Args:
        standbys: computers that may host, beside the owner's.
        members: people elsewhere.
        changing: the owner names and removes standbys.
        cuts: of the network: between two halves, between single pairs of computers, or none.
        one_crash: never two computers are down at once.
        lazy_disk: a crash takes what the disk lacked.
        record: so many earlier terms a record shows.
        twin: another computer has the key of the first standby, and not its copy.
        full: the disk of a standby is too full to host at times, though it has a copy.
    """

    def __init__(
        self,
        seed: int,
        *,
        standbys: int = 2,
        members: int = 3,
        rules: Rules = Rules(),
        changing: bool = False,
        cuts: Literal["halves", "pairs", "none"] = "halves",
        one_crash: bool = False,
        lazy_disk: bool = False,
        record: int = MAX_ENTRIES,
        twin: bool = False,
        full: bool = False,
    ) -> None:
        self.full = full
        self.random = random.Random(seed)
        self.one_crash = one_crash
        self.rules = rules
        self.changing, self.cuts, self.lazy_disk = changing, cuts, lazy_disk
        self.now = 1000.0
        self.all = tuple(Standby(index, key(index), bytes(8)) for index in range(1, standbys + 1))
        delegation = Delegation(ROOM, 1, 0, 2**52, standbys=self.all)
        self.computers = [Computer(index, delegation) for index in range(standbys + 1)]
        self.record = record
        if twin and (not rules.instance or delegation.index(key(1), b"the twin") is not None):
            self.computers.append(Computer(1, delegation, "twin"))
        self.people = [Person(one.name, one) for one in self.computers]
        self.people += [Person(f"m{number}", None) for number in range(members)]
        self.cut: set[frozenset[str]] = set()
        self.meanings: dict[int, set[str]] = {}
        self.acknowledged: set[str] = set()
        self.terms = 0
        self.rash = 0  # of these, begun although another standby in reach heard the host, and only a moment ago
        self.drawn = 0  # people who had to leave a host that was alive
        self.on_two: set[str] = set()  # acknowledged while everybody was told that there is a backup
        self.absent = 0  # of these, what a new host lacked until it was said again
        self.names = 0

    def at(self, me: Computer, index: int) -> Computer:
        """The computer with this index that `me` finds."""
        found = [one for one in self.computers if one.index == index]
        return max(found, key=lambda one: (one is not me and self.reach(me, one), one.hosting is not None))

    # ---- the network

    def reach(self, one: "Person | Computer", other: "Person | Computer") -> bool:
        return one.up and other.up and frozenset((one.name, other.name)) not in self.cut

    def others(self, me: Computer) -> list[Computer]:
        return [other for other in self.computers if other is not me and self.reach(me, other)]

    def deliver(self, wire: Wire, most: int) -> None:
        for _ in range(min(most, len(wire.under_way))):
            if wire.under_way:
                wire.under_way.pop(0)()

    def hang_up(self, host: Computer) -> None:
        for person in self.people:
            if person.at is host:
                person.at, person.wire = None, Wire()
        for computer in self.computers:
            if computer.following is host:
                self.lose(computer)

    def lose(self, computer: Computer, *, certain: bool = False) -> None:
        """The link to its host is gone."""
        host, computer.following, computer.wire = computer.following, None, Wire()
        if host is not None and host.replication is not None:
            host.replication.gone(computer.index, self.now)
        if computer.hosting is None and computer.up:
            computer.loss = Loss(self.now, certain=certain)

    def drop_dead_links(self) -> None:
        for person in self.people:
            if person.at is not None and not self.reach(person, person.at):
                person.at, person.wire = None, Wire()
        for computer in self.computers:
            if computer.following is not None and not self.reach(computer, computer.following):
                self.lose(computer)

    # ---- a host

    def claim(self, me: Computer, epoch: int) -> None:
        if not self.rules.own_index:
            epoch = make_epoch(term_of(epoch), OWNER_INDEX)
        past = tuple(sorted(me.positions().items()))
        if past and past[-1][0] >= epoch:
            return  # only without the rule above
        self.terms += 1
        self.lose(me)
        me.loss = None
        me.hosting, me.n, me.seen = Timeline(epoch, past[-self.record :]), 0, max(me.seen, epoch)
        me.replication = Replication(DiskPosition(me.last(), 0), TIMING)
        me.company_at = float("-inf")
        self.absent += len(self.on_two - {id for _, id in me.log})
        self.append(me, "")

    def append(self, me: Computer, id: str) -> int:
        assert me.hosting is not None
        me.n += 1
        seq = make_seq(me.hosting.epoch, me.n)
        me.log.append((seq, id))
        self.meanings.setdefault(seq, set()).add(id or f"begin {me.index}")
        for person in self.people:
            if person.at is me:
                person.wire.under_way.append(self.showing(person, seq, id))
        for computer in self.computers:
            if computer.following is me:
                computer.wire.under_way.append(self.storing(computer, me, seq, id))
        self.save(me)
        return seq

    def save(self, me: Computer) -> None:
        me.saved = len(me.log) if not self.lazy_disk or self.random.random() < 0.3 else me.saved
        if me.saved and me.replication is not None:
            me.replication.saved(DiskPosition(me.log[me.saved - 1][0], 0))
            self.acknowledge(me)

    def acknowledge(self, me: Computer) -> None:
        assert me.replication is not None and me.hosting is not None
        safe = me.replication.safe.seq if self.rules.wait_for_sync else me.last()
        for person in self.people:
            if person.at is me:
                waiting = person.said.keys() - person.acked
                ids = [id for id in waiting if 0 < person.said[id] <= safe and me.hosting.covers(person.said[id])]
                self.acknowledged |= set(ids)
                if me.replication.backup:
                    self.on_two |= set(ids)
                if ids:
                    person.wire.under_way.append(partial(person.acked.update, ids))

    def heartbeat(self, me: Computer) -> None:
        """A few times a second: look after the sync standby, and tell everybody who it is."""
        assert me.replication is not None
        me.replication.tick(self.now)
        for computer in self.computers:
            if computer.following is me:
                computer.wire.under_way.append(self.naming(computer, me, me.replication.sync, me.replication.count))
        self.save(me)
        self.acknowledge(me)
        if self.has_company(me):
            me.company_at = self.now

    def has_company(self, me: Computer) -> bool:
        return any(person.at is me and person.computer is not me for person in self.people)

    def hear(self, me: Computer, person: Person, id: str) -> None:
        """Somebody says this, perhaps again."""
        known = next((seq for seq, other in me.log if other == id), 0)
        seq = known or self.append(me, id)
        person.said[id] = max(person.said[id], seq) if not known else seq
        self.acknowledge(me)

    def stop(self, me: Computer) -> None:
        me.hosting = me.replication = None
        self.hang_up(me)
        me.loss = Loss(self.now, certain=True)

    # ---- a standby

    def peer(self, me: Computer) -> Peer:
        hears = me.following is not None and self.rules.hears
        state: State = "hosts" if me.hosting else "hears" if hears else "lost"
        company = self.rules.company and (self.has_company(me) or self.now - me.company_at < TIMING.company)
        return Peer(me.index, me.seen, me.last(), state, me.complete, me.sync, company, me.able)

    def follow(self, me: Computer, host: Computer) -> None:
        assert host.hosting is not None
        self.lose(me)
        me.loss, me.following = None, host
        me.seen = max(me.seen, host.hosting.epoch)
        self.share_delegation([me, host])
        common = self.common(host, me.positions(), me.last())
        gone = [event for event in me.log if event not in host.log or event[0] > common]
        me.set_aside += gone
        me.log = [event for event in me.log if event not in gone]
        me.saved = len(me.log)
        me.complete = False
        for seq, id in host.log:
            if seq > common:
                me.wire.under_way.append(self.storing(me, host, seq, id))

        def complete() -> None:
            me.complete = True
            self.stored(me, host)

        me.wire.under_way.append(complete)

    def common(self, host: Computer, mine: dict[int, int], last: int) -> int:
        assert host.hosting is not None
        return host.hosting.common(mine) if self.rules.use_timeline else (last or -1)

    def storing(self, me: Computer, host: Computer, seq: int, id: str) -> Callable[[], None]:
        def store() -> None:
            if seq > me.last():
                me.log.append((seq, id))
                me.saved = len(me.log)
            self.stored(me, host)

        return store

    def naming(self, me: Computer, host: Computer, sync: int, count: int) -> Callable[[], None]:
        def store() -> None:
            me.sync = count if sync == me.index else -1
            self.stored(me, host)

        return store

    def stored(self, me: Computer, host: Computer) -> None:
        if host.replication is not None and me.following is host and me.complete:
            host.replication.stored(me.index, DiskPosition(me.last(), 0), me.sync, self.now)
            self.acknowledge(host)

    def think(self, me: Computer) -> None:
        """A computer without a host does the next thing."""
        assert me.loss is not None
        loss = me.loss
        if loss.promoted and self.now - loss.promoted[1] >= TIMING.promotion:
            loss.failed.add(loss.promoted[0])
            loss.promoted = None
        match next_step(self.peer(me), loss, me.delegation, self.now, TIMING):
            case DialHost():
                loss.certain = (
                    True  # a link that is gone here is gone for good: who comes back is asked with the others
                )
            case Ask():
                others = self.others(me)
                self.share_delegation([me, *others])
                loss.asked_at = self.now
                loss.peers = [self.peer(other) for other in others] if self.rules.ask_first else [
                    self.peer(other) for other in others if other.hosting
                ]  # fmt: skip
            case Follow(index):
                host = self.at(me, index)
                if host.hosting and self.reach(me, host):
                    self.follow(me, host)
                else:
                    loss.asked_at, loss.peers = None, ()
            case Promote(index):
                loss.promoted = index, self.now
                other = self.at(me, index)
                if self.reach(me, other) and other.loss is not None:
                    other.loss.certain = True
            case Fetch(index):
                other = self.at(me, index)
                if not self.rules.fetch:
                    loss.peers = [peer for peer in loss.peers if peer.index != index]
                    return
                if self.reach(me, other):
                    self.take_over_tail(me, other)
                loss.asked_at, loss.peers = None, ()
            case Claim(epoch):
                hearing = [one for one in self.others(me) if one.following is not None and self.others(one)]
                self.rash += bool(hearing) and self.now - loss.since < TIMING.indirect
                self.claim(me, epoch)
            case Wait():
                pass

    def take_over_tail(self, me: Computer, other: Computer) -> None:
        mine = me.positions()
        theirs = other.positions()
        if theirs:
            epochs = sorted(theirs)
            timeline = Timeline(epochs[-1], tuple((epoch, theirs[epoch]) for epoch in epochs[:-1]))
            common = timeline.common(mine)
            gone = [event for event in me.log if event[0] > common]
            me.set_aside += gone
            me.log = [event for event in me.log if event[0] <= common] + [e for e in other.log if e[0] > common]
            me.saved = len(me.log)

    def look_around(self, me: Computer) -> None:
        """A host sees others."""
        others = self.others(me)
        self.share_delegation([me, *others])
        match meet(self.peer(me), [self.peer(other) for other in others], me.delegation):
            case Follow(index):
                host = self.at(me, index)
                self.drawn += sum(person.at is me and person.computer is not me for person in self.people)
                self.stop(me)
                if host.hosting:
                    self.follow(me, host)
            case Claim(epoch) if self.rules.term_above:
                self.raise_term(me, epoch)
            case Claim() | None:
                pass

    def raise_term(self, me: Computer, epoch: int) -> None:
        """Begin a term above, with everybody who is here."""
        company = me.company_at
        self.hang_up(me)
        me.hosting = me.replication = None
        self.claim(me, epoch)
        me.company_at = company

    def share_delegation(self, computers: Iterable[Computer]) -> None:
        computers = list(computers)
        if self.rules.newest_only:
            newest = max((one.delegation for one in computers), key=lambda one: one.number)
            for one in computers:
                one.delegation = newest
        highest = max(one.seen for one in computers)
        for one in computers:
            if one.hosting is None or one.seen < highest:
                one.seen = highest if one.hosting is None else one.seen

    # ---- people

    def showing(self, person: Person, seq: int, id: str) -> Callable[[], None]:
        def show() -> None:
            person.has[epoch_of(seq)] = n_of(seq)
            person.seen = max(person.seen, epoch_of(seq))
            if id in person.said:
                person.said[id] = seq
            if id and id not in person.screen:
                person.screen.append(id)

        return show

    def join(self, person: Person) -> None:
        hosts = [one for one in self.computers if one.hosting and (one is person.computer or self.reach(person, one))]
        if person.at is not None or not person.up or not hosts:
            return
        host = person.computer if person.computer in hosts else self.random.choice(hosts)
        assert host is not None and host.hosting is not None
        last = max((make_seq(epoch, n) for epoch, n in person.has.items()), default=-1)
        after = self.common(host, person.has, last)
        person.at, person.wire = host, Wire()
        if after < 0:
            person.has = {}
        else:
            person.has = {epoch: n for epoch, n in host.hosting.past if epoch < epoch_of(after)}
            person.has[epoch_of(after)] = n_of(after)
        for seq, id in host.log:
            if seq > after:
                person.wire.under_way.append(self.showing(person, seq, id))
        if person.computer is not host:
            host.company_at = self.now
        for id, seq in list(person.said.items()):
            if id not in person.acked or (self.rules.say_again and not host.hosting.covers(seq)):
                if seq and not host.hosting.covers(seq):
                    person.said[id] = 0
                self.hear(host, person, id)

    def say(self, person: Person) -> None:
        if person.up:
            self.names += 1
            id = f"{person.name}-{self.names}"
            person.said[id] = 0
            if person.at is not None:
                self.hear(person.at, person, id)

    # ---- the random hand

    def step(self) -> None:
        self.now += self.random.choice((0.05, 0.2, 0.5, 1.0, 3.0))
        if self.full and self.random.random() < 0.05:
            some = self.random.choice(self.computers[1:])
            some.able = not some.able
        pick = self.random.random()
        if pick < 0.42:
            self.say(self.random.choice(self.people))
        elif pick < 0.52:
            self.join(self.random.choice(self.people))
        elif pick < 0.80:
            wires = [person.wire for person in self.people] + [one.wire for one in self.computers]
            self.deliver(self.random.choice(wires), self.random.choice((1, 2, 5, 50)))
        elif pick < 0.92:
            self.tick(self.random.choice(self.computers))
        elif pick < 0.94:
            self.crash_or_start(self.random.choice(self.computers))
        elif pick < 0.97:
            self.change_network()
        elif pick < 0.985:
            self.hand_over()
        elif self.changing:
            self.change_standbys()

    def tick(self, me: Computer) -> None:
        if not me.up:
            return
        if me.hosting:
            self.heartbeat(me)
            self.look_around(me)
        elif me.loss is not None:
            for _ in range(self.random.choice((1, 2, 4))):
                if me.loss is not None:
                    self.think(me)

    def crash_or_start(self, me: Computer) -> None:
        if not me.up:
            me.up, me.loss = True, Loss(self.now, certain=True)
            return
        if self.one_crash and not all(one.up for one in self.computers):
            return
        me.up = False
        me.log = me.log[: me.saved]
        me.hosting = me.replication = None
        self.hang_up(me)
        self.lose(me)
        me.loss = None
        self.drop_dead_links()

    def change_network(self) -> None:
        if self.cuts == "none":
            return
        names = [one.name for one in self.computers] + [one.name for one in self.people if one.computer is None]
        if self.cut and self.random.random() < 0.5:
            self.cut = set()
        elif self.cuts == "pairs":
            computers = [one.name for one in self.computers]
            self.cut |= {frozenset(self.random.sample(computers, 2))}
        else:
            half = {name for name in names if self.random.random() < 0.5}
            self.cut = {frozenset(two) for two in combinations(names, 2) if (two[0] in half) != (two[1] in half)}
        self.drop_dead_links()

    def hand_over(self) -> None:
        """A host asks its standby to take over; the answer may be lost on the way."""
        hosts = [one for one in self.computers if one.hosting and one.replication and one.replication.sync != NOBODY]
        if not hosts:
            return
        me = self.random.choice(hosts)
        assert me.replication is not None and me.hosting is not None
        target = next((one for one in self.computers if one.index == me.replication.sync and one.following is me), None)
        if target is None:
            return
        self.deliver(target.wire, len(target.wire.under_way))
        if target.last() != me.last() or not target.complete or not target.able:
            return
        epoch = make_epoch(term_of(max(me.seen, target.seen)) + 1, target.index)
        if self.random.random() < 0.2:  # the target begins its term, and the host does not hear of it
            self.claim(target, epoch)
            self.raise_term(me, make_epoch(term_of(me.seen) + 1, me.index))
        else:
            self.claim(target, epoch)
            self.stop(me)

    def change_standbys(self) -> None:
        owner = self.computers[OWNER_INDEX]
        if owner.up:
            some = tuple(one for one in self.all if self.random.random() < 0.6)
            owner.delegation = Delegation(ROOM, owner.delegation.number + 1, 0, 2**52, standbys=some)
            host = next((one for one in self.computers if one.hosting and self.reach(owner, one)), None)
            if host is not None:
                self.share_delegation([owner, host])

    # ---- the end

    def run(self, steps: int = 250) -> list[str]:
        """Take random steps, then heal everything. Returns what is wrong, in words."""
        for _ in range(steps):
            self.step()
        self.cut = set()
        for me in self.computers:
            me.able = True
            if not me.up:
                self.crash_or_start(me)
        for _ in range(60):
            self.now += 1.0
            for me in self.computers:
                self.tick(me)
            for person in self.people:
                self.join(person)
            for wire in [person.wire for person in self.people] + [one.wire for one in self.computers]:
                self.deliver(wire, len(wire.under_way))
        return self.faults()

    def faults(self) -> list[str]:
        hosts = [one for one in self.computers if one.hosting]
        if len(hosts) != 1:
            return [f"there are {len(hosts)} hosts"]
        [host] = hosts
        wrong = []
        assert host.hosting is not None
        if host.hosting.epoch < max(person.seen for person in self.people):
            wrong.append("the room is in a term below one that people have seen")
        log = [id for _, id in host.log if id]
        if len(set(log)) != len(log):
            wrong.append("a line is twice in the log")
        if [seq for seq, _ in host.log] != sorted({seq for seq, _ in host.log}):
            wrong.append("the log is not in order")
        if missing := self.acknowledged - set(log):
            wrong.append(f"{len(missing)} acknowledged lines are lost")
        if missing := {id for person in self.people for id in person.said} - set(log):
            wrong.append(f"{len(missing)} lines have not arrived")
        if twice := [seq for seq, meanings in self.meanings.items() if len(meanings) > 1]:
            wrong.append(f"{len(twice)} numbers have two meanings")
        for person in self.people:
            if set(person.screen) != set(log):
                wrong.append(f"the screen of {person.name} lacks {len(set(log) - set(person.screen))} lines")
        for one in self.computers:
            if one.following is host and one.log != host.log:
                wrong.append(f"the copy of {one.index} differs")
        return wrong
