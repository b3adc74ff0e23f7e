"""Computers of a room that moves, each a process of its own: see node.py."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def node(folder: str, nick: str, *port: str) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-m", "scripts.benchmark.node", f"{folder}/{nick}", nick, *port]
    environment = {**os.environ, "LANCHAT_INTERFACE": "127.0.0.1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=Path(__file__).parents[2]
    ) as started:
        try:
            yield started
        finally:
            started.terminate()


def line_of(node: "subprocess.Popen[str]") -> str:
    assert node.stdout is not None
    if not (line := node.stdout.readline()):
        raise RuntimeError("a node has ended")
    return line.strip()


def until(node: "subprocess.Popen[str]", beginning: str) -> str:
    while not (line := line_of(node)).startswith(beginning):
        pass
    return line
