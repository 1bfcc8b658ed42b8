package ciba

import (
	"context"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// agreements are those that clients manage, by id.
type agreements map[string]grant.Grant

func (a agreements) ManagedGrants(_ context.Context, _ tenant.ID, _ time.Time, id string) ([]grant.Grant, error) {
	if g, ok := a[id]; ok {
		return []grant.Grant{g}, nil
	}
	return nil, nil
}

func (agreements) RevokeManaged(context.Context, tenant.ID, string, string, time.Time, time.Time, audit.Event) ([]tenant.Revocation, error) {
	return nil, grant.ErrNotFound
}

// managing is a world whose client manages an agreement with alice, and one with somebody who has no account.
func managing(t *testing.T) (*world, agreements) {
	w := newWorld(t, func(s *tenant.Settings) { s.GrantManagement.Enabled = true })
	as := agreements{"with-alice": {ID: "before", ClientID: "bank", Subject: "sub-alice", CreatedAt: noon.Add(-time.Hour), Terms: grant.Terms{Scope: oauth.Scope{"phone"}}},
		"with-new": {ID: "other", ClientID: "bank", Subject: "sub-new"}}
	w.Service.Managed = as
	w.Requests.Granted = func(_ context.Context, _ *tenant.Tenant, _ *tenant.Client, id string) (string, error) {
		if g, ok := as[id]; ok {
			return g.Subject, nil
		}
		return "", request.ErrGrantID
	}
	w.Flow = w.Service.Flow()
	return w, as
}

// A request about an agreement is about its subject, whoever is hinted at.
func TestAnAgreementHasOneSubject(t *testing.T) {
	const refused = "invalid_grant_id: grant_id is unknown, or over"
	for _, c := range []struct{ rule, query, unknown, subject, err string }{
		{"the hint is its subject", "grant_management_action=merge&grant_id=with-alice", "", "sub-alice", ""},
		{"the hint is its subject's own name", "grant_management_action=merge&grant_id=with-new&login_hint=sub-new", "", "sub-new", ""},
		{"the hint is another", "grant_management_action=merge&grant_id=with-alice&login_hint=off", "", "", refused},
		{"the hint is nobody", "grant_management_action=merge&grant_id=with-alice&login_hint=zed", "", "", refused},
		{"the hint is nobody, which is hidden", "grant_management_action=merge&grant_id=with-alice&login_hint=zed", tenant.HideUnknown, "", refused},
		{"who is hinted at is for a backend to say", "grant_management_action=merge&grant_id=with-alice&login_hint=zed", tenant.PassUnknown, "sub-alice", ""},
		{"an ID token of its subject", "grant_management_action=replace&grant_id=with-alice&login_hint=&id_token_hint=hint-of-sub-alice", "", "sub-alice", ""},
		{"an ID token of another", "grant_management_action=replace&grant_id=with-alice&login_hint=&id_token_hint=hint-of-sub-off", "", "", refused},
		{"no such agreement", "grant_management_action=replace&grant_id=x", "", "", refused},
		{"a new one", "grant_management_action=create", "", "sub-alice", ""},
	} {
		w, _ := managing(t)
		w.tenant.Settings.CIBA.UnknownUsers = c.unknown
		_, err := w.Authenticate(t.Context(), w.tenant, w.bank, params(c.query))
		w.says(c.rule, err, c.err)
		if err == nil && w.only().Subject != c.subject {
			t.Errorf("%s: it waits for %q", c.rule, w.only().Subject)
		}
	}
}

// What an answer comes to for an agreement, which may be over meanwhile.
func TestAnAnswerJoinsAnAgreement(t *testing.T) {
	agrees := decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice"}
	w, _ := managing(t)
	w.authenticate("grant_management_action=merge&grant_id=with-alice")
	w.says("another subject", w.complete(decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-bob", ID: grant.IDTerms{Subject: "sub-alice"}}),
		"invalid_request: sub is not the subject of the grant that the request is about")
	w.says("its subject", w.complete(agrees), "")
	for _, g := range w.store.grants {
		if g.Managed != "with-alice" || g.Terms.Scope.String() != "phone openid email" {
			t.Errorf("granted %+v", g)
		}
	}

	w, as := managing(t)
	ack := w.authenticate("grant_management_action=replace&grant_id=with-alice")
	delete(as, "with-alice")
	w.says("it is over", w.complete(agrees), "")
	_, err := w.Poll(t.Context(), w.tenant, w.bank, ack.AuthReqID)
	w.says("the client is told", err, "invalid_grant_id: grant_id is unknown, or over")
	if ev := w.store.events[len(w.store.events)-1]; ev.Kind != audit.Denied || ev.Detail["error"] != "invalid_grant_id" || len(w.store.grants) != 0 {
		t.Errorf("recorded %+v", ev)
	}
}
