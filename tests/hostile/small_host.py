"""A room with few descriptors: python -m tests.hostile.small_host HOME. Prints its port.

For each line of stdin: the s of CPU it has used, and the s that somebody in the room waited for their own words.
"""

import resource
import sys
import time
from pathlib import Path

from lanchat.client.member import Member
from lanchat.protocol.limits import NO_LIMITS
from lanchat.protocol.messages import Said
from lanchat.server.doors.native import native_door
from lanchat.server.host import Host
from lanchat.storage.identity import load_identity

FILES = 64


def main() -> None:
    identity = load_identity(Path(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    with Host("Small", identity, nick="hal", addresses=["127.0.0.1"], doors=[native_door(0)], limits=NO_LIMITS) as host:
        host.start()
        member = Member(host.connect, identity, "hal")
        member.join()
        print(host.port, flush=True)
        for number, _ in enumerate(sys.stdin):
            began = time.monotonic()
            member.outgoing.say(f"line {number}")
            while not any(isinstance(item, Said) and item.text == f"line {number}" for item in member.queue.take(0.1)):
                pass
            print(time.process_time(), time.monotonic() - began, flush=True)
        member.close()


if __name__ == "__main__":
    main()
