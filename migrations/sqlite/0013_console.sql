-- What calls of the administration that may be repeated were answered with, and the chain that seals audit events.

-- +goose Up

CREATE TABLE idempotency (
	tenant_id  TEXT NOT NULL,
	key        BLOB NOT NULL, -- hash of the caller's key
	request    BLOB NOT NULL, -- hash of what it was sent with
	status     INTEGER, -- of the answer; none while there is none
	answer     BLOB, -- sealed
	expires_at DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, key)
);
CREATE INDEX idempotency_expires ON idempotency (expires_at);

-- Each row covers events of one tenant, named by their seq in order; its hash is over them and the hash before.
CREATE TABLE audit_seals (
	tenant_id TEXT NOT NULL,
	number    INTEGER NOT NULL,
	sealed_at DATETIME NOT NULL,
	hash      BLOB NOT NULL,
	events    TEXT NOT NULL,
	PRIMARY KEY (tenant_id, number)
) WITHOUT ROWID;

-- One row: who seals, and how far it came.
CREATE TABLE audit_sealer (
	tenant_id    TEXT PRIMARY KEY,
	position     INTEGER NOT NULL, -- every event up to this seq is sealed
	holder       TEXT NOT NULL,
	leased_until DATETIME NOT NULL
);
INSERT INTO audit_sealer VALUES ('platform', 0, '', '2000-01-01 00:00:00+00:00');

-- A seq is not given twice, whatever is deleted.
CREATE TABLE audit_events_new (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	tenant_id  TEXT NOT NULL,
	at         DATETIME NOT NULL,
	kind       TEXT NOT NULL,
	actor      TEXT NOT NULL,
	subject    TEXT NOT NULL,
	client_id  TEXT NOT NULL,
	session_id TEXT NOT NULL,
	grant_id   TEXT NOT NULL,
	address    TEXT NOT NULL,
	detail     TEXT
);
INSERT INTO audit_events_new (seq, tenant_id, at, kind, actor, subject, client_id, session_id, grant_id, address, detail)
	SELECT rowid, tenant_id, at, kind, actor, subject, client_id, session_id, grant_id, address, detail FROM audit_events ORDER BY rowid;
DROP TABLE audit_events;
ALTER TABLE audit_events_new RENAME TO audit_events;
CREATE INDEX audit_events_at ON audit_events (tenant_id, at);
