-- What subjects granted clients by the tenant's backend, for the API that asks for it: a row for each scope value, and one
-- with an empty value for the grant itself.

-- +goose Up

CREATE TABLE granted_scopes (
	granted_at timestamptz NOT NULL, -- for the last time
	tenant_id  text COLLATE "C" NOT NULL,
	subject    text COLLATE "C" NOT NULL,
	client_id  text COLLATE "C" NOT NULL,
	scope      text COLLATE "C" NOT NULL,
	PRIMARY KEY (tenant_id, subject, client_id, scope)
);
CREATE INDEX granted_scopes_client ON granted_scopes (tenant_id, client_id);

ALTER TABLE granted_scopes ENABLE ROW LEVEL SECURITY;
ALTER TABLE granted_scopes FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON granted_scopes TO chancery_app USING (tenant_id = current_setting('app.tenant_id', true));
CREATE POLICY every_tenant ON granted_scopes TO chancery_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON granted_scopes TO chancery_app, chancery_system;
