-- Tokens that a tenant's backend makes, changes and lists by itself.

-- +goose Up

ALTER TABLE grants ADD COLUMN revision INTEGER NOT NULL DEFAULT 0; -- raised by each change of its terms
CREATE INDEX access_tokens_grant ON access_tokens (grant_id, tenant_id) WHERE grant_id <> '';

-- What became of a batch of tokens that was asked for at once.
CREATE TABLE token_batches (
	tenant_id   TEXT NOT NULL,
	id          TEXT NOT NULL,
	tokens      INTEGER NOT NULL,
	code        TEXT NOT NULL, -- why it failed; empty: it did not
	description TEXT NOT NULL,
	created_at  DATETIME NOT NULL,
	expires_at  DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, id)
);
CREATE INDEX token_batches_expires ON token_batches (expires_at);
