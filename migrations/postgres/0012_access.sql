-- Who may administer a tenant: roles of its own, service accounts, and who has which role. The roles that every tenant
-- has are the program's.

-- +goose Up

ALTER TABLE api_tokens ADD COLUMN service_account text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE api_tokens ADD COLUMN used_at timestamptz;

CREATE TABLE admin_roles (
	updated_at  timestamptz NOT NULL,
	tenant_id   text COLLATE "C" NOT NULL REFERENCES tenants ON DELETE CASCADE,
	name        text COLLATE "C" NOT NULL,
	description text NOT NULL,
	permissions jsonb NOT NULL,
	PRIMARY KEY (tenant_id, name)
);

CREATE TABLE service_accounts (
	created_at timestamptz NOT NULL,
	updated_at timestamptz NOT NULL,
	disabled   boolean NOT NULL,
	tenant_id  text COLLATE "C" NOT NULL REFERENCES tenants ON DELETE CASCADE,
	id         text COLLATE "C" NOT NULL,
	name       text NOT NULL,
	PRIMARY KEY (tenant_id, id)
);

CREATE TABLE admin_grants (
	granted_at timestamptz NOT NULL,
	tenant_id  text COLLATE "C" NOT NULL REFERENCES tenants ON DELETE CASCADE,
	principal  text COLLATE "C" NOT NULL, -- token:id, service:id or user:sub
	role       text COLLATE "C" NOT NULL,
	granted_by text NOT NULL,
	PRIMARY KEY (tenant_id, principal, role)
);

-- Whoever could do everything is an owner.
INSERT INTO admin_grants (granted_at, tenant_id, principal, role, granted_by)
	SELECT created_at, tenant_id, 'token:' || id, 'owner', 'system' FROM api_tokens WHERE tenant_id = 'platform' AND apis ? 'admin';

-- +goose StatementBegin
DO $$
DECLARE
	r text;
BEGIN
	FOREACH r IN ARRAY ARRAY['admin_roles', 'service_accounts', 'admin_grants'] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', r);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', r);
		EXECUTE format('CREATE POLICY one_tenant ON %I TO chancery_app USING (tenant_id = current_setting(''app.tenant_id'', true))', r);
		EXECUTE format('CREATE POLICY every_tenant ON %I TO chancery_system USING (true)', r);
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO chancery_app, chancery_system', r);
	END LOOP;
END
$$;
-- +goose StatementEnd
