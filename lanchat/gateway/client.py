"""One IRC client of the gateway: who it is, and what it has negotiated."""

import time
from dataclasses import dataclass, field

from lanchat.errors import LanchatError
from lanchat.network.link import Link
from lanchat.protocol.irc.caps import Capabilities
from lanchat.protocol.irc.line import made
from lanchat.protocol.irc.multiline import Multiline
from lanchat.protocol.irc.numerics import word

# The gateway's own name as a server. It has a dot and no "!", so clients do not take it for somebody's nick.
SERVER = "lanchat.gateway"
WITHOUT = frozenset({"draft/pre-away", "labeled-response", "sasl", "setname"})  # what only the IRC door offers


@dataclass(eq=False)
class Client:
    """One connected IRC client. Owned by the gateway's main thread; `link` is for any thread.

    Args:
        nick: the one that the client asked for; "": none yet.
        password: the one that the client sent.
        user: whether USER has come.
        registered: whether its registration is complete.
        multiline: collects the lines of a message.
    """

    link: Link
    nick: str = ""
    password: str = ""
    user: bool = False
    registered: bool = False
    multiline: Multiline = field(default_factory=lambda: Multiline(time.monotonic))
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(without=WITHOUT))

    def has(self, capability: str) -> bool:
        return capability in self.capabilities.active

    def reply(self, number: str, *words: str, last: str | None = None) -> None:
        self.link.send(made(SERVER, number, self.nick or "*", *words, last=last))

    def fail(self, command: str, code: str, text: str, *context: str) -> None:
        """Send a FAIL (IRCv3, standard-replies), for a failure that has no numeric.

        Args:
            context: the words that it is about, such as a channel.
        """
        self.link.send(made(SERVER, "FAIL", command, code, *map(word, context), last=text))

    def notice(self, text: str, target: str = "") -> None:
        self.link.send(made(SERVER, "NOTICE", target or self.nick or "*", last=text))


def error_text(error: LanchatError | ValueError) -> str:
    """What happened, and what to do about it, in one line."""
    hint = error.hint if isinstance(error, LanchatError) else ""
    return f"{error} {hint}".strip()
