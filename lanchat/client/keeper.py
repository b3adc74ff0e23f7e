"""The interface of what a program offers so that its computer can keep a copy of a room and host it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lanchat.protocol.address import Endpoint
from lanchat.protocol.messages import Present
from lanchat.protocol.papers import Papers
from lanchat.protocol.places import Place
from lanchat.protocol.standby import Merging
from lanchat.room.succession import Peer
from lanchat.storage.replica import Replica


@dataclass(frozen=True)
class Promotion:
    """What a computer needs to know to host the room.

    Args:
        epoch: of the term that begins; its index is this computer's.
        reason: as in `Moved`.
        before: the nick of who has hosted until now.
        roster: everybody who is in the room.
    """

    epoch: int
    reason: str
    papers: Papers
    before: str
    roster: tuple[Present, ...]
    places: tuple[Place, ...]
    replica: Replica


class Keeper(Protocol):
    """What a program offers so that its computer can keep a copy of the room and host it. For the reader thread."""

    willing: int  # as `standby` of a hello; 0: never

    @property
    def hosts(self) -> bool:
        """Whether this program hosts the room. Another computer may do so with the same key."""

    def open_copy(self, papers: Papers) -> Replica | None:
        """The copy of the room; None: another program of this computer has it.

        Raises:
            LanchatError: the disk cannot be used.
        """

    def listen(self, state: Callable[[], tuple[Papers, Peer]], page: Callable[[], str] | None) -> tuple[int, int]:
        """Open the ports of this standby, unless they are open.

        Args:
            state: says what its card is to show. Called from other threads.
            page: returns a link to the host's page, for browsers that come here; also called from other threads. None:
                the room has no page, and browsers get no answer.

        Returns:
            The port for members, and that for browsers; 0: there is none.

        Raises:
            LanchatError: it cannot listen.
        """

    @property
    def host_at(self) -> tuple[Endpoint, ...]:
        """The addresses of the last host."""

    def begin_hosting(self, promotion: Promotion) -> bytes:
        """Host the room. Returns the record of the new term.

        Raises:
            LanchatError: it cannot.
        """

    @property
    def guest_ports(self) -> tuple[int, int, int]:
        """The ports for netcat and for IRC clients, without and with TLS, while we host the room; 0: there is none."""

    def take_to_merge(self) -> Sequence[Merging]:
        """What this computer had when it yielded as the host, and what the new host may lack. Returned only once."""

    def end_hosting(self) -> None:
        """Stop hosting, because nobody has come: the room stays at its host."""
