package authorize

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// openTicket opens a ticket for a request of client shop with more parameters.
func (h *house) openTicket(query string) (Result, error) {
	params := request.Parse("client_id=shop&response_type=code&scope=openid+email&state=s&redirect_uri=" + callback)
	for name, values := range request.Parse(query) {
		params[name] = values
	}
	return h.Open(context.Background(), h.t, Start{Params: params, Data: json.RawMessage(`{"context":"c"}`)})
}

// ticket returns the interaction behind a new ticket, as the next call of a backend loads it.
func (h *house) ticket(t *testing.T, query string) *Pending {
	t.Helper()
	res, err := h.openTicket(query)
	if err != nil || res.Pending == nil {
		t.Fatal(err, res.Response)
	}
	p, err := h.Ticket(context.Background(), h.t, res.Pending.Handle)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOpen(t *testing.T) {
	for _, tt := range []struct {
		rule, query string
		with        func(*tenant.Settings)
		want        string
	}{
		{"nobody is asked anything by us", "prompt=login&max_age=1", nil, "pending: ticket"},
		{"nor by prompt=none", "prompt=none", nil, "pending: ticket"},
		{"but prompt=none and max_age=0 exclude each other", "prompt=none&max_age=0", nil, "login_required"},
		{"prompt=none may demand a hint", "prompt=none", func(s *tenant.Settings) { s.Authorization.HintWithPromptNone = true }, "invalid_request"},
		{"which is there", "prompt=none&id_token_hint=hint-of-alice", func(s *tenant.Settings) { s.Authorization.HintWithPromptNone = true }, "pending: ticket"},
		{"what is refused goes to the client", "max_age=x", nil, "invalid_request"},
		{"unless it registered itself", "client_id=stranger&max_age=x", nil, "error: invalid_request"},
		{"an unknown client gets nothing", "client_id=nobody", nil, "error: invalid_request"},
		{"nor does a redirect URI that is not proven", "redirect_uri=https://evil.example", nil, "error: invalid_request"},
	} {
		h := open(t)
		if tt.with != nil {
			tt.with(h.t.Settings)
		}
		res, err := h.openTicket(tt.query)
		got := ""
		if err != nil {
			got = "error: " + oauth.ErrorOf(err).Code
		} else {
			got = refusal(res)
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.rule, got, tt.want)
		}
	}
}

func TestTicketScope(t *testing.T) {
	for _, tt := range []struct {
		rule, query string
		listed      []string
		registered  string
		want        string
	}{
		{"any, where the tenant lists none", "scope=openid+x", nil, "", "openid x"},
		{"what the tenant lists", "scope=openid+x", []string{"openid"}, "", "openid"},
		{"what the client registered besides", "scope=openid+x+y", []string{"openid"}, "openid x", "openid x"},
		{"offline_access only with consent", "scope=openid+offline_access", nil, "", "openid"},
		{"offline_access with consent", "scope=openid+offline_access&prompt=consent", nil, "", "openid offline_access"},
	} {
		h := open(t)
		h.t.Settings.Authorization.Scopes = tt.listed
		shop := *h.t.Clients.(registry)["shop"]
		shop.Scope = tt.registered
		h.t.Clients.(registry)["shop"] = &shop
		if got := h.ticket(t, tt.query).Request.Scope.String(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.rule, got, tt.want)
		}
	}
}

func TestTicketsAreApart(t *testing.T) {
	h := open(t)
	p := h.ticket(t, "")
	ticket, _ := h.openTicket("")
	session := h.begin(t, "", "")
	for _, binding := range []string{"", "ticket", ticket.Pending.Handle} {
		if _, err := h.Load(context.Background(), h.t, ticket.Pending.Handle, binding); !errors.Is(err, ErrNotFound) {
			t.Errorf("a ticket opens with %q: %v", binding, err)
		}
	}
	if _, err := h.Ticket(context.Background(), h.t, session.Pending.Handle); !errors.Is(err, ErrNotFound) {
		t.Errorf("an authorization session is a ticket: %v", err)
	}
	if got := p.ExpiresAt.Sub(noon); got != 24*time.Hour || string(p.Data) != `{"context":"c"}` {
		t.Errorf("it is kept for %v with %s", got, p.Data)
	}
	h.t.Settings.Authorization.InteractionLifetime = 60
	if got := h.ticket(t, "").ExpiresAt.Sub(noon); got != time.Minute {
		t.Errorf("where the tenant set a time, it is kept for %v", got)
	}
}

func TestIssue(t *testing.T) {
	claims := map[string]json.RawMessage{"email": json.RawMessage(`"a@b.c"`), "aud": json.RawMessage(`"evil"`)}
	own := grant.Property{Key: "k", Value: "v"}
	for _, tt := range []struct {
		rule, query string
		verdict     Verdict
		want        grant.Terms
	}{
		{"what was asked, where nothing else is said", "nonce=n", Verdict{Subject: "alice"},
			grant.Terms{Scope: oauth.Scope{"openid", "email"}, Claims: []string{"email", "email_verified"}, IDToken: grant.IDTerms{Issue: true},
				RefreshToken: grant.RefreshTerms{Issue: true}, Login: grant.Login{Nonce: "n"}}},
		{"what is said", "resource=https://r.example", Verdict{Subject: "alice", Rescoped: true, Scope: oauth.Scope{"openid", "x", "x"}, AuthTime: 7, ACR: "a",
			Claims: claims, Consented: []string{"email"}, Properties: []grant.Property{own}, Access: grant.AccessTerms{Lifetime: 9}, ID: grant.IDTerms{Subject: "p"}},
			grant.Terms{Scope: oauth.Scope{"openid", "x"}, Audience: []string{"https://r.example"}, Consented: []string{"email"}, Properties: []grant.Property{own},
				PresetIDToken: map[string]json.RawMessage{"email": claims["email"]}, AccessToken: grant.AccessTerms{Lifetime: 9},
				IDToken: grant.IDTerms{Issue: true, Subject: "p"}, RefreshToken: grant.RefreshTerms{Issue: true}, Login: grant.Login{AuthTime: 7, TellAuthTime: true, ACR: "a"}}},
		{"openid only where it was asked", "scope=x", Verdict{Subject: "alice", Rescoped: true, Scope: oauth.Scope{"openid", "y"}},
			grant.Terms{Scope: oauth.Scope{"y"}, RefreshToken: grant.RefreshTerms{Issue: true}}},
		{"nothing at all", "", Verdict{Subject: "alice", Rescoped: true}, grant.Terms{RefreshToken: grant.RefreshTerms{Issue: true}}},
		{"no refresh token for a client that may not have one", "client_id=plain", Verdict{Subject: "alice", AuthTime: 7},
			grant.Terms{Scope: oauth.Scope{"openid", "email"}, Claims: []string{"email", "email_verified"}, IDToken: grant.IDTerms{Issue: true}, Login: grant.Login{AuthTime: 7, TellAuthTime: true}}},
		{"no time of authentication where there is no ID token to tell it", "client_id=plain&max_age=9", Verdict{Subject: "alice", Rescoped: true}, grant.Terms{}},
		{"the claims that are asked for at UserInfo", `scope=openid&claims={"userinfo":{"picture":null,"iss":null},"id_token":{"name":null}}`, Verdict{Subject: "alice"},
			grant.Terms{Scope: oauth.Scope{"openid"}, Claims: []string{"picture"}, UserInfoAsked: json.RawMessage(`{"picture":null,"iss":null}`),
				IDToken: grant.IDTerms{Issue: true}, RefreshToken: grant.RefreshTerms{Issue: true}}},
	} {
		h := open(t)
		res, err := h.Issue(context.Background(), h.t, h.ticket(t, tt.query), tt.verdict)
		if err != nil {
			t.Fatalf("%s: %v", tt.rule, err)
		}
		g := h.store.grants[0]
		if diff := cmp.Diff(tt.want, g.Terms); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.rule, diff)
		}
		if id, ok := grant.ParseCode(code(t, res)); !ok || id != g.ID || g.Subject != "alice" || g.SessionID != "" || !g.ExpiresAt.Equal(noon.Add(time.Minute)) {
			t.Errorf("%s: %+v", tt.rule, g)
		}
	}
}

func TestIssueOnce(t *testing.T) {
	h := open(t)
	p := h.ticket(t, "")
	for _, want := range []error{nil, ErrNotFound} {
		if _, err := h.Issue(context.Background(), h.t, p, Verdict{Subject: "alice"}); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	h.store.disabled = []string{"bob"}
	res, err := h.Issue(context.Background(), h.t, h.ticket(t, ""), Verdict{Subject: "bob"})
	if err != nil || refusal(res) != "access_denied" || len(h.store.grants) != 1 {
		t.Errorf("a disabled account: %v, %+v", err, res.Response)
	}
	p = h.ticket(t, "")
	h.store.down = errDown
	if _, err := h.Issue(context.Background(), h.t, p, Verdict{Subject: "alice"}); !errors.Is(err, errDown) {
		t.Errorf("a store that is down: %v", err)
	}
}

func TestVerdictsThatAreNoAnswer(t *testing.T) {
	h := open(t)
	demanding := `&claims={"id_token":{"acr":{"essential":true,"values":["gold"]},"sub":{"value":"alice"}}}`
	for _, tt := range []struct {
		rule, query string
		v           Verdict
		ok          bool
	}{
		{"the subject that was asked for", demanding, Verdict{Subject: "alice", ACR: "gold"}, true},
		{"the sub that was asked for", demanding, Verdict{Subject: "x", ID: grant.IDTerms{Subject: "alice"}, ACR: "gold"}, true},
		{"another subject", demanding, Verdict{Subject: "bob", ACR: "gold"}, false},
		{"another acr", demanding, Verdict{Subject: "alice", ACR: "silver"}, false},
		{"no acr", demanding, Verdict{Subject: "alice"}, false},
		{"a subject of 100 characters", "", Verdict{Subject: strings.Repeat("a", 100)}, true},
		{"a subject of 101 characters", "", Verdict{Subject: strings.Repeat("a", 101)}, false},
		{"no subject", "", Verdict{}, false},
		{"the client itself", "", Verdict{Subject: "shop"}, false},
		{"a time before all time", "", Verdict{Subject: "alice", AuthTime: -1}, false},
		{"a life below nothing", "", Verdict{Subject: "alice", Access: grant.AccessTerms{Lifetime: -1}}, false},
		{"a life of more than a hundred years", "", Verdict{Subject: "alice", Access: grant.AccessTerms{Lifetime: 1 << 40}}, false},
	} {
		before := len(h.store.grants)
		_, err := h.Issue(context.Background(), h.t, h.ticket(t, tt.query), tt.v)
		if (err == nil) != tt.ok || !tt.ok && !errors.Is(err, oauth.InvalidRequest("")) {
			t.Errorf("%s: %v", tt.rule, err)
		}
		if granted := len(h.store.grants) > before; granted != tt.ok {
			t.Errorf("%s: granted %v", tt.rule, granted)
		}
	}
}

func TestWanted(t *testing.T) {
	s := &tenant.Settings{}
	s.Authorization.ClaimsOfScope = map[string][]string{"org": {"department"}}
	r := &request.Request{Claims: &oauth.Claims{IDToken: map[string]*oauth.Claim{"name#fr": nil, "acr": nil}, UserInfo: map[string]*oauth.Claim{"picture": nil, "sub": nil}}}
	for _, tt := range []struct {
		rule              string
		scope             oauth.Scope
		idToken, userInfo []string
	}{
		{"scope values ask in both places, the claims parameter where it says", oauth.Scope{"openid", "org", "email"},
			[]string{"department", "email", "email_verified", "name#fr"}, []string{"department", "email", "email_verified", "picture"}},
		{"without openid nothing is wanted", oauth.Scope{"org", "email"}, nil, nil},
	} {
		idToken, userInfo := Wanted(s, r, tt.scope)
		if !slices.Equal(idToken, tt.idToken) || !slices.Equal(userInfo, tt.userInfo) {
			t.Errorf("%s: got %v, %v", tt.rule, idToken, userInfo)
		}
	}
}

// What cannot go into the tokens is refused when it is submitted, and the ticket waits for another verdict.
func TestIssueRefusesWhatTokensCannotHold(t *testing.T) {
	much := map[string]json.RawMessage{"x": json.RawMessage(`"` + strings.Repeat("x", 12000) + `"`)}
	half := map[string]json.RawMessage{"x": json.RawMessage(`"` + strings.Repeat("x", 5000) + `"`)}
	escaped := map[string]json.RawMessage{"x": json.RawMessage(`"` + strings.Repeat("<", 2000) + `"`)}
	const tooMuch, noTime = "claims, data, scope and audience together are more than fits into a token", "authTime is missing: the ID token must have it"
	for _, tt := range []struct {
		rule, query string
		v           Verdict
		want        string
	}{
		{"too many claims of the ID token", "", Verdict{Claims: much}, tooMuch},
		{"too many of the access token", "", Verdict{Access: grant.AccessTerms{Claims: much}}, tooMuch},
		{"too many of both together", "", Verdict{Claims: half, Access: grant.AccessTerms{Claims: half}}, tooMuch},
		{"claims that become longer", "", Verdict{Claims: escaped}, tooMuch},
		{"scope that could not be read back", "", Verdict{Rescoped: true, Scope: oauth.Scope{"openid", strings.Repeat("s", oauth.MaxScope)}}, "scope is too long"},
		{"a time that lies ahead", "", Verdict{AuthTime: 1 << 40}, "authTime must not lie ahead"},
		{"no time that max_age asks for", "max_age=9", Verdict{}, noTime},
		{"no time that claims asks for", `claims={"id_token":{"auth_time":null}}`, Verdict{}, noTime},
		{"no time that the client's registration asks for", "client_id=plain", Verdict{}, noTime},
	} {
		h := open(t)
		p := h.ticket(t, tt.query)
		tt.v.Subject = "alice"
		if _, err := h.Issue(t.Context(), h.t, p, tt.v); !errors.Is(err, oauth.InvalidRequest(tt.want)) || len(h.store.grants) != 0 {
			t.Errorf("%s: %v", tt.rule, err)
		}
		if _, err := h.Issue(t.Context(), h.t, p, Verdict{Subject: "alice", AuthTime: 7}); err != nil {
			t.Errorf("%s: the ticket did not stay: %v", tt.rule, err)
		}
	}
}
