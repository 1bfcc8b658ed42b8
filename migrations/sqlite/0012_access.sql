-- Who may administer a tenant: roles of its own, service accounts, and who has which role. The roles that every tenant
-- has are the program's.

-- +goose Up

ALTER TABLE api_tokens ADD COLUMN service_account TEXT NOT NULL DEFAULT '';
ALTER TABLE api_tokens ADD COLUMN used_at DATETIME;

CREATE TABLE admin_roles (
	tenant_id   TEXT NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
	name        TEXT NOT NULL,
	description TEXT NOT NULL,
	permissions TEXT NOT NULL,
	updated_at  DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, name)
) WITHOUT ROWID;

CREATE TABLE service_accounts (
	tenant_id  TEXT NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
	id         TEXT NOT NULL,
	name       TEXT NOT NULL,
	disabled   BOOLEAN NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, id)
) WITHOUT ROWID;

CREATE TABLE admin_grants (
	tenant_id  TEXT NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
	principal  TEXT NOT NULL, -- token:id, service:id or user:sub
	role       TEXT NOT NULL,
	granted_at DATETIME NOT NULL,
	granted_by TEXT NOT NULL,
	PRIMARY KEY (tenant_id, principal, role)
) WITHOUT ROWID;

-- Whoever could do everything is an owner.
INSERT INTO admin_grants (granted_at, tenant_id, principal, role, granted_by)
	SELECT created_at, tenant_id, 'token:' || id, 'owner', 'system' FROM api_tokens
	WHERE tenant_id = 'platform' AND EXISTS (SELECT 1 FROM json_each(apis) WHERE value = 'admin');
