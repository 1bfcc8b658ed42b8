-- Pushed authorization requests (RFC 9126) on their way to the authorization endpoint.

-- +goose Up

CREATE TABLE pushed_requests (
	tenant_id  TEXT NOT NULL,
	hash       BLOB NOT NULL, -- of its request_uri
	client_id  TEXT NOT NULL,
	params     TEXT NOT NULL, -- as a query
	ends_at    DATETIME NOT NULL, -- of its time at the authorization endpoint
	expires_at DATETIME NOT NULL, -- until then an authorization that began with it may end, and uses it up
	PRIMARY KEY (tenant_id, hash)
);
CREATE INDEX pushed_requests_sweep ON pushed_requests (expires_at);
