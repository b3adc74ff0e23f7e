"""Measures how long each discovery source takes until the first room is listed, in a lab of network namespaces.

    python -m scripts.benchmark.discovery [--rounds N]

The time counts from the start of the search, in the process that searches; zeroconf is loaded before.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.lab import Lab
from tests.support.namespaces import require_namespaces

SEARCH = """
import sys, time
from pathlib import Path
import zeroconf, zeroconf.asyncio
from lanchat.discovery.finder import Finder
from lanchat.discovery.sources import default_sources, scanning
home, via, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
everything = default_sources(None, home)
by_name = dict(zip(("announce", "recent", "mdns"), everything), scan=scanning(None))
chosen = everything if via == "all" else [by_name[via]]
for _ in range(rounds):
    began = time.monotonic()
    with Finder(None, chosen) as finder:
        listings = ()
        while not any(listing.state == "answering" for listing in listings) and time.monotonic() - began < 10:
            listings = finder.wait_change(listings, 10)
        print((time.monotonic() - began) * 1000, flush=True)
"""


def measure(rounds: int) -> dict[str, list[float]]:
    """Returns: ms until the first room is listed, by source."""
    require_namespaces()
    took: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder)) as lab:
        a, b = lab.node("a"), lab.node("b")
        room = a.lanchat.start("host", "Room A", "--nick", "hal")
        room.wait_err("hal joined")
        b.lanchat.run("join", room.address, "--nick", "bob", input="hello\n")
        for via in ("announce", "mdns", "recent", "scan", "all"):
            argv = [*b.prefix, sys.executable, "-c", SEARCH, str(b.lanchat.home("bob")), via, str(rounds)]
            done = subprocess.run(argv, capture_output=True, text=True, timeout=20 * rounds, check=True)
            took[via] = [float(line) for line in done.stdout.split()]
    return took


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--rounds",
        type=int,
        default=5,
        help="(5) with more, the host's limit on connections from one machine is measured instead",
    )
    for via, took in measure(parser.parse_args().rounds).items():
        took.sort()
        print(f"{via:<11} median {statistics.median(took):6.0f} ms   worst {took[-1]:6.0f} ms   of {len(took)}")


if __name__ == "__main__":
    main()
