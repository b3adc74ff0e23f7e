"""The transfers of a member: each asks the host for a ticket, moves the bytes on a link of its own, and resumes.

One thread runs each transfer. At most two run at once; the others wait in order.
"""

import random
import socket
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Protocol

from lanchat.client.connect import connect_transfer
from lanchat.client.download import Damaged, Download, NoSpace
from lanchat.client.host_link import HostLink
from lanchat.client.other_hosts import OtherHosts
from lanchat.client.private_files import Offers, Recipient
from lanchat.client.questions import LOOK_AGAIN, Answer, FileQuestions
from lanchat.client.reconnect import backoff
from lanchat.client.running import WAITS_FOR_SENDER, RunningTransfer, TransferState
from lanchat.client.sealed_upload import SealedUpload
from lanchat.client.upload import Upload
from lanchat.errors import ConnectionLost, LanchatError, NoSuchRoom, Refused
from lanchat.network.bulk import begin_bulk
from lanchat.network.flusher import Flusher
from lanchat.protocol.file_messages import (
    FileEntry,
    FileRefused,
    FileRemove,
    FileTicket,
)
from lanchat.protocol.messages import Notice
from lanchat.protocol.people import Owner
from lanchat.protocol.sealed import Sealer
from lanchat.protocol.text import grouped
from lanchat.protocol.tls import Context
from lanchat.storage.unfinished import Unfinished

AT_ONCE = 2  # transfers that run; more only disturb each other
_DAMAGED = 3  # times that a file may arrive damaged
_NOT_HERE = ("elsewhere", "unknown")  # codes; no other host than its own knows a file for one person
_ATTEMPTS, _STUCK = 12, 120.0  # without a byte of progress and s since the first, after which a transfer is given up

OnProgress = Callable[[RunningTransfer], None]


class KnownFile(Protocol):
    """A file as a person knows it: a `FileEntry`, or what remembers one."""

    @property
    def file(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...


class Transfers:
    """All transfers of one member. Any thread.

    Args:
        host: carries the questions.
        dial: makes a connection to the same host.
    """

    def __init__(
        self, host: HostLink, dial: Callable[[], socket.socket], tls: Context, flusher: Flusher, sealer: Sealer
    ) -> None:
        self.questions = FileQuestions(host)
        self.offers = Offers(sealer)
        self.others: OtherHosts | None = None  # asked for a file that our host does not have
        self._sealer = sealer
        self.dial = dial
        self._host = host
        self._tls = tls
        self._flusher = flusher
        self._timing = flusher.timing
        self._numbers = count()
        self._changed = threading.Condition()  # guards all below
        self._waiting: list[int] = []  # numbers of transfers that wait for their turn, in order
        self._running: dict[int, RunningTransfer] = {}  # all that are not done yet
        self._threads: list[threading.Thread] = []
        self._taken_back: set[str] = set()  # ids of transfers that the person has cancelled

    @property
    def busy(self) -> bool:
        """Whether any transfer runs or waits."""
        return bool(self._running)

    def open(self, path: Path, recipient: Recipient | None = None, unfinished: Unfinished | None = None) -> Upload:
        """Open a file or a folder to be sent. `send` closes it at the end.

        Args:
            recipient: the one person that it is for; None: it is for everybody.
            unfinished: the note of this transfer for a later run, or from an earlier one.

        Raises:
            LanchatError: there is none, or it cannot be read.
        """
        if recipient is None:
            return Upload(path, self._timing)
        return SealedUpload(path, self._timing, self._sealer, recipient, unfinished)

    def send(self, upload: Upload, on_progress: OnProgress, unfinished: Unfinished | None = None) -> RunningTransfer:
        """Begin to send this.

        Args:
            unfinished: as for `open`.
        """
        transfer = RunningTransfer(upload, on_progress, unfinished.id if unfinished else "")
        transfer.kept = unfinished
        transfer.take_back = lambda: self._take_back(transfer)
        return self._start(transfer)

    def fetch(self, file: KnownFile, folder: Path, on_progress: OnProgress) -> RunningTransfer:
        """Begin to fetch a file into a folder."""
        download = Download(file.file, file.name, file.size, folder, self._timing, self.offers.of(file.file))
        return self._start(RunningTransfer(download, on_progress))

    def receive(self, reply: Answer) -> list[Notice]:
        """Take a reply of the host. Returns what to show because of it. For the reader of the chat link."""
        waited_for = self.questions.receive(reply)
        match reply:
            case FileRefused(code=code, text=text) if not waited_for:
                return [Notice(code, text)]
            case FileTicket(up=True, id=id, file=file) if not waited_for and id in self._taken_back:
                self._host.ask(FileRemove(file))
            case Owner(nick=nick, to=to) if waited_for:
                return [Notice("key", f"The fingerprint of {nick} is  {grouped(to)}: the file is sealed to it.")]
        return []

    def close(self) -> None:
        """End all transfers. May be called twice."""
        self.questions.close()
        with self._changed:
            running, threads = list(self._running.values()), list(self._threads)
            self._changed.notify_all()
        for transfer in running:
            transfer.stop()
        for thread in threads:
            thread.join()

    def _take_back(self, transfer: RunningTransfer) -> None:
        """Ask the host to remove a file whose sending was cancelled, because nobody could ever fetch it."""
        with self._changed:
            self._taken_back.add(transfer.id)  # the answer with the host's name for it may be on its way
        if transfer.file and transfer.progress.state is not TransferState.DONE:
            self._host.ask(FileRemove(transfer.file))

    def _start(self, transfer: RunningTransfer) -> RunningTransfer:
        number = next(self._numbers)
        thread = threading.Thread(target=self._run, args=(number, transfer), name=f"transfer-{number}")
        with self._changed:
            self._threads = [other for other in self._threads if other.is_alive()]
            self._waiting.append(number)
            self._running[number] = transfer
            try:
                thread.start()
            except RuntimeError as error:  # no thread is left; the others must not wait for this one
                self._waiting.remove(number)
                del self._running[number]
                failed = LanchatError(f"Cannot transfer {transfer.progress.name}: {error}.")
            else:
                self._threads.append(thread)
                return transfer
        transfer.end(failed)
        return transfer

    def _run(self, number: int, transfer: RunningTransfer) -> None:
        error: LanchatError | None = ConnectionLost("Internal error. To see it, use --log FILE.")
        try:
            self._wait_to_begin(number, transfer)
            self._transfer(transfer)
            error = None
        except LanchatError as failed:
            error = failed
        except OSError as failed:
            error = LanchatError(f"Cannot transfer {transfer.progress.name}: {failed.strerror or failed}.")
        finally:
            with self._changed:
                del self._running[number]
                if number in self._waiting:
                    self._waiting.remove(number)
                self._changed.notify_all()
            transfer.end(error)

    def _wait_to_begin(self, number: int, transfer: RunningTransfer) -> None:
        with self._changed:
            while not (self._waiting[0] == number and len(self._running) - len(self._waiting) < AT_ONCE):
                self._changed.wait(LOOK_AGAIN)
                self._check(transfer)
            self._waiting.pop(0)
            self._changed.notify_all()

    def _transfer(self, transfer: RunningTransfer) -> None:
        """Try until it is done, with growing pauses in between as long as nothing moves."""
        transfer.prepare(self.questions, lambda: self._check(transfer))
        pauses, failures, damaged, done, failed_at = backoff(self._timing, spread=random.uniform), 0, 0, 0, 0.0
        while True:
            try:
                self._attempt(transfer, again=failures > 0)
                return
            except NoSpace as error:
                transfer.say(TransferState.WAITING, f"{error} It continues when there is room.")
                self._pause(transfer, self._timing.place_every)
            except Refused as error:
                match error.code:
                    case "disk":
                        transfer.say(TransferState.WAITING, f"{error} It continues when there is room.")
                        self._pause(transfer, self._timing.disk_retry)
                    case "many":
                        transfer.say(TransferState.WAITING, str(error))
                        self._pause(transfer, self._timing.place_every)
                    case _:
                        raise
            except Damaged as error:
                damaged += 1
                if damaged == _DAMAGED:
                    raise
                transfer.say(TransferState.WAITING, f"{error} Fetching it again.")
            except (ConnectionLost, NoSuchRoom) as error:
                if transfer.progress.done > done:
                    pauses, failures, done = backoff(self._timing, spread=random.uniform), 0, transfer.progress.done
                if transfer.awaits_sender:  # if the sender never comes back, the host removes the file
                    transfer.say(TransferState.WAITING, WAITS_FOR_SENDER)
                    self._pause(transfer, self._timing.place_every)
                    continue
                failures += 1
                failed_at = time.monotonic() if failures == 1 else failed_at
                if failures > _ATTEMPTS and time.monotonic() - failed_at > _STUCK:
                    raise
                transfer.say(TransferState.WAITING, str(error))
                self._pause(transfer, next(pauses))

    def _attempt(self, transfer: RunningTransfer, *, again: bool) -> None:
        """Ask for a ticket, and use it."""
        transfer.awaits_sender = False
        answer, dial, key = self._ask(transfer, again=again), self.dial, self._host.key
        if isinstance(answer, FileRefused) and answer.code in _NOT_HERE and self.others is not None:
            if (there := self.others.ticket(transfer.file, transfer.begin)) is not None:
                answer, dial, key = there.ticket, there.dial, there.key
        match answer:
            case FileRefused(code=code, text=text):
                raise Refused(f"Not sent: {text}" if transfer.progress.up else text, code=code)
            case FileEntry(file=file):
                transfer.file = file  # it is stored already; only the last line of the host was lost
            case FileTicket(file=file) as ticket:
                transfer.file = file
                transfer.awaits_sender = not transfer.lacks(ticket)
                link = connect_transfer(dial, self._tls, self._flusher, key, transfer.begin)
                try:
                    begin_bulk(link)
                    transfer.run_on(link, ticket)
                except Refused as error:
                    if error.code == "disk":
                        raise
                    raise ConnectionLost(str(error)) from None  # the ticket was refused; the next one may be good
                finally:
                    link.close()

    def _ask(self, transfer: RunningTransfer, *, again: bool) -> Answer:
        key = transfer.id if transfer.progress.up else transfer.file
        return self.questions.ask(transfer.question(again=again), key, lambda: self._check(transfer))

    def _pause(self, transfer: RunningTransfer, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with self._changed:
            while (left := deadline - time.monotonic()) > 0:
                self._check(transfer)
                self._changed.wait(min(left, LOOK_AGAIN))

    def _check(self, transfer: RunningTransfer) -> None:
        """Raise LanchatError if the transfer was cancelled, or there is no host any more."""
        self.questions.check()
        if transfer.cancelled:
            raise LanchatError(f"{transfer.progress.name} was cancelled.")
