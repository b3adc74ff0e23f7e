"""Limits how many messages a second one link may send. A flood waits in its own reader thread; nobody else notices.

Every line costs: a message as much as LINES_A_MESSAGE other lines. What is over the rate is not refused but forwarded
later (ergo calls it fakelag): nothing is lost, a log that is piped in arrives at that pace, and TCP slows the sender
down. Only a link with more than MAX_WAITING messages over the rate is dropped.
"""

import time
from collections.abc import Callable

from lanchat.errors import ProtocolError
from lanchat.network.allowance import Allowance
from lanchat.network.link import Link
from lanchat.protocol.limits import LINES_A_MESSAGE
from lanchat.protocol.messages import FromMember, Notice, Rename, Said, Say, Tell
from lanchat.server.session import Item, Received, Session
from lanchat.threads import Inbox

MAX_WAITING = 200  # messages over the rate in one read, about; lanchat's own script has at most 64 unanswered ones
FEW = 16  # lines that are decoded before they are paid for, so that a read of a few lines is paid for at once
NOTICE_EVERY = 30.0  # s between two requests to slow down
_TALK = (Say, Tell, Rename)
_MORE = LINES_A_MESSAGE - 1  # what a message costs in addition to its line


class Throttle:
    """Owned by one link's reader thread.

    Args:
        lines: the lines that the link may send.
    """

    def __init__(self, link: Link, lines: Allowance, clock: Callable[[], float] = time.monotonic) -> None:
        self._link = link
        self._lines = lines
        self._clock = clock
        self._unpaid = 0  # lines
        self._noticed_at = -NOTICE_EVERY

    def receive(self, lines: int) -> None:
        """Count lines that have come and are not decoded yet. Many of them wait here until the rate allows them.

        Raises:
            ProtocolError: far too many at once.
        """
        self._unpaid += lines
        if self._unpaid > FEW:
            self._settle()

    def spend(self, messages: int) -> None:
        """Count a request that costs the host as much as so many messages, and wait until the rate allows it."""
        self._pay(messages * LINES_A_MESSAGE)

    def check(self, messages: list[FromMember]) -> None:
        """To be called before anything is done for these messages.

        Raises:
            ProtocolError: more than MAX_WAITING messages are over the rate.
        """
        if len(messages) > MAX_WAITING:
            self._check(_talk(messages) * _MORE)

    def forward(
        self,
        messages: list[FromMember],
        session: Session,
        inbox: Inbox[Item],
        said_before: list[Said] | None = None,
    ) -> None:
        """Put these messages, which came in the lines that were received, into the inbox, now or as the rate allows.

        Args:
            said_before: see `Received`.

        Raises:
            ProtocolError: more than MAX_WAITING messages are over the rate.
        """
        talk = _talk(messages)
        if self._lines.spare(self._unpaid + talk * _MORE):
            self._unpaid = 0
            if messages:
                inbox.put(Received(session, messages, said_before))
            return
        self._check(self._unpaid + talk * _MORE)
        if talk:
            self._ask_to_slow_down(session)
        self._settle()
        ready: list[FromMember] = []
        for message in messages:
            if isinstance(message, _TALK) and not self._lines.spare(_MORE):
                if ready or said_before:
                    inbox.put(Received(session, ready, said_before))
                    ready, said_before = [], None
                self._lines.pay(self._link, _MORE)
                if self._link.over:
                    return
            ready.append(message)
        if ready:
            inbox.put(Received(session, ready, said_before))

    def _settle(self) -> None:
        cost, self._unpaid = self._unpaid, 0
        self._pay(cost)

    def _pay(self, cost: int) -> None:
        if not self._lines.spare(cost):
            self._check(cost)
            self._lines.pay(self._link, cost)

    def _check(self, cost: int) -> None:
        if cost - self._lines.left > MAX_WAITING * LINES_A_MESSAGE:
            raise ProtocolError("Too many messages at once.")

    def _ask_to_slow_down(self, session: Session) -> None:
        now = self._clock()
        if now - self._noticed_at >= NOTICE_EVERY:
            self._noticed_at = now
            text = "You are sending faster than this room takes it; the others see your messages later."
            session.link.send(session.dialect.encode(Notice("slow", text)))


def _talk(messages: list[FromMember]) -> int:
    return len([message for message in messages if isinstance(message, _TALK)])
