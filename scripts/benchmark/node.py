"""One computer of a room that moves: python -m scripts.benchmark.node HOME NICK [PORT STANDBY].

Without a port it opens the room, else it joins it there; with STANDBY 1 it may be named a standby. Prints the port, or
0; then `backup NICK` when acks wait for that disk as well; and once a line has told it to leave, `left` and who hosts
then. LANCHAT_BENCH_ENGINE is the engine of a room that it opens.
"""

import os
import sys
import threading
from typing import Any

from lanchat.api import hosted
from lanchat.api.joining import join_target
from lanchat.api.targets import Target
from lanchat.protocol.address import Endpoint
from lanchat.protocol.limits import NO_LIMITS
from lanchat.protocol.timing import Timing
from lanchat.server.engine.address import EngineChoice, parse_engine

_TIMING = Timing(newcomer=0.0, naming=0.05, first_retry=0.1)


def main() -> None:
    os.environ["LANCHAT_HOME"], nick = sys.argv[1:3]
    room: Any
    if len(sys.argv) > 3:
        target = Target((Endpoint("127.0.0.1", int(sys.argv[3])),))
        room = join_target(target, nick, patience=None, standby=int(sys.argv[4]), timing=_TIMING)
        print(0, flush=True)
    else:
        options: Any = {"interfaces": ("127.0.0.1",), "limits": NO_LIMITS, "timing": _TIMING}
        if url := os.environ.get("LANCHAT_BENCH_ENGINE"):
            options["engine"] = EngineChoice(parse_engine(url))
        room = hosted.host("Bench", nick=nick, port=0, announce=False, **options)
        print(room.host.port, flush=True)
    threading.Thread(target=_listen, args=(room,), daemon=True).start()
    sys.stdin.readline()
    room.close()
    print("left", room.successor or "-", flush=True)


def _listen(room: Any) -> None:
    told = ""
    while room.state.closed is None:
        for item in room.take(1.0):
            room.follow(item)
        if room.backup != told:
            told = room.backup
            print("backup", told or "-", flush=True)


if __name__ == "__main__":
    main()
