"""Hosts the room whose channel irctest joins: `python irctest_server.py PORT HOME`."""

import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from lanchat.network.addresses import where
from lanchat.protocol.irc.names import Names, names_of
from lanchat.protocol.limits import NO_LIMITS
from lanchat.server.doors.irc import door
from lanchat.server.doors.native import native_door
from lanchat.server.host import Host
from lanchat.storage.identity import load_identity


def named(room: str, title: str, opened: int = 0) -> Names:
    """The names of the room, whose server irctest expects to be called so."""
    return replace(names_of(room, title, opened), server="My.Little.Server")


def serve(port: int, home: Path) -> None:
    module: Any = door
    module.names_of = named
    doors = [native_door(0), *door.irc_doors(port)]
    identity = load_identity(home)
    room = Host("chan", identity, nick="hal", doors=doors, on=where(("127.0.0.1",)), limits=NO_LIMITS)
    room.start()
    try:
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    finally:
        room.close()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    serve(int(sys.argv[1]), Path(sys.argv[2]))
