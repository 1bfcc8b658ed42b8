-- Tokens that a tenant's backend makes, changes and lists by itself.

-- +goose Up

ALTER TABLE grants ADD COLUMN revision bigint NOT NULL DEFAULT 0; -- raised by each change of its terms
CREATE INDEX access_tokens_grant ON access_tokens (grant_id, tenant_id) WHERE grant_id <> '';

-- What became of a batch of tokens that was asked for at once.
CREATE TABLE token_batches (
	created_at  timestamptz NOT NULL,
	expires_at  timestamptz NOT NULL,
	tokens      bigint NOT NULL,
	tenant_id   text COLLATE "C" NOT NULL,
	id          text COLLATE "C" NOT NULL,
	code        text NOT NULL, -- why it failed; empty: it did not
	description text NOT NULL,
	PRIMARY KEY (tenant_id, id)
);
CREATE INDEX token_batches_expires ON token_batches (expires_at);

-- +goose StatementBegin
DO $$
BEGIN
	ALTER TABLE token_batches ENABLE ROW LEVEL SECURITY;
	ALTER TABLE token_batches FORCE ROW LEVEL SECURITY;
	CREATE POLICY one_tenant ON token_batches TO chancery_app USING (tenant_id = current_setting('app.tenant_id', true));
	CREATE POLICY every_tenant ON token_batches TO chancery_system USING (true);
	GRANT SELECT, INSERT, UPDATE, DELETE ON token_batches TO chancery_app, chancery_system;
END
$$;
-- +goose StatementEnd
