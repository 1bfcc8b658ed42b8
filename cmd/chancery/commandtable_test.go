package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// handy is a command as an operator types it.
type handy struct {
	rule  string
	stdin string
	args  string // with {name} for what was kept
	code  int
	says  string // in the answer, or in the error where there is a code
	keep  string // name=pattern of what of the answer later commands are about
	lacks string // the answer
}

// handiwork are commands one after the other. Each command of the table is among them.
var handiwork = []handy{
	{"a tenant is made", "", "tenant create initech --template starter --username carol", 0, "carol", "", ""},
	{"its issuer lies where the server's do", "", "tenant show initech", 0, "{url}/t/initech", "", ""},
	{"its id is taken", "", "tenant create initech", 1, "taken", "", ""},
	{"an id is checked", "", "tenant create No_Label", 1, "tenant_id", "", ""},
	{"a template is checked", "", "tenant create x --template deluxe", 2, "--template", "", ""},
	{"a file of properties is tried", "# moved\nop.issuer = https://id.umbrella.example\nop.idToken.lifetime : 600\nlog.level = INFO\n", "tenant import --properties - --id umbrella --dry-run", 0, "tokens.id_token_lifetime", "", "imported"},
	{"which makes no tenant", "", "tenant show umbrella", 3, "There is no such tenant", "", ""},
	{"a line is refused, and all of them with it", "op.issuer = https://id.umbrella.example\nop.authz.telepathy = secret-value\n", "tenant import --properties - --id umbrella", 1, "1 lines are refused", "", "secret-value"},
	{"a tenant is imported", "op.issuer = https://id.umbrella.example\nop.idToken.lifetime = 600\n", "tenant import --properties -", 0, "tenant id-umbrella-example imported", "", ""},
	{"once", "op.issuer = https://id.umbrella.example\n", "tenant import --properties - --id other --dry-run", 1, "taken", "", ""},
	{"a file is named", "", "tenant import --id other", 2, "--properties", "", ""},
	{"what was imported can go", "", "tenant delete id-umbrella-example --now --yes", 0, "deleted", "", ""},
	{"tenants are listed", "", "tenant list", 0, "initech", "", ""},
	{"a setting is changed", "", "tenant set initech name=Initech tokens.id_token_lifetime=60", 0, `"id_token_lifetime":60`, "", ""},
	{"a default is given back", "", "tenant set initech tokens.id_token_lifetime=null", 0, `"name":"Initech"`, "", "id_token_lifetime"},
	{"a patch comes from the standard input", `{"color": "#123456"}`, "tenant set initech --settings -", 0, `#123456`, "", ""},
	{"yaml is written too", "", "tenant show initech -o yaml", 0, "tenant_id: initech", "", ""},
	{"a list can be cut", "", "tenant list --limit 1 -o json", 0, `"acme"`, "", "globex"},
	{"a limit is a number of entries", "", "tenant list --limit 0", 2, "--limit", "", ""},
	{"tenants are searched", "", "tenant list --q nite", 0, "initech", "", "globex"},
	{"also those that are off", "", "tenant list --enabled=false", 0, "ISSUER", "", "initech"},
	{"settings are shown", "", "settings show initech", 0, "#123456", "", ""},
	{"a change of them has a history", "", "settings history initech --limit 1 -o json", 0, `"/color"`, `version="version": (\d+)`, ""},
	{"each with what they were", "", "settings revision initech {version}", 0, "#123456", "", ""},
	{"settings are patched by a file", `{"color": "#654321"}`, "settings change initech -", 0, "#654321", "", ""},
	{"versions are compared", "", "settings diff initech --from {version}", 0, "/color", "", ""},
	{"and taken back", "", "settings rollback initech {version}", 0, "#123456", "", ""},
	{"only where nobody was first", "", "settings rollback initech {version} --if-match 1", 1, "another version", "", ""},
	{"settings are replaced as a whole", `{"name": "Initech", "hooks": {"password": {"url": "https://hooks.example/p"}}}`, "settings replace initech -", 0, "hooks.example", "", "#123456"},
	{"a file is JSON", `{"name": `, "settings replace initech -", 2, "no JSON", "", ""},
	{"their schema is shown", "", "settings schema -o json", 0, "json-schema.org", "", ""},
	{"the secret of a hook is shown", "", "tenant hook-secret initech password", 0, "whsec_", "", ""},
	{"a hook that is not there has none", "", "tenant hook-secret initech token", 3, "no such hook", "", ""},
	{"a profile is checked", "", "tenant check initech --profile fapi2-security", 1, "not fulfilled", "", ""},
	{"no profile is fulfilled", "", "tenant check initech", 0, "no profile", "", ""},
	{"who calls is told", "", "whoami -o json", 0, `"owner"`, "", ""},
	{"the description is shown", "", "openapi -o json", 0, `"openapi": "3.1.0"`, "", ""},
	{"a setting is checked", "", "tenant set initech color=red", 1, "settings/color", "", ""},
	{"an unknown setting is refused", "", "tenant set initech colour=red", 1, "settings/colour", "", ""},
	{"a change has to say what", "", "tenant set initech", 2, "--settings", "", ""},
	{"an unknown tenant is said to be unknown", "", "tenant show nobody", 3, "There is no such tenant", "", ""},
	{"the platform has no clients", "", "client create platform --redirect-uri https://a.example/cb", 1, "no clients", "", ""},
	{"a tenant is not deleted by accident", "", "tenant delete initech", 2, "--yes", "", ""},

	{"a user is made", "correct horse battery staple\n", "user create initech bob --claim email=bob@example.com --claim email_verified=true", 0, "bob", "", ""},
	{"a password is needed", "", "user create initech dave", 1, "password", "", ""},
	{"unless the user has none", "", "user create initech eve --no-password", 0, "eve", "", ""},
	{"a password is checked", "short\n", "user create initech dave", 1, "shorter than 8", "", ""},
	{"a user name is taken", "correct horse battery staple\n", "user create initech BOB", 1, "taken", "", ""},
	{"a claim is checked", "correct horse battery staple\n", "user create initech dave --claim email=nobody", 1, "wrong type", "", ""},
	{"users are imported", `{"users": [{"username": "frank", "password_hash": "$pbkdf2-sha256$i=1000$c2l4dGVlbiBieXRlIHNhbA$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"},
			{"username": "grace", "enabled": false}]}`, "user import initech -", 0, "grace", "", ""},
	{"an import is all or none, and all of its faults are told", `{"users": [{"username": "heidi"}, {"username": "FRANK"}, {"username": "ivan", "password_hash": "md5"}]}`,
		"user import initech -", 1, "users/2/password_hash", "", ""},
	{"so nobody of it is there", "", "user show initech heidi", 3, "no such account", "", ""},
	{"a file of users is checked", `{"users": [{"username": "heidi", "sub": "x"}]}`, "user import initech -", 1, "#/users/0/sub is unknown", "", ""},
	{"and is one", `[]`, "user import initech -", 1, "not a JSON object", "", ""},
	{"users are listed", "", "user list initech", 0, "bob", "", ""},
	{"a user gets a link to set a password", "", "user password-link initech bob", 0, "/t/initech/login/password/", "", ""},
	{"a user is shown", "", "user show initech bob", 0, "bob@example.com", "", ""},
	{"a password is changed", "correct horse battery staple 2\n", "user set-password initech bob", 0, "new password", "", ""},
	{"a user is disabled", "", "user disable initech bob", 0, "disabled", "", ""},
	{"a disabled user is shown as that", "", "user show initech bob -o json", 0, `"enabled": false`, "", ""},
	{"a user is enabled", "", "user enable initech bob", 0, "enabled", "", ""},
	{"a user is not deleted by accident", "", "user delete initech bob", 2, "--yes", "", ""},
	{"a user is deleted", "", "user delete initech bob --yes", 0, "deleted", "", ""},
	{"a deleted user is not there", "", "user show initech bob", 3, "no such account", "", ""},

	{"a user changes name and claims", "", "user change initech eve --username mallory --claims {{\"name\":\"Mallory\"}", 0, "Mallory", "", ""},
	{"a user gets a user code", "4711-x\n", "user set-user-code initech mallory", 0, "new user code", "", ""},
	{"and is told to have one", "", "user show initech mallory -o json", 0, `"has_user_code": true`, "", ""},
	{"which is taken away", "", "user set-user-code initech mallory --none", 0, "user code", "", ""},
	{"a user has no second factor", "", "user totp initech mallory", 0, "none", "", ""},
	{"is given one", "", "user enrol-totp initech mallory", 0, "otpauth://totp/", "", ""},
	{"which a wrong code does not confirm", "", "user confirm-totp initech mallory --code 00000", 1, "", "", ""},
	{"and which can be taken away", "", "user reset-totp initech mallory --yes", 0, "without a second factor", "", ""},
	{"sessions are listed", "", "session list initech", 0, "SIGNED IN", "", ""},
	{"a session that is not there is not shown", "", "session show initech none-such", 3, "no such session", "", ""},
	{"nor ended", "", "session end initech none-such", 3, "no such session", "", ""},
	{"all of a subject are", "", "session end initech --sub someone", 0, "all sessions of someone", "", ""},
	{"one or all is said", "", "session end initech", 2, "--sub", "", ""},
	{"grants are listed", "", "grant list initech someone", 0, "CLIENT", "", ""},
	{"one that is not there is not revoked", "", "grant revoke initech none-such", 3, "no such grant", "", ""},
	{"all of a subject are", "", "grant revoke initech --sub someone --client doc", 0, "all grants of someone", "", ""},

	{"a client is made", "", "client create initech --name App --redirect-uri https://app.example/cb", 0, "client secret", `cid=client id +(\S+)`, ""},
	{"a client is checked", "", "client create initech --redirect-uri http://app.example/cb", 1, "", "", ""},
	{"a client comes from a document", `{"client_name": "Doc", "grant_types": ["client_credentials"], "response_types": []}`,
		"client create initech --metadata - --id doc", 0, "doc", "", ""},
	{"clients are listed", "", "client list initech", 0, "App", "", ""},
	{"a client's secret is shown once", "", "client show initech {cid} -o json", 0, "App", "", `client_secret"`},
	{"its metadata are replaced", `{"client_name": "Doc 2", "grant_types": ["client_credentials"], "response_types": []}`, "client replace initech doc -", 0, "Doc 2", "", ""},
	{"a secret is rotated", "", "client rotate-secret initech {cid}", 0, "client secret", "", ""},
	{"a client is disabled", "", "client disable initech {cid}", 0, "disabled", "", ""},
	{"a disabled client is shown as that", "", "client show initech {cid}", 0, "App", "", ""},
	{"a client is enabled", "", "client enable initech {cid}", 0, "enabled", "", ""},
	{"a client is deleted", "", "client delete initech {cid} --yes", 0, "deleted", "", ""},
	{"a deleted client is not there", "", "client show initech {cid}", 3, "no such client", "", ""},

	{"usage is told by day", "", "usage tokens initech --group-by client", 0, "TOKENS", "", ""},
	{"and by what it can be told apart", "", "usage tokens initech --group-by moon", 1, "?group_by", "", ""},
	{"so are users who came", "", "usage users initech", 0, "MONTH", "", ""},
	{"and what all tenants used", "", "usage all --group-by tenant", 0, "TENANT", "", ""},
	{"a scope value is described", `{"description": "Read orders", "advertised": true}`, "scope set initech orders -", 0, "Read orders", "", ""},
	{"scope values are listed", "", "scope list initech", 0, "orders", "", ""},
	{"a scope value is shown", "", "scope show initech orders", 0, "Read orders", "", ""},
	{"and deleted", "", "scope delete initech orders", 0, "deleted", "", ""},
	{"an alias is added", "", "alias add initech https://login.initech.example", 0, "login.initech.example", `aid=(?m)^id +(\S+)`, ""},
	{"of one tenant alone", "", "alias add acme https://login.initech.example", 1, "taken", "", ""},
	{"aliases are listed", "", "alias list initech", 0, "login.initech.example", "", ""},
	{"an alias is removed", "", "alias remove initech {aid}", 0, "removed", "", ""},
	{"a script is saved", "exports.onChallenge = (event, api) => api.next('otp_required')", "script save initech login - --note first", 0, "first", "", ""},
	{"what is no JavaScript is not", "exports.onChallenge = (", "script save initech login -", 1, "SyntaxError", "", ""},
	{"scripts are listed", "", "script list initech", 0, "login", "", ""},
	{"a script is tried out", `{"parameters": {}}`, "script test initech login --event -", 0, "otp_required", "", ""},
	{"one that cannot do all that it would", "exports.onChallenge = async (event, api) => { if (event.parameters.send) await api.otp.send('x'); api.allow('x', {claims: {iss: 'y'}}) }",
		"script save initech sender -", 0, "sender", "", ""},
	{"a trial tells which hook is missing", `{"parameters": {"send": "1"}}`, "script test initech sender --event -", 0, "the tenant has no hook send_code", "", ""},
	{"a trial tells what the flow would refuse", `{"parameters": {}}`, "script test initech sender --event -", 0, "a claim that says what a token is", "", "allow"},
	{"it is activated", "", "script activate initech login --number 1", 0, "active", "", ""},
	{"nothing ran before", "", "script rollback initech login", 1, "No version was active before", "", ""},
	{"its versions are listed", "", "script versions initech login", 0, "first", "", ""},
	{"a version is shown", "", "script show initech login newest", 0, "otp_required", "", ""},
	{"one that runs is not deleted", "", "script delete initech login --yes", 1, "deactivate it first", "", ""},
	{"it is deactivated", "", "script deactivate initech login", 0, "deactivated", "", ""},
	{"not deleted by accident", "", "script delete initech login", 2, "--yes", "", ""},
	{"and deleted", "", "script delete initech login --yes", 0, "deleted", "", ""},
	{"what scripts wrote is shown", "", "script log initech", 0, "LEVEL", "", ""},
	{"a secret is set", "hush-hush\n", "script set-secret initech key", 0, "set", "", "hush"},
	{"it is listed without its value", "", "script secrets initech", 0, "key", "", "hush"},
	{"it is deleted", "", "script delete-secret initech key", 0, "deleted", "", ""},
	{"a webhook is made", "", "webhook create initech https://hooks.example/x --event user_created --description CRM", 0, "whsec_", `wid=(?m)^id +(\S+)`, ""},
	{"webhooks are listed", "", "webhook list initech", 0, "CRM", "", "whsec_"},
	{"a webhook is shown", "", "webhook show initech {wid}", 0, "hooks.example/x", "", "whsec_"},
	{"and changed", "", "webhook change initech {wid} --event user_deleted", 0, "user_deleted", "", "user_created"},
	{"its secret is rotated", "", "webhook rotate-secret initech {wid} --overlap 60", 0, "whsec_", "", ""},
	{"it is disabled", "", "webhook disable initech {wid}", 0, "disabled", "", ""},
	{"then nothing is sent", "", "webhook test initech {wid}", 1, "disabled", "", ""},
	{"what was given up is listed", "", "webhook messages initech {wid} --state dead", 0, "CAUSE", "", ""},
	{"what is not there is not tried again", "", "webhook replay-message initech {wid} none-such", 1, "disabled", "", ""},
	{"nor is anything else", "", "webhook replay initech {wid}", 1, "disabled", "", ""},
	{"it is forgotten", "", "webhook drop-messages initech {wid}", 0, "messages", "", ""},
	{"it is enabled", "", "webhook enable initech {wid}", 0, "enabled", "", ""},
	{"it is deleted", "", "webhook delete initech {wid}", 0, "deleted", "", ""},

	{"a role is made", "", "role put initech help-desk --permission users:read,audit:read", 0, "users:read", "", ""},
	{"of permissions that there are", "", "role put initech help-desk --permission users:fly", 1, "#/permissions", "", ""},
	{"roles are listed", "", "role list initech", 0, "help-desk", "", ""},
	{"a role is shown", "", "role show initech help-desk", 0, "audit:read", "", ""},
	{"a service account is made", "", "service-account create initech CI --role developer", 0, "developer", `sid=(?m)^id +(\S+)`, ""},
	{"listed", "", "service-account list initech", 0, "CI", "", ""},
	{"changed", "", "service-account change initech {sid} --name Build", 0, "Build", "", ""},
	{"and shown", "", "service-account show initech {sid}", 0, "Build", "", ""},
	{"it gets a role", "", "administrator set initech service:{sid} --role help-desk", 0, "help-desk", "", ""},
	{"administrators are listed", "", "administrator list initech", 0, "service:", "", ""},
	{"and shown", "", "administrator show initech service:{sid}", 0, "users:read", "", ""},
	{"its roles are taken away", "", "administrator remove initech service:{sid}", 0, "no roles", "", ""},
	{"it is deleted", "", "service-account delete initech {sid}", 0, "deleted", "", ""},
	{"a role is deleted", "", "role delete initech help-desk", 0, "deleted", "", ""},

	{"an initial access token is made", "", "initial-token create initech --label partner --uses 5 --expires 72h", 0, "partner", `iid=(?m)^id +(\S+)`, ""},
	{"listed", "", "initial-token list initech", 0, "partner", "", ""},
	{"and revoked", "", "initial-token revoke initech {iid}", 0, "revoked", "", ""},
	{"the keys of tomorrow are shown", "", "key preview initech --at 24h", 0, "jwks uri", "", ""},

	{"keys are listed", "", "key list initech", 0, "ES256", `kid=(\S+) +ES256`, ""},
	{"keys are rotated", "", "key rotate initech --alg ES256", 0, "ES256", "", ""},
	{"a key is revoked", "", "key revoke initech -o json -- {kid}", 0, "ES256", "", "{kid}"},
	{"an unknown algorithm is refused", "", "key rotate initech --alg HS256", 1, "#/alg must be", "", ""},

	{"a token is made", "", "token create initech --label ci --api clients --expires 24h", 0, "chy_", `tid=(?m)^id +(\S+)`, ""},
	{"tokens are listed without themselves", "", "token list initech", 0, "ci", "", "chy_"},
	{"a token of the administration names its tenant", "", "token create initech --role developer", 0, "chy_initech.", "", ""},
	{"what happened is listed", "", "audit list initech --kind api_token_created", 0, "api_token_created", "", ""},
	{"what happened is exported", "", "audit export initech", 0, `"kind":"tenant_created"`, "", ""},
	{"what happened is checked", "", "audit verify initech -o json", 0, `"intact": true`, "", ""},
	{"a head that never was is missed", "", "audit verify initech --head 00", 1, "the head is not in the chain", "", ""},
	{"a token for an unknown API is refused", "", "token create initech --api everything", 1, "apis", "", ""},
	{"a token is revoked", "", "token revoke initech {tid}", 0, "revoked", "", ""},
	{"a revoked token is not there", "", "token revoke initech {tid}", 3, "no such API token", "", ""},

	{"a first administrator gets a link", "", "admin bootstrap --username root", 0, "/t/platform/login/password/", "", ""},
	{"and another, once more", "", "admin bootstrap --username root -o json", 0, `"principal": "user:`, "", ""},
	{"what is owed is listed", "", "outbox list initech", 0, "TARGET", "", ""},
	{"what was given up is tried again", "", "outbox replay initech --all", 0, "0 due again", "", ""},
	{"which has to be said", "", "outbox replay initech", 2, "--all", "", ""},
	{"or dropped", "", "outbox drop initech --target https://rp.example --yes", 0, "0 dropped", "", ""},

	{"a tenant is disabled", "", "tenant disable initech", 0, "disabled", "", ""},
	{"then it has no clients", "", "client list initech", 1, "disabled", "", ""},
	{"a tenant is enabled", "", "tenant enable initech", 0, "enabled", "", ""},
	{"a tenant is deleted", "", "tenant delete initech --yes", 0, "deleted", "", ""},
	{"it is not there", "", "tenant show initech", 3, "no such tenant", "", ""},
	{"a tenant comes back", "", "tenant restore initech", 0, "restored", "", ""},
	{"for the last time", "", "tenant delete initech --yes --now", 0, "deleted", "", ""},
	{"it does not come back", "", "tenant restore initech", 3, "no such deleted tenant", "", ""},
	{"an unknown command is refused", "", "tenant annihilate initech", 2, "annihilate", "", ""},
}

// operate runs them all with flags that say where, and returns what they answered.
func (p *program) operate(url string) []string {
	kept := map[string]string{"url": url, "{": "{"}
	fill := func(s string) string {
		for name, value := range kept {
			s = strings.ReplaceAll(s, "{"+name+"}", value)
		}
		return strings.ReplaceAll(s, "{{", "{")
	}
	var answers []string
	for _, c := range handiwork {
		// The flags of the database come before --, which would hide them.
		args := strings.Fields(fill(c.args))
		at := len(args)
		if i := slices.Index(args, "--"); i >= 0 {
			at = i
		}
		whole := &program{t: p.t}
		r := whole.run(c.stdin, slices.Insert(args, at, p.flags...)...)
		said := r.stdout
		if c.code != 0 {
			said = r.err
		}
		if r.code != c.code || !strings.Contains(said, fill(c.says)) || c.lacks != "" && strings.Contains(said, fill(c.lacks)) {
			p.t.Errorf("%s: exit code %d, %q, %q; want %d that says %q and not %q", c.rule, r.code, r.stdout, r.err, c.code, fill(c.says), fill(c.lacks))
		}
		if name, pattern, ok := strings.Cut(c.keep, "="); ok {
			m := regexp.MustCompile(pattern).FindStringSubmatch(said)
			if m == nil {
				p.t.Fatalf("%s: there is no %s in %q", c.rule, pattern, said)
			}
			kept[name] = m[1]
		}
		answers = append(answers, r.stdout+r.err)
	}
	return answers
}

// masks are what differs between two runs of the same commands.
var masks = []struct{ pattern, with string }{
	{`127\.0\.0\.1:\d+`, "HOST"},
	{`"address": ?"127\.0\.0\.1",?\s*`, ""},
	{`(?m)^jwks .*\n`, ""}, // in the order of ids, which are random
	{`(?m)^address +127\.0\.0\.1\n`, ""},
	{`"(events|seals)": \d+`, "COUNT"}, // a server keeps its house meanwhile
	{`\d{4}-\d\d-\d\dT[\d:.]+Z`, "TIME"},
	{`"?\b(\d{15,}|\d{10})\b"?`, "VERSION"},
	{`[A-Za-z0-9_+/=.-]{20,}|command line`, "RANDOM"},
	{`token:RANDOM`, "RANDOM"},
	{`  +(127\.0\.0\.1|-)  +`, " "},
	{`[ -]+`, " "},
}

// masked is an answer without what differs between two runs, its lines in order: what is listed by random ids is not.
func masked(answer string) string {
	for _, m := range masks {
		answer = regexp.MustCompile(m.pattern).ReplaceAllString(answer, m.with)
	}
	lines := strings.Split(answer, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Every command does the same over the database beside it and over HTTP: there is no second way in.
func TestCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	run := map[string]bool{}
	for _, c := range handiwork {
		args := strings.Fields(c.args)
		for i := range args {
			run[strings.Join(args[:i+1], " ")] = true
		}
	}
	for _, r := range rows {
		if !run[r.words] {
			t.Errorf("nobody tries %s", r.words)
		}
	}
	dir := t.TempDir()
	p := &program{t: t, flags: []string{"--data", dir}}
	if r := p.run("", "tenant", "list"); r.code != 1 || !strings.Contains(r.err, "no database") || r.stdout != "" {
		t.Errorf("without a database: %+v", r)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("a command that failed left %v, %v", entries, err)
	}
	b := p.serve(dir)
	if b.Tenants[0].Issuer != b.PublicURL+"/t/acme" {
		t.Errorf("the server is at %s, and its tenant at %s", b.PublicURL, b.Tenants[0].Issuer)
	}
	if r := p.run("", "tenant", "create", "hooli", "--public-url", "https://id.example"); !strings.Contains(r.stdout, "https://id.example/t/hooli") {
		t.Errorf("a tenant below another URL: %+v", r)
	}
	here := p.operate(b.PublicURL)

	far := t.TempDir()
	s := &program{t: t, flags: []string{"--data", far}}
	at := s.serve(far)
	s.run("", "tenant", "create", "hooli", "--public-url", "https://id.example")
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(at.AdminToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	there := (&program{t: t, flags: []string{"--server", at.PublicURL, "--token-file", file}}).operate(at.PublicURL)
	for i, c := range handiwork {
		if a, b := masked(here[i]), masked(there[i]); a != b {
			t.Errorf("%s: beside the database\n%s\nover HTTP\n%s", c.rule, a, b)
		}
	}
}
