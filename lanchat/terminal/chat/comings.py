"""Which comings and goings of others stand on the screen, and what is told in place of those that do not. Pure."""

from collections.abc import Callable

from lanchat.protocol.messages import Joined, Left, Moved
from lanchat.protocol.text import conjunction
from lanchat.room.roster import Person, Roster
from lanchat.terminal.chat.flapping import Flapping, Shown
from lanchat.terminal.chat.nicks import shown_nick
from lanchat.terminal.chat.reunion import Reunion


class Comings:
    """Owned by the thread that paints.

    Args:
        joins: as for `Flapping`.
        tell: called with a sentence that is to stand below all that has come.
    """

    def __init__(self, joins: str, tell: Callable[[str], None]) -> None:
        self._joins, self._tell = joins, tell
        self._flapping, self._reunion = Flapping(joins), Reunion()
        self._connected = True

    def lost(self, roster: Roster) -> None:
        """There is no link any more."""
        self._connected = False
        self._reunion.lost(() if roster.crowd else roster.people.values())

    def back(self, now: float, *, beside: bool) -> None:
        """There is a link again. For the arguments see `Reunion.back`."""
        self._connected = True
        self._reunion.back(now, beside=beside)

    def moved(self, moved: Moved, roster: Roster) -> None:
        """The room has another host. If it was taken over, a line says that the last one is gone."""
        if moved.reason == "takeover" and (person := roster.person(moved.before)) is not None:
            self._reunion.reported_gone(person.id)

    def hides(self, event: Joined | Left, roster: Roster, now: float) -> bool:
        """Whether this is not shown: it is a part of a break, by wish, or there have been so many of this person."""
        if self._reunion.hides(event):
            return True
        if event.by == roster.me:
            return False
        bot, host = roster.is_bot(event.by, event.nick), event.by == roster.host_id
        shown = self._flapping.follow(event, bot=bot, host=host, now=now)
        if shown is Shown.LAST:
            nick = shown_nick(event.by, event.nick)
            self._tell(f"{nick} keeps coming and going. That is not shown any more until it stops.")
        return shown is Shown.NO

    @property
    def due_at(self) -> float | None:
        """When `announce_due` is to be called at the latest, in s, monotonic; None: there is nothing to wait for."""
        if not self._connected:
            return None
        return min((at for at in (self._flapping.settles_at, self._reunion.ends_at) if at is not None), default=None)

    def announce_due(self, roster: Roster, now: float) -> None:
        """Tell who has not come back after a break, and whether those are here who have stopped coming and going."""
        here = {person.id for person in roster.people.values()}  # a host that we have joined since then lists them
        missing = [person for person in self._reunion.missing(now) if person.id not in here]
        if missing and self._joins != "none":
            names = [shown_nick(person.id, person.nick) for person in missing]
            self._tell(f"{conjunction(names)} {'has' if len(names) == 1 else 'have'} not come back.")
        for id, nick in self._flapping.settled(now) if self._connected else ():
            if not roster.crowd:  # there, nobody hears of everyone
                self._tell(
                    f"{shown_nick(id, nick)} has stopped coming and going, and {_whether_here(id, nick, roster)}."
                )


def _whether_here(id: str, nick: str, roster: Roster) -> str:
    if (id, nick) in roster.people:
        return "is here"
    others: list[Person] = [person for person in roster.people.values() if person.id == id and person.verified]
    return f"is here as {shown_nick(id, others[0].nick)}" if others else "is not here"
