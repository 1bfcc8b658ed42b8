package wire_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

var epoch = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// directory holds tenants in memory. It never changes, but may be away.
type directory struct {
	mu      sync.Mutex
	records map[tenant.ID]*tenant.Record
	down    bool
}

func (d *directory) away(down bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = down
}

func (d *directory) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.down {
		return oauth.Unavailable().Because(errors.New("the database is away"))
	}
	return nil
}

func (d *directory) Find(_ context.Context, n tenant.Name) (tenant.ID, error) {
	if err := d.failure(); err != nil {
		return "", err
	}
	for _, r := range d.records {
		if r.Enabled && (n.Issuer == r.Issuer || n.ServiceID == strconv.FormatInt(r.ServiceID, 10)) {
			return r.ID, nil
		}
	}
	return "", tenant.ErrUnknown
}

func (d *directory) Snapshot(_ context.Context, id tenant.ID, _ time.Time) (*tenant.Record, []tenant.Revocation, error) {
	if err := d.failure(); err != nil {
		return nil, nil, err
	}
	if r := d.records[id]; r != nil && r.Enabled {
		return r, nil, nil
	}
	return nil, nil, tenant.ErrUnknown
}

func (d *directory) Client(context.Context, tenant.ID, string) (*tenant.Client, error) {
	return nil, tenant.ErrNoClient
}

func (d *directory) Changes(context.Context, time.Time) ([]tenant.Change, time.Time, error) {
	return nil, epoch, d.failure()
}

func (d *directory) Listen(context.Context, func()) error { return nil }

func token(id string, apis ...tenant.API) tenant.APIToken {
	h := sha256.Sum256([]byte("chy_" + id))
	return tenant.APIToken{ID: id, Hash: h[:], APIs: apis}
}

// sink keeps records.
type sink struct {
	mu      sync.Mutex
	records []wire.Record
}

func (s *sink) Request(_ context.Context, r *wire.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, *r)
}

func (s *sink) last(t *testing.T) wire.Record {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.records) == 0 {
		t.Fatal("no record")
	}
	return s.records[len(s.records)-1]
}

// limiter refuses what is in full.
type limiter struct {
	mu   sync.Mutex
	full map[string]bool
	seen []string
}

func (l *limiter) Allow(_ context.Context, t tenant.ID, client string, source netip.Addr, what string) *wire.Refusal {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := ""
	if source.IsValid() {
		from = source.String()
	}
	l.seen = append(l.seen, strings.Join([]string{string(t), client, from, what}, " "))
	if !l.full[what] {
		return nil
	}
	return &wire.Refusal{After: 1500 * time.Millisecond, Limit: "few", Quota: 100, Window: 20 * time.Second}
}

// world is a server with a few tenants.
type world struct {
	directory *directory
	gate      *wire.Gate
	sink      *sink
	limiter   *limiter
	now       time.Time
	mu        sync.Mutex
	http.Handler
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// mount is a Door of a function.
type mount func(r *wire.Router)

func (m mount) Mount(r *wire.Router) { m(r) }

func newWorld(t testing.TB, doors ...wire.Door) *world {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	d := &directory{records: map[tenant.ID]*tenant.Record{}}
	for i, r := range []*tenant.Record{
		{ID: "acme", Issuer: "https://id.example/t/acme", Enabled: true, Tokens: []tenant.APIToken{token("acme-all", tenant.AllAPIs), token("acme-keys", tenant.KeyAPI)}},
		{ID: "globex", Issuer: "https://id.example/t/globex", Enabled: true, Tokens: []tenant.APIToken{token("globex-all", tenant.AllAPIs)}},
		{ID: "token", Issuer: "https://id.example/t/token", Enabled: true, Tokens: []tenant.APIToken{token("token-all", tenant.AllAPIs)}},
		{ID: "own", Issuer: "https://login.own.example", Enabled: true, Tokens: []tenant.APIToken{token("own-all", tenant.AllAPIs)}},
		{ID: "deep", Issuer: "https://deep.example/oauth/v2", Enabled: true, Tokens: []tenant.APIToken{token("deep-all", tenant.AllAPIs)}},
		{ID: "off", Issuer: "https://id.example/t/off", Tokens: []tenant.APIToken{token("off-all", tenant.AllAPIs)}},
		{ID: "platform", Issuer: "https://id.example/t/platform", Enabled: true, Tokens: []tenant.APIToken{
			token("admin", tenant.AdminAPI), token("monitor", tenant.MonitorAPI), token("platform-all", tenant.AllAPIs)}},
	} {
		r.ServiceID = int64(1_000_001 + i)
		d.records[r.ID] = r
	}
	public, _ := url.Parse("https://id.example")
	w := &world{directory: d, sink: &sink{}, limiter: &limiter{}, now: epoch}
	w.gate = &wire.Gate{
		Resolver:       tenant.NewResolver(d, tenant.Options{Now: w.Now}),
		Limiter:        w.limiter,
		Now:            w.Now,
		PublicURL:      public,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		Sink:           w.sink,
	}
	w.Handler = w.gate.Handler(append(doors, mount(routes))...)
	return w
}

// routes are one of each kind.
func routes(r *wire.Router) {
	tell := func(c *gin.Context, t *tenant.Tenant) {
		wire.JSON(c, http.StatusOK, gin.H{"tenant": t.ID, "issuer": t.Issuer, "param": c.Param("id"), "address": wire.AddressOf(c)})
	}
	r.Public("POST", "/token", tell)
	r.Public("POST", "/token/introspect", tell)
	r.Public("GET", "/clients/:id", tell)
	r.Public("PUT", "/clients/:id", tell)
	r.Proven("GET", "/clients", func(c *gin.Context, t *tenant.Tenant) {
		if bearer, err := wire.Bearer(c); err != nil || !strings.HasSuffix(bearer, "-all") {
			wire.Error(c, oauth.InvalidToken("The token is not valid here").Because(err))
			return
		}
		tell(c, t)
	})
	r.Metadata("GET", "/.well-known/openid-configuration", tell)
	r.Metadata("GET", "/.well-known/oauth-authorization-server", tell)
	r.API("GET", "/authz-sessions/rest/v1", tenant.AuthzAPI, tell)
	r.API("POST", "/authz-sessions/rest/v1", tenant.AuthzAPI, tell)
	r.API("GET", "/key-store/rest/v1/:id", tenant.KeyAPI, tell)
	r.Service("POST", "/api/auth/token", tell)
	r.Service("POST", "/api/:serviceId/auth/token", tell)
	r.Services("GET", "/api/info", tell)
	r.Open("GET", "/api/misc/echo", func(c *gin.Context) { wire.JSON(c, http.StatusOK, gin.H{"param": "open"}) })
	r.Platform("GET", "/admin/v1/tenants", tell)
	r.PlatformAPI("GET", "/monitor/v1/metrics", tenant.MonitorAPI, tell)
	pages := r.Pages(func(c *gin.Context, status int, err *oauth.Error) {
		wire.Raw(c, status, "text/html; charset=utf-8", []byte("<p>"+err.Code))
	})
	pages.Public("GET", "/login/start", tell)
	pages.Public("GET", "/login/broken", func(*gin.Context, *tenant.Tenant) { panic("broken") })
}

// call is one request. Its peer is 192.0.2.1, a stranger, unless header X-Peer says otherwise.
func call(method, target string, header ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr = "192.0.2.1:4711"
	for i := 0; i < len(header); i += 2 {
		switch header[i] {
		case "X-Peer":
			r.RemoteAddr = header[i+1] + ":4711"
		default:
			r.Header.Add(header[i], header[i+1])
		}
	}
	return r
}

func (w *world) do(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

type answer struct {
	Tenant, Issuer, Param, Address string
	Error                          string
	Description                    string `json:"error_description"`
}

func body(t *testing.T, rec *httptest.ResponseRecorder) answer {
	t.Helper()
	var a answer
	if ct := rec.Header().Get("Content-Type"); ct != "application/json" {
		t.Fatalf("content type %q: %s", ct, rec.Body)
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil {
		t.Fatalf("%v: %s", err, rec.Body)
	}
	return a
}

// newWorldOf returns a server of the same tenants that has loaded nothing yet.
func newWorldOf(t *testing.T, old *world) *world {
	w := newWorld(t)
	w.directory.records = old.directory.records
	return w
}
