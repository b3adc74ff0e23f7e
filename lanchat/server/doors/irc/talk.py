"""What an IRC client says: messages of the room, and what goes straight to other IRC clients. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from lanchat.protocol.irc.encode import NOTICE
from lanchat.protocol.irc.line import Line, without_formatting
from lanchat.protocol.irc.numerics import TARGETS, word
from lanchat.protocol.messages import Say, Tell, Told
from lanchat.room.room import Room
from lanchat.server.doors.irc.people import called
from lanchat.server.doors.irc.session import IrcSession
from lanchat.server.items import Answer

TALK = ("PRIVMSG", "NOTICE", "TAGMSG")
_ACTION = "\x01ACTION "
_CTCP = "\x01"


class Spoken(NamedTuple):
    """A message to everyone, with the tags of its client."""

    say: Say
    tags: Mapping[str, str]


class Direct(NamedTuple):
    """A message to one person, or one without text, which only IRC clients get.

    Args:
        text: "": it has only tags.
    """

    id: str
    command: str
    target: str
    text: str
    tags: Mapping[str, str]


class Talk(NamedTuple):
    """What follows from a PRIVMSG, NOTICE or TAGMSG, and what its sender gets."""

    said: tuple[Spoken | Direct, ...] = ()
    reply: bytes = b""


def talk(session: IrcSession, line: Line, number: int) -> Talk:
    """What a PRIVMSG, NOTICE or TAGMSG means.

    Args:
        number: of the message; no other one of this client has the same.
    """
    if not line.parameter(0):
        return Talk(reply=session.replies.reply("411", last=f"No recipient given ({line.command})"))
    tags = _client_tags(session, line) if line.tags else {}
    text = ""
    if line.command != "TAGMSG":
        text = line.parameter(1)
        if not text:
            return Talk(reply=session.replies.reply("412", last="No text to send"))
        action = text.startswith(_ACTION)
        if text.startswith(_CTCP) and not action:
            return Talk()  # a question to a program, such as its version; lanchat's members do not answer any
        text = without_formatting(text.removeprefix(_ACTION).rstrip(_CTCP) if action else text)
        if not text.strip():
            return Talk()
    elif not tags:
        return Talk()
    else:
        action = False
    names = line.parameter(0)
    targets = list(dict.fromkeys(names.split(","))) if "," in names else [names]
    if len(targets) > TARGETS:
        return Talk(
            reply=session.replies.reply("407", word(targets[TARGETS]), last=f"At most {TARGETS} targets at once")
        )
    said: list[Spoken | Direct] = []
    errors = b""
    for at, target in enumerate(targets):
        id = f"{NOTICE if line.command == 'NOTICE' else ''}{number}.{at}"
        if target.startswith("#") and not session.names.is_channel(target):
            errors += session.replies.only_channel(target)
        elif target.startswith("#") and text:
            said.append(Spoken(Say(id, text, action), tags))
        elif target:
            told = f"* {text}" if action else text  # a private message knows no actions
            said.append(Direct(id, line.command, target[:64], told, tags))
    return Talk(tuple(said), errors)


def _client_tags(session: IrcSession, line: Line) -> dict[str, str]:
    """The tags that are for other clients."""
    if not session.has("message-tags"):
        return {}
    return {name: value for name, value in line.tags.items() if name.startswith("+")}


def noted(session: IrcSession, spoken: Spoken, room: Room) -> bytes:
    """Note which tags IRC clients get with the message that comes next."""
    session.people.extras.note_tags(session.id, spoken.say.id, spoken.tags)
    return b""


def direct(session: IrcSession, one: Direct, room: Room) -> Answer:
    """Hand on a message to one person: to another IRC client at once, since no log keeps it, and else by the room."""
    quiet = one.command == "NOTICE"
    if one.target.startswith("#"):
        if session.member is None:
            return Answer(session.replies.reply("404", session.names.channel, last="JOIN first"))
        return _to_clients(session, one, [to for to in session.people if to.member is not None], session.names.channel)
    member, client = called(one.target, room), session.people.client(one.target)
    if client is not None and (member is None or client.member is member):
        return _to_clients(session, one, [client], client.nick)
    if not one.text:
        return Answer(session.replies.nobody(one.target) if member is None else b"")  # lanchat shows no tags
    if session.member is None:
        if quiet:
            return Answer()
        outside = session.replies.reply("404", word(one.target), last="JOIN first")
        return Answer(session.replies.nobody(one.target) if member is None else outside)
    if not quiet:
        session.asked[one.id] = one.target
    return Answer(messages=(Tell(one.id, "", one.target, text=one.text),))


def _to_clients(session: IrcSession, one: Direct, recipients: list[IrcSession], target: str) -> Answer:
    people = session.people
    to = recipients[0].id if recipients else ""
    told = Told(one.id, people.now(), session.id, session.nick, to, target, text=one.text)
    if one.tags:
        people.extras.note_tags(session.id, one.id, one.tags)

    def lines(client: IrcSession) -> bytes:
        return client.irc.encode(told) if one.text else client.irc.tagged_alone(told, target)

    in_channel = target.startswith("#")
    others = [(to, lines(to)) for to in recipients if not (in_channel and to is session)]
    return Answer(lines(session) if session.has("echo-message") else b"", others)
