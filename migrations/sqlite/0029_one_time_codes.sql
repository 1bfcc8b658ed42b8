-- Codes for one use that were sent to a subject in the course of a challenge.

-- +goose Up

CREATE TABLE one_time_codes (
	tenant_id  TEXT NOT NULL,
	exchange   BLOB NOT NULL, -- hash of the auth_session
	subject    TEXT NOT NULL,
	hash       BLOB NOT NULL, -- a MAC over the code
	attempts   INTEGER NOT NULL,
	expires_at DATETIME NOT NULL,
	used_at    DATETIME,
	PRIMARY KEY (tenant_id, exchange, subject)
);
CREATE INDEX one_time_codes_sweep ON one_time_codes (expires_at);
