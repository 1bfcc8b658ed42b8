-- Every primary and unique key begins with tenant_id, so that no lookup can leave its tenant. The two keys of
-- tenants by which the directory finds one, and the sequence of the change feed, stand outside of any tenant.

-- +goose Up

CREATE TABLE schema_floor (version INTEGER NOT NULL); -- the oldest schema version whose program may still use this one
INSERT INTO schema_floor VALUES (1);

CREATE TABLE tenants (
	service_id   INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice
	tenant_id    TEXT NOT NULL UNIQUE,
	issuer       TEXT NOT NULL UNIQUE,
	version      INTEGER NOT NULL DEFAULT 1,
	enabled      BOOLEAN NOT NULL,
	client_count INTEGER NOT NULL DEFAULT 0,
	client_last  INTEGER NOT NULL DEFAULT 1000000,
	secret       BLOB NOT NULL, -- sealed
	settings     TEXT NOT NULL,
	created_at   DATETIME NOT NULL,
	updated_at   DATETIME NOT NULL
);
INSERT INTO sqlite_sequence (name, seq) VALUES ('tenants', 999999); -- the platform, which comes first, has 1000000

CREATE TABLE tenant_keys (
	tenant_id  TEXT NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
	kid        TEXT NOT NULL,
	alg        TEXT NOT NULL,
	position   INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	active_at  DATETIME,
	retired_at DATETIME,
	gone_at    DATETIME,
	sealed     BLOB NOT NULL, -- PKCS #8
	PRIMARY KEY (tenant_id, kid)
) WITHOUT ROWID;

CREATE TABLE api_tokens (
	tenant_id  TEXT NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
	id         TEXT NOT NULL,
	label      TEXT NOT NULL,
	hash       BLOB NOT NULL,
	apis       TEXT NOT NULL,
	created_at DATETIME NOT NULL,
	expires_at DATETIME,
	PRIMARY KEY (tenant_id, id)
) WITHOUT ROWID;

-- From here on no table refers to tenants: a reference would lock the tenant's row with each new row, and deleting a
-- tenant would be one statement without end. Whoever deletes a tenant deletes these afterwards.

CREATE TABLE clients (
	tenant_id          TEXT NOT NULL,
	id                 TEXT NOT NULL,
	number             INTEGER NOT NULL,
	disabled           BOOLEAN NOT NULL,
	self_registered    BOOLEAN NOT NULL,
	registration_token BLOB,
	secrets            TEXT NOT NULL,
	metadata           TEXT NOT NULL,
	localized          TEXT NOT NULL,
	created_at         DATETIME NOT NULL,
	updated_at         DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, id),
	UNIQUE (tenant_id, number)
);

CREATE TABLE accounts (
	tenant_id     TEXT NOT NULL,
	subject       TEXT NOT NULL,
	username      TEXT NOT NULL,
	folded        TEXT, -- the user name as it is compared
	password_hash TEXT NOT NULL,
	disabled      BOOLEAN NOT NULL,
	claims        TEXT NOT NULL,
	created_at    DATETIME NOT NULL,
	updated_at    DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, subject),
	UNIQUE (tenant_id, folded)
);

CREATE TABLE sessions (
	tenant_id  TEXT NOT NULL,
	id         TEXT NOT NULL,
	subject    TEXT NOT NULL,
	turn       INTEGER NOT NULL,
	max_life   INTEGER NOT NULL, -- minutes, as the other two
	auth_life  INTEGER NOT NULL,
	max_idle   INTEGER NOT NULL,
	acr        TEXT NOT NULL,
	amr        TEXT NOT NULL,
	claims     TEXT,
	data       TEXT,
	clients    TEXT NOT NULL, -- JSON array
	created_at DATETIME NOT NULL,
	auth_time  DATETIME NOT NULL,
	used_at    DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, id)
);
CREATE INDEX sessions_subject ON sessions (tenant_id, subject);

CREATE TABLE interactions (
	tenant_id  TEXT NOT NULL,
	hash       BLOB NOT NULL,
	version    INTEGER NOT NULL,
	answered   BOOLEAN NOT NULL,
	step       TEXT NOT NULL,
	session_id TEXT NOT NULL,
	binding    BLOB,
	request    TEXT NOT NULL,
	data       TEXT,
	created_at DATETIME NOT NULL,
	expires_at DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, hash)
);
CREATE INDEX interactions_sweep ON interactions (expires_at);

CREATE TABLE grants (
	tenant_id           TEXT NOT NULL,
	id                  TEXT NOT NULL,
	subject             TEXT NOT NULL,
	actor               TEXT NOT NULL,
	client_id           TEXT NOT NULL,
	session_id          TEXT NOT NULL,
	offline             BOOLEAN NOT NULL, -- outlives its session
	terms               TEXT NOT NULL,
	created_at          DATETIME NOT NULL,
	expires_at          DATETIME NOT NULL,
	revoked_at          DATETIME,
	code_hash           BLOB,
	code_expires_at     DATETIME,
	code_redeemed_at    DATETIME,
	redirect_uri        TEXT NOT NULL,
	challenge           TEXT NOT NULL,
	refresh_generation  INTEGER NOT NULL, -- 0: it has no refresh token
	refresh_rotated_at  DATETIME,
	refresh_used_at     DATETIME,
	refresh_expires_at  DATETIME,
	refresh_idle_until  DATETIME,
	PRIMARY KEY (tenant_id, id)
);
CREATE INDEX grants_subject ON grants (tenant_id, subject, client_id);
CREATE INDEX grants_session ON grants (tenant_id, session_id) WHERE session_id <> '';
CREATE INDEX grants_sweep ON grants (expires_at);

CREATE TABLE access_tokens (
	tenant_id  TEXT NOT NULL,
	hash       BLOB NOT NULL,
	id         TEXT NOT NULL,
	grant_id   TEXT NOT NULL,
	subject    TEXT NOT NULL,
	actor      TEXT NOT NULL,
	client_id  TEXT NOT NULL,
	scope      TEXT NOT NULL,
	audience   TEXT NOT NULL,
	data       TEXT,
	issued_at  DATETIME NOT NULL,
	expires_at DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, hash)
);
CREATE INDEX access_tokens_sweep ON access_tokens (expires_at);

CREATE TABLE authorizations (
	tenant_id  TEXT NOT NULL,
	subject    TEXT NOT NULL,
	client_id  TEXT NOT NULL,
	actor      TEXT NOT NULL,
	scope      TEXT NOT NULL,
	claims     TEXT NOT NULL,
	terms      TEXT,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, subject, client_id, actor)
) WITHOUT ROWID;

CREATE TABLE revocations (
	tenant_id  TEXT NOT NULL,
	grant_id   TEXT NOT NULL,
	token_id   TEXT NOT NULL,
	subject    TEXT NOT NULL,
	actor      TEXT NOT NULL,
	client_id  TEXT NOT NULL,
	at         DATETIME NOT NULL,
	expires_at DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, grant_id, token_id, subject, actor, client_id)
) WITHOUT ROWID;

-- What happened since a moment, for instances that keep snapshots. A row with expires_at is a revocation, another
-- with client_id a change of that client, any other a change of the whole tenant.
CREATE TABLE changes (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	tenant_id  TEXT NOT NULL,
	at         DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
	grant_id   TEXT NOT NULL DEFAULT '',
	token_id   TEXT NOT NULL DEFAULT '',
	subject    TEXT NOT NULL DEFAULT '',
	actor      TEXT NOT NULL DEFAULT '',
	client_id  TEXT NOT NULL DEFAULT '',
	revoked_at DATETIME,
	expires_at DATETIME
);
CREATE INDEX changes_at ON changes (at);

CREATE TABLE audit_events (
	tenant_id  TEXT NOT NULL,
	at         DATETIME NOT NULL,
	kind       TEXT NOT NULL,
	actor      TEXT NOT NULL,
	subject    TEXT NOT NULL,
	client_id  TEXT NOT NULL,
	session_id TEXT NOT NULL,
	grant_id   TEXT NOT NULL,
	address    TEXT NOT NULL,
	detail     TEXT
);
CREATE INDEX audit_events_at ON audit_events (tenant_id, at);
