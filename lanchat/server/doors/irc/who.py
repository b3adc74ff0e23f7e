"""Who is in the room: NAMES, WHO, WHOIS, WHOWAS, USERHOST, ISON and MONITOR, answered in the hub's thread. Pure."""

from lanchat.protocol.irc.encode import written
from lanchat.protocol.irc.line import Line
from lanchat.protocol.irc.numerics import MONITORED, fits, joined, matching, word
from lanchat.room.room import Room
from lanchat.server.doors.irc.people import called
from lanchat.server.doors.irc.session import IrcSession


def names(session: IrcSession, line: Line, room: Room) -> bytes:
    asked = line.parameter(0)
    if asked and not session.names.is_channel(asked):
        return session.replies.reply("366", word(asked), last="End of /NAMES list")
    return session.list_of(list(room.members), session.replies)


def who(session: IrcSession, line: Line, room: Room) -> bytes:
    mask, fields = line.parameter(0), line.parameter(1)
    found = matching(list(room.members), session.names, mask)
    outside = [] if session.names.is_channel(mask) else matching(session.people.outside, session.names, mask)
    return session.replies.who(word(mask), found, fields if fields.startswith("%") else "", outside)


def whois(session: IrcSession, line: Line, room: Room) -> bytes:
    if not line.parameters:
        return session.replies.reply("431", last="No nickname given")
    nick = line.parameters[-1].split(",")[0]
    replies, member, person = session.replies, called(nick, room), session.people.find(nick, room)
    found = replies.nobody(nick) if person is None else replies.whois(person, inside=member is not None)
    return found + session.replies.reply("318", word(nick), last="End of /WHOIS list")


def whowas(session: IrcSession, line: Line, room: Room) -> bytes:
    replies, names, nick = session.replies, session.names, line.parameter(0)
    if not nick:
        return replies.reply("431", last="No nickname given")
    gone = [one for one in reversed(session.people.gone) if fits(one.nick, nick)]
    wanted = line.parameter(1)
    if wanted.isdecimal() and 0 < int(wanted[:9]) < len(gone):  # none or a negative number: all (RFC 2812, 3.6.3)
        gone = gone[: int(wanted[:9])]
    found = b"".join(
        replies.reply("314", one.nick, *names.user_host(one.id).split("@"), "*", last=names.real_name(one.id))
        + replies.reply("312", one.nick, names.server, last=written(one.at))
        for one in gone
    )
    if not gone:
        found = replies.reply("406", word(nick), last="There was no such nickname")
    return found + replies.reply("369", word(nick), last="End of WHOWAS")


def userhost(session: IrcSession, line: Line, room: Room) -> bytes:
    if not line.parameters:
        return session.replies.needs_more("USERHOST")
    found = (session.people.find(nick, room) for nick in line.parameters[:5])
    there = [one for one in found if one is not None]
    names = session.names
    return session.replies.reply(
        "302", last=" ".join(f"{one.nick}={'-' if one.away else '+'}{names.user_host(one.id)}" for one in there)
    )


def ison(session: IrcSession, line: Line, room: Room) -> bytes:
    nicks = {nick.lower() for words in line.parameters for nick in words.split()}
    if not nicks:
        return session.replies.needs_more("ISON")
    everybody = session.people.everybody(room)
    there = [one.nick for one in everybody if one.nick.lower() in nicks]  # one pass, however many are asked for
    return session.replies.reply("303", last=" ".join(there))


def who_is_away(session: IrcSession, nick: str, room: Room) -> bytes:
    """301, if the person of this nick is away."""
    person = session.people.find(nick, room)
    return b"" if person is None else session.replies.away(person)


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
    here = {one.nick.lower(): one for one in session.people.everybody(room)}  # one pass, however many are asked for
    there = [session.names.source(one.id, one.nick) for nick in nicks if (one := here.get(nick.lower()))]
    return _in_lines(session, "730", there) + _in_lines(
        session, "731", [nick for nick in nicks if nick.lower() not in here]
    )


def _in_lines(session: IrcSession, number: str, names: list[str]) -> bytes:
    """These names, with commas, in as many lines as they need."""
    return b"".join(session.replies.reply(number, last=text) for text in joined(names))
