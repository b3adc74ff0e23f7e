"""The lists in JSON of a room that moves, and what strangers may put into them."""

import json

import pytest

from lanchat.errors import ProtocolError
from lanchat.protocol.address import Endpoint
from lanchat.protocol.places import Place, Rules, read_places, read_rules, write_places, write_rules
from tests.support.cases import cases

ANN, BOB = b"a" * 32, b"b" * 32
KEY = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="


def test_what_is_written_is_read_again():
    places = (Place(0, ANN, "ann", ("192.168.1.5:47474", "[fe80::1%3]:47474")), Place(7, BOB, "bob"))
    assert read_places(write_places(places)) == places
    assert places[0].endpoints == (Endpoint("192.168.1.5", 47474), Endpoint("fe80::1%3", 47474))
    rules = Rules({"id": "mallory"}, locked=True, keep="30d", title="Room A")
    assert read_rules(write_rules(rules)) == rules
    assert read_rules("{}") == Rules()


def test_the_longest_lists_fit_into_a_line():
    at = ("[fe80::1111:2222:3333:4444%wlp0s20f3]:47474",) * 4
    full = [Place(index, ANN, "n" * 32, at, at) for index in range(8)]
    assert len(write_places(full)) <= 8192


def test_an_address_that_cannot_be_dialled_is_left_out():
    assert Place(1, ANN, "ann", ("no address at all:0", "1.2.3.4:5")).endpoints == (Endpoint("1.2.3.4", 5),)


@cases(
    "text",
    [
        "",
        "{}",
        "[1]",
        '[{"index":0}]',
        '[{"index":0,"key":"AAAA","nick":"ann"}]',
        f'[{{"index":64,"key":"{KEY}","nick":"ann"}}]',
        f'[{{"index":-1,"key":"{KEY}","nick":"ann"}}]',
        f'[{{"index":0,"key":"{KEY}","nick":"{"n" * 257}"}}]',
        f'[{{"index":0,"key":"{KEY}","nick":"ann","at":"1.2.3.4:5"}}]',
        json.dumps([{"index": 3, "key": KEY, "nick": "ann"}] * 2),
        json.dumps([{"index": index, "key": KEY, "nick": "ann"} for index in range(9)]),
        "[" * 8000,
        "\ud800",
    ],
)
def test_what_is_no_list_of_places_is_refused(text):
    with pytest.raises(ProtocolError):
        read_places(text)


@pytest.mark.parametrize("text", ["", "[]", '{"bans":[]}', '{"bans":{"id":1}}', '{"locked":1}', "[" * 8000])
def test_what_are_no_rules_is_refused(text):
    with pytest.raises(ProtocolError):
        read_rules(text)


def test_a_page_may_come_from_what_the_list_calls_it_by_http_and_https():
    place = Place(1, BOB, "bob", web=("192.168.1.8:47480", "Bob.local:47480"))
    assert place.origins == (
        *("http://192.168.1.8:47480", "https://192.168.1.8:47480"),
        *("http://bob.local:47480", "https://bob.local:47480"),
    )
