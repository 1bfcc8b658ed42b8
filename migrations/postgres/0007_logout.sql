-- Whatever ends a session also records what its relying parties are owed (OpenID Connect Back-Channel Logout 1.0): logout,
-- the quota, an administrator, the end of the account, and time.

-- +goose Up

-- +goose StatementBegin
CREATE FUNCTION owe_logouts() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	party text;
	uri   text;
	known text;
	now   timestamptz := clock_timestamp();
BEGIN
	FOR party IN SELECT jsonb_array_elements_text(OLD.clients) LOOP
		SELECT c.metadata->>'backchannel_logout_uri' INTO uri FROM clients c WHERE c.tenant_id = OLD.tenant_id AND c.id = party;
		IF uri <> '' THEN
			known := OLD.subject;
			IF EXISTS (SELECT 1 FROM grants g WHERE g.session_id = OLD.id AND g.session_id <> '' AND g.tenant_id = OLD.tenant_id AND g.client_id = party
				AND (g.subject <> OLD.subject OR g.terms->'id_token'->>'subject' <> '')) THEN
				known := ''; -- the client has it under another name; the session tells which
			END IF;
			INSERT INTO outbox (tenant_id, id, kind, target, object, detail, attempts, cause, created_at, begins_at, due_at, ends_at, expires_at)
				VALUES (OLD.tenant_id, gen_random_uuid()::text, 'logout', uri, '', json_build_object('session', OLD.id, 'client', party, 'sub', known),
				0, '', now, now, now, now + interval '1 day', now + interval '8 days');
		END IF;
	END LOOP;
	RETURN NULL;
END
$$;
-- +goose StatementEnd
GRANT EXECUTE ON FUNCTION owe_logouts TO chancery_app, chancery_system;
CREATE TRIGGER sessions_owe_logouts AFTER DELETE ON sessions FOR EACH ROW WHEN (OLD.clients <> '[]'::jsonb) EXECUTE FUNCTION owe_logouts();
