"""A room as a channel."""

from types import SimpleNamespace
from typing import Any

from lanchat.client.events import PrivateMessage
from lanchat.gateway.channel import UNREAD, Channel
from lanchat.gateway.client import Client
from lanchat.room.roster import Person

ANN, HAL = Person("a" * 32, "ann"), Person("b" * 32, "hal")


def test_who_has_entered_is_here_before_the_event_that_says_so():
    people = [HAL]
    state, card = SimpleNamespace(me=ANN.id), SimpleNamespace(room="5" * 32)
    room: Any = SimpleNamespace(card=card, title="Room A", nick="ann", state=state, people=people)
    channel = Channel("#room-a", room)
    client: Any = SimpleNamespace(nick="wee")
    assert [person.nick for person in channel.people(client)] == ["hal", "wee"]
    assert channel.find("wee", client) is not None
    people.append(ANN)
    assert [person.nick for person in channel.people(client)] == ["hal", "wee"]


def test_private_messages_that_nobody_reads_do_not_fill_the_memory():
    """Anybody in a room can send them for days while no IRC client is connected."""
    shown: list[PrivateMessage] = []
    state, card = SimpleNamespace(me=ANN.id, topic=""), SimpleNamespace(room="5" * 32)
    room: Any = SimpleNamespace(
        card=card, title="Room A", nick="ann", state=state, people=[ANN, HAL], is_own=lambda said: False
    )
    room.confirm = shown.extend
    channel = Channel("#room-a", room)
    told = [PrivateMessage(str(n), 0, HAL.id, "hal", ANN.id, "ann", f"number {n}") for n in range(UNREAD + 5)]
    for message in told:
        channel.hear([(message, False)], None)
    assert shown == [], "they come again if this program ends"
    sent: list[bytes] = []
    link: Any = SimpleNamespace(send=sent.append)
    channel.enter(Client(link, nick="wee"))
    assert shown == told[5:]
    assert [line for line in sent if b" PRIVMSG wee " in line][0].endswith(b":number 5\r\n")
