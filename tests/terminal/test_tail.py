"""`lanchat tail` on a terminal."""

import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import islice
from typing import cast

import pytest

from lanchat.api.room import JoinedRoom
from lanchat.client.events import Closed, Connected, Item, PrivateMessage
from lanchat.client.state import RoomState
from lanchat.errors import ConnectionLost
from lanchat.protocol.messages import Card, Joined, Said, Welcome
from lanchat.terminal.tail import Tail, TailOptions

if os.name == "posix":
    import fcntl
    import termios

pytestmark = pytest.mark.skipif(os.name != "posix", reason="has a pseudo-terminal")

ANN, BOB = "a" * 32, "b" * 32


CARD = Card(1, "r" * 32, "Room A", "hal", 1, False, bytes(32))
CAME = Connected(CARD, Welcome(ANN, "ann", 0, 0, 0), (), BOB)
GONE = Closed(ConnectionLost("The room is gone."))


class FakeRoom:
    """A room in which ann gets these items, one by one, and then nothing any more."""

    title, key_status = "Room A", "known"

    def __init__(self, items: Iterable[Item]) -> None:
        self.state = RoomState()
        self.confirmed: list[str] = []
        self._items = iter(items)

    def take(self, timeout: float | None = None) -> Sequence[Item]:
        return [*islice(self._items, 1)]  # nothing is what comes when the time is over

    def follow(self, item: Item) -> None:
        self.state.follow(item)

    def confirm(self, shown: Sequence[PrivateMessage]) -> None:
        self.confirmed += [message.text for message in shown]


class SlowRoom(FakeRoom):
    """A room in which ann gets these items, those together that stand together."""

    def __init__(self, turns: Iterable[Sequence[Item]]) -> None:
        super().__init__(())
        self._turns = iter(turns)

    def take(self, timeout: float | None = None) -> Sequence[Item]:
        return next(self._turns)


def narrowing(terminal: int) -> Iterator[Item]:
    """One message before the window becomes narrower, and one after it."""
    resize(terminal, 80)
    yield CAME
    yield Joined(1, 0, ANN, "ann")
    yield Said(2, 0, BOB, "bob", "1", "a line that is longer than twenty")
    resize(terminal, 20)
    yield Said(3, 0, BOB, "bob", "2", "a line that is longer than twenty")
    yield GONE


def resize(terminal: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def test_each_line_is_broken_for_the_window_as_it_is_then():
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal, os.fdopen(theirs, "w") as out:
        room = cast(JoinedRoom, FakeRoom(narrowing(ours)))
        with pytest.raises(ConnectionLost):
            Tail(room, TailOptions(0, follow=True), None, out, out).run()
        shown = b""
        while shown.count(b"twenty\r\n") < 2:
            shown += terminal.read(1000)
    assert shown.decode().splitlines()[-3:] == ["bob: a line that is", "    longer than", "    twenty"]


def test_a_private_message_that_is_older_than_wanted_comes_again():
    old, new = (PrivateMessage(text, at, BOB, "bob", ANN, "ann", text) for text, at in (("old", 1), ("new", 9)))
    room = FakeRoom([CAME, old, new, Joined(1, 9, ANN, "ann")])
    out = StringIO()
    assert Tail(cast(JoinedRoom, room), TailOptions(10, since=5), None, out, out).run() == 0
    assert out.getvalue() == "[bob -> you] new\n"
    assert room.confirmed == ["new"]


def test_it_ends_when_nobody_reads_it_any_more_though_nothing_is_said():
    """As in `lanchat tail ROOM -f | grep -m1 done`."""
    reading, writing = os.pipe()
    os.close(reading)
    room = cast(JoinedRoom, FakeRoom([CAME, Joined(1, 0, ANN, "ann")]))
    with os.fdopen(writing, "w") as out, pytest.raises(BrokenPipeError):
        Tail(room, TailOptions(10, follow=True), None, out, out).run()


def test_it_goes_on_as_long_as_somebody_may_read_it():
    reading, writing = os.pipe()
    items: list[Sequence[Item]] = [
        [CAME],
        [Joined(1, 0, ANN, "ann")],
        [],
        [],
        [Said(2, 0, BOB, "bob", "1", "hi"), GONE],
    ]
    with os.fdopen(reading) as pipe, os.fdopen(writing, "w") as out:
        with pytest.raises(ConnectionLost):
            Tail(cast(JoinedRoom, SlowRoom(items)), TailOptions(10, follow=True), None, out, out).run()
        assert pipe.readline() == "bob: hi\n"
