"""The lines of --json-in."""

import json

import pytest

from lanchat.protocol.fields import MAX_TEXT
from lanchat.terminal.orders import MAX_ORDER, Order, parse_order
from lanchat.terminal.piped import LineSplitter, Overlong
from tests.support.cases import cases


@pytest.mark.parametrize(
    "line, order",
    [
        ('{"say": "hi"}', Order(say="hi")),
        ('{"say": "hi", "id": "build-7"}', Order(say="hi", id="build-7")),
        ('{"me": "waves"}', Order(me="waves")),
        ('{"tell": "psst", "to": "ann"}', Order(tell="psst", to="ann")),
        ('{"nick": "rob"}', Order(nick="rob")),
        ('{"away": ""}', Order(away="")),
        ('{"leave": true}', Order(leave=True)),
    ],
)
def test_each_line_does_one_thing(line, order):
    assert parse_order(line) == order


@cases(
    "line",
    [
        "",
        "hi",
        "[]",
        "null",
        "{}",
        '{"say": 7}',
        '{"say": "a", "me": "b"}',
        '{"say": "a", "to": "ann"}',
        '{"tell": "a"}',
        '{"leave": false}',
        '{"sey": "a"}',
        '{"say": "a", "id": "two words"}',
        '{"nick": "a", "id": "1"}',
        '{"say": "a"} {"say": "b"}',
        "[" * 20_000,
        Overlong(99_999),
    ],
)
def test_everything_else_is_refused(line):
    with pytest.raises(ValueError):
        parse_order(line)


def test_the_longest_message_fits_however_it_is_escaped():
    line = json.dumps({"say": "\x01" * MAX_TEXT, "id": "x" * 64})
    [read] = LineSplitter(MAX_ORDER).feed(line.encode() + b"\n")
    assert isinstance(read, str) and len(parse_order(read).say or "") == MAX_TEXT
