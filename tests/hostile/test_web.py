"""The web door under attack. After each attack an honest newcomer is in and heard."""

import socket

import pytest

from lanchat.protocol.limits import DEFAULT_LIMITS
from lanchat.protocol.messages import Welcome
from tests.support.page import PageClient, WebSocket, fetch, request

EVE = "127.0.0.66"  # another machine


@pytest.fixture
def attacked(siege):
    return siege(web_port=0)


@pytest.mark.parametrize("number", [60, pytest.param(500, marks=pytest.mark.full)])
def test_many_tabs_of_one_machine(attacked, attackers, number):
    """She gets as many places as any machine, and everybody else still gets the page and comes in."""
    port, came = attacked.room.ports["web"], 0
    for tab in range(number):
        try:
            eve = PageClient(port, source=EVE)
            attackers.callback(eve.close)
            came += isinstance(eve.come_in(f"eve{tab}"), Welcome)
        except (OSError, AssertionError):
            pass
    assert came == DEFAULT_LIMITS.links_per_source
    assert fetch(port)[0] == "HTTP/1.1 200 OK"
    zoe = PageClient(port, "zoe")
    zoe.say("honest")
    zoe.hear("honest")
    zoe.close()
    attacked.ann.hear_text("honest")


@pytest.mark.parametrize("number", [40, pytest.param(200, marks=pytest.mark.full)])
def test_half_requests_and_silent_pages_keep_nobody_out(attacked, attackers, number):
    port = attacked.room.ports["web"]
    half = request(port)[:-2]
    for turn in range(number):
        if turn % 2:
            sock = socket.create_connection(("127.0.0.1", port), source_address=(f"127.0.3.{turn % 4 + 1}", 0))
            attackers.callback(sock.close)
            sock.sendall(half)
        else:
            attackers.callback(WebSocket(port, source=f"127.0.3.{turn % 4 + 1}").close)
    assert fetch(port)[0] == "HTTP/1.1 200 OK"
