"""A network of its own, made of Linux network namespaces: nodes on a bridge, with real multicast between them.

    with Lab(folder) as lab:
        a, b = lab.node("a"), lab.node("b")
        room = a.lanchat.host("Room A", announce=True)
        b.lanchat.run("join", "Room A", "--nick", "bob", input="hello\\n")
        b.ip("link", "set", "eth0", "down")
        a.nft("add rule inet lab input udp dport 5353 drop")
        a.tc("qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "1mbit", "burst", "16kbit", "latency", "400ms")

No namespace has a name: each lives as long as a `cat` that reads from this process. So nothing is left behind, even
where the tests are killed, two runs never meet, and there is no way out of the lab to any other network.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lanchat.threads import Closable
from tests.support.commands import Commands

_TOOLS = ("ip", "nft", "nsenter", "unshare", "sysctl")
_QUICK_IPV6 = "sysctl -q -w net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0"  # else it takes 2 s
_EVERYWHERE = {"LANCHAT_INTERFACE": None}  # the tests themselves stay on loopback
_LIMIT = 10.0  # s for one command


def missing() -> str:
    """What this machine lacks for a lab; empty where it can have one."""
    if sys.platform != "linux":
        return "network namespaces are a thing of Linux"
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    if lacking := [tool for tool in _TOOLS if shutil.which(tool) is None]:
        return f"not installed: {', '.join(lacking)} (Debian: iproute2 nftables util-linux procps)"
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, timeout=_LIMIT)
    return f"no network namespace can be made here: {tried.stderr.strip()}" if tried.returncode else ""


def require_lab() -> None:
    """Skip the test where there can be no lab. On CI, root on Linux must have one."""
    if not (lack := missing()):
        return
    if os.environ.get("CI") == "true" and sys.platform == "linux" and os.geteuid() == 0:
        pytest.fail(lack, pytrace=False)
    pytest.skip(lack)


class Namespace:
    """One network namespace.

    Args:
        loopback: False for one that has no address at all.
    """

    def __init__(self, name: str, *, loopback: bool = True) -> None:
        self.name = name
        begin = [_QUICK_IPV6, *(["ip link set lo up"] if loopback else []), "echo ready", "exec cat"]
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--", "sh", "-c", " && ".join(begin)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._holder.stdout is not None
        if (said := self._holder.stdout.readline()) != "ready\n":
            self.close()
            raise AssertionError(f"the namespace {name} did not come up: {said}")

    @property
    def pid(self) -> int:
        return self._holder.pid

    @property
    def prefix(self) -> tuple[str, ...]:
        """What stands before a program to run it in here, with the process id that it is started with."""
        return ("nsenter", f"--net=/proc/{self.pid}/ns/net", "--")

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

    def tc(self, *arguments: str) -> str:
        return self.call("tc", *arguments)

    def nft(self, script: str) -> str:
        """Run this in nftables; table `inet lab` has the chains `input`, `output` and `forward`, which accept."""
        chains = "".join(
            f"add chain inet lab {hook} {{ type filter hook {hook} priority 0; policy accept; }}\n"
            for hook in ("input", "output", "forward")
        )
        return self.call("nft", "-f", "-", input=f"add table inet lab\n{chains}{script}\n")

    def take(self, device: str, new_name: str, into: "Namespace") -> None:
        """Move a network device from here into another namespace, where it has this name (a TUN device, say)."""
        self.ip("link", "set", device, "netns", str(into.pid), "name", new_name)

    def close(self) -> None:
        """May be called twice."""
        assert self._holder.stdin is not None and self._holder.stdout is not None
        self._holder.stdin.close()
        self._holder.wait(_LIMIT)
        self._holder.stdout.close()


class Node(Namespace):
    """A machine in the lab.

    Attributes:
        lanchat: starts lanchat here, with homes that belong to this machine.
    """

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self.lanchat = Commands(folder, self.prefix, _EVERYWHERE)
        self.addresses: list[str] = []  # without prefix, in the order they were given

    @property
    def address(self) -> str:
        return self.addresses[0]

    def give(self, address: str, device: str = "eth0") -> None:
        """Give it one more address, such as "10.99.0.7/24"."""
        self.ip("address", "add", address, "dev", device)
        self.addresses.append(address.partition("/")[0])

    def lose(self, address: str, device: str = "eth0") -> None:
        self.ip("address", "del", address, "dev", device)
        self.addresses.remove(address.partition("/")[0])

    def cut(self, device: str = "eth0") -> None:
        self.ip("link", "set", device, "down")

    def mend(self, device: str = "eth0") -> None:
        self.ip("link", "set", device, "up")

    def close(self) -> None:
        self.lanchat.close()
        super().close()


class Lab(Closable):
    """The nodes, and a switch that holds the bridges between them. Use it in a `with`.

    Args:
        folder: for homes and outputs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bridges: list[str] = []
        self._nodes: list[Node] = []
        self.switch = Namespace("switch")

    def node(self, name: str, *, on: Sequence[str] = ("lan",)) -> Node:
        """A machine with one interface (eth0, eth1, ...) on each of these bridges, and an address in each.

        Bridges come to be when they are named first. The first is 10.99.0.0/24, the next 10.99.1.0/24, and so on.
        """
        node = Node(name, self._folder / name)
        self._nodes.append(node)
        for bridge in on:
            self.connect(node, bridge)
        return node

    def connect(self, node: Node, bridge: str, *, address: str = "") -> str:
        """Plug a node into a bridge.

        Args:
            address: by default the next one of that bridge's network.

        Returns:
            The name of the node's new interface.
        """
        if bridge not in self._bridges:
            self._make_bridge(bridge)
        ports = sum(self._is_port(line) for line in self.switch.ip("-o", "link").splitlines())
        device, port = f"eth{len(node.addresses)}", f"port{ports}"
        self.switch.ip("link", "add", port, "type", "veth", "peer", "name", device, "netns", str(node.pid))
        self.switch.ip("link", "set", port, "master", bridge, "up")
        node.give(address or f"10.99.{self._bridges.index(bridge)}.{ports + 1}/24", device)
        node.mend(device)
        return device

    def close(self) -> None:
        """May be called twice."""
        for node in self._nodes:
            node.close()
        self.switch.close()

    def _make_bridge(self, name: str) -> None:
        # Without snooping it forwards multicast to everyone at once, as a plain switch does.
        self.switch.ip("link", "add", name, "type", "bridge", "mcast_snooping", "0", "stp_state", "0")
        self.switch.ip("link", "set", name, "up")
        self._bridges.append(name)

    @staticmethod
    def _is_port(line: str) -> bool:
        return line.split()[1].startswith("port")
