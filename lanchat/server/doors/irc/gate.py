"""The password of the IRC door, which is not the room's: IRC hands it to whatever answers."""

import hashlib
import hmac
import math

from lanchat.network.link import Link
from lanchat.protocol.irc.line import made
from lanchat.protocol.irc.sasl import Login
from lanchat.server.admission import PasswordThrottle, source_of
from lanchat.server.doors.irc.session import IrcSession


class Gate:
    """Lets IRC clients in that know the password, by PASS or by SASL PLAIN under any user name. Any thread.

    Wrong passwords count apart from those of the native door, so that nobody can lock members out from here.
    """

    def __init__(self, password: str) -> None:
        self._digest = _digest(password)
        self._throttle = PasswordThrottle()

    def passes(self, link: Link, session: IrcSession, password: str) -> bool:
        """Whether a client with this password may enter. If not, it is told why, and its link ends."""
        if session.authenticated or not (why := self._refusal(password, source_of(link.peer), session.id)):
            return True
        link.send(session.replies.reply("464", last=why))
        link.finish(made("", "ERROR", last=why))
        link.drain()
        return False

    def refuse_login(self, link: Link, session: IrcSession, login: Login) -> str:
        """Why this login does not let the client in; "": it does."""
        why = self._refusal(login.password, source_of(link.peer), session.id)
        session.authenticated = not why
        return why

    def _refusal(self, password: str, source: str, id: str) -> str:
        if (wait := self._throttle.begin(source, id)) > 0:
            return f"Too many wrong passwords. Try again in {math.ceil(wait)} s."
        if not hmac.compare_digest(_digest(password), self._digest):
            return "The password is wrong. Ask the host for that of IRC clients (PASS)."
        self._throttle.succeed(source, id)
        return ""


def _digest(password: str) -> bytes:
    return hashlib.sha256(password.encode(errors="replace")).digest()
