"""The threads between a hub and its engine."""

import secrets
from itertools import count

from msgspec import structs

from lanchat.protocol.messages import UNNUMBERED, Said, Told
from lanchat.protocol.timing import Timing
from lanchat.server.engine.entries import proposal_of
from lanchat.server.engine.items import Answered, EnteredAgain, Fed, TooEarly
from lanchat.server.engine.log import EngineLog
from lanchat.server.engine.pipeline import Pipeline
from lanchat.server.engine.redis_log import RedisLog
from lanchat.server.engine.shared_log import BEGIN, CALL, Position
from lanchat.server.items import Item
from lanchat.threads import Inbox
from tests.support.engines import RedisProcess
from tests.support.waiting import wait_until

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
            pipeline.propose([proposal_of(line) for line in part], BEGIN)
            items: list[Item] = []
            while len(items) < 2:
                items += inbox.take()
            assert {type(item) for item in items} == {Answered, Fed}
            [fed] = [item for item in items if isinstance(item, Fed)]
            records += fed.records
        entries = f"{{lanchat:{room}}}:log"
        assert redis.command("XLEN", entries) == b":2\r\n", "the disk has nothing of it yet"
        own.append([record for _, _, record in records[:25] if isinstance(record, Said)])
        own.commit()
        wait_until(lambda: redis.command("XLEN", entries) == b":1\r\n")
        with RedisLog(redis.address, room, "bob", "ann") as other:
            assert [place for place, _, _ in records[20:]] == [entry.position for entry in other.page(20, 100)]
    finally:
        pipeline.close()
        own.close()


class RestlessInbox(Inbox[Item]):
    """Of a hub that has something to propose whenever a call is over."""

    pipeline: Pipeline
    numbers = count()

    def propose(self) -> None:
        line = Said(UNNUMBERED, 5, "ann-id", "ann", str(next(self.numbers)), "hi")
        self.pipeline.propose([proposal_of(line)], BEGIN)

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


def wait_for(inbox: Inbox[Item], kind: type[Item]) -> None:
    found: list[Item] = []
    while not any(isinstance(item, kind) for item in found):
        found += inbox.take()


def events(redis: RedisProcess, room: str) -> int:
    """How many events the log has. The logs of a pipeline belong to its threads."""
    with RedisLog(redis.address, room, "bob", "ann") as other:
        return [entry.kind for entry in other.page(0, 2000)].count("e")


def test_a_hub_that_has_not_read_enough_to_propose_anything_learns_so(redis, tmp_path):
    room = secrets.token_hex(16)
    shared = RedisLog(redis.address, room, "ann", "ann", timing=QUICK)
    own, inbox = EngineLog(tmp_path / "log.db", shared, timing=QUICK), Inbox[Item]()
    own.open()
    own.start(lambda ticket, seq: None)
    told = Told("id", 5, "ann-id", "ann", "bob-id", "bob", box=b"sealed")
    for at in range(0, 1001, CALL):
        numbers = range(at, min(at + CALL, 1001))
        shared.append([proposal_of(structs.replace(told, id=str(n))) for n in numbers], 0, Position(0, at))
    pipeline = Pipeline(own, Position(0, 1001), QUICK)
    pipeline.start(inbox)
    try:
        said = [proposal_of(Said(UNNUMBERED, 5, "ann-id", "ann", "1", "hi"))]
        pipeline.propose(said, BEGIN)
        wait_for(inbox, TooEarly)
        pipeline.propose(said, Position(0, 1))
        wait_for(inbox, Answered)
        assert events(redis, room) == 1
    finally:
        pipeline.close()
        own.close()


def test_what_was_appended_by_a_lease_that_is_over_and_said_again_is_one_entry(redis, tmp_path):
    """The hub has dropped it, because it had not come back; whoever said it says it again at once."""
    room = secrets.token_hex(16)
    shared = RedisLog(redis.address, room, "ann", "ann", timing=QUICK)
    own, inbox = EngineLog(tmp_path / "log.db", shared, timing=QUICK), Inbox[Item]()
    own.open()
    own.start(lambda ticket, seq: None)
    pipeline = Pipeline(own, BEGIN, QUICK)
    pipeline.start(inbox)
    again = [proposal_of(Said(UNNUMBERED, 5, "ann-id", "ann", "1", "hi"))]

    try:
        pipeline.propose(again, BEGIN)
        wait_for(inbox, Answered)
        redis.command("HDEL", f"{{lanchat:{room}}}:hosts", "ann lease")
        wait_for(inbox, EnteredAgain)
        pipeline.go_on()
        pipeline.propose(again, BEGIN)
        wait_for(inbox, Answered)
        assert events(redis, room) == 1
    finally:
        pipeline.close()
        own.close()
