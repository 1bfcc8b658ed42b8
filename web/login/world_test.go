package login

import (
	"bytes"
	"context"
	"crypto/rand"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/device"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/logout"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/web/wire"
)

// world is a server of our pages with two tenants, and the store behind it.
type world struct {
	t       *testing.T
	server  *httptest.Server
	ui      *UI
	store   *store
	people  *people
	tenants map[string]*tenant.Tenant
	clients map[string]*tenant.Client
	clock   *clock
	devices *devices
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

const (
	callback = "https://app.example.org/cb"
	bye      = "https://app.example.org/bye"
	acme     = "acme"
	globex   = "globex"
)

func newWorld(t *testing.T, https bool) *world {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	w := &world{t: t, clock: &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, tenants: map[string]*tenant.Tenant{}, clients: map[string]*tenant.Client{}}
	w.store = &store{sessions: map[tenant.ID]map[string]*session.Session{}, pending: map[tenant.ID]map[string]authorize.Interaction{}, consent: map[string]*grant.Authorization{}}
	w.people = &people{accounts: map[string]*account.Account{}}
	w.people.add("alice", "sub-alice", `{"name":"Alice Adams"}`)
	w.people.add("bob", "sub-bob", `{}`)
	for id, c := range map[string]tenant.Metadata{
		"web":    {Name: "Ledger", RedirectURIs: []string{callback}, PostLogoutRedirectURIs: []string{bye}, PolicyURI: "https://app.example.org/privacy", TOSURI: "https://app.example.org/terms"},
		"app":    {Name: "Pocket", RedirectURIs: []string{"org.example.pocket:/cb"}, ApplicationType: "native", TokenEndpointAuthMethod: "none"},
		"local":  {Name: "Bench", RedirectURIs: []string{"http://127.0.0.1:8765/cb"}},
		"nobody": {Name: "Stray", RedirectURIs: []string{"https://stray.example/cb"}},
	} {
		w.clients[id] = &tenant.Client{ID: id, Metadata: c, SelfRegistered: id == "nobody"}
	}
	sessions := &session.Service{Now: w.clock.Now, Rand: rand.Reader, Store: w.store}
	issuer := &grant.Issuer{Now: w.clock.Now, Rand: rand.Reader}
	w.ui = &UI{Now: w.clock.Now, Rand: rand.Reader, Sessions: sessions, Logout: &logout.Service{Issuer: issuer, Sessions: sessions},
		Accounts: w.people, Insecure: !https, Authorize: &authorize.Service{
			Now: w.clock.Now, Rand: rand.Reader, Sessions: sessions, Issuer: issuer, Store: w.store,
			Requests: &request.Service{ResponseTypes: authorize.ResponseTypes(), ResponseModes: authorize.ResponseModes(),
				Hint: func(_ context.Context, _ *tenant.Tenant, _ *tenant.Client, token string) (string, error) {
					return strings.TrimPrefix(token, "of:"), nil
				}}}}
	w.devices = &devices{codes: map[string]string{}, rows: map[string]*decoupled.Authentication{}}
	w.ui.Device = &device.Service{Now: w.clock.Now, Rand: rand.Reader, Requests: w.ui.Authorize.Requests, Issuer: issuer, Store: w.devices, Decoupled: w.devices,
		Page: devicePath}
	w.ui.CIBA = &ciba.Service{Now: w.clock.Now, Requests: w.ui.Authorize.Requests, Issuer: issuer, Store: w.devices}
	g := &wire.Gate{Resolver: w, Now: time.Now, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	w.server = httptest.NewUnstartedServer(nil)
	w.server.Config.Handler = g.Handler(w.ui, door{w.ui})
	if https {
		w.server.StartTLS()
	} else {
		w.server.Start()
	}
	t.Cleanup(w.server.Close)
	g.PublicURL, _ = url.Parse(w.server.URL)
	for i, id := range []string{acme, globex} {
		secret, err := keys.NewSecret(bytes.Repeat([]byte{byte(i + 1)}, 32))
		if err != nil {
			t.Fatal(err)
		}
		w.tenants[id] = &tenant.Tenant{ID: tenant.ID(id), Version: 7, Issuer: w.server.URL + "/t/" + id, Settings: &tenant.Settings{Name: strings.ToUpper(id[:1]) + id[1:]},
			Secret: secret, Clients: w, Revoked: tenant.NewJournal()}
	}
	return w
}

// Resolve finds a tenant by the id in its path.
func (w *world) Resolve(_ context.Context, names ...tenant.Name) (*tenant.Tenant, error) {
	for _, n := range names {
		if t := w.tenants[n.ID]; t != nil {
			return t, nil
		}
	}
	return nil, tenant.ErrUnknown
}

func (w *world) Healthy(time.Time) error { return nil }

func (w *world) Client(_ context.Context, id string) (*tenant.Client, error) {
	if c := w.clients[id]; c != nil {
		return c, nil
	}
	return nil, tenant.ErrNoClient
}

// door is an authorization endpoint over the pages.
type door struct{ ui *UI }

func (d door) Mount(r *wire.Router) {
	r.Public(http.MethodGet, "/authorize", func(c *gin.Context, t *tenant.Tenant) {
		res, err := d.ui.Authorize.Begin(c.Request.Context(), t, authorize.Start{
			Params: c.Request.URL.Query(), SID: d.ui.SID(c, t), Binding: d.ui.Binding(c, t)})
		if err != nil {
			d.ui.Error(c, t, wire.StatusOf(err), oauth.ErrorOf(err))
			return
		}
		d.ui.Show(c, t, res)
	})
}

// browser is one browser: it keeps cookies and, unless told, follows no redirect away from the server.
type browser struct {
	w      *world
	client *http.Client
	header http.Header
}

func (w *world) browser() *browser {
	jar, _ := cookiejar.New(nil)
	c := *w.server.Client()
	c.Jar = jar
	c.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.String(), w.server.URL) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return &browser{w: w, client: &c, header: http.Header{}}
}

// screen is a page that a browser shows, or the redirect it would follow elsewhere.
type screen struct {
	*http.Response
	html string
}

func (b *browser) do(method, address, body string) screen {
	b.w.t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		b.w.t.Fatal(err)
	}
	maps.Copy(r.Header, b.header)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.client.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return screen{res, string(content)}
}

// open gets a page of a tenant.
func (b *browser) open(id, path string) screen {
	b.w.t.Helper()
	return b.do(http.MethodGet, b.w.server.URL+"/t/"+id+path, "")
}

// begin sends an authorization request; params replace or add to the usual ones.
func (b *browser) begin(id string, params url.Values) screen {
	b.w.t.Helper()
	q := url.Values{"client_id": {"web"}, "response_type": {"code"}, "redirect_uri": {callback}, "scope": {"openid email"}, "state": {"s-1"}}
	if id := params.Get("client_id"); id != "" && b.w.clients[id] != nil {
		q.Set("redirect_uri", b.w.clients[id].RedirectURIs[0])
		q.Set("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
		q.Set("code_challenge_method", "S256")
	}
	maps.Copy(q, params)
	return b.open(id, "/authorize?"+q.Encode())
}

// press sends the form of s with one of its buttons and fields filled in.
func (b *browser) press(s screen, action string, fields url.Values) screen {
	b.w.t.Helper()
	f := url.Values{"action": {action}, "csrf": {s.field("csrf")}}
	maps.Copy(f, fields)
	return b.do(http.MethodPost, s.Request.URL.String(), f.Encode())
}

// signIn fills in the sign-in page.
func (b *browser) signIn(s screen, username, password string) screen {
	b.w.t.Helper()
	return b.press(s, "login", url.Values{"username": {username}, "password": {password}})
}

// cookie returns the value of a cookie that the browser keeps for the server.
func (b *browser) cookie(name string) string {
	u, _ := url.Parse(b.w.server.URL)
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// field returns the value of an input.
func (s screen) field(name string) string {
	for _, tag := range regexp.MustCompile(`<input[^>]*>`).FindAllString(s.html, -1) {
		if strings.Contains(tag, ` name="`+name+`"`) {
			if m := regexp.MustCompile(` value="([^"]*)"`).FindStringSubmatch(tag); m != nil {
				return html.UnescapeString(m[1])
			}
		}
	}
	return ""
}

// heading returns the words of the main heading.
func (s screen) heading() string {
	m := regexp.MustCompile(`(?s)<h1>(.*?)</h1>`).FindStringSubmatch(s.html)
	if m == nil {
		return ""
	}
	return words(m[1])
}

// words returns the text of some HTML, on one line.
func words(markup string) string {
	return strings.Join(strings.Fields(html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(markup, ""))), " ")
}

// query returns the parameters of the redirect that s is.
func (s screen) query() url.Values {
	u, err := url.Parse(s.Header.Get("Location"))
	if err != nil {
		return nil
	}
	return u.Query()
}
