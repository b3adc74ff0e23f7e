import socket
import threading

import pytest

from lanchat.network.link import Link
from lanchat.protocol.framing import encode
from lanchat.protocol.messages import Left, Say
from lanchat.protocol.timing import Timing
from lanchat.server.parking import CAN_PARK, Parking
from tests.support.links import Links, open_links
from tests.support.people import Listener, link_of
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.skipif(not CAN_PARK, reason="links are parked on Linux only")
SOON = Timing(park=0.01)
LATE = 60.0  # s of silence, longer than a test


class Stage:
    """Parked links, and the threads that wait for them."""

    def __init__(self, links: Links, silence: float) -> None:
        self._links = links
        self.parking = Parking(silence)
        self.parked: list[Speaker] = []

    def park(self) -> "Speaker":
        """A link that is parked."""
        self.parked.append(Speaker(self, *self._links.alone()))
        return self.parked[-1]

    @property
    def threads(self) -> int:
        return len(self.parking._threads)

    @property
    def waiting(self) -> int:
        return self.parking._waiting

    def close(self) -> None:
        for one in self.parked:
            one.link.drop("", "the test is over")
        for one in self.parked:
            assert one.over.wait(PATIENCE)
        self.parking.close()


class Speaker:
    """A parked link, read as a door reads it, and its other end."""

    def __init__(self, stage: Stage, link: Link, peer: socket.socket) -> None:
        self.link, self.peer = link, peer
        self.got: list[bytes] = []
        self.over = threading.Event()
        self.held = threading.Event()  # in the middle of reading
        self.go_on = threading.Event()  # ends that
        self.go_on.set()
        self._parking = stage.parking
        assert self._parking.park(link, self._read)

    def _read(self) -> bool:
        while (data := self.link.hear()) != b"":
            if data is None:
                return True
            self.held.set()
            self.go_on.wait(PATIENCE)
            self.got.append(data)
        self._parking.forget(self.link)
        self.link.close()
        self.over.set()
        return False

    def say(self, data: bytes) -> None:
        """Say this, which is read alone."""
        count = len(self.got)
        self.peer.send(data)
        wait_until(lambda: len(self.got) > count)


@pytest.fixture
def stage(identity):
    with open_links(identity("hal")) as links:
        stage = Stage(links, LATE)
        try:
            yield stage
        finally:
            stage.close()


# ---- the threads


def test_who_speaks_now_and_then_keeps_no_thread(stage):
    for speaker in [stage.park() for _ in range(20)]:
        speaker.say(b"hello")
    wait_until(lambda: stage.waiting == stage.threads)
    assert stage.threads <= 2


def test_who_speaks_again_keeps_the_thread(stage):
    ann, bob = stage.park(), stage.park()
    ann.say(b"hello")
    wait_until(lambda: stage.waiting == stage.threads)
    ann.say(b"and again")
    wait_until(lambda: stage.waiting == 2 and stage.threads == 3)
    ann.say(b"and again")
    bob.say(b"hello")
    assert ann.got == [b"hello", b"and again", b"and again"]
    ann.peer.close()
    assert ann.over.wait(PATIENCE)
    wait_until(lambda: stage.waiting == stage.threads)


def test_who_becomes_silent_gives_the_thread_back(identity):
    with open_links(identity("hal")) as links:
        stage = Stage(links, 0.01)
        ann = stage.park()
        for _ in range(50):
            ann.say(b"hello")
        wait_until(lambda: stage.waiting == stage.threads)
        ann.say(b"still here")
        stage.close()


def test_a_reader_that_takes_long_holds_up_nobody(stage):
    slow = [stage.park() for _ in range(5)]
    for one in slow:
        one.go_on.clear()
        one.peer.send(b"much")
        assert one.held.wait(PATIENCE)
    ann = stage.park()
    ann.say(b"hello")
    assert not any(one.got for one in slow)
    for one in slow:
        one.go_on.set()
    wait_until(lambda: all(one.got for one in slow))


@pytest.mark.parametrize("count", [50, pytest.param(1000, marks=pytest.mark.full)])
def test_when_all_speak_at_once_all_are_read(stage, count):
    speakers = [stage.park() for _ in range(count)]
    for one in speakers:
        one.peer.send(b"hello")
    wait_until(lambda: all(one.got for one in speakers))
    wait_until(lambda: stage.waiting == stage.threads)
    for one in speakers:  # and once more, so that each keeps a thread
        one.peer.send(b"hello")
    wait_until(lambda: all(len(one.got) == 2 for one in speakers))
    assert all(one.got == [b"hello", b"hello"] for one in speakers)


def test_the_end_of_a_parked_link_is_seen(stage):
    ann, bob = stage.park(), stage.park()
    ann.peer.close()
    bob.link.drop("", "away with it")
    assert ann.over.wait(PATIENCE) and bob.over.wait(PATIENCE)


def test_a_new_link_with_the_descriptor_of_an_old_one(stage):
    ann = stage.park()
    file = ann.link.fileno()
    ann.peer.close()
    assert ann.over.wait(PATIENCE)
    stage.parked.remove(ann)
    others: list[Speaker] = []
    while not others or others[-1].link.fileno() != file:
        others.append(stage.park())
        assert len(others) < 10
    for one in others:
        one.say(b"hello")


def test_where_the_system_gives_no_more_threads_those_there_are_read_all(stage, monkeypatch):
    speakers = [stage.park() for _ in range(3)]
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        for round in (b"one", b"two", b"three"):
            for one in speakers:
                one.say(round)
    assert stage.threads == 1


def test_a_link_is_not_parked_where_no_thread_could_read_it(stage, monkeypatch, identity):
    ann = stage.park()
    ann.go_on.clear()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    ann.peer.send(b"much")
    assert ann.held.wait(PATIENCE)
    link, peer = stage._links.alone()
    assert not stage.parking.park(link, lambda: False)
    ann.go_on.set()
    wait_until(lambda: ann.got)


def refuse(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


# ---- a room


def reading() -> list[str]:
    """The threads that read one link."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.removeprefix("reader-").isdigit()]


def test_silent_members_have_no_thread_and_hear_and_speak_as_before(host, join, plain, irc):
    room = host(timing=SOON, plain_port=0, irc_port=0)
    ann, bob = Listener(join(room, "ann")), Listener(join(room, "bob"))
    pat, ida = plain(room, "pat"), irc(room, "ida")
    for _ in range(3):
        wait_until(lambda: not reading())
        ann.round_trip("hello")
        bob.hear_text("hello")
        pat.until(b"ann: hello\n")
        wait_until(lambda: not reading())
        pat.send(b"hi\n")
        ann.hear_text("hi")
        ida.send("PRIVMSG #room-a :good morning")
        ann.hear_text("good morning")
        for one in (ann, bob):
            one.items.clear()
    assert room.people == 4


def test_a_half_line_waits_for_its_end(host, join):
    room = host(timing=SOON)
    ann, bob = Listener(join(room, "ann")), join(room, "bob")
    line = encode(Say("x1", "in two halves"))
    for part in (line[:9], line[9:]):
        link_of(bob).send(part)
        wait_until(lambda: not reading())
    ann.hear_text("in two halves")


def test_a_parked_link_that_is_dropped_ends_in_order(host, join):
    room = host(timing=SOON)
    ann = Listener(join(room, "ann"))
    (mine,) = room.links
    bob = join(room, "bob")
    wait_until(lambda: not reading())
    for link in room.links:
        if link is not mine:
            link.drop("silent", "no answer")
    ann.hear_kind(Left, nick="bob")
    bob.close()


def test_a_room_with_parked_links_closes(host, join):
    room = host(timing=SOON)
    members = [Listener(join(room, f"m{number}")) for number in range(5)]
    wait_until(lambda: not reading())
    room.close()
    for member in members:
        assert "closed" in str(member.end())
    assert room.links == []
