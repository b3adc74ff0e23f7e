"""Attacks of strangers on a host: too much, too slow, too often, and lines that are no messages."""

import logging
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, closing

import pytest
from msgspec.structs import replace

from lanchat.errors import ProtocolError
from lanchat.network.flusher import OUTBOX_LIMIT
from lanchat.protocol.framing import FROM_MEMBER, MAX_LINE, decode_all, encode
from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import Card, Closing, Joined, Left, Moderate, Notice, Ping, Pong, Rename, Say, Welcome
from tests.hostile.attackers import said_goodbye
from tests.hostile.siege import FEW, HURRY, Siege, rss
from tests.support.people import Listener
from tests.support.program import Program
from tests.support.strangers import Stranger
from tests.support.waiting import PATIENCE, wait_until

QUICK = replace(DEFAULT_LIMITS, greeting=2.0)  # s; on a busy machine an honest member has to come in meanwhile, too


def inside(stranger: Callable[..., Stranger], room, who, nick: str = "eve", source: str = "127.0.0.66") -> Stranger:
    eve = stranger(room, source)
    assert isinstance(eve.come_in(who, nick), Welcome)
    return eve


def flood(eve: Stranger, data: bytes, limit: int) -> None:
    """Send this again and again until the host drops the link. Fails where it takes so many bytes, or never does."""
    sent = 0
    try:
        while sent < limit:
            eve.socket.sendall(data)
            sent += len(data)
        raise AssertionError(f"it has taken {sent} bytes")
    except TimeoutError:
        raise AssertionError(f"it does not hang up after {sent} bytes") from None
    except OSError:
        pass


# ---- oversize


def test_an_error_that_quotes_a_hostile_line_is_harmless(siege, stranger, identity):
    """The error quotes the line, and becomes the reason why eve left, which everybody reads."""
    attacked = siege()
    eve = inside(stranger, attacked.room, identity("eve"))
    eve.send(b'{"t":"\\u001b]0;\\n' + b"y" * 500 + b'","t":"say"}\n')
    closing = said_goodbye(eve.gone())
    assert closing is not None and closing.code == "rules"
    eve.close()
    attacked.ann.hear_kind(Left, nick="eve", code="rules")


@pytest.mark.parametrize("where", ["before hello", "inside"])
def test_oversize_line(siege, stranger, identity, where):
    attacked = siege()
    eve = inside(stranger, attacked.room, identity("eve")) if where == "inside" else stranger(attacked.room).tls()
    eve.send(b"x" * (MAX_LINE + 1) + b"\n")
    closing = said_goodbye(eve.gone())
    assert closing is not None and "longer than" in closing.text


@pytest.mark.parametrize("where", ["before hello", "inside"])
def test_endless_line(siege, stranger, identity, where):
    attacked = siege()
    eve = inside(stranger, attacked.room, identity("eve")) if where == "inside" else stranger(attacked.room).tls()
    before = rss()
    flood(eve, b"x" * 65536, 32 * 1024 * 1024)
    assert rss() - before < 16 * 1024 * 1024


@pytest.mark.full
def test_endless_tls_record_before_the_handshake(siege, stranger):
    """A record of 16 kB that never ends, and then another: memory holds no more than a handshake needs."""
    attacked = siege()
    for garbage in (b"\x16\x03\x01\x3f\xff" + b"\x01\x00\xff\xff" + bytes(16379), b"\x16\x03\x01\x00\x01\x01"):
        flood(stranger(attacked.room), garbage * 64, 32 * 1024 * 1024)


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


def slowloris(attacked: Siege, slow: list[Stranger], data: bytes) -> None:
    """All of them trickle for ever; the host still hangs up on each."""
    stop = threading.Event()
    threads = [threading.Thread(target=trickle, args=(eve, data, stop)) for eve in slow]
    for thread in threads:
        thread.start()
    try:
        attacked.serves()
        for eve in slow:
            eve.gone()
    finally:
        stop.set()
        for thread in threads:
            thread.join()


SLOW = [f"127.0.0.{100 + number // 4}" for number in range(32)]


def test_who_is_slow_holds_up_nobody(siege, stranger):
    """While as many as may stand at the door are in the middle of a hello, an honest member comes in."""
    attacked = siege(limits=replace(DEFAULT_LIMITS, greeting=3600))
    slow = [stranger(attacked.room, source).tls() for source in SLOW[1:]]
    for eve in slow:
        eve.hear(Card)
        eve.send(b'{"t":"hello","v":1,')
    attacked.serves()
    assert not any(eve.hung_up for eve in slow)


@pytest.mark.full
def test_slowloris_in_the_handshake(siege, stranger):
    attacked = siege(limits=QUICK)
    slow = [stranger(attacked.room, source) for source in SLOW]
    slowloris(attacked, slow, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600))


def test_slowloris_in_the_hello(siege, stranger):
    attacked = siege(limits=QUICK)
    slow = []
    for source in SLOW:
        (eve := stranger(attacked.room, source).tls()).hear(Card)
        slow.append(eve)
    slowloris(attacked, slow, b'{"t":"hello","v":1,' + b" " * 600)


def test_slowloris_in_the_middle_of_a_line(siege, stranger, identity, monkeypatch):
    attacked = siege(timing=replace(HURRY, line=0.5))
    slow = [inside(stranger, attacked.room, identity(f"eve{n}"), f"eve{n}", SLOW[4 * n]) for n in range(8)]
    slowloris(attacked, slow, b'{"t":"say","id":"1","text":"' + b"x" * 600)


def test_slowloris_with_lines_of_nothing(siege, stranger, identity, monkeypatch):
    """Each line ends in time and has an unknown type, which breaks no rule."""
    attacked = siege()
    eve = inside(stranger, attacked.room, identity("eve"))
    eve.send(b'{"t":"la')
    eve.send(b'ter","x":1}\n', b"\n" * 10)
    eve.send(Ping())
    eve.hear(Pong)  # so the host has read all that
    for link in attacked.room.links:
        link.check(time.monotonic() + HURRY.line + 1)
    eve.send(Say("1", "still here"))
    attacked.ann.hear_text("still here")


def test_slowloris_at_the_plain_door(siege, stranger, monkeypatch):
    attacked = siege(plain_port=0, timing=replace(HURRY, name=0.5))
    port = attacked.room.ports["plain"]
    slow = [stranger(attacked.room, source, port=port) for source in SLOW]
    attacked.serves()
    for eve in slow:
        eve.gone()


@pytest.mark.full
def test_slowloris_on_the_read_side(siege, stranger, identity, monkeypatch):
    """Four members never read while others talk. Each is dropped, and until then ann waits for nobody."""
    attacked = siege(
        timing=replace(HURRY, stall=3600, dead_after=3600),
        limits=replace(DEFAULT_LIMITS, message_rate=1e6, message_burst=10**6, byte_rate=1e9),
    )
    slow = []
    for number in range(4):
        eve = inside(stranger, attacked.room, identity(f"eve{number}"), f"eve{number}", f"127.0.0.{50 + number}")
        eve.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.append(eve)
    page, heard_beside_all, number = "x" * 4000, 0, 0
    while attacked.room.people > 1:
        for _ in range(10):
            number += 1
            attacked.ann.member.outgoing.say(f"{number} {page}")
        attacked.ann.round_trip(f"after {number}")
        heard_beside_all += attacked.room.people == 1 + len(slow)
        assert number < 5000, "nobody was dropped"
    # On a busy machine the kernel may be the first to lose its patience (TCP_USER_TIMEOUT).
    for number in range(len(slow)):
        attacked.ann.hear_kind(Left, nick=f"eve{number}")
    by_the_kernel = any(isinstance(item, Left) and "timed out" in item.reason for item in attacked.ann.items)
    enough = heard_beside_all > OUTBOX_LIMIT // (10 * len(page)) // 2
    assert enough or by_the_kernel, "an outbox holds twice as many of these portions"
    attacked.ann.items.clear()


@pytest.mark.full
@pytest.mark.timeout(120)
def test_slowloris_at_full_length(siege, stranger):
    """The same with the default limits."""
    attacked = siege()
    slow = []
    for source in SLOW:
        (eve := stranger(attacked.room, source).tls()).hear(Card)
        slow.append(eve)
    slowloris(attacked, slow, b'{"t":"hello","v":1,' + b" " * 600)


def test_silent_strangers_are_dropped_for_new_links(siege, stranger):
    """Only as many as may stand at the door stay, and a client that speaks is admitted beside them."""
    attacked = siege()
    silent = [stranger(attacked.room, f"127.0.1.{number}") for number in range(40)]
    attacked.serves()
    wait_until(lambda: sum(eve.hung_up for eve in silent) >= 40 - DEFAULT_LIMITS.strangers)


# ---- connection flood


def connect_flood(attacked: Siege, number: int, sources: int) -> None:
    """Make so many connections from several machines, as fast as possible, while ann talks."""
    made, held, over = 0, deque[socket.socket](), threading.Event()

    def connect() -> None:
        nonlocal made
        while not over.is_set():
            sock = socket.socket()
            sock.bind((f"127.0.2.{made % sources + 1}", 0))
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", attacked.room.port))
            held.append(sock)
            made += 1
            if len(held) > 200:
                held.popleft().close()

    flooding = threading.Thread(target=connect)
    flooding.start()
    try:
        words = 0
        while made < number or words < min(10, number // 50):
            words += 1
            attacked.ann.round_trip(f"word {words}")
        attacked.serves()
    finally:
        over.set()
        flooding.join()
        for sock in held:
            sock.close()


@pytest.mark.parametrize("number", [60, pytest.param(10_000, marks=[pytest.mark.full, pytest.mark.timeout(300)])])
def test_connection_flood(siege, number):
    """From 4 machines: the members talk on, and an honest newcomer is admitted."""
    connect_flood(siege(), number, sources=4)


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


@pytest.mark.parametrize("cycles", [45, pytest.param(5000, marks=[pytest.mark.full, pytest.mark.timeout(300)])])
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
def test_a_host_without_descriptors_goes_on(tmp_path, identity):
    """EMFILE: members go on talking, new connections are closed at once, nothing spins, and it passes."""
    argv = [sys.executable, "-m", "tests.hostile.small_host", str(tmp_path / "home")]
    with Program(argv, tmp_path / "small", stdin="pipe") as small, ExitStack() as held:
        port = int(small.next_line())
        strangers = [held.enter_context(closing(Stranger(port, "127.0.0.1"))) for _ in range(100)]
        hung_up = sum(eve.line() == b"" for eve in strangers[-20:])
        assert hung_up == 20, "those for whom there is no descriptor are not left waiting"
        small.say("500\n")
        assert float(small.next_line()) < 0.2, "a thread that spins takes nearly half"
        held.close()

        def comes_in() -> bool:
            try:
                with closing(Stranger(port, "127.0.0.1")) as bob:
                    return isinstance(bob.come_in(identity("bob"), "bob"), Welcome)
            except OSError:
                return False

        wait_until(comes_in)
        small.end_input()
        assert small.wait().code == 0


# ---- message flood


def test_message_flood_is_slowed_down(siege, stranger, identity):
    """Of 250 messages the first 100 arrive at once and the others at the rate. None is lost."""
    attacked = siege(limits=replace(DEFAULT_LIMITS, message_rate=200.0))
    eve = inside(stranger, attacked.room, identity("eve"))
    began = time.monotonic()
    for number in range(250):
        eve.send(Say(str(number), f"flood {number}"))
    attacked.ann.hear_text("flood 249")
    assert time.monotonic() - began >= 150 / 200.0 * 0.9
    heard = [text for text in attacked.ann.texts if text.startswith("flood")]
    assert heard == [f"flood {number}" for number in range(250)]
    assert eve.hear(Notice).code == "slow"


def test_others_talk_while_a_message_flood_waits(siege, stranger, identity):
    attacked = siege(limits=replace(DEFAULT_LIMITS, message_rate=0.1))
    eve = inside(stranger, attacked.room, identity("eve"))
    eve.send(*(Say(str(number), f"flood {number}") for number in range(100 + 20)))
    attacked.ann.hear_text("flood 50")
    attacked.ann.round_trip("in between")
    assert "flood 119" not in attacked.ann.texts


def test_a_message_flood_in_one_piece_is_slowed_down_too(siege, stranger, identity):
    """However the bytes are cut into reads, 100 messages come at once and the others at the rate. None is lost."""
    attacked = siege(limits=replace(DEFAULT_LIMITS, message_rate=1000.0, source_message_rate=1000.0))
    eve = inside(stranger, attacked.room, identity("eve"))
    began = time.monotonic()
    eve.socket.sendall(b"".join(encode(Say(f"{number}", f"flood {number}")) for number in range(1500)))
    attacked.ann.hear_text("flood 1499")
    assert time.monotonic() - began >= (1500 - 100) / 1000.0 * 0.9
    heard = [text for text in attacked.ann.texts if text.startswith("flood")]
    assert heard == [f"flood {number}" for number in range(1500)]


def test_a_flood_of_lines_that_say_nothing_ends_the_link(siege, stranger, identity):
    attacked = siege()
    eve = inside(stranger, attacked.room, identity("eve"))
    flood(eve, b"\n" * 65536, 32 * 1024 * 1024)
    attacked.ann.hear_kind(Left, nick="eve", code="rules")


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
    """The others talk on, whether or not the host drops the link."""
    attacked = siege()
    eve = inside(stranger, attacked.room, identity("eve"))
    for number in range(50):
        try:
            eve.socket.sendall(line * (8192 // len(line)))
        except OSError:
            break  # the host has had enough
        attacked.ann.round_trip(f"word {number}")
    attacked.ann.round_trip("after")


def test_too_many_nicks_of_one_key(siege, stranger, identity):
    """One key owns at most eight nicks."""
    attacked = siege()
    eve = inside(stranger, attacked.room, identity("eve"))
    eve.send(*(Rename(f"good{letter}name") for letter in "abcdefghjk"))
    assert "8 nicks" in eve.hear(Notice).text
    attacked.guest("goodkname")


def test_a_kicked_link_cannot_stay_by_sending_more(siege, stranger, identity, host, monkeypatch):
    """It is closed in the end, whatever it sends meanwhile."""
    attacked = siege(nick="hal", timing=replace(HURRY, linger=0.3))
    eve = inside(stranger, attacked.room, identity("eve"))
    hal = attacked.guest("hal")
    hal.member.outgoing.moderate("kick", "eve")
    assert eve.hear(Closing).code == "kicked"

    def is_cut_off() -> bool:
        try:
            eve.send(Ping())
            return False
        except OSError:
            return True

    wait_until(is_cut_off)


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


def test_json_bombs(siege, stranger, identity):
    """Each is refused, skipped or harmless text. Its sender may be dropped, and nobody else notices."""
    attacked = siege()
    for number, (bomb, line) in enumerate(BOMBS.items()):
        source = f"127.0.0.{100 + number}"
        eve = inside(stranger, attacked.room, identity("eve"), source=source)
        eve.send(line + b"\n", Ping())
        answer = eve.hear(Closing | Pong)  # type: ignore[arg-type]
        assert isinstance(answer, Closing | Pong), bomb
        eve.close()
        attacked.ann.round_trip(f"unharmed by {bomb}")
        assert "forged" not in attacked.ann.texts, bomb
        before_hello = stranger(attacked.room, source).tls()
        before_hello.send(line + b"\n")
        before_hello.socket.shutdown(socket.SHUT_WR)
        before_hello.gone()


def test_no_json_bomb_costs_much_more_than_talk():
    def cost(line: bytes) -> float:
        """s of CPU."""
        best = 1.0
        for _ in range(5):
            began = time.thread_time()
            for _ in range(10):
                try:
                    decode_all([line], FROM_MEMBER)
                except ProtocolError:
                    pass
            best = min(best, time.thread_time() - began)
        return best

    talk = cost(encode(Say("1", "x" * 15_000)))
    assert {bomb: costs / talk for bomb, line in BOMBS.items() if (costs := cost(line)) > 100 * talk} == {}


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


@pytest.mark.full
@pytest.mark.parametrize("asked", [pytest.param(0, id="silent"), pytest.param(1, id="answer wanted")])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_10000_key_updates(siege, asked):
    """tests/network/test_bandwidth.py has the rule; test_hostile_host.py has the same attack on a member."""
    attacked = siege(limits=replace(DEFAULT_LIMITS, greeting=3600))  # what is slow here is the attacker
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
    attacked.ann.round_trip("alive")


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
@pytest.mark.parametrize("who", ["outside", "inside"])
def test_tls_broken_after_the_handshake(siege, stranger, identity, who, end):
    attacked = siege()
    for number, harm in enumerate(HARM.values()):
        eve = stranger(attacked.room, f"127.0.0.{100 + number}").tls()
        if who == "inside":
            eve.send(eve.hello(identity("eve"), "eve"))
            assert eve.hear(Welcome)
        bare = socket.socket(fileno=eve.socket.detach())
        with bare:
            bare.sendall(harm)
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

METHODS = [b"PROPFIND", b"SEARCH", b"QUERY", b"MKCOL", b"get", b"x-y!", b"HACK"]
SOMETHING_ELSE = {
    "a web page posts": b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n\r\nhacked\nhacked\n",
    "a web page asks": b"GET /hacked HTTP/1.0\n\nhacked\n",
    "preflight": b"OPTIONS / HTTP/1.1\r\n\r\nhacked\n",
    **{repr(method): method + b" / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\nhacked\n" for method in METHODS},
    "a long path": b"HACK /" + b"x" * 2000,  # the first segment of a longer request line
    "proxy": b"HACK http://10.0.0.1/ HTTP/1.1\r\n\r\nhacked\n",
    "headers": b"hacked\r\nHost: 10.0.0.1\r\n\r\nhacked\n",
    "a blank line first": b"\r\nHACK x HTTP/1.1\r\nhacked\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03hacked\n",
    "binary": b"eve\n\x00\x01\x02hacked\n",
    "oversize": b"eve\n" + b"x" * 20_000 + b"\nhacked\n",
}


def test_plain_door_hit_by_something_else(siege, stranger):
    attacked = siege(plain_port=0)
    for number, (what, data) in enumerate(SOMETHING_ELSE.items()):
        eve = stranger(attacked.room, f"127.0.0.{100 + number}", port=attacked.room.ports["plain"])
        eve.send(data)
        assert eve.gone().split(b": ", 1)[1].startswith(b"* "), what
        attacked.ann.round_trip(f"after {what}")
        assert "hacked" not in " ".join(attacked.ann.texts), what


def test_plain_door_hit_by_a_request_in_pieces(siege, stranger):
    """A page cannot choose where its request is cut, but its network can."""
    attacked = siege(plain_port=0)
    eve = stranger(attacked.room, port=attacked.room.ports["plain"])
    eve.send(b"hacked")
    attacked.ann.hear_kind(Joined, nick="hacked")
    eve.send(b"\r\nUser-Agent: hacked\r\nhacked\n")
    assert b"This port is for netcat" in eve.gone()
    attacked.ann.round_trip("after")
    assert "hacked" not in " ".join(attacked.ann.texts)


@pytest.mark.parametrize(
    "line", [b"see /tmp/x", b"host: come in", b"Well: yes", b"look http://10.0.0.1/", b"HTTP/1.1?"]
)
def test_plain_door_lets_people_talk_about_the_web(siege, stranger, line):
    attacked = siege(plain_port=0)
    eve = stranger(attacked.room, port=attacked.room.ports["plain"])
    eve.send(b"pat\n" + line + b"\nGET well soon\n")
    attacked.ann.hear_text("GET well soon")
    assert line.decode() in attacked.ann.texts


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
    """The others hear what may be said at once and a little more, and talk on."""
    limits = replace(DEFAULT_LIMITS, message_rate=0.1)
    attacked = siege(plain_port=0, limits=limits)
    eve = stranger(attacked.room, port=attacked.room.ports["plain"])
    eve.send(b"eve\n")
    eve.socket.setblocking(False)
    try:
        sent = 0
        while sent < 32 * 1024 * 1024:
            sent += eve.socket.send(b"flood\n" * 1000)
        raise AssertionError("the host reads all of it")
    except BlockingIOError:
        pass
    attacked.ann.hear(lambda: attacked.ann.texts.count("flood") >= limits.message_burst - FEW)
    for number in range(5):
        attacked.ann.round_trip(f"still here {number}")
    assert attacked.ann.texts.count("flood") <= limits.message_burst + FEW


def test_honest_members_are_not_slowed_down(siege):
    """A pasted page, a log that is piped in and a quick talker are neither slowed down nor dropped."""
    attacked = siege()
    bob: Listener = attacked.guest("bob")
    bob.member.outgoing.say("\n".join(f"line {number}" for number in range(90)))
    for number in range(90):
        bob.member.outgoing.say(f"log {number}")
    attacked.ann.hear_text("log 89")
    bob.hear_text("log 89")  # a request to slow down would have come before it
    assert bob.notices == []
