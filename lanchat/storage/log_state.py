"""The state of a log when it is opened, besides its last records."""

import sqlite3
from dataclasses import dataclass

from lanchat.protocol.fields import MAX_NUMBER
from lanchat.protocol.topic import kept_topic


@dataclass(frozen=True)
class LogState:
    """The numbers and owners in a log when it is opened."""

    seq: int  # of the last event
    given: int  # the highest number that may have been given out: seq, or higher after a crash
    clean: bool  # whether the last run has stored every event that it has numbered
    unindexed: int
    owners: tuple[tuple[str, str], ...]  # nick and member id, oldest first
    keys: dict[str, bytes]  # by member id
    topic: str


def read_state(db: sqlite3.Connection) -> LogState:
    facts: dict[str, int] = dict(db.execute("SELECT name, value FROM fact"))
    last, unindexed = (
        db.execute(question).fetchone()[0]
        for question in (
            f"SELECT coalesce(max(seq), 0) FROM event WHERE seq <= {MAX_NUMBER}",
            "SELECT (SELECT count(*) FROM unindexed) + (SELECT count(*) FROM event"
            " WHERE kind = 'said' AND seq > (SELECT value FROM fact WHERE name = 'indexed'))",
        )
    )
    rows = db.execute("SELECT nick, by FROM owner ORDER BY seq")
    owners = tuple((nick, by) for nick, by in rows if isinstance(nick, str) and isinstance(by, str))
    known = "SELECT by, key FROM member_key WHERE typeof(key) = 'blob' AND by IN (SELECT by FROM owner)"
    last_topic = "SELECT text FROM event WHERE kind = 'topic' AND kind <> 'said' ORDER BY seq DESC LIMIT 1"
    topics = db.execute(last_topic).fetchall()
    return LogState(
        seq=last,
        given=max(last, facts.get("first", 0)),
        clean=bool(facts.get("clean", 1)),
        unindexed=unindexed,
        owners=owners,
        keys=dict(db.execute(known)),
        topic=kept_topic(topics[0][0] if topics else ""),
    )
