-- What tenants' scripts wrote while they ran, and why they failed.

-- +goose Up

CREATE TABLE script_lines (
	at        timestamptz NOT NULL,
	seq       bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
	version   bigint NOT NULL,
	tenant_id text COLLATE "C" NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
	script    text COLLATE "C" NOT NULL,
	level     text COLLATE "C" NOT NULL,
	text      text NOT NULL,
	PRIMARY KEY (tenant_id, seq)
);

ALTER TABLE script_lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE script_lines FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON script_lines TO chancery_app USING (tenant_id = current_setting('app.tenant_id', true));
CREATE POLICY every_tenant ON script_lines TO chancery_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON script_lines TO chancery_app, chancery_system;
