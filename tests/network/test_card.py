"""Asking several computers for their cards at once."""

from lanchat.network import card
from lanchat.network.card import cards_at
from lanchat.protocol.address import Endpoint
from lanchat.protocol.tls import client_context


def out_of_descriptors() -> None:
    raise OSError(24, "Too many open files")


def test_a_process_without_descriptors_reaches_nobody(monkeypatch, host):
    """It ended the host, which asks again and again."""
    room = host()
    places = {"hal": (Endpoint("127.0.0.1", room.port),)}
    assert cards_at(places, client_context(), 30.0)["hal"][0].room == room.room_id
    monkeypatch.setattr(card, "Wakeup", out_of_descriptors)
    assert cards_at(places, client_context(), 30.0) == {}
    assert cards_at({}, client_context(), 30.0) == {}
