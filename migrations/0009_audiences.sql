-- What viewers of broadcasts do together. Times are milliseconds since the Unix epoch.

CREATE TABLE audiences (
    broadcast TEXT PRIMARY KEY REFERENCES broadcasts (id) ON DELETE CASCADE,
    -- The rules, JSON; empty until somebody changes them.
    settings  TEXT,
    likes     INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE comments (
    broadcast TEXT NOT NULL REFERENCES broadcasts (id) ON DELETE CASCADE,
    -- 1, 2, … within the broadcast.
    id        INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    -- SHA-256 of what stays the same of an account or a browser.
    author    BLOB NOT NULL,
    name      TEXT NOT NULL,
    guest     INTEGER NOT NULL,
    host      INTEGER NOT NULL,
    text      TEXT NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('shown', 'held', 'deleted')),
    PRIMARY KEY (broadcast, id)
) STRICT, WITHOUT ROWID;

-- Who writes no more.
CREATE TABLE muted_viewers (
    id        INTEGER PRIMARY KEY,
    broadcast TEXT NOT NULL REFERENCES broadcasts (id) ON DELETE CASCADE,
    author    BLOB NOT NULL,
    name      TEXT NOT NULL,
    at        INTEGER NOT NULL,
    UNIQUE (broadcast, author)
) STRICT;
