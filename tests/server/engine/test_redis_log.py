"""One room at a real Redis server: order, what is proposed twice, leases, and restarts of the server."""

import select
import socket
import threading

import pytest

from lanchat.errors import LanchatError
from lanchat.protocol.timing import Timing
from lanchat.server.engine.address import EngineAddress
from lanchat.server.engine.shared_log import (
    BEGIN,
    Behind,
    EngineAway,
    EngineLost,
    Entry,
    Fenced,
    Position,
    Proposal,
    Stale,
)
from lanchat.threads import Closable
from tests.support.engines import RedisProcess
from tests.support.waiting import PATIENCE, wait_until


def line(text, by="ann"):
    return Proposal("e", f"s{by} {text}", text.encode())


def rule(text):
    return Proposal("r", f"u{text}", text.encode())


def bodies(log, after=BEGIN, limit=100):
    return [entry.body.decode() for entry in log.read(after, limit)]


def places(log, after=BEGIN):
    return {entry.body.decode(): entry.position for entry in log.read(after, 1000)}


def test_what_is_proposed_gets_the_next_numbers_and_can_be_read_in_order(shared):
    log = shared()
    entered = log.enter(7, known=False)
    assert (entered.position, entered.rules) == (Position(7), None)

    log.append([line("one"), line("two")], 0)
    assert [(entry.position, entry.kind, entry.body) for entry in log.read(Position(7), 10)] == [
        (Position(8), "e", b"one"),
        (Position(9), "e", b"two"),
    ]
    assert bodies(log, Position(8)) == ["two"]
    log.append([line("three")], 0)
    assert bodies(log, Position(7), limit=1) == ["one", "two"], "they were appended together"


def test_of_a_call_that_was_half_made_before_the_rest_is_appended(shared):
    log = shared()
    log.enter(0, known=False)
    log.append([line("one"), line("two"), line("three")], 0)
    again = [line("zero"), line("two"), line("four"), rule("rule"), line("one"), line("five"), line("six")]
    log.append(again, 0)
    log.append(again, 0)
    assert bodies(log) == ["one", "two", "three", "zero", "four", "rule", "five", "six"]
    for seq in range(9):
        assert [entry.position.seq for entry in log.read(Position(seq), 100)] == list(range(seq + 1, 9))


def test_long_events_of_one_call_do_not_become_one_answer_that_is_too_long(shared, redis):
    log = shared(room="d" * 32)
    log.enter(0, known=False)
    long = [Proposal("e", f"sann {n}", b"%d" % n * 5000) for n in range(9)]
    log.append(long, 0)
    assert redis.command("XLEN", "{lanchat:" + "d" * 32 + "}:log") == b":3\r\n"
    assert [(entry.position.seq, entry.body) for entry in log.read(BEGIN, 10)] == [
        (seq, one.body) for seq, one in enumerate(long, 1)
    ]


def test_what_is_proposed_again_is_one_entry_also_by_another_host_and_within_one_call(shared):
    ann, bob = shared("ann"), shared("bob")
    ann.enter(0, known=False)
    bob.enter(0, known=False)

    ann.append([line("one"), line("one"), line("two")], 0)
    bob.append([line("two"), line("three")], 0)
    assert bodies(ann) == ["one", "two", "three"]


def test_what_is_proposed_is_compared_with_what_the_host_has_not_read(shared):
    ann, bob = shared("ann"), shared("bob")
    ann.enter(0, known=False)
    bob.enter(0, known=False)
    known = ann.append([line("one")], 0)
    assert known == Position(1), "nobody else has appended anything, so ann's host knows all"
    known = ann.append([line("two"), rule("rule")], 0, known)
    assert known == Position(3)
    bob.append([line("three")], 0, known)
    assert ann.append([line("three"), line("four")], 0, known) == known, "there is something that it has not read"
    assert ann.append([line("four")], 0, known) == known
    assert bodies(ann) == ["one", "two", "rule", "three", "four"]
    assert ann.append([line("five")], 0, Position(5)) == Position(6)


def test_a_host_that_is_far_behind_reads_on_before_it_appends(shared):
    ann, bob = shared("ann"), shared("bob")
    ann.enter(0, known=False)
    bob.enter(0, known=False)
    for at in range(0, 1001, 143):  # a private message and its end are an entry each
        ann.append([Proposal("p", f"pann {at + n}", b"sealed") for n in range(143)], 0)
    with pytest.raises(Behind):
        bob.append([line("hi")], 0)
    bob.append([line("hi")], 0, Position(0, 1))
    assert bodies(bob, Position(0, 1001)) == ["hi"]


def test_a_message_whose_id_looks_like_several_keys_hides_no_other_message(shared):
    log = shared()
    log.enter(0, known=False)
    ids = ["1\nsbob 2", '1", "sbob 2', "\x00", "1]", "ü😀", "\\"]
    hostile = [Proposal("e", f"seve {id}", b"%d" % n) for n, id in enumerate(ids)]
    log.append(hostile, 0)
    log.append([*hostile, Proposal("e", "sbob 2", b"bob's")], 0)
    assert bodies(log) == ["0", "1", "2", "3", "4", "5", "bob's"]


def test_many_hosts_at_once_have_one_order_without_a_gap(shared):
    logs = [shared(name) for name in ("ann", "bob", "cat")]
    for log in logs:
        log.enter(0, known=False)
    threads = [
        threading.Thread(target=lambda log=log, at=at: [log.append([line(f"{at} {i}")], 0) for i in range(30)])
        for at, log in enumerate(logs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    entries = logs[0].read(Position(0), 1000)
    assert [entry.position for entry in entries] == [Position(n) for n in range(1, 91)]
    for at in range(3):
        mine = [entry.body.decode() for entry in entries if entry.body.startswith(b"%d " % at)]
        assert mine == [f"{at} {i}" for i in range(30)]


def test_a_reader_that_waits_gets_what_comes(shared, redis):
    log = shared()
    log.enter(0, known=False)
    assert log.read(Position(0), 10, wait=0.01) == []
    found: list[Entry] = []

    def read():
        while not found:
            found.extend(log.read(Position(0), 10, wait=2.5))

    reader = threading.Thread(target=read)
    reader.start()
    wait_until(lambda: b"\r\nblocked_clients:1\r\n" in redis.command("INFO", "clients"), what="the reader to wait")
    log.append([line("hi")], 0)
    reader.join()
    assert [entry.body for entry in found] == [b"hi"]


def test_a_private_message_stands_between_two_events_and_is_kept_until_it_is_finished(shared, redis):
    log = shared(room="f" * 32)
    log.enter(0, known=False)
    sealed, got = Proposal("p", "pann 1", b"sealed"), Proposal("g", "gann 1", b"finished")
    log.append([line("one"), sealed, got, line("two"), line("three")], 0)
    assert list(places(log).values()) == [Position(1), Position(1, 1), Position(1, 2), Position(2), Position(3)]
    kept = "{lanchat:" + "f" * 32 + "}:private"
    assert b"finished" in redis.command("HGET", kept, "ann 1")
    log.trim(2, ["ann 1"])
    assert redis.command("HGET", kept, "ann 1") == b"$-1\r\n"
    assert [entry.body for entry in log.page(2, 10)] == [b"three"]


def test_what_was_decided_by_old_rules_is_not_appended(shared):
    ann, bob = shared("ann"), shared("bob")
    assert ann.enter(0, known=False).rules is bob.enter(0, known=False).rules is None
    ann.append([rule("ann joins")], 0, rules=None)
    with pytest.raises(Stale):
        bob.append([rule("bob joins")], 0, rules=None)
    bob.append([rule("bob joins")], 0, rules=Position(1))
    ann.append([rule("ann joins")], 0, rules=None)  # asked again after a lost answer
    assert bodies(ann) == ["ann joins", "bob joins"]
    assert shared("cat").enter(0, known=True).rules == Position(2)


def test_messages_do_not_make_rules_old(shared):
    ann, bob = shared("ann"), shared("bob")
    ann.enter(0, known=False)
    bob.enter(0, known=False)
    ann.append([line("hi")], 0)
    bob.append([rule("bob joins")], 0, rules=None)
    assert bodies(bob) == ["hi", "bob joins"]


def test_a_host_that_enters_again_makes_its_older_lease_void(shared):
    old, new = shared("ann"), shared("ann")
    first = old.enter(0, known=False)
    assert new.enter(0, known=True).lease > first.lease
    for call in (lambda: old.append([line("late")], 0), lambda: old.beat(0), lambda: old.trim(0, [])):
        with pytest.raises(Fenced, match="This computer does not host the room any more"):
            call()
    assert [(entry.kind, entry.body) for entry in new.read(BEGIN, 10)] == [("x", b"%d" % first.lease)]


def test_each_host_sees_the_leases_and_the_facts_of_all(shared):
    ann, bob = shared("ann"), shared("bob")
    ann.enter(0, known=False, facts=b"at 1")
    bob.enter(0, known=True, facts=b"at 2")
    ann.beat(0, b"at 3")
    living = {one.host: one for one in bob.beat(0, b"at 2").living}
    assert {host: one.facts for host, one in living.items()} == {"ann": b"at 3", "bob": b"at 2"}
    assert all(0 < one.left <= 5 for one in living.values())


def test_a_room_of_another_owner_is_not_entered(shared):
    shared("ann").enter(0, known=False)
    with pytest.raises(LanchatError, match="somebody else"):
        shared("eve", owner="eve").enter(0, known=False)


def test_only_its_owner_begins_a_room_at_an_engine(shared):
    with pytest.raises(LanchatError, match="does not have this room yet"):
        shared("bob").enter(0, known=False)
    shared("ann").enter(12, known=False)
    with pytest.raises(LanchatError, match="or less of it than this computer"):
        shared("bob").enter(13, known=False)
    assert not shared("bob").enter(0, known=False).is_new


def test_what_was_there_before_the_room_began_is_read_like_all_else(shared):
    log = shared()
    assert log.enter(12, known=False).is_new
    past = [Entry(Position(3), "e", b"one", "sann one"), Entry(Position(9), "r", b"joined", "u0 9")]
    box = Entry(Position(12, 1), "p", b"sealed", "pann 1")
    log.fill(past, 12, 2)
    log.fill([box], 12, 2)
    log.append([line("one"), line("two")], 12)
    first = Entry(Position(3), "e", b"one")  # whoever reads an event knows its key
    assert log.read(Position(2), 10) == [first, past[1], box, Entry(Position(13), "e", b"two")]
    entered = shared("bob").enter(0, known=False)
    assert (entered.base, entered.position, entered.is_new) == (2, Position(13), False)
    assert list(log.private()) == [b"sealed"]


def test_an_engine_that_has_lost_something_is_refused(shared):
    log = shared()
    with pytest.raises(LanchatError, match="has lost a part of this room: it ends at message 0, and this computer has"):
        log.enter(12, known=True)
    log.enter(12, known=False)
    with pytest.raises(LanchatError, match="it ends at message 12, and this computer has 9,874"):
        log.enter(9874, known=True)


def test_an_engine_that_has_less_than_was_read_from_it_takes_nothing_more(shared, redis):
    log = shared(room="e" * 32)
    log.enter(7, known=False)
    log.append([line("one")], 7)
    redis.command("DEL", "{lanchat:" + "e" * 32 + "}:meta")
    for call in (lambda: log.append([line("two")], 8), lambda: log.beat(8)):
        with pytest.raises(EngineLost, match="it ends at message 0, and this computer has 8"):
            call()


def test_a_room_that_went_on_without_the_engine_begins_there_again(shared):
    log = shared()
    log.enter(7, known=False)
    log.append([line("one")], 7)
    entered = log.enter(100, known=False)
    assert (entered.position, entered.base) == (Position(100), 100)
    log.append([line("one")], 100)
    assert places(log, entered.position) == {"one": Position(101)}


def test_another_version_of_the_rules_is_refused(shared):
    log, other = shared(), shared("bob")
    log.enter(0, known=False)
    other._table = "another"
    with pytest.raises(LanchatError, match="another version of lanchat"):
        other.enter(0, known=False)


def test_after_a_restart_of_the_server_its_file_is_rewritten_before_anything_is_appended(shared, own_redis):
    server: RedisProcess = own_redis()
    log = shared(server=server)
    log.enter(0, known=False)
    log.append([line("one")], 0)
    written = sorted(path.name for path in server.folder.glob("appendonlydir/*.base.*"))
    server.restart()
    with pytest.raises(EngineAway):
        log.append([line("two")], 0)  # the connection has ended
    log.append([line("two")], 0)
    assert sorted(path.name for path in server.folder.glob("appendonlydir/*.base.*")) != written
    assert bodies(log) == ["one", "two"]


def tear(log, server):
    """The power fails in the middle of a block of writes. Most servers cut off only its end when they start.

    Returns whether this one has cut off all of it.
    """
    log.enter(0, known=False)
    log.append([line("one")], 0)
    log.append([line("torn"), line("torn too")], 0)
    server.kill()
    [file] = server.folder.glob("appendonlydir/*.incr.aof")
    with file.open("r+b") as torn:
        torn.truncate(file.stat().st_size - 4)  # inside of EXEC
    server.start()
    return b"torn too" not in file.read_bytes()


def test_a_torn_block_loses_nothing_that_was_acknowledged(shared, own_redis):
    server: RedisProcess = own_redis()
    log = shared(server=server)
    tear(log, server)
    with pytest.raises(EngineAway):
        log.append([line("kept")], 0)
    log.append([line("kept")], 0)
    server.restart()
    assert bodies(log) == ["one", "kept"]


def test_without_a_rewritten_file_a_torn_block_loses_what_is_acknowledged_after_it(shared, own_redis):
    """This shows that the test above sees the fault of these servers. Valkey 9.1 does not have it any more."""
    server: RedisProcess = own_redis()
    log = shared(server=server, room="b" * 32)
    cuts_all = tear(log, server)
    run = server.command("INFO", "server").partition(b"run_id:")[2].split()[0]
    server.command("HSET", "{lanchat:" + "b" * 32 + "}:meta", "run", run)  # as if it was rewritten for this start
    log.close()
    log.append([line("lost")], 0)
    assert places(shared(server=server, room="b" * 32))["lost"] == Position(2)
    server.restart()
    assert ("lost" in bodies(log)) is cuts_all


class Swallower(Closable):
    """Stands before a server, and keeps every 20th reply to itself: it cuts the connection instead."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = EngineAddress("127.0.0.1", self._listener.getsockname()[1])
        self._to, self.replies, self.swallowed = port, 0, 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with near, socket.create_connection(("127.0.0.1", self._to)) as far:
                self._pass_on(near, far)

    def _pass_on(self, near: socket.socket, far: socket.socket) -> None:
        while True:
            ready, _, _ = select.select([near, far], [], [])
            got = ready[0].recv(65536)
            if not got:
                return
            if ready[0] is far:
                self.replies += 1
                if self.replies % 20 == 0:
                    self.swallowed += 1
                    return
            (far if ready[0] is near else near).sendall(got)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


def test_where_replies_are_lost_nothing_is_lost_or_comes_twice(shared, redis):
    """The engine has done what it was asked to, and the host, which does not know, asks again."""
    with Swallower(redis.port) as swallower:
        log = shared(address=swallower.address)

        def repeated(call):
            while True:
                try:
                    return call()
                except EngineAway:
                    pass

        repeated(lambda: log.enter(0, known=False))
        said = [[line(f"{n} {part}") for part in "ab"] for n in range(60)]
        for pair in said:
            repeated(lambda pair=pair: log.append(pair, 0))
        log.close()
    assert swallower.swallowed >= 3
    assert bodies(shared(), limit=1000) == [f"{n} {part}" for n in range(60) for part in "ab"]


def test_a_server_that_is_away_is_said_to_be_away(shared, own_redis):
    server: RedisProcess = own_redis()
    log = shared(server=server, timing=Timing(engine=PATIENCE))
    log.enter(0, known=False)
    server.kill()
    for call in (lambda: log.append([line("hi")], 0), lambda: log.read(Position(0), 10)):
        with pytest.raises(EngineAway, match="Cannot reach Redis at 127.0.0.1:"):
            call()
    server.start()
    log.append([line("hi")], 0)
    assert bodies(log) == ["hi"]


def test_a_server_whose_memory_is_full_is_asked_again_later(shared, own_redis):
    server: RedisProcess = own_redis()
    log = shared(server=server)
    log.enter(0, known=False)
    server.command("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(EngineAway, match="takes nothing now"):
        log.append([line("one")], 0)
    server.command("CONFIG", "SET", "maxmemory", "0")
    log.append([line("one")], 0)
    assert bodies(log) == ["one"]
