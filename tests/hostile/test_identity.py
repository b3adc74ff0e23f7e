"""Impersonation of a member or of a host."""

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from itertools import product

import msgspec
import pytest
from msgspec.structs import replace

import lanchat
from lanchat.api import joining as joining
from lanchat.api.targets import Target
from lanchat.client.member import Member
from lanchat.errors import ConnectionLost, HostKeyChanged, LanchatError, NotLanchat, ProtocolError, Refused
from lanchat.network.connect import dial
from lanchat.protocol.address import Endpoint
from lanchat.protocol.framing import encode
from lanchat.protocol.ids import fingerprint, member_id
from lanchat.protocol.limits import DEFAULT_LIMITS, NO_LIMITS
from lanchat.protocol.messages import Closing, FromHost, Joined, Left, Notice, Present, Rename, Renamed, Welcome
from lanchat.protocol.messages import Refused as Refusal
from lanchat.protocol.text import grouped
from lanchat.server.doors.native import native_door
from lanchat.server.host import Host
from lanchat.storage.home import home_folder
from lanchat.storage.identity import Identity
from lanchat.storage.known_hosts import KnownHosts
from lanchat.storage.own_settings import OwnSettings
from lanchat.storage.reader import LogReader
from lanchat.storage.rooms import log_paths
from lanchat.storage.sqlite_log import SqliteLog
from lanchat.storage.store import Store
from lanchat.terminal.chat.feed import Feed
from lanchat.terminal.wording import first_time_text
from tests.hostile.attackers import ROOM, Caller, card, let_in
from tests.hostile.siege import HURRY
from tests.support.addresses import LOOPBACK
from tests.support.commands import Commands
from tests.support.people import Listener
from tests.support.strangers import Stranger
from tests.support.waiting import PATIENCE, wait_until

HANDSHAKE, CHANGE_CIPHER, APPLICATION = 22, 20, 23  # record types (RFC 8446, 5.1)


def enter(port: int, **options):
    pin, room_id = options.pop("pin", ""), options.pop("room_id", None)
    target = Target((Endpoint("127.0.0.1", port),), room_id, pin)
    return joining.join_target(target, "vera", patience=0, timing=HURRY, **options)


def records(raw: bytes) -> list[tuple[int, int]]:
    """Type and length of each TLS record."""
    found = []
    while raw:
        length = int.from_bytes(raw[3:5])
        found.append((raw[0], length))
        raw = raw[5 + length :]
    return found


# ---- nicks


@pytest.mark.parametrize("nick", ["evan", "Evan", "EVAN", "evan ", "\u0435van", "ev\u200ban", "e\u03bdan", "\u0395van"])
def test_nick_impersonation(siege, nick):
    """Nicks that look the same: by case, padding, letters of other alphabets, an invisible character."""
    attacked = siege()
    attacked.guest("evan")
    with pytest.raises((Refused, ValueError)):
        attacked.guest(nick, owner="eve")


def test_a_nick_that_looks_different_is_admitted(siege):
    attacked = siege()
    attacked.guest("evan")
    attacked.guest("evan\u0301", owner="eve")
    assert attacked.room.people == 3


def test_the_nick_of_a_member_who_has_left_is_refused(siege):
    attacked = siege()
    attacked.guest("evan").member.close()
    wait_until(lambda: attacked.room.people == 1)
    with pytest.raises(Refused, match="evan belongs to somebody who was here before"):
        attacked.guest("evan", owner="eve")
    attacked.guest("evan")


def test_an_owned_nick_cannot_be_taken_by_renaming(siege):
    eve = siege().guest("eve")
    for nick in ("Ann", "\u0430nn", "A\u039d\u039d"):
        eve.member.outgoing.rename(nick)
    eve.hear(lambda: eve.notices == ["nick"] * 3)


@pytest.mark.parametrize("nick", ["loser", "x\x1b]0;p\x07", "y" * 256])
def test_a_nick_that_a_host_gives_us_stays_in_its_room(evil_host, identity, nick):
    """What we asked for is kept for all rooms, and nothing else."""

    def rename(caller: Caller) -> None:
        id = member_id(let_in(caller).key)
        caller.send(Renamed(1, 0, id, "vera", nick))
        wanted = next(message for message in iter(caller.hear, None) if isinstance(message, Rename))
        caller.send(Renamed(2, 0, id, nick, wanted.nick), Renamed(3, 0, id, wanted.nick, nick))

    own = OwnSettings()
    with enter(evil_host(rename).port) as joined:
        feed = Feed(joined, wake=lambda: None, own=own, colour=False)

        def called(nick: str) -> bool:
            feed.portion(PATIENCE, columns=0)
            return bool(joined.nick == nick)

        wait_until(lambda: called(nick))
        assert own.nick == ""
        feed.rename("Vera2")
        wait_until(lambda: called(nick) and own.nick)
    assert own.nick == "Vera2"


def test_a_nick_spelled_in_many_ways_pushes_nobody_out(host, join, tmp_path):
    """Each spelling was an owner of its own, the next start knew the first 10,000, and victor came after these."""
    log = tmp_path / "log.db"
    room = host(
        limits=replace(NO_LIMITS, rename_burst=DEFAULT_LIMITS.rename_burst, rename_rate=0.001), log=SqliteLog(log)
    )
    eve = Listener(join(room, "eve"))
    ways = ["".join(way) for way in product("eE", "vV", "eE", "rR", "yY")][1:]
    for way in ways:
        eve.member.outgoing.rename(way)
    eve.hear(lambda: len([item for item in eve.items if isinstance(item, Renamed | Notice)]) == len(ways))
    assert len(eve.notices) == len(ways) - DEFAULT_LIMITS.rename_burst
    join(room, "victor").close()
    eve.hear_kind(Left, nick="victor")
    eve.member.close()
    room.close()
    with closing(Store(log, durable=False)) as store:
        assert [nick for nick, _ in store.state().owners] == ["eve", "everY", "victor"]
    room = host(log=SqliteLog(log))
    with pytest.raises(Refused, match="belongs to somebody who was here before"):
        join(room, "Victor", owner="eve")
    join(room, "victor")


def test_a_stranger_is_at_the_door_before_the_host_is_in_its_room(identity, stranger):
    """The port listens from the first moment on. Whoever asks for the host's nick then comes too late."""
    hal = identity("hal")
    with Host("Room A", hal, nick="hal", on=LOOPBACK, doors=[native_door(0)]) as room:
        eve = stranger(room)
        room.start(accept=False)
        with closing(Member(room.connect, hal, "hal")) as member:
            member.join()
            room.accept()
            refused = eve.come_in(identity("eve"), "hal")
            assert isinstance(refused, Refusal) and refused.code == "nick"
            assert room.people == 1


@pytest.mark.full
def test_strangers_storm_the_door_for_the_hosts_nick(identity):
    """They connect all the time while rooms are opened: each room opens, with its host as the first in it."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    where = (Endpoint("127.0.0.1", port),)

    def storm(who: Identity) -> None:
        while not over.is_set():
            with suppress(LanchatError), closing(Member(lambda: dial(where), who, "hal", patience=0)) as eve:
                eve.join()

    threads = [threading.Thread(target=storm, args=(identity(f"eve{number}"),)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(6):
            with lanchat.host(f"Room {number}", nick="hal", port=port, announce=False) as room:
                [log] = log_paths(home_folder(), room.host.room_id)
                room.say("here", wait=PATIENCE)
            first = LogReader(log).events_after(0, 1)[0]
            assert isinstance(first, Joined) and first.host and first.nick == "hal"
    finally:
        over.set()
        for thread in threads:
            thread.join()


# ---- proofs


def test_a_recorded_hello_is_replayed(siege, stranger, identity):
    room = siege().room
    honest = stranger(room).tls()
    recorded = encode(honest.hello(identity("vera"), "vera"))
    honest.send(recorded)
    assert isinstance(honest.hear(Welcome), Welcome)
    eve = stranger(room).tls()
    eve.send(recorded)
    assert "proof of identity" in eve.hear(Closing).text
    assert eve.gone() == b""


def test_a_recorded_hello_is_relayed_to_another_room_and_another_host(siege, host, stranger, identity):
    others: list[Host] = [host("Room B", nick="hal"), host("Room C", nick="hugo")]
    room = siege(nick="hal").room
    for other in others:
        eve = stranger(other).tls()
        eve.send(stranger(room).tls().hello(identity("vera"), "vera"))
        assert "proof of identity" in eve.hear(Closing).text
        assert other.people == 0


def test_a_live_hello_is_relayed_by_a_host_in_between(siege, evil_host, stranger, victim):
    """Mallory shows vera the card of the true room, and passes her hello on at once."""
    room = siege().room
    answers = []

    def relay(caller: Caller) -> None:
        caller.establish()
        behind = stranger(room).tls()
        caller.send(behind.line() + b"\n")
        behind.send(caller.line() + b"\n")
        answers.append(behind.hear(Closing))
        raise ConnectionAbortedError

    member = victim(evil_host(relay).port)
    with pytest.raises(ConnectionLost, match="Lost the connection"):
        member.join()
    wait_until(lambda: answers)
    assert "proof of identity" in answers[0].text


@pytest.mark.parametrize(
    "change",
    [{"nick": "vero"}, {"key": b"k" * 32}, {"nonce": b"n" * 32}, {"proof": b"p" * 64}, {"proof": b""}, {"v": 1}],
    ids=str,
)
def test_a_changed_field_is_refused(siege, stranger, identity, change):
    eve: Stranger = stranger(siege().room).tls()
    eve.send(eve.hello(identity("vera"), "vera", **change))
    answer = eve.hear()
    assert isinstance(answer, Closing) or answer.code == "version"
    eve.gone()


def test_a_key_with_which_anybody_can_sign(siege, stranger, identity):
    """The neutral point of the curve: one signature fits every text, so this member id would be everybody's."""
    neutral = (1).to_bytes(32, "little")
    eve: Stranger = stranger(siege().room).tls()
    eve.send(eve.hello(identity("vera"), "vera", key=neutral, proof=neutral + bytes(32)))
    answer = eve.hear()
    assert isinstance(answer, Closing) and "proof of identity" in answer.text


# ---- hosts


def test_mitm_at_first_contact_shows_another_fingerprint(siege, evil_host, identity):
    """Nothing can prevent it if neither has met the other, but the fingerprints on the two sides differ."""
    room = siege(nick="hal").room
    mallory = evil_host(lambda caller: let_in(caller, room=room.room_id))
    with enter(mallory.port) as joined:
        assert joined.key_status == "new"
    (known,) = KnownHosts(home_folder()).all()
    assert known.fingerprint == fingerprint(identity("mallory").public) != fingerprint(identity("hal").public)


def test_what_is_compared_is_the_key_of_the_link(evil_host, identity):
    """mallory calls herself hal, and has somebody in the room of that nick whose id is the true hal's."""
    me, hal = identity("mallory").id, identity("hal").id
    people = [Present(hal, "hal"), Present(me, "hal", host=True)]
    mallory = evil_host(lambda caller: let_in(caller, *people, people=2, host="hal"))
    with enter(mallory.port) as joined:
        assert joined.state.host_id == me and joined.invite.fingerprint.startswith(me)
        feed = Feed(joined, wake=lambda: None, colour=False)
        feed.verify("hal")
        shown = "".join(text for _, text in feed.portion(PATIENCE, columns=0)[0])
    assert f"Fingerprint of hal, the host:  {grouped(me)}\n" in shown
    assert f"Fingerprint of hal, as the host says:  {grouped(hal)}\n" in shown, "and that is no proof"


def test_the_first_contact_is_told_the_key_of_the_link(evil_host, identity, own_world):
    mallory = evil_host(lambda caller: let_in(caller, host="hal"))
    with Commands(own_world) as lanchat:
        done = lanchat.run("join", f"127.0.0.1:{mallory.port}", "--nick", "vera")
    assert first_time_text(*2 * (identity("mallory").id,)) in done.err


LIES: dict[str, Callable[..., FromHost]] = {
    "another key hosts": lambda own, other: Present(other, "hal", host=True),
    "the key of the link belongs to a guest": lambda own, other: Present(own, "hal"),
    "another key hosts from now on": lambda own, other: Joined(1, 0, other, "hal", host=True),
    "a guest with the key of the link joins": lambda own, other: Joined(1, 0, own, "hal"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_host_claims_another_identity_than_its_key(evil_host, identity, victim, lie):
    claim = LIES[lie](identity("mallory").id, identity("hal").id)
    mallory = evil_host(lambda caller: let_in(caller, claim, people=int(isinstance(claim, Present))))
    vera = victim(mallory.port)
    with pytest.raises(LanchatError, match="key") as caught:
        vera.join()
        raise Listener(vera).end()
    assert caught.value.exit_code == ProtocolError.exit_code


def test_a_host_says_that_we_are_somebody_else(evil_host, identity, victim):
    """Else somebody in between could make both sides read the same fingerprints aloud."""

    def pose(caller: Caller) -> None:
        caller.establish()
        caller.send(card())
        caller.line()
        caller.send(Welcome(identity("mallory").id, "vera", 0, 0, 0))

    with pytest.raises(ProtocolError, match="another key than yours"):
        victim(evil_host(pose).port).join()


def test_mitm_before_a_known_room_gets_nothing_but_a_handshake(siege, evil_host):
    """A proxy with a certificate of its own leads to exit code 5, before the hello is sent."""
    room = siege(nick="hal").room
    enter(room.port).close()

    def pose(caller: Caller) -> None:
        caller.establish()
        caller.send(card(room=room.room_id))

    mallory = evil_host(pose)
    with pytest.raises(HostKeyChanged, match="somebody is impersonating its host") as caught:
        enter(mallory.port)
    assert caught.value.exit_code == 5 and "lanchat trust --forget" in caught.value.hint
    (caller,) = mallory.callers
    wait_until(lambda: caller.socket.fileno() < 0)
    assert caller.plain == b"", "no hello, no nick, no key"
    kinds = [kind for kind, _ in records(caller.raw)]
    assert kinds == [HANDSHAKE, CHANGE_CIPHER, APPLICATION], "ClientHello, the compatibility record, Finished"
    with enter(room.port) as joined:
        assert joined.key_status == "known"


def test_mitm_before_a_known_room_ends_the_program_with_5(siege, evil_host, own_world):
    room = siege(nick="hal").room
    enter(room.port).close()
    mallory = evil_host(lambda caller: (caller.establish(), caller.send(card(room=room.room_id))))
    with Commands(own_world, env={"LANCHAT_HOME": str(own_world)}) as lanchat:
        done = lanchat.run("join", f"127.0.0.1:{mallory.port}", "--nick", "vera")
    assert done.code == 5, done
    assert "The key of" in done.err and "has changed" in done.err and "lanchat trust --forget" in done.err
    assert mallory.callers[0].plain == b""


@pytest.mark.parametrize("room_id", ["x", "", "5" * 31, "5" * 33, "A" * 32, "x\n" + "6" * 32, "6" * 32 + "\n"])
def test_a_host_cannot_write_into_the_known_hosts(evil_host, room_id):
    """A room id with a line end, written into the file, would make mallory the known host of any room."""
    before = KnownHosts(home_folder()).all()
    mallory = evil_host(lambda caller: let_in(caller, room=room_id))
    with pytest.raises(NotLanchat):
        enter(mallory.port)
    assert KnownHosts(home_folder()).all() == before == []


@pytest.mark.parametrize("title", ["", " ", "\n" + "6" * 32 + " " + "a" * 64 + " x", "\x1b]0;x\x07", "\x85\u2028"])
def test_a_host_with_a_strange_title_is_remembered(evil_host, identity, title):
    mallory = evil_host(lambda caller: let_in(caller, title=title))
    with enter(mallory.port) as joined:
        assert joined.key_status == "new"
    with enter(mallory.port) as joined:
        assert joined.key_status == "known"
    assert [known.room for known in KnownHosts(home_folder()).all()] == [ROOM]
    other = evil_host(lambda caller: let_in(caller, title="Room A"), owner="hal")
    with pytest.raises(HostKeyChanged):
        enter(other.port)


def test_downgrade_of_tls(identity):
    """A host that speaks TLS 1.2 at most."""
    hal = identity("hal")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(hal.certificate_path, hal.key_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as sock:
                try:
                    context.wrap_socket(sock, server_side=True).close()
                except OSError:
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(NotLanchat):
            enter(server.getsockname()[1])
        thread.join()


def test_downgrade_of_the_wire(evil_host):
    mallory = evil_host(lambda caller: (caller.establish(), caller.send(msgspec.structs.replace(card(), v=0))))
    with pytest.raises(Refused, match="version 0"):
        enter(mallory.port)
    assert mallory.callers[0].plain == b""
