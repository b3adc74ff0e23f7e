"""lanchat: chat for the people on one local network, with nothing to set up.

    import lanchat

    lanchat.rooms(wait=2)                           # the rooms of this network
    lanchat.host("Room A", nick="ann")              # open a room
    with lanchat.join("Room A", nick="bob") as room:
        room.say("hello")
        room.wait_for("hello back", timeout=10)

Everything is in `lanchat.api`, which is loaded when it is first used: importing `lanchat` itself costs nothing.
"""

TYPE_CHECKING = False  # what type checkers take for true; `typing` itself takes as long to load as all of Python
if TYPE_CHECKING:
    from typing import Any

    from lanchat.api.files import SentFile
    from lanchat.api.hosted import HostedRoom, host
    from lanchat.api.joining import join
    from lanchat.api.room import JoinedRoom
    from lanchat.api.targets import rooms
    from lanchat.client.events import PrivateMessage
    from lanchat.errors import (
        ConnectionLost,
        HostKeyChanged,
        LanchatError,
        NoSuchRoom,
        NotLanchat,
        ProtocolError,
        Refused,
        RoomClosed,
        TimedOut,
    )
    from lanchat.protocol.file_messages import FileEntry
    from lanchat.protocol.messages import Joined, Left, Renamed, Said

__version__ = "0.1.0"
__all__ = [
    "ConnectionLost",
    "FileEntry",
    "HostKeyChanged",
    "HostedRoom",
    "Joined",
    "JoinedRoom",
    "LanchatError",
    "Left",
    "NoSuchRoom",
    "NotLanchat",
    "PrivateMessage",
    "ProtocolError",
    "Refused",
    "Renamed",
    "RoomClosed",
    "Said",
    "SentFile",
    "TimedOut",
    "__version__",
    "host",
    "join",
    "rooms",
]
_MODULES = {
    "FileEntry": "lanchat.protocol.file_messages",
    "HostedRoom": "lanchat.api.hosted",
    "JoinedRoom": "lanchat.api.room",
    "SentFile": "lanchat.api.files",
    **dict.fromkeys(("Joined", "Left", "Renamed", "Said"), "lanchat.protocol.messages"),
    "PrivateMessage": "lanchat.client.events",
    "host": "lanchat.api.hosted",
    "join": "lanchat.api.joining",
    "rooms": "lanchat.api.targets",
}


def __getattr__(name: str) -> "Any":
    from importlib import import_module

    if name in __all__:
        return getattr(import_module(_MODULES.get(name, "lanchat.errors")), name)
    raise AttributeError(f"module 'lanchat' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
