"""One IRC client's conversation with the door: registration, and then its commands, until the link ends.

The client's reader thread parses and pays the throttle. Whatever depends on the room is answered in the hub's thread,
so that each answer stands after everything that came before it.
"""

import time
from collections.abc import Callable
from functools import partial
from itertools import count

from lanchat.network.link import Link
from lanchat.protocol.irc.labels import MAX_LABEL
from lanchat.protocol.irc.line import Line, TooLong, parse
from lanchat.protocol.irc.multiline import Failed, Multiline
from lanchat.protocol.irc.numerics import word
from lanchat.protocol.status import Away
from lanchat.server.doors.base import Serving, reporting_errors
from lanchat.server.doors.irc.commands import EARLY, answer, away_text
from lanchat.server.doors.irc.gate import Gate
from lanchat.server.doors.irc.history import History
from lanchat.server.doors.irc.lines import Lines
from lanchat.server.doors.irc.membership import Membership
from lanchat.server.doors.irc.registration import Registration
from lanchat.server.doors.irc.requests import Requests
from lanchat.server.doors.irc.session import IrcSession
from lanchat.server.doors.irc.talk import TALK, Direct, Spoken, direct, noted, talk
from lanchat.server.doors.irc.who import who_is_away
from lanchat.server.quotas import Quota
from lanchat.server.session import Reading
from lanchat.server.throttle import Throttle


class Conversation:
    """Reads one client. Its reader thread owns it.

    Args:
        joins: whether a client is in the channel as soon as it has registered.
    """

    def __init__(
        self,
        link: Link,
        session: IrcSession,
        quota: Quota,
        serving: Serving,
        gate: Gate | None = None,
        *,
        joins: bool = True,
    ) -> None:
        self._link = link
        self._session = session
        self._quota = quota
        self._throttle = Throttle(link, quota.lines)
        self._timing = serving.timing
        self._requests = Requests(link, session, self._throttle, serving.inbox)
        self._membership = Membership(link, session, serving, self._requests, self._throttle, joins=joins)
        self._registration = Registration(link, session, self._requests, self._membership, gate)
        self._lines = Lines(link, session, self._throttle, serving.timing)
        self._history = History(link, session, self._throttle, serving.log)
        self._multiline = Multiline(time.monotonic)
        self._numbers = count(1)

    def register(self) -> bool:
        """Read until the client has said who it is. Returns whether it may come in; if not, its link ends."""
        self._link.within(self._timing.name, "late", "did not register in time")
        self._link.establish()
        while (raw := self._lines.next()) is not None:
            self._registration.check(raw)
            self._throttle.receive(1)
            if (line := self._parsed(raw)) is None:
                continue
            if line.command == "QUIT":
                self._quit(line)
            elif self._registration.take(line):
                return self._registration.passes()
        return False

    def run(self) -> Reading:
        """Read until the link ends."""
        session = self._session
        self._quota.admit(session.id)
        try:
            with reporting_errors(self._link, session.dialect.encode):
                self._membership.begin()
                for raw in self._lines.all(self._requests.forward):
                    if raw is None:
                        yield
                    elif (line := self._parsed(raw)) is not None:
                        self._take(line)
        finally:
            self._membership.end()

    def _take(self, line: Line) -> None:
        """Take a line after registration."""
        session = self._session
        if session.has("draft/multiline") and (line.command == "BATCH" or "batch" in line.tags):
            try:
                whole = self._multiline.take(line)
            except Failed as error:
                failed = session.fail("BATCH", error.code, str(error), *error.context)
                self._labelled(error.label, partial(self._requests.reply, failed))
                return
            if whole is None:
                return
            line = whole
        label = line.tags.get("label", "")
        if line.command == "CHATHISTORY":
            self._requests.forward()
            self._requests.wait_until_sent()  # what the client has just said is in the log then, and goes before this
            self._history.answer(line, label if session.has("labeled-response") else "")
        else:
            several = "," in line.parameter(0) and line.command in TALK
            self._labelled(label, lambda: self._carry_out(line), several=several)

    def _labelled(self, label: str, carry_out: Callable[[], None], *, several: bool = False) -> None:
        """Do this. All that answers it has this label; "": there is none."""
        session = self._session
        if not label or len(label.encode()) > MAX_LABEL:
            carry_out()
            return
        self._requests.put(lambda room: session.begin(label, several=several))
        carry_out()
        self._requests.put(lambda room: session.end())

    def _carry_out(self, line: Line) -> None:
        session, requests = self._session, self._requests
        match line.command:
            case command if not session.welcomed and command not in (*EARLY, "NICK", "QUIT"):
                requests.reply(session.replies.reply("451", last="You have not registered"))
            case command if command in TALK:
                self._talk(line)
            case "AWAY":
                session.away = away_text(line)
                if session.inside:
                    requests.say(Away(session.away))
                else:
                    self._throttle.talk(session)
                requests.ask(partial(answer, session, line))
            case "NICK":
                self._membership.change_nick(line)
            case "JOIN":
                self._membership.join(line)
            case "PART":
                self._membership.part(line)
            case "QUIT":
                self._quit(line)
            case _:
                if line.command not in EARLY:
                    requests.forward()
                    self._throttle.spend(1)
                requests.ask(partial(answer, session, line))

    def _talk(self, line: Line) -> None:
        session, requests = self._session, self._requests
        quiet = line.command == "NOTICE"
        found = talk(session, line, next(self._numbers))
        for one in found.said:
            match one:
                case Spoken(say, tags):
                    if not session.inside:
                        if not quiet:
                            requests.reply(session.replies.reply("404", word(session.names.channel), last="JOIN first"))
                        continue
                    if tags:
                        requests.put(partial(noted, session, one))
                    requests.say(say)
                case Direct():
                    requests.forward()
                    self._throttle.talk(session)
                    requests.ask(partial(direct, session, one))
                    if line.command == "PRIVMSG":
                        requests.ask(partial(who_is_away, session, one.target))
        if found.reply and not quiet:
            requests.reply(found.reply)

    def _quit(self, line: Line) -> None:
        self._lines.stop()
        self._membership.quit(line)

    def _parsed(self, raw: bytes) -> Line | None:
        """The line in these bytes; None: it is blank, or the client was told what is wrong with it."""
        session = self._session
        try:
            return parse(raw, replacing=not session.welcomed)  # a real name may be of any charset
        except TooLong:
            reply = session.replies.reply("417", last="Input line was too long")
        except UnicodeDecodeError:
            reply = session.fail("*", "INVALID_UTF8", "Message rejected: this room takes UTF-8 only")
        self._requests.reply(reply)
        return None
