"""A room with few descriptors: python -m tests.hostile.small_host HOME. Prints its port.

Each line of stdin is a number of messages: somebody in the room says them one by one, and hears each before the next.
Prints which part of the CPU time that this took went to the accept thread.
"""

import resource
import sys
import threading
import time
from pathlib import Path

from lanchat.client.member import Member
from lanchat.protocol.limits import NO_LIMITS
from lanchat.protocol.messages import Said
from lanchat.server.doors.native import native_door
from lanchat.server.host import Host
from lanchat.storage.identity import load_identity
from tests.support.addresses import LOOPBACK

FILES = 64


def say_and_hear(member: Member) -> None:
    id = member.outgoing.say("hello")
    while not any(isinstance(item, Said) and item.id == id for item in member.queue.take()):
        pass


def accept_time() -> float:
    """s of CPU that the accept thread has used."""
    if sys.platform != "linux":
        return 0.0
    (accept,) = (thread.ident for thread in threading.enumerate() if thread.name == "accept" and thread.ident)
    return time.clock_gettime(time.pthread_getcpuclockid(accept))


def main() -> None:
    identity = load_identity(Path(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    with Host("Small", identity, nick="hal", on=LOOPBACK, doors=[native_door(0)], limits=NO_LIMITS) as host:
        host.start()
        member = Member(host.connect, identity, "hal")
        member.join()
        print(host.port, flush=True)
        for line in sys.stdin:
            began, accept_began = time.process_time(), accept_time()
            for _ in range(int(line)):
                say_and_hear(member)
            print((accept_time() - accept_began) / (time.process_time() - began), flush=True)
        member.close()


if __name__ == "__main__":
    main()
