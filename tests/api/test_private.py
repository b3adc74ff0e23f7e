"""Private messages between real members at a real host."""

import io
import json
import shutil
import sys
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import lanchat
from lanchat.client.events import Acked, Connected, PrivateMessage
from lanchat.client.member import Member
from lanchat.errors import Refused
from lanchat.network.connect import dial
from lanchat.network.link import Link
from lanchat.protocol.address import Endpoint
from lanchat.protocol.framing import encode
from lanchat.protocol.limits import NO_LIMITS
from lanchat.protocol.messages import Fetch, Joined, Left, Notice, Said, Tell
from lanchat.protocol.sealed import Sealer
from lanchat.server.host import Host
from lanchat.storage import history as seen_module
from lanchat.storage import member_store
from lanchat.storage.files import lock_file
from lanchat.storage.log import NoLog
from lanchat.storage.member_store import DiskStore
from lanchat.storage.rooms import LOCK, LOG
from lanchat.storage.sqlite_log import SqliteLog
from lanchat.terminal.history import show_history
from tests.support.commands import Commands, Running
from tests.support.people import Listener, PlainClient, cut, link_of
from tests.support.program import Program
from tests.support.waiting import PATIENCE, wait_until

ROOM = "5" * 32
SECRET = "a word for bob alone"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_module, "FLUSH_EVERY", 0.02)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[Link, bytes]]:
    """All plain bytes that ever came to each link."""
    connected: dict[Link, bytes] = defaultdict(bytes)
    receive = Link.receive

    def recorded(link: Link, flags: int = 0) -> bytes:
        data = receive(link, flags)
        connected[link] += data
        return data

    monkeypatch.setattr(Link, "receive", recorded)
    yield connected


class Moody(NoLog):
    """A log that stores private messages when the test says so."""

    stores_at_once = False


def told(listener: Listener) -> list[str]:
    return [item.text for item in listener.items if isinstance(item, PrivateMessage)]


def hear_told(listener: Listener, text: str) -> PrivateMessage:
    listener.hear(lambda: text in told(listener))
    return next(item for item in listener.items if isinstance(item, PrivateMessage) and item.text == text)


def waits_for(room: Host, owner: Any) -> int:
    """How many private messages the host has for a member."""
    return len(room._hub._room.private.waiting(owner.id))


def on_disk(home: Path) -> Callable[..., DiskStore]:
    return lambda card: DiskStore(home, card, lambda trouble: None)


def locked(path: Path) -> Any:
    """Takes the lock of a history as soon as it is free."""
    return wait_until(lambda: lock_file(path))


# ---- two people


def test_a_private_message_can_be_read_by_its_recipient_and_by_nobody_on_the_way(host, join, identity, wire):
    room = host()
    ann, bob, eve = (Listener(join(room, nick)) for nick in ("ann", "bob", "eve"))
    to_eve = link_of(eve.member)
    id = ann.member.outgoing.tell("bob", SECRET, to=identity("bob").id)
    for one in (ann, bob):
        heard = hear_told(one, SECRET)
        assert (heard.by, heard.to, heard.nick, heard.to_nick) == (identity("ann").id, identity("bob").id, "ann", "bob")
        assert heard.id == id
    ann.hear_kind(Acked, ids=(id,))
    to_eve.send(encode(Fetch(0)))
    ann.member.outgoing.say("the end")
    for one in (ann, bob, eve):
        one.hear_text("the end")
        assert one.seqs == sorted(set(one.seqs)) and len(one.seqs) == one.seqs[-1] - one.seqs[0] + 1, "no gap"
    late = Listener(join(room, "late"))
    late.hear_text("the end")
    wait_until(lambda: b'"t":"page"' in wire[to_eve])
    assert not told(eve) and not told(late)
    assert SECRET.encode() not in b"".join(wire.values()), "not even the host reads it, at either end of any link"
    assert id.encode() in wire[link_of(bob.member)], "this is where it would be seen"
    assert id.encode() not in wire[to_eve] + wire[link_of(late.member)], "and nobody else gets anything of it"


def test_the_host_finds_the_key_that_a_nick_belongs_to(host, join):
    room = host()
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob"))
    bob.member.outgoing.rename("rob")
    ann.hear(lambda: any(getattr(item, "to", "") == "rob" for item in ann.items))
    ann.member.outgoing.tell("bob", "by an old name")
    assert hear_told(bob, "by an old name").to_nick == "rob"
    ann.member.outgoing.tell("nobody", "hello?")
    ann.hear_kind(Notice, code="refused", text="No one called nobody has been in this room. Nothing was sent.")
    assert ann.member.delivery.wait_acked(PATIENCE), "it is not tried for ever"


def test_a_netcat_guest_gets_it_in_the_clear_and_can_send_none(host, join):
    room = host(plain_port=0)
    ann, eve = Listener(join(room, "ann")), Listener(join(room, "eve"))
    pat = PlainClient(room.ports["plain"])
    pat.come_in("pat")
    ann.hear_kind(Joined, nick="pat")
    guest = next(item.by for item in ann.items if isinstance(item, Joined) and item.nick == "pat")
    ann.member.outgoing.tell("pat", "by nick alone")
    refused = "~pat has no key, so nothing can be sealed for them. Nothing was sent."
    ann.hear_kind(Notice, code="refused", text=refused)
    ann.member.outgoing.tell("pat", "psst", to=guest)
    assert hear_told(ann, "psst").to_nick == "pat"
    assert ann.member.delivery.wait_acked(PATIENCE)
    assert pat.until(b"psst\n") == b"[ann -> you] psst\n"
    pat.send(b"/msg ann hello\naloud\n")
    assert pat.until(b"\n").startswith(b"* /who lists who is here, "), "the host alone answers"
    ann.hear_text("aloud")
    assert ann.texts[-1:] == ["aloud"] and not any("hello" in text for text in ann.texts)
    assert not told(eve)
    pat.socket.close()


def test_all_sessions_of_sender_and_recipient_read_it(host, join, identity):
    room = host()
    ann, second_ann = Listener(join(room, "ann")), Listener(join(room, "ann"))
    bob, second_bob = Listener(join(room, "bob")), Listener(join(room, "bob"))
    ann.member.outgoing.tell("bob", SECRET)
    for one in (ann, second_ann, bob, second_bob):
        heard = hear_told(one, SECRET)
        assert (heard.by, heard.to) == (identity("ann").id, identity("bob").id)
    assert ann.member.outgoing.is_own(heard) and not second_ann.member.outgoing.is_own(heard)
    ann.member.delivery.wait_acked(PATIENCE)
    wait_until(lambda: not waits_for(room, identity("bob")))


def test_private_messages_count_for_the_rate_limit(host, join, identity):
    room = host(limits=replace(NO_LIMITS, message_burst=2, message_rate=100))
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob"))
    sealer, bobs = Sealer(identity("ann").private, room.room_id), identity("bob")
    boxes = [sealer.seal(bobs.public, str(number), str(number)) for number in range(8)]
    link_of(ann.member).send(b"".join(encode(Tell(str(n), bobs.id, "bob", *both)) for n, both in enumerate(boxes)))
    ann.hear_kind(Notice, code="slow")
    hear_told(bob, "7")
    assert told(bob) == [str(number) for number in range(8)]


def test_the_host_keeps_a_message_until_it_is_in_the_history_of_who_has_read_it(
    host, join, identity, tmp_path, monkeypatch
):
    """Who is killed meanwhile, or has a slow disk, gets it again."""
    monkeypatch.setattr(member_store, "SETTLE_LIMIT", PATIENCE)
    room = host()
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob", open_store=on_disk(tmp_path)))
    with closing(locked(tmp_path / "seen" / room.room_id / LOCK)):  # another window of bob's is writing
        ann.member.outgoing.tell("bob", SECRET)
        hear_told(bob, SECRET)
        bob.round_trip("read")  # what bob had sent before has come to the host, too
        assert waits_for(room, identity("bob")) == 1
    bob.member.close()
    wait_until(lambda: not waits_for(room, identity("bob")), what="the host to hear it of somebody who leaves at once")


def test_who_cannot_store_a_message_is_told_so_and_the_host_keeps_it_no_longer(host, join, identity, tmp_path):
    room = host()
    troubles: list[str] = []
    (tmp_path / "seen" / room.room_id / LOG).mkdir(parents=True)
    store = lambda card: DiskStore(tmp_path, card, troubles.append)  # noqa: E731
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob", open_store=store))
    ann.member.outgoing.tell("bob", SECRET)
    hear_told(bob, SECRET)
    wait_until(lambda: not waits_for(room, identity("bob")))
    assert len(troubles) == 1 and "The history of this room is not stored" in troubles[0]


# ---- who is away, and broken links


def test_a_recipient_who_is_away_gets_it_even_after_a_restart_of_the_host(host, join, identity, tmp_path):
    def open_room() -> Any:
        return host(room_id=ROOM, log=SqliteLog(tmp_path / "log.db"))

    room = open_room()
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob"))
    bob.member.close()
    ann.hear_kind(Left, nick="bob")
    ann.member.outgoing.tell("bob", SECRET)
    ann.hear_kind(Notice, code="away", text="bob is away and will get it on returning.")
    assert ann.member.delivery.wait_acked(PATIENCE)
    ann.member.close()
    room.close()
    room = open_room()
    eve = Listener(join(room, "eve"))
    back = Listener(join(room, "bob"))
    hear_told(back, SECRET)
    wait_until(lambda: not waits_for(room, identity("bob")))
    back.member.close()
    room.close()
    room = open_room()
    again = Listener(join(room, "bob"))
    again.member.outgoing.say("the end")
    again.hear_text("the end")
    assert told(again) == told(eve) == []


def test_a_message_that_was_never_taken_comes_again(host, join, identity):
    room = host()
    ann, bob = Listener(join(room, "ann")), join(room, "bob")
    ann.member.outgoing.tell("bob", SECRET)
    ann.member.delivery.wait_acked(PATIENCE)
    bob.close()  # it came as far as their program, which showed nothing
    assert waits_for(room, identity("bob")) == 1
    back = Listener(join(room, "bob"))
    hear_told(back, SECRET)
    wait_until(lambda: not waits_for(room, identity("bob")))


def test_a_reconnect_shows_no_private_message_twice_and_loses_none(host, join, identity):
    room = host()
    ann, bob = Listener(join(room, "ann", patience=None)), Listener(join(room, "bob", patience=None))
    for number in range(20):
        ann.member.outgoing.tell("bob", f"psst {number}", to=identity("bob").id)
        if number % 5 == 2:
            cut(room)
    assert ann.member.delivery.wait_acked(PATIENCE)
    for one in (ann, bob):
        hear_told(one, "psst 19")
        assert sorted(told(one)) == sorted(f"psst {number}" for number in range(20))
    wait_until(lambda: not waits_for(room, identity("bob")))


def test_a_link_lost_before_the_confirmation_reaches_the_host(host, join, identity, monkeypatch):
    """The message comes once more, is shown once, and does not stay in the mailbox."""

    def confirm_here_only(private: Iterable[PrivateMessage]) -> None:
        for told in private:
            bob.member._incoming.private.confirm(told)

    room = host()
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob", patience=None))
    monkeypatch.setattr(bob.member, "confirm", confirm_here_only)
    ann.member.outgoing.tell("bob", SECRET)
    hear_told(bob, SECRET)
    monkeypatch.undo()
    assert waits_for(room, identity("bob")) == 1
    cut(room)
    wait_until(lambda: not waits_for(room, identity("bob")))
    bob.hear(lambda: any(isinstance(item, Connected) and item.again for item in bob.items))
    assert told(bob) == [SECRET]


KILLED = """
import sys, time
import lanchat
from lanchat.client.events import PrivateMessage
with lanchat.join(sys.argv[1], nick="ann") as room:
    if sys.argv[2]:
        room.tell("bob", sys.argv[2])
        for event in room:
            if isinstance(event, PrivateMessage):
                print("out", flush=True)
    else:
        room.wait_acked(20)
"""


def test_a_killed_sender_resends_and_the_message_is_shown_once(host, join, own_world, tmp_path):
    """The host's disk takes nothing, so that no message is acknowledged."""
    disk = Moody()
    room = host(room_id=ROOM, log=disk)
    bob = Listener(join(room, "bob"))
    argv = [sys.executable, "-c", KILLED, f"127.0.0.1:{room.port}"]
    with Program([*argv, SECRET], tmp_path / "killed") as sender:
        assert sender.next_line() == "out"
    hear_told(bob, SECRET)
    disk.stores_at_once = True
    with Program([*argv, ""], tmp_path / "again") as again:
        assert again.wait().code == 0
    assert not list((own_world / "seen" / ROOM).glob("outbox-*"))
    bob.member.outgoing.say("the end")
    bob.hear_text("the end")
    assert told(bob) == [SECRET]


def test_only_the_histories_of_sender_and_recipient_have_private_messages(host, join, identity, tmp_path):
    log = tmp_path / "host" / "rooms" / ROOM / "log.db"
    log.parent.mkdir(parents=True)
    (log.parent / "room.json").write_text('{"title": "Room A"}')
    room = host(room_id=ROOM, log=SqliteLog(log))
    members = [Listener(join(room, nick, open_store=on_disk(tmp_path / nick))) for nick in ("ann", "bob", "eve")]
    ann, bob, eve = members
    ann.member.outgoing.say("for everyone")
    ann.member.outgoing.tell("bob", SECRET)
    hear_told(ann, SECRET)
    hear_told(bob, SECRET)
    ann.member.outgoing.say("the end")
    for one in members:
        one.hear_text("the end")
        one.member.close()
    left = join(room, "carl", owner="carl")
    left.outgoing.tell("bob", SECRET)
    left.delivery.wait_acked(PATIENCE)
    for owner in ("ann", "bob", "eve"):
        shutil.copy(identity(owner).key_path, tmp_path / owner)
    shutil.copy(identity("hal").key_path, tmp_path / "host")
    for search in ("", "word"):
        assert [SECRET in history(tmp_path / owner, search) for owner in ("ann", "bob", "eve", "host")] == [
            True,
            True,
            False,
            False,
        ]
    lines = [line[6:] for line in history(tmp_path / "bob").splitlines() if " -- " not in line]
    assert lines[-3:] == ["ann for everyone", f"[ann -> bob] {SECRET}", "ann the end"]
    assert json.loads(history(tmp_path / "bob", search="alone", as_json=True))["event"] == "told"


@pytest.mark.parametrize("ephemeral", [False, True])
def test_members_store_nothing_of_an_ephemeral_room(own_world, monkeypatch, ephemeral):
    with lanchat.host("Room A", nick="hal", port=0, announce=False, ephemeral=ephemeral) as room:
        monkeypatch.setenv("LANCHAT_HOME", f"{own_world}/bob")
        with lanchat.join(f"127.0.0.1:{room.host.port}", nick="bob") as bob:
            bob.say("for tonight", wait=PATIENCE)
            assert any(isinstance(event, Said) for event in bob.events(timeout=0.1))
    assert bool(list((own_world / "bob").glob("seen/*/log.db"))) is not ephemeral


@pytest.mark.parametrize("ephemeral", [False, True])
def test_the_host_stores_its_own_private_messages_too(own_world, identity, ephemeral):
    with lanchat.host("Room A", nick="hal", port=0, announce=False, ephemeral=ephemeral) as room:
        bob = Member(lambda: dial((Endpoint("127.0.0.1", room.host.port),)), identity("bob"), "bob")
        with closing(bob):
            bob.join()
            bob.outgoing.tell("hal", SECRET)
            assert next(event for event in room if isinstance(event, PrivateMessage)).text == SECRET
            room.tell("bob", "the answer", wait=PATIENCE)
            list(room.events(timeout=0.1))
    if ephemeral:
        assert not list(own_world.glob("*/*/log.db")), "nothing is kept"
        return
    out = io.StringIO()
    show_history(own_world, "Room A", search="", since=0, number=None, as_json=False, out=out, talk=io.StringIO())
    assert f"[bob -> hal] {SECRET}" in out.getvalue() and "[hal -> bob] the answer" in out.getvalue()


def history(home: Path, search: str = "", *, as_json: bool = False) -> str:
    out = io.StringIO()
    show_history(home, ROOM, search=search, since=0, number=None, as_json=as_json, out=out, talk=io.StringIO())
    return out.getvalue()


# ---- the disks

PROGRAM = """
import sys
import lanchat
from lanchat.client.events import PrivateMessage
address, nick, to, text = sys.argv[1:]
with lanchat.join(address, nick=nick) as room:
    room.say(f"{nick} is here", wait=20)
    if to:
        room.tell(to, text, wait=20)
    heard = [event.text for event in room.events(timeout=0.3) if isinstance(event, PrivateMessage)]
    print(*heard, sep="\\n", flush=True)
"""


def test_no_file_of_host_sender_or_recipient_holds_the_text(lanchat):
    """Real programs: somebody away gets it after the host was started again, and both read it in their history."""
    forms = [SECRET.encode(), SECRET.encode("utf-16-le"), SECRET.encode().hex().encode(), b64encode(SECRET.encode())]

    runs = count()

    def take_part(room: Running, nick: str, to: str = "", text: str = "") -> str:
        argv = [sys.executable, "-c", PROGRAM, room.address, nick, to, text]
        folder = lanchat.folder / f"run-{next(runs)}"
        with Program(argv, folder, {"LANCHAT_HOME": str(lanchat.home(nick))}) as program:
            ended = program.wait()
        assert ended.code == 0, ended
        return ended.out

    def holding(*wanted: bytes) -> set[str]:
        """Whose folders have it in a file, as it is or as a part of something."""
        files = [path for path in lanchat.folder.joinpath("homes").rglob("*") if path.is_file()]
        found = [path for path in files if any(form in path.read_bytes() for form in wanted)]
        return {path.relative_to(lanchat.folder / "homes").parts[0] for path in found}

    room = lanchat.host("Room A", nick="hal")
    take_part(room, "bob")
    assert take_part(room, "ann", "bob", SECRET).strip() == SECRET
    assert holding(*forms) == set() and holding(b"ann is here") == {"hal", "ann"}
    room.stop()
    room = lanchat.host("Room A", nick="hal")
    assert holding(*forms) == set()
    assert take_part(room, "bob").strip() == SECRET
    take_part(room, "ann", "hal", f"{SECRET}, and of hal")
    room.stop()
    assert holding(*forms) == set() and holding(b"bob is here") == {"hal", "ann", "bob"}
    for who, known in (("ann", True), ("bob", True), ("hal", True), ("eve", False)):
        history = lanchat.run("history", "Room A", who=who)
        assert (SECRET in history.out) is known, history
    assert "and of hal" not in lanchat.run("history", "Room A", who="bob").out


# ---- programs and scripts


def test_after_a_new_key_what_was_written_to_the_old_one_stays_sealed_for_it(host, enter, identity):
    """The recipient lost theirs. Under another nick they get what is written from now on."""
    room = host()
    ann, bob = enter(room, "ann"), enter(room, "bob")
    bob.leave()
    next(event for event in ann.events(timeout=PATIENCE) if isinstance(event, Left))
    ann.tell("bob", "for the old key", wait=PATIENCE)
    with pytest.raises(Refused, match="The nick bob belongs to somebody who was here before"):
        enter(room, "bob", owner="bob again")
    bobby = enter(room, "bobby", owner="bob again")
    ann.tell("bobby", "for the new key", wait=PATIENCE)
    assert next(event for event in bobby.events(timeout=PATIENCE) if isinstance(event, PrivateMessage)).text == (
        "for the new key"
    )
    assert waits_for(room, identity("bob")) == 1


def test_programs_send_private_messages(host, enter):
    room = host(plain_port=0)
    ann, bob = enter(room, "ann"), enter(room, "bob")
    id = ann.tell("bob", "psst", wait=PATIENCE)
    heard = next(event for event in bob.events(timeout=PATIENCE) if isinstance(event, PrivateMessage))
    assert (heard.id, heard.nick, heard.text) == (id, "ann", "psst")
    assert bob.tell("ann", "yes?", wait=PATIENCE)
    with pytest.raises(Refused, match="No one called nobody has been in this room."):
        ann.tell("nobody", "psst", wait=PATIENCE)
    with pytest.raises(ValueError, match="ann is you"):
        ann.tell("ann", "psst", wait=PATIENCE)
    with pytest.raises(ValueError, match="empty"):
        ann.tell("bob", " ")
    next(event for event in ann.events(timeout=PATIENCE) if isinstance(event, PrivateMessage) and event.text == "yes?")
    with pytest.raises(ValueError, match="ann is you"):  # as before it had taken any event
        ann.tell("ann", "psst")
    pat = PlainClient(room.ports["plain"])
    pat.send(b"pat\n")
    next(event for event in ann.events(timeout=PATIENCE) if isinstance(event, Joined) and event.nick == "pat")
    with pytest.raises(ValueError, match="~pat is a guest without a key: the host can read what you send"):
        ann.tell("~pat", "psst")
    ann.tell("~pat", "psst", allow_unsealed=True, wait=PATIENCE)
    assert pat.until(b"psst\n").endswith(b"[ann -> you] psst\n")
    pat.socket.close()


def test_a_script_prints_private_messages_so_that_they_can_be_distinguished(host, join, own_world):
    room = host()
    ann = Listener(join(room, "ann"))
    with Commands(own_world) as lanchat:
        at = f"127.0.0.1:{room.port}"
        bob = lanchat.start("join", at, "--nick", "bob", "--until", "two", stdin="nothing")
        ann.hear_kind(Joined, nick="bob")
        ann.member.outgoing.tell("bob", "one\n\x1b[2Jand")
        hear_told(ann, "one\n\x1b[2Jand")  # before the next, since the host has to be asked for the key first
        ann.member.outgoing.say("[eve -> you] two words")
        assert bob.wait().lines == ["[ann -> you] one\\n\\x1b[2Jand", "ann: [eve -> you] two words"]
        ann.hear_kind(Left, nick="bob")
        ann.member.outgoing.tell("bob", "it is done")
        hear_told(ann, "it is done")  # before bob comes back
        again = lanchat.run("join", at, "--nick", "bob", "--json", "--until", "is done", "--timeout", f"{PATIENCE}")
        assert again.code == 0
        [line] = [json.loads(line) for line in again.lines if "done" in line]
        assert {**line, "at": 0, "id": "", "by": "", "to": ""} == {
            "event": "told",
            "id": "",
            "at": 0,
            "by": "",
            "nick": "ann",
            "to": "",
            "to_nick": "bob",
            "text": "it is done",
            "problem": "",
            "verified": True,
            "bot": False,
            "mine": False,
            "waited": True,
        }
