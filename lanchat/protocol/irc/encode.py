"""Events and other messages of a host as lines of IRC, for one set of capabilities. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256

from lanchat.protocol.file_messages import FileOffered
from lanchat.protocol.ids import is_verified
from lanchat.protocol.irc.extras import NO_EXTRAS, Extras
from lanchat.protocol.irc.labels import batch
from lanchat.protocol.irc.line import MAX_LINE, made, parts, pieces
from lanchat.protocol.irc.names import Names, account_of
from lanchat.protocol.messages import Closing, Event, FromHost, Joined, Left, Moved, Refused, Renamed, Said, Told
from lanchat.protocol.status import Status
from lanchat.protocol.text import safe_text
from lanchat.protocol.topic import Topic

TAGS = frozenset({"server-time", "message-tags", "account-tag"})  # capabilities that put tags before lines
NOTICE = "notice-"  # begins the id of a message that an IRC client has sent as a NOTICE
CHANGING_BYTES = TAGS | {"extended-join", "batch", "draft/multiline"}
CONCAT = "draft/multiline-concat"  # the tag of a piece that goes on with the line before
_MULTILINE = "lines"  # the reference of a batch of lines; it ends before the next one begins
_LATEST = 32_000_000_000_000  # ms since 1970, in the year 2984; many systems know no times far beyond
_ACTION, _END = "\x01ACTION ", "\x01"
_LEFT = {  # what a code says, where the host gives no reason in words
    "lost": "connection lost",
    "silent": "no answer",
    "slow": "reads too slowly",
    "rules": "broke the rules",
    "kicked": "removed by the host",
    "banned": "banned by the host",
    "replaced": "joined from another window",
    "late": "too late",
    "busy": "too many strangers",
    "error": "an error at the host",
}


class Encoder:
    """Makes the lines for all clients with the same capabilities. Owned by the hub thread.

    Args:
        capabilities: those of CHANGING_BYTES that the clients have.
        extras: what the clients are told beyond the room's events.
    """

    def __init__(self, names: Names, capabilities: frozenset[str], extras: Extras = NO_EXTRAS) -> None:
        self._names = names
        self._extras = extras
        self._time = "server-time" in capabilities
        self._ids = "message-tags" in capabilities
        self._accounts = "account-tag" in capabilities
        self._extended_join = "extended-join" in capabilities
        self._batches = "batch" in capabilities
        self._multiline = self._batches and "draft/multiline" in capabilities
        self._stamp = (-1, "")  # the last time, and how it is written

    def encode(self, message: FromHost) -> bytes:
        """The lines of a message; b"": clients do not get it."""
        match message:
            case Said(late=late):
                return self.said(message, written_time=late)
            case Told(text=""):
                return b""
            case Told(id=id, at=at, by=by, nick=nick, to_nick=to_nick, text=text):
                first = f"{self._of_client(by, id)}msgid={_private_id(by, id)};" if self._ids else ""
                source = self._names.source(by, nick)
                return self._talk(self._tags(at, by), first, source, _verb(by, id), to_nick, text)
            case Joined() | Left() | Renamed() | Moved() | Topic():
                return self._change(message)
            case FileOffered(nick=nick, name=name, size=size):
                text = f"{nick} is sending the file {name} ({size} bytes). Members with lanchat can fetch it."
                return made(self._names.server, "NOTICE", self._names.channel, last=safe_text(text))
            case Closing(text=text) | Refused(text=text):
                return made("", "ERROR", last=safe_text(text))
            case Status(by=by, nick=nick, away=away):
                return made(self._names.source(by, nick), "AWAY", last=safe_text(away) if away else None)
            case _:
                return b""

    def said(self, said: Said, *, written_time: bool = False) -> bytes:
        """The lines of a message to everyone.

        Args:
            written_time: whether the time stands before the text, for a client that reads no tags.
        """
        text = said.text
        if written_time and not self._time:
            text = f"[{_moment(said.at):%H:%M}] {text}"
        names, by = self._names, said.by
        first = f"{self._of_client(by, said.id)}msgid={names.msgid(said.seq)};" if self._ids else ""
        source, verb = names.source(by, said.nick), _verb(by, said.id)
        return self._talk(self._tags(said.at, by), first, source, verb, names.channel, text, action=said.action)

    def tagged_alone(self, told: Told, target: str) -> bytes:
        """The line of a message that has tags and no text; b"": clients without tags do not get it."""
        if not self._ids:
            return b""
        by, id = told.by, told.id
        tags = _begun(self._tags(told.at, by, _private_id(by, id)) + self._of_client(by, id))
        return tags.encode() + made(self._names.source(by, told.nick), "TAGMSG", target)

    def history(self, events: Iterable[Event]) -> bytes:
        """What was said before a client came."""
        said = [self.past(event) for event in events if isinstance(event, Said)]
        if not said or not self._batches:
            return b"".join(said)
        return b"".join(batch(said, "past", self._names.server, "chathistory", self._names.channel))

    def past(self, event: Event) -> bytes:
        """The lines of an event that is not new."""
        return self.said(event, written_time=True) if isinstance(event, Said) else self.encode(event)

    def joined(self, id: str, nick: str) -> bytes:
        """The line that says that this person is in the channel now, without tags."""
        names = self._names
        if not self._extended_join:
            return made(names.source(id, nick), "JOIN", names.channel)
        return made(names.source(id, nick), "JOIN", names.channel, account_of(id), last=names.real_name(id))

    def _change(self, event: Joined | Left | Renamed | Moved | Topic) -> bytes:
        names, source = self._names, self._names.source(event.by, event.nick)
        tags = _begun(self._tags(event.at, event.by, names.msgid(event.seq))).encode()
        match event:
            case Joined(by=by, nick=nick, host=host):
                modes = ("o" if host else "") + ("v" if is_verified(by) else "")
                lines = tags + self.joined(by, nick)
                if not modes:
                    return lines
                return lines + made(names.server, "MODE", names.channel, f"+{modes}", *[nick] * len(modes))
            case Left(by=by) if (parted := self._extras.part(by)) is not None:
                return tags + made(source, "PART", names.channel, last=parted or None)
            case Left(code=code, reason=reason):
                why = reason or _LEFT.get(code, code)
                return tags + made(source, "QUIT", last=safe_text(why))
            case Renamed(to=to):
                return tags + made(source, "NICK", to)
            case Topic(topic=topic):
                return tags + made(source, "TOPIC", names.channel, last=safe_text(topic) or names.title)
            case Moved(nick=nick, before=before):
                gone = made(names.server, "MODE", names.channel, "-o", before) if before else b""
                return gone + made(names.server, "MODE", names.channel, "+o", nick)

    def _talk(
        self, tags: str, more_tags: str, source: str, verb: str, target: str, text: str, *, action: bool = False
    ) -> bytes:
        """The lines of a text.

        Args:
            more_tags: those of the first line alone: the msgid (IRCv3, multiline), and the client's, which are long.
        """
        begin, end = (_ACTION, _END) if action else ("", "")
        head = f":{source} {verb} {target} :"
        size = MAX_LINE - 2 - len(head.encode()) - len(begin) - len(end)
        shown = text if text.isascii() and text.isprintable() else safe_text(text, lines=True)
        more = f"{_begun(tags)}{head}{begin}"
        first = f"{_begun(tags + more_tags)}{head}{begin}" if more_tags else more
        lines: list[str] = []
        if self._multiline and not action and (len(shown) > size // 4 or "\n" in shown):
            several = parts(shown, size)
            if len(several) > 1:
                start = f"{_begun(tags + more_tags)}:{source} BATCH"
                lines.append(f"{start} +{_MULTILINE} draft/multiline {target}\r\n")
                for piece, goes_on in several:
                    lines += f"@batch={_MULTILINE}{f';{CONCAT}' if goes_on else ''} {head}", piece, "\r\n"
                lines.append(f":{source} BATCH -{_MULTILINE}\r\n")
                return "".join(lines).encode(errors="replace")
        for piece in pieces(shown, size):
            lines += more if lines else first, piece, end, "\r\n"
        return "".join(lines).encode(errors="replace")

    def _of_client(self, by: str, id: str) -> str:
        """The tags that an IRC client has sent along with a message, and whether it is a program."""
        if is_verified(by):
            return ""
        profile = self._names.profiles.get(by)
        return self._extras.tags(by, id) + ("bot;" if profile is not None and profile.bot else "")

    def _tags(self, at: int, by: str, msgid: str = "") -> str:
        """The tags of an event, each with a semicolon after it. None of these values needs an escape."""
        tags = f"time={self._written(at)};" if self._time else ""
        if self._ids and msgid:
            tags += f"msgid={msgid};"
        if self._accounts and is_verified(by):
            tags += f"account={account_of(by)};"
        return tags

    def _written(self, at: int) -> str:
        if at != self._stamp[0]:
            self._stamp = at, written(at)
        return self._stamp[1]


def written(at: int) -> str:
    """This time, in ms since 1970, as server-time has it."""
    return f"{_moment(at).astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"


def _begun(tags: str) -> str:
    """These tags as they begin a line."""
    return f"@{tags[:-1]} " if tags else ""


def _verb(by: str, id: str) -> str:
    """Whether an IRC client has sent this message as a NOTICE, which no bot answers, or as a PRIVMSG."""
    return "NOTICE" if id.startswith(NOTICE) and not is_verified(by) else "PRIVMSG"


def _private_id(by: str, id: str) -> str:
    """The msgid of a private message, which has no seq."""
    return f"t-{sha256(f'{by} {id}'.encode()).hexdigest()[:12]}"


def _moment(at: int) -> datetime:
    """This time, which may come from a damaged log."""
    return datetime.fromtimestamp(min(at, _LATEST) / 1000)
