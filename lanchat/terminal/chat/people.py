"""The answers to /who and /verify. Pure."""

from lanchat.protocol.text import grouped
from lanchat.room.roster import Person
from lanchat.terminal.chat.render import shown_nick, tagged_nick
from lanchat.terminal.wording import COMPARE, people_text


def who_text(people: list[Person], me: tuple[str, str]) -> str:
    """The answer to /who.

    Args:
        me: our own id and nick.
    """
    names = []
    for person in sorted(people, key=lambda person: person.nick.casefold()):
        remarks = [*(["you"] if (person.id, person.nick) == me else []), *(["host"] if person.host else [])]
        names.append(tagged_nick(person.id, person.nick) + (f" ({', '.join(remarks)})" if remarks else ""))
    return f"{people_text(len(names))}: {', '.join(names)}"


def verify_text(person: Person, me: str, host_id: str) -> str:
    """The answer to /verify. Only the host has shown its key to us; for everybody else the host vouches.

    Args:
        me: our own id.
        host_id: the member id of the key that the host showed.
    """
    nick = shown_nick(person.id, person.nick)
    if not person.verified:
        text = f"{nick} is a guest without a key: identity not verified."
        return f"{text}\nPrivate messages to {nick} are not sealed: the host can read them."
    if person.id == me:
        return f"Your fingerprint:  {grouped(person.id)}"
    vouched = ", the host" if person.id == host_id else ", as the host says" if me != host_id else ""
    sealed = f"Private messages to {nick} are sealed to this key"
    if not person.key:
        sealed = f"The host has not shown this key, so private messages to {nick} cannot be sealed."
    elif person.id == host_id or me == host_id:
        sealed += "."
    else:
        sealed += ": the host cannot read them."
    return f"Fingerprint of {nick}{vouched}:  {grouped(person.id)}\n{COMPARE}\n{sealed}"
