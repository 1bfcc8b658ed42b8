-- The issuers of all tenants, of which each is one tenant's: the one that it was made with, and its aliases.

-- +goose Up

CREATE TABLE tenant_issuers (
	created_at timestamptz NOT NULL,
	alias      boolean NOT NULL,
	tenant_id  text COLLATE "C" NOT NULL REFERENCES tenants ON DELETE CASCADE,
	id         text COLLATE "C" NOT NULL,
	issuer     text COLLATE "C" NOT NULL UNIQUE, -- outside of any tenant, as in tenants
	PRIMARY KEY (tenant_id, id)
);

INSERT INTO tenant_issuers (created_at, alias, tenant_id, id, issuer)
	SELECT created_at, false, tenant_id, '', issuer FROM tenants;

-- +goose StatementBegin
DO $$
BEGIN
	ALTER TABLE tenant_issuers ENABLE ROW LEVEL SECURITY;
	ALTER TABLE tenant_issuers FORCE ROW LEVEL SECURITY;
	CREATE POLICY one_tenant ON tenant_issuers TO chancery_app USING (tenant_id = current_setting('app.tenant_id', true));
	CREATE POLICY every_tenant ON tenant_issuers TO chancery_system USING (true);
	GRANT SELECT, INSERT, DELETE ON tenant_issuers TO chancery_app;
	GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_issuers TO chancery_system;
END
$$;
-- +goose StatementEnd
