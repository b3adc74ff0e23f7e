"""The lines of MCP: requests of both eras, and everything that is none."""

import json

import pytest

from lanchat.agents import jsonrpc
from lanchat.agents.jsonrpc import MAX_LINE, NOW, Fault, read, result, split
from tests.support.cases import cases

MODERN = {"io.modelcontextprotocol/protocolVersion": NOW}


def line(**values: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **values}).encode()


def test_a_request_has_a_name_an_id_and_what_this_server_reads_of_its_parameters():
    request = read(line(id=7, method="tools/call", params={"name": "say", "arguments": {"text": "hi"}, "other": [1]}))
    assert request is not None and (request.id, request.method, request.is_modern) == (7, "tools/call", False)
    assert (request.params.name, request.params.arguments) == ("say", {"text": "hi"})


def test_an_answer_of_the_later_era_says_what_it_is_and_whose():
    about = {"name": "lanchat", "version": "1"}
    earlier, later = read(line(id="a", method="ping")), read(line(id="b", method="ping", params={"_meta": MODERN}))
    assert earlier is not None and later is not None
    assert json.loads(result(earlier, {}, about)) == {"jsonrpc": "2.0", "id": "a", "result": {}}
    meta = {"io.modelcontextprotocol/serverInfo": about}
    assert json.loads(result(later, {}, about))["result"] == {"resultType": "complete", "_meta": meta}


@pytest.mark.parametrize("text", [b"", b"  \r", line(id=1, result={}), line(id=1, error={"code": 1, "message": ""})])
def test_blank_lines_and_answers_get_no_answer(text):
    assert read(text) is None


@cases(
    ("text", "code", "id"),
    [
        (b"{", jsonrpc.PARSE_ERROR, None),
        (b"!", jsonrpc.PARSE_ERROR, None),
        (b"[" * 100_000, jsonrpc.INVALID_REQUEST, None),
        (b"[]", jsonrpc.INVALID_REQUEST, None),
        (b"7", jsonrpc.INVALID_REQUEST, None),
        (line(id=3, method=7), jsonrpc.INVALID_REQUEST, 3),
        (line(id=3, method="tools/call", params={"arguments": []}), jsonrpc.INVALID_REQUEST, 3),
        (line(id={}, method="ping"), jsonrpc.INVALID_REQUEST, None),
    ],
)
def test_everything_else_is_a_fault_that_names_the_request_where_it_can(text, code, id):
    with pytest.raises(Fault) as caught:
        read(text)
    assert (caught.value.code, caught.value.id) == (code, id)


@pytest.mark.parametrize(
    ("wanted", "agreed"),
    [("2024-11-05", "2024-11-05"), ("2025-11-25", "2025-11-25"), ("2999-01-01", "2025-11-25"), ("", "2025-11-25")],
)
def test_the_version_that_was_asked_for_is_spoken_if_it_is_known(wanted, agreed):
    assert jsonrpc.agreed_version(wanted) == agreed


def test_lines_are_cut_wherever_the_bytes_come_and_one_that_is_too_long_is_forgotten():
    chunks = iter([b'{"a"', b": 1}\n{}\n", b"x" * (MAX_LINE + 1), b"x\nlast", b""])
    assert list(split(lambda: next(chunks))) == [b'{"a": 1}', b"{}", b"!", b"last"]


def test_what_others_wrote_cannot_end_a_line_or_reach_a_terminal():
    request = read(line(id=1, method="x"))
    assert request is not None
    text = result(request, {"text": 'a\n{"jsonrpc": "2.0"}\x1b[2J\u2028\u202e'}, {})
    assert text.isascii() and text.count("\n") == 1 and "\x1b" not in text
