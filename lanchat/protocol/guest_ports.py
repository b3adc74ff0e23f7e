"""The ports by which people without lanchat come in, and what they are told when the room goes on elsewhere. Pure."""

from dataclasses import dataclass

from lanchat.protocol.places import Rules


@dataclass(frozen=True)
class GuestPorts:
    """The ports for netcat and IRC clients of one host, by the kind of door. None: there is no such door; 0: any."""

    plain: int | None = None
    irc: int | None = None
    irc_tls: int | None = None

    def __bool__(self) -> bool:
        return self != GuestPorts()

    def over(self, others: "GuestPorts") -> "GuestPorts":
        """These, and the others where there is none."""

        def first(port: int | None, other: int | None) -> int | None:
            return other if port is None else port

        return GuestPorts(
            first(self.plain, others.plain), first(self.irc, others.irc), first(self.irc_tls, others.irc_tls)
        )


def guest_ports(rules: Rules) -> GuestPorts:
    """The ports that the owner of a room with these rules has opened."""
    return GuestPorts(rules.plain or None, rules.irc or None, rules.irc_tls or None)


def allowed(wanted: GuestPorts, *, has_password: bool, irc_password: bool, needs_irc_password: bool) -> GuestPorts:
    """Those of these ports that a computer may open.

    Args:
        has_password: the room has one, so that nobody may come in without one.
        irc_password: this computer knows the password for IRC clients.
        needs_irc_password: the owner has IRC clients asked for one.
    """
    if irc_password:
        return GuestPorts(None if has_password else wanted.plain, None, wanted.irc_tls)
    if has_password:
        return GuestPorts()
    return GuestPorts(wanted.plain, wanted.irc, None if needs_irc_password else wanted.irc_tls)


@dataclass(frozen=True)
class Onward:
    """Where the guests of a room go on, once another computer hosts it.

    Args:
        address: of that computer; "": it is not known.
    """

    address: str
    ports: GuestPorts

    def for_netcat(self) -> str:
        if not self.address or not self.ports.plain:
            return "There is no port for netcat."
        return f"Go on there: nc {self.address} {self.ports.plain}"

    def irc_port(self, *, encrypted: bool) -> int:
        """The port for IRC clients that have come with or without TLS; 0: there is none."""
        return (self.ports.irc_tls if encrypted else self.ports.irc) or 0 if self.address else 0

    def for_irc(self, *, encrypted: bool) -> str:
        port = self.irc_port(encrypted=encrypted)
        return f"Go on at {self.address}, port {port}." if port else "There is no such port for IRC clients."
