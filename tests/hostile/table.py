"""A member at a hostile host, whose lines the test reads and answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lanchat.client.events import PrivateMessage
from lanchat.protocol.framing import FROM_MEMBER, decode
from lanchat.protocol.messages import (
    FromHost,
    Notice,
    Say,
    Told,
)
from lanchat.protocol.sealed import Sealer
from lanchat.storage.identity import Identity
from tests.hostile.attackers import ROOM, Caller
from tests.support.people import Listener
from tests.support.waiting import wait_until


@dataclass
class Table:
    """Mallory hosts, and vera has joined. Whatever mallory says reaches vera at once; what vera says is read."""

    vera: Listener
    me: Identity
    others: Callable[[str], Identity]
    callers: list[Caller] = field(default_factory=list)

    def say(self, *messages: FromHost) -> None:
        wait_until(lambda: self.callers)
        self.callers[-1].send(*messages)

    def heard(self, kind: type) -> Any:
        """The first message of this kind that vera sent."""

        return wait_until(
            lambda: next((message for message in self._from_vera() if isinstance(message, kind)), None),
            what=kind.__name__,
        )

    def heard_all_without(self, kind: type) -> bool:
        """Whether no message of this kind is among all that vera has sent by now."""
        self.vera.member.outgoing.say("that was all")
        self.heard(Say)
        return not any(isinstance(message, kind) for message in self._from_vera())

    def _from_vera(self) -> list[Any]:
        lines = self.callers[-1].plain.split(b"\n")[:-1] if self.callers else []
        return [decode(line, FROM_MEMBER) for line in lines]

    def box(self, by: str, id: str, text: str, *, to: Identity | None = None, room: str = ROOM) -> bytes:
        """What somebody honest seals for vera, elsewhere."""
        return Sealer(self.others(by).private, room).seal((to or self.me).public, id, text)[0]

    def told(self, by: str, id: str, box: bytes, *, to: str = "", **changes: Any) -> Told:
        fields = {"at": 0, "nick": by, "to_nick": "vera", **changes}
        return Told(id=id, by=self.others(by).id, to=to or self.me.id, box=box, **fields)

    def private(self) -> list[PrivateMessage]:
        """What vera has of all that was said so far."""
        number = sum(isinstance(item, Notice) for item in self.vera.items)
        self.say(Notice("now", ""))
        self.vera.hear(lambda: sum(isinstance(item, Notice) for item in self.vera.items) > number)
        return [item for item in self.vera.items if isinstance(item, PrivateMessage)]
