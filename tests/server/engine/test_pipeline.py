"""The threads between a hub and its engine."""

import secrets
from itertools import count
from typing import Any, cast

from msgspec import structs

from lanchat.protocol.messages import UNNUMBERED, Said, Say
from lanchat.protocol.timing import Timing
from lanchat.room.effects import Member
from lanchat.server.engine.entries import proposal_of
from lanchat.server.engine.items import Answered, Fed, Paused
from lanchat.server.engine.log import EngineLog
from lanchat.server.engine.pipeline import Pipeline
from lanchat.server.engine.redis_log import RedisLog
from lanchat.server.engine.shared_log import Position
from lanchat.server.items import Item, Received
from lanchat.server.session import Session
from lanchat.threads import Inbox
from tests.support.waiting import PATIENCE, wait_until

QUICK = Timing(engine_read=0.05, engine_retry=0.02, beat=0.02)


def test_what_is_on_the_disk_of_the_host_is_dropped_where_it_is_too_much(redis, tmp_path):
    room = secrets.token_hex(16)
    shared = RedisLog(redis.address, room, "ann", "ann", timing=QUICK)
    own, inbox = EngineLog(tmp_path / "log.db", shared, timing=QUICK), Inbox[Item]()
    own.open()
    own.start(lambda ticket, seq: None)
    pipeline = Pipeline(own, Position(0), QUICK, keep=10)
    pipeline.start(inbox)
    try:
        lines = [Said(UNNUMBERED, 5, "ann-id", "ann", str(n), "hi") for n in range(30)]
        records = []
        for part in (lines[:15], lines[15:]):
            pipeline.propose([proposal_of(line) for line in part])
            items: list[Item] = []
            while len(items) < 2:
                items += inbox.take()
            [answered] = [item for item in items if isinstance(item, Answered)]
            [fed] = [item for item in items if isinstance(item, Fed)]
            assert answered.positions == [position for position, _, _ in fed.records]
            records += fed.records
        known = f"{{lanchat:{room}}}:said"
        assert redis.command("HLEN", known) == b":30\r\n", "the disk has nothing of it yet"
        own.append([record for _, _, record in records[:25] if isinstance(record, Said)])
        own.commit()
        wait_until(lambda: redis.command("HLEN", known) == b":10\r\n")
        assert redis.command("XLEN", f"{{lanchat:{room}}}:log") == b":1\r\n"
        with RedisLog(redis.address, room, "bob", "ann") as other:
            assert [place for place, _, _ in records[20:]] == [entry.position for entry in other.page(20, 100)]
    finally:
        pipeline.close()
        own.close()


class Nobody:
    """A link and a dialect of which nothing is wanted here."""


def test_a_resend_gets_what_it_repeats_also_where_only_the_engine_has_it_still(redis, tmp_path):
    """The file of the host may keep less, and nobody would ever tell the member that it was stored."""
    shared = RedisLog(redis.address, secrets.token_hex(16), "ann", "ann", timing=QUICK)
    own, inbox = EngineLog(tmp_path / "log.db", shared, timing=QUICK), Inbox[Item]()
    own.open()
    own.start(lambda ticket, seq: None)
    lines = [Said(UNNUMBERED, 5, "ann-id", "ann", str(n), f"line {n}") for n in range(3)]
    shared.append([proposal_of(line) for line in lines], 0)
    pipeline = Pipeline(own, Position(3), QUICK)
    session = Session(cast(Any, Nobody()), cast(Any, Nobody()))
    session.member = Member("ann-id", "ann")
    resends = [Received(session, [Say(str(n), f"line {n}", again=True)]) for n in (1, 0)]
    pipeline.start(inbox)
    try:
        pipeline.look_up(resends[:1], Position(2))
        pipeline.look_up(resends[1:], Position(1))
        found: list[Item] = []
        while len(found) < 2:
            found += inbox.take()
    finally:
        pipeline.close()
        own.close()
    assert found == [
        Received(session, resends[0].messages, [structs.replace(lines[1], seq=2)]),
        Received(session, resends[1].messages, [structs.replace(lines[0], seq=1)]),
    ]


def test_a_resend_is_looked_up_once_the_engine_answers_again(own_redis, tmp_path):
    server = own_redis()
    timing = structs.replace(QUICK, engine=PATIENCE)
    shared = RedisLog(server.address, secrets.token_hex(16), "ann", "ann", timing=timing)
    own, inbox = EngineLog(tmp_path / "log.db", shared, timing=timing), Inbox[Item]()
    own.open()
    own.start(lambda ticket, seq: None)
    line = Said(UNNUMBERED, 5, "ann-id", "ann", "id", "hi")
    shared.append([proposal_of(line)], 0)
    pipeline = Pipeline(own, Position(1), timing)
    session = Session(cast(Any, Nobody()), cast(Any, Nobody()))
    session.member = Member("ann-id", "ann")
    server.kill()
    pipeline.start(inbox)
    try:
        pipeline.look_up([Received(session, [Say("id", "hi", again=True)])], Position(1))
        found: list[Item] = []
        while not any(isinstance(item, Paused) for item in found):
            found += inbox.take()
        server.start()
        while not any(isinstance(item, Received) for item in found):
            found += inbox.take()
    finally:
        pipeline.close()
        own.close()
    assert [item.said_before for item in found if isinstance(item, Received)] == [[structs.replace(line, seq=1)]]


class RestlessInbox(Inbox[Item]):
    """Of a hub that has something to propose whenever a call is over."""

    pipeline: Pipeline
    numbers = count()

    def propose(self) -> None:
        line = Said(UNNUMBERED, 5, "ann-id", "ann", str(next(self.numbers)), "hi")
        self.pipeline.propose([proposal_of(line)])

    def put_now(self, item: Item) -> None:
        if isinstance(item, Answered):
            self.propose()

    def put(self, item: Item) -> None:
        pass


def test_a_host_that_never_stops_calling_renews_its_lease(redis, tmp_path):
    room = secrets.token_hex(16)
    shared = RedisLog(redis.address, room, "ann", "ann", timing=QUICK)
    own, inbox = EngineLog(tmp_path / "log.db", shared, timing=QUICK), RestlessInbox()
    own.open()
    own.start(lambda ticket, seq: None)
    inbox.pipeline = Pipeline(own, Position(0), QUICK)
    ends = ("ZSCORE", f"{{lanchat:{room}}}:leases", "ann")
    first = redis.command(*ends)
    inbox.propose()
    inbox.pipeline.start(inbox)
    try:
        wait_until(lambda: redis.command(*ends) != first, what="a beat")
    finally:
        inbox.pipeline.close()
        own.close()
