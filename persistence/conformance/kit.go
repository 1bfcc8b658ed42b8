package conformance

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// kit is what a case works with: a database, a tenant of its own, and a time.
type kit struct {
	testing.TB
	ctx context.Context
	db  *persistence.DB
	t   tenant.ID
	now time.Time
}

var count atomic.Int64

// newKit returns a kit with a new tenant.
func newKit(t testing.TB, db *persistence.DB) *kit {
	k := &kit{TB: t, ctx: t.Context(), db: db, now: time.Now().UTC().Truncate(time.Microsecond)}
	k.t = tenant.ID(fmt.Sprintf("t%d", count.Add(1)))
	k.must(k.create(k.t))
	return k
}

// create creates a tenant.
func (k *kit) create(id tenant.ID) error {
	_, err := k.db.CreateTenant(k.ctx, k.record(id), k.event(audit.TenantCreated))
	return err
}

// record returns a tenant to be created, with one of each that a tenant has.
func (k *kit) record(id tenant.ID) tenant.Record {
	key, err := keys.Generate(keys.EdDSA, rand.Reader, k.now)
	k.must(err)
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	secret, err := keys.NewSecret(b)
	k.must(err)
	return tenant.Record{ID: id, Version: 1, Issuer: "https://" + string(id) + ".example", Enabled: true,
		Settings: tenant.Settings{Name: mark(id)}, Keys: []keys.Key{key}, Secret: secret, CreatedAt: k.now, UpdatedAt: k.now,
		Tokens: []tenant.APIToken{{ID: "token", Label: mark(id), Hash: hash("token"), APIs: []tenant.API{tenant.AllAPIs}, CreatedAt: k.now}}}
}

// mark is a word that only occurs in what belongs to a tenant.
func mark(t tenant.ID) string { return "mark-of-" + string(t) + "-" }

// Everything named here may occur in several tenants at once.

func (k *kit) event(kind audit.Kind) audit.Event {
	return audit.Event{At: k.now, Kind: kind, Actor: "admin", Subject: "alice", ClientID: "app", Session: "session", Grant: "grant",
		Address: "192.0.2.1", Detail: map[string]string{"k": "v"}}
}

func hash(s string) []byte { return grant.Hash(s) }

func (k *kit) session(id string) session.Session {
	return session.Session{ID: id, Subject: "alice", AuthTime: k.now.Add(-time.Minute), CreatedAt: k.now.Add(-time.Hour), UsedAt: k.now.Add(-time.Minute),
		ACR: mark(k.t), AMR: []string{"pwd"}, MaxLife: 600, AuthLife: 60, MaxIdle: -1, Claims: json.RawMessage(`{"b":1,"a":"\u0000"}`),
		Data: json.RawMessage(`{"x": 1.0}`), Clients: []string{"other"}, Turn: 3}
}

func (k *kit) interaction(handle string) authorize.Interaction {
	return authorize.Interaction{Hash: hash(handle), Step: authorize.StepLogin, Request: &request.Request{ClientID: "app", State: mark(k.t),
		Scope: oauth.Scope{"openid"}, RawClaims: json.RawMessage(`{"a":1}`)}, Binding: hash("cookie"), Data: json.RawMessage(`{"y": "\u0000"}`),
		Version: 1, CreatedAt: k.now, ExpiresAt: k.now.Add(15 * time.Minute)}
}

// grant returns a grant with a code that has not been redeemed.
func (k *kit) grant(id string) grant.Grant {
	return grant.Grant{ID: id, Subject: "alice", ClientID: "app", CreatedAt: k.now, ExpiresAt: k.now.Add(time.Minute),
		Terms: grant.Terms{Scope: oauth.Scope{"openid"}, Data: json.RawMessage(`{"z":1}`), Login: grant.Login{ACR: mark(k.t)}},
		Code:  &grant.CodeState{Hash: hash("code of " + id), ExpiresAt: k.now.Add(time.Minute), RedirectURI: "https://app.example/cb", Challenge: "challenge"}}
}

// line returns a line of refresh tokens at a generation.
func (k *kit) line(generation int64) grant.RefreshState {
	return grant.RefreshState{Generation: generation, RotatedAt: k.now, UsedAt: k.now, ExpiresAt: k.now.Add(24 * time.Hour), IdleUntil: k.now.Add(time.Hour),
		Confirmation: oauth.Confirmation{JKT: "key of the client"}}
}

// refreshable returns a grant with a refresh token of the first generation.
func (k *kit) refreshable(id string) grant.Grant {
	g, r := k.grant(id), k.line(1)
	g.Code, g.Refresh, g.ExpiresAt = nil, &r, k.now.Add(24*time.Hour)
	return g
}

func (k *kit) token(name, grantID string) grant.AccessToken {
	a := grant.AccessToken{Hash: hash(name), ID: "jti of " + name, Grant: grantID, Subject: "alice", Actor: "", ClientID: "app",
		Scope: oauth.Scope{"openid", "email"}, Audience: []string{mark(k.t)}, Data: json.RawMessage(`{"d":1}`), IssuedAt: k.now, ExpiresAt: k.now.Add(10 * time.Minute),
		Confirmation: oauth.Confirmation{JKT: "key of " + name}, Details: oauth.Details{json.RawMessage(`{"type":"payment"}`)}}
	if grantID != "" {
		a.ACR = mark(k.t) // of k.grant
		a.Fed = &grant.Fed{Claims: map[string]json.RawMessage{"tier": json.RawMessage(`"gold"`)}, UserInfo: map[string]json.RawMessage{"name": json.RawMessage("null")}}
	}
	return a
}

func (k *kit) account(sub string) account.Account {
	return account.Account{Subject: sub, Username: "Name of " + sub, PasswordHash: "$argon2id$", UserCodeHash: "$argon2id$code", CreatedAt: k.now, UpdatedAt: k.now,
		Claims: map[string]json.RawMessage{"name": json.RawMessage(`"` + mark(k.t) + `"`)}}
}

func (k *kit) client(id string) tenant.Client {
	signs, err := keys.NewHMACKey("a secret that assertions are signed with")
	k.must(err)
	c := tenant.Client{ID: id, Secrets: []tenant.ClientSecret{{Hash: hash("secret"), ExpiresAt: k.now.Add(time.Hour), HMAC: signs}, {Hash: hash("older")}},
		RegistrationToken: hash("registration"), CreatedAt: k.now, UpdatedAt: k.now, SelfRegistered: true}
	c.Name, c.RedirectURIs, c.Data = mark(k.t), []string{"https://app.example/cb"}, json.RawMessage(`{"own":1}`)
	c.Localized = map[string]string{"client_name#es": "aplicación"}
	return c
}

func (k *kit) authorization(clientID string) grant.Authorization {
	return grant.Authorization{Subject: "alice", ClientID: clientID, Scope: oauth.Scope{"openid", "email"}, Claims: []string{mark(k.t)},
		Terms: json.RawMessage(`{"long_lived":true}`), CreatedAt: k.now, UpdatedAt: k.now}
}

func (k *kit) revocation(grantID string) tenant.Revocation {
	return tenant.Revocation{Grant: grantID, At: k.now, ExpiresAt: k.now.Add(time.Hour)}
}

// A case says what it expects with these.

// must fails the test now where err is one.
func (k *kit) must(err error) {
	k.Helper()
	if err != nil {
		k.Fatal(err)
	}
}

// is fails the test where err is not want; nil is no error.
func (k *kit) is(err, want error) {
	k.Helper()
	if !errors.Is(err, want) || want == nil && err != nil {
		k.Errorf("got error %v, want %v", err, want)
	}
}

// same fails the test where got is not want; JSON is compared byte by byte, an empty list is none.
func (k *kit) same(got, want any) {
	k.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(keys.Key{}, keys.Secret{})); d != "" {
		k.Errorf("-want +got\n%s", d)
	}
}

// at is a time after now.
func (k *kit) at(d time.Duration) time.Time { return k.now.Add(d) }

// journal returns the revocations that a new snapshot has.
func (k *kit) journal() []tenant.Revocation {
	k.Helper()
	_, rs, err := k.db.Snapshot(k.ctx, k.t, k.now)
	k.must(err)
	return rs
}

// events returns the kinds of the tenant's events but its creation, newest first.
func (k *kit) events() (kinds []audit.Kind) {
	k.Helper()
	evs, err := k.db.Events(k.ctx, k.t, time.Time{}, 1000)
	k.must(err)
	for _, ev := range evs {
		if ev.Kind != audit.TenantCreated {
			kinds = append(kinds, ev.Kind)
		}
	}
	return kinds
}

// feed returns what changed at the tenant since its creation, in the order of its numbers.
func (k *kit) feed() (cs []tenant.Change) {
	k.Helper()
	all, _, err := k.db.Changes(k.ctx, time.Time{})
	k.must(err)
	slices.SortFunc(all, func(a, b tenant.Change) int { return int(a.Seq - b.Seq) })
	for _, c := range all {
		if c.Tenant == k.t {
			cs = append(cs, tenant.Change{Tenant: c.Tenant, ClientID: c.ClientID, Revocation: c.Revocation})
		}
	}
	return cs[1:]
}

// callers is how many call at once in a race.
const callers = 64

// crowd calls f from many at once and returns their errors.
func crowd(f func(i int) error) []error {
	var ready, done sync.WaitGroup
	start, errs := make(chan struct{}), make([]error, callers)
	for i := range callers {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			errs[i] = f(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return errs
}

// oneWins fails the test where not exactly one of the crowd succeeds, or a loser's error is not one of those expected.
func (k *kit) oneWins(errs []error, losers ...error) {
	k.Helper()
	k.win(errs, 1, losers...)
}

// win fails the test where not exactly n of the crowd succeed.
func (k *kit) win(errs []error, n int, losers ...error) {
	k.Helper()
	won := 0
	for _, err := range errs {
		expected := err == nil
		for _, l := range losers {
			expected = expected || errors.Is(err, l)
		}
		if err == nil {
			won++
		}
		if !expected {
			k.Errorf("a loser got %v", err)
		}
	}
	if won != n {
		k.Errorf("%d succeeded, want %d", won, n)
	}
}

// newID returns what no other case uses.
func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}
