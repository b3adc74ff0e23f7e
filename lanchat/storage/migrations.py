"""The migrations of a log's file: how each version of lanchat has changed its tables. Pure."""

from lanchat.protocol.fields import MAX_NUMBER

IS_ASCII = "length({0}) = length(CAST({0} AS BLOB))"  # most texts; calling Python for each of them would cost the most
_FOLDED = f"CASE WHEN {IS_ASCII} THEN {{0}} ELSE fold({{0}}) END"  # the index itself ignores the case of ASCII

SCHEMA = (  # migrations: the file's user_version is the number of those it has had. Only ever add to them
    """
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,  -- ms since 1970
        kind TEXT NOT NULL,  -- as on the wire: said, joined, left, renamed, moved, file_offered, ...
        by TEXT NOT NULL,
        nick TEXT NOT NULL,
        id TEXT,  -- said, file_offered: the sender's own; file_stored, file_removed: the file
        text TEXT,  -- said: text; left: reason; renamed: to; file_offered: file and name; file_stored: SHA-256
        mark INTEGER NOT NULL DEFAULT 0  -- said: action; joined: host; file_offered: size
    );
    -- A resend is stored once. Unverified members ("~...") have no ids of their own and never resend.
    CREATE UNIQUE INDEX said_once ON event (by, id) WHERE kind = 'said' AND by < '~';
    -- The first key that used a nick, also after the entry that said so was pruned.
    CREATE TABLE owner (nick TEXT PRIMARY KEY, by TEXT NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    """,
    """
    CREATE VIEW said AS SELECT seq, text FROM event WHERE kind = 'said';
    CREATE VIRTUAL TABLE words USING fts5 (
        text, content = 'said', content_rowid = 'seq', tokenize = 'unicode61 remove_diacritics 2'
    );
    -- Indexing each message in the commit that stores it costs three quarters of the messages a second: it waits here.
    CREATE TABLE unindexed (seq INTEGER PRIMARY KEY);
    CREATE TRIGGER said_in AFTER INSERT ON event WHEN new.kind = 'said' BEGIN
        INSERT INTO unindexed VALUES (new.seq);
    END;
    CREATE TRIGGER said_out AFTER DELETE ON event WHEN old.kind = 'said' BEGIN
        INSERT INTO words (words, rowid, text) SELECT 'delete', old.seq, old.text
            WHERE old.seq NOT IN (SELECT seq FROM unindexed);
        DELETE FROM unindexed WHERE seq = old.seq;
    END;
    INSERT INTO words (words) VALUES ('rebuild');
    """,
    """
    -- Private messages: in a host's log those that wait for their recipient, in a member's history all it sent and got.
    CREATE TABLE mail (
        number INTEGER PRIMARY KEY,  -- their order
        id TEXT NOT NULL,  -- the sender's own
        at INTEGER NOT NULL,  -- ms since 1970
        by TEXT NOT NULL,
        nick TEXT NOT NULL,
        whom TEXT NOT NULL,
        whom_nick TEXT NOT NULL,
        text TEXT NOT NULL,  -- '' once it was delivered: the rest is needed to recognise a resend
        UNIQUE (by, id)
    );
    """,
    "ALTER TABLE mail RENAME TO private;",
    """
    -- One row for each nick however it is spelled: a member could fill the table with spellings of its own nick.
    ALTER TABLE owner RENAME TO owner_by_spelling;
    CREATE TABLE owner (
        looks TEXT PRIMARY KEY,  -- its skeletons
        nick TEXT NOT NULL,  -- as its owner spelled it first
        by TEXT NOT NULL,
        seq INTEGER NOT NULL
    ) WITHOUT ROWID;
    INSERT OR IGNORE INTO owner SELECT looks_of(nick), nick, by, seq FROM owner_by_spelling ORDER BY seq;
    DROP TABLE owner_by_spelling;
    """,
    f"""
    -- The index holds what `fold` makes of a text, as a search does.
    DROP TRIGGER said_out;
    DROP VIEW said;
    CREATE VIEW said AS SELECT seq, {_FOLDED.format("text")} AS text FROM event WHERE kind = 'said';
    CREATE TRIGGER said_out AFTER DELETE ON event WHEN old.kind = 'said' BEGIN
        INSERT INTO words (words, rowid, text) SELECT 'delete', old.seq, {_FOLDED.format("old.text")}
            WHERE old.seq NOT IN (SELECT seq FROM unindexed);
        DELETE FROM unindexed WHERE seq = old.seq;
    END;
    DELETE FROM unindexed;
    INSERT INTO words (words) VALUES ('rebuild');
    """,
    """
    -- The terms that are over, each with its last number: see protocol/timeline.py.
    CREATE TABLE timeline (epoch INTEGER PRIMARY KEY, last INTEGER NOT NULL);
    """,
    """
    -- The public keys behind member ids, in a host's log: private messages for somebody who is away are sealed to them.
    CREATE TABLE member_key (by TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID;
    """,
    # A private message is sealed; `text` holds those from before, and those with a guest. Neither: it is finished.
    "ALTER TABLE private ADD COLUMN box BLOB NOT NULL DEFAULT x'';",
    # In a member's history: whether it was shown, so that a host that sends it again shows it to nobody a second time.
    "ALTER TABLE private ADD COLUMN shown INTEGER NOT NULL DEFAULT 0;",
    """
    -- What a room that moves has besides its records: its rules, the owner's papers. See moving.py.
    CREATE TABLE state (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    -- Events that were removed because the room goes on without them: another host has numbered others in their place.
    CREATE TABLE set_aside (
        seq INTEGER PRIMARY KEY, at INTEGER, kind TEXT, by TEXT, nick TEXT, id TEXT, text TEXT, mark INTEGER
    );
    """,
    """
    -- Files for one person: in a host's log those that are there, in a member's history all it sent and got.
    -- `file` is the host's name; `size` and `sha256`, '' until it is whole, are of the sealed bytes. `box` is the offer
    -- for the recipient, `copy` for the sender, and `shown` says that the recipient has got it.
    CREATE TABLE private_file (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, nick TEXT NOT NULL,
        whom TEXT NOT NULL, whom_nick TEXT NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
        box BLOB NOT NULL, copy BLOB NOT NULL, shown INTEGER NOT NULL,
        UNIQUE (by, id)
    );
    """,
    # The few events that are no messages. Without it, a room looks through a million messages each time it is opened.
    "CREATE INDEX other ON event (kind) WHERE kind <> 'said';",
    f"""
    -- Messages behind this number wait for the full-text index, and `unindexed` has only those before it: see
    -- indexing.py. A row there for each message cost a sixth of the time of storing it.
    INSERT OR REPLACE INTO fact
        SELECT 'indexed', max(0, coalesce(max(seq), 0)) FROM event WHERE seq <= {MAX_NUMBER};
    DROP TRIGGER said_in;
    DROP TRIGGER said_out;
    CREATE TRIGGER said_out AFTER DELETE ON event WHEN old.kind = 'said' BEGIN
        INSERT INTO words (words, rowid, text) SELECT 'delete', old.seq, {_FOLDED.format("old.text")}
            WHERE old.seq <= (SELECT value FROM fact WHERE name = 'indexed')
            AND old.seq NOT IN (SELECT seq FROM unindexed);
        DELETE FROM unindexed WHERE seq = old.seq;
    END;
    """,
)
TABLES = {"event", "owner", "fact", "words", "unindexed", "private", "private_file", "timeline", "member_key"}
TABLES |= {"state", "set_aside"}
WITH_PRIVATE = 4  # the user_version from which on a file has private messages under the name `private` ...
WITH_WORDS = 6  # ... a full-text index of folded texts ...
WITH_KEYS = 8  # ... the keys of those who own nicks ...
WITH_BOXES = 9  # ... sealed private messages ...
WITH_SHOWN = 10  # ... marked once they were shown ...
WITH_STATE = 11  # ... what a room that moves has ...
WITH_FILES = 12  # ... and files for one person
