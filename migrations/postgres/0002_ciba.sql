-- Backchannel authentications (CIBA Core) on their way from request to tokens.

-- +goose Up

CREATE TABLE authentications (
	created_at timestamptz NOT NULL,
	ends_at    timestamptz NOT NULL, -- of what it was for
	expires_at timestamptz NOT NULL, -- until then a late poll is told so
	polled     bigint NOT NULL, -- the last time, in milliseconds since 1970
	pace       bigint NOT NULL, -- milliseconds between two polls
	too_soon   boolean NOT NULL, -- the last poll
	tenant_id  text COLLATE "C" NOT NULL,
	id         text COLLATE "C" NOT NULL, -- also that of its grant
	state      text COLLATE "C" NOT NULL,
	client_id  text COLLATE "C" NOT NULL,
	subject    text COLLATE "C" NOT NULL,
	request    json NOT NULL,
	refusal    json,
	PRIMARY KEY (tenant_id, id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX authentications_subject ON authentications (tenant_id, subject) WHERE subject <> '';

ALTER TABLE authentications ENABLE ROW LEVEL SECURITY;
ALTER TABLE authentications FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON authentications TO chancery_app USING (tenant_id = current_setting('app.tenant_id', true));
CREATE POLICY every_tenant ON authentications TO chancery_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON authentications TO chancery_app, chancery_system;
