"""The benchmark counts exactly: what a server does right, and every fault that is planted in one."""

import os
import re
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scripts.benchmark import servers
from scripts.benchmark.check import Marks, Receiver, Stream, Tally
from scripts.benchmark.crowd import Crowd, Target
from scripts.benchmark.dialects import Dialect, Relay
from scripts.benchmark.fanout import Fanout, FanoutResult
from scripts.benchmark.plot import Bar, Group, chart, groups_of
from scripts.benchmark.scripts import followed
from tests.support.cases import cases
from tests.support.waiting import PATIENCE

MEMBERS = 5
LINES_EACH = 200  # of each sender
FAULT_EVERY = 50  # lines of one receiver
DROP, DOUBLE, SWAP = 7, 17, 27  # which of them; a swap is with the next one


class FaultyServer:
    """A relay that drops, doubles and swaps lines now and then, for each receiver on its own, and counts it."""

    def __init__(self, faulty: bool) -> None:
        self.dropped = self.doubled = self.swapped = 0
        self.faulty = faulty
        self._seen: dict[socket.socket, int] = {}
        self._partial: dict[socket.socket, bytes] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="faulty-server")
        self._thread.start()

    def close(self) -> None:
        self._wake.send(b"!")
        self._thread.join()
        for sock in (*self._seen, self._listener, self._wake, self._woken):
            sock.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    sock = key.fileobj
                    assert isinstance(sock, socket.socket)
                    if sock is self._woken:
                        return
                    if sock is self._listener:
                        client, _ = sock.accept()
                        self._seen[client], self._partial[client] = 0, b""
                        selector.register(client, selectors.EVENT_READ)
                    elif data := sock.recv(65536):
                        *lines, self._partial[sock] = (self._partial[sock] + data).split(b"\n")
                        for receiver in self._seen:
                            told = self._twisted(receiver, lines) if self.faulty else lines
                            receiver.sendall(b"".join(line + b"\n" for line in told))
                    else:
                        selector.unregister(sock)

    def _twisted(self, receiver: socket.socket, lines: list[bytes]) -> list[bytes]:
        lines, told = list(lines), []
        while lines:
            line = lines.pop(0)
            if b"LG" not in line:
                told.append(line)
                continue
            self._seen[receiver] += 1
            fault = self._seen[receiver] % FAULT_EVERY
            if fault == DROP:
                self.dropped += 1
            elif fault == DOUBLE:
                self.doubled += 1
                told += [line, line]
            elif fault == SWAP and lines:
                self.swapped += 1
                self._seen[receiver] += 1
                told += [lines.pop(0), line]
            else:
                told.append(line)
        return told


@contextmanager
def fanout(port: int, pid: int, dialect: Dialect, senders: int, patience: float) -> Iterator[FanoutResult]:
    crowd = Crowd(Target(port, pid, dialect))
    try:
        assert crowd.join(MEMBERS).joined == MEMBERS
        yield Fanout(senders, seconds=0.0, patience=patience, least=LINES_EACH).run(crowd)
    finally:
        crowd.close()


@pytest.fixture(params=[False, True], ids=["honest", "faulty"])
def relay(request: pytest.FixtureRequest) -> Iterator[FaultyServer]:
    server = FaultyServer(request.param)
    yield server
    server.close()


def test_every_planted_fault_is_found_and_nothing_else(relay):
    patience = 2.0 if relay.faulty else PATIENCE  # s; what is lost never comes
    with fanout(relay.port, os.getpid(), Relay(), 1, patience) as result:
        found = result.verdict
        assert found.seen == result.deliveries > 0 and result.dropped == 0
        assert (found.lost, found.doubled, found.swapped) == (relay.dropped, relay.doubled, relay.swapped)
        assert found.broken == 0
        assert relay.faulty == (relay.dropped > 0) == (relay.doubled > 0)


KINDS = [servers.lanchat(plain=False), servers.lanchat(plain=True), servers.naive(tls=False), servers.limit(tls=True)]


@pytest.mark.parametrize("senders", [1, pytest.param(3, marks=pytest.mark.full)])
@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, id=kind.name, marks=() if kind is KINDS[0] else pytest.mark.full) for kind in KINDS],
)
def test_a_real_server_makes_no_mistake(kind, senders):
    with (
        servers.running(kind, core=None) as server,
        fanout(server.port, server.pid, kind.dialect, senders, PATIENCE) as result,
    ):
        assert result.verdict.clean and result.dropped == 0
        hearers = MEMBERS if kind.dialect.echoes else MEMBERS - 1
        assert result.deliveries > 0 and result.deliveries % hearers == 0


MARKS = Marks(0)
LINES = [MARKS.text(0, number, 0) + b"\n" for number in range(4)]


@pytest.mark.parametrize(
    ("came", "lost", "doubled", "swapped", "broken"),
    [
        ([0, 1, 2, 3], 0, 0, 0, 0),
        ([0, 2, 3], 1, 0, 0, 0),
        ([0, 1, 2], 1, 0, 0, 0),
        ([0, 1, 1, 2, 3], 0, 1, 0, 0),
        ([0, 2, 1, 3], 0, 0, 1, 0),
        ([3], 3, 0, 0, 0),
        ([], 4, 0, 0, 0),
    ],
)
def test_what_is_wrong_in_a_stream_has_a_name(came, lost, doubled, swapped, broken):
    tally = Tally(MARKS, 1)
    tally.feed(b"".join(LINES[number] for number in came))
    verdict = tally.verdict([4])
    assert (verdict.lost, verdict.doubled, verdict.swapped, verdict.broken) == (lost, doubled, swapped, broken)


def test_a_changed_byte_is_no_delivery():
    tally = Tally(MARKS, 1)
    tally.feed(LINES[0] + LINES[1].replace(b"xxx", b"xyx", 1))
    verdict = tally.verdict([2])
    assert (verdict.seen, verdict.lost, verdict.broken) == (1, 0, 1)


def test_followers_are_compared_byte_by_byte_and_noise_is_left_out():
    stream, noise = Stream(), re.compile(rb"noise\n")
    one, other, odd = (Receiver(MARKS, 1, stream, noise) for _ in range(3))
    one.take(b"noise\n" + LINES[0] + LINES[1][:20])
    other.take(LINES[0] + b"noise\n" + LINES[1])
    one.take(LINES[1][20:])
    odd.take(LINES[1] + LINES[0])
    assert one.stream is other.stream is stream and odd.stream is None
    assert [receiver.final().next for receiver in (one, other, odd)] == [[2], [2], [2]]
    assert odd.tally.verdict([2]).swapped == 1


@cases(("printed", "number"), [("123", 3), ("12", 2), ("13", 1), ("1223", 2), ("213", 0), ("", 0)])
def test_a_program_that_follows_has_to_print_each_line_once_in_order(printed, number):
    lines = b'{"event": "came"}\n' + b"".join(b'{"event": "said", "id": "%s"}\n' % id.encode() for id in printed)
    assert followed(lines, "123") == number
    assert followed(lines[:-1], "123") == max(0, len(printed) - 1 if number == len(printed) else number)


# ---- the chart


def delivering(server: str, ratio: float | None, *, tls: bool = True) -> dict[str, object]:
    return {"server": server, "tls": tls, "members": 10, "senders": 1, "to_limit": ratio}


def joining(server: str, joins_per_s: float) -> dict[str, object]:
    return {"server": server, "members": 100, "joins_per_s": joins_per_s}


def test_a_chart_shows_what_was_measured_beside_the_raw_limit_the_best_first():
    fanout = [
        delivering("lanchat", 0.5),
        delivering("raw limit, TLS", 1.0),
        delivering("InspIRCd, TLS", 0.75),
        delivering("lanchat, plain door", 0.25, tls=False),
        delivering("NATS", None, tls=False),  # the raw limit did not start
    ]
    joins = [joining("lanchat", 300.0), joining("raw limit, TLS", 1000.0), joining("naive, TLS", 100.0)]
    assert groups_of({"fanout": fanout, "joins": joins, "paint": [{}]}) == [
        Group("10 members, 1 talks, TLS", (Bar("InspIRCd", 0.75), Bar("lanchat", 0.5))),
        Group("10 members, 1 talks, plain", (Bar("lanchat", 0.25),)),
        Group("100 members who join, TLS", (Bar("lanchat", 0.3), Bar("naive Python", 0.1))),
    ]
    assert groups_of({"joins": joins[:1]}) == []


def test_the_bars_of_a_chart_are_as_long_as_their_ratios():
    groups = [Group("few & <many>", (Bar("fast", 1.25), Bar("lanchat", 0.5)))]
    drawn = ElementTree.fromstring(chart("one", groups))
    fast, ours = (one for one in drawn if one.tag.endswith("rect"))
    assert float(fast.attrib["width"]) == pytest.approx(2.5 * float(ours.attrib["width"]), abs=0.2)
    assert fast.attrib["fill"] != ours.attrib["fill"]
    texts = ["".join(one.itertext()) for one in drawn if one.tag.endswith(("text", "title"))]
    assert texts == ["one", "one", "raw limit", "few & <many>", "fast", "1.25x", "lanchat", "0.50x"]
    assert all(0 <= float(one.attrib["x"]) <= 760 for one in drawn if "x" in one.attrib)


def test_readme_shows_the_chart_that_is_there():
    root = Path(__file__).parents[1]
    assert "](.github/images/bench.svg)" in (root / "README.md").read_text(encoding="utf-8")
    drawn = ElementTree.fromstring((root / ".github/images/bench.svg").read_text(encoding="utf-8"))
    assert "10 members, 1 talks, TLS" in "".join(drawn.itertext())
