-- What tenants' scripts wrote while they ran, and why they failed.

-- +goose Up

CREATE TABLE script_lines (
	seq       INTEGER PRIMARY KEY AUTOINCREMENT,
	tenant_id TEXT NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
	at        DATETIME NOT NULL,
	script    TEXT NOT NULL,
	version   INTEGER NOT NULL,
	level     TEXT NOT NULL,
	text      TEXT NOT NULL
);
CREATE INDEX script_lines_seq ON script_lines (tenant_id, seq);
CREATE INDEX script_lines_sweep ON script_lines (at);
