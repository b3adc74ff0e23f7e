"""The lines between hosts, which are as hostile as anything else from outside."""

import pytest

from lanchat.errors import ProtocolError
from lanchat.protocol.messages import Notice, Told
from lanchat.protocol.status import Status
from lanchat.server.engine.controls import Here, NotHere, PassOn, Ruled, read_line, write_line
from tests.support.cases import cases


@cases(
    "line",
    [
        Here("ann-id", "ann"),
        NotHere("ann-id", "ann"),
        Ruled({"eve-id": "eve"}, ("dan-id",), True, (("eve-id", "eve"),), "banned"),
        Ruled(),
        Status("ann-id", "ann", "lunch", True),
        PassOn("bob-id", Told("1", 5, "ann-id", "ann", "bob-id", "bob", text="psst")),
        PassOn("bob-id", Notice("mailbox", "Full.")),
    ],
)
def test_a_line_comes_back_as_it_was(line):
    assert read_line(write_line(line)) == line


@cases(
    "body",
    [
        b"",
        b"{}",
        b"\xff",
        b"[" * 2000,
        b'{"t":"said","by":"x"}',
        b'{"t":"here","by":5,"nick":"x"}',
        b'{"t":"here","by":"%s","nick":"x"}' % (b"x" * 65),
        b'{"t":"passon","to":"x","message":{"t":"card"}}',
    ],
)
def test_anything_else_is_refused(body):
    with pytest.raises(ProtocolError, match="no line between hosts"):
        read_line(body)
