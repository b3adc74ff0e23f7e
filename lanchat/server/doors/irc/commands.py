"""What an IRC client asks, and the answers. In the room they are made in the hub's thread. Pure."""

from collections.abc import Callable
from datetime import datetime

from lanchat import __version__
from lanchat.protocol.irc.line import Line, cut, made, without_formatting
from lanchat.protocol.irc.markers import marked
from lanchat.protocol.irc.names import Person, clean_real_name
from lanchat.protocol.irc.numerics import word
from lanchat.protocol.status import MAX_AWAY
from lanchat.protocol.text import safe_text
from lanchat.room.room import Room
from lanchat.server.doors.irc import who
from lanchat.server.doors.irc.people import called
from lanchat.server.doors.irc.session import IrcSession
from lanchat.server.items import Answer

MARKERS = 100  # targets of which one client may say up to when it has read them
Answers = Callable[[IrcSession, Line, Room], bytes | Answer]


def answer(session: IrcSession, line: Line, room: Room) -> bytes | Answer:
    """The answer to a line that tells the others nothing."""
    if (early := EARLY.get(line.command)) is not None:
        return early(session, line)
    known = _ANSWERS.get(line.command)
    if known is None:
        return session.replies.reply("421", word(line.command), last="Unknown command")
    return known(session, line, room)


def _cap(session: IrcSession, line: Line) -> bytes:
    lines = session.capabilities.answer(line.parameters, registered=session.welcomed)
    if lines is None:
        return session.replies.reply("410", word(line.parameter(0)), last="Invalid CAP command")
    session.use_capabilities()
    nick, server = session.nick, session.names.server
    return b"".join(made(server, "CAP", nick, *words.split(), last=last) for words, last in lines)


def _ping(session: IrcSession, line: Line) -> bytes:
    if not line.parameter(0):
        return session.replies.needs_more("PING")
    return made(session.names.server, "PONG", session.names.server, last=line.parameter(0))


def _nothing(session: IrcSession, line: Line) -> bytes:
    return b""


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
        return _change_own_mode(session, line.parameter(1))
    if target.startswith("#"):
        return session.replies.only_channel(target)
    if session.people.find(target, room) is None:
        return session.replies.nobody(target)
    return session.replies.reply("502", last="You can see and change only your own modes")


def _change_own_mode(session: IrcSession, change: str) -> bytes:
    """Whether the client is a program (B). It is always invisible (i), because there is only one channel."""
    if not change:
        return session.replies.reply("221", "+Bi" if session.bot else "+i")
    on = not change.startswith("-")
    if "B" not in change or on == session.bot:
        return b""
    session.bot = on
    session.people.change(session, bot=on)
    return made(session.nick, "MODE", session.nick, "+B" if on else "-B")


def _setname(session: IrcSession, line: Line, room: Room) -> Answer:
    """SETNAME: another real name, which IRC clients are shown."""
    if not session.has("setname"):
        return Answer(session.replies.reply("421", "SETNAME", last="Unknown command"))
    name = clean_real_name(line.parameter(0))
    if not name:
        return Answer(session.fail("SETNAME", "INVALID_REALNAME", "Realname is not valid"))
    session.people.change(session, real=name)
    change = made(session.source, "SETNAME", last=name)
    others = session.people if session.member is not None else ()
    return Answer(
        change,
        [(one, change) for one in others if one is not session and one.member is not None and one.has("setname")],
    )


def _authenticate(session: IrcSession, line: Line, room: Room) -> bytes:
    if not session.has("sasl"):
        return session.replies.reply("421", "AUTHENTICATE", last="Unknown command")
    return session.replies.reply("907", last="You have already authenticated")


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


def _invite(session: IrcSession, line: Line, room: Room) -> bytes | Answer:
    if len(line.parameters) < 2:
        return session.replies.needs_more("INVITE")
    nick, channel = line.parameters[:2]
    if not session.names.is_channel(channel):
        return session.replies.only_channel(channel)
    person = session.people.find(nick, room)
    if person is None:
        return session.replies.nobody(nick)
    if session.member is None:
        return session.replies.reply("442", session.names.channel, last="You're not on that channel")
    if called(nick, room) is None:
        return _invited(session, person)
    return session.replies.reply("443", word(nick), session.names.channel, last="is already on channel")


def _invited(session: IrcSession, person: Person) -> Answer:
    """Invite somebody who is outside the channel, and tell the clients that have asked for such notices."""
    line = made(session.source, "INVITE", person.nick, last=session.names.channel)
    told = [
        (one, line)
        for one in session.people
        if one is person or (one is not session and one.member is not None and one.has("invite-notify"))
    ]
    return Answer(session.replies.reply("341", person.nick, session.names.channel), told)


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


def away_text(line: Line) -> str:
    """Why somebody is away, as AWAY says it; "": they are back. With "*" a client says that no person is at it."""
    text = safe_text(without_formatting(line.parameter(0))).strip()
    return "away" if text == "*" else cut(text, MAX_AWAY).decode()


def _away(session: IrcSession, line: Line, room: Room) -> bytes:
    return session.replies.marked_away(away_text(line))


def _marker(session: IrcSession, line: Line, room: Room) -> bytes:
    """MARKREAD asks or says up to when something was read. It only moves forward, and is kept while the link lasts."""
    target, time = line.parameter(0), line.parameter(1)
    if not target:
        return session.fail("MARKREAD", "NEED_MORE_PARAMS", "Missing parameters")
    key = target.lower()
    if time:
        if (at := marked(time)) is None:
            return session.fail("MARKREAD", "INVALID_PARAMS", "That is no time", target)
        if key not in session.read and len(session.read) >= MARKERS:
            return session.fail("MARKREAD", "INTERNAL_ERROR", "There are too many markers", target)
        session.read[key] = max(at, session.read.get(key, 0))
    return session.marker(target)


def _motd(session: IrcSession, line: Line, room: Room) -> bytes:
    return session.replies.day()


def _lusers(session: IrcSession, line: Line, room: Room) -> bytes:
    people = room.people + len(session.people.outside)
    return session.replies.users(people, session.people.count(people))


def _version(session: IrcSession, line: Line, room: Room) -> bytes:
    return session.replies.reply("351", f"lanchat-{__version__}", session.names.server, last="")


def _time(session: IrcSession, line: Line, room: Room) -> bytes:
    return session.replies.reply("391", session.names.server, last=f"{datetime.now():%Y-%m-%d %H:%M:%S}")


def _info(session: IrcSession, line: Line, room: Room) -> bytes:
    about = session.replies.reply("371", last=f"lanchat {__version__}, chat for one local network")
    return about + session.replies.reply("374", last="End of /INFO list")


def _registered(session: IrcSession, line: Line, room: Room) -> bytes:
    return session.replies.reply("462", last="You may not reregister")


_ANSWERS: dict[str, Answers] = {
    "AUTHENTICATE": _authenticate,
    "AWAY": _away,
    "INFO": _info,
    "INVITE": _invite,
    "ISON": who.ison,
    "KICK": _kick,
    "KILL": _privileged,
    "LIST": _list,
    "LUSERS": _lusers,
    "MARKREAD": _marker,
    "MODE": _mode,
    "MONITOR": who.monitor,
    "MOTD": _motd,
    "NAMES": who.names,
    "OPER": _oper,
    "PASS": _registered,
    "SETNAME": _setname,
    "TIME": _time,
    "TOPIC": _topic,
    "USER": _registered,
    "USERHOST": who.userhost,
    "VERSION": _version,
    "WALLOPS": _privileged,
    "WHO": who.who,
    "WHOIS": who.whois,
    "WHOWAS": who.whowas,
}
# These are also answered before registration, without the room. They cost a line, and all others as much as a message.
EARLY: dict[str, Callable[[IrcSession, Line], bytes]] = {"CAP": _cap, "PING": _ping, "PONG": _nothing}
