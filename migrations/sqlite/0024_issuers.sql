-- The issuers of all tenants, of which each is one tenant's: the one that it was made with, and its aliases.

-- +goose Up

CREATE TABLE tenant_issuers (
	tenant_id  TEXT NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
	id         TEXT NOT NULL,
	issuer     TEXT NOT NULL UNIQUE, -- outside of any tenant, as in tenants
	alias      BOOLEAN NOT NULL,
	created_at DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, id)
);

INSERT INTO tenant_issuers (tenant_id, id, issuer, alias, created_at)
	SELECT tenant_id, '', issuer, false, created_at FROM tenants;
