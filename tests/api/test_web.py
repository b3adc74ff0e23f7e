"""The door for browsers of a room that a program hosts."""

from pathlib import Path
from typing import Any

import pytest

import lanchat
from lanchat.errors import LanchatError
from lanchat.protocol.guest_ticket import ticket_from
from lanchat.protocol.messages import Closing, Refused, Welcome
from tests.support.page import PageClient, fetch

OPTIONS: dict[str, Any] = {"nick": "hal", "port": 0, "announce": False}


def port_of(url: str) -> int:
    return int(url.removeprefix("http://127.0.0.1:").partition("/")[0])


def test_the_door_is_open_only_if_somebody_asks_for_it(own_world):
    with lanchat.host("Room A", ephemeral=True, **OPTIONS) as room:
        assert not room.web.is_open and room.web.address is None
        room.web.open(0)
        address = room.web.address
        assert address is not None and address.until == 0
        port = port_of(address.url)
        assert fetch(port)[0] == "HTTP/1.1 200 OK"
        zoe = PageClient(port, "zoe")
        assert zoe.next(Welcome).nick == "zoe"
        assert room.web.close() == 1
        assert zoe.next(Closing).code == "closed"
        zoe.close()
        assert room.web.close() == 0 and room.web.address is None


def test_a_port_that_is_taken_is_an_error(own_world):
    with (
        lanchat.host("Room A", ephemeral=True, web_port=0, **OPTIONS) as room,
        pytest.raises(LanchatError, match="in use"),
    ):
        assert room.web.address is not None
        lanchat.host("Room B", ephemeral=True, web_port=port_of(room.web.address.url), **OPTIONS)


@pytest.mark.parametrize("standby", [True, False], ids=["may move", "stays"])
def test_a_guest_link_outlives_the_program_and_a_new_one_replaces_it(own_world, standby):
    def ticket(url: str) -> bytes:
        return ticket_from(url.partition("#")[2])

    with lanchat.host("Room A", password="secret", web_port=0, standby=standby, **OPTIONS) as room:
        assert room.web.address is not None and room.web.needs_guest_link
        first = ticket(room.web.address.url)
    folders = list(Path(own_world).glob("rooms/*"))
    assert [folder.stat().st_mode & 0o777 for folder in folders] == [0o700]
    with lanchat.host("Room A", password="secret", web_port=0, standby=standby, **OPTIONS) as room:
        assert room.web.address is not None
        port = port_of(room.web.address.url)
        zoe = PageClient(port, "zoe", ticket=first)
        assert zoe.next(Welcome)
        room.web.renew(2)
        woo = PageClient(port, "woo", ticket=first)
        assert woo.next(Refused).code == "ticket"
        zoe.close()
        woo.close()
        second = ticket(room.web.address.url)
    with lanchat.host("Room A", password="secret", web_port=0, standby=standby, **OPTIONS) as room:
        assert room.web.address is not None and ticket(room.web.address.url) == second != first
