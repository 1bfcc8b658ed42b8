-- Scripts of tenants, in versions that never change, and the secrets that they may read.

-- +goose Up

CREATE TABLE script_versions (
	tenant_id  TEXT NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
	script     TEXT NOT NULL,
	number     INTEGER NOT NULL,
	source     TEXT NOT NULL,
	digest     TEXT NOT NULL,
	size       INTEGER NOT NULL, -- of the source, in bytes
	note       TEXT NOT NULL,
	created_at DATETIME NOT NULL,
	created_by TEXT NOT NULL,
	PRIMARY KEY (tenant_id, script, number)
);

CREATE TABLE script_secrets (
	tenant_id  TEXT NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
	name       TEXT NOT NULL,
	value      BLOB NOT NULL, -- sealed
	updated_at DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, name)
) WITHOUT ROWID;
