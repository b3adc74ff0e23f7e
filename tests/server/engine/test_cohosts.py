"""What the hosts of a room keep at its engine about themselves, on a real one and on one that lies."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from lanchat.errors import LanchatError
from lanchat.protocol.engine import Asking, EngineRoom, Present
from lanchat.protocol.ids import member_id
from lanchat.protocol.places import Place
from lanchat.protocol.timing import Timing
from lanchat.server.beside import HostPapers
from lanchat.server.engine import cohosts
from lanchat.server.engine.cohosts import ASKED, FRESH, MAX_ASKING, HostsAtEngine, announce, claim, release, rooms
from tests.support.engines import RedisProcess

ANN, BOB = b"a" * 32, b"b" * 32
PAPERS = HostPapers(ANN, b"delegation", b"record")
ASKING = Asking(BOB, b"bob's PC", "bob")


@dataclass
class FakeEngine:
    """An engine's hashes, with a clock of the test."""

    hashes: dict[str, dict[bytes, bytes]] = field(default_factory=dict)
    now: int = 1_700_000_000_000  # ms
    lie: object = None  # what it answers to HGETALL; None: the truth

    def run(self, *command: str | bytes | int) -> object:
        name, key, *rest = command if len(command) > 1 else (*command, "")
        parts = [part if isinstance(part, bytes) else str(part).encode() for part in rest]
        kept = self.hashes.setdefault(str(key), {})
        match name:
            case "TIME":
                return [str(self.now // 1000).encode(), str(self.now % 1000 * 1000).encode()]
            case "HSET":
                kept.update(zip(parts[::2], parts[1::2], strict=True))
            case "HDEL":
                for part in parts:
                    kept.pop(part, None)
            case "HINCRBY":
                kept[parts[0]] = str(int(kept.get(parts[0], b"0")) + int(parts[1])).encode()
                return int(kept[parts[0]])
            case "HGETALL":
                return self.lie if self.lie is not None else [part for pair in kept.items() for part in pair]
        return None

    def close(self) -> None:
        pass


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def there(engine) -> HostsAtEngine:
    return HostsAtEngine(engine, "5" * 32)


def test_a_computer_asks_until_it_stops_or_is_gone(engine, there):
    there.ask(ASKING)
    assert there.asking() == [ASKING]
    there.withdraw(BOB)
    assert there.asking() == []
    there.ask(ASKING)
    engine.now += ASKED
    assert there.asking() == [] and engine.hashes["{lanchat:" + "5" * 32 + "}:asks"] == {}, "nothing stays"


def test_hosts_that_are_there_are_seen_and_others_are_not(engine, there):
    ann, bob = Present(Place(0, ANN, "ann", ("10.0.0.1:47474",)), 3), Present(Place(1, BOB, "bob"))
    there.appear(ann)
    engine.now += FRESH - 1
    there.appear(bob)
    assert there.present() == [ann, bob]
    engine.now += 1
    assert there.present() == [bob]
    there.vanish(BOB)
    assert there.present() == []


def test_papers_are_what_the_owner_left_last(there):
    assert there.papers() is None
    there.publish(PAPERS)
    newer = HostPapers(ANN, b"", b"another record")
    there.publish(newer)
    assert there.papers() == newer


def test_a_closed_room_is_not_found_and_nobody_hosts_it_by_what_was_signed_before(engine, there):
    announce(engine, "5" * 32, EngineRoom("Room A", "ann", ANN))
    there.publish(PAPERS)
    there.forget_room()
    assert (rooms(engine), there.papers()) == ({}, None)


def test_a_code_has_eight_digits_of_the_fingerprint():
    digits = member_id(BOB)
    assert ASKING.code == f"{digits[:4]}-{digits[4:8]}"


def test_nobody_asks_in_the_name_of_another_key(engine, there):
    there.ask(ASKING)
    kept = engine.hashes["{lanchat:" + "5" * 32 + "}:asks"]
    kept[member_id(ANN).encode()] = kept[member_id(BOB).encode()]
    assert there.asking() == [ASKING]


def test_a_flood_of_those_who_ask_is_cut(there):
    for number in range(MAX_ASKING + 5):
        there.ask(Asking(bytes([number]) * 32, bytes(8), "eve"))
    assert len(there.asking()) == MAX_ASKING


def test_rooms_are_found_by_their_titles(engine):
    room = EngineRoom("Room A", "ann", ANN)
    cohosts.announce(engine, "5" * 32, room)
    engine.hashes["{lanchat:rooms}"] |= {b"x": b"{}", b"6" * 32: b"no room", b"\xff": b""}
    assert cohosts.rooms(engine) == {"5" * 32: room}


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{}",
        b"[[[[",
        b'{"at":1,"what":{}}',
        b'{"at":1700000000000,"what":{"key":"eA=="}}',
        b'{"at":-1,"what":1}',
        b"\xff",
    ],
)
def test_what_cannot_be_read_is_passed_over(engine, there, value):
    engine.hashes["{lanchat:" + "5" * 32 + "}:asks"] = {b"eve": value}
    there.ask(ASKING)
    assert there.asking() == [ASKING]


@pytest.mark.parametrize("lie", [b"", [b"one"], [b"a", 1], {"a": "b"}, [b"x", b"y"] * 100_000], ids=range(5))
def test_an_engine_that_answers_something_else_is_refused(engine, there, lie):
    engine.lie = lie
    for call in (there.asking, there.present, there.papers, lambda: cohosts.rooms(engine)):
        with pytest.raises(LanchatError, match="gives out what nobody of lanchat has written"):
            call()


@pytest.fixture
def real(redis: RedisProcess) -> Iterator[HostsAtEngine]:
    from lanchat.server.engine.redis_server import RedisServer

    commands = RedisServer(redis.address, None, Timing())
    with HostsAtEngine(commands, secrets.token_hex(16)) as there:
        yield there


def test_a_real_engine_keeps_all_of_it(real):
    assert (real.papers(), real.asking(), real.present()) == (None, [], [])
    real.publish(PAPERS)
    real.ask(ASKING)
    here = Present(Place(0, ANN, "ann", ("10.0.0.1:47474",)), 3)
    real.appear(here)
    assert (real.papers(), real.asking(), real.present()) == (PAPERS, [ASKING], [here])
    real.withdraw(BOB)
    real.vanish(ANN)
    assert (real.asking(), real.present()) == ([], [])


def test_one_of_all_who_claim_a_title_has_it_until_it_is_free_again(engine):
    assert [claim(engine, title) for title in ("Room A", "Room A", "Room B", "Room\u200b A")] == [
        True,
        False,
        True,
        False,
    ]
    release(engine, "Room A")
    assert [claim(engine, title) for title in ("Room A", "Room B")] == [True, False]
