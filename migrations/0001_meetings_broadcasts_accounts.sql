-- Times are milliseconds since the Unix epoch. Secrets that nobody has to read again are kept as SHA-256.

CREATE TABLE meetings (
    id            TEXT PRIMARY KEY,
    number        INTEGER NOT NULL,
    title         TEXT NOT NULL,
    passcode_hash TEXT,
    -- In clear: hosts can have the link shown again, and it opens no more than the way to the door.
    join_token    TEXT NOT NULL,
    host_secret   BLOB NOT NULL,
    settings      TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    ended_at      INTEGER
) STRICT;
CREATE INDEX meetings_by_number ON meetings (number, created_at);
CREATE INDEX meetings_not_ended ON meetings (created_at) WHERE ended_at IS NULL;

-- Which numbers are not free: `held_until` is empty while the meeting lives, and outlasts its deletion.
CREATE TABLE numbers (
    number     INTEGER PRIMARY KEY CHECK (number BETWEEN 100000000 AND 999999999),
    held_until INTEGER
) STRICT;

CREATE TABLE snapshots (
    meeting  TEXT PRIMARY KEY REFERENCES meetings (id) ON DELETE CASCADE,
    json     TEXT NOT NULL,
    saved_at INTEGER NOT NULL
) STRICT;

CREATE TABLE broadcasts (
    id         TEXT PRIMARY KEY,
    title      TEXT NOT NULL,
    stream_key BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT;

CREATE TABLE accounts (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password_hash TEXT NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE sign_ins (
    token      BLOB PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_ins_by_account ON sign_ins (account);

-- At most one row: a new link replaces the older one.
CREATE TABLE setup_link (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    token      BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
