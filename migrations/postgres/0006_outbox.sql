-- What we owe others: logout tokens, notifications, webhooks. A message is recorded with the change that it tells of.

-- +goose Up

CREATE TABLE outbox (
	created_at timestamptz NOT NULL,
	begins_at  timestamptz NOT NULL, -- the first attempt
	due_at     timestamptz NOT NULL, -- the next attempt, or the end of the lease of the one that is being made
	ends_at    timestamptz NOT NULL, -- no attempt but the first begins after that
	expires_at timestamptz NOT NULL, -- until then a dead letter can be replayed
	dead_at    timestamptz, -- NULL: it is waiting
	seq        bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
	attempts   bigint NOT NULL,
	tenant_id  text COLLATE "C" NOT NULL,
	id         text COLLATE "C" NOT NULL,
	kind       text COLLATE "C" NOT NULL,
	target     text NOT NULL,
	object     text COLLATE "C" NOT NULL,
	cause      text NOT NULL, -- why the last attempt failed
	sealed     bytea, -- what is sent; NULL: what its kind makes of the detail
	detail     json
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE outbox ADD PRIMARY KEY (tenant_id, id);
CREATE INDEX outbox_due ON outbox (tenant_id, due_at) WHERE dead_at IS NULL;
CREATE INDEX outbox_object ON outbox (tenant_id, object, seq) WHERE dead_at IS NULL AND object <> '';

ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON outbox TO chancery_app USING (tenant_id = current_setting('app.tenant_id', true));
CREATE POLICY every_tenant ON outbox TO chancery_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO chancery_app, chancery_system;
