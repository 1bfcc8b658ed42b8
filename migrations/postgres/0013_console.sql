-- What calls of the administration that may be repeated were answered with, and the chain that seals audit events.

-- +goose Up

CREATE TABLE idempotency (
	expires_at timestamptz NOT NULL,
	status     integer, -- of the answer; none while there is none
	tenant_id  text COLLATE "C" NOT NULL,
	key        bytea NOT NULL, -- hash of the caller's key
	request    bytea NOT NULL, -- hash of what it was sent with
	answer     bytea, -- sealed
	PRIMARY KEY (tenant_id, key)
);

-- Each row covers events of one tenant, named by their seq in order; its hash is over them and the hash before.
CREATE TABLE audit_seals (
	sealed_at timestamptz NOT NULL,
	number    bigint NOT NULL,
	tenant_id text COLLATE "C" NOT NULL,
	hash      bytea NOT NULL,
	events    json NOT NULL,
	PRIMARY KEY (tenant_id, number)
);

-- One row: who seals, and how far it came.
CREATE TABLE audit_sealer (
	leased_until timestamptz NOT NULL,
	position     bigint NOT NULL, -- every event up to this seq is sealed
	tenant_id    text COLLATE "C" PRIMARY KEY,
	holder       text NOT NULL
);
INSERT INTO audit_sealer VALUES ('2000-01-01Z', 0, 'platform', '');

-- Events are written in the order of seq, more or less, and never change: an index of ranges costs writers nothing.
CREATE INDEX audit_events_seq ON audit_events USING brin (seq) WITH (pages_per_range = 16, autosummarize = on);

-- +goose StatementBegin
DO $$
DECLARE
	r text;
BEGIN
	FOREACH r IN ARRAY ARRAY['idempotency', 'audit_seals', 'audit_sealer'] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', r);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', r);
		EXECUTE format('CREATE POLICY one_tenant ON %I TO chancery_app USING (tenant_id = current_setting(''app.tenant_id'', true))', r);
		EXECUTE format('CREATE POLICY every_tenant ON %I TO chancery_system USING (true)', r);
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO chancery_app, chancery_system', r);
	END LOOP;
END
$$;
-- +goose StatementEnd
REVOKE INSERT, UPDATE, DELETE ON audit_seals, audit_sealer FROM chancery_app;
