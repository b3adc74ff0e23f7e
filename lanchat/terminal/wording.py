"""The wording of lanchat's own sentences, on the screen and on stderr. Pure.

There is one form for errors: what happened, as a sentence, and below it what to do. What happens in a room stands
behind `--`, where nobody's message can stand.
"""

from typing import TYPE_CHECKING

from lanchat.errors import LanchatError
from lanchat.protocol.file_messages import FileOffered
from lanchat.protocol.messages import Left, Moved
from lanchat.protocol.nicks import safe_nick
from lanchat.protocol.sizes import size_text
from lanchat.protocol.text import TooLong, grouped, safe_text
from lanchat.protocol.topic import Topic
from lanchat.terminal.phrases import counted, sentence

if TYPE_CHECKING:  # the list of rooms loads this module, and needs none of them
    from lanchat.client.events import PrivateFile, PrivateMessage
    from lanchat.room.roster import Roster

QUOTED = 60  # characters of a message in a sentence
TO_SEND_ALL = "Longer texts go as a file: /send PATH"
COMPARE = "To compare, they run:  lanchat id"


def error_text(cause: str, what_to_do: str = "") -> list[str]:
    """An error, as lines for stderr."""
    lines = [f"lanchat: {sentence(cause)}"]
    if what_to_do:
        lines.append(f"  {advice(what_to_do)}")
    return lines


def note_text(text: str) -> str:
    """What happens in the room, as a line for stderr."""
    return f"-- {text}"


def advice(text: str) -> str:
    """What to do, as a sentence. What stands behind a colon is to be typed or copied, so no full stop follows it."""
    return text[:1].upper() + text[1:] if ": " in text else sentence(text)


def error_line(error: Exception) -> str:
    """An error in one line, for the chat: what happened, and what to do."""
    hint = error.hint if isinstance(error, LanchatError) else TO_SEND_ALL if isinstance(error, TooLong) else ""
    return f"{sentence(str(error))} {advice(hint)}" if hint else str(error)


def first_time_text(host_id: str, owner_id: str, *, invited: bool = False) -> str:
    """For a person who meets a host for the first time.

    Args:
        host_id: the member id of the key that the host showed.
        owner_id: that of the key which is remembered, of whose room it is.
        invited: the person came by an invite, which names that key.
    """
    first = "First time in this room. The key of its owner"
    if owner_id == host_id:
        first = "First time with this host. Its key"
    proven = "is the one in your invite, and " if invited else ""
    return f"{first} {proven}is now remembered:  {grouped(owner_id)}"


def notice_text(roster: "Roster", text: str) -> str:
    """What the host says, marked as the host's. No sentence of this program begins so, and no nick holds a space."""
    host = next((f"{safe_nick(person.nick)} " for person in roster.people.values() if person.host), "")
    return f"{host}(host): {text}"


def left_text(who: str, left: Left) -> str:
    """The sentence for somebody who leaves.

    Args:
        who: their nick as it is shown.
    """
    match left.code:
        case "":
            return f"{who} left"
        case "lost":
            return f"{who} disconnected"
        case "silent":
            return f"{who} lost the connection"
        case "slow":
            return f"{who} left (could not keep up)"
        case "kicked":
            return f"{who} was removed"
        case "banned":
            return f"{who} was banned"
        case "rules":  # its own person is told what was wrong; others could do nothing with that
            return f"{who} left (their program broke the rules of the room)"
        case _:
            return f"{who} left ({safe_text(left.reason or left.code).rstrip('.')})"


def unopened_text(message: "PrivateMessage", who: str, me: str) -> str:
    """How a private message reads that could not be opened.

    Args:
        who: the other one's nick as it is shown.
        me: our own member id.
    """
    whose = f"Your private message to {who}" if message.by == me else f"A private message from {who}"
    return f"{whose} could not be opened ({safe_text(message.problem)})."


def dropped_text(left: Left) -> str:
    """Tells a member that is back why the host had counted it as gone."""
    match left.code:
        case "lost":
            return "While you were away: the connection broke."
        case "slow":
            return "While you were away: the host dropped you, because this computer read too slowly."
        case _:
            return f"While you were away: the host dropped you ({safe_text(left.reason or left.code).rstrip('.')})."


def topic_text(who: str, event: Topic) -> str:
    topic = safe_text(event.topic)
    return f"{who} set the topic: {topic}" if topic else f"{who} removed the topic"


TAKEBACK = "/takeback makes you the host again."


def lost_by(moved: Moved, me: str) -> bool:
    """Whether the room has left the computer of the person with this nick because that did not answer."""
    return moved.before == me and moved.reason == "takeover"


def moved_text(who: str, moved: Moved, me: str, *, here: bool = False) -> str:
    """The sentence for a room that has another host.

    Args:
        who: the new host's nick as it is shown, or "you", which may mean another computer with the same key.
        me: our own nick.
        here: this program hosts the room now.
    """
    before, hosts = safe_nick(moved.before), "you host" if who == "you" else f"{who} hosts"
    match moved.reason:
        case "handover" if who == "you":
            return f"{before} has handed the room to you{': this computer hosts it from now on' if here else ''}"
        case "handover":
            return f"{before} has handed the room to {who}"
        case "failback":
            return f"{hosts} the room again"
        case "merge":
            return f"two halves of the room have found each other again; {hosts} it"
        case _ if lost_by(moved, me) and who == "you":
            return "you host the room again"
        case _ if lost_by(moved, me):
            return f"this computer did not answer for a while; {hosts.replace(' host', ' now host')} the room"
        case _ if who == "you":
            return f"you now host the room, because {_whose(before)} computer cannot be reached"
        case _:
            return f"{before} is gone; {hosts.replace(' host', ' now host')} the room"


def named_text(host: str) -> str:
    """For the person whose computer the owner of the room has named.

    Args:
        host: the nick as it is shown, or "you": at another computer with the same key.
    """
    host = "your other computer" if host == "you" else host
    what = f"it keeps a copy of the room and can host it when {host} is gone"
    return f"This computer is now a standby: {what}. /standbys off ends that."


def backup_text(host: str, standby: str) -> str:
    """What an acknowledgement is worth from now on.

    Args:
        host, standby: the nicks as they are shown, or "you"; "" as the standby: there is none.
    """
    if not standby:
        return f"No backup: messages are saved on {'your' if host == 'you' else _whose(host)} disk only."
    if host == standby == "you":
        return "Messages are saved on two computers again: both are yours."
    return f"Messages are saved on two computers again: {_whose(host)} and {_whose(standby)}."


def _whose(nick: str) -> str:
    return "yours" if nick == "you" else f"{nick}'s"


def offered_text(who: str, offered: FileOffered) -> str:
    """The sentence for somebody who sends a file.

    Args:
        who: their nick as it is shown, or "you".
    """
    are = "are" if who == "you" else "is"
    return f"{who} {are} sending {safe_text(offered.name)} ({size_text(offered.size)})"


def private_file_text(file: "PrivateFile", who: str, whom: str, me: str) -> str:
    """The sentence for a file for one person that is sent, or gone.

    Args:
        who, whom: sender and recipient as they are shown.
        me: our own member id.
    """
    if file.state == "removed":
        return removed_text("you" if file.by == me else who, file.name or "a file", file.reason)
    if file.problem:
        whose = f"Your file for {whom}" if file.by == me else f"A file from {who}"
        return f"{whose} could not be opened ({safe_text(file.problem)})."
    what = f"{safe_text(file.name)} ({size_text(file.size)})"
    if file.by == me:
        return f"you are sending {what} to {whom} alone"
    return f"{who} is sending {what} to {'you' if file.to == me else whom} alone"


def removed_text(who: str, name: str, reason: str) -> str:
    """The sentence for a file that is gone.

    Args:
        who: the nick, as it is shown, of the member who removed it; or "you".
        reason: a FileEndReason.
    """
    name = safe_text(name)
    match reason:
        case "removed":
            return f"{who} removed {name}"
        case "unfinished":
            return f"{name} was never finished and is gone"
        case "expired":
            return f"{name} is gone, after some days"
        case "quota":
            return f"{name} made room for newer files"
        case _:
            return f"{name} is gone"


def reconnecting(reason: str) -> str:
    """The link is lost for this reason."""
    return f"{sentence(reason)} Reconnecting …"


def closed_text(closed: str) -> str:
    """The room is closed, as this sentence says, and the member waits."""
    return f"{closed} Waiting in case it opens again; Ctrl-C leaves."


def resent_text(number: int, since: str) -> str:
    """For a person who joins a room that an earlier run could not deliver all messages to.

    Args:
        since: when that was.
    """
    return f"Sending {counted(number, 'message')} from {since} that could not be delivered."


def held_text(number: int, since: str, last: str) -> str:
    """For a person who joins a room that a run long ago could not deliver all messages to.

    Args:
        since: when that was.
        last: the last of these messages.
    """
    what = f"{counted(number, 'message')} from {since} {'was' if number == 1 else 'were'} not sent"
    return f"{what}{_quoted(number, last)} Send {'it' if number == 1 else 'them'}: /resend   Or drop: /discard"


def unsent_text(number: int, *, kept: bool, hosting: bool = False, last: str = "") -> str:
    """For a person who leaves while messages are unsent.

    Args:
        kept: they are on this disk and go out when this person is in the room again.
        hosting: the room is hosted here.
        last: the last of them.
    """
    it, be, go = ("It", "is", "goes") if number == 1 else ("They", "are", "go")
    fate = f"{it} {be} lost."
    if kept and hosting:
        fate = f"{it} {go} out when you are in the room again."
    elif kept:
        fate = f"{it} {go} out when you join again, unless you join with --discard."
    return f"{counted(number, 'message')} {'was' if number == 1 else 'were'} not sent{_quoted(number, last)} {fate}"


def _quoted(number: int, last: str) -> str:
    """The last of several messages behind a sentence, and its end."""
    text = safe_text(last, lines=True).replace("\n", " ")
    text = text if len(text) <= QUOTED else text[: QUOTED - 1] + "…"
    return (f': "{text}".' if number == 1 else f', the last one: "{text}".') if text else "."
