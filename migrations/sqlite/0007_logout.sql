-- Whatever ends a session also records what its relying parties are owed (OpenID Connect Back-Channel Logout 1.0): logout,
-- the quota, an administrator, the end of the account, and time.

-- +goose Up

-- +goose StatementBegin
CREATE TRIGGER sessions_owe_logouts AFTER DELETE ON sessions WHEN OLD.clients <> '[]'
BEGIN
	INSERT INTO outbox (tenant_id, id, kind, target, object, detail, attempts, cause, created_at, begins_at, due_at, ends_at, expires_at)
		SELECT OLD.tenant_id, lower(hex(randomblob(16))), 'logout', json_extract(c.metadata, '$.backchannel_logout_uri'), '',
			json_object('session', OLD.id, 'client', c.id, 'sub', CASE WHEN EXISTS (SELECT 1 FROM grants g WHERE g.tenant_id = OLD.tenant_id
				AND g.session_id = OLD.id AND g.client_id = c.id AND (g.subject <> OLD.subject OR coalesce(json_extract(g.terms, '$.id_token.subject'), '') <> ''))
				THEN '' ELSE OLD.subject END), -- the client has it under another name; the session tells which
			0, '', strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'), strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'), strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'),
			strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '+1 day'), strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '+8 days')
		FROM json_each(OLD.clients) AS party JOIN clients c ON c.tenant_id = OLD.tenant_id AND c.id = party.value
		WHERE coalesce(json_extract(c.metadata, '$.backchannel_logout_uri'), '') <> '';
END;
-- +goose StatementEnd
