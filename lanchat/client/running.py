"""One transfer of a member while it runs: how far it is, waiting for its end, and ending it early."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from lanchat.client.download import Download
from lanchat.client.questions import FileQuestions
from lanchat.client.sealed_upload import SealedUpload
from lanchat.client.upload import Upload
from lanchat.errors import ConnectionLost, LanchatError, TimedOut
from lanchat.network.link import Link
from lanchat.protocol.file_messages import FileGet, FileSend, FileTicket
from lanchat.storage.unfinished import Unfinished

WAITS_FOR_SENDER = "It waits for its sender."


class TransferState(Enum):
    WAITING = "waiting"  # for its turn, for the host, or for room on a disk
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Progress:
    """How far a transfer is.

    Args:
        done: bytes at the other end.
        up: we send it.
        remark: why it waits, for a person; "": it does not.
    """

    name: str
    size: int
    done: int
    up: bool
    state: TransferState
    remark: str = ""


class RunningTransfer:
    """One transfer, from the call that began it until it is done. Any thread.

    Args:
        source: the file, and how far it is.
        on_progress: called in the thread of the transfer, often.
        id: of a FileSend of an earlier run; "": a new one.
    """

    def __init__(
        self, source: Upload | Download, on_progress: Callable[["RunningTransfer"], None], id: str = ""
    ) -> None:
        self.file = source.file if isinstance(source, Download) else ""  # 32 hex digits, once it is known
        self.id = id or secrets.token_hex(16)  # of our FileSend
        self.error: LanchatError | None = None
        self.awaits_sender = False  # all that the host has of the file was here when we last asked
        self.take_back: Callable[[], None] = lambda: None  # asks the host to delete what it has of a file that we send
        self.kept: Unfinished | None = None  # for the next run, if this one does not finish it
        self.progress = Progress(source.name, source.size, 0, isinstance(source, Upload), TransferState.WAITING)
        self._source = source
        self._on_progress = on_progress
        self._ended = threading.Event()
        self._lock = threading.Lock()  # guards both
        self._link: Link | None = None
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    @property
    def left_out(self) -> list[str]:
        """What of a folder is not sent: links, special files, files that are too large."""
        return self._source.left_out if isinstance(self._source, Upload) else []

    @property
    def recipient(self) -> str:
        """The nick of the one person that we send it to; "": it is for everybody, or we fetch it."""
        return self._source.recipient.nick if isinstance(self._source, SealedUpload) else ""

    @property
    def sha256(self) -> str:
        """The SHA-256 of the whole file, once the transfer is done."""
        return self._source.sha256

    @property
    def path(self) -> Path:
        """Our file: the one that is sent, or the one that was fetched."""
        assert self._source.path is not None, "it is not fetched yet"
        return self._source.path

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is done.

        Raises:
            TimedOut: it is not, after so many seconds.
            LanchatError: it has failed.
        """
        if not self._ended.wait(timeout):
            raise TimedOut(f"{self.progress.name} was not transferred within {timeout:g} s.")
        if self.error is not None:
            raise self.error

    def cancel(self) -> None:
        """End it, since a person does not want it. What has come stays for another time; what we send is taken back."""
        self.stop()
        self.take_back()

    def stop(self) -> None:
        """End it. What has come, here or at the host, stays for another time."""
        with self._lock:
            self._cancelled = True
            if self._link is not None:
                self._link.drop("", "cancelled")

    # ---- for the thread of the transfer

    def prepare(self, questions: FileQuestions, check: Callable[[], None]) -> None:
        """Do what has to be done once, before the host is asked for a ticket."""
        if isinstance(self._source, Upload):
            self._source.prepare(self.id, questions, check)

    def question(self, *, again: bool) -> FileSend | FileGet:
        """What to ask the host for a ticket with."""
        if isinstance(self._source, Upload):
            return self._source.offer(self.id, again=again)
        return FileGet(self.file)

    def lacks(self, ticket: FileTicket) -> bool:
        """Whether the host has anything for us now, or is to get anything from us."""
        return isinstance(self._source, Upload) or self._source.lacks(ticket)

    def begin(self, link: Link) -> None:
        """This link is opened for the bytes; from now on `cancel` ends it."""
        with self._lock:
            self._link = link
            if self._cancelled:
                link.drop("", "cancelled")

    def run_on(self, link: Link, ticket: FileTicket) -> None:
        """Move the bytes over this link."""
        try:
            self._source.run(link, ticket, self._moved)
        finally:
            with self._lock:
                self._link = None

    def say(self, state: TransferState, remark: str = "") -> None:
        before = self.progress
        self.progress = Progress(before.name, self._source.size, before.done, before.up, state, remark)
        self._on_progress(self)

    def end(self, error: LanchatError | None) -> None:
        if isinstance(self._source, Upload):
            self._source.close()
        self.error = error
        if self.kept is not None:
            self.kept.finish(keep=isinstance(error, ConnectionLost))
        self.say(TransferState.DONE if error is None else TransferState.FAILED)
        self._ended.set()

    def _moved(self, done: int) -> None:
        before = self.progress
        self.progress = Progress(before.name, self._source.size, done, before.up, TransferState.RUNNING)
        self._on_progress(self)
