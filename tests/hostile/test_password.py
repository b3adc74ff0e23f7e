"""Attackers without the password stay out, learn nothing, and keep nobody else out."""

import hmac
import signal
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lanchat.errors import ConnectionLost, LanchatError, ProtocolError, Refused
from lanchat.network.password import PasswordExchange, stretch
from lanchat.protocol.framing import encode
from lanchat.protocol.messages import Card, Hello, Welcome
from lanchat.protocol.messages import Refused as Refusal
from lanchat.protocol.password import Confirm, Share
from lanchat.server import host as host_module
from lanchat.server.admission import ATTEMPTS_OF_KNOWN, ATTEMPTS_OF_NEW, ATTEMPTS_PER_SOURCE, PasswordThrottle
from lanchat.server.doors import native
from lanchat.server.doors.native import native_door
from lanchat.server.doors.plain import plain_door
from lanchat.server.host import Host
from lanchat.storage.log import NoLog, Opened
from tests.hostile.attackers import Caller, card, said_goodbye
from tests.support.addresses import LOOPBACK
from tests.support.commands import Commands
from tests.support.links import Clock
from tests.support.people import Listener, lose
from tests.support.strangers import Stranger
from tests.support.stretching import stretching
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("quick_stretch")

PASSWORD = "correct-horse-battery"


def a_share(host: bool = False) -> bytes:
    """A share that anybody can make."""
    return PasswordExchange(b"a guess".ljust(32), host=host, member=b"m", certificate=b"c").share


@pytest.fixture
def quick_stretch() -> Iterator[None]:
    """These tests are about who may guess, not about what a guess costs."""
    with stretching(quickly=True):
        yield


@pytest.fixture
def rooms(host):
    """A room with a password, for itself alone."""
    return lambda **options: host("Secret", password=PASSWORD, **options)


def begin(stranger: Stranger, who, share: bytes):
    """Connect, and begin a password attempt. Returns the host's answer."""
    stranger.tls()
    stranger.send(stranger.hello(who, "eve", share=share))
    return stranger.hear()


# ---- somebody in between


@pytest.mark.parametrize("own_hello", [False, True], ids=["byte for byte", "with a hello of its own"])
def test_mitm_relays_the_password_exchange(rooms, stranger, evil_host, victim, identity, own_hello):
    """Vera and the host both know the password, and mallory's certificate between them still spoils the exchange."""
    room, answers = rooms(), []

    def relay(caller: Caller) -> None:
        caller.establish()
        behind = stranger(room).tls()
        true_card = behind.hear(Card)
        caller.send(true_card)
        hello: Hello = caller.hear()
        if own_hello:
            hello = behind.hello(identity("mallory"), "vera", true_card, share=hello.share)
        behind.send(hello)
        while True:
            answer = behind.line()
            answers.append(answer)
            caller.send(answer + b"\n")
            behind.send(caller.line() + b"\n")

    with pytest.raises(Refused) as caught:
        victim(evil_host(relay).port, password=PASSWORD).join()
    wait_until(lambda: answers)
    if own_hello:
        assert caught.value.code == "password" and b'"code":"password"' in answers[-1]
    else:
        closing = said_goodbye(answers[-1])
        assert closing is not None and "proof of identity" in closing.text
    assert room.people == 0


def test_mitm_claims_that_the_room_has_no_password(evil_host, victim):
    """Vera came with a password, so she does not enter a room that asks for none."""
    mallory = evil_host(lambda caller: (caller.establish(), caller.send(card(password=False)), caller.line()))
    with pytest.raises(Refused, match="has no password, but you came with one") as caught:
        victim(mallory.port, password=PASSWORD).join()
    assert "somebody may be impersonating it" in caught.value.hint and mallory.callers[0].plain == b""


# ---- a host that does not know the password

KEYLESS = hmac.digest(b"", b"lanchat confirm host", "sha256")  # what a confirm was before any share: known to all

LIES: dict[str, list[Any]] = {
    "welcome at once": [Welcome("i", "vera", 0, 0, 0)],
    "welcome without confirm": [Share(a_share(host=True)), Welcome("i", "vera", 0, 0, 0)],
    "wrong confirm": [Share(a_share(host=True)), Confirm(b"c" * 32), Welcome("i", "vera", 0, 0, 0)],
    "confirm before any share": [Confirm(KEYLESS), Welcome("i", "vera", 0, 0, 0)],
    "two shares": [Share(a_share(host=True))] * 2 + [Welcome("i", "vera", 0, 0, 0)],
    "her own share": ["reflect", Confirm(b"c" * 32), Welcome("i", "vera", 0, 0, 0)],
    "a share of nothing": [Share(b""), Confirm(KEYLESS), Welcome("i", "vera", 0, 0, 0)],
    "the identity point": [Share(b"B" + (1).to_bytes(32, "little")), Welcome("i", "vera", 0, 0, 0)],
    "its other spelling": [Share(b"B" + (2**255 - 18).to_bytes(32, "little")), Welcome("i", "vera", 0, 0, 0)],
    "it with a sign": [Share(b"B" + (2**255 + 1).to_bytes(32, "little")), Welcome("i", "vera", 0, 0, 0)],
}


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_a_host_without_password_knowledge(evil_host, victim, lie):
    def pose(caller: Caller) -> None:
        caller.establish()
        caller.send(card(password=True))
        hello: Hello = caller.hear()
        caller.send(*(Share(hello.share) if message == "reflect" else message for message in LIES[lie]))

    mallory = evil_host(pose)
    member = victim(mallory.port, password=PASSWORD, patience=None)
    with pytest.raises((Refused, ProtocolError)):
        member.join()
    assert len(mallory.callers) == 1, "one guess"
    secret = stretch(PASSWORD, card().room)
    for hidden in (PASSWORD.encode(), secret, secret.hex().encode(), b64encode(secret)):
        assert hidden not in mallory.callers[0].plain


def test_evil_host_collects_guesses_by_hanging_up(evil_host, victim):
    """The host takes the share and cuts the link. No second exchange begins by itself."""
    shares = []

    def cut(caller: Caller) -> None:
        caller.establish()
        caller.send(card(password=True))
        shares.append(caller.hear().share)
        raise ConnectionAbortedError

    mallory = evil_host(cut)
    with pytest.raises(ConnectionLost):
        victim(mallory.port, password=PASSWORD, patience=None).join()
    assert len(shares) == len(mallory.callers) == 1


def test_evil_host_gets_no_guess_from_a_reconnect(rooms, evil_host, victim):
    room = rooms()
    vera = victim(room.port, password=PASSWORD, patience=None)
    vera.join()
    port = room.port
    lose(room)
    mallory = evil_host(
        lambda caller: (caller.establish(), caller.send(card(room=room.room_id, password=True)), caller.line()),
        port=port,
    )
    wait_until(lambda: len(mallory.callers) >= 3)
    assert {caller.plain for caller in mallory.callers} == {b""}, "no share, so no guess"


def test_a_reconnect_tries_a_changed_password_only_once(rooms, host, victim):
    """The owner has changed the password meanwhile. Vera is told so, and does not try again."""
    room = rooms()
    vera = victim(room.port, password=PASSWORD, patience=None)
    vera.join()
    port, room_id = room.port, room.room_id
    lose(room)
    host("Secret", password="another", port=port, room_id=room_id)
    end = Listener(vera).end()
    assert isinstance(end, Refused) and end.code == "password"


# ---- guessing


@pytest.fixture
def attempts_stand_still(monkeypatch) -> None:
    """No time passes for those who count attempts: none is given back, however slow this machine is."""
    monkeypatch.setattr(host_module, "PasswordThrottle", partial(PasswordThrottle, Clock()))


@pytest.mark.usefixtures("attempts_stand_still")
@pytest.mark.parametrize("guesses", [20, pytest.param(200, marks=pytest.mark.full)])
def test_online_guessing(siege, stranger, identity, guesses):
    """Of many guesses from 10 machines 10 are accepted, and a known member is admitted meanwhile."""
    attacked = siege(password=PASSWORD)  # where bob has been before
    heard_out, told_to_wait, share = 0, 0, a_share()
    for number in range(guesses):
        eve = stranger(attacked.room, f"127.0.0.{11 + number % 10}")
        answer = begin(eve, identity("eve"), share)
        if isinstance(answer, Share):
            heard_out += 1
            eve.send(Confirm(b"m" * 32))
            assert eve.hear() == Refusal("password", "The password is wrong.")
        else:
            assert answer.code == "busy"
            told_to_wait += 1
        eve.close()
        if number % 50 == 19:
            attacked.serves()
    assert (heard_out, told_to_wait) == (ATTEMPTS_OF_NEW, guesses - ATTEMPTS_OF_NEW)
    with pytest.raises(Refused, match="Too many wrong passwords") as caught:
        attacked.guest("newcomer")  # the honest newcomer waits too, and is told so: this nobody can have both ways
    assert caught.value.code == "busy"


@pytest.mark.usefixtures("attempts_stand_still")
def test_guessing_from_one_machine(siege, stranger, identity):
    attacked, share = siege(password=PASSWORD), a_share()
    answers = []
    for _ in range(8):
        with closing(stranger(attacked.room)) as eve:
            answers.append(type(begin(eve, identity("eve"), share)))
    assert answers == [Share] * ATTEMPTS_PER_SOURCE + [Refusal] * (8 - ATTEMPTS_PER_SOURCE)
    attacked.guest("newcomer")


class LogOfOpenRoom(NoLog):
    """The log of a room that these were in while it had no password."""

    def __init__(self, *members: str) -> None:
        super().__init__()
        self._owners = tuple((f"guest{number}", id) for number, id in enumerate(members))

    def open(self) -> Opened:
        return Opened(owners=self._owners)


@pytest.mark.full
@pytest.mark.usefixtures("attempts_stand_still")
def test_guessing_with_the_many_keys_of_a_room_that_was_open_before(siege, stranger, identity):
    """From one machine they count as one; from many they share what all keys of before have."""
    keys = [identity(f"eve{number}") for number in range(2 * ATTEMPTS_OF_KNOWN)]
    attacked, share = siege(password=PASSWORD, log=LogOfOpenRoom(*(key.id for key in keys))), a_share()

    def guesses(source: Callable[[int], str]) -> int:
        heard_out = 0
        for number, key in enumerate(keys):
            with closing(stranger(attacked.room, source(number))) as eve:
                heard_out += isinstance(begin(eve, key, share), Share)
        return heard_out

    assert guesses(lambda number: "127.0.0.66") == ATTEMPTS_PER_SOURCE
    assert guesses(lambda number: f"127.0.1.{number + 1}") == ATTEMPTS_OF_KNOWN - ATTEMPTS_PER_SOURCE
    attacked.serves()  # bob came in under this password
    attacked.guest("newcomer")


@pytest.mark.full
@pytest.mark.usefixtures("attempts_stand_still")
def test_attempts_that_are_started_and_dropped_count(siege, stranger, identity):
    attacked, share = siege(password=PASSWORD), a_share()
    answers = []
    for number in range(20):
        with closing(stranger(attacked.room, f"127.0.0.{20 + number}")) as eve:
            answers.append(type(begin(eve, identity("eve"), share)))
    assert answers == [Share] * ATTEMPTS_OF_NEW + [Refusal] * (20 - ATTEMPTS_OF_NEW)


@pytest.mark.full
@pytest.mark.usefixtures("attempts_stand_still")
def test_pake_as_cpu_dos(siege, stranger, identity, monkeypatch):
    """Each exchange costs 14 ms. A client that only starts them gets ten, and the room goes on talking."""
    attacked, share, computed = siege(password=PASSWORD), a_share(), []

    def counted(*args, **options):
        computed.append(1)
        return PasswordExchange(*args, **options)

    monkeypatch.setattr(native, "PasswordExchange", counted)
    stop = threading.Event()

    def start_and_drop(number: int) -> None:
        who = identity("eve")
        for round in range(25):
            if stop.is_set():
                return
            with closing(Stranger(attacked.room.port, f"127.0.{number}.{round + 1}")) as eve:
                try:
                    begin(eve, who, share)
                except OSError:
                    pass

    threads = [threading.Thread(target=start_and_drop, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    try:
        words = 0
        while any(thread.is_alive() for thread in threads):
            words += 1
            attacked.ann.round_trip(f"still here {words}")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert len(computed) == ATTEMPTS_OF_NEW


def test_an_invalid_share_is_refused(rooms, stranger, identity):
    room = rooms()
    signed_identity = b"A" + (2**255 + 1).to_bytes(32, "little")
    for share in (b"", b"A", b"A" + b"\xff" * 32, b"B" + bytes(32), b"A" + bytes(32), signed_identity, bytes(128)):
        eve = stranger(room).tls()
        eve.send(eve.hello(identity("eve"), "eve", share=share))
        assert said_goodbye(eve.gone()) is not None or share == b""
    assert room.people == 0


def test_a_client_that_skips_the_password_is_refused(rooms, stranger, identity):
    """Such a client sends a hello, then messages, then confirms, one after the other."""
    room = rooms()
    for lines in (b'{"t":"say","id":"1","text":"in?"}\n', encode(Confirm(b"m" * 32)), encode(Confirm(KEYLESS))):
        eve = stranger(room).tls()
        eve.send(lines)
        assert said_goodbye(eve.gone()) is not None
        eve = stranger(room).tls()
        eve.send(eve.hello(identity("eve"), "eve", share=a_share()), lines, lines)
        assert b'"t":"welcome"' not in eve.gone()
    assert room.people == 0


def test_a_room_with_a_password_has_no_plain_door(identity):
    with pytest.raises(ValueError, match="cannot have an unencrypted port"):
        Host(
            "Secret",
            identity("hal"),
            nick="hal",
            on=LOOPBACK,
            doors=[native_door(0), plain_door(0)],
            password=PASSWORD,
        )


# ---- the password itself


def test_the_password_is_on_no_wire(rooms, proxy, victim):
    """An eavesdropper sees neither the password nor a value made from it, in any encoding."""
    room = rooms()
    between = proxy(room.port)
    victim(between.port, password=PASSWORD).join()
    with pytest.raises(LanchatError):
        victim(between.port, password="wrong-password").join()
    assert len(between.passed) > 2000
    secret = stretch(PASSWORD, room.room_id)
    for hidden in (PASSWORD.encode(), b"wrong-password", secret, secret.hex().encode(), b64encode(secret)):
        assert hidden not in between.passed


def test_the_password_is_in_no_repr(identity):
    from lanchat.client.connect import Credentials

    assert PASSWORD not in repr(Credentials(identity("ann"), "ann", lambda card, key: None, PASSWORD))


@pytest.mark.full
def test_the_password_is_in_no_file_and_no_argv(own_world, tmp_path, proxy):
    """A host and a member run as programs with their logs, and then every file is searched."""
    secret_file = tmp_path / "given"
    secret_file.write_text(PASSWORD + "\n")
    with Commands(own_world, fresh=True) as lanchat, Commands(own_world / "members", fresh=True) as members:
        hal, vera = lanchat.home("hal"), members.home("vera")
        for home in (hal, vera):
            home.mkdir(parents=True)
        options = ("--headless", "--password-file", str(secret_file))
        host = lanchat.host("Secret", *options, LANCHAT_LOG=str(hal / "debug.log"))
        between = proxy(host.port)
        joining = ("join", f"127.0.0.1:{between.port}", "--nick", "vera")
        log = str(vera / "debug.log")
        # LANCHAT_PASSWORD is how it comes in, and is seen by nobody else (proc(5): /proc/PID/environ is its owner's)
        member = members.run(*joining, input="hello\n", LANCHAT_PASSWORD=PASSWORD, LANCHAT_LOG=log)
        wrong = members.run(*joining, input="hello\n", LANCHAT_PASSWORD="not-the-password", LANCHAT_LOG=log)
        seen = [between.passed]
        if (argv := Path(f"/proc/{host.process.pid}/cmdline")).exists():
            seen.append(argv.read_bytes())
            assert b"--password-file" in seen[-1]
        host.stop(signal.SIGINT)
    assert member.code == 0, member.err
    assert wrong.code == 4 and "he password is wrong" in wrong.err and "Ask the host for it." in wrong.err
    assert (hal / "debug.log").stat().st_size and (vera / "debug.log").exists()
    files = [path.read_bytes() for path in own_world.rglob("*") if path.is_file()]
    assert len(files) > 10, "what the two keep, and what their programs said"
    for text in [*seen, *files]:
        assert PASSWORD.encode() not in text and b"not-the-password" not in text


def test_the_waiting_time_in_a_refusal_is_right(rooms, stranger, identity):
    """The waiting time that the host names is at most a minute, however many attempts there were."""
    room, share = rooms(), a_share()
    answer = None
    for _ in range(30):
        with closing(stranger(room, "127.0.0.1")) as eve:
            answer = begin(eve, identity("eve"), share)
    assert isinstance(answer, Refusal)
    seconds = int(answer.text.split(" in ")[1].split(" ")[0])
    assert 1 <= seconds <= 60 and answer.code == "busy"
