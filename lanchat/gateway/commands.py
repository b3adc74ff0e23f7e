"""Carries out each line of the gateway's client. Everything here is for the gateway's main thread."""

import hmac
import math

from lanchat import __version__
from lanchat.errors import LanchatError
from lanchat.gateway.channel import Channel
from lanchat.gateway.client import SERVER, Client, error_text
from lanchat.gateway.history import History
from lanchat.gateway.network import Network
from lanchat.protocol.ids import is_verified
from lanchat.protocol.irc.history import MAX_LIMIT
from lanchat.protocol.irc.line import Line, cut, lowered, made, without_formatting
from lanchat.protocol.irc.multiline import Failed
from lanchat.protocol.irc.names import Names
from lanchat.protocol.irc.numerics import TARGETS, Replies, matching, word
from lanchat.protocol.limits import TokenBucket
from lanchat.protocol.nicks import clean_nick
from lanchat.protocol.status import MAX_AWAY
from lanchat.protocol.text import safe_text

ATTEMPTS = 10  # wrong passwords at once, and then per minute; a person who mistypes needs a few
_ACTION = "\x01ACTION "


class Commands:
    """Carries out the lines of the client.

    Args:
        password: that every client has to send, because every program on this computer reaches the gateway.
    """

    def __init__(self, network: Network, password: str, now: float) -> None:
        self._network = network
        self._password = password
        self._history = History()
        self._attempts = TokenBucket(ATTEMPTS / 60, ATTEMPTS, now)

    def carry_out(self, client: Client, line: Line, now: float) -> None:
        """Do what this line asks for."""
        if client.registered and client is not self._network.client:
            return  # another client has taken its place: what is left of it is not said in the name of that one
        match line.command:
            case "CAP":
                self._negotiate(client, line)
            case "PING":
                client.link.send(made(SERVER, "PONG", SERVER, last=line.parameter(0)))
            case "PONG":
                pass
            case "QUIT":
                client.link.finish(made("", "ERROR", last="Goodbye"))
            case "NICK":
                self._rename(client, line)
            case "USER" if not client.registered:
                client.user = True
            case "PASS" if not client.registered:
                client.password = line.parameter(0)
            case "USER" | "PASS":
                client.reply("462", last="You may not reregister")
            case _ if not client.registered:
                client.reply("451", last="You have not registered")
            case _:
                self._take(client, line)
        if not client.registered and client.user and client.nick and not client.capabilities.negotiating:
            self._register(client, now)

    def _take(self, client: Client, line: Line) -> None:
        """Do what this line asks for. The lines of one message with several lines are collected first."""
        if not client.has("draft/multiline") or not (line.command == "BATCH" or "batch" in line.tags):
            self._carry_out(client, line)
            return
        try:
            if (whole := client.multiline.take(line)) is not None:
                self._carry_out(client, whole)
        except Failed as error:
            client.fail("BATCH", error.code, str(error), *error.context)

    def _carry_out(self, client: Client, line: Line) -> None:
        network, first = self._network, line.parameter(0)
        match line.command:
            case "JOIN" if first == "0":
                for channel in list(network.entered.values()):
                    network.part(channel, None)
            case "JOIN" if first:
                keys = line.parameter(1).split(",")
                for at, name in enumerate(first.split(",")):
                    network.join(word(name), keys[at] if at < len(keys) else "")
            case "PART" if first:
                for name in first.split(","):
                    if (found := self._channel(client, name)) is not None:
                        network.part(found, line.parameter(1) or None)
            case "PRIVMSG" | "NOTICE":
                self._talk(client, line)
            case "LIST":
                self._list(client)
            case "NAMES" if (found := self._channel(client, first)) is not None:
                client.link.send(self._replies(found, client).people(found.people(client), **_shape(client)))
            case "TOPIC" if (found := self._channel(client, first)) is not None:
                if len(line.parameters) > 1:
                    client.reply("482", found.names.channel, last="The topic is set with lanchat, by /topic")
                else:
                    client.link.send(self._replies(found, client).topic(found.room.state.topic))
            case "WHO":
                self._who(client, line)
            case "WHOIS":
                self._whois(client, word(line.parameters[-1]) if line.parameters else "")
            case "MODE" if first.startswith("#"):
                if (found := self._channel(client, first)) is not None:
                    banned = line.parameter(1).lstrip("+") == "b"
                    client.reply(*(("368", found.names.channel) if banned else ("324", found.names.channel, "+nt")))
            case "MODE":
                client.reply("221", "+i")
            case "CHATHISTORY":
                self._history.answer(client, line, network.entered)
            case "MARKREAD":
                network.read.answer(client, line, network.entered)
            case "AWAY":
                self._away(client, safe_text(without_formatting(first)).strip())
            case "MOTD":
                client.reply("422", last="There is no message of the day")
            case "TAGMSG" | "NAMES" | "TOPIC":
                pass
            case "JOIN" | "PART":
                client.reply("461", line.command, last="Not enough parameters")
            case _:
                client.reply("421", word(line.command), last="Unknown command")

    # ---- coming in

    def _negotiate(self, client: Client, line: Line) -> None:
        lines = client.capabilities.answer(line.parameters, registered=client.registered)
        if lines is None:
            client.reply("410", word(line.parameter(0)), last="Invalid CAP command")
            return
        for words, last in lines:
            client.link.send(made(SERVER, "CAP", client.nick or "*", *words.split(), last=last))

    def _register(self, client: Client, now: float) -> None:
        if why := self._refusal(client.password, now):
            client.reply("464", last=why)
            client.link.finish(made("", "ERROR", last=why))
            client.user = False
            return
        client.registered = True
        client.link.within(None)
        client.reply("001", last=f"Welcome to the rooms around you, {client.nick}")
        client.reply("002", last=f"Your host is {SERVER}, running lanchat {__version__}")
        client.reply("003", last="LIST shows the rooms; JOIN enters one, with your own key.")
        client.reply("004", SERVER, f"lanchat-{__version__}", "i", "bntov")
        words = "CASEMAPPING=ascii CHANTYPES=# CHANMODES=b,,,nt PREFIX=(ov)@+ NICKLEN=32 CHANNELLEN=50 NETWORK=lanchat"
        client.reply("005", *words.split(), last="are supported by this server")
        words = f"CHATHISTORY={MAX_LIMIT} MSGREFTYPES=msgid,timestamp UTF8ONLY WHOX"
        client.reply("005", *words.split(), last="are supported by this server")
        client.reply("422", last="There is no message of the day")
        self._network.welcome(client)

    def _refusal(self, password: str, now: float) -> str:
        """Why this password does not let a client in; "": it does. One that is not looked at does not count."""
        if not self._attempts.spare(1, now):
            wait = (1 - self._attempts.level(now)) / self._attempts.rate
            return f"Too many wrong passwords. Try again in {math.ceil(wait)} s."
        if not hmac.compare_digest(password.encode(), self._password.encode()):
            return "The password is wrong. lanchat irc shows the right one when it starts."
        self._attempts.take(-1, now)  # it was no guess
        return ""

    def _rename(self, client: Client, line: Line) -> None:
        """Change the nick that the client has in all rooms."""
        try:
            nick = clean_nick(line.parameter(0))
        except ValueError as error:
            client.reply("432", word(line.parameter(0)), last=str(error))
            return
        before, client.nick = client.nick, nick
        if not client.registered:
            return
        for channel in self._network.entered.values():
            try:
                channel.room.rename(nick)
            except LanchatError as error:
                client.notice(f"You are still {channel.room.nick} here. {error_text(error)}", channel.names.channel)
        client.link.send(made(f"{before}!u@lanchat", "NICK", nick))

    # ---- in the rooms

    def _channel(self, client: Client, name: str) -> Channel | None:
        """The channel of this name; None: we are not in it, and the client has been told so."""
        channel = self._network.entered.get(lowered(name))
        if channel is None:
            client.reply("442" if name.startswith("#") else "403", word(name), last="You are not in such a room")
        return channel

    def _replies(self, channel: Channel, client: Client) -> Replies:
        return Replies(channel.names, client.nick)

    def _talk(self, client: Client, line: Line) -> None:
        text, quiet = line.parameter(1), line.command == "NOTICE"
        action = text.startswith(_ACTION)
        if text.startswith("\x01") and not action:
            return
        text = without_formatting(text.removeprefix(_ACTION).rstrip("\x01"))
        for target in line.parameter(0).split(",")[:TARGETS]:
            try:
                problem = self._say(target, text, action=action, client=client)
            except (LanchatError, ValueError) as error:
                problem = error_text(error)
            if problem and not quiet:
                client.reply("404" if target.startswith("#") else "401", word(target), last=problem)

    def _say(self, target: str, text: str, *, action: bool, client: Client) -> str:
        """Say this in a room, or to one person. Returns why not; "": it is on its way."""
        if not text.strip():
            return ""
        if target.startswith("#"):
            channel = self._network.entered.get(lowered(target))
            if channel is None:
                return f"You are not in this room; /join {word(target)} enters it"
            channel.room.send(text, action=action)
            return ""
        for channel in reversed(self._network.entered.values()):
            if (person := channel.find(target, client)) is not None:
                break
        else:
            return "Nobody in your rooms has this nick"
        told = f"* {text}" if action else text  # a private message knows no actions
        if not is_verified(person.id):
            client.notice(f"{person.nick} has no key: the host of {channel.names.channel} can read this.", target)
        channel.room.send_private(person.nick, told, to=person.id)
        return ""

    def _list(self, client: Client) -> None:
        client.reply("321", "Channel", last="Users  Name")
        for name, room in self._network.listed():
            private = ", with a password" if room.password else ""
            changed = ", with another key than before" if room.key_status == "changed" else ""
            topic = f"{room.title}, hosted by {room.host}{private}{changed}"
            client.reply("322", name, str(room.people or 0), last=safe_text(topic))
        client.reply("323", last="End of /LIST")

    def _who(self, client: Client, line: Line) -> None:
        mask, fields = line.parameter(0), line.parameter(1)
        for channel in self._network.entered.values():
            people = channel.people(client)
            found = matching(people, channel.names, mask) if mask not in ("", "*", "0") else []
            if found:
                wanted = fields if fields.startswith("%") else ""
                client.link.send(self._replies(channel, client).who(word(mask), found, wanted))
                return
        client.reply("315", word(mask), last="End of /WHO list")

    def _whois(self, client: Client, nick: str) -> None:
        for channel in self._network.entered.values():
            if (person := channel.find(nick, client)) is not None:
                client.link.send(self._replies(channel, client).whois(person))
                break
        else:
            client.reply("401", word(nick), last="Nobody in your rooms has this nick")
        client.reply("318", word(nick), last="End of /WHOIS list")

    def _away(self, client: Client, text: str) -> None:
        self._network.away = text = cut(text, MAX_AWAY).decode()
        for channel in self._network.entered.values():
            channel.room.away(text)
        client.link.send(Replies(Names("", "lanchat", "#", SERVER), client.nick).marked_away(text))


def _shape(client: Client) -> dict[str, bool]:
    return {"multi_prefix": client.has("multi-prefix"), "with_hosts": client.has("userhost-in-names")}
