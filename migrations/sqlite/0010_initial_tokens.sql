-- Initial access tokens (RFC 7591 §3), and the end of clients that registered themselves and were never used.

-- +goose Up

CREATE TABLE initial_tokens (
	tenant_id   TEXT NOT NULL,
	id          TEXT NOT NULL,
	hash        BLOB NOT NULL,
	label       TEXT NOT NULL,
	scope       TEXT NOT NULL, -- that its clients may register
	grant_types TEXT NOT NULL, -- that its clients may register beside those that anybody may
	uses_left   INTEGER NOT NULL,
	created_at  DATETIME NOT NULL,
	expires_at  DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, hash),
	UNIQUE (tenant_id, id)
);
CREATE INDEX initial_tokens_sweep ON initial_tokens (expires_at);

ALTER TABLE clients ADD COLUMN expires_at DATETIME; -- unless it is used before; of most, none
CREATE INDEX clients_sweep ON clients (expires_at) WHERE expires_at IS NOT NULL;
