"""One IRC client's conversation with the door: registration, and then its commands, until the link ends.

The client's reader thread parses and pays the throttle. Whatever depends on the room is answered in the hub's thread,
so that each answer stands after everything that came before it.
"""

import threading
from collections.abc import Callable
from functools import partial
from itertools import count

from lanchat.errors import ProtocolError
from lanchat.network.link import Link
from lanchat.protocol.irc.labels import MAX_LABEL
from lanchat.protocol.irc.line import Line, TooLong, made, parse, without_formatting
from lanchat.protocol.irc.names import source_of
from lanchat.protocol.irc.numerics import word
from lanchat.protocol.messages import FromMember, Rename, Tell
from lanchat.protocol.status import Away
from lanchat.protocol.text import clean_nick, safe_text, same_nick
from lanchat.room.room import Room
from lanchat.server.doors.base import Serving, reporting_errors
from lanchat.server.doors.irc.commands import EARLY, answer, away_text
from lanchat.server.doors.irc.gate import Gate
from lanchat.server.doors.irc.history import History
from lanchat.server.doors.irc.lines import Lines
from lanchat.server.doors.irc.session import IrcSession
from lanchat.server.doors.irc.talk import talk
from lanchat.server.doors.irc.who import who_is_away
from lanchat.server.doors.misdirected import has_http, is_other_protocol
from lanchat.server.quotas import Quota
from lanchat.server.session import Asked, JoinRequest, LinkEnded
from lanchat.server.throttle import Throttle

LOOK = 1.0  # s between two looks whether the link is over, while the hub is waited for
_WRONG_CLIENT = "This port is for IRC clients."


class Conversation:
    """Reads one client. Its reader thread owns it."""

    def __init__(
        self, link: Link, session: IrcSession, quota: Quota, serving: Serving, gate: Gate | None = None
    ) -> None:
        self._link = link
        self._session = session
        self._quota = quota
        self._serving = serving
        self._gate = gate
        self._password = ""
        self._throttle = Throttle(link, quota.lines)
        self._lines = Lines(link, session, self._throttle, serving.timing)
        self._history = History(link, session, self._throttle, serving.log)
        self._numbers = count(1)
        self._messages: list[FromMember] = []  # that were said and are not with the hub yet
        self._user = False  # whether USER has come

    # ---- before the room

    def register(self) -> bool:
        """Read until the client has said who it is. Returns whether it has; else the link is over."""
        self._link.within(self._serving.timing.name, "late", "did not register in time")
        self._link.establish()
        begun = False
        while (raw := self._lines.next()) is not None:
            if (not begun and is_other_protocol(raw)) or has_http([raw]):
                raise ProtocolError(_WRONG_CLIENT)
            begun = True
            self._throttle.receive(1)
            if (line := self._parsed(raw)) is not None and self._identify(line):
                return self._gate is None or self._gate.passes(self._link, self._session, self._password)
        return False

    def _identify(self, line: Line) -> bool:
        """Take a line before registration. Returns whether the client has registered."""
        session = self._session
        match line.command:
            case "NICK":
                self._take_nick(line)
            case "USER" if not line.parameter(3):
                self._reply(session.replies.needs_more("USER"))
            case "USER":
                self._user = True
            case command if command in EARLY:
                self._reply(EARLY[command](session, line))
            case "AWAY" if session.has("draft/pre-away"):
                session.away = away_text(line)
                self._reply(session.replies.marked_away(session.away))
            case "PASS" if line.parameters:
                self._password = line.parameter(0)
            case "PASS":
                self._reply(session.replies.needs_more("PASS"))
            case "QUIT":
                self._quit(line)
            case _:
                self._reply(session.replies.reply("451", last="You have not registered"))
        return bool(self._user and session.wanted and not session.capabilities.negotiating)

    def _take_nick(self, line: Line) -> bool:
        """Take the nick that a client asks for. Returns whether it is one."""
        replies, wanted = self._session.replies, line.parameter(0)
        if not wanted:
            self._reply(replies.reply("431", last="No nickname given"))
            return False
        try:
            self._session.wanted = clean_nick(wanted)
        except ValueError as error:
            self._reply(replies.reply("432", word(wanted), last=str(error)))
            return False
        same_nick(self._session.wanted)  # loads the table of look-alikes here, and not in the hub
        return True

    # ---- in the room

    def run(self) -> None:
        """Read until the link ends."""
        session, inbox = self._session, self._serving.inbox
        self._quota.admit(session.id)
        try:
            with reporting_errors(self._link, session.dialect.encode):
                self._enter()
                for raw in self._lines.all(self._forward):
                    if (line := self._parsed(raw)) is not None:
                        self._obey(line)
        finally:
            inbox.put_now(LinkEnded(session))

    def _enter(self) -> None:
        """Ask the room to admit the client, and wait for its decision."""
        session = self._session
        self._serving.inbox.put(JoinRequest(session, session.id, session.wanted))
        self._wait_for_hub()
        if not session.inside:
            return
        self._link.within(None)
        if session.away:
            self._messages.append(Away(session.away))
            self._forward()
        self._serving.admission.admit(self._link)
        timing = self._serving.timing
        ping = made("", "PING", last=session.names.server)
        self._link.keepalive.begin(ping, after=timing.irc_ping_after, dead_after=timing.irc_dead_after)

    def _obey(self, line: Line) -> None:
        """Take a line after registration. All that answers one with a label has this label."""
        session, label = self._session, line.tags.get("label", "")
        if line.command == "CHATHISTORY":
            self._forward()
            self._wait_for_hub()
            self._wait_for_hub()  # this batch is a later one, so what came before has been sent, and is in the log
            self._history.answer(line, label if session.has("labeled-response") else "")
        elif label and len(label.encode()) <= MAX_LABEL:
            several = "," in line.parameter(0) and line.command in ("PRIVMSG", "NOTICE")
            self._put(lambda room: session.begin(label, several=several))
            self._carry_out(line)
            self._put(lambda room: session.end())
        else:
            self._carry_out(line)

    def _carry_out(self, line: Line) -> None:
        session = self._session
        match line.command:
            case "PRIVMSG" | "NOTICE" if session.inside:
                said = talk(session, line, next(self._numbers))
                self._messages += said.messages
                if said.reply:
                    self._reply(said.reply)
                nicks = [message.nick for message in said.messages if isinstance(message, Tell)]
                if nicks and line.command == "PRIVMSG":
                    self._ask(partial(who_is_away, session, nicks))
            case "AWAY" if session.inside:
                session.away = away_text(line)
                self._messages.append(Away(session.away))
                self._ask(partial(answer, session, line))
            case "PRIVMSG":
                self._reply(session.replies.reply("404", word(line.parameter(0)), last="JOIN first"))
            case "NOTICE":
                pass  # never an error (RFC 2812, section 3.3.2)
            case "NICK":
                self._change_nick(line)
            case "JOIN":
                self._join(line)
            case "PART":
                self._part(line)
            case "QUIT":
                self._quit(line)
            case _:
                if line.command not in EARLY:
                    self._forward()
                    self._throttle.spend(1)
                self._ask(partial(answer, session, line))

    def _change_nick(self, line: Line) -> None:
        session = self._session
        before = session.nick
        if not self._take_nick(line):
            return
        if session.inside:
            self._messages.append(Rename(session.wanted))
        elif session.welcomed:
            self._reply(made(source_of(session.id, before), "NICK", session.wanted))
        else:
            self._throttle.spend(1)
            self._enter()

    def _join(self, line: Line) -> None:
        session = self._session
        wanted = line.parameter(0)
        if not wanted:
            self._reply(session.replies.needs_more("JOIN"))
        elif wanted == "0":
            self._part(Line("PART", (session.names.channel,)))
        for name in wanted.split(",")[:16]:
            if name in ("", "0"):
                continue
            if not session.names.is_channel(name):
                self._reply(session.replies.only_channel(name))
            elif not session.inside:
                self._throttle.spend(1)
                self._enter()

    def _part(self, line: Line) -> None:
        session = self._session
        names, name = session.names, line.parameter(0)
        if not name:
            self._reply(session.replies.needs_more("PART"))
        elif not any(map(names.is_channel, name.split(","))):
            self._reply(session.replies.only_channel(name))
        elif not session.inside:
            self._reply(session.replies.reply("442", names.channel, last="You're not on that channel"))
        else:
            self._forward()
            self._throttle.spend(1)
            self._wait_for_hub()  # what came before is on its way, and so cannot be lost
            nick = session.nick
            self._link.within(self._serving.timing.name, "late", "did not come back in time")
            self._serving.inbox.put(LinkEnded(session))
            session.wanted = nick
            parted = made(source_of(session.id, nick), "PART", names.channel, last=line.parameter(1) or None)
            self._reply(parted)
            self._wait_for_hub()

    def _quit(self, line: Line) -> None:
        self._forward()
        self._lines.stop()
        self._link.set_reason("", safe_text(without_formatting(line.parameter(0))))
        self._wait_for_hub()
        self._serving.inbox.put(LinkEnded(self._session))
        self._wait_for_hub()  # this batch is a later one, so the answers of the one before have been sent
        self._link.finish(made("", "ERROR", last="You have left the room"))
        self._link.drain()

    def _parsed(self, raw: bytes) -> Line | None:
        """The line in these bytes; None: it is blank, or the client was told what is wrong with it."""
        session = self._session
        try:
            return parse(raw, replacing=not session.welcomed)  # a real name may be of any charset; nobody sees it
        except TooLong:
            reply = session.replies.reply("417", last="Input line was too long")
        except UnicodeDecodeError:
            reply = session.fail("*", "INVALID_UTF8", "Message rejected: this room takes UTF-8 only")
        self._reply(reply)
        return None

    # ---- to the hub

    def _ask(self, ask: Callable[[Room], bytes]) -> None:
        """Let the hub answer, after everything that this client has sent before."""
        session = self._session
        self._put(lambda room: session.own(ask(room)))

    def _put(self, ask: Callable[[Room], bytes]) -> None:
        self._forward()
        self._serving.inbox.put(Asked(self._session, ask))

    def _reply(self, reply: bytes) -> None:
        """Send this after the answers to everything that this client has sent before."""
        if self._session.welcomed:
            self._ask(lambda room: reply)
        else:
            self._link.send(reply)

    def _forward(self) -> None:
        messages, self._messages = self._messages, []
        if messages:
            self._throttle.forward(messages, self._session, self._serving.inbox)

    def _wait_for_hub(self) -> None:
        """Wait until the hub has handled all that this client has sent, and learn whether it is inside."""
        passed = threading.Event()

        def pass_by(room: Room) -> bytes:
            self._session.inside = self._session.member is not None
            passed.set()
            return b""

        self._serving.inbox.put(Asked(self._session, pass_by))
        while not passed.wait(LOOK) and not self._link.over:
            pass
