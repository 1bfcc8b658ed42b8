package console

// example is what a route's body and answer may look like.
type example struct{ body, answer string }

// examples are those of the description, by the name of the operation. A test holds them to their types.
var examples = map[string]example{
	"whoami": {answer: `{"tenant_id": "acme", "principal": "token:5f0c9e1d2b3a4c5d6e7f8091", "roles": ["developer"], "permissions": ["clients:read", "clients:write"]}`},
	"createTenant": {
		body: `{"tenant_id": "initech", "template": "starter"}`,
		answer: `{"tenant_id": "initech", "service_id": 1000003, "issuer": "https://id.example.com/t/initech", "api_token": "chy_…",
			"client": {"client_id": "c0ffee", "client_secret": "…", "redirect_uris": ["http://127.0.0.1:8765/cb"], "grant_types": ["authorization_code", "refresh_token"]},
			"user": {"sub": "u1", "username": "alice", "password": "…"}}`,
	},
	"importTenant": {
		body: `{"tenant_id": "acme", "properties": "op.issuer = https://id.acme.example\nop.idToken.lifetime = 600\n"}`,
		answer: `{"tenant_id": "acme", "issuer": "https://id.acme.example", "imported": true, "refused": 0, "lines": [
			{"line": 1, "property": "op.issuer", "outcome": "taken", "as": "issuer", "value": "https://id.acme.example"},
			{"line": 2, "property": "op.idToken.lifetime", "outcome": "taken", "as": "tokens.id_token_lifetime", "value": "600"}]}`,
	},
	"listTenants": {answer: `{"tenants": [` + tenantExample + `], "next_cursor": "AAEC…"}`},
	"readTenant":  {answer: tenantExample},
	"changeTenant": {
		body:   `{"settings": {"name": "Acme Inc.", "tokens": {"id_token_lifetime": null}}}`,
		answer: tenantExample,
	},
	"checkTenant": {answer: `{"tenant_id": "acme", "profile": "fapi2-security", "fulfilled": false,
		"findings": [{"rule": "pushed", "says": "requests are pushed", "sections": ["FAPI 2.0 Security Profile, section 5.3.2.2"], "fulfilled": false, "why": "par.required is off"}]}`},
	"restoreTenant":   {answer: tenantExample},
	"readSettings":    {answer: settingsExample},
	"putSettings":     {body: settingsExample, answer: settingsExample},
	"changeSettings":  {body: `{"tokens": {"id_token_lifetime": null}}`, answer: settingsExample},
	"listUsage":       {answer: `{"from": "2026-11-19", "to": "2026-11-20", "usage": [{"day": "2026-11-20", "client_id": "app", "tokens": 4711}], "next_cursor": "AAEC…"}`},
	"listAllUsage":    {answer: `{"from": "2026-11-19", "to": "2026-11-20", "usage": [{"day": "2026-11-20", "tenant_id": "acme", "tokens": 4711}]}`},
	"listActiveUsers": {answer: `{"months": [{"month": "2026-11", "users": 120, "days": [{"day": "2026-11-20", "users": 30}]}]}`},
	"listScopes":      {answer: `{"scopes": [` + scopeExample + `]}`},
	"readScope":       {answer: scopeExample},
	"putScope":        {body: `{"description": "Read your invoices", "descriptions": {"de": "Ihre Rechnungen lesen"}, "claims": ["customer_number"], "advertised": true}`, answer: scopeExample},
	"listAliases":     {answer: `{"aliases": [` + aliasExample + `]}`},
	"addAlias":        {body: `{"issuer": "https://login.acme.example"}`, answer: aliasExample},
	"listSettings":    {answer: `{"changes": [` + revisionExample + `], "next_cursor": "AAEC…"}`},
	"readRevision":    {answer: `{"version": 1763625600000002, "at": "2026-11-20T08:00:00Z", "actor": "5f0c9e1d2b3a4c5d6e7f8091", "first": false, "changes": [], "settings": ` + settingsExample + `}`},
	"compareSettings": {answer: `{"changes": [{"pointer": "/tokens/id_token_lifetime", "old": 300, "new": 600}]}`},
	"rollBackSettings": {
		body:   `{"to": 1763625600000001}`,
		answer: settingsExample,
	},
	"createToken": {
		body:   `{"label": "ci", "apis": ["console"], "roles": ["developer"], "expires_at": "2027-01-01T00:00:00Z"}`,
		answer: `{"id": "5f0c9e1d2b3a4c5d6e7f8091", "label": "ci", "apis": ["console"], "created_at": "2026-11-20T08:00:00Z", "expires_at": "2027-01-01T00:00:00Z", "token": "chy_acme.…"}`,
	},
	"listTokens": {answer: `{"tokens": [{"id": "5f0c9e1d2b3a4c5d6e7f8091", "label": "ci", "apis": ["clients"], "created_at": "2026-11-20T08:00:00Z", "last_used_at": "2026-11-20T09:12:00Z"}]}`},
	"createInitialToken": {
		body:   `{"label": "partner", "uses": 5, "expires_at": "2027-01-01T00:00:00Z"}`,
		answer: `{"id": "i1", "label": "partner", "uses_left": 5, "created_at": "2026-11-20T08:00:00Z", "expires_at": "2027-01-01T00:00:00Z", "token": "…"}`,
	},
	"listInitialTokens":  {answer: `{"initial_tokens": [{"id": "i1", "label": "partner", "uses_left": 4, "created_at": "2026-11-20T08:00:00Z", "expires_at": "2027-01-01T00:00:00Z"}]}`},
	"createClient":       {body: `{"client_name": "Shop", "redirect_uris": ["https://shop.example/cb"]}`, answer: clientExample},
	"listClients":        {answer: `{"clients": [` + clientExample + `]}`},
	"readClient":         {answer: clientExample},
	"putClient":          {body: `{"client_name": "Shop", "redirect_uris": ["https://shop.example/cb"]}`, answer: clientExample},
	"changeClient":       {body: `{"enabled": false}`, answer: clientExample},
	"rotateClientSecret": {answer: clientExample},
	"createUser":         {body: `{"username": "bob", "password_hash": "$2b$12$…", "claims": {"email": "bob@example.com"}}`, answer: userExample},
	"importUsers": {
		body: `{"users": [{"username": "bob", "password_hash": "$pbkdf2-sha256$i=600000$…", "claims": {"email": "bob@example.com"}},
			{"username": "carol", "enabled": false}]}`,
		answer: `{"users": [{"sub": "u1", "username": "bob"}, {"sub": "u2", "username": "carol"}]}`,
	},
	"listUsers":      {answer: `{"users": [` + userExample + `]}`},
	"readUser":       {answer: userExample},
	"changeUser":     {body: `{"enabled": false}`, answer: userExample},
	"putUserCode":    {body: `{"user_code": "4711-x"}`},
	"readHookSecret": {answer: `{"hook": "password", "url": "https://hooks.acme.example/password", "number": 0, "secret": "whsec_…"}`},
	"readTOTP":       {answer: `{"state": "confirmed", "enrolled_at": "2026-11-20T08:00:00Z", "confirmed_at": "2026-11-20T08:01:00Z", "recovery_codes_left": 10}`},
	"enrolTOTP":      {answer: `{"secret": "JBSWY3DPEHPK3PXP…", "otpauth_uri": "otpauth://totp/Acme:alice?secret=…&issuer=Acme&…"}`},
	"confirmTOTP":    {body: `{"code": "123456"}`, answer: `{"recovery_codes": ["abcd-efgh-ijkl-mnop"]}`},
	"putPassword":    {body: `{"password": "a long enough sentence"}`},
	"rotateKeys":     {body: `{"alg": "ES256"}`, answer: keysExample},
	"listKeys":       {answer: keysExample},
	"revokeKey":      {answer: keysExample},
	"previewKeys": {answer: `{"at": "2026-11-20T08:05:00Z", "jwks_uri": "https://id.example.com/t/acme/jwks.json",
		"jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": "…", "y": "…", "kid": "k1", "alg": "ES256", "use": "sig"}]}, "keys": [` + keyExample + `]}`},
	"listRoles":          {answer: `{"roles": [` + roleExample + `], "permissions": ["users:read", "users:write"]}`},
	"readRole":           {answer: roleExample},
	"putRole":            {body: `{"description": "Helps", "permissions": ["users:read", "audit:read"]}`, answer: roleExample},
	"listAdministrators": {answer: `{"administrators": [` + administratorExample + `]}`},
	"readAdministrator":  {answer: administratorExample},
	"putAdministrator":   {body: `{"roles": ["help-desk"]}`, answer: administratorExample},
	"createServiceAccount": {
		body:   `{"name": "CI", "roles": ["developer"]}`,
		answer: accountExample,
	},
	"listServiceAccounts":  {answer: `{"service_accounts": [` + accountExample + `]}`},
	"readServiceAccount":   {answer: accountExample},
	"changeServiceAccount": {body: `{"disabled": true}`, answer: accountExample},
	"listSessions":         {answer: `{"sessions": [` + sessionExample + `], "next_cursor": "AAEC…"}`},
	"readSession":          {answer: sessionExample},
	"listGrants": {answer: `{"grants": [{"id": "g1", "sub": "u1", "client_id": "app", "session_id": "s1", "scope": "openid email", "offline": false,
		"created_at": "2026-11-20T08:00:00Z", "expires_at": "2026-11-20T09:00:00Z"}]}`},
	"verifyEvents": {answer: `{"intact": true, "seals": 12, "events": 3481, "head": "9f86d081884c7d65…", "problems": []}`},
	"createWebhook": {
		body: `{"url": "https://hooks.example.com/chancery", "events": ["user_created", "user_deleted"], "description": "CRM"}`,
		answer: `{"id": "5f0c9e1d2b3a4c5d6e7f8091", "url": "https://hooks.example.com/chancery", "events": ["user_created", "user_deleted"], "description": "CRM", "enabled": true,
			"created_at": "2026-11-20T08:00:00Z", "updated_at": "2026-11-20T08:00:00Z", "secret": "whsec_…"}`,
	},
	"listScripts": {answer: `{"scripts": [` + scriptExample + `]}`},
	"saveScript": {
		body:   `{"source": "exports.onChallenge = async (event, api) => api.deny()", "note": "Nobody for now"}`,
		answer: scriptExample,
	},
	"listScriptVersions": {answer: `{"scripts": [` + scriptExample + `], "next_cursor": "AAEC…"}`},
	"readScript": {answer: `{"script": "login", "version": 3, "active": false, "active_version": 2, "previous_version": 1, "size": 53, "digest": "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
		"created_at": "2026-11-20T08:00:00Z", "source": "exports.onChallenge = async (event, api) => api.deny()"}`},
	"tryScript": {
		body:   `{"event": {"type": "challenge", "parameters": {"username": "alice"}, "attributes": {}}}`,
		answer: `{"version": 3, "action": "next", "error": "otp_required", "keep": {"username": "alice"}, "lines": [{"level": "info", "text": "alice comes"}]}`,
	},
	"activateScript": {body: `{"version": 3}`, answer: scriptExample},
	"rollBackScript": {answer: scriptExample},
	"readScriptLog": {answer: `{"lines": [{"at": "2026-11-20T08:00:00Z", "script": "login", "version": 3, "level": "error",
		"text": "the script failed: it took more than its 20ms of processor time"}], "next_cursor": "AAEC…"}`},
	"listScriptSecrets": {answer: `{"secrets": [{"secret": "sms-key", "updated_at": "2026-11-20T08:00:00Z"}]}`},
	"putScriptSecret":   {body: `{"value": "s3cret"}`},
	"listWebhooks":      {answer: `{"webhooks": [` + webhookExample + `]}`},
	"readWebhook":       {answer: webhookExample},
	"changeWebhook":     {body: `{"enabled": true}`, answer: webhookExample},
	"rotateWebhookSecret": {
		body: `{"overlap": 3600}`,
		answer: `{"id": "5f0c9e1d2b3a4c5d6e7f8091", "url": "https://hooks.example.com/chancery", "events": ["*"], "enabled": true, "previous_secret_until": "2026-11-20T09:00:00Z",
			"created_at": "2026-11-20T08:00:00Z", "updated_at": "2026-11-20T08:00:00Z", "secret": "whsec_…"}`,
	},
	"tryWebhook":           {answer: `{"id": "qnLZ0Yk2v5A1", "kind": "webhook_test", "attempts": 0, "created_at": "2026-11-20T08:00:00Z", "ends_at": "2026-11-20T08:10:00Z"}`},
	"replayWebhook":        {answer: `{"messages": 12}`},
	"replayWebhookMessage": {answer: `{"messages": 1}`},
	"dropWebhookMessages":  {answer: `{"messages": 12}`},
	"listWebhookMessages": {answer: `{"messages": [{"id": "0b6f1a52-6c0e-4d8e-9c8b-0e4a5d1f7c11", "kind": "user_created", "attempts": 7, "cause": "answered with status 500",
		"created_at": "2026-11-20T08:00:00Z", "ends_at": "2026-11-21T08:00:00Z"}], "next_cursor": "AAEC…"}`},
	"createPasswordLink": {answer: `{"url": "https://id.example.com/t/acme/login/password/AAAA…", "expires_at": "2026-11-20T09:00:00Z"}`},
	"listMessages": {answer: `{"messages": [{"id": "m1", "kind": "logout", "target": "https://shop.example", "dead": true, "attempts": 9, "cause": "answered with status 410",
		"created_at": "2026-11-19T08:00:00Z", "ends_at": "2026-11-20T08:00:00Z"}], "next_cursor": "AAEC…"}`},
	"replayMessage":  {answer: `{"replayed": 1}`},
	"replayMessages": {answer: `{"replayed": 12}`},
	"dropMessages":   {answer: `{"dropped": 12}`},
	"listEvents": {answer: `{"events": [{"seq": 4711, "at": "2026-11-20T08:00:00Z", "kind": "api_token_created", "actor": "5f0c9e1d2b3a4c5d6e7f8091",
		"address": "192.0.2.1", "detail": {"token": "77aa", "label": "ci"}}]}`},
}

const (
	clientExample = `{"client_id": "c0ffee", "client_name": "Shop", "redirect_uris": ["https://shop.example/cb"], "enabled": true}`
	userExample   = `{"sub": "u1", "username": "bob", "enabled": true, "has_password": true, "has_user_code": false, "claims": {"email": "bob@example.com"},
		"created_at": "2026-11-20T08:00:00Z", "updated_at": "2026-11-20T08:00:00Z"}`
	settingsExample = `{"name": "Acme Inc.", "tokens": {"access_token_lifetime": 600}}`
	tenantExample   = `{"tenant_id": "acme", "service_id": 1000001, "issuer": "https://id.example.com/t/acme", "enabled": true, "version": 1763625600000001,
		"settings": {"name": "Acme Inc."}, "created_at": "2026-11-20T08:00:00Z", "updated_at": "2026-11-20T08:00:00Z"}`
	keyExample           = `{"kid": "k1", "alg": "ES256", "state": "waiting", "published": true, "created_at": "2026-11-20T08:00:00Z", "active_at": "2026-11-20T08:10:00Z"}`
	keysExample          = `{"keys": [` + keyExample + `]}`
	roleExample          = `{"name": "help-desk", "description": "Helps", "permissions": ["audit:read", "users:read"], "built_in": false, "updated_at": "2026-11-20T08:00:00Z"}`
	administratorExample = `{"principal": "service:5f0c9e1d2b3a4c5d6e7f8091", "roles": ["help-desk"], "permissions": ["audit:read", "users:read"]}`
	accountExample       = `{"id": "5f0c9e1d2b3a4c5d6e7f8091", "name": "CI", "disabled": false, "roles": ["developer"], "created_at": "2026-11-20T08:00:00Z", "updated_at": "2026-11-20T08:00:00Z"}`
)

const webhookExample = `{"id": "5f0c9e1d2b3a4c5d6e7f8091", "url": "https://hooks.example.com/chancery", "events": ["*"], "enabled": true,
	"created_at": "2026-11-20T08:00:00Z", "updated_at": "2026-11-20T08:00:00Z"}`

const scriptExample = `{"script": "login", "version": 3, "active": true, "active_version": 3, "previous_version": 2, "size": 53, "note": "Nobody for now",
	"digest": "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg", "created_at": "2026-11-20T08:00:00Z", "created_by": "5f0c9e1d2b3a4c5d6e7f8091"}`

const sessionExample = `{"id": "s1", "sub": "u1", "amr": ["pwd"], "clients": ["app"], "auth_time": "2026-11-20T08:00:00Z",
	"created_at": "2026-11-20T08:00:00Z", "last_used_at": "2026-11-20T08:30:00Z", "expires_at": "2026-11-21T08:30:00Z"}`

const revisionExample = `{"version": 1763625600000002, "at": "2026-11-20T08:00:00Z", "actor": "5f0c9e1d2b3a4c5d6e7f8091", "address": "192.0.2.1",
	"detail": {"change": "settings"}, "first": false, "changes": [{"pointer": "/tokens/id_token_lifetime", "new": 600}]}`

const aliasExample = `{"id": "5f0c9e1d2b3a4c5d6e7f8091", "issuer": "https://login.acme.example", "created_at": "2026-11-20T08:00:00Z"}`

const scopeExample = `{"name": "invoices:read", "description": "Read your invoices", "descriptions": {"de": "Ihre Rechnungen lesen"}, "claims": ["customer_number"],
	"default": false, "advertised": true, "standard": false}`
