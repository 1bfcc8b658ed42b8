package connect2id

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/logout"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/flows/sts"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/persistence/postgres"
	"github.com/chancery-id/chancery/persistence/sqlite"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/tenant/outbound"
	"github.com/chancery-id/chancery/web/console"
	"github.com/chancery-id/chancery/web/oidc"
	"github.com/chancery-id/chancery/web/wire"
)

// engines are the open databases: SQLite, and PostgreSQL where there is one.
var engines map[string]*persistence.DB

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "connect2id")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	sealer, err := keys.NewSealer(make([]byte, 32))
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	lite, err := sqlite.Open(ctx, filepath.Join(dir, "test.db"), sqlite.Options{Sealer: sealer})
	if err != nil {
		panic(err)
	}
	defer lite.Close()
	engines = map[string]*persistence.DB{"SQLite": lite}
	if dsn := os.Getenv(databaseURL); dsn != "" {
		db, err := postgres.Open(ctx, postgres.Options{DSN: dsn, Sealer: sealer})
		if err != nil {
			panic(err)
		}
		defer db.Close()
		engines["PostgreSQL"] = db
	}
	return m.Run()
}

// each runs a test on every engine, each time in a world of its own.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	_ = os.Getenv(databaseURL) // here the test cache sees it
	for name, db := range engines {
		t.Run(name, func(t *testing.T) { test(t, newWorld(t, db)) })
	}
}

const databaseURL = "CHANCERY_TEST_DATABASE_URL"

// world is a server with two tenants, acme and globex, that have clients of the same ids, and a clock that only moves
// when told to.
type world struct {
	http.Handler
	db      *persistence.DB
	store   *fault
	tenants directory
	site    *site
	now     atomic.Pointer[time.Time]
}

// site is where the hooks of tenants are served: it keeps the last event, and answers as it is told to.
type site struct {
	mu     sync.Mutex
	asked  []byte
	status int
	answer string
}

func (s *site) post(_ context.Context, _, _ string, content outbound.Content, _ int64) ([]byte, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = content.Body
	if s.status != http.StatusOK {
		return nil, "", fmt.Errorf("%w: %w", outbound.ErrFailed, outbound.Status(s.status))
	}
	return []byte(s.answer), "application/json", nil
}

// noon is 1772366400 Unix seconds.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func (w *world) clock() time.Time { return *w.now.Load() }

func (w *world) move(d time.Duration) {
	at := w.clock().Add(d)
	w.now.Store(&at)
}

// fault is a store that fails when told to. before, if set, is called once by Finish.
type fault struct {
	authorize.Store
	mu     sync.Mutex
	err    error
	before func()
}

func (f *fault) failWith(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fault) failure() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *fault) Load(ctx context.Context, t tenant.ID, now time.Time, hash []byte) (*authorize.Interaction, error) {
	if err := f.failure(); err != nil {
		return nil, err
	}
	return f.Store.Load(ctx, t, now, hash)
}

func (f *fault) Finish(ctx context.Context, t tenant.ID, now time.Time, e authorize.FinishEffect) ([]tenant.Revocation, error) {
	if err := f.failure(); err != nil {
		return nil, err
	}
	if f.before != nil {
		f.before()
		f.before = nil
	}
	return f.Store.Finish(ctx, t, now, e)
}

func (f *fault) Begin(ctx context.Context, t tenant.ID, i authorize.Interaction, touch *session.Session) error {
	if err := f.failure(); err != nil {
		return err
	}
	return f.Store.Begin(ctx, t, i, touch)
}

// directory is a resolver over tenants by the name their callers use.
type directory map[string]*tenant.Tenant

func (d directory) Resolve(_ context.Context, names ...tenant.Name) (*tenant.Tenant, error) {
	if len(names) == 0 {
		return nil, tenant.ErrUnnamed
	}
	var found *tenant.Tenant
	for i, n := range names {
		t := d[n.ID+n.Issuer]
		switch {
		case t == nil && len(names) == 1:
			return nil, tenant.ErrUnknown
		case t == nil, i > 0 && t != found:
			return nil, tenant.ErrContradiction
		}
		found = t
	}
	return found, nil
}

func (directory) Healthy(time.Time) error { return nil }

type registry map[string]*tenant.Client

func (r registry) Client(_ context.Context, id string) (*tenant.Client, error) {
	if c := r[id]; c != nil {
		return c, nil
	}
	return nil, tenant.ErrNoClient
}

// shelf finds clients among those that are there from the beginning, and those that were registered since.
type shelf struct {
	registry
	db *persistence.DB
	id tenant.ID
}

func (s shelf) Client(ctx context.Context, id string) (*tenant.Client, error) {
	if c, err := s.registry.Client(ctx, id); err == nil {
		return c, nil
	}
	return s.db.Client(ctx, s.id, id)
}

// keysOf are the keys of the tenant of that name, of RS256 and ES256.
var keysOf = map[string]func() *keys.Set{"acme": sync.OnceValue(newKeys), "globex": sync.OnceValue(newKeys)}

func newKeys() *keys.Set {
	var ks []keys.Key
	for _, alg := range []keys.Alg{keys.RS256, keys.ES256} {
		k, err := keys.Generate(alg, rand.Reader, noon)
		if err != nil {
			panic(err)
		}
		ks = append(ks, k)
	}
	return keys.NewSet(ks)
}

// clients are those of the documents' examples, and some of our own.
func clients() registry {
	code := []string{"authorization_code", "refresh_token"}
	cb := []string{"https://client.example.org/cb"}
	h := sha256.Sum256([]byte("secret"))
	secret := []tenant.ClientSecret{{Hash: h[:]}}
	r := registry{}
	for _, c := range []*tenant.Client{
		{ID: "s6BhdR", Metadata: tenant.Metadata{RedirectURIs: cb, GrantTypes: code}},
		{ID: "8cc2043", Secrets: secret, Metadata: tenant.Metadata{RedirectURIs: cb, GrantTypes: code, Name: "My Web Store", URI: "http://my-web-store.com",
			LogoURI: "http://my-web-store.com/logo.jpg", PolicyURI: "http://my-web-store.com/privacy-policy.html", TOSURI: "http://my-web-store.com/tos.html",
			Scope: "openid profile email app:write", Contacts: []string{"ops@my-web-store.com"}, SoftwareID: "store", SoftwareVersion: "2",
			Data: json.RawMessage(`{"tier":"gold"}`), Localized: map[string]string{
				"client_name#es": "Mi tienda virtual", "client_uri#es": "http://my-web-store.com/es", "logo_uri#es": "http://my-web-store.com/es/logo.jpg",
				"policy_uri#es": "http://my-web-store.com/es/privacy-policy.html", "tos_uri#es": "http://my-web-store.com/es/tos.html"}}},
		{ID: "app", Metadata: tenant.Metadata{RedirectURIs: []string{"http://127.0.0.1/cb"}, ApplicationType: "native", TokenEndpointAuthMethod: "none"}},
		{ID: "stranger", SelfRegistered: true, Metadata: tenant.Metadata{RedirectURIs: cb}},
		{ID: "plain", Secrets: secret, Metadata: tenant.Metadata{RedirectURIs: cb, IDTokenAlg: "ES256", RequireAuthTime: true,
			PostLogoutRedirectURIs: []string{"https://client.example.org/bye"}, FrontchannelLogoutURI: "https://client.example.org/out"}},
		{ID: "resource", Secrets: secret, Metadata: tenant.Metadata{GrantTypes: []string{"client_credentials"}, Audience: []string{"http://app1.example.com"}}},
		{ID: "legacy", Metadata: tenant.Metadata{RedirectURIs: cb, IDTokenAlg: "ES384"}},
		{ID: "bank", Secrets: secret, Metadata: tenant.Metadata{Name: "Bank", GrantTypes: []string{oauth.CIBA, "refresh_token"}, BackchannelMode: "poll"}},
		{ID: "shop", Secrets: secret, Metadata: tenant.Metadata{GrantTypes: []string{oauth.CIBA}, BackchannelMode: "poll"}},
		{ID: "closed", Disabled: true, Metadata: tenant.Metadata{RedirectURIs: cb}},
	} {
		r[c.ID] = c
	}
	return r
}

// delegates are clients that sign with keys: one has registered the tenant's as its own, one has not.
func delegates(r registry, own *keys.Set) {
	other, err := maker{}.Generate(keys.ES256, noon.Add(-time.Minute))
	if err != nil {
		panic(err)
	}
	for id, set := range map[string]*keys.Set{"delegate": own, "signer": keys.NewSet([]keys.Key{other})} {
		r[id] = &tenant.Client{ID: id, Metadata: tenant.Metadata{RedirectURIs: []string{"https://client.example.org/cb"}, BackchannelMode: "poll",
			GrantTypes: []string{"authorization_code", "client_credentials", oauth.CIBA}, TokenEndpointAuthMethod: "private_key_jwt", JWKS: set.JWKS(noon)}}
	}
}

// maker makes keys.
type maker struct{}

func (maker) Generate(alg keys.Alg, now time.Time) (keys.Key, error) {
	return keys.Generate(alg, rand.Reader, now)
}

// apiToken is an API token of the tenant of that name, for what it says.
func apiToken(tenantName, what string) string { return "chy_" + tenantName + "_" + what }

func newWorld(t *testing.T, db *persistence.DB) *world {
	t.Helper()
	w := &world{db: db, store: &fault{Store: db}, tenants: directory{}, site: &site{}}
	w.now.Store(&noon)
	for _, name := range []string{"acme", "globex"} {
		b := make([]byte, 32)
		_, _ = rand.Read(b)
		secret, err := keys.NewSecret(b)
		if err != nil {
			t.Fatal(err)
		}
		ten := &tenant.Tenant{ID: tenant.ID(name + "-" + hex.EncodeToString(b[:6])), Issuer: "https://id." + name + ".example", Settings: &tenant.Settings{}, Secret: secret,
			Keys: keysOf[name](), Revoked: tenant.NewJournal()}
		known := clients()
		delegates(known, ten.Keys)
		ten.Clients = shelf{known, db, ten.ID}
		for what, k := range map[string]tenant.APIToken{
			"authz":    {APIs: []tenant.API{tenant.AuthzAPI}},
			"sessions": {APIs: []tenant.API{tenant.SessionAPI}},
			"logout":   {APIs: []tenant.API{tenant.LogoutAPI}},
			"grants":   {APIs: []tenant.API{tenant.GrantAPI}},
			"keys":     {APIs: []tenant.API{tenant.KeyAPI}},
			"clients":  {APIs: []tenant.API{tenant.ClientAPI}},
			"jar":      {APIs: []tenant.API{tenant.RequestObjectAPI}},
			"pkj":      {APIs: []tenant.API{tenant.ClientAssertionAPI}},
			"hint":     {APIs: []tenant.API{tenant.LoginHintAPI}},
			"all":      {APIs: []tenant.API{tenant.AllAPIs}},
			"other":    {APIs: []tenant.API{tenant.MonitorAPI}},
			"expired":  {APIs: []tenant.API{tenant.AuthzAPI}, ExpiresAt: noon},
		} {
			h := sha256.Sum256([]byte(apiToken(name, what)))
			k.ID, k.Hash = what, h[:]
			ten.Tokens = append(ten.Tokens, k)
		}
		w.tenants[name], w.tenants[ten.Issuer] = ten, ten
		own, err := maker{}.Generate(keys.ES256, noon.Add(-time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.CreateTenant(t.Context(), tenant.Record{ID: ten.ID, Issuer: "https://" + string(ten.ID) + ".example", Enabled: true, Keys: []keys.Key{own},
			Secret: secret, CreatedAt: noon, UpdatedAt: noon}, audit.Event{}); err != nil {
			t.Fatal(err)
		}
	}
	operator := &tenant.Tenant{ID: tenant.Platform}
	for what, api := range map[string]tenant.API{"monitor": tenant.MonitorAPI, "console": tenant.ConsoleAPI, "operator": tenant.AdminAPI} {
		h := sha256.Sum256([]byte(apiToken("platform", what)))
		operator.Tokens = append(operator.Tokens, tenant.APIToken{ID: what, Hash: h[:], APIs: []tenant.API{api}})
	}
	w.tenants[string(tenant.Platform)] = operator
	issuer := &grant.Issuer{Now: w.clock, Rand: rand.Reader}
	sessions := &session.Service{Now: w.clock, Rand: rand.Reader, Store: db, Register: db}
	accounts := &account.Service{Store: db, Factors: db, Now: w.clock, Rand: rand.Reader}
	hooks := &script.Runner{Webhook: &script.Webhook{Now: w.clock, Rand: rand.Reader, Post: w.site.post}}
	issuer.Sources, issuer.Accounts = &access.Sources{Now: w.clock, Hooks: hooks, Sessions: sessions}, accounts
	metrics := NewMetrics(w.clock)
	gate := &wire.Gate{Sink: metrics, Resolver: w.tenants, Now: w.clock, PublicURL: &url.URL{Scheme: "https", Host: "id.example"}}
	clientKeys := tenant.NewClientKeys(w.clock, nil)
	requests := &request.Service{Now: w.clock, Keys: clientKeys, Replay: db, ResponseTypes: authorize.ResponseTypes(), ResponseModes: authorize.ResponseModes(),
		Hint: func(_ context.Context, _ *tenant.Tenant, _ *tenant.Client, token string) (string, error) {
			if sub, ok := strings.CutPrefix(token, "hint-of-"); ok {
				return sub, nil
			}
			return "", errors.New("no ID token of ours")
		}}
	backchannel := &ciba.Service{Now: w.clock, Requests: requests, Accounts: accounts, Issuer: issuer, Store: db, Managed: db, Register: db, Sessions: sessions}
	questions := &access.Service{Now: w.clock, Issuer: issuer, Grants: db, Register: db, Accounts: accounts, Hooks: hooks}
	registry := &registration.Service{Store: db, Initial: db, Access: questions, Grants: db, Granted: db, Now: w.clock, Rand: rand.Reader,
		GrantTypes: token.GrantTypes(), ResponseTypes: authorize.ResponseTypes()}
	w.Handler = gate.Handler(&oidc.Door{Clients: registry, Changed: func(context.Context) error { return nil }, Now: w.clock, ClientAuth: &clientauth.Service{Now: w.clock, Keys: clientKeys, Replay: db}, CIBA: backchannel,
		Tokens: &token.Service{Now: w.clock, Issuer: issuer, Grants: db, Sessions: db, Accounts: accounts, CIBA: backchannel},
		Access: questions,
	}, &console.Door{Console: &admin.Console{Store: db, Access: db, Keys: maker{}, Now: w.clock, Rand: rand.Reader, PublicURL: gate.PublicURL}}, &Door{Now: w.clock, Metrics: metrics, Healthy: func(ctx context.Context) error { return errors.Join(w.store.failure(), db.Ping(ctx)) }, Console: &admin.Console{Store: db, Keys: maker{}, Now: w.clock, Rand: rand.Reader}, CIBA: backchannel, Access: questions, STS: &sts.Service{Now: w.clock, Rand: rand.Reader, Keys: clientKeys}, Logout: &logout.Service{Issuer: issuer, Sessions: sessions}, Authorize: &authorize.Service{
		Now: w.clock, Rand: rand.Reader, Store: w.store, Issuer: issuer, Accounts: accounts, Sessions: sessions,
		Requests: requests}})
	return w
}

// call is a request as the login UI of acme makes it, changed by change, which may be nil.
func (w *world) call(method, path, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body == "" {
		r.Body = http.NoBody
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+apiToken("acme", "authz"))
	r.Header.Set("Tenant-ID", "acme")
	if change != nil {
		change(r)
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

// grantOf returns the grant behind a code of acme.
func (w *world) grantOf(t *testing.T, code string) *grant.Grant {
	t.Helper()
	id, ok := grant.ParseCode(code)
	if !ok {
		t.Fatalf("%q is no code", code)
	}
	g, err := w.db.Grant(context.Background(), w.tenants["acme"].ID, id)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// errorOf returns error and error_description of an answer.
func errorOf(rec *httptest.ResponseRecorder) string {
	var e struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &e); err != nil {
		return "not JSON: " + rec.Body.String()
	}
	return strings.TrimSuffix(e.Error+": "+e.Description, ": ")
}

// sidOf returns the sid of the prompt in an answer, or fails.
func sidOf(t *testing.T, rec *httptest.ResponseRecorder) string {
	t.Helper()
	var p struct {
		SID string `json:"sid"`
	}
	if rec.Code != http.StatusOK || json.Unmarshal(rec.Body.Bytes(), &p) != nil || p.SID == "" {
		t.Fatalf("no prompt: %d %s", rec.Code, rec.Body)
	}
	return p.SID
}

// start is the body that hands over a request of client s6BhdR with more parameters.
func start(query string) string {
	b, _ := json.Marshal(map[string]string{"query": "response_type=code&scope=openid%20email&client_id=s6BhdR&state=af0ifjsldkj&redirect_uri=https%3A%2F%2Fclient.example.org%2Fcb" + query})
	return string(b)
}

// atLogin returns the sid of a session of acme that waits for authentication.
func (w *world) atLogin(t *testing.T, version string) string {
	t.Helper()
	return sidOf(t, w.call("POST", "/authz-sessions/rest/"+version, start(""), nil))
}

// atConsent returns the sid of a session of acme that waits for the consent of alice.
func (w *world) atConsent(t *testing.T, version string) string {
	t.Helper()
	return sidOf(t, w.call("PUT", "/authz-sessions/rest/"+version+"/"+w.atLogin(t, version), `{"sub":"alice"}`, nil))
}

// hashOf is how the store knows a handle.
func hashOf(handle string) []byte {
	h := sha256.Sum256([]byte(handle))
	return h[:]
}
