-- What the settings of a tenant were: a row for each change, at the version of the tenant after it.

-- +goose Up

CREATE TABLE settings_history (
	at        timestamptz NOT NULL,
	version   bigint NOT NULL,
	tenant_id text COLLATE "C" NOT NULL REFERENCES tenants ON DELETE CASCADE,
	actor     text NOT NULL,
	address   text NOT NULL,
	detail    json, -- of the event that tells of the change
	settings  jsonb NOT NULL, -- after it
	PRIMARY KEY (tenant_id, version)
);

-- Where the history of tenants that are there already begins.
INSERT INTO settings_history (at, version, tenant_id, actor, address, settings)
	SELECT updated_at, version, tenant_id, '', '', settings FROM tenants;

-- +goose StatementBegin
DO $$
BEGIN
	ALTER TABLE settings_history ENABLE ROW LEVEL SECURITY;
	ALTER TABLE settings_history FORCE ROW LEVEL SECURITY;
	CREATE POLICY one_tenant ON settings_history TO chancery_app USING (tenant_id = current_setting('app.tenant_id', true));
	CREATE POLICY every_tenant ON settings_history TO chancery_system USING (true);
	GRANT SELECT, INSERT, DELETE ON settings_history TO chancery_app;
	GRANT SELECT, INSERT, UPDATE, DELETE ON settings_history TO chancery_system;
END
$$;
-- +goose StatementEnd
