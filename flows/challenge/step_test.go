package challenge

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/tenant"
)

func TestWhatAStepMaySay(t *testing.T) {
	many := map[string]string{}
	for i := range 33 {
		many[strconv.Itoa(i)] = "x"
	}
	heavy := map[string]string{}
	for i := range 9 {
		heavy[strconv.Itoa(i)] = strings.Repeat("x", maxValue)
	}
	const fault = "server_error"
	for _, tt := range []struct {
		rule, query string
		says        Verdict
		err         error
		want        string
	}{
		{"whom it allows", "", Verdict{Outcome: Allow, Subject: "carol"}, nil, "code"},
		{"nobody", "", Verdict{Outcome: Allow}, nil, fault},
		{"somebody who cannot be", "", Verdict{Outcome: Allow, Subject: "a\x00"}, nil, fault},
		{"the client itself", "", Verdict{Outcome: Allow, Subject: "app"}, nil, fault},
		{"an acr that cannot be", "", Verdict{Outcome: Allow, Subject: "carol", ACR: "\n"}, nil, fault},
		{"a subject whose account is disabled", "", Verdict{Outcome: Allow, Subject: "mallory"}, nil, "access_denied: the account is disabled"},
		{"another subject than was asked for", "id_token_hint=hint-of-bob", Verdict{Outcome: Allow, Subject: "carol"}, nil, "login_required: another subject was asked for"},
		{"the one that was asked for", "id_token_hint=hint-of-carol", Verdict{Outcome: Allow, Subject: "carol"}, nil, "code"},
		{"less than was demanded", `claims={"id_token":{"acr":{"essential":true,"value":"mfa"}}}`, Verdict{Outcome: Allow, Subject: "carol"}, nil,
			"unmet_authentication_requirements: the subject was not authenticated as the request demands"},
		{"what was demanded", `claims={"id_token":{"acr":{"essential":true,"value":"mfa"}}}`, Verdict{Outcome: Allow, Subject: "carol", ACR: "mfa"}, nil, "code"},
		{"less than was wished for", "acr_values=mfa", Verdict{Outcome: Allow, Subject: "carol"}, nil, "code"},
		{"what is next", "", Verdict{Outcome: Ask, Code: "otp_required"}, nil, "otp_required"},
		{"what is next, and what to keep till then", "", Verdict{Outcome: Ask, Code: "otp_required", Keep: map[string]string{"username": "carol"}}, nil, "otp_required +"},
		{"nothing", "", Verdict{}, nil, fault},
		{"nothing that is next", "", Verdict{Outcome: Ask}, nil, fault},
		{"what no code may hold", "", Verdict{Outcome: Ask, Code: `a"b`}, nil, fault},
		{"too long a code", "", Verdict{Outcome: Ask, Code: strings.Repeat("x", 65)}, nil, fault},
		{"too many attributes", "", Verdict{Outcome: Ask, Code: "x", Keep: many}, nil, fault},
		{"too large ones", "", Verdict{Outcome: Ask, Code: "x", Keep: heavy}, nil, fault},
		{"too large a one", "", Verdict{Outcome: Ask, Code: "x", Keep: map[string]string{"a": strings.Repeat("x", maxValue+1)}}, nil, fault},
		{"one without a name", "", Verdict{Outcome: Ask, Code: "x", Keep: map[string]string{"": "x"}}, nil, fault},
		{"no", "", Verdict{Outcome: Deny, Code: "access_denied"}, nil, "access_denied"},
		{"no, where a session is wanted", "use_auth_session=true", Verdict{Outcome: Deny, Code: "access_denied"}, nil, "access_denied"},
		{"what is wrong with the request", "", Verdict{}, oauth.InvalidRequest("phone is no number"), "invalid_request: phone is no number"},
		{"that it fails", "", Verdict{}, errDown, fault},
	} {
		h := open(t)
		h.store.disabled = "mallory"
		h.Decider = step(func(Input) (Verdict, error) { return tt.says, tt.err })
		a, err := h.as("app", tt.query)
		if got := said(a, err); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.rule, got, tt.want)
		}
		if n := len(h.grants()); n > 0 != (tt.want == "code") {
			t.Errorf("%s: %d grants", tt.rule, n)
		}
		if n := len(h.store.interactions); n > 0 != strings.HasSuffix(tt.want, "+") {
			t.Errorf("%s: %d interactions", tt.rule, n)
		}
	}
}

// A refusal of the tenant's code is told with its words, and a wrong guess counts for the client however the code ends.
func TestRefusalsOfScripts(t *testing.T) {
	for _, tt := range []struct {
		o   script.Outcome
		err error
	}{{script.Outcome{Action: script.Deny, Code: "locked", Description: "come back later", Wrong: true}, nil}, {script.Outcome{Wrong: true}, errDown}} {
		h, counted := open(t), &guesses{}
		h.Limit = counted
		h.Decider = &Scripted{Run: func(context.Context, *tenant.Tenant, script.Event) (script.Outcome, error) { return tt.o, tt.err }}
		a, err := h.as("app", "scope=openid")
		if !errors.Is(err, tt.err) || a.Error != tt.o.Code || a.Description != tt.o.Description || counted.failed != 1 {
			t.Errorf("%+v: got %+v, %v, %d counted", tt.o, a, err, counted.failed)
		}
	}
}

type guesses struct{ failed int }

func (g *guesses) Blocked(context.Context, tenant.ID, string, string, string) (time.Duration, bool) {
	return 0, false
}

func (g *guesses) Fail(context.Context, tenant.ID, string, string, string) { g.failed++ }

func TestDenyEndsTheSession(t *testing.T) {
	h := open(t)
	s := h.begin()
	h.Decider = step(func(in Input) (Verdict, error) { return Verdict{Outcome: Deny, Code: "locked"}, nil })
	if end := h.asks("auth_session="+s, "locked"); end != "" || len(h.store.interactions) != 0 {
		t.Errorf("got %q, %d interactions", end, len(h.store.interactions))
	}
	if evs := h.store.finished[0].Events; len(evs) != 1 || evs[0].Detail["error"] != "locked" {
		t.Errorf("recorded %+v", evs)
	}
	if _, err := h.as("app", "auth_session="+s); !errors.Is(err, errSession) {
		t.Errorf("got %v", err)
	}
}

// What a step is shown.
func TestInput(t *testing.T) {
	h := open(t)
	var in Input
	h.Decider = step(func(i Input) (Verdict, error) {
		in = i
		return Verdict{Outcome: Ask, Code: "next", Keep: map[string]string{"a": in.Params.Get("a")}}, nil
	})
	s := h.asks("scope=openid&a=1&otp=2", "next")
	if in.Client.ID != "app" || in.Request.Scope.String() != "openid" || in.Params.Get("otp") != "2" || in.Attributes != nil || in.Session || in.Address != "192.0.2.1" {
		t.Errorf("at first: %+v", in)
	}
	h.asks("a=3&auth_session="+s, "next")
	if in.Request.Scope.String() != "openid" || in.Params.Get("otp") != "" || in.Attributes["a"] != "1" || !in.Session {
		t.Errorf("then: %+v", in)
	}
}

// A trial is refused what a call would be.
func TestRefusal(t *testing.T) {
	asked := script.Event{Client: &tenant.Client{ID: "app"}, Request: script.Request{Scope: oauth.Scope{"openid"}}}
	for _, tt := range []struct {
		rule, says string
		ev         script.Event
		want       string
	}{
		{"all is well", `{"action":"allow","subject":"carol","scope":"openid"}`, asked, ""},
		{"a claim that is not its to set", `{"action":"allow","subject":"carol","claims":{"iss":"x"}}`, asked, "sets a claim"},
		{"nobody", `{"action":"allow"}`, asked, "allows without a subject"},
		{"the client", `{"action":"allow","subject":"app"}`, asked, "allows the client itself"},
		{"more scope than was asked", `{"action":"allow","subject":"carol","scope":"admin"}`, asked, "allows scope that was not asked for"},
		{"scope, of an event that does not say what was asked", `{"action":"allow","subject":"carol","scope":"admin"}`, script.Event{}, ""},
		{"a member of every answer", `{"action":"next","error":"auth_session"}`, asked, "a member of every answer"},
		{"too much to keep", `{"action":"next","error":"x","keep":{"a":"` + strings.Repeat("x", maxValue+1) + `"}}`, asked, "keeps too much"},
		{"what is next", `{"action":"next","error":"otp_required","keep":{"a":"b"}}`, asked, ""},
		{"no", `{"action":"deny","error":"redirect_to_web"}`, asked, ""},
	} {
		o, err := script.ParseOutcome([]byte(tt.says))
		if err != nil {
			t.Fatal(err)
		}
		err = Refusal(&tt.ev, &o, time.Now())
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.rule, err)
		}
	}
}

// Whoever wrote a step is told why nothing comes of what it decides; of what the request lacks there is nothing to tell.
func TestWhoWroteAStepIsToldOfItsFault(t *testing.T) {
	many := map[string]string{}
	for i := range 33 {
		many[strconv.Itoa(i)] = "x"
	}
	beyond := oauth.Scope{"admin"}
	for _, tt := range []struct{ rule, says, want string }{
		{"the tokens are not its to say", `{"action":"allow","subject":"carol","refresh_token":true}`, "challenge: the step says of the tokens what is not its to say"},
		{"nor are these claims", `{"action":"allow","subject":"carol","claims":{"iss":"x"}}`, "challenge: the step sets a claim that says what a token is"},
		{"nobody is allowed", `{"action":"allow"}`, "challenge: the step allows without a subject"},
		{"the client is no subject", `{"action":"allow","subject":"app"}`, "challenge: the step allows the client itself"},
		{"nor is what cannot be one", `{"action":"allow","subject":"\u0007"}`, "challenge: the step allows nobody who can be"},
		{"more scope than was asked", `{"action":"allow","subject":"carol","scope":"` + beyond.String() + `"}`, "challenge: the step allows scope that was not asked for"},
		{"a member that is the answer's own", `{"action":"next","error":"auth_session"}`, "challenge: the step names as what is next a member of every answer"},
		{"another subject than was asked for", `{"action":"allow","subject":"dave"}`, ""},
		{"all is well", `{"action":"allow","subject":"carol"}`, ""},
	} {
		h, told := open(t), ""
		h.Decider = &Scripted{Run: func(context.Context, *tenant.Tenant, script.Event) (script.Outcome, error) {
			o, err := script.ParseOutcome([]byte(tt.says))
			o.Blame = func(err error) { told += err.Error() }
			return o, err
		}}
		_, err := h.as("app", "scope=openid&id_token_hint=hint-of-carol")
		if !strings.HasPrefix(told, tt.want) || told != "" && (tt.want == "" || oauth.ErrorOf(err).Code != "server_error") {
			t.Errorf("%s: told %q, %v", tt.rule, told, err)
		}
	}
	h, told := open(t), ""
	h.Decider = step(func(Input) (Verdict, error) {
		return Verdict{Outcome: Ask, Code: "x", Keep: many, Blame: func(err error) { told = err.Error() }}, nil
	})
	if _, err := h.as("app", "scope=openid"); told != "challenge: the step keeps too much" {
		t.Errorf("told %q, %v", told, err)
	}
}
