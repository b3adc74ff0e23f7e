"""One computer that may host a room: python -m tests.faults.node NICK HOST:PORT ...

The first one opens the room, at port 0; another one, or one that was killed, joins it at one of these places. Prints
`port N` while it hosts, and `backup NICK` when acks wait for that disk; what is said in the room goes to stderr. Its
person says each line of its input, hands the room over with `/handover NICK`, and leaves at the end of it.
"""

import importlib
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from lanchat.api import hosted
from lanchat.api.joining import join_target
from lanchat.api.targets import Target
from lanchat.errors import LanchatError
from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.address import Endpoint
from lanchat.protocol.limits import NO_LIMITS
from lanchat.protocol.messages import Said
from lanchat.protocol.timing import Timing
from lanchat.storage import replica
from tests.faults.program import CLOCK, set_clock
from tests.support.waiting import wait_until

TITLE = "Room A"
TIMING = Timing(newcomer=0.0, naming=0.1, first_retry=0.1, roster=5.0, copy_retry=1.0)

HAND_OVER = "/handover"  # and a nick: a line of the input
SAID = "> "  # before each line that is said, on stderr; the others are of the log
HOSTS = "hosts the epoch "  # and its number, on stderr, at each start of hosting
ADDRESS = "FAULTS_ADDRESS"  # environment: of this computer, on which it listens
SPARE = "FAULTS_SPARE"  # environment: bytes that a copy leaves free on the disk
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
    if CLOCK in os.environ:
        set_clock(Path(os.environ[CLOCK]))
    if SPARE in os.environ:
        replica.SPARE = int(os.environ[SPARE])
    nick, *places = sys.argv[1:]
    room: Any = _open(nick) if not places else wait_until(lambda: _join(nick, places), what="a host")
    listening = threading.Thread(target=_listen, args=(room,))
    listening.start()
    for line in sys.stdin:
        words = line.split()
        if words[0] == HAND_OVER:
            room.moderate("handover", words[1])
        else:
            room.send(line.rstrip("\n"))
    room.close()
    listening.join()


def _open(nick: str) -> Any:
    options: Any = {"interfaces": (os.environ[ADDRESS],), "limits": NO_LIMITS, "timing": TIMING}
    return hosted.host(TITLE, nick=nick, port=0, announce=False, **options)


def _join(nick: str, places: list[str]) -> Any:
    on = OwnAddresses((os.environ[ADDRESS],))
    for place in places:
        try:
            address, _, port = place.rpartition(":")
            target = Target((Endpoint(address, int(port)),))
            return join_target(target, nick, patience=None, on=on, standby=1, timing=TIMING)
        except LanchatError:
            continue  # it is dead, or hosts nothing
    return None


def _listen(room: Any) -> None:
    told, epoch = "", -1
    while room.state.closed is None:
        for item in room.take(0.1):
            room.follow(item)
            if isinstance(item, Said):
                os.write(2, f"{SAID}{item.text}\n".encode())
        hosting = room._standby.hosting
        port = hosting.host.port if hosting is not None else 0
        if hosting is not None and hosting.host.moving.standing.epoch != epoch:
            epoch = hosting.host.moving.standing.epoch
            os.write(2, f"{HOSTS}{epoch}\n".encode())
        now = f"port {port}" if port and room.connected else "member" if room.connected else "alone"
        now = f"{now} backup {room.backup}" if room.backup else now
        if now != told:
            told = now
            os.write(1, f"{now}\n".encode())


if __name__ == "__main__":
    main()
