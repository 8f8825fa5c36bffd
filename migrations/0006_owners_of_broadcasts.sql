-- Who made it may manage it.
ALTER TABLE broadcasts ADD COLUMN owner INTEGER REFERENCES accounts (id) ON DELETE SET NULL;
CREATE INDEX broadcasts_by_owner ON broadcasts (owner) WHERE owner IS NOT NULL;
CREATE INDEX broadcasts_not_ended ON broadcasts (created_at, id) WHERE ended_at IS NULL;

-- Cookies of hosts name it: they end when it is counted on.
ALTER TABLE meetings ADD COLUMN host_epoch INTEGER NOT NULL DEFAULT 0;
