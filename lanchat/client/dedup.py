"""Deduplicates private messages, and files for one person, that come again. Pure: the caller asks the disk."""

from collections.abc import Callable, Iterable

from lanchat.client.events import PrivateFile, PrivateMessage

DEDUP_WINDOW = 10_000  # messages remembered by sender and id, so that duplicates are recognised


class FileDedup:
    """Recognises what is told of files for one person and comes again. Not thread safe.

    The last DEDUP_WINDOW are remembered here, and the disk is asked about those of earlier runs. Those that could not
    be opened are remembered apart, so that one that a host has made up does not keep a true one from being shown.
    """

    def __init__(self) -> None:
        self._opened: dict[tuple[str, str], tuple[str, bool]] = {}  # state, and whether it has been shown; oldest first
        self._unopened: dict[tuple[str, str], tuple[str, bool]] = {}

    def arrived(self, file: PrivateFile, was_shown: Callable[[str, str], bool]) -> tuple[bool, bool]:
        """Whether this is new, and whether the file is known to have been shown.

        Args:
            was_shown: whether the disk says so of the file of this sender with this id.
        """
        known, key = self._window(file), (file.by, file.id)
        state, shown = known.get(key, ("", False))
        if not state and file.state != "removed":
            shown = not file.problem and was_shown(*key)
            new = not shown
        else:
            new = state != file.state
        known[key] = file.state, shown
        if len(known) > DEDUP_WINDOW:
            del known[next(iter(known))]
        return new, shown

    def confirm(self, file: PrivateFile) -> None:
        """This file has been shown."""
        known, key = self._window(file), (file.by, file.id)
        if key in known:
            known[key] = known[key][0], True

    def _window(self, file: PrivateFile) -> dict[tuple[str, str], tuple[str, bool]]:
        return self._unopened if file.problem else self._opened


class PrivateDedup:
    """Recognises private messages that come again, by sender and id. Not thread safe: its owner has a lock for it.

    The last DEDUP_WINDOW are remembered here. For those before them the disk is asked, since a host can make up senders
    and seal by their keys until an old message is forgotten here. Those that could not be opened are remembered apart:
    a host that makes some up neither keeps a true one from being shown nor has it forgotten.
    """

    def __init__(self) -> None:
        self._opened: dict[tuple[str, str], bool] = {}  # whether each has been shown; oldest first
        self._unopened: dict[tuple[str, str], bool] = {}
        self._complete = True  # whether all that were ever opened are remembered here

    def recall(self, shown: Iterable[tuple[str, str]]) -> None:
        """Remember messages that an earlier run has shown, by sender and id."""
        self._opened |= dict.fromkeys(shown, True)
        self._complete = len(self._opened) < DEDUP_WINDOW

    def arrived(self, message: PrivateMessage, was_shown: Callable[[str, str], bool]) -> tuple[bool, bool]:
        """Whether this message comes for the first time, and whether it is known to have been shown."""
        return self.is_new(message, was_shown), self.is_confirmed(message)

    def is_new(self, message: PrivateMessage, was_shown: Callable[[str, str], bool] = lambda sender, id: False) -> bool:
        """Whether this message comes for the first time.

        Args:
            was_shown: whether the disk says that the message of this sender with this id was shown.
        """
        known, key = self._window(message), (message.by, message.id)
        if key in known:
            return False
        shown = known[key] = not (self._complete or message.problem) and was_shown(*key)
        if len(known) > DEDUP_WINDOW:
            del known[next(iter(known))]
            self._complete = self._complete and known is not self._opened
        return not shown

    def confirm(self, message: PrivateMessage) -> None:
        """This message has been shown."""
        known = self._window(message)
        if (message.by, message.id) in known:
            known[message.by, message.id] = True

    def is_confirmed(self, message: PrivateMessage) -> bool:
        return self._window(message).get((message.by, message.id), False)

    def _window(self, message: PrivateMessage) -> dict[tuple[str, str], bool]:
        return self._unopened if message.problem else self._opened
