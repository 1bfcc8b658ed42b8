-- What subjects granted clients by the tenant's backend, for the API that asks for it: a row for each scope value, and one
-- with an empty value for the grant itself.

-- +goose Up

CREATE TABLE granted_scopes (
	tenant_id  TEXT NOT NULL,
	subject    TEXT NOT NULL,
	client_id  TEXT NOT NULL,
	scope      TEXT NOT NULL,
	granted_at DATETIME NOT NULL, -- for the last time
	PRIMARY KEY (tenant_id, subject, client_id, scope)
) WITHOUT ROWID;
CREATE INDEX granted_scopes_client ON granted_scopes (tenant_id, client_id);
