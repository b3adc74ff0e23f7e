"""Our own addresses as a test wants them."""

import random
import socket

from lanchat.network.addresses import OwnAddresses
from lanchat.protocol.address import Address

LOOPBACK = OwnAddresses(("127.0.0.1",))


class Machine:
    """A machine whose addresses change as the test says."""

    def __init__(self, *addresses: Address) -> None:
        self.addresses = list(addresses)

    def read(self) -> list[Address]:
        return list(self.addresses)

    def own(self, *wanted: str) -> OwnAddresses:
        """The addresses of these interfaces, or all. A change counts at once."""
        return OwnAddresses(wanted, self.read, read_again=0.0)


def only(*addresses: Address) -> OwnAddresses:
    """These addresses, as if a person had chosen them."""
    return Machine(*addresses).own(*{address.interface: None for address in addresses} or ["lo"])


def quiet_port() -> int:
    """A free port that no outgoing connection is given, while the host is dead."""
    while True:
        port = random.SystemRandom().randrange(12_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
