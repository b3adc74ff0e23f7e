"""One of several hosts of a room on an engine: python -m tests.faults.engine_host URL ROOM NAME PORT FILE.

LANCHAT_HOME holds the key. All hosts of a stage have one key, so that members need no papers to go from one to another;
for the engine each has a name of its own. Prints "open" when people can come in; ends at the end of its input.
"""

import json
import os
import sys
from functools import partial
from pathlib import Path

from lanchat.api.joining import my_identity
from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.limits import NO_LIMITS
from lanchat.protocol.timing import Timing
from lanchat.server.doors.native import native_door
from lanchat.server.engine.address import parse_engine
from lanchat.server.engine.hub import EngineHub
from lanchat.server.engine.log import EngineLog
from lanchat.server.engine.redis_log import RedisLog
from lanchat.server.host import Host
from tests.faults.program import TIMING

FIRST = "one"  # the name of the host that begins the room, as its owner does


def main(url: str, room: str, name: str, port: str, file: str) -> None:
    timing = Timing(**json.loads(os.environ.get(TIMING, "{}")))
    key = my_identity()
    shared = RedisLog(parse_engine(url), room, name, FIRST, timing=timing)
    log = EngineLog(Path(file), shared, timing=timing)
    told = partial(print, file=sys.stderr, flush=True)
    host = Host(
        "Room A",
        key,
        nick="hal",
        room_id=room,
        doors=[native_door(int(port))],
        on=OwnAddresses(("127.0.0.1",)),
        log=log,
        make_hub=partial(EngineHub, say=told),
        limits=NO_LIMITS,
        timing=timing,
    )
    with host:
        host.start()
        print("open", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
