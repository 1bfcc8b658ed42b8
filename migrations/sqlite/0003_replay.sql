-- What may be used once, and was: identifiers of proofs and assertions (RFC 9449 §11.1, RFC 7523 §3).

-- +goose Up

CREATE TABLE replays (
	tenant_id  TEXT NOT NULL,
	kind       TEXT NOT NULL,
	hash       BLOB NOT NULL,
	expires_at DATETIME NOT NULL, -- from then on what it stands for is refused anyway
	PRIMARY KEY (tenant_id, kind, hash)
);
CREATE INDEX replays_sweep ON replays (expires_at);
