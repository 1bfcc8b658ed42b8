-- Pushed authorization requests (RFC 9126) on their way to the authorization endpoint.

-- +goose Up

CREATE TABLE pushed_requests (
	ends_at    timestamptz NOT NULL, -- of its time at the authorization endpoint
	expires_at timestamptz NOT NULL, -- until then an authorization that began with it may end, and uses it up
	tenant_id  text COLLATE "C" NOT NULL,
	hash       bytea NOT NULL, -- of its request_uri
	client_id  text COLLATE "C" NOT NULL,
	params     text NOT NULL, -- as a query
	PRIMARY KEY (tenant_id, hash)
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.05);

ALTER TABLE pushed_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE pushed_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON pushed_requests TO chancery_app USING (tenant_id = current_setting('app.tenant_id', true));
CREATE POLICY every_tenant ON pushed_requests TO chancery_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON pushed_requests TO chancery_app, chancery_system;
