"""The standby's side of a handover: the host asks it to host the room, it begins, and then everybody comes. Pure."""

from lanchat.protocol.standby import Promote
from lanchat.protocol.timing import Timing


class HandedOver:
    """One link to a host. Owned by the member's reader thread. All times are in s, of one clock."""

    def __init__(self, timing: Timing) -> None:
        self._limit = timing.promotion
        self._asked: tuple[Promote, float] | None = None
        self._hosts_since: float | None = None  # s; the last host has not told its members to come yet

    @property
    def hosts(self) -> bool:
        """Whether this computer hosts the room while the last host has not let it go yet."""
        return self._hosts_since is not None

    def ask(self, promote: Promote, now: float) -> None:
        """The host asks this computer to host the room."""
        self._asked = promote, now

    def due(self, now: float) -> Promote | None:
        """The request that is still to be carried out; None: there is none, or the host does not wait any more."""
        if self._asked is None or now - self._asked[1] > self._limit:
            self._asked = None
            return None
        return self._asked[0]

    def begin(self, now: float | None) -> None:
        """This computer has hosted the room since that time; None: it cannot."""
        self._asked, self._hosts_since = None, now

    def has_failed(self, now: float) -> bool:
        """Whether nobody has come in time. True only once."""
        if self._hosts_since is None or now - self._hosts_since <= self._limit:
            return False
        self._hosts_since = None
        return True
