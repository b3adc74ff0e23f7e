"""lanchat: chat for the people on one local network, with nothing to set up.

    import lanchat

    lanchat.rooms(wait=2)                           # what is there
    lanchat.host("Room A", nick="ann")              # open a room
    with lanchat.join("Room A", nick="bob") as room:
        room.say("hello")
        room.wait_for("hello back", timeout=10)

All of it is in `lanchat.api`, which is loaded when first used: importing `lanchat` itself costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lanchat.api import host, join, rooms
    from lanchat.api.room import HostedRoom, JoinedRoom
    from lanchat.errors import LanchatError

__version__ = "0.1.0"
__all__ = ["HostedRoom", "JoinedRoom", "LanchatError", "__version__", "host", "join", "rooms"]
_HOMES = {
    "HostedRoom": "lanchat.api.room",
    "JoinedRoom": "lanchat.api.room",
    "LanchatError": "lanchat.errors",
    "host": "lanchat.api",
    "join": "lanchat.api",
    "rooms": "lanchat.api",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is not None:
        return getattr(import_module(home), name)
    raise AttributeError(f"module 'lanchat' has no attribute '{name}'")
