"""Answers CHATHISTORY of the gateway's client from this computer's own copies of the rooms."""

import logging
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from lanchat.errors import LanchatError
from lanchat.gateway.channel import Channel
from lanchat.gateway.client import SERVER, Client
from lanchat.network.bulk import send_pieces
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.irc.encode import written
from lanchat.protocol.irc.history import BadQuery, Id, Query, query_of
from lanchat.protocol.irc.labels import batch
from lanchat.protocol.irc.line import Line, lowered, made
from lanchat.protocol.irc.names import Names
from lanchat.protocol.irc.numerics import word
from lanchat.protocol.irc.selection import PLAYED, events, found
from lanchat.protocol.messages import Event, Said
from lanchat.storage.home import home_folder
from lanchat.storage.paged_reader import PagedReader
from lanchat.storage.rooms import JOINED, log_paths

_log = logging.getLogger(__name__)


class _Copy:
    """The copy of a room on this disk, and the latest events, which may not be there yet. A `selection.Pages`.

    Args:
        paths: of the logs; those that do not exist are left out.
        heard: the latest events.
        said: only messages are wanted.
    """

    page = 200  # events, as at the IRC door
    over = False  # the client waits for all of the answer

    def __init__(self, paths: Iterable[Path], heard: deque[Event], *, said: bool) -> None:
        self._readers = [PagedReader(path) for path in paths if path.exists()]
        self._heard = heard
        self._said = said

    def between(self, after: int, before: int, limit: int, *, last: bool = False) -> list[Event]:
        wanted = (Said,) if self._said else PLAYED
        some: dict[int, Event] = {
            event.seq: event for event in self._heard if after < event.seq < before and isinstance(event, wanted)
        }
        for reader in self._readers:
            with self._unready():
                for event in reader.events_between(after, before, limit, last=last, said=self._said):
                    some[event.seq] = event
        ordered = [some[seq] for seq in sorted(some)]
        return ordered[max(0, len(ordered) - limit) :] if last else ordered[:limit]

    def seq_at(self, at: int) -> int:
        least = next((event.seq for event in self._heard if event.at >= at), MAX_NUMBER)
        for reader in self._readers:
            with self._unready():
                least = min(least, reader.seq_at(at))
        return least

    @contextmanager
    def _unready(self) -> Iterator[None]:
        """If the copy is just being made or is damaged, go on with the events of this run, unless there are none."""
        try:
            yield
        except LanchatError as error:
            _log.info("cannot read the copy of a room: %s", error)
            if not self._heard:
                raise


class History:
    """Owned by the gateway's main thread."""

    def __init__(self) -> None:
        self._refs = count(1)

    def answer(self, client: Client, line: Line, entered: dict[str, Channel]) -> None:
        """Send what this CHATHISTORY asks for."""
        context = [one for one in line.parameters[:2] if one]
        try:
            channel = entered.get(lowered(line.parameter(1)))
            names = Names("", "", "", SERVER) if channel is None else channel.names  # msgids are those of this room
            query = query_of(line.parameters, names)
            if query.kind == "TARGETS":
                self._send_targets(client, query, entered)
            elif channel is not None:
                self._send_part(client, query, channel)
            elif query.target.startswith("#"):
                raise BadQuery("INVALID_TARGET", "There is no such channel that you are in", *context)
            else:  # private messages are in no event log
                self._send(client, "chathistory", (query.target,), (), {})
        except BadQuery as error:
            client.fail("CHATHISTORY", error.code, str(error), *error.context)
        except LanchatError:
            client.fail("CHATHISTORY", "MESSAGE_ERROR", "The copy of this room cannot be read now", *context)

    def _copy(self, channel: Channel, *, said: bool) -> _Copy:
        paths = [] if channel.room.card.ephemeral else log_paths(home_folder(), channel.room.card.room, JOINED)
        return _Copy(paths, channel.heard, said=said)

    def _send_targets(self, client: Client, query: Query, entered: dict[str, Channel]) -> None:
        first, second = sorted(reference.at for reference in query.references if not isinstance(reference, Id))
        rows = []
        for channel in entered.values():
            latest = self._copy(channel, said=True).between(-1, MAX_NUMBER, 1, last=True)
            rows += [(event.at, channel.names.channel) for event in latest if first < event.at < second]
        lines = [made(SERVER, "CHATHISTORY", "TARGETS", name, written(at)) for at, name in sorted(rows)[: query.limit]]
        self._send(client, "draft/chathistory-targets", (), lines, {})

    def _send_part(self, client: Client, query: Query, channel: Channel) -> None:
        copy = self._copy(channel, said=not client.has("draft/event-playback"))
        seqs, ended = found(query, copy)
        tags = {"draft/chathistory-end": ""} if ended and client.has("message-tags") else {}
        wanted = events(copy, seqs[0] - 1, seqs[-1] + 1) if seqs else ()
        lines = (channel.past(event, client) for event in wanted)
        self._send(client, "chathistory", (channel.names.channel,), lines, tags)

    def _send(
        self, client: Client, kind: str, words: tuple[str, ...], lines: Iterable[bytes], tags: dict[str, str]
    ) -> None:
        """Send these lines as a batch of this kind, in pieces, each when the client has read the one before."""
        if client.has("batch"):
            lines = batch(lines, f"history{next(self._refs)}", SERVER, kind, *map(word, words), tags=tags)
        send_pieces(client.link, lines)
