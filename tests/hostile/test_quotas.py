"""Floods that look for an allowance of their own: by lines that are no talk, by more links, by coming back.

No verdict is about how fast this machine is: what is over the rate takes at least its time.
"""

import socket
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace

from lanchat.network.sockets import RECEIVE_SIZE
from lanchat.protocol.framing import encode
from lanchat.protocol.limits import DEFAULT_LIMITS, LINES_A_MESSAGE
from lanchat.protocol.messages import Fetch, Page, Ping, Pong, Said, Say, Welcome
from tests.hostile.siege import Siege
from tests.support.people import PlainClient
from tests.support.strangers import Stranger
from tests.support.waiting import wait_until

LIMITS = replace(DEFAULT_LIMITS, message_burst=20, message_rate=20.0)
SOURCE = replace(
    DEFAULT_LIMITS, message_burst=100, message_rate=1000.0, source_message_burst=20, source_message_rate=20.0
)

_words = count()

Enter = Callable[..., Stranger]


@pytest.fixture
def enter(stranger, identity) -> Enter:
    """`enter(room, "eve")`: eve is in the room."""

    def come(room: Any, nick: str, owner: str = "", source: str = "127.0.0.66") -> Stranger:
        eve: Stranger = stranger(room, source)
        assert isinstance(eve.come_in(identity(owner or nick), nick), Welcome)
        return eve

    return come


def words(number: int) -> list[Say]:
    """So many messages, each another one."""
    return [Say(f"word-{next(_words)}", f"word {n}") for n in range(number)]


def says(eve: Stranger, number: int) -> None:
    """Say so much, and hear all of it."""
    said = words(number)
    eve.send(*said)
    while eve.hear(Said).id != said[-1].id:
        pass


def pings(eve: Stranger, number: int) -> None:
    eve.send(encode(Ping()) * number)
    for _ in range(number):
        assert isinstance(eve.hear(Pong), Pong)


def pages(eve: Stranger, number: int) -> None:
    for _ in range(number // 2):  # each of them counts for two messages
        eve.send(Fetch(0))
        assert isinstance(eve.hear(Page), Page)


ASKED = {"talk": says, "pings": lambda eve, number: pings(eve, number * LINES_A_MESSAGE), "pages of the past": pages}


def least(messages: int) -> float:
    """s that so many messages take, with 20 at once and 20 a second."""
    return (messages - 20) / 20 * 0.9


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_whatever_is_asked_has_its_rate(siege, enter, ask):
    attacked = siege(limits=LIMITS)
    eve = enter(attacked.room, "eve")
    began = time.monotonic()
    ask(eve, 40)
    assert time.monotonic() - began >= least(40)
    attacked.ann.round_trip("still here")


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_coming_back_brings_no_new_allowance(siege, enter, ask):
    attacked = siege(limits=LIMITS)
    began = time.monotonic()
    for _ in range(4):
        eve = enter(attacked.room, "eve")
        ask(eve, 12)
        eve.close()
    assert time.monotonic() - began >= least(4 * 12)


def floods(attacked: Siege, links: list[Stranger], number: int) -> None:
    """Each of these links says so much at once; ann hears all of it."""
    for eve in links:
        eve.send(*words(number))
    attacked.ann.hear(lambda: len([text for text in attacked.ann.texts if "word" in text]) == len(links) * number)


def test_more_links_of_one_key_have_no_allowance_of_their_own(siege, enter):
    attacked = siege(limits=LIMITS)
    links = [enter(attacked.room, "eve", source=f"127.0.0.{60 + n}") for n in range(4)]
    began = time.monotonic()
    floods(attacked, links, 12)
    assert time.monotonic() - began >= least(4 * 12)


def test_many_keys_of_one_address_share_what_it_has(siege, enter):
    attacked = siege(limits=SOURCE)
    links = [enter(attacked.room, f"eve{n}") for n in range(4)]
    began = time.monotonic()
    floods(attacked, links, 10)
    assert time.monotonic() - began >= least(4 * 10)


@pytest.mark.parametrize("source", ["127.0.0.66", "127.0.0.67"], ids=["at its address", "elsewhere"])
def test_nobody_waits_for_the_end_of_a_flood(siege, enter, source):
    attacked = siege(limits=replace(SOURCE, source_message_burst=40, source_message_rate=5.0))
    links, carl = [enter(attacked.room, f"eve{n}") for n in range(3)], enter(attacked.room, "carl", source=source)
    for eve in links:
        eve.send(*words(60))
    attacked.ann.hear(lambda: sum("word" in text for text in attacked.ann.texts) > 20)
    carl.send(Say("1", "of carl"))
    attacked.ann.hear_text("of carl")
    assert sum("word" in text for text in attacked.ann.texts) < 3 * 60 / 2


@pytest.mark.full
def test_many_links_of_one_source_wait_for_the_room_one_after_another(siege, enter):
    """Else each of them would be ahead of carl, whose source says little."""
    burst, rate = 20, 2.0  # messages, and how many of them a second
    attacked = siege(limits=replace(DEFAULT_LIMITS, room_message_burst=burst, room_message_rate=rate))
    links = [enter(attacked.room, f"eve{n}") for n in range(16)]
    carl = enter(attacked.room, "carl", source="127.0.0.67")
    bucket, before, began = attacked.room._links._quotas.room.lines, attacked.room._hub._room.seq, time.monotonic()
    for eve in links:
        eve.send(*words(4))
    wait_until(lambda: bucket.level(time.monotonic()) < 0, what="what the room takes at once to be used up")
    carl.send(Say("1", "of carl"))
    taken = burst + rate * (time.monotonic() - began)  # of theirs by now, at the most; some may wait for their numbers
    assert attacked.ann.hear_text("of carl").seq - before - taken < 8


def test_a_guest_that_comes_back_brings_no_new_allowance(siege, sources):
    """Whoever has no key is known by the address alone."""
    attacked = siege(limits=LIMITS, plain_port=0)
    began = time.monotonic()
    for round in range(4):
        guest = PlainClient(attacked.room.ports["plain"], "127.0.0.66")
        guest.send(b"pat\n" + b"".join(b"round %d line %d\n" % (round, n) for n in range(12)))
        attacked.ann.hear_text(f"round {round} line 11")
        guest.socket.close()
    assert time.monotonic() - began >= least(4 * 12)


@pytest.mark.parametrize("line", [b"\n", b'{"t":"later"}\n', encode(Ping())], ids=repr)
@pytest.mark.parametrize("where", ["before hello", "inside"])
def test_lines_that_say_nothing_are_cut_off_where_they_are_too_many(siege, stranger, enter, where, line):
    """Too many in one read, whatever the rate: a host that reads as fast as they come meets too few at once."""
    attacked = siege(limits=replace(LIMITS, message_rate=1e6, message_burst=10**6, greeting=3600))
    eve = enter(attacked.room, "eve") if where == "inside" else stranger(attacked.room).tls()
    (link,) = (link for link in attacked.room.links if link.peer.startswith("127.0.0.66"))
    enough = min(10_000 * len(line), RECEIVE_SIZE)  # all that is left after a first read, or all that a read takes
    with attacked.room._links._quotas._lock:  # so the host cannot pay for its first read, and makes no other one
        for _ in range(100):
            eve.send(line * 100)
        wait_until(lambda: len(link._socket.recv(2 * RECEIVE_SIZE, socket.MSG_PEEK)) >= enough, what="them to come")
    reasons = [b"Too many lines at once"]
    if where == "before hello" and line == encode(Ping()):  # one of them is enough, if the first read has few
        reasons.append(b"does not belong in the handshake")
    said = eve.gone()
    assert any(reason in said for reason in reasons)


def test_a_burst_that_the_rules_allow_drops_nobody(siege, enter):
    """Eight members say all that the room takes at once, while carl reads nothing. Then he reads, and misses none."""
    attacked = siege()
    carl = enter(attacked.room, "carl")
    links = [enter(attacked.room, f"eve{n}", source=f"127.0.0.{80 + n}") for n in range(8)]
    for eve in links:
        eve.send(*(Say(f"{n}", "x" * 4000) for n in range(60)))
    attacked.ann.hear(lambda: attacked.ann.texts.count("x" * 4000) == 8 * 60)
    attacked.ann.round_trip("the end")
    heard = 0
    while (said := carl.hear(Said)).text != "the end":
        heard += said.text == "x" * 4000
    assert heard == 8 * 60
