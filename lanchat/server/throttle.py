"""How fast one link may talk. A flooder waits in its own reader thread, and nobody else notices.

What is over the rate is not refused but handed on later (ergo calls it fakelag): nothing is lost, a piped-in
log arrives at its pace, and TCP slows the sender down. Only who heaps up more than MAX_WAITING is sent away.
"""

import time
from collections.abc import Callable

from lanchat.errors import ProtocolError
from lanchat.network.link import Link
from lanchat.protocol.limits import Limits, TokenBucket
from lanchat.protocol.messages import FromMember, Notice, Rename, Said, Say, Tell
from lanchat.server.session import Item, Received, Session
from lanchat.threads import Inbox

MAX_WAITING = 200  # messages over the rate in one read; our own script keeps 64 in flight at most
TELL_EVERY = 30.0  # s between two requests to slow down
_TALK = (Say, Tell, Rename)
_STEP = 0.5  # s; a waiting reader looks that often whether the link is over


class Throttle:
    """Owned by one link's reader thread."""

    def __init__(self, limits: Limits, link: Link, clock: Callable[[], float] = time.monotonic) -> None:
        self._bucket = TokenBucket(limits.message_rate, limits.message_burst, clock())
        self._rate = limits.message_rate
        self._link = link
        self._clock = clock
        self._told_at = -TELL_EVERY

    def spend(self) -> None:
        """Wait until one more thing may be asked that costs the host something."""
        self._pause(self._bucket.take(1, self._clock()))

    def forward(
        self,
        messages: list[FromMember],
        session: Session,
        inbox: Inbox[Item],
        said_before: list[Said] | None = None,
    ) -> None:
        """Put these into the inbox, now or as the rate allows.

        Args:
            said_before: see `Received`.

        Raises:
            ProtocolError: far too many at once.
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
        while not self._link.over and (rest := until - self._clock()) > 0:
            time.sleep(min(rest, _STEP))
            self._link.reset_idle()

    def _ask_to_slow_down(self, session: Session) -> None:
        now = self._clock()
        if now - self._told_at >= TELL_EVERY:
            self._told_at = now
            text = f"You are sending faster than {self._rate:g} messages a second; the others see them later."
            session.link.send(session.dialect.encode(Notice("slow", text)))
