"""Hosts the room whose channel irctest joins: `python irctest_server.py PORT HOME TITLE [PASSWORD]`.

It differs from a room that `lanchat host` opens: who has registered is not in the channel yet, nobody hosts it, its
server has the name that irctest expects, and the unencrypted port can have a password. So irctest proves the protocol,
and our own tests prove what differs.
"""

import signal
import sys
from dataclasses import replace
from pathlib import Path

from lanchat.network.addresses import where
from lanchat.protocol.limits import NO_LIMITS
from lanchat.protocol.timing import Timing
from lanchat.server.doors.base import DoorOption, Serving
from lanchat.server.doors.irc.door import IrcDoor, dialects_of
from lanchat.server.doors.irc.gate import Gate
from lanchat.server.doors.irc.session import Dialects
from lanchat.server.doors.native import native_door
from lanchat.server.host import Host
from lanchat.storage.identity import load_identity


def serve(port: int, home: Path, title: str, password: str = "") -> None:
    def make(serving: Serving) -> IrcDoor:
        known = dialects_of(serving.card())
        dialects = Dialects(replace(known.names, server="My.Little.Server"), known.people)
        return IrcDoor(serving, dialects, Gate(password) if password else None, joins=False)

    doors = [native_door(0), DoorOption(make, port)]
    timing = Timing(name=600.0)  # s for which a client may be outside the channel
    on = where(("127.0.0.1",))
    host = Host(title, load_identity(home), nick="hal", doors=doors, on=on, limits=NO_LIMITS, timing=timing)
    host.start()
    try:
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    finally:
        host.close()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    serve(int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
