"""lanchat: chat for the people on one local network, with nothing to set up.

    import lanchat

    lanchat.rooms(wait=2)                           # what is there
    lanchat.host("Room A", nick="ann")              # open a room
    with lanchat.join("Room A", nick="bob") as room:
        room.say("hello")
        room.wait_for("hello back", timeout=10)

All of it is in `lanchat.api`, which is loaded when first used: importing `lanchat` itself costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lanchat.api import HostedRoom, JoinedRoom, host, join, rooms
    from lanchat.errors import LanchatError

__version__ = "0.1.0"
__all__ = ["HostedRoom", "JoinedRoom", "LanchatError", "__version__", "host", "join", "rooms"]


def __getattr__(name: str) -> Any:
    if name == "LanchatError":
        from lanchat.errors import LanchatError

        return LanchatError
    if name in __all__:
        from lanchat import api

        return getattr(api, name)
    raise AttributeError(f"module 'lanchat' has no attribute '{name}'")
