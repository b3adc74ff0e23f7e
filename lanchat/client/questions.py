"""Questions to the host about files, and its answers. A question that a lost link swallows is asked again."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from lanchat.client.host_link import HostLink
from lanchat.errors import ConnectionLost, TimedOut
from lanchat.protocol.file_messages import (
    FileCommand,
    FileEnd,
    FileEntry,
    FileList,
    FileRefused,
    FileReply,
    FileTicket,
)
from lanchat.protocol.messages import Receipt
from lanchat.protocol.people import Owner, Who

MOST = 1000  # files in a list that a member accepts from a host; five times what a room holds
LOOK_AGAIN = 0.1  # s; a lost link wakes nobody


Answer = FileReply | Owner | Receipt


@dataclass(eq=False)
class _Waiter:
    """One call that waits for its answer."""

    answer: Answer | None = None


class FileQuestions:
    """Any thread.

    Args:
        host: carries the questions.
    """

    def __init__(self, host: HostLink) -> None:
        self._host = host
        # Held while a list comes: its lines do not say which question they answer, so one list comes at a time.
        self._listing_once = threading.Lock()
        self._changed = threading.Condition()  # guards all below
        self._waiters: dict[str, list[_Waiter]] = {}  # by the id or the file that was asked about, in order
        self._entries: list[FileEntry] = []  # of the list that is coming
        self._listed = False
        self._closed = False

    def ask(self, question: FileCommand | Who, key: str, check: Callable[[], None]) -> Answer:
        """Ask the host, on this link or on a later one. Waits for the answer.

        Args:
            key: the id or the file in the answer.
            check: called often while this waits; raises an error to end it.
        """
        waiter = _Waiter()
        with self._changed:
            self._waiters.setdefault(key, []).append(waiter)
        try:
            while True:
                check()
                asked = self._host.ask(question)
                with self._changed:
                    while waiter.answer is None and not self._host.is_lost(asked):
                        self._changed.wait(LOOK_AGAIN)
                        check()
                    if waiter.answer is not None:
                        return waiter.answer
                    self._changed.wait(LOOK_AGAIN)
        finally:
            with self._changed:
                self._waiters[key].remove(waiter)
                if not self._waiters[key]:
                    del self._waiters[key]

    def list(self, timeout: float) -> list[FileEntry]:
        """The files of the room, as the host knows them now.

        Raises:
            TimedOut: the host has not answered within `timeout` seconds.
            LanchatError: the connection has ended.
        """
        with self._listing_once:
            deadline = time.monotonic() + timeout
            while (left := deadline - time.monotonic()) > 0:
                with self._changed:
                    self._entries, self._listed = [], False
                asked = self._host.ask(FileList())
                with self._changed:
                    while not (self._listed or self._host.is_lost(asked)) and left > 0:
                        self._changed.wait(min(left, LOOK_AGAIN))
                        self.check()
                        left = deadline - time.monotonic()
                    self.check()
                    if self._listed:
                        entries, self._entries = self._entries, []
                        return entries
                    self._changed.wait(max(0.0, min(left, LOOK_AGAIN)))
            raise TimedOut(f"The host did not answer within {timeout:g} s.")

    def receive(self, reply: Answer) -> bool:
        """Take an answer. Returns whether somebody waits for it. For the thread that reads the chat link."""
        with self._changed:
            self._changed.notify_all()
            match reply:
                case FileEntry(id=""):
                    if len(self._entries) < MOST:
                        self._entries.append(reply)
                case FileEnd():
                    self._listed = True
                case FileTicket(id=id, file=file) | FileRefused(id=id, file=file) | FileEntry(id=id, file=file):
                    return self._answer(id or file, reply)
                case Owner(id=id) | Receipt(id=id):
                    return self._answer(id, reply)
            return True

    def _answer(self, key: str, reply: Answer) -> bool:
        """Each question has an answer of its own, since a ticket is good once. Requires holding the lock."""
        waiter = next((waiter for waiter in self._waiters.get(key, []) if waiter.answer is None), None)
        if waiter is None:
            return False
        waiter.answer = reply
        return True

    def check(self) -> None:
        """Raise a LanchatError if no answer will ever come."""
        if self._closed:
            raise ConnectionLost("You have left.")
        if (over := self._host.over) is not None:
            raise over

    def close(self) -> None:
        """End all questions."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
