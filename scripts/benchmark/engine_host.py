"""One host of a room: python -m scripts.benchmark.engine_host URL ROOM NAME FOLDER. URL "" is a host without an engine.

All have the key of LANCHAT_HOME, and each has a name of its own for the engine. Prints its port; ends with its input.
"""

import sys
from functools import partial
from pathlib import Path
from typing import Any

from lanchat.api.joining import my_identity
from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.limits import NO_LIMITS
from lanchat.server.doors.native import native_door
from lanchat.server.engine.address import parse_engine
from lanchat.server.engine.hub import EngineHub
from lanchat.server.engine.log import EngineLog
from lanchat.server.engine.redis_log import RedisLog
from lanchat.server.host import Host
from lanchat.storage.sqlite_log import SqliteLog

OWNER = "host0"  # the name of the host that begins the room


def main(url: str, room: str, name: str, folder: str) -> None:
    key, path = my_identity(), Path(folder) / name / "log.db"
    path.parent.mkdir(parents=True)
    options: Any = {"log": SqliteLog(path)}
    if url:
        log = EngineLog(path, RedisLog(parse_engine(url), room, name, OWNER))
        options = {"log": log, "make_hub": partial(EngineHub, say=partial(print, file=sys.stderr))}
    options |= {"doors": [native_door(0)], "on": OwnAddresses(("127.0.0.1",)), "limits": NO_LIMITS}
    with Host("Bench", key, nick="hal", room_id=room, **options) as host:
        host.start()
        print(host.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
