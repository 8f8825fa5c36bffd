-- What is kept of recordings beside their folders. Times are milliseconds since the Unix epoch.

CREATE TABLE recordings (
    id           TEXT PRIMARY KEY,
    -- May be gone: recordings outlive their meetings.
    meeting      TEXT NOT NULL,
    title        TEXT NOT NULL,
    -- 'running', 'finished', 'broken'. One that runs while no server does is completed at the next start.
    state        TEXT NOT NULL,
    started_at   INTEGER NOT NULL,
    duration_ms  INTEGER NOT NULL DEFAULT 0,
    bytes        INTEGER NOT NULL DEFAULT 0,
    -- Names of those who were there, a JSON list.
    participants TEXT NOT NULL DEFAULT '[]',
    -- 'nobody', 'host', 'participants', 'link'.
    visibility   TEXT NOT NULL,
    link_token   BLOB UNIQUE,
    link_expires INTEGER
) STRICT;
CREATE INDEX recordings_by_start ON recordings (started_at, id);
CREATE INDEX recordings_by_meeting ON recordings (meeting);

-- Whose browsers were there, by the SHA-256 of their cookie.
CREATE TABLE recording_browsers (
    recording TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    browser   BLOB NOT NULL,
    PRIMARY KEY (recording, browser)
) STRICT, WITHOUT ROWID;
