-- Tenants' webhooks: where they want to be told what happens. Whatever records an event also records what is owed for it.

-- +goose Up

CREATE TABLE webhooks (
	created_at     timestamptz NOT NULL,
	updated_at     timestamptz NOT NULL,
	previous_until timestamptz, -- until then the secret before signs too
	suspended_at   timestamptz, -- since then nothing is recorded for it, as too much was not delivered
	version        bigint NOT NULL,
	secret         bigint NOT NULL, -- number of the signing secret, which is derived
	enabled        boolean NOT NULL,
	tenant_id      text COLLATE "C" NOT NULL,
	id             text COLLATE "C" NOT NULL,
	url            text NOT NULL,
	description    text NOT NULL,
	events         jsonb NOT NULL, -- kinds of audit events; "*": all
	PRIMARY KEY (tenant_id, id)
);

ALTER TABLE webhooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhooks FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON webhooks TO chancery_app USING (tenant_id = current_setting('app.tenant_id', true));
CREATE POLICY every_tenant ON webhooks TO chancery_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks TO chancery_app, chancery_system;

ALTER TABLE tenants ADD COLUMN webhook_count bigint NOT NULL DEFAULT 0;

ALTER TABLE outbox ADD COLUMN webhook text COLLATE "C"; -- that it is for
CREATE INDEX outbox_webhook ON outbox (tenant_id, webhook, id) WHERE webhook IS NOT NULL;

-- +goose StatementBegin
CREATE FUNCTION owe_webhooks() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	now timestamptz := clock_timestamp();
BEGIN
	INSERT INTO outbox (tenant_id, id, kind, target, object, webhook, detail, attempts, cause, created_at, begins_at, due_at, ends_at, expires_at)
		SELECT NEW.tenant_id, gen_random_uuid()::text, 'webhook', w.url,
			CASE WHEN NEW.subject <> '' THEN w.id || ' sub ' || NEW.subject
				WHEN NEW.client_id <> '' THEN w.id || ' client ' || NEW.client_id
				WHEN NEW.kind = 'login_failed' THEN '' -- about nobody, and there may be many
				ELSE w.id || ' tenant' END,
			w.id, json_build_object('seq', NEW.seq, 'at', NEW.at, 'kind', NEW.kind, 'actor', NEW.actor, 'sub', NEW.subject, 'client_id', NEW.client_id,
				'session_id', NEW.session_id, 'grant_id', NEW.grant_id, 'address', NEW.address, 'detail', NEW.detail),
			0, '', now, LEAST(now, NEW.at), LEAST(now, NEW.at), now + interval '1 day', now + interval '8 days'
		FROM webhooks w WHERE w.tenant_id = NEW.tenant_id AND w.enabled AND w.suspended_at IS NULL AND w.events ?| ARRAY[NEW.kind, '*'];
	RETURN NULL;
END
$$;
-- +goose StatementEnd
GRANT EXECUTE ON FUNCTION owe_webhooks TO chancery_app, chancery_system;
CREATE TRIGGER audit_events_owe_webhooks AFTER INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION owe_webhooks();
