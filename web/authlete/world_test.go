package authlete

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
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
	"github.com/chancery-id/chancery/flows/device"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/proof"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/persistence/postgres"
	"github.com/chancery-id/chancery/persistence/sqlite"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/web/wire"
)

// engines are the open databases: SQLite, and PostgreSQL where there is one. They are opened by the first test that needs
// them, and not before, so that the result of a test that ran without PostgreSQL is not taken for one that ran with it.
var engines = sync.OnceValue(func() map[string]*persistence.DB {
	sealer, err := keys.NewSealer(make([]byte, 32))
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	lite, err := sqlite.Open(ctx, filepath.Join(directory, "test.db"), sqlite.Options{Sealer: sealer})
	if err != nil {
		panic(err)
	}
	dbs := map[string]*persistence.DB{"SQLite": lite}
	if dsn := os.Getenv("CHANCERY_TEST_DATABASE_URL"); dsn != "" {
		if dbs["PostgreSQL"], err = postgres.Open(ctx, postgres.Options{DSN: dsn, Sealer: sealer}); err != nil {
			panic(err)
		}
	}
	return dbs
})

// directory is where SQLite keeps its file.
var directory string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if directory, err = os.MkdirTemp("", "authlete"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(directory)
	defer func() {
		for _, db := range engines() {
			db.Close()
		}
	}()
	return m.Run()
}

// each runs a test on every engine, each time in a world of its own.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	for name, db := range engines() {
		t.Run(name, func(t *testing.T) { test(t, newWorld(t, db)) })
	}
}

// once runs a test of what no engine has a part in, on one of them.
func once(t *testing.T, test func(t *testing.T, w *world)) { test(t, newWorld(t, engines()["SQLite"])) }

// world is a server with the platform and two tenants, acme and globex, that have clients of the same aliases, and a
// clock that only moves when told to.
type world struct {
	http.Handler
	door    *Door
	db      *persistence.DB
	store   *failing
	mu      sync.Mutex // of tenants
	tenants map[string]*tenant.Tenant
	now     atomic.Pointer[time.Time]
}

// noon is 1772366400 Unix seconds.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func (w *world) clock() time.Time { return *w.now.Load() }

func (w *world) move(d time.Duration) {
	at := w.clock().Add(d)
	w.now.Store(&at)
}

// failing is a store that fails when told to.
type failing struct {
	authorize.Store
	err atomic.Pointer[error]
}

func (f *failing) Load(ctx context.Context, t tenant.ID, now time.Time, hash []byte) (*authorize.Interaction, error) {
	if err := f.err.Load(); err != nil {
		return nil, *err
	}
	return f.Store.Load(ctx, t, now, hash)
}

// Resolve finds a tenant by any of its names.
func (w *world) Resolve(_ context.Context, names ...tenant.Name) (*tenant.Tenant, error) {
	if len(names) == 0 {
		return nil, tenant.ErrUnnamed
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var found *tenant.Tenant
	for i, n := range names {
		t := w.tenants[n.ID+n.Issuer+n.ServiceID]
		if t == nil {
			t = w.made(n)
		}
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

// made is a tenant that was made meanwhile, or nil.
func (w *world) made(n tenant.Name) *tenant.Tenant {
	ctx := context.Background()
	id, err := w.db.Find(ctx, n)
	if err != nil || id == tenant.Platform {
		return nil
	}
	r, err := w.db.Tenant(ctx, id)
	if err != nil {
		return nil
	}
	return w.enter(r, r.Settings)
}

// enter makes a tenant known by all its names.
func (w *world) enter(r *tenant.Record, s tenant.Settings) *tenant.Tenant {
	ten := &tenant.Tenant{ID: r.ID, ServiceID: r.ServiceID, Issuer: r.Issuer, Settings: &s, Keys: keys.NewSet(r.Keys), Secret: r.Secret, Tokens: r.Tokens,
		Clients: registry{w.db, r.ID}, Revoked: tenant.NewJournal()}
	for _, n := range []string{string(ten.ID), ten.Issuer, strconv.FormatInt(ten.ServiceID, 10)} {
		w.tenants[n] = ten
	}
	return ten
}

// Refresh sees what was changed in the database.
func (w *world) Refresh(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := map[*tenant.Tenant]*tenant.Tenant{}
	for name, t := range w.tenants {
		if t.ID == tenant.Platform {
			continue
		}
		if seen[t] == nil {
			r, err := w.db.Tenant(ctx, t.ID)
			if errors.Is(err, tenant.ErrUnknown) {
				delete(w.tenants, name)
				continue
			}
			if err != nil {
				return err
			}
			now := *t
			now.Settings, now.Keys = &r.Settings, keys.NewSet(r.Keys)
			seen[t] = &now
		}
		w.tenants[name] = seen[t]
	}
	return nil
}

// set gives acme these settings.
func (w *world) set(t *testing.T, s tenant.Settings) {
	t.Helper()
	acme := w.tenants["acme"]
	r, err := w.db.Tenant(t.Context(), acme.ID)
	if err == nil {
		err = w.db.UpdateTenant(t.Context(), acme.ID, r.Version, s, true, noon, audit.Event{})
	}
	if err == nil {
		err = w.Refresh(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Healthy says that all changes are seen.
func (w *world) Healthy(time.Time) error { return nil }

// registry looks up the clients of a tenant.
type registry struct {
	db *persistence.DB
	t  tenant.ID
}

func (r registry) Client(ctx context.Context, id string) (*tenant.Client, error) {
	return r.db.Client(ctx, r.t, id)
}

// madeKeys are the keys of all tenants: making them takes long.
var madeKeys = sync.OnceValues(func() ([]keys.Key, error) {
	var ks []keys.Key
	for i, alg := range []keys.Alg{keys.ES256, keys.RS256} {
		k, err := keys.Generate(alg, rand.Reader, noon.Add(time.Duration(i-2)*time.Minute))
		if err != nil {
			return nil, err
		}
		ks = append(ks, k)
	}
	return ks, nil
})

// Secrets that the tests know.
const (
	adminToken    = "chy_admin"
	clientsSecret = "a-secret-of-more-than-32-characters"
)

// apiTokens are the tokens of each tenant, by what they are for.
var apiTokens = map[string]tenant.APIToken{
	"api":     {APIs: []tenant.API{tenant.ServiceAPI}},
	"all":     {APIs: []tenant.API{tenant.AllAPIs}},
	"other":   {APIs: []tenant.API{tenant.MonitorAPI}},
	"expired": {APIs: []tenant.API{tenant.ServiceAPI}, ExpiresAt: noon},
}

func hashed(tenantName, what string) tenant.APIToken {
	k := apiTokens[what]
	h := sha256.Sum256([]byte("chy_" + tenantName + "_" + what))
	k.ID, k.Hash = what, h[:]
	return k
}

func newWorld(t *testing.T, db *persistence.DB) *world {
	t.Helper()
	w := &world{db: db, store: &failing{Store: db}, tenants: map[string]*tenant.Tenant{}}
	w.now.Store(&noon)
	adminHash := sha256.Sum256([]byte(adminToken))
	w.tenants["platform"] = &tenant.Tenant{ID: tenant.Platform, Settings: &tenant.Settings{}, Tokens: []tenant.APIToken{
		{ID: "admin", Hash: adminHash[:], APIs: []tenant.API{tenant.AdminAPI}}, hashed("platform", "all")}}
	clients := &registration.Service{Store: db, Numbers: db, Now: w.clock, Rand: rand.Reader, GrantTypes: token.GrantTypes(), ResponseTypes: authorize.ResponseTypes()}
	accounts := &account.Service{Store: db, Factors: db, Now: w.clock, Rand: rand.Reader}
	for _, name := range []string{"acme", "globex"} {
		w.tenants[name] = w.newTenant(t, name)
		w.furnish(t, clients, w.tenants[name])
	}
	clientKeys := tenant.NewClientKeys(w.clock, nil)
	issuer := &grant.Issuer{Now: w.clock, Rand: rand.Reader, Keys: clientKeys}
	requests := &request.Service{Now: w.clock, Rand: rand.Reader, Store: db, ResponseTypes: authorize.ResponseTypes(), ResponseModes: authorize.ResponseModes(),
		Hint: func(ctx context.Context, t *tenant.Tenant, c *tenant.Client, hint string) (string, error) {
			return issuer.ParseIDToken(ctx, t, c.ID, hint)
		}}
	requests.Granted = authorize.ManagedSubject(w.clock, db)
	backchannel := &ciba.Service{Now: w.clock, Requests: requests, Accounts: accounts, Issuer: issuer, Store: db, Managed: db}
	devices := &device.Service{Now: w.clock, Rand: rand.Reader, Requests: requests, Issuer: issuer, Store: db, Decoupled: db, Managed: db, Page: "/device"}
	proofs := &proof.Service{Now: w.clock, Replay: db}
	questions := &access.Service{Now: w.clock, Issuer: issuer, Grants: db, Register: db, Managed: db, Ledger: db, Accounts: accounts, Proofs: proofs}
	public := &url.URL{Scheme: "https", Host: "id.example"}
	gate := &wire.Gate{Resolver: w, Now: w.clock, PublicURL: public}
	w.door = &Door{Now: w.clock, Rand: rand.Reader,
		Authorize: &authorize.Service{Managed: db, Now: w.clock, Rand: rand.Reader, Store: w.store, Issuer: issuer, Requests: requests,
			Sessions: &session.Service{Now: w.clock, Rand: rand.Reader, Store: db}},
		Tokens: &token.Service{Now: w.clock, Issuer: issuer, Grants: db, Records: db, Sessions: db, Accounts: accounts, CIBA: backchannel, Device: devices,
			Passwords: accounts, Access: questions, Keys: clientKeys, Replay: db, Tickets: w.store},
		Access:     questions,
		CIBA:       backchannel,
		Device:     devices,
		Proofs:     proofs,
		ClientAuth: &clientauth.Service{Now: w.clock},
		Clients:    clients,
		Console:    &admin.Console{Store: db, Numbers: db, Clients: clients, Keys: maker{}, Now: w.clock, Rand: rand.Reader, PublicURL: public, Resolver: w},
		Changed:    func(context.Context) error { return nil }}
	w.Handler = judged(t, gate.Handler(w.door))
	return w
}

// maker hands out the keys that there are.
type maker struct{}

func (maker) Generate(alg keys.Alg, _ time.Time) (k keys.Key, err error) {
	ks, err := madeKeys()
	for i := range ks {
		if ks[i].Alg == alg {
			k = ks[i]
		}
	}
	return k, err
}

// newTenant creates a tenant.
func (w *world) newTenant(t *testing.T, name string) *tenant.Tenant {
	t.Helper()
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	secret, err := keys.NewSecret(b)
	if err != nil {
		t.Fatal(err)
	}
	ks, err := madeKeys()
	if err != nil {
		t.Fatal(err)
	}
	id := tenant.ID(name + "-" + hex.EncodeToString(b[:6]))
	r := tenant.Record{ID: id, Issuer: "https://id.example/t/" + string(id), Enabled: true, Keys: ks, Secret: secret, CreatedAt: noon, UpdatedAt: noon,
		Settings: tenant.Settings{Name: strings.ToUpper(name[:1]) + name[1:]}}
	for what := range apiTokens {
		r.Tokens = append(r.Tokens, hashed(name, what))
	}
	if r, err = w.db.CreateTenant(t.Context(), r, audit.Event{}); err != nil {
		t.Fatal(err)
	}
	return w.enter(&r, r.Settings)
}

// furnish registers the clients: app, which is numbered first, and browser, which has no secret.
func (w *world) furnish(t *testing.T, clients *registration.Service, ten *tenant.Tenant) {
	t.Helper()
	for _, r := range []registration.Request{
		{PreferredID: "app", PreferredSecret: clientsSecret, Metadata: tenant.Metadata{Name: "My App", RedirectURIs: []string{"https://client.example.org/cb"},
			GrantTypes: []string{oauth.AuthorizationCode, oauth.RefreshToken, oauth.ClientCredentials}, Localized: map[string]string{"client_name#es": "Mi aplicación"},
			LogoURI: "https://client.example.org/logo.png", Audience: []string{"https://api.example.org"}, Data: json.RawMessage(`{"first_party":"yes","n":1}`)}},
		{PreferredID: "browser", Metadata: tenant.Metadata{RedirectURIs: []string{"https://client.example.org/spa"}, TokenEndpointAuthMethod: oauth.AuthNone,
			GrantTypes: []string{oauth.AuthorizationCode, oauth.RefreshToken}}},
	} {
		r.By = registration.Master("test", "")
		if _, err := clients.Register(t.Context(), ten, r); err != nil {
			t.Fatal(err)
		}
	}
}

// call is a request of acme's authorization server, changed by change, which may be nil.
func (w *world) call(method, path, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body == "" {
		r.Body = http.NoBody
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer chy_acme_api")
	if change != nil {
		change(r)
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

// api is the path of a call to the service of that tenant.
func (w *world) api(name, path string) string {
	return "/api/" + strconv.FormatInt(w.tenants[name].ServiceID, 10) + path
}

// post makes a call of acme, and returns the answer's members.
func (w *world) post(t *testing.T, path string, body any) map[string]any {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	rec := w.call("POST", w.api("acme", path), string(b), nil)
	var out map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
	}
	return out
}

// asked is a request for authorization of client app, with more parameters.
func asked(more string) string {
	return "response_type=code&scope=openid+email&client_id=app&redirect_uri=https%3A%2F%2Fclient.example.org%2Fcb&state=s1" + more
}

// ticket opens a ticket of acme.
func (w *world) ticket(t *testing.T, more string) string {
	t.Helper()
	a := w.post(t, "/auth/authorization", map[string]any{"parameters": asked(more)})
	ticket, _ := a["ticket"].(string)
	if ticket == "" {
		t.Fatalf("no ticket: %v", a)
	}
	return ticket
}

// code has alice grant a request of acme.
func (w *world) code(t *testing.T, more string) string {
	t.Helper()
	a := w.post(t, "/auth/authorization/issue", map[string]any{"ticket": w.ticket(t, more), "subject": "alice"})
	code, _ := a["authorizationCode"].(string)
	if code == "" {
		t.Fatalf("no code: %v", a)
	}
	return code
}

// redeeming is a call that redeems a code.
func redeeming(code string) map[string]any {
	return map[string]any{"parameters": "grant_type=authorization_code&code=" + code + "&redirect_uri=https%3A%2F%2Fclient.example.org%2Fcb",
		"clientId": "app", "clientSecret": clientsSecret}
}
