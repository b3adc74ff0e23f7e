"""How many connections this system lets one program have, in programs of their own whose limits may be low."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
from lanchat.errors import LanchatError
from lanchat.network.descriptors import allow_connections
resource.setrlimit(resource.RLIMIT_NOFILE, (256, int(sys.argv[1])))
try:
    allow_connections(int(sys.argv[2]))
except LanchatError as error:
    print(error, error.hint)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def limit_after(hard: int, people: int) -> list[str]:
    """What a program that may have so many files says, and how many it may have once so many people are to come."""
    words = [sys.executable, "-c", PROGRAM, str(hard), str(people)]
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no sockets so")
def test_a_large_room_gets_the_connections_that_it_needs_or_says_what_to_do():
    assert limit_after(2048, 1000) == ["1200"]
    assert limit_after(2048, 20) == ["256"], "enough already"
    assert limit_after(1024, 1000) == [
        "This system lets a program have 1,024 files and connections; 1,000 people need 1,200. "
        "Raise that limit (ulimit -n 1200), or use a smaller --people.",
        "256",
    ]
