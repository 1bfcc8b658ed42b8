-- Every primary and unique key begins with tenant_id, so that no lookup can leave its tenant. The two keys of
-- tenants by which the directory finds one stand outside of any tenant. Row level security holds the same line.
--
-- Columns of fixed width come first: no padding. Tables that change in place leave room on their pages, and none of
-- their indexed columns changes, so that an update touches no index. There is none on when a row expires: the sweeper
-- reads the pages in turn.
--
-- In a new database the planner takes every index that begins with the tenant for as good as any other, chooses the one
-- made last, and keeps its plan for a while. So only keys begin with the tenant, the primary key is made after the
-- other keys, and other indexes after that.

-- +goose Up

CREATE TABLE schema_floor (version bigint NOT NULL); -- the oldest schema version whose program may still use this one
INSERT INTO schema_floor VALUES (1);

CREATE TABLE tenants (
	created_at   timestamptz NOT NULL,
	updated_at   timestamptz NOT NULL,
	service_id   bigint NOT NULL GENERATED ALWAYS AS IDENTITY (START WITH 1000000) UNIQUE,
	version      bigint NOT NULL DEFAULT 1,
	client_count bigint NOT NULL DEFAULT 0,
	client_last  bigint NOT NULL DEFAULT 1000000,
	enabled      boolean NOT NULL,
	tenant_id    text COLLATE "C" PRIMARY KEY,
	issuer       text COLLATE "C" NOT NULL UNIQUE,
	secret       bytea NOT NULL, -- sealed
	settings     jsonb NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE tenant_keys (
	created_at timestamptz NOT NULL,
	active_at  timestamptz,
	retired_at timestamptz,
	gone_at    timestamptz,
	position   integer NOT NULL,
	tenant_id  text COLLATE "C" NOT NULL REFERENCES tenants ON DELETE CASCADE,
	kid        text COLLATE "C" NOT NULL,
	alg        text COLLATE "C" NOT NULL,
	sealed     bytea NOT NULL, -- PKCS #8
	PRIMARY KEY (tenant_id, kid)
);

CREATE TABLE api_tokens (
	created_at timestamptz NOT NULL,
	expires_at timestamptz,
	tenant_id  text COLLATE "C" NOT NULL REFERENCES tenants ON DELETE CASCADE,
	id         text COLLATE "C" NOT NULL,
	label      text NOT NULL,
	hash       bytea NOT NULL,
	apis       jsonb NOT NULL,
	PRIMARY KEY (tenant_id, id)
);

-- From here on no table refers to tenants: a reference would lock the tenant's row with each new row, and deleting a
-- tenant would be one statement without end. Whoever deletes a tenant deletes these afterwards.

-- What a caller may give as JSON is json, not jsonb: it comes back as it was given.

CREATE TABLE clients (
	created_at         timestamptz NOT NULL,
	updated_at         timestamptz NOT NULL,
	number             bigint NOT NULL,
	disabled           boolean NOT NULL,
	self_registered    boolean NOT NULL,
	tenant_id          text COLLATE "C" NOT NULL,
	id                 text COLLATE "C" NOT NULL,
	registration_token bytea,
	secrets            jsonb NOT NULL,
	metadata           json NOT NULL,
	localized          json NOT NULL,
	UNIQUE (tenant_id, number)
);
ALTER TABLE clients ADD PRIMARY KEY (tenant_id, id);

CREATE TABLE accounts (
	created_at    timestamptz NOT NULL,
	updated_at    timestamptz NOT NULL,
	disabled      boolean NOT NULL,
	tenant_id     text COLLATE "C" NOT NULL,
	subject       text COLLATE "C" NOT NULL,
	username      text NOT NULL,
	folded        text COLLATE "C", -- the user name as it is compared
	password_hash text NOT NULL,
	claims        json NOT NULL,
	UNIQUE (tenant_id, folded)
) WITH (fillfactor = 90);
ALTER TABLE accounts ADD PRIMARY KEY (tenant_id, subject);

CREATE TABLE sessions (
	created_at timestamptz NOT NULL,
	auth_time  timestamptz NOT NULL,
	used_at    timestamptz NOT NULL,
	turn       bigint NOT NULL,
	max_life   bigint NOT NULL, -- minutes, as the other two
	auth_life  bigint NOT NULL,
	max_idle   bigint NOT NULL,
	tenant_id  text COLLATE "C" NOT NULL,
	id         text COLLATE "C" NOT NULL,
	subject    text COLLATE "C" NOT NULL,
	acr        text NOT NULL,
	amr        jsonb NOT NULL,
	clients    jsonb NOT NULL, -- array
	claims     json,
	data       json,
	PRIMARY KEY (tenant_id, id)
) WITH (fillfactor = 75);
CREATE INDEX sessions_subject ON sessions (subject, tenant_id);

CREATE TABLE interactions (
	created_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	version    bigint NOT NULL,
	answered   boolean NOT NULL,
	tenant_id  text COLLATE "C" NOT NULL,
	hash       bytea NOT NULL,
	step       text NOT NULL,
	session_id text COLLATE "C" NOT NULL,
	binding    bytea,
	request    json NOT NULL,
	data       json,
	PRIMARY KEY (tenant_id, hash)
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE grants (
	created_at         timestamptz NOT NULL,
	expires_at         timestamptz NOT NULL,
	revoked_at         timestamptz,
	code_expires_at    timestamptz,
	code_redeemed_at   timestamptz,
	refresh_rotated_at timestamptz,
	refresh_used_at    timestamptz,
	refresh_expires_at timestamptz,
	refresh_idle_until timestamptz,
	refresh_generation bigint NOT NULL, -- 0: it has no refresh token
	offline            boolean NOT NULL, -- outlives its session
	tenant_id          text COLLATE "C" NOT NULL,
	id                 text COLLATE "C" NOT NULL,
	subject            text COLLATE "C" NOT NULL,
	actor              text COLLATE "C" NOT NULL,
	client_id          text COLLATE "C" NOT NULL,
	session_id         text COLLATE "C" NOT NULL,
	code_hash          bytea,
	redirect_uri       text NOT NULL,
	challenge          text NOT NULL,
	terms              json NOT NULL,
	PRIMARY KEY (tenant_id, id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX grants_subject ON grants (subject, tenant_id, client_id);
CREATE INDEX grants_session ON grants (session_id) WHERE session_id <> '';

CREATE TABLE access_tokens (
	issued_at  timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	tenant_id  text COLLATE "C" NOT NULL,
	hash       bytea NOT NULL,
	id         text COLLATE "C" NOT NULL,
	grant_id   text COLLATE "C" NOT NULL,
	subject    text COLLATE "C" NOT NULL,
	actor      text COLLATE "C" NOT NULL,
	client_id  text COLLATE "C" NOT NULL,
	scope      text NOT NULL,
	audience   json NOT NULL,
	data       json,
	PRIMARY KEY (tenant_id, hash)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE authorizations (
	created_at timestamptz NOT NULL,
	updated_at timestamptz NOT NULL,
	tenant_id  text COLLATE "C" NOT NULL,
	subject    text COLLATE "C" NOT NULL,
	client_id  text COLLATE "C" NOT NULL,
	actor      text COLLATE "C" NOT NULL,
	scope      text NOT NULL,
	claims     json NOT NULL,
	terms      json,
	PRIMARY KEY (tenant_id, subject, client_id, actor)
) WITH (fillfactor = 80);

CREATE TABLE revocations (
	at         timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	tenant_id  text COLLATE "C" NOT NULL,
	grant_id   text COLLATE "C" NOT NULL,
	token_id   text COLLATE "C" NOT NULL,
	subject    text COLLATE "C" NOT NULL,
	actor      text COLLATE "C" NOT NULL,
	client_id  text COLLATE "C" NOT NULL,
	PRIMARY KEY (tenant_id, grant_id, token_id, subject, actor, client_id)
);

-- What happened since a moment, for instances that keep snapshots. A row with expires_at is a revocation, another
-- with client_id a change of that client, any other a change of the whole tenant.
CREATE TABLE changes (
	at         timestamptz NOT NULL DEFAULT clock_timestamp(),
	seq        bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
	revoked_at timestamptz,
	expires_at timestamptz,
	tenant_id  text COLLATE "C" NOT NULL,
	grant_id   text COLLATE "C" NOT NULL DEFAULT '',
	token_id   text COLLATE "C" NOT NULL DEFAULT '',
	subject    text COLLATE "C" NOT NULL DEFAULT '',
	actor      text COLLATE "C" NOT NULL DEFAULT '',
	client_id  text COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX changes_at ON changes (at);

CREATE TABLE audit_events (
	at         timestamptz NOT NULL,
	seq        bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
	tenant_id  text COLLATE "C" NOT NULL,
	kind       text COLLATE "C" NOT NULL,
	actor      text COLLATE "C" NOT NULL,
	subject    text COLLATE "C" NOT NULL,
	client_id  text COLLATE "C" NOT NULL,
	session_id text COLLATE "C" NOT NULL,
	grant_id   text COLLATE "C" NOT NULL,
	address    text NOT NULL,
	detail     json,
	PRIMARY KEY (tenant_id, at, seq)
);

-- A statement sees the tables as they were when it began, and may then wait for a lock. What is done by a function sees
-- them as they are when it is called: these are called once the session is locked and on its way out, so that no grant
-- that was made in it meanwhile is missed.

-- +goose StatementBegin
CREATE FUNCTION revoke_hanging(t text, session text, now timestamptz, until timestamptz) RETURNS SETOF text LANGUAGE plpgsql VOLATILE ROWS 5 AS $$
DECLARE
	revoked text;
BEGIN
	FOR revoked IN UPDATE grants g SET revoked_at = now WHERE g.tenant_id = t AND g.session_id = session AND g.session_id <> ''
		AND NOT g.offline AND g.revoked_at IS NULL AND g.expires_at > now RETURNING g.id
	LOOP
		INSERT INTO revocations (tenant_id, grant_id, token_id, subject, actor, client_id, at, expires_at)
			VALUES (t, revoked, '', '', '', '', now, until) ON CONFLICT DO NOTHING;
		INSERT INTO changes (tenant_id, grant_id, revoked_at, expires_at) VALUES (t, revoked, now, until);
		RETURN NEXT revoked;
	END LOOP;
END
$$;
-- +goose StatementEnd
-- end_sessions ends the session that another replaces, and those of a subject beyond the newest keep (zero: all may
-- stay), with the grants that hang on them. The one that is being written stays. It looks at one row at a time: in a
-- table that it does not know yet, the planner takes a join for no worse a way than through all rows of the tenant.
-- +goose StatementBegin
CREATE FUNCTION end_sessions(t text, replaced text, written text, sub text, keep bigint, now timestamptz, until timestamptz)
	RETURNS SETOF text LANGUAGE plpgsql VOLATILE ROWS 5 AS $$
DECLARE
	gone text;
BEGIN
	IF replaced <> '' AND replaced <> written THEN
		DELETE FROM sessions s WHERE s.tenant_id = t AND s.id = replaced;
		IF FOUND THEN
			RETURN QUERY SELECT revoke_hanging(t, replaced, now, until);
		END IF;
	END IF;
	IF keep > 0 THEN
		FOR gone IN SELECT s.id FROM sessions s WHERE s.tenant_id = t AND s.subject = sub AND s.id <> written AND s.id <> replaced
			ORDER BY s.created_at DESC, s.id DESC OFFSET keep - 1
		LOOP
			DELETE FROM sessions s WHERE s.tenant_id = t AND s.id = gone;
			IF FOUND THEN
				RETURN QUERY SELECT revoke_hanging(t, gone, now, until);
			END IF;
		END LOOP;
	END IF;
END
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION revoke_subject(t text, sub text, now timestamptz, sessions bigint) RETURNS SETOF text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RETURN QUERY UPDATE grants g SET revoked_at = now WHERE g.tenant_id = t AND g.subject = sub AND g.revoked_at IS NULL RETURNING g.id;
END
$$;
-- +goose StatementEnd

-- Each connection takes one of two roles that own nothing and cannot log in: chancery_app sees the one tenant that
-- app.tenant_id names, chancery_system sees all. Roles belong to the whole cluster, and other databases on it may be
-- migrating too.

-- +goose StatementBegin
DO $$
DECLARE
	r text;
	may text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
	FOREACH r IN ARRAY ARRAY['chancery_app', 'chancery_system'] LOOP
		FOR attempt IN 1..20 LOOP
			BEGIN
				IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
					EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', r);
				END IF;
				IF NOT pg_has_role(current_user, r, may) THEN
					EXECUTE format('GRANT %I TO %I', r, current_user);
				END IF;
				EXIT;
			EXCEPTION WHEN duplicate_object OR unique_violation OR internal_error THEN -- somebody else did
				PERFORM pg_sleep(0.05 * random());
			END;
		END LOOP;
		IF NOT pg_has_role(current_user, r, may) THEN
			RAISE EXCEPTION 'user % may not take the role %: grant it', current_user, r;
		END IF;
		EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), r);
	END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
DECLARE
	r text;
BEGIN
	FOREACH r IN ARRAY ARRAY['tenants', 'tenant_keys', 'api_tokens', 'clients', 'accounts', 'sessions', 'interactions',
		'grants', 'access_tokens', 'authorizations', 'revocations', 'changes', 'audit_events'] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', r);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', r);
		EXECUTE format('CREATE POLICY one_tenant ON %I TO chancery_app USING (tenant_id = current_setting(''app.tenant_id'', true))', r);
		EXECUTE format('CREATE POLICY every_tenant ON %I TO chancery_system USING (true)', r);
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO chancery_app, chancery_system', r);
	END LOOP;
END
$$;
-- +goose StatementEnd
REVOKE UPDATE, DELETE ON changes, audit_events FROM chancery_app;
GRANT EXECUTE ON FUNCTION revoke_hanging, end_sessions, revoke_subject TO chancery_app, chancery_system;
