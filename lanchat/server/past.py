"""Reads the room's log for a member, in the member's own reader thread, so that nobody else waits for the disk."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from lanchat.errors import LogDamaged
from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.framing import encode
from lanchat.protocol.messages import Event, Fetch, FromHost, FromMember, Notice, Page, Said, Say, Told
from lanchat.protocol.standby import Owned
from lanchat.storage.log import Log

PAGE = 200  # events in one page, at most
PAGE_SIZE = 64 * 1024  # bytes after which a page ends; a quarter of what a link's outbox holds in an attack
PAGE_COST = 2  # messages; a page costs as much of the rate, because reading it takes the host a millisecond


class Pages(Protocol):
    """A log that can be read in pages."""

    def read(self, after: int, limit: int, /) -> list[Event]: ...
    def private_after(self, number: int, limit: int, /) -> list[Told]: ...
    def owners_after(self, seq: int, limit: int, /) -> list[Owned]: ...


def page(log: Pages, fetch: Fetch) -> bytes:
    """The answer to a Fetch: the next events of the log, and a Page.

    If the log is damaged, a notice takes the place of the lost events, because asking again would not help.

    Raises:
        LanchatError: the log cannot be read now.
    """
    lines: list[bytes] = []
    size = 0
    upto = MAX_NUMBER  # nothing follows
    try:
        for number, message in _entries(log, fetch):
            lines.append(encode(message))
            size += len(lines[-1])
            if size > PAGE_SIZE or len(lines) == PAGE:
                upto = number
                break
    except LogDamaged as error:
        lines.append(encode(Notice("past", f"The host cannot read what was said before. {error}")))
    return b"".join(lines) + encode(Page(upto))


def _entries(log: Pages, fetch: Fetch) -> Iterator[tuple[int, FromHost]]:
    match fetch.of:
        case "":
            return ((event.seq, event) for event in log.read(fetch.after, PAGE))
        case "private":
            return ((told.number, told) for told in log.private_after(fetch.after, PAGE))
        case "owners":
            return ((owned.seq, owned) for owned in log.owners_after(fetch.after, PAGE))
        case _:
            return iter(())


def said_before(log: Log, by: str, messages: Iterable[FromMember]) -> list[Said]:
    """Find the events of this member's resends that the log has already.

    Raises:
        LanchatError: the log cannot be read now.
    """
    ids = {message.id for message in messages if type(message) is Say and message.again}
    try:
        return log.find(by, ids) if ids else []
    except LogDamaged:
        return []  # a damaged log cannot be read later either
