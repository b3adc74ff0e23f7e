"""How long it takes until the first room is listed, by each way of seeing: in a lab of network namespaces.

    python -m scripts.benchmark.discovery [--rounds N]

Measured in the process that looks, from the moment it begins to look, zeroconf and all it needs loaded already.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.lab import Lab, require_lab

LOOK = """
import sys, time
from pathlib import Path
import zeroconf, zeroconf.asyncio
from lanchat.discovery.sources import every_way, scanning
from lanchat.discovery.finder import Finder
home, way, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
ways = dict(zip(("announce", "remembered", "mdns"), every_way(None, home)), scan=scanning(None))
chosen = [ways[way]] if way != "all" else list(every_way(None, home))
for _ in range(rounds):
    began = time.monotonic()
    with Finder(None, chosen) as finder:
        listings = ()
        while not any(listing.state == "answering" for listing in listings) and time.monotonic() - began < 10:
            listings = finder.wait_change(listings, 10)
        print((time.monotonic() - began) * 1000, flush=True)
"""


def measure(rounds: int) -> dict[str, list[float]]:
    """Returns: ms until the first room is listed, by way."""
    require_lab()
    took: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder)) as lab:
        a, b = lab.node("a"), lab.node("b")
        room = a.lanchat.start("host", "Room A", "--nick", "hal")
        room.wait_err("hal joined")
        b.lanchat.run("join", room.address, "--nick", "bob", input="hello\n")
        for way in ("announce", "mdns", "remembered", "scan", "all"):
            argv = [*b.prefix, sys.executable, "-c", LOOK, str(b.lanchat.home("bob")), way, str(rounds)]
            done = subprocess.run(argv, capture_output=True, text=True, timeout=20 * rounds, check=True)
            took[way] = [float(line) for line in done.stdout.split()]
    return took


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--rounds",
        type=int,
        default=5,
        help="more, and the host's limit on connections of one machine is what is measured",
    )
    for way, took in measure(parser.parse_args().rounds).items():
        took.sort()
        print(f"{way:<11} median {statistics.median(took):6.0f} ms   worst {took[-1]:6.0f} ms   of {len(took)}")


if __name__ == "__main__":
    main()
