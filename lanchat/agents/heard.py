"""A message as an agent hears it, and whether it ends a wait. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Heard:
    """A message in a room.

    Args:
        number: its place among all that was heard.
        room: as the person of the agent has named it.
        at: ms since 1970.
        id: the member id of who said it.
        own: the agent said it.
        old: it was said before the agent came, or had waited for it.
        mentions: it names the agent, or is for it alone.
        allowed: its author may wake the agent.
    """

    number: int
    room: str
    at: int
    nick: str
    id: str
    text: str
    verified: bool = False
    program: bool = False
    private: bool = False
    own: bool = False
    old: bool = False
    mentions: bool = False
    allowed: bool = False

    def wakes(self, *, mention: bool) -> bool:
        """Whether a wait ends with it. A program has to name the agent, so that no two keep each other busy.

        Args:
            mention: only what names the agent is waited for.
        """
        fresh = self.allowed and not self.own and not self.old
        return fresh and (self.mentions or not (self.program or mention))
