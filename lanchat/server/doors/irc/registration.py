"""How an IRC client says who it is: NICK, USER, PASS or AUTHENTICATE, and the capabilities that it wants."""

from lanchat.errors import ProtocolError
from lanchat.network.link import Link
from lanchat.protocol.irc.line import Line, made
from lanchat.protocol.irc.names import profile_of
from lanchat.protocol.irc.numerics import word
from lanchat.protocol.irc.sasl import PlainLogin
from lanchat.server.doors.irc.commands import EARLY, away_text
from lanchat.server.doors.irc.gate import Gate
from lanchat.server.doors.irc.membership import Membership
from lanchat.server.doors.irc.requests import Requests
from lanchat.server.doors.irc.session import IrcSession
from lanchat.server.doors.misdirected import has_http, is_other_protocol

_WRONG_CLIENT = "This port is for IRC clients."


class Registration:
    """Owned by the reader thread of the client.

    Args:
        gate: asks for a password; None: the door has none.
    """

    def __init__(
        self, link: Link, session: IrcSession, requests: Requests, membership: Membership, gate: Gate | None
    ) -> None:
        self._link = link
        self._session = session
        self._requests = requests
        self._membership = membership
        self._gate = gate
        self._password = ""
        self._login = PlainLogin()
        self._begun = False
        self._user = False  # whether USER has come

    def check(self, raw: bytes) -> None:
        """Look at a line before it is parsed.

        Raises:
            ProtocolError: a program of another kind has sent it, such as a browser.
        """
        if (not self._begun and is_other_protocol(raw)) or has_http([raw]):
            raise ProtocolError(_WRONG_CLIENT)
        self._begun = True

    def take(self, line: Line) -> bool:
        """Take a line. Returns whether the client has said all."""
        session, requests = self._session, self._requests
        match line.command:
            case "NICK":
                session.wanted = self._membership.clean_nick(line.parameter(0)) or session.wanted
            case "USER" if not line.parameter(3):
                requests.reply(session.replies.needs_more("USER"))
            case "USER":
                self._user = True
                session.profile = profile_of(line.parameter(0), line.parameter(3))
            case command if command in EARLY:
                requests.reply(EARLY[command](session, line))
            case "AWAY" if session.has("draft/pre-away"):
                session.away = away_text(line)
                requests.reply(session.replies.marked_away(session.away))
            case "PASS" if line.parameters:
                self._password = line.parameter(0)
            case "PASS":
                requests.reply(session.replies.needs_more("PASS"))
            case "AUTHENTICATE" if self._gate is not None and session.has("sasl"):
                requests.reply(self._authenticate(self._gate, line.parameter(0)))
            case _:
                requests.reply(session.replies.reply("451", last="You have not registered"))
        return bool(self._user and session.wanted and not session.capabilities.negotiating)

    def _authenticate(self, gate: Gate, piece: str) -> bytes:
        """Take a line of SASL PLAIN."""
        session = self._session
        replies, login = session.replies, self._login
        failed = replies.reply("904", last="SASL authentication failed")
        if session.authenticated:
            return replies.reply("907", last="You have already authenticated")
        if piece == "*":
            login.begun = False
            return replies.reply("906", last="SASL authentication aborted")
        if not login.begun:
            if piece.upper() != "PLAIN":
                return replies.reply("908", "PLAIN", last="are available SASL mechanisms") + failed
            login.begin()
            return made("", "AUTHENTICATE", "+")
        try:
            found = login.take(piece)
        except OverflowError:
            return replies.reply("905", last="SASL message too long")
        except ValueError:
            return failed
        if found is None:
            return b""
        if why := gate.refuse_login(self._link, session, found):
            return replies.reply("904", last=why)
        account, source = word(found.user), session.names.source(session.id, session.wanted or "*")
        told = replies.reply("900", source, account, last="You have given the password of this room's IRC clients")
        return told + replies.reply("903", last="SASL authentication successful")

    def passes(self) -> bool:
        """Whether the client may come in. If not, it is told why, and its link ends."""
        return self._gate is None or self._gate.passes(self._link, self._session, self._password)
