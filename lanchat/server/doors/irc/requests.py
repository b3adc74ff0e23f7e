"""What one IRC client says and asks, handed to the hub in the order in which it came."""

import threading
from collections.abc import Callable
from dataclasses import replace

from lanchat.network.link import Link
from lanchat.protocol.messages import FromMember
from lanchat.room.room import Room
from lanchat.server.doors.irc.session import IrcSession
from lanchat.server.items import Answer, Asked, Item
from lanchat.server.throttle import Throttle
from lanchat.threads import Inbox

LOOK = 1.0  # s between two looks whether the link is over, while the hub is waited for


class Requests:
    """Owned by the reader thread of the client."""

    def __init__(self, link: Link, session: IrcSession, throttle: Throttle, inbox: Inbox[Item]) -> None:
        self._link = link
        self._session = session
        self._throttle = throttle
        self._inbox = inbox
        self._messages: list[FromMember] = []  # that were said and are not with the hub yet

    def say(self, *messages: FromMember) -> None:
        """Say this to the room, with what comes in the same read."""
        self._messages += messages

    def forward(self) -> None:
        """Hand over what was said, as the rate allows."""
        messages, self._messages = self._messages, []
        if messages:
            self._throttle.forward(messages, self._session, self._inbox)

    def ask(self, ask: Callable[[Room], bytes | Answer]) -> None:
        """Let the hub answer, after everything that this client has sent before. The answer has the client's label."""
        session = self._session

        def answer(room: Room) -> Answer:
            found = ask(room)
            made = found if isinstance(found, Answer) else Answer(found)
            return replace(made, data=session.own(made.data))

        self.put(answer)

    def put(self, ask: Callable[[Room], bytes | Answer]) -> None:
        """Let the hub answer as `ask` does, without the label of the client."""
        self.forward()
        self._inbox.put(Asked(self._session, ask))

    def give(self, item: Item) -> None:
        """Hand an item to the hub as it is."""
        self._inbox.put(item)

    def reply(self, reply: bytes) -> None:
        """Send this after the answers to everything that this client has sent before."""
        if self._session.welcomed:
            self.ask(lambda room: reply)
        else:
            self._link.send(reply)

    def wait(self) -> None:
        """Wait until the hub has handled all that this client has sent, and learn whether it is in the channel."""
        passed = threading.Event()

        def pass_by(room: Room) -> bytes:
            self._session.inside = self._session.member is not None
            passed.set()
            return b""

        self._inbox.put(Asked(self._session, pass_by))
        while not passed.wait(LOOK) and not self._link.over:
            pass

    def wait_until_sent(self) -> None:
        """Wait as `wait` does, and until all answers have been sent: a second batch begins after the first was sent."""
        self.wait()
        self.wait()
