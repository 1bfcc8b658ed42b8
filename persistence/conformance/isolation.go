package conformance

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/limit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/tenant"
)

// kept is a call of a method under the kit's tenant, or why the method cannot be kept within one. What it returns is
// looked through for marks of another tenant.
type kept struct {
	why  string
	call func(*kit) (any, error)
}

func (c kept) reason() (string, bool) { return c.why, c.call != nil }

// neighbour is a tenant that has everything, and shall keep it as it is.
type neighbour struct {
	*kit
	has contents
}

func newNeighbour(t *testing.T, db *persistence.DB) *neighbour {
	k := newKit(t, db)
	k.fill()
	return &neighbour{k, k.dump()}
}

// isolated calls a method under one tenant, while its neighbour has everything of the same names: once as one that has the
// same, once as one that has nothing.
func (n *neighbour) isolated(t *testing.T, call func(*kit) (any, error)) {
	full, empty := newKit(t, n.db), newKit(t, n.db)
	full.fill()
	for _, k := range []*kit{full, empty} {
		got, err := call(k)
		if k == full {
			k.must(err)
		}
		b, jsonErr := json.Marshal(got)
		k.must(jsonErr)
		if strings.Contains(string(b), mark(n.t)) {
			k.Errorf("another tenant's data: %s", b)
		}
		if e, ok := errors.AsType[*oauth.Error](err); ok {
			k.Errorf("a tenant that has nothing gets %v", e)
		}
	}
	before := n.has
	n.TB, n.has = t, n.dump()
	if d := cmp.Diff(before, n.has); d != "" {
		t.Errorf("another tenant changed:\n%s", d)
	}
}

// fill gives the tenant one of everything, all named as in other tenants.
func (k *kit) fill() {
	k.Helper()
	_, err := k.db.CreateClient(k.ctx, k.t, k.client("app"), 9, k.event(audit.ClientCreated))
	k.must(err)
	k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), k.event(audit.UserCreated)))
	k.factors()
	k.scripts()
	k.begin(k.session("session"))
	k.must(k.db.Begin(k.ctx, k.t, k.interaction("interaction"), nil))
	z, coded := k.authorization("app"), k.grant("coded")
	k.finish(&z, &coded)
	k.enters(0, "read")
	g, a, alone := k.refreshable("grant"), k.token("token", "grant"), k.token("alone", "")
	g.SessionID, g.Managed = "session", "managed"
	k.must(k.db.PutGrant(k.ctx, k.t, g, &a, k.event(audit.GrantIssued)))
	k.must(k.db.PutAccessToken(k.ctx, k.t, alone))
	k.must(k.db.DeriveAll(k.ctx, k.t, k.now, k.batch("batch"), nil))
	k.push("pushed")
	k.must(k.db.PutInitialToken(k.ctx, k.t, k.initialToken("initial", 3), 9, audit.Event{}))
	k.administered()
	k.must(k.db.PutUsage(k.ctx, []limit.Issued{k.issued(today, "app "+mark(k.t), "access_token", 1)}, []limit.Active{k.active(thisMonth, 1, 1)}))
	k.must(k.putAlias(k.alias("known")))
	k.once("once", "request")
	k.must(k.db.BeginAuthentication(k.ctx, k.t, k.authentication("identifying", decoupled.Identifying)))
	k.waiting("waiting")
	k.granted("approved")
	k.must(k.device("device", "user code", many))
	k.must(k.use("assertion", "used", k.at(time.Hour)))
	k.must(k.db.Owe(k.ctx, k.t, k.message("owed", "alice"), k.message("lost", "")))
	k.must(k.db.Bury(k.ctx, k.t, "lost", 0, k.now, "refused"))
	k.subscribe("webhook", audit.UserDeleted)
	k.must(k.db.Record(k.ctx, k.t, k.event(audit.UserDeleted)))
	k.giveUp("webhook", 1)
	k.must(k.db.RevokeToken(k.ctx, k.t, nil, k.now, tenant.Revocation{Token: mark(k.t), At: k.now, ExpiresAt: k.at(time.Hour)}, k.event(audit.GrantRevoked)))
}

// contents is all that a tenant has, as JSON by name.
type contents map[string]string

// unmarked is c without what tells tenants apart by itself.
func (c contents) unmarked() contents {
	delete(c, "tenant")
	delete(c, "tenant's history")
	delete(c, "events")
	return c
}

// dump reads all that the tenant has.
func (k *kit) dump() contents {
	k.Helper()
	c := contents{}
	put := func(name string, v any, err error) {
		if err != nil {
			v = err.Error()
		}
		b, err := json.Marshal(v)
		k.must(err)
		c[name] = string(b)
	}
	r, rs, err := k.db.Snapshot(k.ctx, k.t, k.now)
	put("tenant", r, err)
	put("revocations", rs, err)
	clients, err := k.db.Clients(k.ctx, k.t, "", 100)
	put("clients", clients, err)
	for i := range clients {
		put("secrets of client", clients[i].Secrets, nil)
	}
	accounts, err := k.db.Accounts(k.ctx, k.t, "", 100)
	put("accounts", accounts, err)
	for _, sub := range []string{"alice", "enrolling"} {
		f, err := k.db.TOTP(k.ctx, k.t, sub)
		put("TOTP of "+sub, f, err)
	}
	put("code", k.codeStands("alice", "code"), nil)
	source, err := k.db.Version(k.ctx, k.t, "login", 0)
	put("script", source, err)
	written, err := k.db.Entries(k.ctx, k.t, "", 0, 100)
	put("log of scripts", unnumbered(written), err)
	secret, err := k.db.Secret(k.ctx, k.t, "key")
	put("secret of scripts", secret, err)
	sessions, err := k.db.Sessions(k.ctx, k.t, "alice")
	put("sessions", sessions, err)
	interaction, err := k.db.Load(k.ctx, k.t, k.now, hash("interaction"))
	put("interaction", interaction, err)
	pushed, err := k.db.Pushed(k.ctx, k.t, k.now, hash("pushed"))
	put("pushed request", pushed, err)
	revisions, err := k.db.Revisions(k.ctx, k.t, 0, 100)
	put("tenant's history", revisions, err)
	put("usage", k.used(admin.ByClient), nil)
	months, err := k.db.ActiveSubjects(k.ctx, k.t, 0, 1<<30)
	put("active", months, err)
	initial, err := k.db.InitialTokens(k.ctx, k.t)
	put("initial tokens", initial, err)
	for _, id := range []string{"identifying", "waiting", "approved", "device"} {
		a, err := k.db.Authentication(k.ctx, k.t, k.now, id)
		put("authentication "+id, a, err)
	}
	for _, id := range []string{"grant", "coded", "approved"} {
		g, err := k.db.Grant(k.ctx, k.t, id)
		put(id, g, err)
	}
	for _, name := range []string{"token", "alone"} {
		a, err := k.db.AccessToken(k.ctx, k.t, k.now, hash(name))
		put(name, a, err)
	}
	zs, err := k.db.Authorizations(k.ctx, k.t, "alice")
	put("authorizations", zs, err)
	granted, err := k.db.GrantedScopes(k.ctx, k.t, "alice", "app")
	put("granted scopes", granted, err)
	for name, dead := range map[string]bool{"owed": false, "dead letters": true} {
		ms, err := k.db.Messages(k.ctx, k.t, dead, "", 100)
		put(name, ms, err)
	}
	ws, err := k.db.Webhooks(k.ctx, k.t)
	put("webhooks", ws, err)
	access, err := k.db.Access(k.ctx, k.t)
	if err == nil {
		access.Version = 0
	}
	put("access", access, err)
	answered, err := k.db.Answered(k.ctx, k.t, hash("once"), k.now)
	put("answer", answered, err)
	batch, err := k.db.Batch(k.ctx, k.t, k.now, "batch")
	put("batch", batch, err)
	evs, err := k.db.Events(k.ctx, k.t, time.Time{}, 100)
	put("events", evs, err)
	return c
}

const everyTenant = "it is for every tenant"

// firstNumber is that of the first client of any tenant.
const firstNumber = 1_000_001

// none is what a method that returns nothing but an error returned.
func none(err error) (any, error) { return nil, err }

var isolations = all(tenantIsolations, accountIsolations, flowIsolations)
