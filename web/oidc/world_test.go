package oidc

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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/proof"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/persistence/sqlite"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/web/wire"
)

// db is one database for all tests, each of which has a tenant of its own.
var db *persistence.DB

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "oidc")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	sealer, err := keys.NewSealer(make([]byte, 32))
	if err != nil {
		panic(err)
	}
	if db, err = sqlite.Open(context.Background(), filepath.Join(dir, "test.db"), sqlite.Options{Sealer: sealer}); err != nil {
		panic(err)
	}
	defer db.Close()
	return m.Run()
}

// world is a server of the tenant acme at https://id.example/t/acme, and a clock that stands still.
type world struct {
	http.Handler
	*testing.T
	store   *fault
	tenant  *tenant.Tenant
	blind   error // why changes cannot be seen
	browser *browser
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// fault is a store that fails when told to.
type fault struct {
	*persistence.DB
	err error
}

func (f *fault) Grant(ctx context.Context, t tenant.ID, id string) (*grant.Grant, error) {
	if f.err != nil {
		return nil, f.err
	}
	return f.DB.Grant(ctx, t, id)
}

// browser is a Browser without cookies, whose pages are words.
type browser struct{ begun []authorize.Result }

func (*browser) SID(*gin.Context, *tenant.Tenant) string     { return "" }
func (*browser) Binding(*gin.Context, *tenant.Tenant) string { return "the browser's secret" }

func (b *browser) Show(c *gin.Context, _ *tenant.Tenant, res authorize.Result) {
	b.begun = append(b.begun, res)
	if res.Response != nil {
		wire.NoStore(c)
		c.Header("Location", res.Response.URI())
		c.Status(http.StatusSeeOther)
		c.Writer.WriteHeaderNow()
		return
	}
	wire.Raw(c, http.StatusOK, "text/plain", []byte("page: "+string(res.Pending.Step)))
}

func (*browser) Error(c *gin.Context, _ *tenant.Tenant, status int, err *oauth.Error) {
	wire.Raw(c, status, "text/plain", []byte("error page: "+err.Code))
}

// Resolve finds acme by the id in its path.
func (w *world) Resolve(_ context.Context, names ...tenant.Name) (*tenant.Tenant, error) {
	for _, n := range names {
		if n.ID != "acme" {
			return nil, tenant.ErrUnknown
		}
	}
	return w.tenant, nil
}

func (w *world) Healthy(time.Time) error { return w.blind }

type registry map[string]*tenant.Client

func (r registry) Client(_ context.Context, id string) (*tenant.Client, error) {
	if c := r[id]; c != nil {
		return c, nil
	}
	return nil, tenant.ErrNoClient
}

var keySet = sync.OnceValue(func() *keys.Set {
	var ks []keys.Key
	for _, alg := range []keys.Alg{keys.RS256, keys.ES256} {
		k, err := keys.Generate(alg, rand.Reader, noon)
		if err != nil {
			panic(err)
		}
		ks = append(ks, k)
	}
	return keys.NewSet(ks)
})

const (
	callback = "https://shop.example/cb"
	root     = "/t/acme"
)

func newWorld(t *testing.T) *world {
	t.Helper()
	secret, err := keys.NewSecret(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.Sum256([]byte("secret"))
	all := []string{oauth.AuthorizationCode, oauth.RefreshToken, oauth.ClientCredentials}
	b := make([]byte, 6)
	_, _ = rand.Read(b)
	w := &world{T: t, store: &fault{DB: db}, browser: &browser{}}
	w.tenant = &tenant.Tenant{ID: tenant.ID("acme-" + hex.EncodeToString(b)), Issuer: "https://id.example" + root, Settings: &tenant.Settings{}, Secret: secret, Keys: keySet(), Revoked: tenant.NewJournal(),
		Clients: registry{
			"shop":   {ID: "shop", Secrets: []tenant.ClientSecret{{Hash: h[:]}}, Metadata: tenant.Metadata{RedirectURIs: []string{callback}, GrantTypes: all}},
			"closed": {ID: "closed", Disabled: true, Metadata: tenant.Metadata{RedirectURIs: []string{callback}}},
		}}
	w.tenant.Settings.Tokens.AccessTokenAlg, w.tenant.Settings.Tokens.IDTokenAlg = "ES256", "ES256"
	issuer := &grant.Issuer{Now: clock, Rand: rand.Reader}
	accounts := &account.Service{Store: db, Factors: db, Now: clock, Rand: rand.Reader}
	requests := &request.Service{Now: clock, Rand: rand.Reader, Store: db, ResponseTypes: authorize.ResponseTypes(), ResponseModes: authorize.ResponseModes(),
		Hint: func(context.Context, *tenant.Tenant, *tenant.Client, string) (string, error) {
			return "", errors.New("no ID token of ours")
		}}
	proofs := &proof.Service{Now: clock, Replay: db}
	gate := &wire.Gate{Resolver: w, Now: clock, PublicURL: &url.URL{Scheme: "https", Host: "id.example"}}
	w.Handler = gate.Handler(&Door{Now: clock, ClientAuth: &clientauth.Service{Now: clock}, Proofs: proofs, Browser: w.browser,
		Authorize: &authorize.Service{Now: clock, Rand: rand.Reader, Store: db, Issuer: issuer, Accounts: accounts, Requests: requests,
			Sessions: &session.Service{Now: clock, Rand: rand.Reader, Store: db}},
		Tokens: &token.Service{Now: clock, Issuer: issuer, Grants: w.store, Sessions: db, Accounts: accounts},
		Access: &access.Service{Now: clock, Issuer: issuer, Grants: w.store, Accounts: accounts, Proofs: proofs}})
	return w
}

const formType = "application/x-www-form-urlencoded"

// call is a request of shop, which authenticates by Basic. A body is a form. Headers are "Name: value"; "Name:" takes one
// away.
func (w *world) call(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, root+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", formType)
	}
	r.SetBasicAuth("shop", "secret")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		r.Header.Del(name)
		if value = strings.TrimSpace(value); value != "" {
			r.Header.Set(name, value)
		}
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

// visit is a request of a browser.
func (w *world) visit(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	return w.call(method, path, body, append([]string{"Authorization:"}, headers...)...)
}

// answered is the status of an answer and its error code, or else what it says.
func answered(rec *httptest.ResponseRecorder) string {
	var e struct {
		Error string `json:"error"`
	}
	says := rec.Body.String()
	if json.Unmarshal(rec.Body.Bytes(), &e) == nil {
		says = e.Error
	}
	return strings.TrimSpace(http.StatusText(rec.Code) + " " + says)
}

// agree records what alice agreed with shop, changed by change, and returns its code.
func (w *world) agree(change func(*grant.Grant)) (code string) {
	w.Helper()
	i := &grant.Issuer{Now: clock, Rand: rand.Reader}
	g := grant.Grant{ID: i.NewID(), Subject: "alice", ClientID: "shop", CreatedAt: noon, ExpiresAt: noon.Add(time.Minute)}
	g.Terms.Scope, g.Terms.RefreshToken.Issue, g.Terms.IDToken.Issue = oauth.Scope{"openid", "email"}, true, true
	code = i.MintCode(g.ID)
	g.Code = &grant.CodeState{Hash: grant.Hash(code), ExpiresAt: noon.Add(time.Minute), RedirectURI: callback}
	if change != nil {
		change(&g)
	}
	if err := db.PutGrant(w.Context(), w.tenant.ID, g, nil, audit.Event{At: noon, Kind: audit.GrantIssued}); err != nil {
		w.Fatal(err)
	}
	return code
}

// tokens redeems a new code.
func (w *world) tokens(change func(*grant.Grant)) (out tokenResponse) {
	w.Helper()
	rec := w.call("POST", "/token", "grant_type=authorization_code&code="+w.agree(change)+"&redirect_uri="+url.QueryEscape(callback))
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != http.StatusOK {
		w.Fatal(rec.Code, rec.Body)
	}
	return out
}
