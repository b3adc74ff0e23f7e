"""The command scripts/bench: runs the sections that were asked for and prints their figures."""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scripts.benchmark import alone, compare, continuity, engine, files, growth, irc, scripts, web
from scripts.benchmark.bench import Options, tell
from scripts.benchmark.machine import describe, raise_limits
from scripts.benchmark.plot import chart, groups_of

SECTIONS: dict[str, Callable[[Options], Sequence[Any]]] = {
    "fanout": compare.fanout,
    "latency": compare.latency,
    "joins": alone.joins,
    "idle": alone.idle,
    "growth": growth.growth,
    "startup": alone.starting,
    "discovery": alone.discovery,
    "paint": alone.paint,
    "log": alone.log,
    "files": files.files,
    "scripts": scripts.scripts,
    "continuity": continuity.continuity,
    "engine": engine.engine,
    "web": web.web,
    "irc": irc.irc,
}


def main() -> int:
    asked = _arguments()
    if platform.system() != "Linux":
        tell("this benchmark pins processes to cores and reads their CPU clocks: it needs Linux")
        return 1
    if (os.cpu_count() or 1) < 2:
        tell("only one core: server and load share it, so the figures say little")
    raise_limits()
    repeat = asked.repeat or (1 if asked.quick else 3)
    options = Options(asked.quick, repeat, asked.peers, show=_nothing if asked.json else print)
    machine = describe()
    options.show(
        f"{machine['cpu']}, {machine['cores']} cores, {machine['kernel']}, Python {machine['python']}; loopback"
    )
    options.show(f"medians of {repeat}{', quick' if asked.quick else ''}\n")
    started, figures = time.monotonic(), {}
    wanted = asked.sections or ["all"]
    for name, section in SECTIONS.items():
        if name in wanted or "all" in wanted:
            figures[name] = [asdict(row) for row in section(options)]
    if asked.json:
        json.dump({"machine": machine, "quick": asked.quick, "repeat": repeat, **figures}, sys.stdout)
        print()
    if asked.plot is not None:
        about = f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}"
        title = f"Deliveries and joins, as a share of the raw limit of Python ({about})"
        asked.plot.write_text(chart(title, groups_of(figures)), encoding="utf-8")
    tell(f"{time.monotonic() - started:.0f} s")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measures lanchat on this machine, over loopback, beside a naive server and the raw limit.",
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"all (default), {', '.join(SECTIONS)}")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of tables")
    parser.add_argument(
        "--quick", action="store_true", help="short runs and fewer of them: under three minutes for all"
    )
    parser.add_argument("--repeat", type=int, metavar="N", help="runs of each figure, of which the median counts (3)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="also draw the ratios to the raw limit, as SVG")
    parser.add_argument("--peers", action="store_true", help="also ngIRCd, InspIRCd and NATS, where installed")
    asked = parser.parse_args()
    unknown = [name for name in asked.sections if name not in SECTIONS and name != "all"]
    if unknown:
        parser.error(f"no such section: {', '.join(unknown)}")
    return asked


def _nothing(text: str) -> None:
    """Takes the place of `print` where the figures go out as JSON."""


if __name__ == "__main__":
    sys.exit(main())
