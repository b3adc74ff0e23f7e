"""A room as a channel."""

from types import SimpleNamespace
from typing import Any

from lanchat.gateway.channel import Channel
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
