"""One computer that may host a room: python -m tests.faults.node NICK PORT ...

The first one opens the room, at port 0; another one, or one that was killed, joins it at one of these ports. Prints
`port N` while it hosts, and `backup NICK` when acks wait for that disk. It leaves at the end of its input.
"""

import importlib
import os
import signal
import sys
import threading
from typing import Any

from lanchat.api import hosted
from lanchat.api.joining import join_target
from lanchat.api.targets import Target
from lanchat.errors import LanchatError
from lanchat.protocol.address import Endpoint
from lanchat.protocol.limits import NO_LIMITS
from lanchat.protocol.timing import Timing
from tests.support.addresses import LOOPBACK
from tests.support.waiting import wait_until

TITLE = "Room A"
TIMING = Timing(newcomer=0.0, naming=0.1, first_retry=0.1, roster=5.0)


DIE = "FAULTS_DIE"  # environment: MODULE:NAME of a function; the process ends as by kill -9 where it would be called


def die_at(where: str) -> None:
    """From now on this process ends where it would call that function."""
    module, _, path = where.partition(":")
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for one in outer:
        owner = getattr(owner, one)
    setattr(owner, name, lambda *args, **options: os.kill(os.getpid(), signal.SIGKILL))


def main() -> None:
    if DIE in os.environ:
        die_at(os.environ[DIE])
    nick, *ports = sys.argv[1:]
    room: Any = _open(nick) if not ports else wait_until(lambda: _join(nick, ports), what="a host")
    listening = threading.Thread(target=_listen, args=(room,))
    listening.start()
    sys.stdin.read()
    room.close()
    listening.join()


def _open(nick: str) -> Any:
    options: Any = {"interfaces": ("127.0.0.1",), "limits": NO_LIMITS, "timing": TIMING}
    return hosted.host(TITLE, nick=nick, port=0, announce=False, **options)


def _join(nick: str, ports: list[str]) -> Any:
    for port in ports:
        try:
            target = Target((Endpoint("127.0.0.1", int(port)),))
            return join_target(target, nick, patience=None, on=LOOPBACK, standby=1, timing=TIMING)
        except LanchatError:
            continue  # it is dead, or hosts nothing
    return None


def _listen(room: Any) -> None:
    told = ""
    while room.state.closed is None:
        for item in room.take(0.1):
            room.follow(item)
        hosting = room._standby.hosting
        port = hosting.host.port if hosting is not None else 0
        now = f"port {port}" if port and room.connected else "member" if room.connected else "alone"
        now = f"{now} backup {room.backup}" if room.backup else now
        if now != told:
            told = now
            os.write(1, f"{now}\n".encode())


if __name__ == "__main__":
    main()
