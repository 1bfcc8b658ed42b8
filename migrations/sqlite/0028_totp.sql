-- Second factors of users: the secrets of TOTP (RFC 6238), and recovery codes.

-- +goose Up

CREATE TABLE totps (
	tenant_id    TEXT NOT NULL,
	subject      TEXT NOT NULL,
	secret       BLOB NOT NULL, -- sealed
	used_step    INTEGER NOT NULL, -- the newest time step whose code was accepted
	created_at   DATETIME NOT NULL,
	confirmed_at DATETIME, -- by a first code; until then it is not asked for
	PRIMARY KEY (tenant_id, subject),
	FOREIGN KEY (tenant_id, subject) REFERENCES accounts (tenant_id, subject) ON DELETE CASCADE
);

CREATE TABLE recovery_codes (
	tenant_id TEXT NOT NULL,
	subject   TEXT NOT NULL,
	hash      BLOB NOT NULL,
	PRIMARY KEY (tenant_id, subject, hash),
	FOREIGN KEY (tenant_id, subject) REFERENCES totps (tenant_id, subject) ON DELETE CASCADE
);
