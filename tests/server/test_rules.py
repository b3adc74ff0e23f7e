"""The access rules of a room: those with which a host begins, and what becomes of them."""

from pathlib import Path

import pytest

from lanchat.errors import Refused
from lanchat.protocol.messages import Left
from lanchat.protocol.places import Rules, read_rules
from lanchat.protocol.standby import State
from lanchat.server.rules import KeptRules
from lanchat.server.term import Term
from lanchat.storage.sqlite_log import SqliteLog
from tests.support.people import Listener


def ignore(bans: dict[str, str], locked: bool) -> None:
    pass


def test_a_change_leaves_the_settings_of_the_room_as_they_are():
    kept: dict[str, bytes] = {}
    term = Term(b"a" * 32, rules=Rules(keep="30d", hidden=True, files=500))
    rules = KeptRules(term, {}, None, "Room A", kept.update, ignore, locked=False)
    rules.change({"id-eve": "eve"}, True)
    assert read_rules(kept["rules"].decode()) == Rules({"id-eve": "eve"}, True, "30d", "Room A", hidden=True, files=500)
    assert rules.state == State(int(kept["rev"]), kept["rules"].decode()) and rules.rev == 1


def test_a_new_revision_is_above_that_of_the_log_and_that_of_the_last_host():
    kept: dict[str, bytes] = {}
    for at_last_host, expected in [(3, 4), (0, 5)]:
        KeptRules(Term(b"a" * 32, rev=at_last_host), kept, None, "Room A", kept.update, ignore, locked=False).save()
        assert kept["rev"] == b"%d" % expected


def test_who_is_banned_while_the_room_cannot_move_stays_banned_when_it_can(host, join, identity, tmp_path: Path):
    def start(term: Term | None):
        return host("Room A", room_id="5" * 32, log=SqliteLog(tmp_path / "log"), term=term)

    start(Term(identity("hal").public)).close()
    room = start(None)
    hal, _ = Listener(join(room, "hal")), join(room, "eve")
    hal.member.outgoing.moderate("ban", "eve")
    hal.hear_kind(Left)
    room.close()
    with pytest.raises(Refused, match="banned"):
        join(start(Term(identity("hal").public)), "eve")
