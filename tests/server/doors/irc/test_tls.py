"""The IRC door with TLS, and its password."""

import base64
import hashlib
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from lanchat.server.admission import PasswordThrottle
from lanchat.server.doors.irc import gate
from lanchat.server.doors.irc.door import IrcTlsDoor
from lanchat.server.host import Host
from lanchat.storage.web_certificate import IRC_FILE, load_irc_certificate
from tests.support.irc import IrcClient, command_of, parsed
from tests.support.people import Listener
from tests.support.waiting import wait_until

PASSWORD = "kelp-oven-drama"


def unchecked(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = version
    return context


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def come(clients: ExitStack, room: Host, nick: str = "", **options: object) -> IrcClient:
    options = {"tls": unchecked(), **options}
    return clients.enter_context(closing(IrcClient(room.ports["irc-tls"], nick, **options)))  # type: ignore[arg-type]


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The minute in which wrong passwords count does not pass, however slow the guesses are."""
    monkeypatch.setattr(gate, "PasswordThrottle", lambda: PasswordThrottle(lambda: 0.0))


@pytest.fixture
def locked(host) -> Host:
    opened: Host = host("Room A", password="the-room-itself", irc_tls_port=0, irc_password=PASSWORD)
    return opened


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_talks_by_tls_and_may_pin_the_certificate(host, join, clients, version):
    room = host("Room A", irc_port=0, irc_tls_port=0)
    ann = Listener(join(room, "ann"))
    wee = come(clients, room, "wee", tls=unchecked(version))
    wee.send("PRIVMSG #room-a :hello")
    ann.hear_text("hello")
    ann.member.outgoing.say("welcome " + "x" * 4000)
    assert parsed(wee.next("PRIVMSG")).parameters[1].startswith("welcome")
    assert isinstance(wee.socket, ssl.SSLSocket)
    shown = wee.socket.getpeercert(binary_form=True)
    door = room.doors.find("irc-tls")
    assert isinstance(door, IrcTlsDoor) and shown is not None
    assert hashlib.sha256(shown).hexdigest() == door.certificate
    assert wee.socket.cipher()[0].startswith(("TLS_", "ECDHE-ECDSA-"))  # type: ignore[index]
    assert any("The way to the host is encrypted." in line for line in wee.answers("MOTD"))


def test_clients_of_both_ports_share_what_is_encoded(host, clients):
    room = host("Room A", irc_port=0, irc_tls_port=0)
    wee = come(clients, room, "wee")
    woo = clients.enter_context(closing(IrcClient(room.ports["irc"], "woo")))
    wee.next("JOIN")
    woo.send("PRIVMSG wee :psst")
    assert parsed(wee.next("PRIVMSG")).parameters[1] == "psst"
    dialects = {session.dialect for session in room._hub.sessions}
    assert len(dialects) == 1


def test_the_password_lets_a_client_into_a_room_with_another_password(locked, clients):
    wee = come(clients, locked, "wee", password=PASSWORD)
    assert wee.numbers("NAMES") == ["353", "366"]
    assert locked.people == 1


@pytest.mark.parametrize("password", ["", "kelp-oven-dramas", "the-room-itself", "\u0436" * 40])
def test_without_it_nobody_comes_in(locked, clients, password):
    eve = come(clients, locked, password=password)
    eve.send("NICK eve", "USER eve 0 * :eve")
    assert parsed(eve.line()).command == "464"
    assert eve.end().startswith(b"ERROR :The password is wrong.")
    assert locked.people == 0


def sasl(client: IrcClient, *pieces: str) -> list[str]:
    """The answers to a login, before registration."""
    client.send("CAP LS 302")
    assert "sasl=PLAIN" in client.next("CAP")
    client.send("CAP REQ :sasl", "NICK wee", "USER wee 0 * :wee")
    client.next("CAP")
    return client.answers(*pieces)


def plain(user: str, password: str) -> str:
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


def test_a_client_logs_in_by_sasl_under_any_user_name(locked, clients):
    wee = come(clients, locked)
    begun, told, done = sasl(wee, "AUTHENTICATE PLAIN", f"AUTHENTICATE {plain('anybody', PASSWORD)}")
    assert begun == "AUTHENTICATE +"
    assert parsed(told).command == "900" and parsed(told).parameters[2] == "anybody"
    assert parsed(done).command == "903"
    wee.send("CAP END")
    wee.until("366")
    assert wee.numbers("AUTHENTICATE PLAIN") == ["907"]


@pytest.mark.parametrize(
    ("pieces", "numbers"),
    [
        (["AUTHENTICATE PLAIN", f"AUTHENTICATE {plain('wee', 'wrong')}"], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE PLAIN", "AUTHENTICATE !!!"], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE PLAIN", "AUTHENTICATE +"], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE PLAIN", "AUTHENTICATE *"], ["AUTHENTICATE", "906"]),
        (["AUTHENTICATE EXTERNAL"], ["908", "904"]),
        (["AUTHENTICATE PLAIN", f"AUTHENTICATE {'A' * 401}"], ["AUTHENTICATE", "905"]),
        (["AUTHENTICATE PLAIN", *[f"AUTHENTICATE {'A' * 400}"] * 4], ["AUTHENTICATE", "905"]),
    ],
)
def test_a_login_that_fails_lets_nobody_in(locked, clients, pieces, numbers):
    eve = come(clients, locked)
    assert [command_of(line) for line in sasl(eve, *pieces)] == numbers
    eve.send("CAP END")
    assert parsed(eve.line()).command == "464"
    assert eve.end().startswith(b"ERROR :")
    assert locked.people == 0


def test_a_long_password_comes_in_pieces(host, clients):
    password = "x" * 600
    room = host("Room A", password="the-room-itself", irc_tls_port=0, irc_password=password)
    message = plain("wee", password)
    pieces = [message[at : at + 400] for at in range(0, len(message), 400)]
    wee = come(clients, room)
    answers = sasl(wee, "AUTHENTICATE PLAIN", *(f"AUTHENTICATE {piece}" for piece in pieces))
    assert [command_of(line) for line in answers] == ["AUTHENTICATE", "900", "903"]


def test_a_door_without_a_password_offers_no_login(host, clients):
    room = host("Room A", irc_tls_port=0)
    client = come(clients, room)
    client.send("CAP LS 302")
    assert "sasl" not in client.next("CAP")
    assert [command_of(line) for line in client.answers("AUTHENTICATE PLAIN")] == ["451"]


def test_who_guesses_by_logins_waits_as_well(still, locked, clients):
    eve = come(clients, locked)
    pieces = ["AUTHENTICATE PLAIN", f"AUTHENTICATE {plain('eve', 'wrong')}"] * 12
    last = sasl(eve, *pieces)[-1]
    assert "Too many wrong passwords" in last


def test_who_guesses_waits_and_members_are_not_kept_out(still, host, join, clients):
    room = host("Room A", password="the-room-itself", irc_tls_port=0, irc_password=PASSWORD)
    for number in range(11):
        eve = come(clients, room, password=f"guess-{number}")
        eve.send("NICK eve", "USER eve 0 * :eve")
        eve.next("464")
        said = eve.end()
    assert b"Too many wrong passwords" in said
    join(room, "ann", password="the-room-itself")
    wait_until(lambda: room.people == 1)


def test_a_room_with_a_password_has_no_door_without_one(host):
    for ports in ({"irc_port": 0}, {"irc_tls_port": 0}):
        with pytest.raises(ValueError, match="password"):
            host("Room A", password="the-room-itself", **ports)


def test_who_does_not_speak_tls_is_sent_away(locked, clients):
    eve = clients.enter_context(closing(IrcClient(locked.ports["irc-tls"])))
    eve.send("NICK eve", "USER eve 0 * :eve")
    eve.end()
    assert locked.people == 0


def test_the_client_may_not_renegotiate(locked):
    door = locked.doors.find("irc-tls")
    assert isinstance(door, IrcTlsDoor)
    options = door._context.options
    assert options & ssl.OP_NO_RENEGOTIATION and options & ssl.OP_NO_TICKET and options & ssl.OP_NO_COMPRESSION


def test_the_certificate_is_made_once_and_nobody_else_can_read_the_key(tmp_path):
    path = load_irc_certificate(tmp_path)
    before = path.read_bytes()
    assert path == tmp_path / IRC_FILE and path.stat().st_mode & 0o777 == 0o600
    assert load_irc_certificate(tmp_path).read_bytes() == before
    path.write_bytes(b"damaged")
    assert load_irc_certificate(tmp_path).read_bytes() not in (before, b"damaged")
