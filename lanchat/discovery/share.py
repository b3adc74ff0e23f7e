"""Which rooms of one machine are listed when it announces more of them than its share of the list. Pure.

The choice is the same at every search: the room that is looked for, then rooms that this person knows, then the ones
with the lowest ports. These are the oldest, because a host takes the first port that is free.
"""

from collections.abc import Collection, Mapping
from typing import TypeVar

from lanchat.discovery.sighting import Sighting, shown_title
from lanchat.protocol.folding import fold

MAX_OF_ONE_MACHINE = 8  # sightings by one source; loopback is exempt, since those rooms are our own
CHOOSING = 2.0  # s after the first sighting of a machine in which an older room takes the place of a younger one;
# later a flood in the name of that machine could push out what is listed
TOLD_FOR = 10.0  # s that a room which found no place is remembered; it is announced again sooner

K = TypeVar("K")


class Shares:
    """Limits how many rooms of one machine are listed, so that it cannot crowd out those of others.

    Args:
        known: the ids of the rooms that this person has been in.
        wanted: the title or the id of the room that is looked for; empty: none.
    """

    def __init__(self, known: Collection[str] = (), wanted: str = "") -> None:
        self._known = known
        self._wanted = fold(shown_title(wanted)) if wanted else ""  # as a search finds it
        self._refused: dict[str, float] = {}  # when a room of this machine found no place last

    def is_full(self, sighting: Sighting, present: Collection[object]) -> bool:
        """Whether these sightings of a machine are as many as the list takes of one machine."""
        return len(present) >= MAX_OF_ONE_MACHINE and not sighting.machine.startswith("127.")

    def replaced_by(self, newcomer: Sighting, present: Mapping[K, tuple[Sighting, float]], now: float) -> K | None:
        """The sighting that gives its place to a newcomer of its machine; None: the newcomer gets no place.

        Args:
            present: the sightings that make up the share, each with the time since when it is there.
        """
        self._refused[newcomer.machine] = now  # one of them is not listed from now on
        worst = max(present, key=lambda key: self._rank(present[key][0]))
        (new_class, new_port), (old_class, old_port) = self._rank(newcomer), self._rank(present[worst][0])
        choosing = now < min(since for _, since in present.values()) + CHOOSING
        older = new_class == old_class and new_port < old_port and choosing
        return worst if new_class < old_class or older else None

    def crowded(self, now: float) -> list[str]:
        """The machines that have more rooms than are listed."""
        self._refused = {machine: at for machine, at in self._refused.items() if now < at + TOLD_FOR}
        plain = [machine for machine in self._refused if "%" not in machine]
        return plain or list(self._refused)  # a machine has a link-local address besides

    def _rank(self, sighting: Sighting) -> tuple[int, int]:
        port = min(endpoint.port for endpoint in sighting.endpoints)
        if self._wanted and self._wanted in (sighting.room_id, fold(shown_title(sighting.title))):
            return 0, port
        return (1 if sighting.room_id in self._known else 2), port
