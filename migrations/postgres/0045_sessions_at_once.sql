-- Of sessions of one subject that begin at the same time none sees the others, and so more would stay than the subject keeps: whoever
-- counts them waits for those who have counted.

-- +goose Up

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION end_sessions(t text, replaced text, written text, sub text, context text, alike bigint, keep bigint, now timestamptz, until timestamptz,
	by_actor text, by_address text) RETURNS SETOF text LANGUAGE plpgsql VOLATILE ROWS 5 AS $$
DECLARE
	gone text;
	whose text;
BEGIN
	IF alike > 0 OR keep > 0 THEN
		PERFORM pg_advisory_xact_lock(hashtextextended(sub, hashtextextended(t, 0)));
	END IF;
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
