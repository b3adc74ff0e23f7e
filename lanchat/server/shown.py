"""The papers in the hellos of members, from which a host learns of a newer list of standbys or a later host."""

import logging

from lanchat.errors import ProtocolError
from lanchat.protocol.delegation import OWNER_INDEX, TermRecord, check_host, read_delegation, read_term
from lanchat.protocol.timeline import index_of
from lanchat.server.term import Standing

REMEMBERED = 64  # papers that were checked before; after a move all members show the same two

_log = logging.getLogger(__name__)


class ShownPapers:
    """Finds the papers of a hello from which the host learns something. Owned by the hub thread.

    Papers are signed by the owner or by a host. So a member cannot show false ones, only old ones.
    """

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._known: dict[bytes, None] = {}  # oldest first

    def newer_list(self, paper: bytes) -> bytes:
        """This list of standbys, if the owner has signed it after the one that we have; else b""."""
        if not self._is_new(paper):
            return b""
        try:
            shown = read_delegation(paper, self._standing.owner)
        except ProtocolError as error:
            _log.info("a member shows a false list of standbys: %s", error)
            return b""
        named = self._standing.named
        if shown.room != self._standing.room or (named is not None and shown.number <= named.number):
            return b""
        self._known.clear()  # a record that did not count may count by the new list
        return paper

    def later_term(self, paper: bytes) -> TermRecord | None:
        """The record, if it is of a later term than ours, by the owner or a standby on our list; otherwise None.

        A record by a computer that the list does not name proves nothing, because anybody can sign one.
        """
        if not self._is_new(paper):
            return None
        try:
            record = read_term(paper)
            if record.epoch <= self._standing.epoch:
                return None
            self._check(record)
        except ProtocolError as error:
            _log.info("a member shows a record that does not count: %s", error)
            return None
        return record

    def _check(self, record: TermRecord) -> None:
        standing, named = self._standing, self._standing.named
        if named is not None:  # it may have expired: terms that have begun count all the same
            now = min(record.began, named.until - 1)
            check_host(named, record, room=standing.room, owner=standing.owner, host=record.host_key, now=now)
        elif (record.room, record.host_key, index_of(record.epoch)) != (standing.room, standing.owner, OWNER_INDEX):
            raise ProtocolError("The owner of the room has named nobody.")

    def _is_new(self, paper: bytes) -> bool:
        standing = self._standing
        if not paper or paper in (standing.delegation, standing.paper) or paper in self._known:
            return False
        self._known[paper] = None
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return True
