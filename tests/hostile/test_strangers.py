"""Attacks of strangers on a host: too much, too slow, too often, and lines that are no messages."""

import logging
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest

from lanchat.protocol.framing import MAX_LINE, encode
from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import Card, Closing, Moderate, Notice, Ping, Pong, Rename, Say, Welcome
from tests.hostile.attackers import Stranger, said_goodbye
from tests.hostile.conftest import HURRY, Siege, rss
from tests.support.people import Listener
from tests.support.program import start
from tests.support.waiting import PATIENCE, wait_until

QUICK = replace(DEFAULT_LIMITS, greeting=0.5)


def inside(stranger: Callable[..., Stranger], room, who, nick: str = "eve", source: str = "127.0.0.66") -> Stranger:
    eve = stranger(room, source)
    assert isinstance(eve.come_in(who, nick), Welcome)
    return eve


def flood(eve: Stranger, data: bytes, limit: int = 64 * 1024 * 1024) -> int:
    """Send this again and again until the host drops the link. Returns the number of bytes."""
    sent = 0
    eve.socket.settimeout(1.0)
    try:
        while sent < limit:
            eve.socket.sendall(data)
            sent += len(data)
    except OSError:
        pass
    return sent


# ---- oversize


def test_an_error_that_quotes_a_hostile_line_is_harmless(siege, stranger, identity):
    """The error quotes the line, and becomes the reason why eve left, which everybody reads."""
    attacked = siege()
    eve = inside(stranger, attacked.room, identity("eve"))
    eve.send(b'{"t":"\\u001b]0;\\n' + b"y" * 500 + b'","t":"say"}\n')
    assert eve.gone(3) is not None


@pytest.mark.parametrize("where", ["before hello", "inside"])
def test_oversize_line(siege, stranger, identity, where):
    attacked = siege()
    eve = inside(stranger, attacked.room, identity("eve")) if where == "inside" else stranger(attacked.room).tls()
    eve.send(b"x" * (MAX_LINE + 1) + b"\n")
    closing = said_goodbye(eve.gone(3))
    assert closing is not None and "longer than" in closing.text


@pytest.mark.parametrize("where", ["before hello", "inside"])
def test_endless_line(siege, stranger, identity, where):
    attacked = siege()
    eve = inside(stranger, attacked.room, identity("eve")) if where == "inside" else stranger(attacked.room).tls()
    before, began = rss(), time.monotonic()
    sent = flood(eve, b"x" * 65536)
    assert sent < 32 * 1024 * 1024 and time.monotonic() - began < 4, "cut off, not read on"
    assert rss() - before < 16 * 1024 * 1024


@pytest.mark.full
def test_endless_tls_record_before_the_handshake(siege, stranger):
    """A record of 16 kB that never ends, and then another: memory holds no more than a handshake needs."""
    attacked = siege()
    for garbage in (b"\x16\x03\x01\x3f\xff" + b"\x01\x00\xff\xff" + bytes(16379), b"\x16\x03\x01\x00\x01\x01"):
        eve = stranger(attacked.room)
        assert flood(eve, garbage * 64) < 32 * 1024 * 1024


# ---- slowloris


def trickle(eve: Stranger, data: bytes, stop: threading.Event) -> None:
    """Send one byte at a time, without end."""
    try:
        for at in range(10**6):
            if stop.wait(0.05):
                return
            eve.socket.sendall(data[at % len(data) :][:1])
    except OSError:
        pass


def slowloris(attacked: Siege, slow: list[Stranger], data: bytes, deadline: float) -> None:
    stop = threading.Event()
    threads = [threading.Thread(target=trickle, args=(eve, data, stop)) for eve in slow]
    for thread in threads:
        thread.start()
    try:
        attacked.serves()
        for eve in slow:
            eve.gone(deadline + 1.0)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


SLOW = [f"127.0.0.{100 + number // 4}" for number in range(32)]


def test_slowloris_in_the_handshake(siege, stranger):
    attacked = siege(limits=QUICK)
    slow = [stranger(attacked.room, source) for source in SLOW]
    slowloris(attacked, slow, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600), QUICK.greeting)


def test_slowloris_in_the_hello(siege, stranger):
    attacked = siege(limits=QUICK)
    slow = []
    for source in SLOW:
        (eve := stranger(attacked.room, source).tls()).hear(Card)
        slow.append(eve)
    slowloris(attacked, slow, b'{"t":"hello","v":1,' + b" " * 600, QUICK.greeting)


def test_slowloris_in_the_middle_of_a_line(siege, stranger, identity, monkeypatch):
    attacked = siege(limits=QUICK, timing=replace(HURRY, line=0.5))
    slow = [inside(stranger, attacked.room, identity(f"eve{n}"), f"eve{n}", SLOW[4 * n]) for n in range(8)]
    slowloris(attacked, slow, b'{"t":"say","id":"1","text":"' + b"x" * 600, 0.5)


def test_slowloris_with_lines_of_nothing(siege, stranger, identity, monkeypatch):
    """Each line ends in time and has an unknown type, which breaks no rule."""
    attacked = siege(timing=replace(HURRY, line=0.3))
    eve = inside(stranger, attacked.room, identity("eve"))
    eve.send(b'{"t":"la')
    eve.send(b'ter","x":1}\n')
    began = time.monotonic()
    while time.monotonic() - began < 0.6:  # what is measured is that nothing happens
        eve.send(b"\n")
        threading.Event().wait(0.05)
    eve.send(Say("1", "still here"))
    attacked.ann.hear_text("still here")


def test_slowloris_at_the_plain_door(siege, stranger, monkeypatch):
    attacked = siege(plain_port=0, timing=replace(HURRY, name=0.5))
    port = attacked.room.ports["plain"]
    slow = [stranger(attacked.room, source, port=port) for source in SLOW]
    attacked.serves()
    for eve in slow:
        eve.gone(1.5)


def test_slowloris_on_the_read_side(siege, stranger, identity, monkeypatch):
    """Ten members never read while others talk. Each is dropped, and ann never waits."""
    attacked = siege(
        timing=replace(HURRY, stall=0.5),
        limits=replace(DEFAULT_LIMITS, message_rate=1e6, message_burst=10**6, byte_rate=1e9),
    )
    slow = []
    for number in range(10):
        eve = inside(stranger, attacked.room, identity(f"eve{number}"), f"eve{number}", f"127.0.0.{50 + number}")
        eve.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.append(eve)
    waits, page, number = [], "x" * 4000, 0
    while attacked.room.people > 1:
        for _ in range(10):
            number += 1
            attacked.ann.member.outgoing.say(f"{number} {page}")
        waits.append(attacked.ann.round_trip(f"after {number}"))
        assert number < 5000, "nobody was dropped"
    assert sorted(waits)[int(len(waits) * 0.99)] < 0.5
    attacked.ann.items.clear()


@pytest.mark.full
@pytest.mark.timeout(60)
def test_slowloris_at_full_length(siege, stranger):
    """The same with the default limits: 32 links with 1 byte in 50 ms are gone after 11 s."""
    attacked = siege()
    slow = []
    for source in SLOW:
        (eve := stranger(attacked.room, source).tls()).hear(Card)
        slow.append(eve)
    slowloris(attacked, slow, b'{"t":"hello","v":1,' + b" " * 600, DEFAULT_LIMITS.greeting)


def test_silent_strangers_are_dropped_for_new_links(siege, stranger):
    """Of 64 silent links at most 32 stay, and a client that speaks is admitted at once."""
    attacked = siege()
    silent = [stranger(attacked.room, f"127.0.1.{number}") for number in range(40)]
    attacked.serves()
    gone = 0
    for eve in silent:
        eve.socket.setblocking(False)
        try:
            gone += not eve.socket.recv(1)
        except BlockingIOError:
            pass
        except OSError:
            gone += 1
    assert gone >= 40 - DEFAULT_LIMITS.strangers


# ---- connection flood


def connect_flood(attacked: Siege, seconds: float, rate: float, sources: int) -> list[float]:
    """Hold connections from several machines. Returns how long ann waited for her own messages meanwhile."""
    held: list[socket.socket] = []
    waits: list[float] = []
    began, number, next_word = time.monotonic(), 0, 0.0
    try:
        while (now := time.monotonic() - began) < seconds:
            if now >= next_word:
                waits.append(attacked.ann.round_trip(f"word {len(waits)}"))
                next_word = now + 0.05
            while number < now * rate:
                sock = socket.socket()
                sock.bind((f"127.0.2.{number % sources + 1}", 0))
                sock.setblocking(False)
                sock.connect_ex(("127.0.0.1", attacked.room.port))
                held.append(sock)
                number += 1
                if len(held) > 200:
                    held.pop(0).close()
        attacked.serves()
    finally:
        for sock in held:
            sock.close()
    assert number >= seconds * rate * 0.9
    return waits


def test_connection_flood(siege):
    """500 connections a second from 4 machines."""
    waits = connect_flood(siege(), 1.0, 500, 4)
    assert sorted(waits)[int(len(waits) * 0.99)] < 1.0


@pytest.mark.full
@pytest.mark.timeout(90)
def test_connection_flood_at_full_length(siege):
    waits = connect_flood(siege(), 20, 500, 4)
    assert sorted(waits)[int(len(waits) * 0.99)] < 1.0


def test_one_machine_cannot_use_up_the_links(siege, stranger, identity):
    attacked = siege()
    came = 0
    for number in range(20):
        eve = stranger(attacked.room)
        try:
            came += isinstance(eve.come_in(identity(f"eve{number}"), f"eve{number}"), Welcome)
        except OSError:
            pass
    assert came == DEFAULT_LIMITS.links_per_source
    attacked.guest("other")


@pytest.mark.parametrize("cycles", [150, pytest.param(5000, marks=[pytest.mark.full, pytest.mark.timeout(120)])])
def test_resource_leak_of_connections(siege, cycles, caplog):
    """Links begin and end in every stage. The siege then checks that everything was released."""
    attacked = siege()
    caplog.set_level(logging.WARNING, "lanchat")  # pytest keeps each record, that its error, its frames and their links
    for number in range(cycles):
        with closing(Stranger(attacked.room.port, "127.0.0.1")) as eve:
            match number % 3:
                case 1:
                    eve.tls()
                case 2:
                    eve.tls().hear(Card)


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_NOFILE and /proc as Linux has them")
def test_a_host_without_descriptors_goes_on(tmp_path, identity, join):
    """EMFILE: members go on talking, new connections are closed at once, nothing spins, and it passes."""
    program = [sys.executable, "-m", "tests.hostile.small_host", str(tmp_path)]
    process = start(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    streams = process.stdin, process.stdout
    held: list[Stranger] = []
    try:

        def look() -> tuple[float, float]:
            streams[0].write(b"\n")
            streams[0].flush()
            used, waited = streams[1].readline().split()
            return float(used), float(waited)

        port = int(process.stdout.readline())
        held = [Stranger(port, "127.0.0.1") for _ in range(100)]
        hung_up = sum(eve.line() == b"" for eve in held[-20:])
        assert hung_up == 20, "those for whom there is no descriptor are not left waiting"
        before, _ = look()
        threading.Event().wait(0.5)  # what is measured is the CPU used in this time
        after, waited = look()
        assert after - before < 0.1 and waited < 0.5
        for eve in held:
            eve.close()

        def comes_in() -> bool:
            try:
                with closing(Stranger(port, "127.0.0.1")) as bob:
                    return isinstance(bob.come_in(identity("bob"), "bob"), Welcome)
            except OSError:
                return False

        wait_until(comes_in, timeout=2.0)
    finally:
        for eve in held:
            eve.close()
        streams[0].close()
        try:
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            streams[1].close()


# ---- message flood


def test_message_flood_is_slowed_down(siege, stranger, identity):
    """Of 300 messages the first 100 arrive at once and the others at the rate. None is lost."""
    attacked = siege(limits=replace(DEFAULT_LIMITS, message_rate=200.0))
    eve = inside(stranger, attacked.room, identity("eve"))
    began = time.monotonic()
    for number in range(250):
        eve.send(Say(str(number), f"flood {number}"))
    attacked.ann.hear_text("flood 50")
    assert attacked.ann.round_trip("in between") < 0.5
    attacked.ann.hear_text("flood 249")
    assert time.monotonic() - began >= 150 / 200.0 * 0.9
    heard = [text for text in attacked.ann.texts if text.startswith("flood")]
    assert heard == [f"flood {number}" for number in range(250)]
    assert eve.hear(Notice).code == "slow"


def test_a_message_flood_beyond_the_limit_ends_the_link(siege, stranger, identity):
    attacked = siege()
    eve = inside(stranger, attacked.room, identity("eve"))
    began = time.monotonic()
    flood(eve, b"".join(encode(Say(f"{number}", "flood")) for number in range(1000)), 4 * 1024 * 1024)
    assert time.monotonic() - began < PATIENCE
    assert attacked.ann.round_trip("still here") < 0.5
    heard = [text for text in attacked.ann.texts if text == "flood"]
    assert len(heard) <= DEFAULT_LIMITS.message_burst + 2 * DEFAULT_LIMITS.message_rate * PATIENCE


@pytest.mark.parametrize(
    "line",
    [
        encode(Ping()),
        b"\n",
        *(
            pytest.param(line, marks=pytest.mark.full)
            for line in (
                encode(Pong()),
                encode(Moderate("kick", "ann")),
                encode(Rename("ann")),
                b'{"t":"later","x":[1,2,3]}\n',
            )
        ),
    ],
    ids=repr,
)
def test_a_flood_of_other_lines(siege, stranger, identity, line):
    attacked = siege()
    eve = inside(stranger, attacked.room, identity("eve"))
    eve.socket.settimeout(1.0)
    began = time.monotonic()
    waits: list[float] = []
    try:
        while time.monotonic() - began < 0.5:
            eve.socket.sendall(line * (8192 // len(line)))
            waits.append(attacked.ann.round_trip(f"word {len(waits)}"))
    except OSError:
        pass
    assert waits and max(waits) < 0.5
    assert attacked.ann.texts[-1].startswith("word")


def test_too_many_nicks_of_one_key(siege, stranger, identity):
    """One key owns at most eight nicks."""
    attacked = siege()
    eve = inside(stranger, attacked.room, identity("eve"))
    eve.send(*(Rename(f"good{letter}name") for letter in "abcdefghjk"))
    assert "8 nicks" in eve.hear(Notice).text
    attacked.guest("goodkname")


def test_a_kicked_link_cannot_stay_by_sending_more(siege, stranger, identity, host, monkeypatch):
    """A kicked link is closed within two seconds, whatever it sends meanwhile."""
    attacked = siege(nick="hal", timing=replace(HURRY, linger=0.3))
    eve = inside(stranger, attacked.room, identity("eve"))
    hal = attacked.guest("hal")
    hal.member.outgoing.moderate("kick", "eve")
    assert eve.hear(Closing).code == "kicked"
    gone = time.monotonic() + 3
    try:
        while time.monotonic() < gone:
            eve.send(Ping())
            threading.Event().wait(0.02)
        raise AssertionError("still there")
    except OSError:
        pass


# ---- what is no message

BOMBS = {
    "depth": b"[" * 16000,
    "depth in a field": b'{"t":"say","id":"1","text":"x","more":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "depth of objects": b'{"t":"say","id":"1","text":"x","more":' + b'{"a":' * 2500 + b"1" + b"}" * 2500 + b"}",
    "depth of an unknown type": b'{"t":"later","more":' + b"[" * 8000 + b"]" * 8000 + b"}",
    "many keys": b'{"t":"say","id":"1",' + b",".join(b'"k%d":1' % n for n in range(1500)) + b',"text":"keys"}',
    "same key twice": b'{"t":"say","id":"1","text":"one","text":"two","t":"bye"}',
    "same tag twice": b'{"t":"bye","t":"say","id":"1","text":"x"}',
    "long int": b'{"t":"say","id":' + b"9" * 5000 + b',"text":"x"}',
    "long exponent": b'{"t":"say","id":"1","text":1e999999999}',
    "NaN": b'{"t":"say","id":"1","text":NaN}',
    "Infinity": b'{"t":"say","id":"1","text":Infinity}',
    "int for a bool": b'{"t":"say","id":"1","text":"x","action":1}',
    "lone surrogate": b'{"t":"say","id":"1","text":"\\ud800"}',
    "surrogates the wrong way round": b'{"t":"say","id":"1","text":"\\udc00\\ud800"}',
    "raw surrogate": b'{"t":"say","id":"1","text":"\xed\xa0\x80"}',
    "bad UTF-8": b'{"t":"say","id":"1","text":"\xff\xfe"}',
    "overlong UTF-8": b'{"t":"say","id":"1","text":"\xc0\xaf"}',
    "NUL": b'{"t":"say","id":"1","text":"\x00"}',
    "escaped NUL": b'{"t":"say","id":"1","text":"a\\u0000b"}',
    "null": b"null",
    "nothing": b"{}",
    "a number": b"0" * 16000,
    "a string": b'"' + b"x" * 16000 + b'"',
    "no end": b'{"t":"say","id":"1","text":"',
    "two at once": b'{"t":"say","id":"1","text":"x"}{"t":"bye"}',
    "id of nothing": b'{"t":"say","id":"","text":"x"}',
    "long id": b'{"t":"say","id":"' + b"x" * 65 + b'","text":"x"}',
    "seq from a member": b'{"t":"said","seq":1,"at":0,"by":"x","nick":"ann","id":"1","text":"forged"}',
    "marks": b'{"t":"rename","nick":"' + "a\u0301\u0316".encode() * 85 + b'"}',
    "letters that grow": b'{"t":"rename","nick":"' + "\ufdfa".encode() * 250 + b'"}',
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_json_bomb(siege, stranger, identity, bomb):
    """Each is refused, skipped or harmless text. Its sender may be dropped, and nobody else notices."""
    attacked = siege()
    eve = inside(stranger, attacked.room, identity("eve"))
    began = time.monotonic()
    eve.send(BOMBS[bomb] + b"\n", Ping())
    answer = eve.hear(Closing | Pong)  # type: ignore[arg-type]
    assert isinstance(answer, Closing | Pong)
    assert time.monotonic() - began < 0.5
    assert attacked.ann.round_trip("unharmed") < 0.5
    assert "forged" not in attacked.ann.texts
    before_hello = stranger(attacked.room).tls()
    before_hello.send(BOMBS[bomb] + b"\n")
    before_hello.socket.shutdown(socket.SHUT_WR)
    before_hello.gone(3)


# ---- TLS


def tlslite_inside(sock: socket.socket):
    """A TLS client in pure Python, which can do what OpenSSL refuses to do."""
    from tlslite.api import HandshakeSettings, TLSConnection

    settings = HandshakeSettings()
    settings.minVersion = settings.maxVersion = (3, 4)
    connection = TLSConnection(sock)
    connection.handshakeClientCert(settings=settings)
    connection.sock.buffer_writes = False
    return connection


@pytest.mark.parametrize(
    "asked", [pytest.param(0, marks=pytest.mark.full, id="silent"), pytest.param(1, id="answer wanted")]
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_10000_key_updates(siege, asked):
    attacked = siege()
    before = rss()
    with socket.create_connection(("127.0.0.1", attacked.room.port), source_address=("127.0.0.66", 0)) as sock:
        sock.settimeout(PATIENCE)
        eve = tlslite_inside(sock)
        sent = 0
        with pytest.raises(OSError):
            for _ in range(10_000):
                for _ in eve.send_keyupdate_request(asked):
                    pass
                sent += 1
    assert 100 < sent < 5000, "cut off"
    assert rss() - before < 8 * 1024 * 1024
    assert attacked.ann.round_trip("alive") < 0.5


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_flood_of_empty_records(siege):
    from tlslite.messages import ApplicationData

    attacked = siege()
    with socket.create_connection(("127.0.0.1", attacked.room.port), source_address=("127.0.0.66", 0)) as sock:
        sock.settimeout(PATIENCE)
        eve = tlslite_inside(sock)
        try:
            for _ in range(10_000):
                for _ in eve._recordLayer.sendRecord(ApplicationData().create(bytearray())):
                    pass
            while sock.recv(65536):
                pass
        except OSError:
            pass  # cut off while sending: as good


HARM = {
    "half a record": b"\x17\x03\x03\x40\x00" + bytes(100),
    "a record of nothing": b"\x17\x03\x03\x00\x00",
    "a record too long": b"\x17\x03\x03\xff\xff" + bytes(65535),
    "garbage": b"\x00garbage" * 100,
    "a second ClientHello": b"\x16\x03\x03\x00\x05\x01\x00\x00\x01\x00",
    "an alert": b"\x15\x03\x03\x00\x02\x02\x28",
    "HTTP": b"GET / HTTP/1.1\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("end", ["half close", "reset", pytest.param("close", marks=pytest.mark.full)])
@pytest.mark.parametrize("harm", HARM)
def test_tls_broken_after_the_handshake(siege, stranger, identity, harm, end):
    attacked = siege()
    for who in ("outside", "inside"):
        eve = stranger(attacked.room).tls()
        if who == "inside":
            eve.send(eve.hello(identity("eve"), "eve"))
            assert eve.hear(Welcome)
        bare = socket.socket(fileno=eve.socket.detach())
        with bare:
            bare.sendall(HARM[harm])
            match end:
                case "half close":
                    bare.settimeout(3)
                    bare.shutdown(socket.SHUT_WR)
                    try:
                        while bare.recv(65536):
                            pass
                    except ConnectionError:
                        pass
                case "reset":
                    bare.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wait_until(lambda: attacked.room.people == 1)


# ---- the plain door


@pytest.mark.parametrize(
    "data",
    [
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n\r\nhacked\nhacked\n",
        b"GET /hacked HTTP/1.0\n\nhacked\n",
        b"OPTIONS / HTTP/1.1\r\n\r\nhacked\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03hacked\n",
        b"eve\n\x00\x01\x02hacked\n",
        b"eve\n" + b"x" * 5000 + b"\nhacked\n",
    ],
    ids=["web page posts", "web page asks", "preflight", "TLS", "binary", "oversize"],
)
def test_plain_door_hit_by_something_else(siege, stranger, data):
    attacked = siege(plain_port=0)
    eve = stranger(attacked.room, port=attacked.room.ports["plain"])
    eve.send(data)
    assert eve.gone(3).split(b": ", 1)[1].startswith(b"* ")
    attacked.ann.round_trip("after")
    assert "hacked" not in " ".join(attacked.ann.texts)


def test_plain_door_with_a_nick_of_somebody_else(siege, stranger):
    """A guest has no key, so it gets no owned nick, and every screen shows a tilde before its nick."""
    attacked = siege(plain_port=0)
    for name in (b"ann\n", b"~ann\n", "\u0430nn\n".encode(), b"ann\x1b[2J\n", b"\xfe\xff\n", b"a" * 3000 + b"\n"):
        eve = stranger(attacked.room, port=attacked.room.ports["plain"])
        eve.send(name, b"it is me\n")
        attacked.ann.hear_text("it is me")
        attacked.ann.items.clear()
        eve.close()
    wait_until(lambda: attacked.room.people == 1)


def test_plain_door_flood(siege, stranger):
    attacked = siege(plain_port=0)
    eve = stranger(attacked.room, port=attacked.room.ports["plain"])
    eve.send(b"eve\n")
    flood(eve, b"flood\n" * 1000, 600 * 1024)
    assert attacked.ann.round_trip("still here") < 0.5


def test_honest_members_are_not_slowed_down(siege):
    """A pasted page, a log that is piped in and a quick talker are neither slowed down nor dropped."""
    attacked = siege()
    bob: Listener = attacked.guest("bob")
    bob.member.outgoing.say("\n".join(f"line {number}" for number in range(90)))
    for number in range(90):
        bob.member.outgoing.say(f"log {number}")
    attacked.ann.hear_text("log 89")
    assert bob.notices == []
