-- Second factors of users: the secrets of TOTP (RFC 6238), and recovery codes.

-- +goose Up

CREATE TABLE totps (
	created_at   timestamptz NOT NULL,
	confirmed_at timestamptz, -- by a first code; until then it is not asked for
	used_step    bigint NOT NULL, -- the newest time step whose code was accepted
	tenant_id    text COLLATE "C" NOT NULL,
	subject      text COLLATE "C" NOT NULL,
	secret       bytea NOT NULL, -- sealed
	PRIMARY KEY (tenant_id, subject),
	FOREIGN KEY (tenant_id, subject) REFERENCES accounts (tenant_id, subject) ON DELETE CASCADE
) WITH (fillfactor = 80);

CREATE TABLE recovery_codes (
	tenant_id text COLLATE "C" NOT NULL,
	subject   text COLLATE "C" NOT NULL,
	hash      bytea NOT NULL,
	PRIMARY KEY (tenant_id, subject, hash),
	FOREIGN KEY (tenant_id, subject) REFERENCES totps (tenant_id, subject) ON DELETE CASCADE
);

ALTER TABLE totps ENABLE ROW LEVEL SECURITY;
ALTER TABLE totps FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON totps TO chancery_app USING (tenant_id = current_setting('app.tenant_id', true));
CREATE POLICY every_tenant ON totps TO chancery_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON totps TO chancery_app, chancery_system;

ALTER TABLE recovery_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_codes FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON recovery_codes TO chancery_app USING (tenant_id = current_setting('app.tenant_id', true));
CREATE POLICY every_tenant ON recovery_codes TO chancery_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON recovery_codes TO chancery_app, chancery_system;
