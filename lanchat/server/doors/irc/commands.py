"""What an IRC client asks, and the answers. In the room they are made in the hub's thread. Pure."""

from collections.abc import Callable
from datetime import datetime

from lanchat import __version__
from lanchat.protocol.irc.line import Line, made
from lanchat.protocol.irc.names import user_host
from lanchat.protocol.irc.numerics import MAX_AWAY, matching, word
from lanchat.room.effects import Member
from lanchat.room.room import Room
from lanchat.server.doors.irc.session import IrcSession

Answer = Callable[[IrcSession, Line, Room], bytes]


def answer(session: IrcSession, line: Line, room: Room) -> bytes:
    """The answer to a line that tells the others nothing."""
    if (early := EARLY.get(line.command)) is not None:
        return early(session, line)
    known = _ANSWERS.get(line.command)
    if known is None:
        return session.replies.reply("421", word(line.command), last="Unknown command")
    return known(session, line, room)


def _people(room: Room) -> list[Member]:
    return list(room.members)


def _called(nick: str, room: Room) -> Member | None:
    wanted = nick.lower()
    return next((member for member in room.members if member.nick.lower() == wanted), None)


def _cap(session: IrcSession, line: Line) -> bytes:
    lines = session.capabilities.answer(line.parameters, registered=session.welcomed)
    if lines is None:
        return session.replies.reply("410", word(line.parameter(0)), last="Invalid CAP command")
    session.use_capabilities()
    nick, server = session.nick, session.names.server
    return b"".join(made(server, "CAP", nick, *words.split(), last=last) for words, last in lines)


def _ping(session: IrcSession, line: Line) -> bytes:
    if not line.parameters:
        return session.replies.needs_more("PING")
    return made(session.names.server, "PONG", session.names.server, last=line.parameter(0))


def _nothing(session: IrcSession, line: Line) -> bytes:
    return b""


def _silence(session: IrcSession, line: Line, room: Room) -> bytes:
    return b""  # such as "is typing", which lanchat does not carry


def _names(session: IrcSession, line: Line, room: Room) -> bytes:
    asked = line.parameter(0)
    if asked and not session.names.is_channel(asked):
        return session.replies.reply("366", word(asked), last="End of /NAMES list")
    return session.list_of(_people(room), session.replies)


def _who(session: IrcSession, line: Line, room: Room) -> bytes:
    mask, fields = line.parameter(0), line.parameter(1)
    found = matching(_people(room), session.names, mask)
    return session.replies.who(word(mask), found, fields if fields.startswith("%") else "")


def _whois(session: IrcSession, line: Line, room: Room) -> bytes:
    if not line.parameters:
        return session.replies.reply("431", last="No nickname given")
    nick = line.parameters[-1].split(",")[0]
    person = _called(nick, room)
    found = session.replies.nobody(nick) if person is None else session.replies.whois(person)
    return found + session.replies.reply("318", word(nick), last="End of /WHOIS list")


def _whowas(session: IrcSession, line: Line, room: Room) -> bytes:
    nick = word(line.parameter(0))
    gone = session.replies.reply("406", nick, last="There was no such nickname")
    return gone + session.replies.reply("369", nick, last="End of WHOWAS")


def _userhost(session: IrcSession, line: Line, room: Room) -> bytes:
    if not line.parameters:
        return session.replies.needs_more("USERHOST")
    there = filter(None, (_called(nick, room) for nick in line.parameters[:5]))
    return session.replies.reply("302", last=" ".join(f"{one.nick}=+{user_host(one.id)}" for one in there))


def _ison(session: IrcSession, line: Line, room: Room) -> bytes:
    nicks = {nick.lower() for words in line.parameters for nick in words.split()}
    if not nicks:
        return session.replies.needs_more("ISON")
    there = [one.nick for one in room.members if one.nick.lower() in nicks]  # one pass, however many are asked for
    return session.replies.reply("303", last=" ".join(there))


def _list(session: IrcSession, line: Line, room: Room) -> bytes:
    names, people = session.names, str(room.people)
    row = session.replies.reply("322", names.channel, people, last=names.title)
    asked = line.parameter(0)
    wanted = not asked.startswith("#") or any(map(names.is_channel, asked.split(",")))
    begin = session.replies.reply("321", "Channel", last="Users  Name")
    return begin + (row if wanted else b"") + session.replies.reply("323", last="End of /LIST")


def _mode(session: IrcSession, line: Line, room: Room) -> bytes:
    replies, target, names = session.replies, line.parameter(0), session.names
    if not target:
        return replies.needs_more("MODE")
    if not names.is_channel(target):
        return _own_mode(session, line, room)
    match line.parameter(1).lstrip("+"):
        case "":
            return replies.reply("324", names.channel, "+nt") + replies.reply("329", names.channel, str(names.opened))
        case "b" if len(line.parameters) == 2:
            return replies.reply("368", names.channel, last="End of channel ban list")
        case _:
            return _no_rights(session)


def _own_mode(session: IrcSession, line: Line, room: Room) -> bytes:
    target = line.parameter(0)
    if target.lower() == session.nick.lower():
        return session.replies.reply("221", "+i") if len(line.parameters) == 1 else b""
    if target.startswith("#"):
        return session.replies.only_channel(target)
    if _called(target, room) is None:
        return session.replies.nobody(target)
    return session.replies.reply("502", last="You can see and change only your own modes")


def _topic(session: IrcSession, line: Line, room: Room) -> bytes:
    target = line.parameter(0)
    if not target:
        return session.replies.needs_more("TOPIC")
    if not session.names.is_channel(target):
        return session.replies.only_channel(target)
    return session.replies.topic(room.topic) if len(line.parameters) == 1 else _no_rights(session)


def _kick(session: IrcSession, line: Line, room: Room) -> bytes:
    if len(line.parameters) < 2:
        return session.replies.needs_more("KICK")
    return _no_rights(session) if session.names.is_channel(line.parameter(0)) else _elsewhere(session, line)


def _invite(session: IrcSession, line: Line, room: Room) -> bytes:
    if len(line.parameters) < 2:
        return session.replies.needs_more("INVITE")
    nick, channel = line.parameters[:2]
    if not session.names.is_channel(channel):
        return session.replies.only_channel(channel)
    if _called(nick, room) is None:
        return session.replies.nobody(nick)
    return session.replies.reply("443", word(nick), session.names.channel, last="is already on channel")


def _elsewhere(session: IrcSession, line: Line) -> bytes:
    return session.replies.only_channel(line.parameter(0))


def _no_rights(session: IrcSession) -> bytes:
    return session.replies.reply("482", session.names.channel, last="Only the host moderates, with lanchat")


def _oper(session: IrcSession, line: Line, room: Room) -> bytes:
    if len(line.parameters) < 2:
        return session.replies.needs_more("OPER")
    return session.replies.reply("491", last="There are no IRC operators here")


def _privileged(session: IrcSession, line: Line, room: Room) -> bytes:
    return session.replies.reply("481", last="There are no IRC operators here")


def _away(session: IrcSession, line: Line, room: Room) -> bytes:
    session.away = line.parameter(0)[:MAX_AWAY]
    if session.away:
        return session.replies.reply("306", last="You have been marked as being away")
    return session.replies.reply("305", last="You are no longer marked as being away")


def _motd(session: IrcSession, line: Line, room: Room) -> bytes:
    return session.replies.day()


def _lusers(session: IrcSession, line: Line, room: Room) -> bytes:
    return session.replies.users(room.people)


def _version(session: IrcSession, line: Line, room: Room) -> bytes:
    return session.replies.reply("351", f"lanchat-{__version__}", session.names.server, last="")


def _time(session: IrcSession, line: Line, room: Room) -> bytes:
    return session.replies.reply("391", session.names.server, last=f"{datetime.now():%Y-%m-%d %H:%M:%S}")


def _info(session: IrcSession, line: Line, room: Room) -> bytes:
    about = session.replies.reply("371", last=f"lanchat {__version__}, chat for one local network")
    return about + session.replies.reply("374", last="End of /INFO list")


def _registered(session: IrcSession, line: Line, room: Room) -> bytes:
    return session.replies.reply("462", last="You may not reregister")


_ANSWERS: dict[str, Answer] = {
    "AWAY": _away,
    "INFO": _info,
    "INVITE": _invite,
    "ISON": _ison,
    "KICK": _kick,
    "KILL": _privileged,
    "LIST": _list,
    "LUSERS": _lusers,
    "MODE": _mode,
    "MOTD": _motd,
    "NAMES": _names,
    "OPER": _oper,
    "PASS": _registered,
    "TAGMSG": _silence,
    "TIME": _time,
    "TOPIC": _topic,
    "USER": _registered,
    "USERHOST": _userhost,
    "VERSION": _version,
    "WALLOPS": _privileged,
    "WHO": _who,
    "WHOIS": _whois,
    "WHOWAS": _whowas,
}
# These are also answered before registration, without the room. They cost a line, and all others as much as a message.
EARLY: dict[str, Callable[[IrcSession, Line], bytes]] = {"CAP": _cap, "PING": _ping, "PONG": _nothing}
