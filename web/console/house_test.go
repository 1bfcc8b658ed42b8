package console_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/limit"
	"github.com/chancery-id/chancery/flows/proof"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/persistence/sqlite"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/tenant/outbound"
	"github.com/chancery-id/chancery/web"
	"github.com/chancery-id/chancery/web/console"
	"github.com/chancery-id/chancery/web/login"
	"github.com/chancery-id/chancery/web/oidc"
	"github.com/chancery-id/chancery/web/wire"
)

// house is a server with the console and the standard door on the embedded database.
type house struct {
	t       *testing.T
	url     string
	token   string // of the platform
	console *admin.Console
	db      *persistence.DB
	uses    *admin.LastUses
	usage   *limit.Usage

	mu      sync.Mutex
	answers []string // every body that the console's routes answered with
}

func newHouse(t *testing.T) *house {
	t.Helper()
	sealer, err := keys.NewSealer(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "house.db"), sqlite.Options{Sealer: sealer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return newReplica(t, db)
}

// newReplica returns a further server over a database, with the platform's token of the first.
func newReplica(t *testing.T, db *persistence.DB) *house { return newReplicaWith(t, db, nil) }

func newReplicaWith(t *testing.T, db *persistence.DB, limits wire.Limiter) *house {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	public, err := url.Parse("http://" + server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	pool := keys.NewPool(2, rand.Reader)
	t.Cleanup(pool.Close)
	resolver := tenant.NewResolver(db, tenant.Options{Now: time.Now})
	accounts := &account.Service{Store: db, Factors: db, Now: time.Now, Rand: rand.Reader, Hasher: &account.Hasher{Rand: rand.Reader}}
	clients := &registration.Service{Store: db, Initial: db, Now: time.Now, Rand: rand.Reader, GrantTypes: token.GrantTypes(), ResponseTypes: authorize.ResponseTypes()}
	usage := &limit.Usage{Now: time.Now, Store: db}
	issuer := &grant.Issuer{Now: time.Now, Rand: rand.Reader, Usage: usage}
	background, stop := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { resolver.Run(background) })
	t.Cleanup(func() { stop(); work.Wait() })
	h := &house{t: t, db: db, uses: &admin.LastUses{Store: db}, usage: usage, url: public.String(), token: "chy_" + strings.Repeat("p", 43),
		console: &admin.Console{Store: db, Access: db, Policy: admin.NewPolicy(db), Answers: db, Trail: db, Outbox: db, PasswordPage: login.PasswordPath, Live: func(ctx context.Context, id tenant.ID) (*tenant.Tenant, error) {
			return resolver.Resolve(ctx, tenant.Name{ID: string(id)})
		}, Clients: clients, Accounts: accounts, Keys: pool, Now: time.Now, Rand: rand.Reader, PublicURL: public, Resolver: resolver}}
	h.console.Logins = &session.Service{Now: time.Now, Rand: rand.Reader, Store: db, Register: db}
	h.console.ScriptStore, h.console.Trials = db, trials{}
	h.console.Webhooks, h.console.Owed, h.console.Permits = db, db, outbound.New(outbound.Options{}).Permits
	h.console.Granted = &access.Service{Now: time.Now, Issuer: &grant.Issuer{Now: time.Now, Rand: rand.Reader}, Grants: db, Register: db}
	if _, err := h.console.EnsurePlatform(t.Context(), h.token); err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = web.New(web.Config{Resolver: resolver, Limiter: limits, Uses: h.uses, Now: time.Now, PublicURL: public, Doors: []wire.Door{
		&console.Door{Console: h.console, Tokens: &access.Service{Now: time.Now, Issuer: issuer, Grants: db, Proofs: &proof.Service{Now: time.Now, Replay: db}}, Resolve: func(ctx context.Context, id tenant.ID) (*tenant.Tenant, error) {
			return resolver.Resolve(ctx, tenant.Name{ID: string(id)})
		}},
		&oidc.Door{Now: time.Now, Uses: h.uses, Clients: clients, ClientAuth: &clientauth.Service{Now: time.Now},
			Tokens: &token.Service{Now: time.Now, Issuer: issuer, Grants: db, Sessions: db, Accounts: accounts},
			Access: &access.Service{Now: time.Now, Issuer: issuer, Grants: db, Accounts: accounts}},
	}})
	server.Start()
	t.Cleanup(server.Close)
	return h
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// json decodes the body.
func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%d with %q: %v", a.status, a.body, err)
	}
	return v
}

// call calls a route with the platform's token unless the headers say otherwise. body is JSON as it stands, or nothing.
func (h *house) call(method, path, body string, headers ...string) answer {
	h.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if req.Header.Set(headers[i], headers[i+1]); headers[i+1] == "" {
			req.Header.Del(headers[i])
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	if strings.HasPrefix(path, "/admin") || strings.HasPrefix(path, "/tenants") {
		h.mu.Lock()
		h.answers = append(h.answers, string(b))
		h.mu.Unlock()
	}
	out := answer{res.StatusCode, res.Header, b}
	if strings.HasPrefix(path, "/admin/v1/") {
		h.fits(method, path, out)
	}
	return out
}

// create makes a tenant by the API.
func (h *house) create(id, template string) admin.Created {
	h.t.Helper()
	body, _ := json.Marshal(map[string]string{"tenant_id": id, "template": template})
	a := h.call("POST", "/admin/v1/tenants", string(body))
	if a.status != http.StatusCreated {
		h.t.Fatalf("creating %s: %d %s", id, a.status, a.body)
	}
	var out admin.Created
	if err := json.Unmarshal(a.body, &out); err != nil {
		h.t.Fatal(err)
	}
	return out
}

// form posts a form as a client.
func (h *house) form(path, user, password string, values url.Values) answer {
	h.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), "POST", h.url+path, strings.NewReader(values.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(user), url.QueryEscape(password))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, b}
}
