-- Scripts of tenants, in versions that never change, and the secrets that they may read.

-- +goose Up

CREATE TABLE script_versions (
	created_at timestamptz NOT NULL,
	number     bigint NOT NULL,
	size       bigint NOT NULL, -- of the source, in bytes
	tenant_id  text COLLATE "C" NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
	script     text COLLATE "C" NOT NULL,
	digest     text COLLATE "C" NOT NULL,
	note       text NOT NULL,
	created_by text NOT NULL,
	source     text NOT NULL,
	PRIMARY KEY (tenant_id, script, number)
);

CREATE TABLE script_secrets (
	updated_at timestamptz NOT NULL,
	tenant_id  text COLLATE "C" NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
	name       text COLLATE "C" NOT NULL,
	value      bytea NOT NULL, -- sealed
	PRIMARY KEY (tenant_id, name)
);

-- +goose StatementBegin
DO $$
DECLARE
	r text;
BEGIN
	FOREACH r IN ARRAY ARRAY['script_versions', 'script_secrets'] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', r);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', r);
		EXECUTE format('CREATE POLICY one_tenant ON %I TO chancery_app USING (tenant_id = current_setting(''app.tenant_id'', true))', r);
		EXECUTE format('CREATE POLICY every_tenant ON %I TO chancery_system USING (true)', r);
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO chancery_app, chancery_system', r);
	END LOOP;
END
$$;
-- +goose StatementEnd
