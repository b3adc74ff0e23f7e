"""The hub's part of file transfers: it publishes what happens to files, and gives out tickets. Hub thread."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from lanchat.protocol.file_messages import FileChange, FilePrivate, FileRemoved, FileStored, FileTicket
from lanchat.protocol.timeline import index_of
from lanchat.protocol.timing import Timing
from lanchat.room.effects import OpenTicket
from lanchat.room.files import Files, FileWhole
from lanchat.server.doors.bulk import Bulk
from lanchat.server.term import Term
from lanchat.storage.blobs import Blobs


def open_files(
    blobs: Blobs | None,
    past: Iterable[FileChange],
    term: Term | None,
    room_id: str,
    timing: Timing,
    on_whole: Callable[[FileWhole], None],
) -> "HostFiles":
    """The files of a room that opens. Reads their folder.

    Args:
        blobs: None: the room takes no files.
        past: what the log says about files, in order.
        term: of this host. A file that came while another computer hosted the room may be on that computer alone.
        on_whole: see `Bulk`.
    """
    if blobs is None:
        return HostFiles(Files(None), None)
    files = Files(blobs.limits, have=blobs.have, free=blobs.free, seed=room_id)
    for event in past:
        files.apply(event)
    missing = blobs.compare({known.file: (known.size, known.sha256) for known in files.all.values()})
    ours = term.index if term is not None else 0
    nicks = {place.index: place.nick for place in term.places} if term is not None else {}
    hosts = {file: index_of(files.all[file].epoch) for file in missing if files.all[file].private is None}
    files.elsewhere = {file: nicks.get(index) or "somebody else" for file, index in hosts.items() if index != ours}
    lost = [file for file in missing if file not in files.elsewhere]
    return HostFiles(files, Bulk(blobs, on_whole, timing), lost)


class HostFiles:
    """Connects the rules of the files with their bytes.

    Args:
        bulk: None: the room takes no files.
        lost: stored files that are missing on the disk.
    """

    def __init__(self, files: Files, bulk: Bulk | None, lost: Iterable[str] = ()) -> None:
        self.files = files
        self.bulk = bulk
        self._lost = list(lost)
        self._storing: deque[tuple[int, str, str]] = deque()  # of files not yet stored by the log: ticket, id, hash

    def leave_to(self, host: str) -> None:
        """The files that are missing here are not lost: another host of the room has them. `host` is its nick."""
        self.files.elsewhere.update(dict.fromkeys(self._lost, host))
        self._lost = []

    def due(self, now: int) -> Iterator[FileChange]:
        """Drafts of events for files that expire or are lost. To be called often; `now` is in ms since 1970."""
        if self._lost:
            lost, self._lost = self._lost, []
            yield from self.files.lose(lost, now)
        yield from self.files.expire(now)

    def ticket(self, member: str, wanted: OpenTicket) -> FileTicket:
        assert self.bulk is not None, "a room without files gives no tickets"
        return self.bulk.ticket(member, wanted)

    def published(self, event: FileChange, ticket: int) -> None:
        """Follow this event, which the log is going to store.

        Args:
            ticket: as `Log.append` returned it for the event.
        """
        if self.bulk is None:
            return
        match event:
            case FileStored(file=file, sha256=sha256) | FilePrivate(file=file, state="stored", sha256=sha256):
                self._storing.append((ticket, file, sha256))
            case FileRemoved(file=file) | FilePrivate(file=file, state="removed"):
                self.bulk.remove(file)
            case _:
                pass

    def stored(self, ticket: int) -> None:
        """The log has stored every record up to this ticket."""
        while self._storing and self._storing[0][0] <= ticket:
            _, file, sha256 = self._storing.popleft()
            known = self.files.all.get(file)
            if known is not None and self.bulk is not None:
                self.bulk.blobs.blob(file, known.size).finish(sha256)

    def end(self, member: str) -> None:
        """End the transfers of this member, who was kicked or banned."""
        if self.bulk is not None:
            self.bulk.end(member)
