-- How much tenants are used: how many tokens of a kind a client got on a day, and on which days of a month a subject got any.

-- +goose Up

CREATE TABLE usage_days (
	tenant_id  TEXT NOT NULL,
	day        INTEGER NOT NULL, -- since 1970-01-01
	client_id  TEXT NOT NULL,
	kind       TEXT NOT NULL,
	tokens     INTEGER NOT NULL,
	expires_at DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, day, client_id, kind)
);
CREATE INDEX usage_days_day ON usage_days (day); -- for the platform as a whole
CREATE INDEX usage_days_expires ON usage_days (expires_at);

CREATE TABLE usage_subjects (
	tenant_id  TEXT NOT NULL,
	month      INTEGER NOT NULL, -- 12 times the year, and the month from 0
	subject    BLOB NOT NULL, -- 128 bits of a hash
	days       INTEGER NOT NULL, -- a bit for each day of the month
	expires_at DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, month, subject)
);
CREATE INDEX usage_subjects_expires ON usage_subjects (expires_at);
