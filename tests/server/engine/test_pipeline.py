"""The threads between a hub and its engine."""

import secrets
from itertools import count

from lanchat.protocol.messages import UNNUMBERED, Said
from lanchat.protocol.timing import Timing
from lanchat.server.engine.entries import proposal_of
from lanchat.server.engine.items import Answered, Fed
from lanchat.server.engine.log import EngineLog
from lanchat.server.engine.pipeline import Pipeline
from lanchat.server.engine.redis_log import RedisLog
from lanchat.server.engine.shared_log import Position
from lanchat.server.items import Item
from lanchat.threads import Inbox
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
            assert [place for place, _, _ in records[20:]] == [entry.position for entry in other.oldest(20, 100)]
    finally:
        pipeline.close()
        own.close()


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
