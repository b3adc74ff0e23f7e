"""The files of a room as one screen knows them: their numbers, their list, and the lines of running transfers. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lanchat.client.events import PrivateFile
from lanchat.protocol.file_messages import FileEntry, FileOffered
from lanchat.protocol.sizes import size_text
from lanchat.protocol.text import safe_text
from lanchat.terminal.cells import apart, cells, cut, fitted
from lanchat.terminal.chat.nicks import shown_nick
from lanchat.terminal.wording import private_file_text

MOST = 2000  # files that a screen remembers; ten times what a room holds
_NAME = 30  # cells of a name in the list; the rest of the row fits into 80
_LEAST_NAME = 12  # cells of a name beside a long remark
_ENDING = 8  # characters at the end of a long name that stay
_NAMED = 5  # of what is left out of a folder
_STALLED = 2.0  # s without a byte
_WINDOW = 3.0  # s over which the rate of a transfer is measured


@dataclass(frozen=True)
class KnownFile:
    """A file with the number by which this screen calls it."""

    number: int
    file: str  # 32 hex digits
    name: str
    size: int
    by: str  # member id


class KnownFiles:
    """Gives each file a number, which stays as long as this screen. Owned by the thread that paints."""

    def __init__(self) -> None:
        self._files: dict[str, KnownFile] = {}  # by id, oldest first
        self._last = 0

    def see(self, seen: FileOffered | FileEntry | PrivateFile) -> KnownFile:
        """A file that the host speaks of."""
        known = self._files.get(seen.file)
        if known is None:
            self._last += 1
            known = self._files[seen.file] = KnownFile(self._last, seen.file, seen.name, seen.size, seen.by)
            if len(self._files) > MOST:
                del self._files[next(iter(self._files))]
        return known

    def known(self, file: str) -> KnownFile | None:
        return self._files.get(file)

    def numbered(self, text: str) -> KnownFile:
        """The file that a person means: by its number, or by its name if only one has it.

        Raises:
            ValueError: there is no such file; the text is for a person.
        """
        number = text.removeprefix("#")
        found = [known for known in self._files.values() if number == str(known.number)]
        found = found or [known for known in self._files.values() if known.name == text]
        if not found:
            raise ValueError(f"No file {text}. /files lists them.")
        if len(found) > 1:
            raise ValueError(f"{len(found)} files are called {text}. Give the number: /files lists them.")
        return found[0]

    @property
    def all(self) -> Iterable[KnownFile]:
        return self._files.values()


@dataclass(frozen=True)
class Listed:
    """The files of the room, as the host has listed them for us."""

    entries: tuple[FileEntry, ...]


def list_text(entries: Iterable[tuple[KnownFile, FileEntry, str]]) -> str:
    """The answer to /files: number, name, size, sender, time, state.

    Args:
        entries: with the time as it is shown.
    """
    table = [
        (str(known.number), _short(entry.name), size_text(entry.size), safe_text(entry.nick), at, _state(entry))
        for known, entry, at in entries
    ]
    if not table:
        return "No files are here. /send PATH sends one."
    number, name, size, nick, at, _ = (max(map(cells, column)) for column in zip(*table, strict=True))
    return "\n".join(
        f"{row[0]:>{number}}  {fitted(row[1], name)}  {row[2]:>{size}}  {fitted(row[3], nick)}  {row[4]:{at}}  {row[5]}"
        for row in table
    )


def private_file_line(file: PrivateFile, names: KnownFiles, me: str, *, may_fetch: bool) -> str:
    """How it reads that a file for one person is offered or gone; "": nothing is shown.

    Args:
        names: knows which offers were shown, and notes this one.
        me: our own member id.
    """
    who, whom, mine = shown_nick(file.by, file.nick), shown_nick(file.to, file.to_nick), file.by == me
    if file.state != "removed" and names.known(file.file) is not None:
        return ""  # it is stored now
    number = names.see(file).number
    fetch = may_fetch and file.state != "removed" and not (mine or file.problem)
    return private_file_text(file, who, whom, me) + (f"   /get {number}" if fetch else "")


def count_text(number: int) -> str:
    """Tells somebody who comes in that there are files."""
    return "1 file is here. /files shows it." if number == 1 else f"{number} files are here. /files lists them."


def left_out_text(folder: str, left_out: Sequence[str]) -> str:
    """Names what of a folder is not sent."""
    named, more = ", ".join(left_out[:_NAMED]), len(left_out) - _NAMED
    named += f" and {more} more" if more > 0 else ""
    return f"Not in {folder}: {named} (links, special files, files of 1.9 GB and more)."


def _state(entry: FileEntry) -> str:
    private = ", private" if entry.to else ""
    if entry.elsewhere:
        return f"with {safe_text(entry.elsewhere)}'s computer{private}"
    if entry.sha256:
        return f"stored{private}"
    return f"sending, {percent(entry.have, entry.size)}{private}"


def percent(done: int, size: int) -> str:
    return f"{min(100, 100 * done // size if size else 100)} %"


class Rate:
    """How fast a transfer is, over the last seconds. Not thread safe."""

    def __init__(self) -> None:
        self._points: list[tuple[float, int]] = []

    def per_second(self, done: int, now: float) -> float:
        """Bytes a second; 0 while that is not known.

        Args:
            now: s, by any clock.
        """
        self._points = [(at, had) for at, had in self._points if now - at <= _WINDOW and had <= done]
        self._points.append((now, done))
        at, had = self._points[0]
        return (done - had) / (now - at) if now - at > 0.2 else 0.0

    @property
    def stalled(self) -> bool:
        """Whether nothing has moved for some seconds."""
        (at, had), (now, done) = self._points[0], self._points[-1]
        return had == done and now - at > _STALLED


def transfer_line(*, name: str, up: bool, done: int, size: int, rate: float, remark: str, width: int) -> str:
    """A running transfer in one line: `↑ report.pdf 43 %  11 MB/s  0:05`.

    Args:
        rate: bytes a second; 0: not known.
        remark: why it waits; "": it does not.
        width: cells of the screen.
    """
    tail = f" {percent(done, size)}"
    if remark:
        tail += f"  {safe_text(remark)}"
    elif rate > 0:
        left = int((size - done) / rate)
        tail += f"  {size_text(int(rate))}/s  {left // 60}:{left % 60:02}"
    name = _short(apart(name), max(_LEAST_NAME, width - 2 - cells(tail)))
    return cut(f"{'↑' if up else '↓'} {name}{tail}", width)


def _short(name: str, width: int = _NAME) -> str:
    """The name in at most this many cells, with its ending."""
    name = safe_text(name)
    if cells(name) <= width:
        return name
    ending = name[-_ENDING:]
    return cut(cut(name, width - cells(ending)) + ending, width)
