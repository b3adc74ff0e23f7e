"""Limits how many messages a second one link may send. A flood waits in its own reader thread; nobody else notices.

A message over the rate is not refused but forwarded later (ergo calls it fakelag): nothing is lost, a log that is piped
in arrives at that pace, and TCP slows the sender down. Only a link with more than MAX_WAITING such messages is dropped.
"""

import time
from collections.abc import Callable

from lanchat.errors import ProtocolError
from lanchat.network.link import Link
from lanchat.protocol.limits import Limits, TokenBucket
from lanchat.protocol.messages import FromMember, Notice, Rename, Said, Say, Tell
from lanchat.server.session import Item, Received, Session
from lanchat.threads import Inbox

MAX_WAITING = 200  # messages over the rate in one read; lanchat's own script has at most 64 unanswered ones
NOTICE_EVERY = 30.0  # s between two requests to slow down
_TALK = (Say, Tell, Rename)
_STEP = 0.5  # s; a waiting reader checks this often whether the link is over


class Throttle:
    """Owned by one link's reader thread."""

    def __init__(self, limits: Limits, link: Link, clock: Callable[[], float] = time.monotonic) -> None:
        self._bucket = TokenBucket(limits.message_rate, limits.message_burst, clock())
        self._rate = limits.message_rate
        self._link = link
        self._clock = clock
        self._noticed_at = -NOTICE_EVERY

    def spend(self) -> None:
        """Count a request that costs the host as much as a message, and wait until the rate allows it."""
        self._pause(self._bucket.take(1, self._clock()))

    def forward(
        self,
        messages: list[FromMember],
        session: Session,
        inbox: Inbox[Item],
        said_before: list[Said] | None = None,
    ) -> None:
        """Put these messages into the inbox, now or as the rate allows.

        Args:
            said_before: see `Received`.

        Raises:
            ProtocolError: more than MAX_WAITING messages are over the rate.
        """
        talk = len([message for message in messages if isinstance(message, _TALK)])
        wait = self._bucket.take(talk, self._clock()) if talk else 0.0
        if wait == 0.0:
            inbox.put(Received(session, messages, said_before))
            return
        if wait * self._rate > MAX_WAITING:
            raise ProtocolError("Too many messages at once.")
        self._ask_to_slow_down(session)
        late = min(talk, int(wait * self._rate + 1))
        on_time = max(0, len(messages) - late)
        if on_time or said_before:
            inbox.put(Received(session, messages[:on_time], said_before))
        for message in messages[on_time:]:
            self._pause(wait / late)
            if self._link.over:
                return
            inbox.put(Received(session, [message]))

    def _pause(self, seconds: float) -> None:
        until = self._clock() + seconds
        while not self._link.over and (remaining := until - self._clock()) > 0:
            time.sleep(min(remaining, _STEP))
            self._link.reset_idle()

    def _ask_to_slow_down(self, session: Session) -> None:
        now = self._clock()
        if now - self._noticed_at >= NOTICE_EVERY:
            self._noticed_at = now
            text = f"You are sending faster than {self._rate:g} messages a second; the others see them later."
            session.link.send(session.dialect.encode(Notice("slow", text)))
