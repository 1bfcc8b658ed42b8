-- What may be used once, and was: identifiers of proofs and assertions (RFC 9449 §11.1, RFC 7523 §3).

-- +goose Up

CREATE TABLE replays (
	expires_at timestamptz NOT NULL, -- from then on what it stands for is refused anyway
	tenant_id  text COLLATE "C" NOT NULL,
	kind       text COLLATE "C" NOT NULL,
	hash       bytea NOT NULL,
	PRIMARY KEY (tenant_id, kind, hash)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

ALTER TABLE replays ENABLE ROW LEVEL SECURITY;
ALTER TABLE replays FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON replays TO chancery_app USING (tenant_id = current_setting('app.tenant_id', true));
CREATE POLICY every_tenant ON replays TO chancery_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON replays TO chancery_app, chancery_system;
