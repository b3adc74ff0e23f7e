"""What a program of this computer can do to the gateway without the password: nothing that its client notices."""

import random
import socket
from contextlib import ExitStack, closing, suppress

import pytest

from lanchat.gateway.listener import EARLY_LINES, MAX_CLIENTS
from tests.gateway.serving import entered
from tests.support.irc import IrcClient, command_of
from tests.support.people import Listener
from tests.support.waiting import PATIENCE


@pytest.fixture
def safe(seen, come, host, join):
    """`safe()`: the person's client, which is in a room, still talks and hears."""
    seen.rooms = [host("Room A")]
    ann = Listener(join(seen.rooms[0], "ann"))
    wee = come()
    wee.until("422")
    entered(wee, "#room-a")
    rounds = iter(range(100))

    def look() -> None:
        text = f"round {next(rounds)}"
        wee.send(f"PRIVMSG #room-a :{text}")
        ann.hear_text(text)
        ann.member.outgoing.say(f"heard {text}")
        while not wee.next("PRIVMSG").endswith(f"heard {text}"):
            pass

    look()
    yield look
    look()


def cut_off(sock: socket.socket) -> bool:
    with suppress(ConnectionError):
        while sock.recv(65536):
            pass
    return True


@pytest.fixture
def stranger(gateway, safe):
    """`stranger()`: a connection to the gateway, closed before its client is looked at."""
    with ExitStack() as stack:

        def connect() -> socket.socket:
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port)))
            sock.settimeout(PATIENCE)
            return sock

        yield connect


@pytest.mark.parametrize(
    "data",
    [
        b"x" * 30_000,
        b"@" + b"a" * 30_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\n" * 200,
        b"PING x\r\n" * 5000,
        b"\xff\xfe\r\n" * 5000,
        b"NICK wee\r\nUSER wee 0 * :wee\r\nPASS wrong\r\n",
        b"CAP LS 302\r\nCAP REQ :batch draft/multiline\r\nBATCH +1 draft/multiline #room-a\r\n" * 50,
    ],
)
def test_who_floods_it_with_anything_is_cut_off(stranger, data):
    eve = stranger()
    with suppress(ConnectionError):
        eve.sendall(data)
    assert cut_off(eve)


def test_nothing_is_done_for_who_has_not_registered(stranger, safe):
    chance = random.Random(17)
    words = "CHATHISTORY MARKREAD JOIN PART PRIVMSG LIST NAMES WHO WHOIS AWAY TOPIC MODE BATCH TAGMSG NONSENSE".split()
    eve = stranger()
    lines = [f"{chance.choice(words)} #room-a {chance.choice(words)} :x" for _ in range(EARLY_LINES)]
    eve.sendall("".join(f"{line}\r\n" for line in lines).encode())
    got = b""
    while got.count(b" 451 ") < EARLY_LINES:
        got += eve.recv(65536)
    assert got.count(b"\r\n") == EARLY_LINES


def test_many_connections_keep_nobody_out(gateway, stranger, safe):
    """Else any program could keep the person's client from coming back."""
    crowd = [stranger() for _ in range(3 * MAX_CLIENTS)]
    safe()
    assert all(map(cut_off, crowd[:MAX_CLIENTS]))
    with closing(IrcClient(gateway.port)) as other:
        assert [command_of(line) for line in other.answers("LIST")] == ["451"]
