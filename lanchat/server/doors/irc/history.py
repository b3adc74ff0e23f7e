"""Answers CHATHISTORY from the log, in the client's own reader thread, so that nobody else waits for the disk."""

from collections.abc import Iterable
from itertools import count

from lanchat.errors import LanchatError
from lanchat.network.bulk import send_pieces
from lanchat.network.link import Link
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.irc.encode import CHANGING_BYTES, Encoder, written
from lanchat.protocol.irc.history import BadQuery, Id, Query, query_of
from lanchat.protocol.irc.labels import batch, tagged
from lanchat.protocol.irc.line import Line, made
from lanchat.protocol.irc.selection import events, found
from lanchat.protocol.messages import Event
from lanchat.server.doors.irc.session import IrcSession
from lanchat.server.past import PAGE, PAGE_COST
from lanchat.server.throttle import Throttle
from lanchat.storage.log import Log


class History:
    """Answers one client. Its reader thread owns it. Every page that is read costs the client as a `fetch` does."""

    def __init__(self, link: Link, session: IrcSession, throttle: Throttle, log: Log) -> None:
        self._link = link
        self._session = session
        self._throttle = throttle
        self._log = log
        self._pages = _Log(link, session, throttle, log)
        self._refs = count(1)

    def answer(self, line: Line, label: str) -> None:
        """Send what this CHATHISTORY asks for.

        Args:
            label: of the line; "": it has none.
        """
        session = self._session
        tags = {"label": label} if label else {}
        context = [word for word in line.parameters[:2] if word]
        try:
            query = query_of(line.parameters, session.names)
            if not session.inside or (query.target.startswith("#") and not session.names.is_channel(query.target)):
                raise BadQuery("INVALID_TARGET", "There is no such channel that you are in", *context)
            if query.kind == "TARGETS":
                self._send_targets(query, tags)
            elif not session.names.is_channel(query.target):  # the host keeps no private message that was received
                self._send("chathistory", (query.target,), (), tags)
            else:
                self._send_part(query, tags)
        except BadQuery as error:
            self._fail(error.code, str(error), error.context, tags)
        except LanchatError:
            self._fail("MESSAGE_ERROR", "The host cannot read its log now", context, tags)

    def _fail(self, code: str, text: str, context: tuple[str, ...] | list[str], tags: dict[str, str]) -> None:
        data = self._session.fail("CHATHISTORY", code, text, *context)
        self._link.send(tagged(data, **tags) if tags else data)

    def _send_targets(self, query: Query, tags: dict[str, str]) -> None:
        names = self._session.names
        self._throttle.spend(PAGE_COST)
        latest = self._log.between(-1, MAX_NUMBER, 1, last=True, said=True)
        first, second = sorted(reference.at for reference in query.references if not isinstance(reference, Id))
        rows = [
            made(names.server, "CHATHISTORY", "TARGETS", names.channel, written(said.at))
            for said in latest
            if first < said.at < second and query.limit
        ]
        self._send("draft/chathistory-targets", (), rows, tags)

    def _send_part(self, query: Query, tags: dict[str, str]) -> None:
        seqs, ended = found(query, self._pages)
        if ended and self._session.has("message-tags"):
            tags = {**tags, "draft/chathistory-end": ""}
        encoder = Encoder(self._session.names, self._session.capabilities.active & CHANGING_BYTES)
        wanted = events(self._pages, seqs[0] - 1, seqs[-1] + 1) if seqs else ()
        self._send("chathistory", (self._session.names.channel,), map(encoder.past, wanted), tags)

    def _send(self, kind: str, words: tuple[str, ...], lines: Iterable[bytes], tags: dict[str, str]) -> None:
        """Send these lines as a batch of this kind, in pieces, each when the client has read the one before."""
        if self._session.has("batch"):
            lines = batch(lines, f"history{next(self._refs)}", self._session.names.server, kind, *words, tags=tags)
        send_pieces(self._link, lines)


class _Log:
    """The room's log as one client reads it: each page costs."""

    page = PAGE

    def __init__(self, link: Link, session: IrcSession, throttle: Throttle, log: Log) -> None:
        self._link = link
        self._session = session
        self._throttle = throttle
        self._log = log

    @property
    def over(self) -> bool:
        return self._link.over

    def between(self, after: int, before: int, limit: int, *, last: bool = False) -> list[Event]:
        self._throttle.spend(PAGE_COST)
        said = not self._session.has("draft/event-playback")
        return [] if self.over else self._log.between(after, before, limit, last=last, said=said)

    def seq_at(self, at: int) -> int:
        return self._log.seq_at(at)
