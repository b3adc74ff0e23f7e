"""One IRC client of the gateway: who it is, and what it has negotiated."""

from dataclasses import dataclass, field

from lanchat.network.link import Link
from lanchat.protocol.irc.caps import Capabilities
from lanchat.protocol.irc.line import made

SERVER = (
    "lanchat.gateway"  # the name that the gateway has as a server; no nick can stand for it, having a dot and no "!"
)
WITHOUT = frozenset({"draft/chathistory", "draft/event-playback", "draft/read-marker", "labeled-response"})
WITHOUT |= {"draft/multiline", "draft/pre-away", "sasl", "setname"}


@dataclass(eq=False)
class Client:
    """Owned by the gateway's main thread; `link` is for any.

    Args:
        nick: that it asked for; "": none yet.
        password: that it sent.
        user: whether USER has come.
        registered: whether it is in.
    """

    link: Link
    nick: str = ""
    password: str = ""
    user: bool = False
    registered: bool = False
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(without=WITHOUT))

    def has(self, capability: str) -> bool:
        return capability in self.capabilities.active

    def reply(self, number: str, *words: str, last: str | None = None) -> None:
        self.link.send(made(SERVER, number, self.nick or "*", *words, last=last))

    def notice(self, text: str, target: str = "") -> None:
        self.link.send(made(SERVER, "NOTICE", target or self.nick or "*", last=text))
