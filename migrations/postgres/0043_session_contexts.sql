-- What a subject session is used in: a browser (empty), or something else, in whose place it is of no use. Of one context a subject
-- may have fewer than of all. The functions of seven and nine arguments stay for replicas of the versions before.

-- +goose Up

ALTER TABLE sessions ADD COLUMN ctx text COLLATE "C" NOT NULL DEFAULT '';

-- +goose StatementBegin
CREATE FUNCTION end_sessions(t text, replaced text, written text, sub text, context text, alike bigint, keep bigint, now timestamptz, until timestamptz,
	by_actor text, by_address text) RETURNS SETOF text LANGUAGE plpgsql VOLATILE ROWS 5 AS $$
DECLARE
	gone text;
	whose text;
BEGIN
	IF replaced <> '' AND replaced <> written THEN
		DELETE FROM sessions s WHERE s.tenant_id = t AND s.id = replaced RETURNING s.subject INTO whose;
		IF FOUND THEN
			INSERT INTO audit_events (tenant_id, at, kind, actor, subject, client_id, session_id, grant_id, address, detail)
				VALUES (t, now, 'session_ended', by_actor, whose, '', replaced, '', by_address, '{"cause":"replaced"}');
			RETURN QUERY SELECT revoke_hanging(t, replaced, now, until);
		END IF;
	END IF;
	IF alike > 0 THEN
		FOR gone IN SELECT s.id FROM sessions s WHERE s.tenant_id = t AND s.subject = sub AND s.ctx = context AND s.id <> written AND s.id <> replaced
			ORDER BY s.created_at DESC, s.id DESC OFFSET alike - 1
		LOOP
			DELETE FROM sessions s WHERE s.tenant_id = t AND s.id = gone;
			IF FOUND THEN
				INSERT INTO audit_events (tenant_id, at, kind, actor, subject, client_id, session_id, grant_id, address, detail)
					VALUES (t, now, 'session_ended', by_actor, sub, '', gone, '', by_address, '{"cause":"quota"}');
				RETURN QUERY SELECT revoke_hanging(t, gone, now, until);
			END IF;
		END LOOP;
	END IF;
	IF keep > 0 THEN
		FOR gone IN SELECT s.id FROM sessions s WHERE s.tenant_id = t AND s.subject = sub AND s.id <> written AND s.id <> replaced
			ORDER BY s.created_at DESC, s.id DESC OFFSET keep - 1
		LOOP
			DELETE FROM sessions s WHERE s.tenant_id = t AND s.id = gone;
			IF FOUND THEN
				INSERT INTO audit_events (tenant_id, at, kind, actor, subject, client_id, session_id, grant_id, address, detail)
					VALUES (t, now, 'session_ended', by_actor, sub, '', gone, '', by_address, '{"cause":"quota"}');
				RETURN QUERY SELECT revoke_hanging(t, gone, now, until);
			END IF;
		END LOOP;
	END IF;
END
$$;
-- +goose StatementEnd
GRANT EXECUTE ON FUNCTION end_sessions(text, text, text, text, text, bigint, bigint, timestamptz, timestamptz, text, text) TO chancery_app, chancery_system;
