-- Codes for one use that were sent to a subject in the course of a challenge.

-- +goose Up

CREATE TABLE one_time_codes (
	expires_at timestamptz NOT NULL,
	used_at    timestamptz,
	attempts   bigint NOT NULL,
	tenant_id  text COLLATE "C" NOT NULL,
	subject    text COLLATE "C" NOT NULL,
	exchange   bytea NOT NULL, -- hash of the auth_session
	hash       bytea NOT NULL, -- a MAC over the code
	PRIMARY KEY (tenant_id, exchange, subject)
) WITH (fillfactor = 80);

ALTER TABLE one_time_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE one_time_codes FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON one_time_codes TO chancery_app USING (tenant_id = current_setting('app.tenant_id', true));
CREATE POLICY every_tenant ON one_time_codes TO chancery_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON one_time_codes TO chancery_app, chancery_system;
