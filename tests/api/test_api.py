"""lanchat for Python programs."""

import errno
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

import lanchat
from lanchat.client import queue
from lanchat.client.events import Connected, Disconnected, PrivateMessage
from lanchat.client.queue import EventQueue
from lanchat.client.state import RoomState
from lanchat.errors import ConnectionLost, NoSuchRoom, NotLanchat, Refused, TimedOut
from lanchat.protocol.address import Endpoint
from lanchat.protocol.invite import Invite
from lanchat.protocol.limits import NO_LIMITS
from lanchat.protocol.messages import Card, Joined, Left, Notice, Present, Renamed, Said, Welcome
from lanchat.protocol.topic import Topic
from tests.support.commands import own_title
from tests.support.waiting import PATIENCE, wait_until


@pytest.fixture
def hal() -> Iterator[lanchat.HostedRoom]:
    """A room that is not announced, and found only by its address."""
    with lanchat.host("Room A", nick="hal", port=0, announce=False) as room:
        yield room


@pytest.fixture
def join(hal: lanchat.HostedRoom) -> Iterator[Callable[[str], lanchat.JoinedRoom]]:
    """`join("ann")`: a member of that room."""
    joined: list[lanchat.JoinedRoom] = []

    def enter(nick: str) -> lanchat.JoinedRoom:
        joined.append(lanchat.join(address(hal), nick=nick))
        return joined[-1]

    yield enter
    for room in joined:
        room.close()


def address(room: lanchat.HostedRoom) -> str:
    return f"127.0.0.1:{room.host.port}"


# ---- small things that programs do


def test_a_program_joins_by_the_invite_of_another_object(hal, join):
    invite = Invite((Endpoint("127.0.0.1", hal.host.port),), hal.card.room, hal.host.identity.id)
    with lanchat.join(invite, nick="ann") as ann:
        assert ann.title == "Room A"


def test_a_program_that_answers_does_not_hear_itself(join):
    ann, bob = join("ann"), join("bob")
    ann.say("mine", wait=PATIENCE)
    bob.say("yours", wait=PATIENCE)
    texts = []
    for event in ann.events(timeout=PATIENCE, own=False):
        if isinstance(event, Said):
            texts.append(event.text)
            break
    assert texts == ["yours"]


def test_programs_that_answer_leave_each_other_alone(hal, join):
    echo, other = join("echo"), join("other")
    other.say("of a program", wait=PATIENCE)
    hal.say("of a person", wait=PATIENCE)
    said = next(event for event in echo.events(timeout=PATIENCE, bots=False) if isinstance(event, Said))
    assert said.text == "of a person" and not echo.is_bot(said)


def test_a_private_message_to_nobody_is_an_error_even_if_nobody_waits(join):
    with pytest.raises(lanchat.Refused, match="nobody"):
        join("ann").tell("nobody", "psst")


def test_a_room_shows_what_it_is(hal, join):
    assert repr(join("ann")) == "<JoinedRoom 'Room A' as 'ann'>"
    assert repr(hal).startswith("<HostedRoom 'Room A' as 'hal'")


# ---- the names


def test_the_public_names():
    assert (
        sorted(lanchat.__all__)
        == dir(lanchat)
        == [
            "ConnectionLost",
            "FileEntry",
            "HostKeyChanged",
            "HostedRoom",
            "Joined",
            "JoinedRoom",
            "LanchatError",
            "Left",
            "NoSuchRoom",
            "NotLanchat",
            "PrivateMessage",
            "ProtocolError",
            "Refused",
            "Renamed",
            "RoomClosed",
            "Said",
            "SentFile",
            "TimedOut",
            "__version__",
            "host",
            "join",
            "rooms",
        ]
    )
    for name in lanchat.__all__:
        assert getattr(lanchat, name).__doc__ if name != "__version__" else lanchat.__version__
    assert (Path(lanchat.__file__).parent / "py.typed").exists()


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Lounge'"):
        _ = lanchat.Lounge


@pytest.mark.full
def test_the_names_are_typed_for_others(tmp_path):
    """The example of the documentation passes mypy."""
    program = tmp_path / "program.py"
    program.write_text(
        "import lanchat\n"
        "with lanchat.host('Room A', nick='ann') as mine, lanchat.join('Room A', nick='bob', wait=1) as room:\n"
        "    id: str = room.say('hello', wait=1)\n"
        "    text: str = mine.wait_for('hello', timeout=10).text\n"
        "    sent: lanchat.SentFile = room.send_file('report.pdf')\n"
        "    files: list[lanchat.FileEntry] = room.files\n"
        "    titles: list[str] = [listing.title for listing in lanchat.rooms(wait=2)]\n"
        "    try: pass\n"
        "    except lanchat.LanchatError as error: hint: str = error.hint\n"
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(program)],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert checked.returncode == 0, checked.stdout


# ---- in a room


def test_two_people_talk(hal, join):
    ann = join("ann")
    assert (hal.title, hal.nick, ann.title, ann.nick) == ("Room A", "hal", "Room A", "ann")
    id = ann.say("hello")
    said = hal.wait_for("hello", timeout=PATIENCE)
    assert (said.nick, said.text, said.id) == ("ann", "hello", id)
    hal.say("hello ann")
    assert ann.wait_for("hello", timeout=PATIENCE).nick == "hal", "its own line is not what it waits for"


def test_events_come_in_order(hal, join):
    ann, bob = join("ann"), join("bob")
    ann.say("hello", wait=PATIENCE)
    bob.rename("rob")
    bob.close()
    events = []
    for event in ann:
        events.append(event)
        if isinstance(event, Left):
            break
    seen = [(type(event), event.nick) for event in events]
    assert seen == [(Joined, "ann"), (Joined, "bob"), (Said, "ann"), (Renamed, "bob"), (Left, "rob")]
    first = events[0].seq
    assert [event.seq - first for event in events] == [0, 1, 2, 3, 4]


def test_iteration_ends_after_its_timeout(join):
    ann = join("ann")
    assert isinstance(next(ann.events(timeout=PATIENCE)), Joined)
    assert list(ann.events(timeout=0.1)) == list(ann.events(timeout=0)) == []


def test_events_that_were_not_taken_are_still_there(hal, join):
    ann = join("ann")
    for text in ("one", "two", "three", "four"):
        hal.say(text)
    assert ann.wait_for("two", timeout=PATIENCE).text == "two"
    assert ann.wait_for("four", timeout=PATIENCE).text == "four"


def test_a_newcomer_gets_the_last_lines(hal, join):
    for number in range(60):
        hal.say(f"line {number}")
    hal.say("the end", wait=PATIENCE)
    ann = join("ann")
    texts: list[str] = []
    while "the end" not in texts:
        texts += [event.text for event in ann.events(timeout=0.01) if isinstance(event, Said)]
    assert texts == [*(f"line {number}" for number in range(11, 60)), "the end"]


def test_wait_for_ignores_messages_from_before_the_join(hal, join):
    hal.say("ship it", wait=PATIENCE)
    ann = join("ann")
    hal.say("now ship it")
    assert ann.wait_for("ship it", timeout=PATIENCE).text == "now ship it"


def test_the_topic_is_told_to_those_who_are_here_and_to_those_who_come(hal, join):
    ann = join("ann")
    hal.moderate("topic", text="  Deploy at 5 ")
    event = next(event for event in ann.events(PATIENCE) if isinstance(event, Topic))
    assert (event.nick, event.topic) == ("hal", "Deploy at 5") and ann.state.topic == "Deploy at 5"
    assert join("bob").state.topic == "Deploy at 5"
    hal.moderate("topic", text="")
    assert next(event for event in ann.events(PATIENCE) if isinstance(event, Topic)).topic == ""
    assert join("eve").state.topic == ""
    with pytest.raises(ValueError, match="one line"):
        hal.moderate("topic", text="two\nlines")


def test_wait_for_a_message_for_which_a_function_is_true(hal, join):
    ann = join("ann")
    hal.say("short")
    hal.say("rather longer")
    assert ann.wait_for(lambda said: len(said.text) > 5, timeout=PATIENCE).text == "rather longer"


def test_wait_for_times_out(hal, join):
    ann = join("ann")
    hal.say("hello")
    with pytest.raises(TimedOut, match="within 0.1 s"):
        ann.wait_for("something else", timeout=0.1)
    ann.say("not this")
    with pytest.raises(TimedOut):
        ann.wait_for("not this", timeout=0.1)


def test_wait_for_times_out_while_others_talk(hal, join):
    ann = join("ann")
    over = threading.Event()

    def chatter() -> None:
        while not over.is_set():
            hal.say("blah", wait=PATIENCE)

    talking = threading.Thread(target=chatter)
    talking.start()
    try:
        with pytest.raises(TimedOut):
            ann.wait_for("something else", timeout=0.3)
    finally:
        over.set()
        talking.join()


def test_wait_for_times_out_while_items_come_that_are_no_events():
    """Acks and lost connections do not begin the timeout again."""
    member, over = FakeMember(), threading.Event()

    def feed() -> None:
        while not over.wait(0.01):
            member.queue.put(Disconnected("Lost the connection"))

    feeding = threading.Thread(target=feed)
    feeding.start()
    try:
        with pytest.raises(TimedOut):
            member.room().wait_for("something else", timeout=0.1)
    finally:
        over.set()
        feeding.join()


def test_wait_for_finds_a_message_that_has_come_already(hal, join):
    ann = join("ann")
    hal.say("one")
    hal.say("two", wait=PATIENCE)
    ann.wait_for("one", timeout=PATIENCE)
    ann.say("after them", wait=PATIENCE)
    assert ann.wait_for("two", timeout=0).text == "two"


def test_people_lists_the_members(hal, join):
    ann, bob = join("ann"), join("bob")
    bob.rename("rob")
    bob.say("done")
    assert ann.wait_for("done", timeout=PATIENCE).nick == "rob"
    assert [person.nick for person in ann.people] == ["hal", "ann", "rob"]
    assert ann.people[0].host, "and all others, too: they have the same key here"
    bob.close()
    next(event for event in ann if isinstance(event, Left))
    assert [person.nick for person in ann.people] == ["hal", "ann"]


def test_people_are_right_after_a_crash_of_the_host():
    """No `left` event comes for members who did not return with the host."""
    member = FakeMember(Present("h", "hal", host=True), Present("b", "bob"))
    room = member.room()
    member.queue.put(Joined(6, 0, "e", "eve"))
    member.come(Present("h", "hal", host=True), Present("a", "ann"), seq=9, again=True)
    member.queue.put(Joined(10, 0, "c", "cyd"))
    assert [event.nick for event in room.events(timeout=0)] == ["eve", "cyd"]
    assert [person.nick for person in room.people] == ["hal", "ann", "cyd"]


def test_wait_for_works_with_a_host_that_has_lost_its_log():
    """Such a host starts again with low numbers, and events with these numbers do not belong to the past."""
    member = FakeMember()
    room = member.room()
    member.queue.put(Said(5, 0, "b", "bob", "1", "go, said long ago"))
    member.come(seq=2, again=True)
    member.queue.put(Said(3, 0, "b", "bob", "2", "go"))
    assert room.wait_for("go", timeout=0).text == "go"


class FakeMember:
    """A member whose events the test makes."""

    def __init__(self, *present: Present) -> None:
        self.state = RoomState()
        self.queue = EventQueue(drop_oldest=True, follow=self.state.follow)
        self.outgoing = self.delivery = self
        self.confirmed: list[PrivateMessage] = []
        self.connected = self.come(*present, seq=5)

    def come(self, *present: Present, seq: int, again: bool = False) -> Connected:
        card, welcome = Card(1, "5" * 32, "Room A", "hal", 1, False, bytes(32)), Welcome("a", "ann", seq, seq, 0)
        connected = Connected(card, welcome, present, "h", again)
        self.queue.put(connected)
        return connected

    def room(self) -> lanchat.JoinedRoom:
        return lanchat.JoinedRoom(self, self.connected, self.state)  # type: ignore[arg-type]

    def is_own(self, said: Said) -> bool:
        return False

    def confirm(self, private: Iterable[PrivateMessage]) -> None:
        self.confirmed += private


def test_say_can_wait_for_the_ack(join):
    ann = join("ann")
    ann.say("hello", wait=PATIENCE)
    assert ann.wait_acked(0)


@pytest.mark.parametrize("text", ["", "  \n", "x" * 5000, "\ud800"])
def test_an_invalid_text_cannot_be_sent(join, text):
    with pytest.raises(ValueError, match="A message|too many"):
        join("ann").say(text)


def test_any_thread_may_speak(hal, join):
    ann = join("ann")
    threads = [threading.Thread(target=ann.say, args=(f"line {number}",)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    heard = {hal.wait_for("line", timeout=PATIENCE).text for _ in threads}
    assert heard == {f"line {number}" for number in range(10)}


# ---- much is said, and nobody looks


@pytest.fixture
def short_queues(monkeypatch):
    monkeypatch.setattr(queue, "QUEUE_LIMIT", 20)


@pytest.fixture
def busy(short_queues, own_world, monkeypatch) -> Iterator[tuple[lanchat.HostedRoom, lanchat.JoinedRoom]]:
    """Hal in a room without rate limits, and ann with a key of her own."""
    with lanchat.host("Room A", nick="hal", port=0, announce=False, limits=NO_LIMITS) as hal:
        monkeypatch.setenv("LANCHAT_HOME", f"{own_world}/ann")
        with lanchat.join(address(hal), nick="ann") as ann:
            yield hal, ann


def test_a_program_that_only_speaks_need_not_take_events(busy):
    _, ann = busy
    for number in range(300):
        ann.say(f"line {number}")
    ann.say("the end", wait=PATIENCE)
    texts = [event.text for event in ann.events(timeout=0) if isinstance(event, Said)]
    assert texts[-1] == "the end" and len(texts) < 200, "the last lines are still there, not all"


def test_dropped_events_still_update_the_people(busy):
    hal, ann = busy
    with lanchat.join(address(hal), nick="bob"):
        for number in range(100):
            ann.say(f"line {number}", wait=PATIENCE)
        assert [person.nick for person in ann.people] == ["hal", "ann", "bob"]


def test_private_messages_that_were_never_taken_come_again(busy):
    hal, ann = busy
    hal.tell("ann", "psst", wait=PATIENCE)
    for number in range(100):
        ann.say(f"line {number}", wait=PATIENCE)
    assert not any(isinstance(event, PrivateMessage) for event in ann.events(timeout=0))
    ann.close()
    with lanchat.join(address(hal), nick="ann") as again:
        assert next(event.text for event in again.events(PATIENCE) if isinstance(event, PrivateMessage)) == "psst"


def test_a_program_that_takes_events_too_slowly_is_warned_of_dropped_ones(busy, caplog):
    hal, ann = busy
    hal.say("hello")
    next(event for event in ann if isinstance(event, Said))
    for number in range(100):
        ann.say(f"answer {number}", wait=PATIENCE)
    assert "events are dropped" in caplog.text and ann.dropped > 50


# ---- the end of a room


def test_the_host_closes_the_room(hal, join):
    ann = join("ann")
    hal.say("so long")
    hal.close()
    hal.close()
    texts = []
    assert ann.ended is None or "closed" in str(ann.ended)
    for event in ann:
        texts += [event.text] if isinstance(event, Said) else []
    assert isinstance(ann.ended, ConnectionLost) and str(ann.ended) == "The host has closed the room."
    assert texts == ["so long"], "what was said before is not lost"
    with pytest.raises(lanchat.LanchatError):
        ann.wait_for("anything", timeout=PATIENCE)
    with pytest.raises(ConnectionLost):
        ann.say("into the void", wait=PATIENCE)


def test_nothing_can_be_sent_after_leaving(join):
    ann = join("ann")
    ann.close()
    ann.close()
    assert list(ann) == [] and str(ann.ended) == "You have left."
    with pytest.raises(ConnectionLost, match="You have left."):
        ann.say("too late", wait=PATIENCE)


def test_closing_ends_an_iteration_in_another_thread(join):
    ann = join("ann")
    listener = threading.Thread(target=list, args=(ann,))
    listener.start()
    ann.close()
    listener.join(PATIENCE)
    assert not listener.is_alive() and ann.ended is not None


# ---- what goes wrong


def test_an_address_where_nothing_listens():
    with pytest.raises(NoSuchRoom, match="There is no room at 127.0.0.1:1.") as caught:
        lanchat.join("127.0.0.1:1", nick="ann")
    error: lanchat.LanchatError = caught.value
    assert error.exit_code == 3 and error.hint


def test_an_unknown_title():
    with pytest.raises(NoSuchRoom, match="looked for 0.1 s"):
        lanchat.join(own_title("Nowhere"), nick="ann", wait=0.1)


def test_a_search_that_had_next_to_no_time_says_so_instead_of_0_seconds():
    with pytest.raises(NoSuchRoom, match=r"looked for less than 0\.1 s"):
        lanchat.join(own_title("Nowhere"), nick="ann", wait=0.0)


def test_a_taken_nick_is_refused(hal, tmp_path, monkeypatch):
    monkeypatch.setenv("LANCHAT_HOME", str(tmp_path))
    with pytest.raises(Refused) as caught:
        lanchat.join(address(hal), nick="HAL")
    assert (caught.value.code, caught.value.suggestion) == ("nick", "HAL2")


def test_a_locked_room_is_locked_after_the_host_has_started_again(tmp_path, monkeypatch):
    title = own_title("Locked")

    def start() -> lanchat.HostedRoom:
        return lanchat.host(title, nick="hal", port=0, announce=False)

    def moderate(room: lanchat.HostedRoom, action: str) -> None:
        room.moderate(action)
        assert "admitted" in notice(room, "done")

    def notice(room: lanchat.HostedRoom, code: str) -> str:
        def found() -> str:
            taken = room.take(0.01)
            return next((item.text for item in taken if isinstance(item, Notice) and item.code == code), "")

        return wait_until(found)

    ann_home, eve_home = tmp_path / "ann", tmp_path / "eve"

    def enter(room: lanchat.HostedRoom, nick: str, home: Path) -> None:
        with monkeypatch.context() as patch:
            patch.setenv("LANCHAT_HOME", str(home))
            lanchat.join(address(room), nick=nick).close()

    with start() as room:
        enter(room, "ann", ann_home)
        moderate(room, "lock")
    with start() as room:
        assert "locked" in notice(room, "locked"), "and who hosts is reminded"
        enter(room, "ann", ann_home)
        with pytest.raises(Refused) as caught:
            enter(room, "eve", eve_home)
        assert caught.value.code == "locked"
        moderate(room, "unlock")
    with start() as room:
        enter(room, "eve", eve_home)


def test_a_room_that_cannot_be_announced_is_not_opened_and_leaves_nothing_behind(monkeypatch):
    """Its host, its member and the watch for other hosts run already when this fails."""

    def no_socket(*args: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("lanchat.api.hosting.Advertiser", no_socket)
    with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
        lanchat.host(own_title("Room A"), nick="hal", port=0)


def test_an_address_without_a_room(own_world):
    with closing(_answering(b"SSH-2.0-x\r\n")) as port, pytest.raises(NotLanchat, match="Something other than lanchat"):
        lanchat.join(f"127.0.0.1:{port.number}", nick="ann")


class _answering:
    """Something that says this to one caller."""

    def __init__(self, data: bytes) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.number = int(self._server.getsockname()[1])
        self._thread = threading.Thread(target=self._answer, args=(data,))
        self._thread.start()

    def _answer(self, data: bytes) -> None:
        caller, _ = self._server.accept()
        with caller:
            caller.recv(4096)
            caller.sendall(data)

    def close(self) -> None:
        self._thread.join()
        self._server.close()


@pytest.mark.parametrize(("title", "nick"), [("", "hal"), ("x" * 300, "hal"), ("a\x1bb", "hal"), ("Room A", "a b")])
def test_invalid_titles_and_nicks_are_value_errors(title, nick):
    with pytest.raises(ValueError, match="A (title|nick)"):
        lanchat.host(title, nick=nick, announce=False)
    if nick != "hal":
        with pytest.raises(ValueError, match="A nick"):
            lanchat.join("127.0.0.1:1", nick=nick)


def test_a_retention_that_is_none_is_a_value_error_and_leaves_no_room_behind(own_world):
    with pytest.raises(ValueError, match='"abc" is neither an age'):
        lanchat.host("Room A", nick="hal", port=0, keep="abc", announce=False)
    with lanchat.host("Room A", nick="hal", port=0, announce=False) as room:
        assert room.title == "Room A"


def test_what_no_host_reads_is_refused_before_it_is_sent(join):
    ann = join("ann")
    with pytest.raises(ValueError, match="32 hex digits"):
        ann.remove_file("holiday.jpg")
    with pytest.raises(ValueError, match="That action"):
        ann.moderate("x" * 65)
    assert ann.say("still here", wait=PATIENCE)


def test_a_message_to_oneself_is_a_value_error(join):
    ann = join("ann")
    with pytest.raises(ValueError, match="ann is you."):
        ann.tell("ann", "psst")


def test_a_port_in_use_is_an_error(hal):
    with pytest.raises(lanchat.LanchatError, match="is in use"):
        lanchat.host("Room B", nick="eve", port=hal.host.port, announce=False)


def test_an_unknown_interface_is_an_error():
    with pytest.raises(lanchat.LanchatError, match='"nope0"'):
        lanchat.host("Room B", nick="eve", interfaces=("nope0",))


# ---- the environment


def test_the_nick_by_default(hal, monkeypatch):
    monkeypatch.setenv("LANCHAT_NICK", "nina")
    with lanchat.join(address(hal)) as room:
        assert room.nick == "nina"


# ---- found by title


@pytest.mark.full
def test_a_room_is_found_by_its_title(tmp_path, monkeypatch):
    title = own_title("Found")
    with lanchat.host(title, nick="hal", port=0) as hal:
        listing = wait_until(lambda: _listing(title))
        assert (listing.title, listing.host, listing.people, listing.password) == (title, "hal", 1, False)
        assert [str(endpoint) for endpoint in listing.endpoints] == [address(hal)]
        with lanchat.join(title.upper(), nick="ann") as ann:
            ann.say("hello")
            assert hal.wait_for("hello", timeout=PATIENCE).nick == "ann"
        ann_home = os.environ["LANCHAT_HOME"]
        monkeypatch.setenv("LANCHAT_HOME", str(tmp_path / "eve"))  # one home has one room of a title
        with lanchat.host(title, nick="eve", port=0):
            monkeypatch.setenv("LANCHAT_HOME", ann_home)
            wait_until(lambda: sum(listing.title == title for listing in lanchat.rooms(wait=0.3)) == 2)
            with lanchat.join(title, nick="ann") as ann:
                assert ann.card.host == "hal", "she has been there before"
            monkeypatch.setenv("LANCHAT_HOME", str(tmp_path / "bob"))  # somebody who has been in neither
            with pytest.raises(lanchat.LanchatError, match="2 rooms are called") as caught:
                lanchat.join(title, nick="bob").close()
            assert address(hal) in caught.value.hint
    wait_until(lambda: _listing(title) is None)


def _listing(title: str):
    return next((listing for listing in lanchat.rooms(wait=0.3) if listing.title == title), None)
