"""What an IRC client says, as messages of the room. Pure."""

from dataclasses import dataclass

from lanchat.protocol.irc.encode import NOTICE
from lanchat.protocol.irc.line import Line, without_formatting
from lanchat.protocol.irc.numerics import TARGETS, word
from lanchat.protocol.messages import FromMember, Say, Tell
from lanchat.server.doors.irc.session import IrcSession

_ACTION = "\x01ACTION "
_CTCP = "\x01"


@dataclass(frozen=True)
class Talk:
    """What follows from a PRIVMSG or NOTICE: messages for the room, and what its sender gets."""

    messages: tuple[FromMember, ...] = ()
    reply: bytes = b""


def talk(session: IrcSession, line: Line, number: int) -> Talk:
    """What a PRIVMSG or NOTICE means. A NOTICE never causes an error (RFC 2812, section 3.3.2).

    Args:
        number: of the message; no other one of this client has the same.
    """
    if line.command == "NOTICE":
        return Talk(_talk(session, line, f"{NOTICE}{number}").messages)
    return _talk(session, line, str(number))


def _talk(session: IrcSession, line: Line, id: str) -> Talk:
    replies = session.replies
    if not line.parameter(0):
        return Talk(reply=replies.reply("411", last=f"No recipient given ({line.command})"))
    text = line.parameter(1)
    if not text:
        return Talk(reply=replies.reply("412", last="No text to send"))
    action = text.startswith(_ACTION)
    if text.startswith(_CTCP) and not action:
        return Talk()  # a question to a program, such as its version; lanchat's members do not answer any
    text = without_formatting(text.removeprefix(_ACTION).rstrip(_CTCP) if action else text)
    if not text.strip():
        return Talk()
    targets = list(dict.fromkeys(line.parameter(0).split(",")))
    if len(targets) > TARGETS:
        return Talk(reply=replies.reply("407", word(targets[TARGETS]), last=f"At most {TARGETS} targets at once"))
    messages: list[FromMember] = []
    errors = b""
    for number, target in enumerate(targets):
        if session.names.is_channel(target):
            messages.append(Say(f"{id}.{number}", text, action))
        elif target.startswith("#"):
            errors += replies.only_channel(target)
        elif target:
            told = f"* {text}" if action else text  # a private message knows no actions
            messages.append(Tell(f"{id}.{number}", "", target[:64], text=told))
            if line.command == "PRIVMSG":
                session.asked[f"{id}.{number}"] = target[:64]
    return Talk(tuple(messages), errors)
