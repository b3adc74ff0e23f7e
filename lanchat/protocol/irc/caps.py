"""The capabilities that an IRC client may ask for, and their negotiation (IRCv3, capability negotiation). Pure."""

from collections.abc import Iterable

from lanchat.protocol.irc.line import MAX_LINES
from lanchat.protocol.text import MAX_TEXT

OFFERED = {  # with their values
    "account-tag": "",
    "away-notify": "",
    "batch": "",
    "cap-notify": "",
    "draft/chathistory": "",
    "draft/event-playback": "",
    "draft/multiline": f"max-bytes={MAX_TEXT},max-lines={MAX_LINES}",
    "draft/pre-away": "",
    "draft/read-marker": "",
    "echo-message": "",
    "extended-join": "",
    "invite-notify": "",
    "labeled-response": "",
    "message-tags": "",
    "multi-prefix": "",
    "no-implicit-names": "",
    "sasl": "PLAIN",
    "server-time": "",
    "setname": "",
    "standard-replies": "",
    "userhost-in-names": "",
}
MAX_LIST = 380  # bytes of capabilities in one line


class Capabilities:
    """The capabilities of one client.

    Args:
        without: capabilities that this server does not offer.
    """

    def __init__(self, without: frozenset[str] = frozenset()) -> None:
        self._offered = {name: value for name, value in OFFERED.items() if name not in without}
        self.active: frozenset[str] = frozenset()
        self.negotiating = False  # whether registration waits for the end of the negotiation
        self._version = 301

    def answer(self, parameters: tuple[str, ...], *, registered: bool) -> list[tuple[str, str]] | None:
        """Take a CAP command.

        Returns:
            What to answer: words after CAP and the nick, and the last parameter; None: there is no such subcommand.
        """
        subcommand = parameters[0].upper() if parameters else ""
        match subcommand:
            case "LS":
                if len(parameters) > 1 and parameters[1].isdecimal():
                    self._version = max(self._version, int(parameters[1][:6]))
                if self._version >= 302:
                    self.active |= {"cap-notify"}
                self.negotiating = not registered
                words = (
                    f"{name}={value}" if value and self._version >= 302 else name
                    for name, value in self._offered.items()
                )
                return _listed("LS", words, several=self._version >= 302)
            case "LIST":
                return _listed("LIST", sorted(self.active), several=self._version >= 302)
            case "REQ":
                self.negotiating = self.negotiating or not registered
                return [self._request(parameters[1] if len(parameters) > 1 else "")]
            case "END":
                self.negotiating = False
                return []
            case _:
                return None

    def _request(self, wanted: str) -> tuple[str, str]:
        """All of the request is done, or nothing."""
        words = wanted.split()
        on = {word for word in words if not word.startswith("-")}
        off = {word[1:] for word in words if word.startswith("-")}
        keeps = "cap-notify" in off and self._version >= 302  # it is implied and cannot be given back
        if not (on | off) <= set(self._offered) or on & off or keeps:
            return "NAK", wanted
        self.active = (self.active | on) - off
        return "ACK", wanted


def _listed(subcommand: str, names: Iterable[str], *, several: bool) -> list[tuple[str, str]]:
    """The names in lines; all but the last are marked, for a client that knows of several lines."""
    lines = [""]
    for name in names:
        if several and len(lines[-1]) + len(name) >= MAX_LIST:
            lines.append("")
        lines[-1] += f" {name}"
    return [(f"{subcommand} *" if at < len(lines) - 1 else subcommand, line.strip()) for at, line in enumerate(lines)]
