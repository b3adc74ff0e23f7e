"""The TLS port of the IRC door under attack. After each attack an honest newcomer is in and heard."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from typing import Any

import pytest
from msgspec.structs import replace

from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import Left, Said
from lanchat.server.admission import ATTEMPTS_OF_NEW, PasswordThrottle
from lanchat.server.doors.irc import gate
from tests.hostile.siege import FEW, HURRY
from tests.support.irc import IrcClient
from tests.support.waiting import PATIENCE

PASSWORD = "kelp-oven-drama"


def unchecked() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.fixture
def irc(attackers: ExitStack) -> Callable[..., IrcClient]:
    """`irc(attacked, "eve")`: an IRC client from another machine."""

    def come(attacked: Any, nick: str = "", source: str = "127.0.0.66", password: str = "") -> IrcClient:
        port = attacked.room.ports["irc-tls"]
        client = IrcClient(port, nick, source=source, tls=unchecked(), password=password)
        return attackers.enter_context(closing(client))

    return come


@pytest.fixture
def raw(attackers: ExitStack) -> Callable[..., socket.socket]:
    """`raw(attacked)`: a connection without TLS to the port that wants it."""

    def connect(attacked: Any) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", attacked.room.ports["irc-tls"]), source_address=("127.0.0.66", 0))
        sock.settimeout(PATIENCE)
        return attackers.enter_context(sock)

    return connect


def ended(sock: socket.socket) -> bool:
    with suppress(ConnectionError):
        while sock.recv(4096):
            pass
    return True


HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # the beginning of a ClientHello of 512 bytes


@pytest.mark.parametrize(
    "data", [b"", HELLO, b"NICK eve\r\nUSER eve 0 * :eve\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 70_000, b"\x00" * 5000]
)
def test_who_does_not_finish_the_handshake_is_sent_away_in_time(siege, raw, data):
    attacked = siege(irc_tls_port=0, timing=replace(HURRY, name=0.5))
    socks = [raw(attacked) for _ in range(5)]
    for sock in socks:
        with suppress(ConnectionError):
            sock.sendall(data)
    assert all(map(ended, socks))
    attacked.ann.round_trip("after")


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to begin a handshake anew")
def test_a_client_cannot_make_the_host_shake_hands_again_and_again(siege):
    """Each new handshake would cost the host far more than the client."""
    attacked = siege(irc_tls_port=0)
    command = ["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{attacked.room.ports['irc-tls']}"]
    asked = subprocess.run(command, input=b"R\n" * 50, capture_output=True, timeout=PATIENCE)
    assert b"RENEGOTIATING" in asked.stdout + asked.stderr
    assert b"no renegotiation" in asked.stdout + asked.stderr
    attacked.ann.round_trip("after")


@pytest.mark.parametrize("data", [b"x" * 30_000, b"@" + b"a" * 30_000, b"PRIVMSG #room-a :" + b"x" * 9000])
def test_a_line_without_end_ends_the_link_or_is_refused(siege, irc, data):
    attacked = siege(irc_tls_port=0, timing=replace(HURRY, line=0.3))
    eve = irc(attacked, "eve")
    eve.socket.sendall(data)
    assert eve.end()
    attacked.ann.round_trip("after")


def test_who_sends_a_line_byte_by_byte_has_no_more_time_for_it(siege, irc):
    attacked = siege(irc_tls_port=0, timing=replace(HURRY, line=0.3))
    eve = irc(attacked, "eve")
    with suppress(OSError):
        for _ in range(10**6):
            eve.socket.sendall(b"x")
    attacked.ann.hear_kind(Left, nick="eve", code="rules")


def test_a_flood_waits_in_its_own_reader(siege, irc):
    limits = replace(DEFAULT_LIMITS, message_rate=0.1)
    attacked = siege(irc_tls_port=0, limits=limits)
    eve = irc(attacked, "eve")

    def of_eve() -> int:
        return sum(isinstance(item, Said) and item.nick == "eve" for item in attacked.ann.items)

    eve.send(*(f"PRIVMSG #room-a :{number}" for number in range(limits.message_burst * 2)))
    attacked.ann.hear(lambda: of_eve() >= limits.message_burst - FEW)
    for number in range(5):
        attacked.ann.round_trip(f"still here {number}")
    assert of_eve() <= limits.message_burst + FEW


@pytest.mark.full
def test_many_guesses_from_many_machines_keep_no_member_out(siege, irc, monkeypatch):
    """Only IRC clients wait then, and only for a minute: what is wrong counts apart from the room's own password."""
    monkeypatch.setattr(gate, "source_of", lambda address: address)
    monkeypatch.setattr(gate, "PasswordThrottle", lambda: PasswordThrottle(lambda: 0.0))  # the minute does not pass
    attacked = siege(password="the-room-itself", irc_tls_port=0, irc_password=PASSWORD)
    said = []
    for number in range(30):
        eve = irc(attacked, source=f"127.0.0.{100 + number}", password=f"guess-{number}")
        eve.send("NICK eve", "USER eve 0 * :eve")
        said.append(eve.end())
    assert ["Too many wrong passwords" in text.decode() for text in said] == [at >= ATTEMPTS_OF_NEW for at in range(30)]
    attacked.ann.round_trip("after")
    assert attacked.room.people == 1
