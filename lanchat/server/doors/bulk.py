"""The transfers of a host: the bytes of files, each on a link of its own that begins with a ticket.

The link's own reader thread moves and hashes the bytes. The hub only hears of it when a file is whole, and lets the
thread know when the event that says so is on the disk.
"""

import errno
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from lanchat.network.allowance import unlimited
from lanchat.network.bulk import begin_bulk, send_wait
from lanchat.network.link import Link
from lanchat.protocol.fields import NONCE_SIZE
from lanchat.protocol.file_messages import Done, FileTicket, Go, Have, Sum, Transfer, Wait
from lanchat.protocol.framing import TransferLine, encode
from lanchat.protocol.messages import Refused
from lanchat.protocol.timing import DEFAULT_TIMING, Timing
from lanchat.protocol.transfer import PIECE, FileReceiver
from lanchat.room.effects import OpenTicket
from lanchat.room.files import FileWhole
from lanchat.server.doors.base import reporting_errors
from lanchat.server.doors.transfer_queue import TransferQueue
from lanchat.server.session import Reading
from lanchat.storage.blobs import Blob, Blobs

MAX_TICKETS = 1000  # that are not used yet; beyond that the oldest is forgotten
_ON_THE_WAY = 16 * 1024 * 1024  # bytes of a file: more than the buffers of two kernels hold (Linux: 4 and 6 MiB)
_LOOK_AGAIN = 0.25  # s; a link that another thread has dropped wakes nobody

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Ticket:
    member: str
    file: str
    blob: Blob  # as it was then: one that was removed since is not made again
    up: bool
    until: float  # by time.monotonic()
    name: str  # of a file that a browser downloads by an address, as often as it likes; "": it is good once


class Bulk:
    """Gives out tickets for files, and runs the transfers of those who use them.

    For any thread; `claim` and what it returns are for the link's reader.

    Args:
        on_whole: called when a transfer has brought a whole file to the disk; may wait.
    """

    def __init__(
        self,
        blobs: Blobs,
        on_whole: Callable[[FileWhole], None],
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        self.blobs = blobs
        self._on_whole = on_whole
        self._timing = timing
        self._queue = TransferQueue(blobs.limits)
        self._lock = threading.Lock()  # guards both
        self._tickets: dict[bytes, _Ticket] = {}  # oldest first
        self._links: dict[Link, _Ticket] = {}

    def ticket(self, member: str, wanted: OpenTicket) -> FileTicket:
        """A ticket for this member."""
        ticket = secrets.token_bytes(NONCE_SIZE)
        blob = self.blobs.blob(wanted.file, wanted.size)
        until = time.monotonic() + (self._timing.download if wanted.name else self._timing.ticket)
        with self._lock:
            if len(self._tickets) >= MAX_TICKETS:
                del self._tickets[next(iter(self._tickets))]
            self._tickets[ticket] = _Ticket(member, wanted.file, blob, wanted.up, until, wanted.name)
        return FileTicket(wanted.file, ticket, wanted.size, blob.have, wanted.id, wanted.up)

    def end(self, member: str) -> None:
        """End all transfers of this member, who was sent away."""
        self._end(lambda ticket: ticket.member == member, "banned", "its member was sent away")

    def remove(self, file: str) -> None:
        """End all transfers of this file, and delete it."""
        self._end(lambda ticket: ticket.file == file, "", "the file was removed")
        self.blobs.remove(file)

    def claim(self, link: Link, transfer: Transfer) -> Reading | None:
        """Use a ticket. Returns what runs the transfer; None: the ticket is not good."""
        with self._lock:
            ticket = self._tickets.pop(transfer.ticket, None)
            if ticket is not None and ticket.until >= time.monotonic() and not ticket.name:
                self._links[link] = ticket
                move = self._take if ticket.up else partial(self._give, transfer=transfer)
                return self._read(link, ticket, move)
        link.finish(encode(Refused("unknown", "This ticket is no longer valid.")))
        return None

    def download(
        self, link: Link, ticket: bytes, part: Callable[[str, Blob], tuple[bytes, int, int]]
    ) -> Reading | None:
        """Use the ticket of a stored file that a browser downloads itself. It may ask again until the ticket runs out.

        Args:
            part: returns what the browser gets of a file with this name: the head of the answer, the first byte of the
                file that follows, and the one behind the last.
        """
        with self._lock:
            known = self._tickets.get(ticket)
            if known is None or known.until < time.monotonic() or not known.name:
                return None
            self._links[link] = known
        return self._read(link, known, partial(self._answer, part=part(known.name, known.blob)))

    def _end(self, matches: Callable[[_Ticket], bool], code: str, reason: str) -> None:
        """Forget these tickets, and drop the links that have used one of them."""
        with self._lock:
            self._tickets = {name: ticket for name, ticket in self._tickets.items() if not matches(ticket)}
            links = [link for link, ticket in self._links.items() if matches(ticket)]
        for link in links:
            link.drop(code, reason)

    def _read(self, link: Link, ticket: _Ticket, move: Callable[[Link, _Ticket, Blob], None]) -> Reading:
        """Run a transfer. There is no pause, because who transfers a file has a thread to the end."""
        self._run(link, ticket, move)
        yield from ()

    def _run(self, link: Link, ticket: _Ticket, move: Callable[[Link, _Ticket, Blob], None]) -> None:
        link.limit_bytes(unlimited())
        link.stall = self._timing.transfer_stall
        link.within(None)
        try:
            begin_bulk(link)
            with reporting_errors(link, encode), self._place(link, ticket):
                if not link.over:
                    move(link, ticket, ticket.blob)
        except OSError as error:
            _log.warning("a transfer has failed: %s", error)
            if ticket.name:
                return link.drop("", "the host cannot use its disk")  # the browser sees that the rest is missing
            full = error.errno == errno.ENOSPC
            words = "The host's disk is full." if full else f"The host cannot use its disk: {error.strerror}."
            link.finish(encode(Refused("disk", words)))
            link.drain(_ON_THE_WAY)
        finally:
            with self._lock:
                self._links.pop(link, None)

    @contextmanager
    def _place(self, link: Link, ticket: _Ticket) -> Iterator[None]:
        """Wait for a place, and tell the member about it."""
        told_at = time.monotonic()
        self._queue.queue(link, ticket.member, up=ticket.up)
        try:
            while (place := self._queue.enter(link, _LOOK_AGAIN)) and not self._has_left(link):
                if time.monotonic() - told_at >= self._timing.place_every and not ticket.name:
                    told_at = time.monotonic()
                    link.send(encode(Wait(place)))
            yield
        finally:
            self._queue.leave(link)

    def _take(self, link: Link, ticket: _Ticket, blob: Blob) -> None:
        """Receive a file from its sender."""
        with self._lock:
            older = [other for other, its in self._links.items() if its.file == ticket.file and its.up]
        for other in older:
            if other is not link:
                other.drop("replaced", "its sender continues on another link")
        self.blobs.prepare()
        with blob.writing:
            if blob.removed:
                return
            if blob.whole:  # by an older ticket, while this one waited
                self._say_last(link, Refused("unknown", "This file has arrived already."))
                return
            try:
                blob.part.open()
                blob.grown()
                self._receive(link, ticket, blob)
            finally:
                blob.grown()
                blob.part.close()

    def _receive(self, link: Link, ticket: _Ticket, blob: Blob) -> None:
        part, progress_at = blob.part, 0
        self._wait_for_peer(link)
        link.send(encode(Have(part.have, blob.take, part.digest)))
        receiver = FileReceiver(blob.size, part.have)
        while data := link.receive():
            for step in receiver.feed(data):
                match step:
                    case bytes():
                        part.write(step)
                        progress_at += len(step)
                    case Go(at=0):
                        if part.have:
                            blob.restart()
                    case Sum(sha256=sha256):
                        self._finish(link, blob, sha256)
                        return
                    case _:
                        pass
            blob.grown()
            if progress_at >= PIECE:
                progress_at = 0
                self._wait_for_peer(link)

    def _finish(self, link: Link, blob: Blob, sha256: str) -> None:
        """The sender says that this was all."""
        link.within(None)
        if sha256 != blob.part.digest or blob.part.have != blob.size:
            blob.restart()
            self._say_last(link, Refused("damaged", "The file arrived damaged: its SHA-256 does not fit."))
            return
        blob.part.sync()
        blob.whole = True
        blob.grown()
        self._on_whole(FileWhole(blob.path.name, sha256))
        while not (blob.sha256 or blob.removed or link.over):
            blob.wait(blob.size, blob.take, _LOOK_AGAIN)
        if blob.sha256:
            self._say_last(link, Done())

    def _give(self, link: Link, ticket: _Ticket, blob: Blob, transfer: Transfer) -> None:
        """Send a file to somebody who fetches it, also while it is still coming in."""
        take, stall = blob.take, self._timing.transfer_stall
        # `take` counts how often the sender has begun the file. 0: the receiver got its bytes in an earlier run of its
        # program; larger than ours: in an earlier run of this host. If they do not fit, the checksum tells.
        fits = not 0 < transfer.take < take and transfer.at <= blob.have
        at = transfer.at if fits else 0
        link.send(encode(Go(at, take)))
        self._copy(link, blob, at, take)
        if self._wait_for_more(link, blob, blob.size, take) and blob.sha256:
            send_wait(link, encode(Sum(blob.sha256)), stall)
            link.finish()
            link.drain()

    def _answer(self, link: Link, ticket: _Ticket, blob: Blob, part: tuple[bytes, int, int]) -> None:
        """Send a part of a stored file to a browser."""
        (head, at, end), stall = part, self._timing.transfer_stall
        send_wait(link, head, stall)
        with open(blob.path, "rb", buffering=0) as source:
            source.seek(at)
            while at < end:
                data = source.read(min(PIECE, end - at))
                if not data or not send_wait(link, data, stall):
                    return link.drop("slow", "did not read")
                at += len(data)
        link.finish()
        link.drain()

    def _copy(self, link: Link, blob: Blob, at: int, take: int) -> None:
        stall = self._timing.transfer_stall
        if at == blob.size or not self._wait_for_more(link, blob, at, take):  # without a byte there may be no file yet
            return
        with open(blob.path, "rb", buffering=0) as source:
            source.seek(at)
            while at < blob.size and self._wait_for_more(link, blob, at, take):
                if blob.take != take or blob.removed:
                    return link.drop("", "the file has changed")
                data = source.read(max(0, min(PIECE, blob.have - at)))  # its sender may have just begun again
                if not data or not send_wait(link, data, stall):
                    return link.drop("slow", "did not read")
                at += len(data)

    def _wait_for_more(self, link: Link, blob: Blob, at: int, take: int) -> bool:
        """Wait for the file to grow, as `Blob.wait` does, but no longer than the link lives."""
        ends = time.monotonic() + self._timing.transfer_stall
        while (left := ends - time.monotonic()) > 0:
            if blob.wait(at, take, min(left, _LOOK_AGAIN)):
                return True
            if self._has_left(link):
                break
        return False

    def _has_left(self, link: Link) -> bool:
        """Whether the link is over. A peer that waits is silent, so all that can be read is its end."""
        if not link.over and not link.quiet(0.0):
            link.drop("lost", "the other side ended it, or spoke out of turn")
        return link.over

    def _wait_for_peer(self, link: Link) -> None:
        link.within(self._timing.transfer_stall, "slow", "sent nothing")

    def _say_last(self, link: Link, last: TransferLine) -> None:
        link.finish(encode(last))
        link.drain()
