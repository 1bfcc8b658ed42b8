package ciba

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

func TestAuthenticate(t *testing.T) {
	unknown := func(fate string) func(*tenant.Settings) {
		return func(s *tenant.Settings) { s.CIBA.UnknownUsers = fate }
	}
	for _, tt := range []struct {
		rule, query string
		settings    func(*tenant.Settings)
		subject     string // that the request waits for
		required    string // sub that alone may be granted
		err         string
	}{
		{"a user name names its account", "", nil, "sub-alice", "sub-alice", ""},
		{"so does a subject", "login_hint=sub-alice", nil, "sub-alice", "sub-alice", ""},
		{"an ID token names its subject", "login_hint=&id_token_hint=hint-of-sub-alice", nil, "sub-alice", "sub-alice", ""},
		{"also one that has no account here", "login_hint=&id_token_hint=hint-of-bob", nil, "bob", "bob", ""},
		{"which is not who has that user name", "login_hint=&id_token_hint=hint-of-sub-of-nobody", nil, "sub-of-nobody", "sub-of-nobody", ""},
		{"nobody is unknown", "login_hint=nobody", nil, "", "", "unknown_user_id: the hint names no user who could be asked"},
		{"a disabled account is as unknown", "login_hint=off", nil, "", "", "unknown_user_id: the hint names no user who could be asked"},
		{"also where a token names it", "login_hint=&id_token_hint=hint-of-sub-off", nil, "", "", "unknown_user_id: the hint names no user who could be asked"},
		{"nobody may look as if known", "login_hint=nobody", unknown(tenant.HideUnknown), "", "", ""},
		{"so may a disabled account", "login_hint=off", unknown(tenant.HideUnknown), "", "", ""},
		{"and nobody's request finds somebody", "", unknown(tenant.HideUnknown), "sub-alice", "sub-alice", ""},
		{"a tenant may know its users itself", "login_hint=bob@acme.example", unknown(tenant.PassUnknown), "bob@acme.example", "", ""},
		{"but not whom we know to be disabled", "login_hint=off", unknown(tenant.PassUnknown), "", "", "unknown_user_id: the hint names no user who could be asked"},
		{"the accounts may be out of order", "login_hint=down", nil, "", "", "out of order"},
		{"nobody here reads a login_hint_token", "login_hint=&login_hint_token=x", nil, "", "", "invalid_request: login_hint_token is not signed by the client as it must be, or malformed"},
		{"a binding message is short", "binding_message=W4SCT 17", nil, "sub-alice", "sub-alice", ""},
		{"a long one is refused", "binding_message=" + strings.Repeat("a", 17), nil, "", "", "invalid_binding_message: binding_message must be 4 to 16 letters, digits, underscores and spaces"},
		{"a short one too", "binding_message=abc", nil, "", "", "invalid_binding_message: binding_message must be 4 to 16 letters, digits, underscores and spaces"},
		{"a tenant may want others", "binding_message=Pay 12.50?", func(s *tenant.Settings) { s.CIBA.BindingMessage = ".*" }, "sub-alice", "sub-alice", ""},
		{"what the checks refuse is refused", "scope=email", nil, "", "", "invalid_scope: scope must hold openid"},
	} {
		if tt.settings == nil {
			tt.settings = func(*tenant.Settings) {}
		}
		w := newWorld(t, tt.settings)
		ack, err := w.Authenticate(context.Background(), w.tenant, w.bank, params(tt.query))
		w.says(tt.rule, err, tt.err)
		if err != nil {
			if len(w.store.rows) != 0 || ack != (Acknowledgement{}) {
				t.Errorf("%s: it is stored", tt.rule)
			}
			continue
		}
		p := w.only()
		if p.State != decoupled.Waiting || p.Subject != tt.subject || p.Request.RequiredSub != tt.required || !p.EndsAt.Equal(noon.Add(10*time.Minute)) || p.Interval != 5*time.Second {
			t.Errorf("%s: %+v", tt.rule, p.Authentication)
		}
		if want := (Acknowledgement{AuthReqID(w.tenant, &p.Authentication), 10 * time.Minute, 5 * time.Second}); ack != want {
			t.Errorf("%s: acknowledged as %+v", tt.rule, ack)
		}
	}
}

// turns is a Limiter that lets each key through twice.
type turns map[string]int

func (u turns) Allow(_ context.Context, id tenant.ID, what string, keys ...string) (time.Duration, bool) {
	key := strings.Join(append([]string{string(id), what}, keys...), "|")
	u[key]++
	return time.Minute, u[key] <= 2
}

func TestAClientAsksForAUserOnlySoOften(t *testing.T) {
	const often = "slow_down: the client asks for this user too often"
	w := newWorld(t, func(s *tenant.Settings) { s.CIBA.UnknownUsers = tenant.HideUnknown })
	w.Limit = turns{}
	shop := *w.bank
	shop.ID = "shop"
	for _, tt := range []struct {
		rule   string
		client *tenant.Client
		query  string
		err    string
	}{
		{"once", w.bank, "", ""},
		{"what is malformed does not count", w.bank, "binding_message=abc", "invalid_binding_message: binding_message must be 4 to 16 letters, digits, underscores and spaces"},
		{"by whatever name", w.bank, "login_hint=sub-alice", ""},
		{"and no more", w.bank, "", often},
		{"by no name", w.bank, "login_hint=&id_token_hint=hint-of-sub-alice", often},
		{"another client has its own turns", &shop, "", ""},
		{"as has another user", w.bank, "login_hint=&id_token_hint=hint-of-bob", ""},
		{"nobody is asked for", w.bank, "login_hint=nobody", ""},
		{"again", w.bank, "login_hint=nobody", ""},
		{"and no more often than somebody", w.bank, "login_hint=nobody", often},
	} {
		before := len(w.store.rows)
		_, err := w.Authenticate(context.Background(), w.tenant, tt.client, params(tt.query))
		w.says(tt.rule, err, tt.err)
		if tt.err == often && oauth.RetryAfter(err) != time.Minute {
			t.Errorf("%s: it does not say for how long", tt.rule)
		}
		if stored := len(w.store.rows) > before; stored != (tt.err == "") {
			t.Errorf("%s: stored is %v", tt.rule, stored)
		}
	}
	for range 3 { // a backend knows whom it asks, and how often
		if _, err := w.Begin(context.Background(), w.tenant, w.bank, params("")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUserCodes(t *testing.T) {
	const wrong, foreign = "invalid_user_code: user_code is wrong", "unauthorized_client: a client that sends user_code is served for accounts of this server only"
	for _, tt := range []struct {
		rule, query string
		registered  bool
		unknown     string
		err         string
	}{
		{"the right one", "user_code=1234", true, "", ""},
		{"a wrong one", "user_code=4321", true, "", wrong},
		{"none", "", true, "", "missing_user_code: user_code is missing"},
		{"none from a client that sends none", "", false, "", ""},
		{"one that need not be sent is checked as well", "user_code=4321", false, "", wrong},
		{"nobody is unknown", "login_hint=nobody&user_code=1234", true, "", "unknown_user_id: the hint names no user who could be asked"},
		{"or has a wrong code, where nobody is to know", "login_hint=nobody&user_code=1234", true, tenant.HideUnknown, wrong},
		{"so has who is disabled", "login_hint=off&user_code=1234", true, tenant.HideUnknown, wrong},
		{"whom only the tenant knows has none here", "login_hint=nobody&user_code=1234", true, tenant.PassUnknown, foreign},
		{"nor has whom a token names", "login_hint=&id_token_hint=hint-of-bob&user_code=1234", true, "", foreign},
	} {
		w := newWorld(t, func(s *tenant.Settings) { s.CIBA.UserCode, s.CIBA.UnknownUsers = true, tt.unknown })
		w.bank.BackchannelUserCode = tt.registered
		_, err := w.Authenticate(context.Background(), w.tenant, w.bank, params(tt.query))
		w.says(tt.rule, err, tt.err)
	}
}

func TestUserCodeIsForABackendToCheck(t *testing.T) {
	w := newWorld(t, func(s *tenant.Settings) { s.CIBA.UserCode = true })
	w.bank.BackchannelUserCode = true
	ticket, err := w.Begin(context.Background(), w.tenant, w.bank, params("user_code=4321"))
	if err != nil || ticket.Request.Backchannel.UserCode != "4321" || !ticket.Request.Backchannel.UserCodeRequired {
		t.Errorf("the backend is not told: %v", err)
	}
}

func TestBegin(t *testing.T) {
	w := newWorld(t)
	ticket, err := w.Begin(context.Background(), w.tenant, w.bank, params("login_hint=&id_token_hint=hint-of-bob&requested_expiry=120"))
	if err != nil {
		t.Fatal(err)
	}
	if len(ticket.Handle) != 43 {
		t.Errorf("the ticket has %d characters", len(ticket.Handle))
	}
	if ticket.Request.IDTokenHint != "hint-of-bob" || ticket.Request.RequiredSub != "bob" {
		t.Errorf("the backend does not see the hint: %+v", ticket.Request)
	}
	p := w.only()
	want := decoupled.Authentication{ID: p.ID, State: decoupled.Identifying, ClientID: "bank", CreatedAt: noon, EndsAt: noon.Add(15 * time.Minute),
		Request: &request.Request{ClientID: "bank", Scope: oauth.Scope{"openid", "email"}, RequiredSub: "bob", Backchannel: request.Decoupled{RequestedExpiry: 120}}}
	if d := cmp.Diff(want, p.Authentication); d != "" {
		t.Errorf("stored: -want +got\n%s", d)
	}

	w.now = noon.Add(time.Minute)
	got, ack, err := w.Issue(context.Background(), w.tenant, ticket.Handle)
	if err != nil {
		t.Fatal(err)
	}
	if ack.ExpiresIn != 2*time.Minute || ack.Interval != 5*time.Second || len(ack.AuthReqID) != 64 || got.Client != w.bank {
		t.Errorf("acknowledged as %+v", ack)
	}
	want.State, want.Interval, want.EndsAt = decoupled.Waiting, 5*time.Second, noon.Add(3*time.Minute)
	for _, a := range []decoupled.Authentication{got.Authentication, w.only().Authentication} {
		if d := cmp.Diff(want, a); d != "" {
			t.Errorf("acknowledged: -want +got\n%s", d)
		}
	}
	_, _, err = w.Issue(context.Background(), w.tenant, ticket.Handle)
	w.says("a ticket is acknowledged once", err, decoupled.ErrNotFound.Error())
}

func TestHandles(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	ack := w.authenticate("")
	a := &w.only().Authentication
	ticket := tickets.Of(w.tenant, a.ID)
	for _, tt := range []struct {
		rule, ticket string
		tenant       *tenant.Tenant
		err          string
	}{
		{"a ticket opens", ticket, w.tenant, ""},
		{"another tenant's does not", ticket, other.tenant, decoupled.ErrNotFound.Error()},
		{"an auth_req_id is no ticket", ack.AuthReqID, w.tenant, decoupled.ErrNotFound.Error()},
		{"an id is no ticket", a.ID, w.tenant, decoupled.ErrNotFound.Error()},
		{"nothing is no ticket", "", w.tenant, decoupled.ErrNotFound.Error()},
		{"a changed one is none", ticket[:42] + "!", w.tenant, decoupled.ErrNotFound.Error()},
		{"a longer one is none", ticket + "A", w.tenant, decoupled.ErrNotFound.Error()},
	} {
		_, err := w.Load(context.Background(), tt.tenant, tt.ticket)
		w.says(tt.rule, err, tt.err)
	}
	_, err := w.Poll(context.Background(), w.tenant, w.bank, ticket)
	w.says("a ticket is no auth_req_id", err, "invalid_grant: auth_req_id is invalid or already used")
	_, err = w.Poll(context.Background(), other.tenant, w.bank, ack.AuthReqID)
	w.says("another tenant's auth_req_id is none", err, "invalid_grant: auth_req_id is invalid or already used")
	delete(w.tenant.Clients.(registry), "bank")
	_, err = w.Load(context.Background(), w.tenant, ticket)
	w.says("without its client there is nothing", err, decoupled.ErrNotFound.Error())
	w.tenant.Clients.(registry)["bank"] = &tenant.Client{ID: "bank", Disabled: true}
	_, err = w.Load(context.Background(), w.tenant, ticket)
	w.says("nor with a disabled one", err, decoupled.ErrNotFound.Error())
	if ps, err := w.Waiting(context.Background(), w.tenant, "sub-alice"); err != nil || len(ps) != 0 {
		t.Errorf("listed all the same: %v %v", ps, err)
	}
}

func TestWaiting(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		w.now = noon.Add(time.Duration(i) * time.Minute)
		w.authenticate("")
	}
	if _, err := w.Begin(context.Background(), w.tenant, w.bank, params("")); err != nil {
		t.Fatal(err)
	}
	ps, err := w.Waiting(context.Background(), w.tenant, "sub-alice")
	if err != nil || len(ps) != 3 || !ps[0].CreatedAt.Equal(w.now) || ps[0].Client != w.bank {
		t.Fatalf("%v %v", ps, err)
	}
	if err := w.Complete(context.Background(), w.tenant, &ps[1], decoupled.Completion{Result: decoupled.AccessDenied}); err != nil {
		t.Fatal(err)
	}
	w.now = noon.Add(10 * time.Minute)
	if ps, err = w.Waiting(context.Background(), w.tenant, "sub-alice"); err != nil || len(ps) != 1 {
		t.Errorf("of the three one waits still, but listed are %v %v", ps, err)
	}
	w.store.down = errDown
	_, err = w.Waiting(context.Background(), w.tenant, "sub-alice")
	w.says("a store may be out of order", err, errDown.Error())
}
