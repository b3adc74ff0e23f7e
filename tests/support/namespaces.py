"""Network namespaces (Linux, root): networks of the tests' own, which nobody else reaches and which reach nobody else.

    with closing(Namespace("a")) as a:
        a.ip("address", "add", "10.99.0.1/24", "dev", "lo")
        subprocess.run([*a.prefix, "lanchat", "rooms"])
        with a.inside():
            sock = socket.socket()

No namespace has a name in the file system: each lives as long as this process or a program in it. So nothing is left
behind even where the tests are killed, and two runs never meet.
"""

import ctypes
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

_TOOLS = ("ip", "nft", "nsenter", "unshare")
_NEWNET = 0x40000000  # CLONE_NEWNET of sched.h
_OF_THIS_THREAD = "/proc/thread-self/ns/net"
_NO_WAIT_FOR_IPV6 = ("default/accept_dad", "all/accept_dad")  # without these an IPv6 address takes 2 s
_LIMIT = 10.0  # s for one command


@cache
def missing() -> str:
    """What this machine lacks for network namespaces, as a sentence; empty where it can make them."""
    if sys.platform != "linux":
        return "Network namespaces are a thing of Linux."
    if os.geteuid() != 0:
        return "Only root may make network namespaces."
    if lacking := [tool for tool in _TOOLS if shutil.which(tool) is None]:
        return f"These are not installed: {', '.join(lacking)} (Debian: iproute2 nftables util-linux)."
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, timeout=_LIMIT)
    return f"No network namespace can be made here: {tried.stderr.strip()}." if tried.returncode else ""


def require_namespaces() -> None:
    """Skip the test where there can be no namespace. On CI, root on Linux must be able to make one."""
    if not (lack := missing()):
        return
    if os.environ.get("CI") == "true" and sys.platform == "linux" and os.geteuid() == 0:
        pytest.fail(lack, pytrace=False)
    pytest.skip(lack)


def require_own_loopback() -> None:
    """Skip the test where it shares this machine's loopback with others, which connect to whatever listens there."""
    if lack := missing():
        pytest.skip(lack)


def enter_own_network() -> None:
    """Give this thread, and all that it starts from now on, a loopback of its own, where that is possible.

    Then the tests of this process share UDP port 47474 neither with those of another nor with any lanchat that somebody
    uses on this machine.
    """
    if not missing():
        call_libc("unshare", _NEWNET)
        _set_up(loopback=True)


class Namespace:
    """One network namespace, held by a descriptor. Made and closed by one thread; any thread may use it.

    Args:
        loopback: False for one that has no address at all.
    """

    def __init__(self, name: str, *, loopback: bool = True) -> None:
        self.name = name
        self._fd = -1
        maker = threading.Thread(target=self._make, args=(loopback,))
        maker.start()
        maker.join()
        assert self._fd >= 0, f"the namespace {name} could not be made"

    @property
    def path(self) -> str:
        """A file that stands for the namespace, for `nsenter` and `ip`."""
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    @property
    def prefix(self) -> tuple[str, ...]:
        """What stands before a program to run it in here, with the process id that it is started with."""
        return ("nsenter", f"--net={self.path}", "--")

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Sockets that this thread makes meanwhile belong to this network."""
        home = os.open(_OF_THIS_THREAD, os.O_RDONLY)
        try:
            call_libc("setns", self._fd, _NEWNET)
            try:
                yield
            finally:
                call_libc("setns", home, _NEWNET)
        finally:
            os.close(home)

    def call(self, *argv: str, input: str | None = None) -> str:
        """Run a program in here.

        Returns:
            Its output.

        Raises:
            AssertionError: it failed.
        """
        done = subprocess.run([*self.prefix, *argv], input=input, capture_output=True, text=True, timeout=_LIMIT)
        assert done.returncode == 0, f"{self.name}: {' '.join(argv)}: {done.stderr or done.stdout}"
        return done.stdout

    def ip(self, *arguments: str) -> str:
        return self.call("ip", *arguments)

    def nft(self, script: str) -> str:
        """Run this in nftables; table `inet lab` has the chains `input`, `output` and `forward`, which accept."""
        chains = "".join(
            f"add chain inet lab {hook} {{ type filter hook {hook} priority 0; policy accept; }}\n"
            for hook in ("input", "output", "forward")
        )
        return self.call("nft", "-f", "-", input=f"add table inet lab\n{chains}{script}\n")

    def close(self) -> None:
        """May be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _make(self, loopback: bool) -> None:
        call_libc("unshare", _NEWNET)
        _set_up(loopback)
        self._fd = os.open(_OF_THIS_THREAD, os.O_RDONLY)


def call_libc(name: str, *arguments: int) -> None:
    """Call this function of the C library.

    Raises:
        OSError: it failed.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)


def _set_up(loopback: bool) -> None:
    """Prepare the network of this thread, which is new."""
    for setting in _NO_WAIT_FOR_IPV6:
        Path("/proc/sys/net/ipv6/conf", setting).write_text("0")
    if loopback:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=_LIMIT)
