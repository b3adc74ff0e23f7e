"""`lanchat rooms --watch` on a node of the lab, and the list as it stands now."""

import json
from typing import Any

from tests.support.lab import Node
from tests.support.waiting import wait_until

LONG = 60.0  # s; more than finding a room takes, however busy this machine is


class Watch:
    """Runs until its node is closed."""

    def __init__(self, node: Node) -> None:
        self._running = node.lanchat.start("rooms", "--watch", "--json", who="watch")

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """The rooms that are listed now, by id; of several keys for one room, the one that was listed first."""
        return {row["id"]: row for row in reversed(self._all())}

    def rows_of(self, id: str) -> list[dict[str, Any]]:
        """The rows of this room: one for each key that answers for it, in the order in which they were listed."""
        return [row for row in self._all() if row["id"] == id]

    def _all(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for line in self._running.out.splitlines(keepends=True):
            if not line.endswith("\n"):
                continue
            change = json.loads(line)
            number = next((n for n, row in enumerate(found) if _continues(change, row)), len(found))
            found[number : number + 1] = [] if change["change"] == "gone" else [change]
        return found

    @property
    def answering(self) -> dict[str, str]:
        """Title and first address of the rooms that answer now, by the nick of the host."""
        rows = [row for row in self._all() if row["state"] == "answering"]
        return {row["host"]: f"{row['title']} {row['addresses'][0]}" for row in rows}

    def wait_address(self, address: str) -> None:
        """Wait until a room answers at this address."""
        wait_until(
            lambda: any(
                row["state"] == "answering" and any(address in each for each in row["addresses"]) for row in self._all()
            ),
            LONG,
            f"a room at {address}",
        )

    def wait_titles(self, *titles: str) -> None:
        """Wait until exactly these rooms are listed."""
        wait_until(
            lambda: sorted(row["title"] for row in self._all()) == sorted(titles), LONG, f"{titles} to be listed"
        )

    def wait_hosts(self, *hosts: str) -> dict[str, str]:
        """Wait until exactly the rooms of these hosts answer.

        Returns:
            See `answering`.
        """
        wait_until(lambda: set(self.answering) == set(hosts), LONG, f"exactly {hosts} to be seen")
        return self.answering


def _continues(row: dict[str, Any], before: dict[str, Any]) -> bool:
    """As `Listing.continues`: before a host answers, its row may have no fingerprint yet, or the beginning of one."""
    return bool(row["id"] == before["id"] and row["fingerprint"].startswith(before["fingerprint"]))
