-- What the settings of a tenant were: a row for each change, at the version of the tenant after it.

-- +goose Up

CREATE TABLE settings_history (
	tenant_id TEXT NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
	version   INTEGER NOT NULL,
	at        DATETIME NOT NULL,
	actor     TEXT NOT NULL,
	address   TEXT NOT NULL,
	detail    TEXT, -- of the event that tells of the change
	settings  TEXT NOT NULL, -- after it
	PRIMARY KEY (tenant_id, version)
);
CREATE INDEX settings_history_at ON settings_history (at);

-- Where the history of tenants that are there already begins.
INSERT INTO settings_history (tenant_id, version, at, actor, address, settings)
	SELECT tenant_id, version, updated_at, '', '', settings FROM tenants;
