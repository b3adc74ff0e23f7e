"""How an IRC client comes into the channel and leaves it: JOIN, PART, QUIT, and another nick."""

from functools import partial

from lanchat.network.link import Link
from lanchat.protocol.irc.line import Line, made, without_formatting
from lanchat.protocol.irc.numerics import word
from lanchat.protocol.messages import Rename
from lanchat.protocol.nicks import clean_nick, same_nick
from lanchat.protocol.status import Away
from lanchat.protocol.text import safe_text
from lanchat.room.room import Room
from lanchat.server.doors.base import Serving
from lanchat.server.doors.irc.requests import Requests
from lanchat.server.doors.irc.session import IrcSession
from lanchat.server.items import Answer, Asked, JoinRequest, LinkEnded
from lanchat.server.throttle import Throttle

MAX_CHANNELS = 16  # names in one JOIN that are looked at


class Membership:
    """Owned by the reader thread of the client.

    Args:
        joins: whether the client is in the channel as soon as it has registered.
    """

    def __init__(
        self,
        link: Link,
        session: IrcSession,
        serving: Serving,
        requests: Requests,
        throttle: Throttle,
        *,
        joins: bool = True,
    ) -> None:
        self._link = link
        self._session = session
        self._serving = serving
        self._requests = requests
        self._throttle = throttle
        self._joins = joins

    def begin(self) -> None:
        """The client has said who it is. It is registered then, unless somebody else has its nick."""
        if self._joins:
            self.enter()
            return
        self._requests.put(partial(self._session.people.register, self._session))
        self._requests.wait()

    def enter(self) -> None:
        """Ask the room to admit the client, and wait for its decision."""
        session = self._session
        self._requests.give(JoinRequest(session, session.id, session.wanted))
        self._requests.wait()
        if not session.inside:
            return
        self._link.within(None)
        if session.away:
            self._requests.say(Away(session.away))
            self._requests.forward()
        self._serving.admission.admit(self._link)
        timing = self._serving.timing
        ping = made("", "PING", last=session.names.server)
        self._link.keepalive.begin(ping, after=timing.irc_ping_after, dead_after=timing.irc_dead_after)

    def clean_nick(self, wanted: str) -> str:
        """The nick that a client asks for; "": it cannot be a nick, and the client was told so."""
        replies = self._session.replies
        if not wanted:
            self._requests.reply(replies.reply("431", last="No nickname given"))
            return ""
        try:
            nick = clean_nick(wanted)
        except ValueError as error:
            self._requests.reply(replies.reply("432", word(wanted), last=str(error)))
            return ""
        same_nick(nick)  # loads the table of look-alikes here, and not in the hub
        return nick

    def change_nick(self, line: Line) -> None:
        session = self._session
        if not (nick := self.clean_nick(line.parameter(0))):
            return
        if session.inside:
            self._requests.put(partial(_want, session, nick))  # not before what an earlier NICK gets for an answer
            self._requests.say(Rename(nick))
            return
        self._throttle.spend(1)
        if session.welcomed:
            self._requests.ask(partial(session.people.rename, session, nick))
            self._requests.wait()  # JOIN uses the nick that the client has then
        else:
            session.wanted = nick
            self.begin()

    def join(self, line: Line) -> None:
        session = self._session
        wanted = line.parameter(0)
        if not wanted:
            self._requests.reply(session.replies.needs_more("JOIN"))
        elif wanted == "0":
            self.part(Line("PART", (session.names.channel,)))
        for name in wanted.split(",")[:MAX_CHANNELS]:
            if name in ("", "0"):
                continue
            if not session.names.is_channel(name):
                self._requests.reply(session.replies.only_channel(name))
            elif not session.inside:
                self._throttle.spend(1)
                self.enter()

    def part(self, line: Line) -> None:
        session = self._session
        names, name = session.names, line.parameter(0)
        if not name:
            self._requests.reply(session.replies.needs_more("PART"))
        elif not any(map(names.is_channel, name.split(","))):
            self._requests.reply(session.replies.only_channel(name))
        elif not session.inside:
            self._requests.reply(session.replies.reply("442", names.channel, last="You're not on that channel"))
        else:
            self._leave_channel(safe_text(without_formatting(line.parameter(1))))

    def _leave_channel(self, reason: str) -> None:
        session = self._session

        def part(room: Room) -> bytes:
            session.people.part(session, reason)
            return b""

        self._requests.forward()
        self._throttle.spend(1)
        self._requests.wait()  # what came before is on its way, and so cannot be lost
        session.wanted = session.nick
        self._link.within(self._serving.timing.name, "late", "did not come back in time")
        self._requests.put(part)
        self._requests.give(LinkEnded(session))
        parted = made(session.source, "PART", session.names.channel, last=reason or None)
        self._requests.reply(parted)
        self._requests.wait()

    def quit(self, line: Line) -> None:
        """The client leaves. Nothing is read after this."""
        self._requests.forward()
        self._link.set_reason("", safe_text(without_formatting(line.parameter(0))))
        self._requests.wait()
        self._give_up()
        self._requests.wait()  # by a later batch, so that the answers of the one before have been sent
        self._link.finish(made("", "ERROR", last="You have left the room"))
        self._link.drain()

    def end(self) -> None:
        """The link is over. May follow `quit`."""
        self._give_up()

    def _give_up(self) -> None:
        session = self._session

        def leave(room: Room) -> Answer:
            return session.people.leave(session)

        self._serving.inbox.put_now(LinkEnded(session))
        self._serving.inbox.put_now(Asked(session, leave))


def _want(session: IrcSession, nick: str, room: Room) -> bytes:
    """The client asks for this nick next."""
    session.wanted = nick
    return b""
