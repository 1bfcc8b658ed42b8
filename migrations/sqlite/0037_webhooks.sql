-- Tenants' webhooks: where they want to be told what happens. Whatever records an event also records what is owed for it.

-- +goose Up

CREATE TABLE webhooks (
	tenant_id      TEXT NOT NULL,
	id             TEXT NOT NULL,
	url            TEXT NOT NULL,
	description    TEXT NOT NULL,
	events         TEXT NOT NULL, -- kinds of audit events; "*": all
	enabled        BOOLEAN NOT NULL,
	secret         INTEGER NOT NULL, -- number of the signing secret, which is derived
	version        INTEGER NOT NULL,
	previous_until DATETIME, -- until then the secret before signs too
	suspended_at   DATETIME, -- since then nothing is recorded for it, as too much was not delivered
	created_at     DATETIME NOT NULL,
	updated_at     DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, id)
);

ALTER TABLE tenants ADD COLUMN webhook_count INTEGER NOT NULL DEFAULT 0;

ALTER TABLE outbox ADD COLUMN webhook TEXT; -- that it is for
CREATE INDEX outbox_webhook ON outbox (tenant_id, webhook, id) WHERE webhook IS NOT NULL;

-- +goose StatementBegin
CREATE TRIGGER audit_events_owe_webhooks AFTER INSERT ON audit_events
BEGIN
	INSERT INTO outbox (tenant_id, id, kind, target, object, webhook, detail, attempts, cause, created_at, begins_at, due_at, ends_at, expires_at)
		SELECT NEW.tenant_id, lower(hex(randomblob(16))), 'webhook', w.url,
			CASE WHEN NEW.subject <> '' THEN w.id || ' sub ' || NEW.subject
				WHEN NEW.client_id <> '' THEN w.id || ' client ' || NEW.client_id
				WHEN NEW.kind = 'login_failed' THEN '' -- about nobody, and there may be many
				ELSE w.id || ' tenant' END,
			w.id, json_object('seq', NEW.seq, 'at', replace(NEW.at, ' ', 'T'), 'kind', NEW.kind, 'actor', NEW.actor, 'sub', NEW.subject, 'client_id', NEW.client_id,
				'session_id', NEW.session_id, 'grant_id', NEW.grant_id, 'address', NEW.address, 'detail', json(NEW.detail)),
			0, '', strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'), min(strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'), NEW.at),
			min(strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'), NEW.at), strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '+1 day'),
			strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '+8 days')
		FROM webhooks w WHERE w.tenant_id = NEW.tenant_id AND w.enabled AND w.suspended_at IS NULL
			AND EXISTS (SELECT 1 FROM json_each(w.events) e WHERE e.value IN (NEW.kind, '*'));
END;
-- +goose StatementEnd
