"""The lines of --json-in."""

import json

import pytest

from lanchat.protocol.text import MAX_TEXT
from lanchat.terminal.json_input import MAX_JSON_LINE, JsonCommand, parse_command
from lanchat.terminal.piped import LineSplitter, Overlong
from tests.support.cases import cases


@pytest.mark.parametrize(
    "line, command",
    [
        ('{"say": "hi"}', JsonCommand(say="hi")),
        ('{"say": "hi", "id": "build-7"}', JsonCommand(say="hi", id="build-7")),
        ('{"me": "waves"}', JsonCommand(me="waves")),
        ('{"tell": "psst", "to": "ann"}', JsonCommand(tell="psst", to="ann")),
        ('{"nick": "rob"}', JsonCommand(nick="rob")),
        ('{"away": ""}', JsonCommand(away="")),
        ('{"leave": true}', JsonCommand(leave=True)),
    ],
)
def test_each_line_does_one_thing(line, command):
    assert parse_command(line) == command


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
        parse_command(line)


@cases(
    ("line", "why"),
    [
        ('{"say": 7}', 'The field "say" must be a text in quotes, and here it is 7.'),
        ('{"say": "a", "id": null}', 'The field "id" must be a text in quotes, and here it is null.'),
        ('{"say": ["a"], "leave": 1}', 'The field "say" must be a text in quotes, and here it is ["a"].'),
        ('{"leave": "yes"}', 'The field "leave" must be true, and here it is "yes".'),
        ('{"sey": "a"}', 'There is no field "sey". The fields are say, me, tell, to, nick, away, leave, id.'),
        ('"hi"', 'A line is one JSON object, such as {"say": "hello"}.'),
        ('{"say": 7} 8', "This line is not JSON: JSON is malformed: trailing characters (byte 12)."),
        ("hi", "This line is not JSON: JSON is malformed: invalid character (byte 0)."),
        (f'{{"say": {[1] * 50}}}', f'The field "say" must be a text in quotes, and here it is [{"1," * 19}1….'),
    ],
)
def test_a_wrong_line_is_answered_by_the_name_of_its_field(line, why):
    with pytest.raises(ValueError) as caught:
        parse_command(line)
    assert str(caught.value) == why


def test_the_longest_message_fits_however_it_is_escaped():
    line = json.dumps({"say": "\x01" * MAX_TEXT, "id": "x" * 64})
    [read] = LineSplitter(MAX_JSON_LINE).feed(line.encode() + b"\n")
    assert isinstance(read, str) and len(parse_command(read).say or "") == MAX_TEXT
