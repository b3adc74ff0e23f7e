from typing import cast

from lanchat.api.room import JoinedRoom
from lanchat.errors import Refused
from lanchat.terminal.json_commands import carry_out
from lanchat.terminal.json_input import JsonCommand


class Room:
    """Its host has answered before anybody looks."""

    def tell(self, nick: str, text: str, *, wait: float, id: str) -> str:
        raise Refused("No one called nobody has been in this room. Nothing was sent.")


def test_a_private_message_that_is_refused_at_once_is_refused_by_its_event_alone():
    carry_out(JsonCommand(tell="psst", to="nobody"), cast(JoinedRoom, Room()))
