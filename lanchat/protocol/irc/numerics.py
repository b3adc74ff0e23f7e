"""The numeric replies of the IRC door. Pure."""

from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase

from lanchat.protocol.irc.history import MAX_LIMIT
from lanchat.protocol.irc.line import made
from lanchat.protocol.irc.names import MAX_CHANNEL, MAX_USER, Names, Person, account_of, prefixes
from lanchat.protocol.nicks import MAX_NICK
from lanchat.protocol.status import MAX_AWAY
from lanchat.protocol.text import safe_text
from lanchat.protocol.topic import MAX_TOPIC

NAMES_SIZE = 400  # bytes of nicks in one 353; what stands before them fits into the remaining ones
MONITORED = 100  # nicks that one client may watch (ergo's number)
TARGETS = 4  # of one message (ergo's number)
_WHOX = "tcuihsnfdlaor"  # the fields that WHOX knows, in the order in which they are answered


class Replies:
    """Makes numeric replies for one client.

    Args:
        nick: the client's; "*" before it has one.
        encrypted: whether it has come by TLS.
    """

    def __init__(self, names: Names, nick: str, *, encrypted: bool = False) -> None:
        self._encrypted = encrypted
        self._names = names
        self._nick = nick or "*"

    def reply(self, number: str, *words: str, last: str | None = None) -> bytes:
        return made(self._names.server, number, self._nick, *words, last=None if last is None else safe_text(last))

    def notice(self, text: str) -> bytes:
        return made(self._names.server, "NOTICE", self._nick, last=safe_text(text))

    def welcome(self, version: str, people: int, most: int) -> bytes:
        """All that a client gets when it is registered, up to the end of the message of the day.

        Args:
            people: how many are here.
            most: how many were here at once.
        """
        names = self._names
        reply = self.reply
        return b"".join(
            (
                reply("001", last=f"Welcome to {names.title}, {self._nick}"),
                reply("002", last=f"Your host is {names.server}, running lanchat {version}"),
                reply("003", last="The room is this network's own."),
                reply("004", names.server, f"lanchat-{version}", "Bi", "bntov"),
                *self._supported(),
                self.users(people, most),
                self.day(),
            )
        )

    def day(self) -> bytes:
        """The message of the day: what an IRC client could not know."""
        channel = self._names.channel
        lines = (
            f"This is the lanchat room {self._names.title}; its only channel is {channel}.",
            "The way to the host is encrypted. The host itself can read along, private messages too."
            if self._encrypted
            else "Nothing is encrypted here: everybody on this network can read along, private messages too.",
            "@ hosts the room, + has proven a key. You have no key, so lanchat shows your nick with a tilde.",
        )
        begin = self.reply("375", last=f"- {self._names.server} message of the day -")
        return (
            begin
            + b"".join(self.reply("372", last=f"- {line}") for line in lines)
            + self.reply("376", last="End of /MOTD command")
        )

    def marked_away(self, text: str) -> bytes:
        if text:
            return self.reply("306", last="You have been marked as being away")
        return self.reply("305", last="You are no longer marked as being away")

    def users(self, people: int, most: int) -> bytes:
        return (
            self.reply("251", last=f"There are {people} users and 0 invisible on 1 servers")
            + self.reply("252", "0", last="IRC operators online")
            + self.reply("254", "1", last="channels formed")
            + self.reply("255", last=f"I have {people} clients and 0 servers")
            + self.reply("265", str(people), str(most), last=f"Current local users {people}, max {most}")
            + self.reply("266", str(people), str(most), last=f"Current global users {people}, max {most}")
        )

    def people(self, people: Sequence[Person], *, multi_prefix: bool, with_hosts: bool) -> bytes:
        """353 and 366: everybody in the channel."""
        hosts = (f"!{self._names.user_host(person.id)}" if with_hosts else "" for person in people)
        names = [prefixes(one, multi=multi_prefix) + one.nick + host for one, host in zip(people, hosts, strict=True)]
        size = NAMES_SIZE - len(self._nick.encode())
        channel = self._names.channel
        return b"".join(
            self.reply("353", "=", channel, last=line) for line in joined(names, " ", size) or [""]
        ) + self.reply("366", channel, last="End of /NAMES list")

    def topic(self, topic: str) -> bytes:
        """332 with this topic, or with the room's title where there is none."""
        return self.reply("332", self._names.channel, last=safe_text(topic) or self._names.title)

    def who(self, mask: str, people: Iterable[Person], fields: str = "", outside: Iterable[Person] = ()) -> bytes:
        """352 for each of these, or 354 with the asked fields (WHOX, such as "%tcnuhraf,42"); then 315.

        Args:
            outside: those who are not in the channel.
        """
        wanted, _, token = fields.removeprefix("%").partition(",")
        channel = self._names.channel
        lines = [
            self._who(person, place, wanted, token) if fields else self._plain_who(person, place)
            for place, some in ((channel, people), ("*", outside))
            for person in some
        ]
        return b"".join(lines) + self.reply("315", mask or "*", last="End of /WHO list")

    def whois(self, person: Person, *, inside: bool = True) -> bytes:
        user, _, host = self._names.user_host(person.id).partition("@")
        nick, names = person.nick, self._names
        lines = [
            self.away(person),
            self.reply("311", nick, user, host, "*", last=self._names.real_name(person.id)),
            self.reply("319", nick, last=prefixes(person, multi=True) + names.channel) if inside else b"",
            self.reply("312", nick, names.server, last=names.title),
        ]
        if (account := account_of(person.id)) != "*":
            lines.append(self.reply("330", nick, account, last="has proven the key"))
        if person.bot:
            lines.append(self.reply("335", nick, last="is a program"))
        return b"".join(lines)

    def away(self, person: Person) -> bytes:
        """301, if this person is away."""
        return self.reply("301", person.nick, last=person.away) if person.away else b""

    def needs_more(self, command: str) -> bytes:
        return self.reply("461", command[:32], last="Not enough parameters")

    def nobody(self, name: str) -> bytes:
        return self.reply("401", word(name), last="No one here has this nick")

    def only_channel(self, name: str) -> bytes:
        return self.reply("403", word(name), last=f"There is only {self._names.channel} here.")

    def _supported(self) -> Iterable[bytes]:
        words = (
            "CASEMAPPING=ascii",
            "CHANTYPES=#",
            "CHANLIMIT=#:1",
            "CHANMODES=b,,,nt",
            "PREFIX=(ov)@+",
            f"NICKLEN={MAX_NICK}",
            f"CHANNELLEN={MAX_CHANNEL}",
            f"TOPICLEN={MAX_TOPIC}",
            f"AWAYLEN={MAX_AWAY}",
            "MODES=1",
            f"NETWORK={self._names.channel[1:]}",
            f"MONITOR={MONITORED}",
            "SAFELIST",
        )
        more = (
            f"CHATHISTORY={MAX_LIMIT}",
            "MSGREFTYPES=msgid,timestamp",
            "BOT=B",
            f"USERLEN={MAX_USER}",
            "SAFERATE",
            "UTF8ONLY",
            "WHOX",
            f"TARGMAX=JOIN:1,NAMES:1,WHOIS:1,PRIVMSG:{TARGETS},NOTICE:{TARGETS},TAGMSG:{TARGETS},MONITOR:",
        )
        return [self.reply("005", *part, last="are supported by this server") for part in (words, more)]

    def _plain_who(self, person: Person, channel: str) -> bytes:
        user, _, host = self._names.user_host(person.id).partition("@")
        names = self._names
        flags = here(person) + prefixes(person)
        return self.reply(
            "352", channel, user, host, names.server, person.nick, flags, last=f"0 {self._names.real_name(person.id)}"
        )

    def _who(self, person: Person, channel: str, wanted: Collection[str], token: str) -> bytes:
        user, _, host = self._names.user_host(person.id).partition("@")
        account = account_of(person.id)
        values = {
            "t": word(token),
            "c": channel,
            "u": user,
            "i": "255.255.255.255",
            "h": host,
            "s": self._names.server,
            "n": person.nick,
            "f": here(person) + prefixes(person),
            "d": "0",
            "l": "0",
            "a": "0" if account == "*" else account,
            "o": "n/a",
        }
        words = [values[field] for field in _WHOX if field in wanted and field in values]
        return self.reply("354", *words, last=self._names.real_name(person.id) if "r" in wanted else None)


def joined(names: Iterable[str], between: str = ",", size: int = NAMES_SIZE - MAX_NICK) -> list[str]:
    """These names in as few lines as they fit in.

    Args:
        size: bytes of a line, at most.
    """
    lines: list[str] = []
    room = 0
    for name in names:
        length = len(name.encode()) + len(between)
        if length > room:
            lines.append(name)
            room = size - length
        else:
            lines[-1] += between + name
            room -= length
    return lines


def here(person: Person) -> str:
    """The flags of a person who is here, or away ("G", gone); "B" marks a program."""
    return ("G" if person.away else "H") + ("B" if person.bot else "")


def word(text: str) -> str:
    """Text of a client that can stand as one word in an answer to it."""
    return safe_text("".join(char for char in text[:64] if char != " ").lstrip(":")) or "*"


def matching(people: Sequence[Person], names: Names, mask: str) -> list[Person]:
    """The people whom a WHO with this mask asks for: all of the channel, or those with such a nick."""
    if not mask or mask in ("*", "0") or names.is_channel(mask):
        return list(people)
    return [person for person in people if fits(person.nick, mask)]


def fits(nick: str, mask: str) -> bool:
    """Whether this nick is the mask, in which * and ? stand for any characters."""
    return fnmatchcase(nick.lower(), mask.lower().replace("[", "[[]"))
