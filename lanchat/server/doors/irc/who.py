"""Who is in the room: NAMES, WHO, WHOIS, WHOWAS, USERHOST, ISON and MONITOR, answered in the hub's thread. Pure."""

from collections.abc import Iterable

from lanchat.protocol.irc.line import Line
from lanchat.protocol.irc.names import source_of, user_host
from lanchat.protocol.irc.numerics import MONITORED, joined, matching, word
from lanchat.room.effects import Member
from lanchat.room.room import Room
from lanchat.server.doors.irc.session import IrcSession


def called(nick: str, room: Room) -> Member | None:
    """The member of this nick."""
    wanted = nick.lower()
    return next((member for member in room.members if member.nick.lower() == wanted), None)


def names(session: IrcSession, line: Line, room: Room) -> bytes:
    asked = line.parameter(0)
    if asked and not session.names.is_channel(asked):
        return session.replies.reply("366", word(asked), last="End of /NAMES list")
    return session.list_of(list(room.members), session.replies)


def who(session: IrcSession, line: Line, room: Room) -> bytes:
    mask, fields = line.parameter(0), line.parameter(1)
    found = matching(list(room.members), session.names, mask)
    return session.replies.who(word(mask), found, fields if fields.startswith("%") else "")


def whois(session: IrcSession, line: Line, room: Room) -> bytes:
    if not line.parameters:
        return session.replies.reply("431", last="No nickname given")
    nick = line.parameters[-1].split(",")[0]
    person = called(nick, room)
    found = session.replies.nobody(nick) if person is None else session.replies.whois(person)
    return found + session.replies.reply("318", word(nick), last="End of /WHOIS list")


def whowas(session: IrcSession, line: Line, room: Room) -> bytes:
    nick = word(line.parameter(0))
    gone = session.replies.reply("406", nick, last="There was no such nickname")
    return gone + session.replies.reply("369", nick, last="End of WHOWAS")


def userhost(session: IrcSession, line: Line, room: Room) -> bytes:
    if not line.parameters:
        return session.replies.needs_more("USERHOST")
    there = filter(None, (called(nick, room) for nick in line.parameters[:5]))
    return session.replies.reply(
        "302", last=" ".join(f"{one.nick}={'-' if one.away else '+'}{user_host(one.id)}" for one in there)
    )


def ison(session: IrcSession, line: Line, room: Room) -> bytes:
    nicks = {nick.lower() for words in line.parameters for nick in words.split()}
    if not nicks:
        return session.replies.needs_more("ISON")
    there = [one.nick for one in room.members if one.nick.lower() in nicks]  # one pass, however many are asked for
    return session.replies.reply("303", last=" ".join(there))


def who_is_away(session: IrcSession, nicks: Iterable[str], room: Room) -> bytes:
    """301 for each of these who is away."""
    found = (called(nick, room) for nick in nicks)
    return b"".join(session.replies.away(person) for person in found if person is not None)


def monitor(session: IrcSession, line: Line, room: Room) -> bytes:
    """MONITOR: the client watches nicks, and is told when they come and go."""
    watched, targets = session.monitored, line.parameter(1)
    match line.parameter(0).upper()[:1]:
        case "+" if targets:
            return _watch(session, targets.split(","), room)
        case "-" if targets:
            for nick in targets.split(","):
                watched.pop(nick.lower(), None)
            return b""
        case "C":
            watched.clear()
            return b""
        case "L":
            return _in_lines(session, "732", list(watched.values())) + session.replies.reply(
                "733", last="End of MONITOR list"
            )
        case "S":
            return _who_is_here(session, list(watched.values()), room)
        case _:
            return session.replies.needs_more("MONITOR")


def _watch(session: IrcSession, nicks: list[str], room: Room) -> bytes:
    watched = session.monitored
    added: list[str] = []
    for number, nick in enumerate(nicks):
        name = word(nick)
        if not nick or name.lower() in watched:
            continue
        if len(watched) == MONITORED:
            rest = ",".join(map(word, nicks[number:]))[:200]
            full = session.replies.reply("734", str(MONITORED), rest, last="The list of watched nicks is full")
            return _who_is_here(session, added, room) + full
        watched[name.lower()] = name
        added.append(name)
    return _who_is_here(session, added, room)


def _who_is_here(session: IrcSession, nicks: list[str], room: Room) -> bytes:
    """730 for those of these who are here, 731 for the others."""
    here = {member.nick.lower(): member for member in room.members}  # one pass, however many are asked for
    there = [source_of(member.id, member.nick) for nick in nicks if (member := here.get(nick.lower()))]
    return _in_lines(session, "730", there) + _in_lines(
        session, "731", [nick for nick in nicks if nick.lower() not in here]
    )


def _in_lines(session: IrcSession, number: str, names: list[str]) -> bytes:
    """These names, with commas, in as many lines as they need."""
    return b"".join(session.replies.reply(number, last=text) for text in joined(names))
