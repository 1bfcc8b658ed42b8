package logout

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

var (
	noon    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	errDown = errors.New("out of order")
)

const (
	bye        = "https://shop.example/bye"
	tillSecret = "0123456789abcdef0123456789abcdef"
)

// memory keeps the sessions and clients of one tenant. down is what it answers with, where it is set.
type memory struct {
	session.Store
	down     error
	sessions map[string]*session.Session
	clients  map[string]*tenant.Client
	events   []audit.Event
}

func (m *memory) Session(_ context.Context, _ tenant.ID, id string) (*session.Session, error) {
	if m.down != nil {
		return nil, m.down
	}
	if n := m.sessions[id]; n != nil {
		return n, nil
	}
	return nil, session.ErrNotFound
}

func (m *memory) EndSession(_ context.Context, _ tenant.ID, id string, now, _ time.Time, ev audit.Event) ([]tenant.Revocation, error) {
	if m.down != nil {
		return nil, m.down
	}
	if m.sessions[id] == nil {
		return nil, session.ErrNotFound
	}
	delete(m.sessions, id)
	m.events = append(m.events, ev)
	return []tenant.Revocation{{Grant: "g-1", At: now, ExpiresAt: now.Add(time.Hour)}}, nil
}

func (m *memory) Client(_ context.Context, id string) (*tenant.Client, error) {
	if c := m.clients[id]; c != nil {
		return c, nil
	}
	return nil, tenant.ErrNoClient
}

// world is a service over a tenant in which alice has a session.
type world struct {
	*Service
	store   *memory
	tenant  *tenant.Tenant
	current *session.Session
	sid     string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	m := &memory{sessions: map[string]*session.Session{}, clients: map[string]*tenant.Client{}}
	for _, c := range []tenant.Client{
		{ID: "shop", Metadata: tenant.Metadata{PostLogoutRedirectURIs: []string{bye, bye + "?from=op", "org.example.shop:/bye"}}},
		{ID: "desk", Metadata: tenant.Metadata{PostLogoutRedirectURIs: []string{"https://desk.example/bye"}}},
		{ID: "off", Disabled: true, Metadata: tenant.Metadata{PostLogoutRedirectURIs: []string{bye}}},
		{ID: "stray", SelfRegistered: true, Metadata: tenant.Metadata{PostLogoutRedirectURIs: []string{bye}}},
	} {
		m.clients[c.ID] = &c
	}
	shared, err := keys.NewHMACKey(tillSecret)
	if err != nil {
		t.Fatal(err)
	}
	m.clients["till"] = &tenant.Client{ID: "till", Metadata: tenant.Metadata{IDTokenAlg: "HS256", PostLogoutRedirectURIs: []string{bye}}, Secrets: []tenant.ClientSecret{{HMAC: shared}}}
	now := func() time.Time { return noon }
	w := &world{store: m, tenant: newTenant(t, "https://id.acme.example", m), Service: &Service{
		Issuer: &grant.Issuer{Now: now, Rand: rand.Reader}, Sessions: &session.Service{Now: now, Rand: rand.Reader, Store: m}}}
	w.current = w.Sessions.New(w.tenant, session.Login{Subject: "alice"})
	m.sessions[w.current.ID] = w.current
	w.sid = w.Sessions.Handle(w.tenant, w.current)
	return w
}

func newTenant(t *testing.T, issuer string, clients tenant.Clients) *tenant.Tenant {
	t.Helper()
	k, err := keys.Generate(keys.ES256, rand.Reader, noon)
	if err != nil {
		t.Fatal(err)
	}
	opens, err := keys.Generate(keys.ECDHESA256KW, rand.Reader, noon)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := keys.NewSecret(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return &tenant.Tenant{ID: "acme", Issuer: issuer, Settings: &tenant.Settings{Encryption: tenant.EncryptionSettings{Algs: []string{string(keys.ECDHESA256KW)}}}, Secret: secret, Clients: clients,
		Keys: keys.NewSet([]keys.Key{k, opens}), Revoked: tenant.NewJournal()}
}

// hint signs claims as an ID token of t.
func hint(t *testing.T, ten *tenant.Tenant, typ, claims string) string {
	t.Helper()
	token, err := ten.Keys.Sign(t.Context(), noon, keys.ES256, typ, []byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestBegin(t *testing.T) {
	w := newWorld(t)
	of := func(sub, aud string) string {
		return hint(t, w.tenant, grant.IDTokenType, `{"iss":"`+w.tenant.Issuer+`","sub":"`+sub+`","aud":`+aud+`,"exp":1}`) // long expired
	}
	inSession := func(session, client, sub, aud string) string {
		return `{"iss":"` + w.tenant.Issuer + `","sub":"` + sub + `","aud":` + aud + `,"exp":1,"sid":"` + grant.SID(w.tenant, session, client) + `"}`
	}
	here := func(client, sub, aud string) string {
		return hint(t, w.tenant, grant.IDTokenType, inSession(w.current.ID, client, sub, aud))
	}
	alices, bobs := here("shop", "alice", `"shop"`), of("bob", `"shop"`)
	segments := strings.Split(alices, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	other := newTenant(t, "https://id.globex.example", w.store)
	impostor := newTenant(t, w.tenant.Issuer, w.store)
	ofSession := func(sub, session string) string {
		return hint(t, w.tenant, grant.IDTokenType, inSession(session, "shop", sub, `"shop"`))
	}
	w.tenant.Settings.Signing.HMAC = true
	mac := func(claims string) string { // by the client till, which holds its secret
		key, err := keys.NewHMACKey(tillSecret)
		if err != nil {
			t.Fatal(err)
		}
		token, err := key.Sign(keys.HS256, grant.IDTokenType, []byte(claims))
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	sealed := encryptedTo(t, w.tenant, alices)
	const gone = "gone" // SID of a browser without session
	for _, tt := range []struct {
		rule    string
		r       Request
		want    error
		client  string
		confirm bool
		to      string
	}{
		{"nothing but a session: its user is asked", Request{}, nil, "", true, ""},
		{"neither session nor anything else", Request{SID: gone}, nil, "", false, ""},
		{"an expired ID token of the session spares the question", Request{IDTokenHint: alices}, nil, "shop", false, ""},
		{"and says whose URI it is", Request{IDTokenHint: alices, PostLogoutRedirectURI: bye}, nil, "shop", false, bye},
		{"state comes along", Request{IDTokenHint: alices, PostLogoutRedirectURI: bye, State: "a b&c=d#e"}, nil, "shop", false, bye + "?state=a+b%26c%3Dd%23e"},
		{"state joins a query", Request{IDTokenHint: alices, PostLogoutRedirectURI: bye + "?from=op", State: "s"}, nil, "shop", false, bye + "?from=op&state=s"},
		{"an app's own scheme", Request{IDTokenHint: alices, PostLogoutRedirectURI: "org.example.shop:/bye", State: "s"}, nil, "shop", false, "org.example.shop:/bye?state=s"},
		{"state without URI leads nowhere", Request{IDTokenHint: alices, State: "s"}, nil, "shop", false, ""},
		{"an ID token of this very session", Request{IDTokenHint: ofSession("alice", w.current.ID)}, nil, "shop", false, ""},
		{"also where the client knows the subject by another name", Request{IDTokenHint: ofSession("pseudonym", w.current.ID)}, nil, "shop", false, ""},
		{"an ID token of an earlier session: the user is asked", Request{IDTokenHint: ofSession("alice", "earlier")}, nil, "shop", true, ""},
		{"an ID token of the session's subject, but of no session: the user is asked", Request{IDTokenHint: of("alice", `"shop"`), PostLogoutRedirectURI: bye}, nil, "shop", true, bye},
		{"another client's name of this session: the user is asked", Request{IDTokenHint: here("desk", "alice", `"shop"`)}, nil, "shop", true, ""},
		{"a hint that its client can have made: the user is asked", Request{IDTokenHint: mac(`{"iss":"` + w.tenant.Issuer + `","sub":"alice","aud":"till","exp":1}`), PostLogoutRedirectURI: bye}, nil, "till", true, bye},
		{"with the name of another session: the user is asked", Request{IDTokenHint: mac(inSession("earlier", "till", "alice", `"till"`))}, nil, "till", true, ""},
		{"with another client's name of this session: the user is asked", Request{IDTokenHint: mac(inSession(w.current.ID, "shop", "alice", `"till"`))}, nil, "till", true, ""},
		{"with our name of this session", Request{IDTokenHint: mac(inSession(w.current.ID, "till", "alice", `"till"`)), PostLogoutRedirectURI: bye}, nil, "till", false, bye},
		{"an ID token that is encrypted to us", Request{IDTokenHint: sealed, PostLogoutRedirectURI: bye}, nil, "shop", false, bye},
		{"an ID token of another subject: the user is asked", Request{IDTokenHint: bobs, PostLogoutRedirectURI: bye}, nil, "shop", true, bye},
		{"client_id alone: the user is asked", Request{ClientID: "shop", PostLogoutRedirectURI: bye, State: "s"}, nil, "shop", true, bye + "?state=s"},
		{"client_id and hint agree", Request{IDTokenHint: alices, ClientID: "shop", PostLogoutRedirectURI: bye}, nil, "shop", false, bye},
		{"a hint for two audiences, of which client_id is one", Request{IDTokenHint: here("shop", "alice", `["desk","shop"]`), ClientID: "shop", PostLogoutRedirectURI: bye}, nil, "shop", false, bye},
		{"a session that has ended", Request{IDTokenHint: alices, PostLogoutRedirectURI: bye, SID: gone}, nil, "shop", false, bye},
		{"the same of a client that registered itself is not followed", Request{IDTokenHint: of("alice", `"stray"`), PostLogoutRedirectURI: bye, SID: gone}, nil, "stray", false, ""},
		{"with a session it is", Request{IDTokenHint: here("stray", "alice", `"stray"`), PostLogoutRedirectURI: bye}, nil, "stray", false, bye},
		{"nobody's URI does not count", Request{PostLogoutRedirectURI: bye, State: "s"}, nil, "", true, ""},

		{"a hint for two audiences", Request{IDTokenHint: of("alice", `["desk","shop"]`)}, errMismatch, "", false, ""},
		{"a hint for nobody", Request{IDTokenHint: of("alice", `[]`)}, errMismatch, "", false, ""},
		{"client_id and hint disagree", Request{IDTokenHint: alices, ClientID: "desk"}, errMismatch, "", false, ""},
		{"a hint of another tenant", Request{IDTokenHint: hint(t, other, "JWT", `{"iss":"https://id.globex.example","sub":"alice","aud":"shop"}`)}, ErrHint, "", false, ""},
		{"another issuer in a hint that we signed", Request{IDTokenHint: hint(t, w.tenant, "JWT", `{"iss":"https://id.globex.example","sub":"alice","aud":"shop"}`)}, ErrHint, "", false, ""},
		{"a hint signed by another", Request{IDTokenHint: hint(t, impostor, "JWT", `{"iss":"`+w.tenant.Issuer+`","sub":"alice","aud":"shop"}`)}, ErrHint, "", false, ""},
		{"a hint without subject", Request{IDTokenHint: of("", `"shop"`)}, ErrHint, "", false, ""},
		{"an unsigned hint", Request{IDTokenHint: none + "." + segments[1] + "."}, ErrHint, "", false, ""},
		{"a hint without its signature", Request{IDTokenHint: segments[0] + "." + segments[1] + "."}, ErrHint, "", false, ""},
		{"a hint with another's claims", Request{IDTokenHint: segments[0] + "." + strings.Split(bobs, ".")[1] + "." + segments[2]}, ErrHint, "", false, ""},
		{"an access token", Request{IDTokenHint: hint(t, w.tenant, "at+jwt", `{"iss":"`+w.tenant.Issuer+`","sub":"alice","aud":"shop"}`)}, ErrHint, "", false, ""},
		{"no token at all", Request{IDTokenHint: "alice", ClientID: "shop"}, ErrHint, "", false, ""},
		{"an unknown client", Request{ClientID: "nobody"}, errClient, "", false, ""},
		{"a disabled client", Request{ClientID: "off", PostLogoutRedirectURI: bye}, errClient, "", false, ""},
		{"a hint for a disabled client", Request{IDTokenHint: of("alice", `"off"`)}, errClient, "", false, ""},
		{"another client's URI", Request{IDTokenHint: alices, PostLogoutRedirectURI: "https://desk.example/bye"}, ErrURI, "", false, ""},
		{"a longer URI", Request{IDTokenHint: alices, PostLogoutRedirectURI: bye + "/x"}, ErrURI, "", false, ""},
		{"a shorter URI", Request{IDTokenHint: alices, PostLogoutRedirectURI: bye[:len(bye)-1]}, ErrURI, "", false, ""},
		{"another query", Request{IDTokenHint: alices, PostLogoutRedirectURI: bye + "?x"}, ErrURI, "", false, ""},
		{"an equivalent URI", Request{IDTokenHint: alices, PostLogoutRedirectURI: strings.Replace(bye, "shop.", "SHOP.", 1)}, ErrURI, "", false, ""},
		{"an active scheme", Request{ClientID: "shop", PostLogoutRedirectURI: "javascript:alert(1)"}, ErrURI, "", false, ""},
	} {
		if tt.r.SID == "" {
			tt.r.SID = w.sid
		}
		p, err := w.Begin(t.Context(), w.tenant, tt.r)
		var client string
		if p.Client != nil {
			client = p.Client.ID
		}
		if !same(err, tt.want) || client != tt.client || p.Confirm != tt.confirm || p.To() != tt.to {
			t.Errorf("%s: got client %q, confirm %v, to %q, %v", tt.rule, client, p.Confirm, p.To(), err)
		}
		if open := p.Session != nil; err == nil && open != (tt.r.SID == w.sid) {
			t.Errorf("%s: a session is found: %v", tt.rule, open)
		}
	}
	if len(w.store.sessions) != 1 || len(w.store.events) != 0 {
		t.Error("asking has ended the session")
	}
}

// same reports whether err tells the client what want does.
func same(err, want error) bool {
	if err == nil || want == nil {
		return err == want
	}
	e, w := oauth.ErrorOf(err), oauth.ErrorOf(want)
	return e.Code == w.Code && e.Description == w.Description
}

func TestLocales(t *testing.T) {
	w := newWorld(t)
	p, err := w.Begin(t.Context(), w.tenant, Request{UILocales: "fr-CA  en"})
	if err != nil || !slices.Equal(p.UILocales, []string{"fr-CA", "en"}) {
		t.Errorf("got %q, %v", p.UILocales, err)
	}
}

func TestEnd(t *testing.T) {
	w := newWorld(t)
	p, err := w.Begin(t.Context(), w.tenant, Request{ClientID: "shop", PostLogoutRedirectURI: bye, State: "s", SID: w.sid})
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range []string{"the first time", "the second time"} {
		if e, err := w.End(t.Context(), w.tenant, p, "192.0.2.1"); err != nil || e.To != bye+"?state=s" || e.Frames != nil {
			t.Errorf("%s: got %+v, %v", rule, e, err)
		}
	}
	if len(w.store.sessions) != 0 || len(w.store.events) != 1 {
		t.Fatalf("sessions %v, events %v", w.store.sessions, w.store.events)
	}
	if ev := w.store.events[0]; ev.Kind != audit.SessionEnded || ev.Subject != "alice" || ev.Session != w.current.ID || ev.Address != "192.0.2.1" {
		t.Errorf("the event is %+v", ev)
	}
	if !w.tenant.Revoked.Revoked(tenant.Issued{Grant: "g-1", At: noon.Add(-time.Second)}) {
		t.Error("what hung on the session is not revoked")
	}
	if p, err = w.Begin(t.Context(), w.tenant, Request{SID: w.sid}); err != nil || p.Session != nil || p.Confirm {
		t.Errorf("afterwards: %+v, %v", p, err)
	}
	if e, err := w.End(t.Context(), w.tenant, p, ""); err != nil || e.To != "" {
		t.Errorf("ending nothing: %+v, %v", e, err)
	}
}

func TestAStoreThatIsDown(t *testing.T) {
	w := newWorld(t)
	p, err := w.Begin(t.Context(), w.tenant, Request{ClientID: "shop", PostLogoutRedirectURI: bye, SID: w.sid})
	if err != nil {
		t.Fatal(err)
	}
	w.store.down = errDown
	if _, err := w.Begin(t.Context(), w.tenant, Request{SID: w.sid}); !errors.Is(err, errDown) {
		t.Errorf("begin: %v", err)
	}
	if e, err := w.End(t.Context(), w.tenant, p, ""); !errors.Is(err, errDown) || e.To != "" {
		t.Errorf("end: %+v, %v", e, err)
	}
}

// encryptedTo encrypts a token to ten, as a client that reads its JWK set does.
func encryptedTo(t *testing.T, ten *tenant.Tenant, token string) string {
	t.Helper()
	set, err := keys.ParseJWKS(ten.Keys.JWKS(noon))
	if err != nil {
		t.Fatal(err)
	}
	out, err := set.Encrypt(keys.Encryption{Alg: keys.ECDHESA256KW, Enc: "A256GCM"}, "JWT", "JWT", []byte(token))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRelyingPartiesInTheBrowser(t *testing.T) {
	w := newWorld(t)
	w.store.clients["framed"] = &tenant.Client{ID: "framed", Metadata: tenant.Metadata{FrontchannelLogoutURI: "https://framed.example/out?a=b"}}
	w.store.clients["other"] = &tenant.Client{ID: "other", Metadata: tenant.Metadata{FrontchannelLogoutURI: "https://other.example/out"}}
	w.current.Clients = []string{"shop", "framed", "gone"}
	p, err := w.Begin(t.Context(), w.tenant, Request{SID: w.sid})
	if err != nil {
		t.Fatal(err)
	}
	e, err := w.End(t.Context(), w.tenant, p, "")
	want := "https://framed.example/out?a=b&iss=https%3A%2F%2Fid.acme.example&sid=" + grant.SID(w.tenant, w.current.ID, "framed")
	if err != nil || !slices.Equal(e.Frames, []string{want}) {
		t.Errorf("got %+v, %v", e, err)
	}
}

func TestARequestWaitsElsewhere(t *testing.T) {
	w := newWorld(t)
	now := noon
	w.Sessions.Now = func() time.Time { return now }
	p, err := w.Begin(t.Context(), w.tenant, Request{ClientID: "shop", PostLogoutRedirectURI: bye, State: "s", SID: w.sid, LogoutHint: "alice@example.com", UILocales: "fr"})
	if err != nil {
		t.Fatal(err)
	}
	handle, err := w.Hold(w.tenant, p)
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.Resume(t.Context(), w.tenant, handle)
	if err != nil || !got.Confirm || got.Client.ID != "shop" || got.Session.ID != w.current.ID || got.To() != bye+"?state=s" || got.Hint != "alice@example.com" || !slices.Equal(got.UILocales, []string{"fr"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	other := newTenant(t, "https://id.globex.example", w.store)
	other.Secret, _ = keys.NewSecret(bytes.Repeat([]byte{2}, 32))
	for rule, call := range map[string]func() (Prompt, error){
		"a handle that is none":  func() (Prompt, error) { return w.Resume(t.Context(), w.tenant, "x") },
		"one of another tenant":  func() (Prompt, error) { return w.Resume(t.Context(), other, handle) },
		"one whose time is over": func() (Prompt, error) { now = noon.Add(heldLife); return w.Resume(t.Context(), w.tenant, handle) },
	} {
		now = noon
		if _, err := call(); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", rule, err)
		}
	}
	now = noon
	if _, err := w.End(t.Context(), w.tenant, got, ""); err != nil {
		t.Fatal(err)
	}
	if got, err = w.Resume(t.Context(), w.tenant, handle); err != nil || got.Session != nil {
		t.Errorf("afterwards: %+v, %v", got, err)
	}
}
