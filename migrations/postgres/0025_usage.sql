-- How much tenants are used: how many tokens of a kind a client got on a day, and on which days of a month a subject got any.

-- +goose Up

CREATE TABLE usage_days (
	expires_at timestamptz NOT NULL,
	tokens     bigint NOT NULL,
	day        integer NOT NULL, -- since 1970-01-01
	tenant_id  text COLLATE "C" NOT NULL,
	client_id  text COLLATE "C" NOT NULL,
	kind       text COLLATE "C" NOT NULL,
	PRIMARY KEY (tenant_id, day, client_id, kind)
) WITH (fillfactor = 70);
CREATE INDEX usage_days_day ON usage_days (day); -- for the platform as a whole

CREATE TABLE usage_subjects (
	expires_at timestamptz NOT NULL,
	days       bigint NOT NULL, -- a bit for each day of the month
	month      integer NOT NULL, -- 12 times the year, and the month from 0
	tenant_id  text COLLATE "C" NOT NULL,
	subject    bytea NOT NULL, -- 128 bits of a hash
	PRIMARY KEY (tenant_id, month, subject)
) WITH (fillfactor = 70);

-- +goose StatementBegin
DO $$
DECLARE
	r text;
BEGIN
	FOREACH r IN ARRAY ARRAY['usage_days', 'usage_subjects'] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', r);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', r);
		EXECUTE format('CREATE POLICY one_tenant ON %I TO chancery_app USING (tenant_id = current_setting(''app.tenant_id'', true))', r);
		EXECUTE format('CREATE POLICY every_tenant ON %I TO chancery_system USING (true)', r);
		EXECUTE format('GRANT SELECT ON %I TO chancery_app', r);
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO chancery_system', r);
	END LOOP;
END
$$;
-- +goose StatementEnd
