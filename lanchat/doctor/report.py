"""What `lanchat doctor` finds, as values. Pure."""

from dataclasses import dataclass, field
from typing import Literal

from lanchat.protocol.address import InterfaceKind

FirewallKind = Literal["ufw", "firewalld", "nft", "windows", "macos"]
LEAST_DISK = 20 * 1024 * 1024  # bytes; a log of a long evening fits


@dataclass(frozen=True)
class Loop:
    """What became of something we called to everybody: we are part of everybody.

    Args:
        way: "multicast", "local multicast", "broadcast", "mDNS".
        error: why it could not be sent or listened for; empty where it could.
        heard: whether it came back to us.
    """

    way: str
    heard: bool = False
    error: str = ""
    code: int = 0  # errno of the error


@dataclass(frozen=True)
class Interface:
    """
    Args:
        up: it says that it works; None: this platform does not tell.
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
    """Another lanchat.

    Args:
        at: what a person types to join it: with its port.
        rooms: titles, as the host gave them: a stranger's text.
        ways: by which its room is seen: "announce", "mdns", ...
        hears: which of our calls it has answered.
        echo: ms from a question to it alone to its answer; None: no answer.
        reached: whether its TCP port took our connection and showed a room.
        reaches_us: whether it could connect to us; None: it was not asked, or did not hear that.
    """

    address: str
    at: str = ""
    rooms: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()
    echo: float | None = None
    reached: bool = False
    reaches_us: bool | None = None


@dataclass(frozen=True)
class Tried:
    """An address that was named, or where a room was before.

    Args:
        outcome: "room" a lanchat answered; "other" something else listens; "refused" the machine is there, nobody
            listens; "silent" nothing comes back; "unreachable" the system knows no way or finds no such neighbour.
    """

    address: str
    outcome: Literal["room", "other", "refused", "silent", "unreachable"]
    on_link: bool
    named: bool  # by the person, just now


@dataclass(frozen=True)
class Firewall:
    kind: FirewallKind
    text: str
    blocks: bool | None = None  # whether it keeps out what is not asked for; None: it may


@dataclass(frozen=True)
class Machine:
    """
    Args:
        trouble: what makes lanchat unusable here (home folder, key), and the command against it.
        port: "free", "a room", "taken": who has TCP port 47474.
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
    port: Literal["free", "a room", "taken"] = "free"
    trouble: tuple[str, str] | None = None


@dataclass(frozen=True)
class Report:
    machine: Machine
    interfaces: tuple[Interface, ...]
    nodes: tuple[Node, ...] = ()
    own_rooms: tuple[str, ...] = ()
    tried: tuple[Tried, ...] = ()
    router: bool | None = None  # whether the way out answers on the link; None: there is none, or it is not known
    problems: tuple[str, ...] = ()  # what the ways of seeing said
    chosen: bool = False  # the interfaces were named by the person


@dataclass(frozen=True)
class Diagnosis:
    """
    Args:
        works: chat should work.
        cause: one sentence.
        command: one thing to try.
    """

    works: bool
    cause: str
    command: str
