-- Backchannel authentications (CIBA Core) on their way from request to tokens.

-- +goose Up

CREATE TABLE authentications (
	tenant_id  TEXT NOT NULL,
	id         TEXT NOT NULL, -- also that of its grant
	state      TEXT NOT NULL,
	client_id  TEXT NOT NULL,
	subject    TEXT NOT NULL,
	request    TEXT NOT NULL,
	refusal    TEXT,
	polled     INTEGER NOT NULL, -- the last time, in milliseconds since 1970
	pace       INTEGER NOT NULL, -- milliseconds between two polls
	too_soon   BOOLEAN NOT NULL, -- the last poll
	created_at DATETIME NOT NULL,
	ends_at    DATETIME NOT NULL, -- of what it was for
	expires_at DATETIME NOT NULL, -- until then a late poll is told so
	PRIMARY KEY (tenant_id, id)
);
CREATE INDEX authentications_subject ON authentications (tenant_id, subject) WHERE subject <> '';
CREATE INDEX authentications_sweep ON authentications (expires_at);
