package authorize

import (
	"net/url"
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

const payment = `[{"type":"payment","amount":"1"}]`

// detailed opens a house where client shop may ask for payments.
func detailed(t *testing.T) *house {
	h := open(t)
	h.t.Settings.Authorization.DetailsTypes = []tenant.DetailsType{{Type: "payment"}}
	h.t.Clients.(registry)["shop"].DetailsTypes = []string{"payment"}
	return h
}

func text(d oauth.Details) string {
	s := ""
	for _, e := range d {
		s += string(e)
	}
	return s
}

// Authorization details are in the terms as they were asked for, or as whoever asked the subject says.
func TestDetailsAreGranted(t *testing.T) {
	query := "authorization_details=" + url.QueryEscape(payment)
	enriched, err := oauth.ParseDetails(`[{"type":"payment","amount":"1","account":"DE02"}]`)
	if err != nil {
		t.Fatal(err)
	}
	for rule, tt := range map[string]struct {
		c    Consent
		want string
	}{
		"as asked": {Consent{}, `{"type":"payment","amount":"1"}`},
		"enriched": {Consent{Details: &enriched}, `{"type":"payment","amount":"1","account":"DE02"}`},
		"refused":  {Consent{Details: &oauth.Details{}}, ""},
	} {
		h := detailed(t)
		if _, err := h.consent(t, query, tt.c); err != nil {
			t.Fatal(err)
		}
		if got := text(h.store.grants[0].Terms.Details); got != tt.want {
			t.Errorf("%s: %s", rule, got)
		}
		v := Verdict{Subject: "alice", Details: tt.c.Details}
		if _, err := h.Issue(t.Context(), h.t, h.ticket(t, query), v); err != nil {
			t.Fatal(err)
		}
		if got := text(h.store.grants[1].Terms.Details); got != tt.want {
			t.Errorf("%s by a verdict: %s", rule, got)
		}
	}
}

// Consent to authorization details is not remembered: the subject is asked each time.
func TestDetailsAreAskedForEachTime(t *testing.T) {
	h := detailed(t)
	query := "authorization_details=" + url.QueryEscape(payment)
	res, err := h.consent(t, query, Consent{Scope: oauth.Scope{"*"}, Claims: []string{"*"}, LongLived: true})
	if err != nil {
		t.Fatal(err)
	}
	sid := res.SID
	if sid == "" {
		sid = h.session("alice", nil)
	}
	if res = h.begin(t, "", sid); res.Pending != nil {
		t.Fatalf("the rest was not remembered: %+v", res.Pending)
	}
	if got := text(h.store.grants[1].Terms.Details); got != "" {
		t.Error("details of another request are granted again:", got)
	}
	if res = h.begin(t, query, sid); res.Pending == nil || res.Pending.Step != StepConsent {
		t.Errorf("%+v", res)
	}
	if got := refusal(h.begin(t, query+"&prompt=none", sid)); got != "consent_required" {
		t.Error("prompt=none:", got)
	}
}
