package firstparty

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/challenge"
	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/limit"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/persistence/postgres"
	"github.com/chancery-id/chancery/persistence/sqlite"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/web/login"
	"github.com/chancery-id/chancery/web/oidc"
	"github.com/chancery-id/chancery/web/wire"
)

// engines are the open databases: SQLite, and PostgreSQL where there is one.
var engines map[string]*persistence.DB

// pool makes the keys of the tenants.
var pool *keys.Pool

const databaseURL = "CHANCERY_TEST_DATABASE_URL"

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "firstparty")
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
	pool = keys.NewPool(2, rand.Reader)
	defer pool.Close()
	return m.Run()
}

// each runs a test on every engine, each time in a world of its own.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	_ = os.Getenv(databaseURL) // here the test cache sees it
	for name, db := range engines {
		t.Run(name, func(t *testing.T) { test(t, newWorld(t, db)) })
	}
}

// world is a server with two starter tenants, acme and globex, whose users are alice, and at acme admin with the password
// secret and carol, who is disabled. Its clock moves only when told to.
type world struct {
	http.Handler
	db           *persistence.DB
	console      *admin.Console
	resolver     *tenant.Resolver
	challenge    *challenge.Service
	acme, globex admin.Created
	now          atomic.Pointer[time.Time]
	accounts     *account.Service
	totp         string // secret of the user who has one
	sent         string // the last code
}

// secure gives a user of acme a TOTP.
func (w *world) secure(t *testing.T, username string) {
	t.Helper()
	ten, err := w.resolver.Resolve(t.Context(), tenant.Name{ID: string(w.acme.TenantID)})
	if err != nil {
		t.Fatal(err)
	}
	a, err := w.accounts.Named(t.Context(), ten, username)
	if err != nil || a == nil {
		t.Fatal(username, err)
	}
	e, err := w.accounts.EnrolTOTP(t.Context(), ten, a.Subject, account.By{})
	if err != nil {
		t.Fatal(err)
	}
	w.totp = e.Secret
	code, err := totp.GenerateCode(w.totp, w.clock())
	if err == nil {
		_, err = w.accounts.ConfirmTOTP(t.Context(), ten, a.Subject, code, account.By{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// newCode is one that was not used yet: the last that was sent, or of the user who has a TOTP, half a minute later.
func (w *world) newCode(t *testing.T) string {
	t.Helper()
	if w.sent != "" {
		return w.sent
	}
	w.move(t, 30*time.Second)
	code, err := totp.GenerateCode(w.totp, w.clock())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func (w *world) clock() time.Time { return *w.now.Load() }

func (w *world) move(t *testing.T, d time.Duration) {
	t.Helper()
	at := w.clock().Add(d)
	w.now.Store(&at)
	if err := w.resolver.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func newWorld(t *testing.T, db *persistence.DB) *world {
	t.Helper()
	w := &world{db: db}
	w.now.Store(&noon)
	w.resolver = tenant.NewResolver(db, tenant.Options{Now: w.clock})
	limiter := limit.New(w.clock, limit.Development(), limit.Guesses())
	accounts := &account.Service{Store: db, Factors: db, Now: w.clock, Rand: rand.Reader, Hasher: &account.Hasher{Rand: rand.Reader, Wait: time.Minute}, Limit: limiter, Events: db}
	w.accounts = accounts
	accounts.Deliver = func(_ context.Context, _ *tenant.Tenant, d account.Delivery) error {
		w.sent = d.Code
		return nil
	}
	clients := &registration.Service{Store: db, Now: w.clock, Rand: rand.Reader, GrantTypes: token.GrantTypes(), ResponseTypes: authorize.ResponseTypes()}
	publicURL := &url.URL{Scheme: "https", Host: "id.example"}
	w.console = &admin.Console{Store: db, Clients: clients, Accounts: accounts, Keys: pool, Now: w.clock, Rand: rand.Reader, PublicURL: publicURL, Resolver: w.resolver}

	issuer := &grant.Issuer{Now: w.clock, Rand: rand.Reader}
	sessions := &session.Service{Now: w.clock, Rand: rand.Reader, Store: db}
	requests := &request.Service{Now: w.clock, Rand: rand.Reader, Store: db, ResponseTypes: authorize.ResponseTypes(), ResponseModes: authorize.ResponseModes(),
		Hint: func(ctx context.Context, t *tenant.Tenant, c *tenant.Client, hint string) (string, error) {
			return issuer.ParseIDToken(ctx, t, c.ID, hint)
		}}
	authz := &authorize.Service{Now: w.clock, Rand: rand.Reader, Requests: requests, Sessions: sessions, Issuer: issuer, Store: db}
	auth := &clientauth.Service{Now: w.clock, Limit: limiter}
	ui := &login.UI{Now: w.clock, Rand: rand.Reader, Authorize: authz, Sessions: sessions, Accounts: accounts}
	w.challenge = &challenge.Service{Now: w.clock, Rand: rand.Reader, Clients: auth, Requests: requests, Authorize: authz,
		Decider: &challenge.Choice{Steps: map[string]challenge.Decider{tenant.StepPassword: &challenge.Password{Accounts: accounts}, tenant.StepOTP: &challenge.OTP{Accounts: accounts}}},
		Store:   db, Grants: db, Limit: limiter}
	gate := &wire.Gate{Resolver: w.resolver, Now: w.clock, PublicURL: publicURL, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	w.Handler = gate.Handler(&Door{Challenge: w.challenge, Browser: ui}, ui,
		&oidc.Door{Now: w.clock, Authorize: authz, ClientAuth: auth, Clients: clients, Browser: ui, Changed: w.resolver.Refresh,
			Tokens: &token.Service{Now: w.clock, Issuer: issuer, Grants: db, Sessions: db, Accounts: accounts, StepUps: w.challenge},
			Access: &access.Service{Now: w.clock, Issuer: issuer, Grants: db, Accounts: accounts}})
	w.acme, w.globex = w.create(t, "acme"), w.create(t, "globex")
	w.user(t, accounts, "admin", "secret")
	w.user(t, accounts, "carol", "")
	return w
}

func (w *world) create(t *testing.T, name string) admin.Created {
	t.Helper()
	made, err := w.console.CreateTenant(t.Context(), admin.New{ID: name + "-" + strings.ToLower(rand.Text()), Template: admin.Starter}, admin.By{Actor: admin.System})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// user gives acme a user; one without a password is disabled.
func (w *world) user(t *testing.T, accounts *account.Service, name, password string) {
	t.Helper()
	ten, err := w.resolver.Resolve(t.Context(), tenant.Name{ID: string(w.acme.TenantID)})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := accounts.Hasher.Hash(t.Context(), ten.ID, password)
	if err != nil {
		t.Fatal(err)
	}
	a, err := accounts.Create(t.Context(), ten, account.New{Username: name, PasswordHash: hash})
	if err == nil && password == "" {
		err = accounts.Disable(t.Context(), ten, a.Subject, time.Hour, account.By{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// set changes acme's settings by a merge patch.
func (w *world) set(t *testing.T, patch string) {
	t.Helper()
	if _, err := w.console.UpdateTenant(t.Context(), w.acme.TenantID, 0, admin.Change{Patch: json.RawMessage(patch)}, admin.By{}); err != nil {
		t.Fatal(err)
	}
}

// call makes a request from the loopback, which is a trusted proxy.
func (w *world) call(method, path, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:1"
	r.Host = "id.example"
	if body == "" {
		r.Body = http.NoBody
	}
	if change != nil {
		change(r)
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}
