"""What tests of transfers have in common: pauses and links that are cut on the way."""

from collections.abc import Callable

from lanchat.client.running import RunningTransfer
from lanchat.protocol.limits import FileLimits
from lanchat.server.host import Host

LIMITS = FileLimits(spare_part=0.0, spare_bytes=0)  # the disk of whoever runs the tests may be full


class Pauses:
    """An `on_progress` that lets a transfer wait once so much has moved, until it may go on."""

    def __init__(self, after: int, then: Callable[[], None]) -> None:
        self._after = after
        self._then = then
        self.happened = 0

    def __call__(self, transfer: RunningTransfer) -> None:
        if transfer.progress.done >= self._after and not self.happened:
            self.happened += 1
            self._then()


def cut_transfers(room: Host) -> None:
    """Cut the links of all transfers; those of the chat have been asked for pings, and stay."""
    for link in room.links:
        if not link.keepalive.ping:
            link.drop("lost", "the test cuts it")
