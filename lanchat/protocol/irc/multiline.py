"""Several lines of a client that are one message (IRCv3, draft/multiline). Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lanchat.protocol.irc.encode import CONCAT
from lanchat.protocol.irc.line import MAX_LINES, Line, lowered
from lanchat.protocol.text import MAX_TEXT

OPEN = 30.0  # s for which a batch may be open
TYPE = "draft/multiline"


class Failed(ValueError):
    """The batch breaks the rules, and none of it is said.

    Args:
        code: for the FAIL line.
        context: the words that stand after it.
        label: of the line that began the batch.
    """

    def __init__(self, code: str, text: str, *context: str, label: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.context = context
        self.label = label


@dataclass
class _Batch:
    """A batch that is open."""

    ref: str
    target: str
    tags: Mapping[str, str]
    until: float
    command: str = "PRIVMSG"
    lines: list[str] = field(default_factory=list)
    size: int = 0


class Multiline:
    """Collects one batch at a time, of one client."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._open: _Batch | None = None
        self._failed = ""  # the reference of a batch whose remaining lines are passed over

    def take(self, line: Line) -> Line | None:
        """Take a line that begins a batch, ends it or is in it.

        Returns:
            The whole message as one line, if this line ends the batch.

        Raises:
            Failed: the batch breaks the rules.
        """
        ref = line.parameter(0)[1:] if line.command == "BATCH" else line.tags.get("batch", "")
        begins = line.command == "BATCH" and line.parameter(0).startswith("+")
        if ref == self._failed and ref and not begins:
            if line.command == "BATCH":
                self._failed = ""
            return None
        batch = self._open
        if batch is not None and self._clock() > batch.until:
            raise self._fail(ref, "TIMEOUT", "The batch was open for too long", batch.ref)
        if begins:
            self._begin(ref, line)
            return None
        if batch is None or ref != batch.ref:
            raise self._fail(ref, "MULTILINE_INVALID", "There is no such batch")
        if line.command != "BATCH":
            self._add(batch, line)
            return None
        self._open = None
        return Line(batch.command, (batch.target, "\n".join(batch.lines)), batch.tags)

    def _begin(self, ref: str, line: Line) -> None:
        if self._open is not None:
            raise self._fail(ref, "MULTILINE_INVALID", "Another batch is open")
        if not ref or line.parameter(1) != TYPE:
            raise self._fail(
                ref, "UNKNOWN_TYPE", "Only draft/multiline is known here", label=line.tags.get("label", "")
            )
        self._failed = ""
        self._open = _Batch(ref, line.parameter(2), line.tags, self._clock() + OPEN)

    def _add(self, batch: _Batch, line: Line) -> None:
        text = line.parameter(1)
        if line.command not in ("PRIVMSG", "NOTICE"):
            raise self._fail(batch.ref, "MULTILINE_INVALID", "Only PRIVMSG and NOTICE can have several lines")
        if lowered(line.parameter(0)) != lowered(batch.target):
            words = batch.target[:64], line.parameter(0)[:64]
            raise self._fail(batch.ref, "MULTILINE_INVALID_TARGET", "All lines have the same target", *words)
        goes_on = CONCAT in line.tags
        if goes_on and (not text or not batch.lines):
            raise self._fail(batch.ref, "MULTILINE_INVALID", "There is nothing to go on with")
        batch.size += len(text.encode()) + (0 if goes_on or not batch.lines else 1)
        if batch.size > MAX_TEXT:
            raise self._fail(batch.ref, "MULTILINE_MAX_BYTES", "The message is too long", str(MAX_TEXT))
        batch.command = line.command
        if goes_on:
            batch.lines[-1] += text
            return
        batch.lines.append(text)
        if len(batch.lines) > MAX_LINES:
            raise self._fail(batch.ref, "MULTILINE_MAX_LINES", "The message has too many lines", str(MAX_LINES))

    def _fail(self, ref: str, code: str, text: str, *context: str, label: str = "") -> Failed:
        if self._open is not None:
            label = self._open.tags.get("label", "")
        self._open, self._failed = None, ref
        return Failed(code, text, *context, label=label)
