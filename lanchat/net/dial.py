"""Reaching a host by its addresses."""

import socket
from dataclasses import dataclass

from lanchat.errors import NoSuchRoom
from lanchat.net.listen import DEFAULT_PORT

CONNECT_LIMIT = 5.0  # s for one address; on one network an answer takes milliseconds


@dataclass(frozen=True)
class Endpoint:
    """Where a host listens. `str()` is what a person types."""

    host: str
    port: int = DEFAULT_PORT

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_endpoint(text: str) -> Endpoint | None:
    """HOST[:PORT], with brackets around an IPv6 address that has a port. None: this reads like no address.

    A name without a port is an address only where it holds a dot or is `localhost`: a title may be one word.
    """
    if any(char.isspace() for char in text) or not text:
        return None
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            return None
        port = rest[1:]
    elif text.count(":") > 1:
        host, port = text, ""
    else:
        host, colon, port = text.partition(":")
        if not colon and "." not in host.strip(".") and host != "localhost":
            return None
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        return None
    return Endpoint(host, int(port) if port else DEFAULT_PORT) if host else None


def dial(endpoints: tuple[Endpoint, ...]) -> socket.socket:
    """A connection to the first of these that answers.

    Raises:
        NoSuchRoom: none of them does; the words say why.
    """
    failure = NoSuchRoom("the room has no address")
    for endpoint in endpoints:
        try:
            return socket.create_connection((endpoint.host, endpoint.port), timeout=CONNECT_LIMIT)
        except (OSError, ValueError) as error:  # ValueError: a name that no machine can have (IDNA, a NUL)
            failure = _explained(endpoint, error)
    raise failure


def _explained(endpoint: Endpoint, error: OSError | ValueError) -> NoSuchRoom:
    match error:
        case ConnectionRefusedError():
            return NoSuchRoom(f"nobody hosts a room at {endpoint}", "ask the host for the address its screen shows")
        case socket.gaierror() | ValueError():
            return NoSuchRoom(f'there is no machine "{endpoint.host}" here', "use the address the host's screen shows")
        case _:
            return NoSuchRoom(
                f"{endpoint} does not answer ({(error.strerror or str(error)).lower()})",
                "check that you are on the same network, and that no firewall stands between",
            )
