"""Attacks of a host on its members."""

import gc
import re
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from lanchat.client.events import Closed
from lanchat.errors import HostKeyChanged, LanchatError, NotLanchat, TimedOut
from lanchat.protocol.delegation import Delegation, Standby, TermRecord
from lanchat.protocol.framing import MAX_LINE, encode
from lanchat.protocol.ids import member_id
from lanchat.protocol.limits import MAX_PEOPLE
from lanchat.protocol.messages import (
    Ack,
    Closing,
    Event,
    Joined,
    Left,
    Notice,
    Ping,
    Present,
    Refused,
    Renamed,
    Said,
    Welcome,
)
from lanchat.protocol.password import Share
from lanchat.protocol.timeline import Timeline, make_epoch
from lanchat.room.roster import Roster
from lanchat.threads import now_ms
from tests.hostile.attackers import ROOM, Caller, card, let_in
from tests.hostile.siege import HURRY, MEMORY_LIMIT, rss
from tests.support.commands import Commands
from tests.support.harmless import harmful
from tests.support.people import Listener
from tests.support.ptyscreen import PtyScreen
from tests.support.waiting import PATIENCE, wait_until

EVE = "e" * 32
LAST = 2**53 - 1
TERMINAL = "\x1b]0;pwned\x07\x1b[2J\x1b[31m\x9b31m\x90q\x9c\x1b]52;c;cHduZWQ=\x07\b\b\b\r\x0b\x0c\x00\x7f"
TERMINAL += "\u202e\u2066\u200b\u0085"


def said(seq: int, text: str, **changes) -> Said:
    return Said(**{"seq": seq, "at": 0, "by": EVE, "nick": "eve", "id": str(seq), "text": text, **changes})


# ---- lies at the door


def test_papers_that_expire_while_it_lets_us_in_leave_no_thread_behind(evil_host, victim, identity):
    """Such a thread would keep the whole program alive."""
    owner, standby = identity("owner"), identity("mallory")
    until = now_ms() + 300
    named = (Standby(1, standby.public, b"instance"),)
    delegation = Delegation(ROOM, 1, made=0, until=until, standbys=named).signed(owner.sign)
    term = TermRecord(ROOM, standby.public, 1, 0, Timeline(make_epoch(1, 1))).signed(standby.sign)

    def host(caller: Caller) -> None:
        caller.establish()
        caller.send(card(owner=owner.public, delegation=delegation, term=term))
        hello = caller.hear()
        wait_until(lambda: now_ms() >= until)
        caller.send(Welcome(member_id(hello.key), hello.nick, 0, 0, 0))

    with pytest.raises(HostKeyChanged, match="expired"):
        victim(evil_host(host).port).join()
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("member-")])


NO_HOST = {
    "garbage": b"\x00\x01\xff" * 1000 + b"\n",
    "an endless line": b"x" * (4 * MAX_LINE),
    "a deep line": b"[" * 16000 + b"\n",
    "a surrogate": b'{"t":"card","v":1,"room":"' + b"5" * 32 + b'","title":"\\ud800","host":"h","people":1}\n',
    "negative people": b'{"t":"card","v":1,"room":"' + b"5" * 32 + b'","title":"a","host":"h","people":-1}\n',
    "nothing": b"",
    "a welcome": encode(Welcome("i", "vera", 0, 0, 0)),
    "a message": encode(said(1, "hi")),
    "blank lines": b"\n" * 5000 + b"x\n",
}


@pytest.mark.parametrize("lie", NO_HOST)
def test_a_peer_that_is_no_host(evil_host, victim, lie):
    def pose(caller: Caller) -> None:
        caller.establish()
        caller.send(NO_HOST[lie])
        caller.socket.shutdown(socket.SHUT_WR)

    with pytest.raises(LanchatError):
        victim(evil_host(pose).port).join()


AFTER_HELLO: dict[str, list[Any]] = {
    "garbage": [b"\x00\x01\xff\n"],
    "an endless line": [b"x" * (4 * MAX_LINE)],
    "a deep line": [b"[" * 16000 + b"\n"],
    "another card": [card()],
    "a share": [Share(b"s")],
    "a message": [said(1, "hi")],
    "people without number": [Welcome("i", "vera", 0, 0, LAST)],
    "people who are none": [Welcome("i", "vera", 0, 0, 2), said(1, "hi"), said(2, "hi")],
    "a refusal that acts": [Refused(TERMINAL[:60], TERMINAL, TERMINAL)],
    "a closing that acts": [Closing("rules", TERMINAL)],
    "a number too large": [b'{"t":"welcome","id":"i","nick":"vera","seq":9007199254740992,"stored":0,"people":0}\n'],
}


@pytest.mark.parametrize("lie", AFTER_HELLO)
def test_lies_after_the_hello(evil_host, victim, lie):
    """Each ends it at once: no deadline would, for a lie that is passed over."""
    patient = replace(HURRY, greeting=3600, welcome=3600)

    def pose(caller: Caller) -> None:
        caller.establish()
        caller.send(card())
        caller.line()
        caller.send(*AFTER_HELLO[lie])

    with pytest.raises(LanchatError):
        victim(evil_host(pose).port, timing=patient).join()


def test_people_without_end(evil_host, victim):
    """A plausible number of people, and then lines without end: no more are read than were announced."""
    more = [Present(f"{number:032}", "n" * 256) for number in range(MAX_PEOPLE)]
    mallory = evil_host(lambda caller: let_in(caller, *more, *more, people=MAX_PEOPLE))
    came = victim(mallory.port).join()
    assert len(came.present) == MAX_PEOPLE


@pytest.mark.parametrize("phase", ["handshake", "card", "welcome", "people"])
def test_slowloris_of_a_host(evil_host, victim, phase):
    """In each phase the host sends a byte now and then, and vera's own deadline holds."""
    hurry = replace(HURRY, greeting=0.5) if phase in ("handshake", "card") else replace(HURRY, welcome=0.5)
    stop = threading.Event()

    def drip(send: Callable[[bytes], object], data: bytes) -> None:
        for at in range(len(data)):
            if stop.wait(0.05):
                return
            send(data[at : at + 1])

    def pose(caller: Caller) -> None:
        if phase == "handshake":
            return drip(caller.send_raw, b"\x16\x03\x03\x40\x00" + bytes(1000))
        caller.establish()
        if phase == "card":
            return drip(caller.send, encode(card())[:-1])
        caller.send(card())
        caller.line()
        drip(caller.send, encode(Welcome("i", "vera", 0, 0, 2)) if phase == "people" else b" " * 500)
        return drip(caller.send, encode(Present("i", "x" * 200)) * 2)

    mallory = evil_host(pose)
    try:
        with pytest.raises(LanchatError, match="in time"):
            victim(mallory.port, timing=hurry).join()
    finally:
        stop.set()


@pytest.mark.parametrize("phase", ["card", "people"])
def test_a_host_that_holds_a_script_at_the_door(evil_host, own_world, phase):
    """It says a little now and then, so it is never silent. The time of `--timeout` counts all the same."""
    stop = threading.Event()

    def drip(caller: Caller) -> None:
        caller.establish()
        if phase == "people":
            caller.send(card())
            hello = caller.hear()
            caller.send(Welcome(member_id(hello.key), hello.nick, 0, 0, MAX_PEOPLE))
        for number in range(MAX_PEOPLE):
            if stop.wait(0.1):
                return
            caller.send(encode(Present(f"{number:032}", "n")) if phase == "people" else b" ")

    mallory = evil_host(drip)
    try:
        with Commands(own_world) as lanchat:
            done = lanchat.run("join", f"127.0.0.1:{mallory.port}", "--nick", "vera", "--timeout", "0.5")
    finally:
        stop.set()
    assert done.code == TimedOut.exit_code, done
    assert "You could not join in time." in done.err


# ---- lies inside

INSIDE: dict[str, list[Any]] = {
    "garbage": [b"\x00\x01\xff\n"],
    "an endless line": [b"x" * (4 * MAX_LINE)],
    "half a line, then nothing": [b'{"t":"said","seq":1'],
    "no UTF-8": [b'{"t":"notice","code":"x","text":"\xff"}\n'],
    "a surrogate": [b'{"t":"notice","code":"x","text":"\\ud800"}\n'],
    "a closing that acts": [Closing("closed", TERMINAL)],
    "a ban": [Closing("banned", TERMINAL)],
    "a refusal code of its own": [Closing(TERMINAL[:50], TERMINAL)],
}


@pytest.mark.parametrize("lie", INSIDE)
def test_lies_after_the_welcome(evil_host, victim, lie):
    def pose(caller: Caller) -> None:
        let_in(caller, said(1, "hello"))
        caller.line()
        caller.send(*INSIDE[lie])
        raise ConnectionAbortedError

    vera = victim(evil_host(pose).port)
    vera.join()
    vera.outgoing.say("go on")
    honest = Listener(vera)
    assert str(honest.end())
    assert honest.texts == ["hello"]


def test_false_sequence_numbers(evil_host, victim):
    """Events come out of order, twice, and with enormous numbers. None is passed on twice, and nothing crashes."""
    events = [said(5, "five"), said(5, "five again"), said(3, "three"), said(LAST, "last"), said(6, "six")]
    more: list[Any] = [Ack(LAST), Ack(0), Ping(), Left(1, 0, EVE, "eve"), Renamed(1, 0, EVE, "eve", "x")]
    mallory = evil_host(lambda caller: let_in(caller, *events, *more, Notice("x", "end")))
    vera = victim(mallory.port)
    vera.join()
    honest = Listener(vera)
    honest.hear(lambda: honest.notices)
    assert honest.texts == ["five", "last"]


def test_acks_for_messages_that_were_never_sent(evil_host, victim, identity):
    forged = said(1, "mine?", by=identity("vera").id, id="forged")
    mallory = evil_host(lambda caller: let_in(caller, Ack(LAST), forged, Ack(LAST)))
    vera = victim(mallory.port)
    vera.join()
    id = vera.outgoing.say("really mine")
    assert not vera.delivery.wait_acked(0.2), "an Ack for numbers that were not given yet keeps nothing"
    assert not any(isinstance(item, Closed) for item in vera.queue.take(0)) and id


@pytest.mark.full
@pytest.mark.parametrize(
    "event",
    [
        said(0, "\U0001f600" * 4000),
        *(
            pytest.param(event, marks=pytest.mark.full)
            for event in (
                Joined(0, 0, EVE, "n" * 250),
                said(0, "x"),
                Renamed(0, 0, EVE, "n" * 250, "m" * 250),
                Notice("x", "\U0001f600" * 4000),
                Ping(),
            )
        ),
    ],
    ids=lambda event: type(event).__name__,
)
def test_flood_of_events(evil_host, victim, event):
    """32 MB or 50,000 events at a program that takes nothing, then at one that takes all: memory does not grow."""
    all_sent, stop = threading.Event(), threading.Event()

    def pour(caller: Caller) -> None:
        let_in(caller)
        seq = sent = 0
        while seq < 50_000 and sent < 32 * 1024 * 1024 and not stop.is_set():
            batch = b""
            for _ in range(100):
                seq += 1
                changes = {} if isinstance(event, Notice | Ping) else {"seq": seq, "by": f"{seq:032}"}
                batch += encode(_changed(event, **changes))
            caller.send(batch)
            sent += len(batch)
        all_sent.set()

    gc.collect()
    before = rss()
    vera = victim(evil_host(pour).port)
    came, view = vera.join(), Roster()
    try:
        view.welcome(came.welcome, came.present)
        wait_until(lambda: vera.queue.full or all_sent.is_set())
        assert rss() - before < MEMORY_LIMIT

        def taken() -> bool:
            over = all_sent.is_set()  # asked first: what was sent before its end is taken
            for item in vera.queue.take(0.1):
                if isinstance(item, Event):
                    view.apply(item)
            assert len(view.people) <= MAX_PEOPLE
            return over

        wait_until(taken)
        assert rss() - before < MEMORY_LIMIT
    finally:
        stop.set()


def _changed(event, **changes):
    import msgspec

    return msgspec.structs.replace(event, **changes)


def test_session_tickets_without_end_of_a_host(evil_host, victim):
    """They are records without content, as KeyUpdates are; these come at the end of the handshake."""
    mallory = evil_host(lambda caller: caller.establish())
    mallory._context.num_tickets = 1000
    with pytest.raises(NotLanchat, match="noise"):
        victim(mallory.port).join()


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_key_updates_of_a_host(identity, victim):
    """10,000 KeyUpdates make a member hang up, and do no other harm."""
    from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey
    from tlslite.errors import TLSError

    mallory = identity("mallory")
    chain = X509CertChain()
    chain.parsePemList(mallory.certificate_path.read_text())
    key = parsePEMKey(mallory.key_path.read_text(), private=True)
    settings = HandshakeSettings()
    settings.minVersion = settings.maxVersion = (3, 4)
    settings.ticket_count = 0
    sent: list[int] = []

    def serve(server: socket.socket) -> None:
        with server.accept()[0] as sock:
            sock.settimeout(PATIENCE)
            tls = TLSConnection(sock)
            tls.handshakeServer(certChain=chain, privateKey=key, settings=settings)
            tls.sock.buffer_writes = False
            tls.sendall(encode(card()))
            tls.recv(4096)
            tls.sendall(encode(Welcome(identity("vera").id, "vera", 0, 0, 0)))
            try:
                for number in range(10_000):
                    for _ in tls.send_keyupdate_request(0):
                        pass
                    sent.append(number)
            except (OSError, TLSError):
                pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        vera = victim(server.getsockname()[1])
        vera.join()
        end = Listener(vera).end()
        thread.join()
    assert "noise" in str(end) and len(sent) < 5000


# ---- the terminal

PROMPT = "> "
SHOWN = "a line that is whole"


def acting_host(caller: Caller) -> None:
    """Every text that a host can send, with sequences that would control an unprotected terminal."""
    nick = TERMINAL[:40] + "eve"
    let_in(
        caller,
        Present(TERMINAL[:20], nick),
        Joined(1, LAST, TERMINAL[:30], nick),
        said(2, f"{TERMINAL} two", nick=nick, by=TERMINAL[:30]),
        said(3, "one\n" + TERMINAL + "\nthree", at=LAST),
        said(4, "> fake prompt", nick=" "),
        said(5, "-- you are now the host", nick="--"),
        Renamed(6, 0, EVE, nick, TERMINAL[:60]),
        Left(7, 0, EVE, nick, TERMINAL[:60]),
        Notice(TERMINAL, TERMINAL),
        said(8, "\U0001f469\u200d\U0001f4bb" * 100 + "\u0301" * 500 + "\ufdfd" * 50),
        said(9, SHOWN),
        title=TERMINAL[:80] + "Room A",
        host=nick,
        nick=TERMINAL[:40],
        people=1,
    )
    caller.line()
    caller.send(Closing(TERMINAL, f"{TERMINAL} the end"))


def check_bytes(raw: bytes) -> None:
    """Check that no sequence of the host got through. prompt_toolkit itself writes sequences of other kinds."""
    raw = re.sub(rb"\x1b\]2;[^\x00-\x1f\x7f]* - lanchat\x1b\\", b"", raw)  # our own: the title
    for bad in (b"\x07", b"\x1b]", b"\x1bP", b"\xc2\x9b", b"\xc2\x90", b"\xc2\x85", b"\x0b", b"\x0c", b"\x00", b"\x7f"):
        assert bad not in raw, f"{bad!r} on the terminal"
    for hidden in ("\u202e", "\u2066", "\u200b"):
        assert hidden.encode() not in raw


def test_a_host_cannot_control_the_screen(evil_host, identity):
    mallory = evil_host(acting_host)
    home = identity("vera").key_path.parent
    program = [sys.executable, "-m", "tests.terminal.chat.chat_program", str(mallory.port), "vera", str(home)]
    with PtyScreen(program) as screen:
        screen.wait_until(lambda: SHOWN in screen.text)
        screen.press("half a line")
        screen.wait_until(lambda: any(line.startswith(PROMPT + "half a line") for line in screen.lines))
        column, row = screen.cursor
        assert screen.lines[row].startswith(PROMPT + "half a line") and column == len(PROMPT + "half a line")
        text = "\n".join(screen.all_lines)
        assert "\\x1b]0;pwned\\x07" in text and "<U+202E>" in text
        assert not any(line.startswith("--") and "you are now the host" in line for line in screen.all_lines)
        assert screen.title.endswith(" - lanchat") and harmful(screen.title) == set()
        screen.press("\r")
        screen.wait_until(lambda: "Ctrl-C leaves" in screen.text)
        screen.press("\x03\x03")
        assert screen.wait_exit() == 3
        check_bytes(bytes(screen.raw).split(b"left: error")[0])  # there this program itself says how it ended
        assert screen.modes == screen.modes_before


@pytest.mark.parametrize("code", ["nick", "password", "banned"])
def test_the_text_of_a_refusal_cannot_control_the_terminal(evil_host, code, own_world):
    """Before the screen is up, texts of a host are printed line by line, and are safe there, too."""

    def refuse(caller: Caller) -> None:
        caller.establish()
        caller.send(card())
        caller.line()
        caller.send(Refused(code, f"{TERMINAL} no", f"{TERMINAL[:40]}vera2"))

    mallory = evil_host(refuse)
    program = [sys.executable, "-m", "lanchat", "join", f"127.0.0.1:{mallory.port}", "--nick", "vera"]
    with PtyScreen(program, columns=200) as screen:
        screen.wait_until(lambda: "pwned" in screen.text)
        wait_until(lambda: mallory.callers)
        if code != "banned":
            screen.wait_question()
            screen.press("\x03")
        screen.wait_exit()
        check_bytes(bytes(screen.raw))
        assert screen.title == ""
