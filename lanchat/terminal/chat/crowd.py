"""The lines of a screen about a crowd, in which joins and leaves are not shown. Pure."""

from lanchat.client.events import ListedPeople
from lanchat.room.roster import Roster, person_of
from lanchat.terminal.chat.people import who_text
from lanchat.terminal.phrases import counted, people_text

MORE = "+"  # /who with it shows the next page; no nick is called so


def crowd_text(people: int) -> str:
    """The line for a room that has become a crowd of this number of people."""
    return f"{people_text(people)} are here: joins and leaves are no longer shown. /who NICK finds somebody."


def page_text(listed: ListedPeople, roster: Roster) -> str:
    """The answer to /who in a crowd; or that the crowd is over."""
    if listed.all:
        return f"{counted(len(listed.present), 'person is', 'people are')} here now: joins and leaves are shown again."
    if not listed.present:
        return f"There is nobody of that name among the {people_text(roster.number)} here."
    text = who_text([person_of(present) for present in listed.present], (roster.me, roster.nick))
    more = f"\n/who {MORE} shows more of them, /who NICK finds somebody." if listed.more else ""
    return f"{text}{more}"
