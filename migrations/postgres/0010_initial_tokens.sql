-- Initial access tokens (RFC 7591 §3), and the end of clients that registered themselves and were never used.

-- +goose Up

CREATE TABLE initial_tokens (
	created_at  timestamptz NOT NULL,
	expires_at  timestamptz NOT NULL,
	uses_left   bigint NOT NULL,
	tenant_id   text COLLATE "C" NOT NULL,
	id          text COLLATE "C" NOT NULL,
	hash        bytea NOT NULL,
	label       text NOT NULL,
	scope       text NOT NULL, -- that its clients may register
	grant_types jsonb NOT NULL, -- that its clients may register beside those that anybody may
	PRIMARY KEY (tenant_id, hash),
	UNIQUE (tenant_id, id)
);

ALTER TABLE initial_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE initial_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON initial_tokens TO chancery_app USING (tenant_id = current_setting('app.tenant_id', true));
CREATE POLICY every_tenant ON initial_tokens TO chancery_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON initial_tokens TO chancery_app, chancery_system;

ALTER TABLE clients ADD COLUMN expires_at timestamptz; -- unless it is used before; of most, none
CREATE INDEX clients_sweep ON clients (expires_at) WHERE expires_at IS NOT NULL;
