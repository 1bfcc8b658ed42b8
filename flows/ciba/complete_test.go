package ciba

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

func TestCompleteAuthorized(t *testing.T) {
	w := newWorld(t, func(s *tenant.Settings) {
		s.Authorization.ClaimsOfScope = map[string][]string{"hr": {"grade"}}
		s.CIBA.UnknownUsers = tenant.PassUnknown
	})
	ack := w.authenticate("login_hint=bob@acme.example&scope=openid email profile&resource=https%3A%2F%2Fapi.example")
	w.now = noon.Add(time.Minute)
	err := w.complete(decoupled.Completion{Result: decoupled.Authorized, Actor: "token-1", Address: "192.0.2.1", Subject: "bob", AuthTime: noon, ACR: "loa2", AMR: []string{"app"},
		Scope: oauth.Scope{"openid", "hr", "hr"}, Claims: map[string]json.RawMessage{"txn": json.RawMessage(`"1"`)}, Consented: []string{"grade"},
		Properties: []grant.Property{{Key: "k", Value: "v"}}, Access: grant.AccessTerms{Lifetime: 60}, ID: grant.IDTerms{Subject: "pairwise"},
		Refresh: grant.RefreshTerms{Lifetime: 3600}})
	if err != nil {
		t.Fatal(err)
	}
	p := w.only()
	want := &grant.Grant{ID: p.ID, Subject: "bob", ClientID: "bank", CreatedAt: w.now, ExpiresAt: noon.Add(10 * time.Minute),
		Code: &grant.CodeState{Hash: grant.Hash(ack.AuthReqID), ExpiresAt: noon.Add(10 * time.Minute)},
		Terms: grant.Terms{Scope: oauth.Scope{"openid", "hr"}, Audience: []string{"https://api.example"}, Claims: []string{"grade"}, GrantType: oauth.CIBA,
			PresetIDToken: map[string]json.RawMessage{"txn": json.RawMessage(`"1"`)}, Consented: []string{"grade"}, Properties: []grant.Property{{Key: "k", Value: "v"}},
			AccessToken: grant.AccessTerms{Lifetime: 60}, IDToken: grant.IDTerms{Issue: true, Subject: "pairwise"},
			RefreshToken: grant.RefreshTerms{Issue: true, Lifetime: 3600},
			Login:        grant.Login{AuthTime: noon.Unix(), TellAuthTime: true, ACR: "loa2", AMR: []string{"app"}}}}
	if d := cmp.Diff(want, w.store.grants[p.ID]); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	event := []audit.Event{{At: w.now, Kind: audit.GrantIssued, Actor: "token-1", Subject: "bob", ClientID: "bank", Grant: p.ID, Address: "192.0.2.1",
		Detail: map[string]string{"grant": oauth.CIBA, "scope": "openid hr"}}}
	if d := cmp.Diff(event, w.store.events); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestCompleteGrantsWhatWasAskedUnlessItSaysOtherwise(t *testing.T) {
	w := newWorld(t)
	w.bank.GrantTypes = []string{oauth.CIBA}
	w.authenticate("")
	if err := w.complete(decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice"}); err != nil {
		t.Fatal(err)
	}
	got := w.store.grants[w.only().ID].Terms
	want := grant.Terms{Scope: oauth.Scope{"openid", "email"}, Claims: []string{"email", "email_verified"}, IDToken: grant.IDTerms{Issue: true}, GrantType: oauth.CIBA}
	if d := cmp.Diff(want, got); d != "" { // and no refresh token for a client that may not have one
		t.Errorf("-want +got\n%s", d)
	}

	w = newWorld(t)
	w.authenticate("")
	if err := w.complete(decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice", Scope: oauth.Scope{}}); err != nil {
		t.Fatal(err)
	}
	if got := w.store.grants[w.only().ID].Terms; len(got.Scope) != 0 || len(got.Claims) != 0 || !got.IDToken.Issue {
		t.Errorf("an empty scope grants %+v", got)
	}
}

func TestCompleteRefused(t *testing.T) {
	long := strings.Repeat("x", 2000)
	for _, tt := range []struct {
		rule string
		c    decoupled.Completion
		err  string
	}{
		{"a result is needed", decoupled.Completion{Subject: "sub-alice"}, "invalid_request: the result is unknown"},
		{"a subject is needed", decoupled.Completion{Result: decoupled.Authorized}, "invalid_request: sub must have 1 to 255 printable ASCII characters"},
		{"it is the one that was asked for", decoupled.Completion{Result: decoupled.Authorized, Subject: "bob"}, "invalid_request: sub is not the subject that the request is about"},
		{"it is not the client", decoupled.Completion{Result: decoupled.Authorized, Subject: "bank"}, "invalid_request: sub is the id of the client"},
		{"nor is the other name for it", decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice", ID: grant.IDTerms{Subject: "bank"}}, "invalid_request: sub is the id of the client"},
		{"which is text", decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice", ID: grant.IDTerms{Subject: "a\x00"}}, "invalid_request: sub must have 1 to 255 printable ASCII characters"},
		{"nobody authenticates in the future", decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice", AuthTime: noon.Add(time.Hour)}, "invalid_request: auth_time must not lie ahead"},
		{"an acr is short", decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice", ACR: long}, "invalid_request: acr must be a short string without control characters"},
		{"claims fit into a token", decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice", Claims: map[string]json.RawMessage{"x": json.RawMessage(`"` + strings.Repeat("x", 12000) + `"`)}},
			"invalid_request: claims, data, scope and audience together are more than fits into a token"},
		{"scope can be read back", decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice", Scope: oauth.Scope{"openid", strings.Repeat("s", oauth.MaxScope)}},
			"invalid_request: scope is too long"},
		{"scope has values of scope", decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice", Scope: oauth.Scope{"a b"}}, "invalid_request: scope holds a value that is not allowed"},
		{"a lifetime is positive", decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice", Access: grant.AccessTerms{Lifetime: -1}}, "invalid_request: a lifetime is out of range"},
		{"a lifetime ends", decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice", Refresh: grant.RefreshTerms{Lifetime: 1 << 60}}, "invalid_request: a lifetime is out of range"},
		{"an error is described in its characters", decoupled.Completion{Result: decoupled.AccessDenied, Description: `a "no"`}, "invalid_request: the description of the error holds characters that are not allowed, or is too long"},
		{"and not at length", decoupled.Completion{Result: decoupled.AccessDenied, Description: long}, "invalid_request: the description of the error holds characters that are not allowed, or is too long"},
		{"its URI too", decoupled.Completion{Result: decoupled.TransactionFailed, URI: "https://a b"}, "invalid_request: the URI of the error holds characters that are not allowed, or is too long"},
	} {
		w := newWorld(t)
		w.authenticate("")
		w.says(tt.rule, w.complete(tt.c), tt.err)
		if w.only().State != decoupled.Waiting || len(w.store.grants)+len(w.store.events) != 0 {
			t.Errorf("%s: something has changed", tt.rule)
		}
	}
	w := newWorld(t)
	w.bank.RequireAuthTime = true
	w.authenticate("")
	w.says("the time is told where the client registered that", w.complete(decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice"}), "invalid_request: auth_time is missing: the ID token must have it")
	w.says("as it is here", w.complete(decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice", AuthTime: noon}), "")
	w = newWorld(t)
	w.authenticate("")
	w.says("the one that was asked for may have another name to us", w.complete(decoupled.Completion{Result: decoupled.Authorized, Subject: "4711", ID: grant.IDTerms{Subject: "sub-alice"}}), "")
	w = newWorld(t)
	ticket, err := w.Begin(context.Background(), w.tenant, w.bank, params(""))
	if err != nil {
		t.Fatal(err)
	}
	w.says("nothing is answered before it is acknowledged", w.complete(decoupled.Completion{Result: decoupled.AccessDenied}), decoupled.ErrConflict.Error())
	if _, _, err = w.Issue(context.Background(), w.tenant, ticket.Handle); err != nil {
		t.Fatal(err)
	}
	w.store.disabled = []string{"bob"}
	w.says("a disabled account is not granted anything", w.complete(decoupled.Completion{Result: decoupled.Authorized, Subject: "bob"}), decoupled.ErrDisabled.Error())
	w.says("whoever found the subject says who it is", w.complete(decoupled.Completion{Result: decoupled.Authorized, Subject: "carol"}), "")
	w.says("an answer is final", w.complete(decoupled.Completion{Result: decoupled.AccessDenied}), decoupled.ErrConflict.Error())

	w = newWorld(t)
	if ticket, err = w.Begin(context.Background(), w.tenant, w.bank, params("login_hint=&id_token_hint=hint-of-bob")); err != nil {
		t.Fatal(err)
	}
	if _, _, err = w.Issue(context.Background(), w.tenant, ticket.Handle); err != nil {
		t.Fatal(err)
	}
	w.says("unless an ID token did", w.complete(decoupled.Completion{Result: decoupled.Authorized, Subject: "carol"}), "invalid_request: sub is not the subject that the request is about")
	w.says("which names one", w.complete(decoupled.Completion{Result: decoupled.Authorized, Subject: "bob"}), "")
}

func TestFail(t *testing.T) {
	for _, tt := range []struct {
		rule string
		f    Failure
		told string // to the client
		err  string
	}{
		{"without a reason it is our side", Failure{}, "server_error", ""},
		{"the user denied at once", Failure{Code: "access_denied"}, "access_denied", ""},
		{"nobody", Failure{Code: "unknown_user_id"}, "unknown_user_id", ""},
		{"the token is too old", Failure{Code: "expired_login_hint_token"}, "expired_login_hint_token", ""},
		{"the message does not do", Failure{Code: "invalid_binding_message"}, "invalid_binding_message", ""},
		{"the target does not do", Failure{Code: "invalid_target"}, "invalid_target", ""},
		{"the user code is wrong", Failure{Code: "invalid_user_code"}, "invalid_user_code", ""},
		{"the user code is needed", Failure{Code: "missing_user_code"}, "missing_user_code", ""},
		{"the client may not", Failure{Code: "unauthorized_client"}, "unauthorized_client", ""},
		{"our side, in words", Failure{Code: "server_error", Description: "Out of order.", URI: "https://why.example"}, "server_error: Out of order.", ""},
		{"a URI that cannot be said is left out", Failure{Code: "access_denied", URI: "https://a b"}, "access_denied", ""},
		{"an error of another endpoint is no reason", Failure{Code: "slow_down"}, "", "invalid_request: the reason is unknown"},
		{"a description has its characters", Failure{Code: "access_denied", Description: "ü"}, "", "invalid_request: the description of the error holds characters that are not allowed, or is too long"},
	} {
		w := newWorld(t)
		ticket, err := w.Begin(context.Background(), w.tenant, w.bank, params(""))
		if err != nil {
			t.Fatal(err)
		}
		for _, handle := range []string{"", "unknown", newTicket(w)} { // of which none is that of the request
			f := tt.f
			f.Ticket = handle
			if _, err := w.Fail(context.Background(), w.tenant, f); err != nil {
				w.says(tt.rule, err, tt.err)
			}
			w.only()
		}
		tt.f.Ticket = ticket.Handle
		told, err := w.Fail(context.Background(), w.tenant, tt.f)
		w.says(tt.rule, err, tt.err)
		if err != nil {
			w.only()
			continue
		}
		w.says(tt.rule, told, tt.told)
		uri := tt.f.URI
		if strings.Contains(uri, " ") {
			uri = ""
		}
		if told.URI != uri || len(w.store.rows) != 0 || len(w.store.events) != 1 || w.store.events[0].Kind != audit.Denied {
			t.Errorf("%s: told %+v; the ticket is not gone, or it is not on record", tt.rule, told)
		}
	}
	w := newWorld(t)
	w.store.down = errDown
	_, err := w.Fail(context.Background(), w.tenant, Failure{Ticket: newTicket(w)})
	w.says("a store may be out of order", err, errDown.Error())
}

// newTicket is a ticket of a request that does not exist.
func newTicket(w *world) string { return tickets.Of(w.tenant, w.Service.Issuer.NewID()) }
