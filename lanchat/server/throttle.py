"""The rate limit of one link: how many messages a second it may send. A flood waits in its own reader thread.

Every line costs: a message as much as LINES_A_MESSAGE other lines. What is over the rate is not refused but forwarded
later (ergo calls it fakelag): nothing is lost, a log that is piped in arrives at that pace, TCP slows the sender down,
and nobody else notices. Only a link that sends thousands of lines at once, which can be no messages, is dropped.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import get_args

from lanchat.errors import ProtocolError
from lanchat.network.allowance import Allowance
from lanchat.network.link import Link
from lanchat.protocol.file_messages import FileCommand
from lanchat.protocol.limits import LINES_A_MESSAGE
from lanchat.protocol.messages import FromMember, Notice, Rename, Said, Say, Tell
from lanchat.protocol.people import PeopleList, Who
from lanchat.protocol.status import Away
from lanchat.server.items import Item, Received
from lanchat.server.session import Session
from lanchat.threads import Inbox

PORTION = 64  # lines that are decoded and forwarded together; what waits is not decoded, which takes less memory
MAX_LINES = 4096  # in one read, which holds half as many of the shortest messages
FEW = 16  # lines that are decoded before they are paid for, so that a read of a few lines is paid for at once
NOTICE_EVERY = 30.0  # s between two requests to slow down
_TALK = {Say, Tell, Who, PeopleList, Rename, Away, *get_args(FileCommand)}  # messages that cost more than a line
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
        """Count lines that were received and are not decoded yet. If they are many, wait until the rate allows them.

        Raises:
            ProtocolError: these are more lines than messages can be.
        """
        _check(lines)
        self._unpaid += lines
        if self._unpaid > FEW:
            self._settle()

    def portions(self, lines: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
        """Iterate over these lines in portions, after `receive` was called for each; raises as that does."""
        _check(len(lines))
        for at in range(0, len(lines), PORTION):
            portion = lines[at : at + PORTION]
            self.receive(len(portion))
            yield portion

    def spend(self, messages: int) -> None:
        """Count a request that costs the host as much as this number of messages, and wait until the rate allows it."""
        self._pay(messages * LINES_A_MESSAGE)

    def talk(self, session: Session) -> None:
        """Count a message whose line was received, and wait until the rate allows it."""
        if not self._lines.spare(self._unpaid + _MORE):
            self._ask_to_slow_down(session)
            self._settle()
            self._lines.pay(self._link, _MORE)
        else:
            self._unpaid = 0

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
        """
        talk = _talk(messages)
        if self._lines.spare(self._unpaid + talk * _MORE):
            self._unpaid = 0
            if messages:
                inbox.put(Received(session, messages, said_before))
            return
        if talk:
            self._ask_to_slow_down(session)
        self._settle()
        ready: list[FromMember] = []
        for message in messages:
            if type(message) in _TALK and not self._lines.spare(_MORE):
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
            self._lines.pay(self._link, cost)

    def _ask_to_slow_down(self, session: Session) -> None:
        now = self._clock()
        if now - self._noticed_at >= NOTICE_EVERY:
            self._noticed_at = now
            text = "You are sending faster than this room takes it; the others see your messages later."
            session.link.send(session.dialect.encode(Notice("slow", text)))


def _check(lines: int) -> None:
    if lines > MAX_LINES:
        raise ProtocolError("Too many lines at once.")


def _talk(messages: list[FromMember]) -> int:
    return len([message for message in messages if type(message) in _TALK])
