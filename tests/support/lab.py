"""A network of its own, made of network namespaces: nodes on a bridge, with real multicast between them.

with Lab(folder) as lab:
    a, b = lab.node("a"), lab.node("b")
    room = a.lanchat.host("Room A", announce=True)
    b.lanchat.run("join", "Room A", "--nick", "bob", input="hello\\n")
    b.ip("link", "set", "eth0", "down")
    a.nft("add rule inet lab input udp dport 5353 drop")
"""

from collections.abc import Sequence
from pathlib import Path

from lanchat.threads import Closable
from tests.support.commands import Commands
from tests.support.namespaces import Namespace
from tests.support.waiting import wait_until

_EVERYWHERE = {"LANCHAT_INTERFACE": None}  # the tests themselves stay on loopback


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
        self.switch.ip("link", "add", port, "type", "veth", "peer", "name", device, "netns", node.path)
        self.switch.ip("link", "set", port, "master", bridge, "up")
        node.give(address or f"10.99.{self._bridges.index(bridge)}.{ports + 1}/24", device)
        node.mend(device)
        # The kernel finds out by itself, later, that there is a cable: until then the interface counts as unplugged.
        wait_until(
            lambda: "state UP" in node.ip("-o", "link", "show", device), what=f"{device} of {node.name} to be up"
        )
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
