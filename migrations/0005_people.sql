-- What somebody signed in may: run the server, start meetings and broadcasts, or take part.
ALTER TABLE accounts ADD COLUMN role TEXT NOT NULL DEFAULT 'administrator'
    CHECK (role IN ('administrator', 'host', 'member'));
-- Who is shut out keeps the name and what he made.
ALTER TABLE accounts ADD COLUMN disabled_at INTEGER;

-- So that people know their own among them: "Firefox on Linux".
ALTER TABLE sign_ins ADD COLUMN device TEXT NOT NULL DEFAULT '';

-- Who made it may manage it.
ALTER TABLE meetings ADD COLUMN owner INTEGER REFERENCES accounts (id) ON DELETE SET NULL;
CREATE INDEX meetings_by_owner ON meetings (owner) WHERE owner IS NOT NULL;

-- One-time links: an account to be made, or, with `account`, a new password for one.
CREATE TABLE invitations (
    id         INTEGER PRIMARY KEY,
    token      BLOB NOT NULL UNIQUE,
    role       TEXT NOT NULL CHECK (role IN ('administrator', 'host', 'member')),
    -- What the inviter called the person.
    name       TEXT NOT NULL,
    account    INTEGER UNIQUE REFERENCES accounts (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
