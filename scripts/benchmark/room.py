"""A room with a page, for the section web: python -m scripts.benchmark.room HOME.

Prints the port of the page, and then does what each line says: `say NUMBER RATE` says so many lines at so many a second
(0: at once), with numbers from 0, and prints `said`. It ends with its input.
"""

import os
import sys
import time
from typing import Any

from lanchat.api import hosted
from lanchat.protocol.limits import NO_LIMITS


def main() -> None:
    os.environ["LANCHAT_HOME"] = sys.argv[1]
    options: Any = {"interfaces": ("127.0.0.1",), "limits": NO_LIMITS, "standby": False}
    with hosted.host("Bench", nick="ann", port=0, web_port=0, announce=False, **options) as room:
        print(room.host.ports["web"], flush=True)
        for line in sys.stdin:
            number, rate = map(int, line.split()[1:])
            began = time.monotonic()
            for count in range(number):
                if rate:
                    time.sleep(max(0.0, began + count / rate - time.monotonic()))
                room.say(f"line {count} " + "The quick brown fox jumps over the lazy dog. " * (count % 3))
            room.wait_acked(30.0)
            print("said", flush=True)


if __name__ == "__main__":
    main()
