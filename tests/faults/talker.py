"""A member that can be killed: python -m tests.faults.talker CHRONICLE PORT NICK FIRST. LANCHAT_HOME is its own.

Each line of stdin is a number of messages to say; prints "in" when it is in the room, and a "." for each line done. At
the end of stdin it waits until all that it said is acknowledged, and leaves.
"""

import json
import os
import sys
from pathlib import Path

from lanchat.api.joining import my_identity
from lanchat.network.connect import dial
from lanchat.protocol.address import Endpoint
from lanchat.protocol.timing import Timing
from lanchat.storage.home import home_folder
from lanchat.storage.member_store import DiskStore
from tests.faults.chronicle import Chronicle
from tests.faults.program import TIMING
from tests.faults.talkers import Talker


def main(path: str, port: str, nick: str, first: str) -> None:
    timing = Timing(**json.loads(os.environ.get(TIMING, "{}")))
    chronicle = Chronicle(Path(path))
    talker = Talker(
        chronicle,
        lambda: dial((Endpoint("127.0.0.1", int(port)),)),
        my_identity(),
        nick,
        open_store=lambda card: DiskStore(home_folder(), card, lambda trouble: print(trouble, file=sys.stderr)),
        timing=timing,
        first=int(first),
    )
    talker.join()
    print("in", flush=True)
    for line in sys.stdin:
        for _ in range(int(line)):
            talker.say()
        print(".", flush=True)
    talker.member.delivery.wait_acked()
    talker.close()
    chronicle.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
