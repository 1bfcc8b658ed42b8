-- What we owe others: logout tokens, notifications, webhooks. A message is recorded with the change that it tells of.

-- +goose Up

CREATE TABLE outbox (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	tenant_id  TEXT NOT NULL,
	id         TEXT NOT NULL,
	kind       TEXT NOT NULL,
	target     TEXT NOT NULL,
	object     TEXT NOT NULL,
	detail     TEXT,
	sealed     BLOB, -- what is sent; NULL: what its kind makes of the detail
	attempts   INTEGER NOT NULL,
	cause      TEXT NOT NULL, -- why the last attempt failed
	created_at DATETIME NOT NULL,
	begins_at  DATETIME NOT NULL, -- the first attempt
	due_at     DATETIME NOT NULL, -- the next attempt, or the end of the lease of the one that is being made
	ends_at    DATETIME NOT NULL, -- no attempt but the first begins after that
	expires_at DATETIME NOT NULL, -- until then a dead letter can be replayed
	dead_at    DATETIME -- NULL: it is waiting
);
CREATE UNIQUE INDEX outbox_id ON outbox (tenant_id, id);
CREATE INDEX outbox_due ON outbox (tenant_id, due_at) WHERE dead_at IS NULL;
CREATE INDEX outbox_object ON outbox (tenant_id, object, seq) WHERE dead_at IS NULL AND object <> '';
CREATE INDEX outbox_sweep ON outbox (expires_at);
