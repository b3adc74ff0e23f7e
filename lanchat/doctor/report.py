"""The findings of `lanchat doctor`, as values. Pure."""

from dataclasses import dataclass, field
from typing import Literal

from lanchat.protocol.address import Endpoint, InterfaceKind

FirewallKind = Literal["ufw", "firewalld", "nft", "windows", "macos"]
PortUse = Literal["free", "a room", "taken"]  # who has TCP port 47474 on this machine
TriedOutcome = Literal["room", "another room", "another key", "other", "refused", "silent", "unreachable", "unknown"]
LEAST_DISK = 20 * 1024 * 1024  # bytes; enough for the log of a long conversation


@dataclass(frozen=True)
class Loop:
    """Whether a packet that this machine sent to everybody came back: this machine is one of its receivers.

    Args:
        via: "multicast", "local multicast", "broadcast" or "mDNS".
        heard: whether it came back.
        error: why it could not be sent or received; empty if it could.
        code: the errno of that error.
    """

    via: str
    heard: bool = False
    error: str = ""
    code: int = 0


@dataclass(frozen=True)
class Interface:
    """A network interface of this machine, and whether it hears itself.

    Args:
        up: whether it says that it works; None if this platform does not tell.
        addresses: with their prefix: `192.168.1.7/24`.
    """

    name: str
    kind: InterfaceKind
    up: bool | None
    addresses: tuple[str, ...]
    loops: tuple[Loop, ...] = ()

    @property
    def hears_itself(self) -> bool:
        return any(loop.heard for loop in self.loops)


@dataclass(frozen=True)
class Node:
    """Another machine that runs lanchat.

    Args:
        at: what a person types to join it, with the port.
        rooms: titles as the host gave them: a stranger's text.
        via: the sources that see its rooms: "announce", "mdns", ...
        hears: which of our questions to everybody it answered: "multicast", "broadcast", ...
        echo: ms from a question to it alone to its answer; None if it did not answer.
        reached: whether its TCP port accepted our connection and showed a room.
        reaches_us: whether it could connect to us; None if it was not asked, or did not hear the request.
    """

    address: str
    at: str = ""
    rooms: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()
    echo: float | None = None
    reached: bool = False
    reaches_us: bool | None = None


@dataclass(frozen=True)
class Tried:
    """An address that the person named, or where this person was in a room before.

    Args:
        outcome: "room": a lanchat host answers. "another room", "another key": one answers that is not the one of the
            invite. "other": something else listens. "refused": the machine answers, but nothing listens at the port.
            "silent": nothing comes back. "unreachable": the system knows no route, or finds no such neighbour.
            "unknown": no machine has this name.
        on_link: whether it is on a network of this machine.
        named: whether the person named it just now.
        title: of the room that answers: a stranger's text.
    """

    address: str
    outcome: TriedOutcome
    on_link: bool
    named: bool
    title: str = ""


@dataclass(frozen=True)
class Asked:
    """What the person asks about: an address, or an invite.

    Args:
        text: as the person typed it.
        room_id, fingerprint: of the invite; empty for an address, at which any room will do.
    """

    text: str
    endpoints: tuple[Endpoint, ...]
    room_id: str = ""
    fingerprint: str = ""


@dataclass(frozen=True)
class Firewall:
    """A firewall that is switched on at this machine.

    Args:
        text: says so, as a part of a sentence.
        blocks: whether it blocks incoming packets that nobody here asked for; None: perhaps.
    """

    kind: FirewallKind
    text: str
    blocks: bool | None = None


@dataclass(frozen=True)
class Machine:
    """What was found out about this machine, apart from its networks.

    Args:
        trouble: what makes lanchat unusable here (home folder, key), and what to do about it.
    """

    system: str
    versions: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    firewalls: tuple[Firewall, ...] = ()
    wsl: bool = False
    container: bool = False
    home: str = ""
    key: str = ""
    disk: int | None = None  # bytes free
    clock: str = ""
    port: PortUse = "free"
    trouble: tuple[str, str] | None = None


@dataclass(frozen=True)
class Report:
    """Everything that the checks have found out. The diagnosis is made from it.

    Args:
        own_rooms: titles of the rooms that are open on this machine.
        router: whether the default gateway answers on the link; None if there is none, or it is not known.
        problems: what the discovery sources reported.
        chosen: whether the person named the interfaces to look at.
        asked: what the person asks about, whose addresses are among the `tried` ones.
        moved_to: where the room of the invite answers, if that is not at one of its addresses; empty: nowhere.
    """

    machine: Machine
    interfaces: tuple[Interface, ...]
    nodes: tuple[Node, ...] = ()
    own_rooms: tuple[str, ...] = ()
    tried: tuple[Tried, ...] = ()
    router: bool | None = None
    problems: tuple[str, ...] = ()
    chosen: bool = False
    asked: Asked | None = None
    moved_to: str = ""

    @property
    def real(self) -> list[Interface]:
        """The interfaces that people can be on; if there are none, the others, with loopback only if it was chosen."""
        usable = [i for i in self.interfaces if i.addresses and i.up is not False]
        real = [i for i in usable if i.kind in ("network", "VPN")]
        return real or [i for i in usable if i.kind != "loopback" or self.chosen]

    @property
    def without_address(self) -> list[str]:
        """The names of the networks that this machine has no address on."""
        return [i.name for i in self.interfaces if i.kind == "network" and not i.addresses]


@dataclass(frozen=True)
class Diagnosis:
    """What the report means for a person.

    Args:
        works: whether chat should work; if an address was asked about, whether its room answers.
        cause: the likely cause, in a sentence or two.
        command: one thing to try.
        remark: what was seen besides, in a sentence or two; may be empty.
    """

    works: bool
    cause: str
    command: str
    remark: str = ""
