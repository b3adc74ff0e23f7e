"""What a host that enters finds at the engine is what the others have put there."""

import json

import pytest

from lanchat.errors import ProtocolError
from lanchat.protocol.messages import Present
from lanchat.protocol.standby import Owned
from lanchat.protocol.status import Status
from lanchat.server.engine.state import (
    EngineState,
    Person,
    about,
    admitting,
    gone,
    here,
    owns,
    read_state,
    stands,
    write_changes,
)
from tests.support.cases import cases

ANN = Present("ann-id", "Ann", key=b"k" * 32)


def after(*changes):
    """The state after these changes, as the functions of an engine make them."""
    table: dict[bytes, bytes] = {}
    flat = json.loads(write_changes(changes) or "[]")
    for name, value in zip(flat[::2], flat[1::2], strict=True):
        if value:
            table[name.encode()] = value.encode()
        else:
            table.pop(name.encode(), None)
    return read_state(table)


def test_who_is_here_and_by_which_hosts():
    assert after() == EngineState()
    assert after(here(ANN, [7, 3])) == EngineState((Person(ANN, (3, 7)),))
    assert after(here(ANN, [7, 3]), here(ANN, [3])) == EngineState((Person(ANN, (3,)),))
    assert after(here(ANN, [3]), stands(Status("ann-id", "Ann", "lunch")), *gone("ann-id", "ann")) == EngineState()


def test_whose_nicks_are_whose_and_what_the_room_is_about():
    late, early = Owned("bob", "bob-id", b"k" * 32, 9), Owned("Ann", "ann-id", seq=1)
    state = after(owns(late), owns(early), about("Deploy at 5"))
    assert (state.owners, state.topic) == ((early, late), "Deploy at 5")
    assert after(about("Deploy at 5"), about("")) == EngineState()


def test_who_is_away():
    [person] = after(here(ANN, [3]), stands(Status("ann-id", "Ann", 'at "lunch"', True))).people
    assert (person.present.away, person.present.bot) == ('at "lunch"', True)
    assert after(stands(Status("ann-id", "Ann", "lunch"))) == EngineState(), "they have left meanwhile"


def test_who_may_enter():
    state = after(*admitting({"eve-id": "eve", "dan-id": "dan"}, (), locked=True))
    assert (dict(state.bans), state.locked) == ({"eve-id": "eve", "dan-id": "dan"}, True)
    state = after(*admitting({"eve-id": "eve"}, (), locked=True), *admitting({}, ["eve-id"], locked=False))
    assert state == EngineState()


@cases(
    "table",
    [{b"in ann-id ann": b"[]"}, {b"in x": b"\xff"}, {b"\xff": b"1"}, {b"ban eve": b"\xff"}, {b"status x": b"{}"}],
)
def test_what_no_host_has_written_is_refused(table):
    with pytest.raises(ProtocolError, match="what no host can have written"):
        read_state(table)
