"""One stay of an agent in a room: each message goes into the inbox of the agent."""

import time

from lanchat.agents.heard import Heard
from lanchat.agents.rooms import AgentRoom
from lanchat.agents.rules import Allowed
from lanchat.api.room import JoinedRoom
from lanchat.client.events import Acked, Closed, Item, PrivateMessage
from lanchat.errors import LanchatError
from lanchat.protocol.ids import is_verified
from lanchat.protocol.messages import Said
from lanchat.protocol.nicks import safe_nick
from lanchat.protocol.text import safe_text
from lanchat.room.mention import mentions


class Stay:
    """One stay in a room. Belongs to the thread of the room."""

    def __init__(self, agent: AgentRoom, room: JoinedRoom, allowed: Allowed) -> None:
        self._agent = agent
        self._room = room
        self._allowed = allowed

    def run(self) -> LanchatError:
        """Take what comes until the end, and return why it is over."""
        if self._agent.closing.is_set():  # `leave` has come while we were joining
            self._room.leave()
        while True:
            for item in self._room.take():
                if isinstance(item, Closed):
                    return item.error
                self._take(item)
                self._room.follow(item)

    def _take(self, item: Item) -> None:
        match item:
            case Said():
                self._add(item, old=self._room.state.is_past(item))
            case PrivateMessage(problem="") if item.to == self._room.state.me and not self._room.is_own(item):
                self._add(item, old=False)
            case Acked(ids=ids, receipt=receipt) if receipt:
                with self._agent.settled:
                    self._agent.receipts.update(dict.fromkeys(ids, receipt))
                    self._agent.settled.notify_all()

    def _add(self, message: Said | PrivateMessage, *, old: bool) -> None:
        private = isinstance(message, PrivateMessage)
        own = message.by == self._room.state.me
        program = self._room.state.roster.is_bot(message.by, message.nick)
        if not (private or old):
            with self._agent.lock:
                self._agent.loop_guard.heard(time.monotonic(), program=program or own)

        def heard(number: int) -> Heard:
            if isinstance(message, PrivateMessage):
                self._agent.keep(number, message)
            return Heard(
                number,
                self._agent.name,
                message.at,
                safe_nick(message.nick),
                message.by,
                safe_text(message.text, lines=True),
                verified=is_verified(message.by),
                program=program,
                private=private,
                own=own,
                old=old,
                mentions=private or mentions(message.text, self._room.state.nick),
                allowed=self._allowed.includes(message.by),
            )

        self._agent.inbox.add(heard)
