package authorize

import (
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// Outcome is the next step of an authorization request.
type Outcome uint8

// The outcomes.
const (
	NeedLogin Outcome = iota + 1
	NeedConsent
	Approved
	Refused
)

// Decision is an outcome and its reason.
type Decision struct {
	Outcome Outcome
	Why     string       // of NeedLogin and NeedConsent: the rule that asks, for logs
	Err     *oauth.Error // of Refused
}

// Facts are what a decision rests on beside settings and request.
type Facts struct {
	Session  *session.Session     // open at the time, or nil
	Answered bool                 // the subject authenticated in answer to this very request
	Chosen   bool                 // the subject chose Session in answer to this very request, without authenticating
	Began    time.Time            // when the request began, where it was Answered
	Had      *grant.Authorization // what the subject allowed the client before, or nil
	Client   *tenant.Client       // who asks; nil: nothing depends on that
}

// Decide returns the next step of an authorization request: NeedLogin, NeedConsent, Approved or Refused. It does no
// I/O. prompt, max_age, acr, claims and id_token_hint: OIDC Core §3.1.2.1.
func Decide(now time.Time, s *tenant.Settings, r *request.Request, f Facts) Decision {
	silent := r.Prompt.Has(oauth.PromptNone)
	if silent && s.Authorization.HintWithPromptNone && r.IDTokenHint == "" {
		return Decision{Outcome: Refused, Err: oauth.InvalidRequest("prompt=none requires an id_token_hint")}
	}
	for _, rule := range loginRules {
		if !rule.asks(now, s, r, f) {
			continue
		}
		switch {
		case silent:
			return Decision{Outcome: Refused, Err: oauth.LoginRequired("the subject must authenticate")}
		case f.Answered && rule.final:
			return Decision{Outcome: Refused, Err: oauth.LoginRequired("another subject was asked for")}
		}
		return Decision{Outcome: NeedLogin, Why: rule.why}
	}
	switch {
	case s.Authorization.AlwaysPromptForGrant:
		return Decision{Outcome: NeedConsent, Why: "always"}
	case r.Prompt.Has(oauth.PromptConsent):
		return Decision{Outcome: NeedConsent, Why: "prompt"}
	case covered(s, r, f.Had, now):
		return Decision{Outcome: Approved}
	case silent:
		return Decision{Outcome: Refused, Err: oauth.ConsentRequired("the subject must consent")}
	}
	return Decision{Outcome: NeedConsent, Why: "new"}
}

// loginRule asks for authentication. A final rule refuses when even the answer to the prompt breaks it.
type loginRule struct {
	why   string
	final bool
	asks  func(now time.Time, s *tenant.Settings, r *request.Request, f Facts) bool
}

// loginRules run top to bottom; the first that asks wins. All but the first may rely on there being a session.
var loginRules = []loginRule{
	{"session", false, func(_ time.Time, _ *tenant.Settings, _ *request.Request, f Facts) bool {
		return f.Session == nil
	}},
	{"required_sub", true, func(_ time.Time, _ *tenant.Settings, r *request.Request, f Facts) bool {
		return r.RequiredSub != "" && r.RequiredSub != f.Session.Subject
	}},
	{"auth_life", false, func(now time.Time, _ *tenant.Settings, _ *request.Request, f Facts) bool {
		return !f.Answered && !f.Session.Fresh(now)
	}},
	{"max_age", false, func(now time.Time, _ *tenant.Settings, r *request.Request, f Facts) bool {
		return r.MaxAge != nil && (age(now, f) > *r.MaxAge || *r.MaxAge == 0 && !f.Answered)
	}},
	{"acr", false, func(_ time.Time, s *tenant.Settings, r *request.Request, f Facts) bool {
		return len(r.EssentialACR) > 0 && !s.Reaches(f.Session.ACR, f.Session.AMR, r.EssentialACR)
	}},
	{"acr_values", false, func(_ time.Time, s *tenant.Settings, r *request.Request, f Facts) bool {
		return !f.Answered && len(r.ACRValues) > 0 && !s.Reaches(f.Session.ACR, f.Session.AMR, r.ACRValues)
	}},
	{"prompt", false, func(_ time.Time, _ *tenant.Settings, r *request.Request, f Facts) bool {
		return !f.Answered && r.Prompt.Has(oauth.PromptLogin|oauth.PromptCreate)
	}},
	{"select_account", false, func(_ time.Time, _ *tenant.Settings, r *request.Request, f Facts) bool {
		return !f.Answered && !f.Chosen && r.Prompt.Has(oauth.PromptSelectAccount)
	}},
	{"always", false, func(_ time.Time, s *tenant.Settings, _ *request.Request, f Facts) bool {
		return !f.Answered && s.Authorization.AlwaysPromptForAuth
	}},
	{"client", false, func(_ time.Time, s *tenant.Settings, _ *request.Request, f Facts) bool {
		return !f.Answered && f.Client != nil && !slices.Contains(f.Session.Clients, f.Client.ID) && s.SignsInAnew(f.Client)
	}},
}

// age is how many seconds ago the subject authenticated, at now. An answer to the request counts from its beginning, so
// that the time it took to answer makes nobody answer again; clocks may differ a little.
func age(now time.Time, f Facts) int64 {
	if f.Answered {
		now = f.Began.Add(-skew)
	}
	return now.Unix() - f.Session.AuthTime.Unix()
}

const skew = 10 * time.Second

// covered reports whether all that is asked was allowed before, and is still remembered at now. Authorization details never
// are: each is about something particular.
func covered(s *tenant.Settings, r *request.Request, had *grant.Authorization, now time.Time) bool {
	if had == nil || len(r.Details) > 0 {
		return false
	}
	if days := s.Tokens.AuthorizationLimit; days > 0 && now.Sub(had.UpdatedAt) > time.Duration(days)*24*time.Hour {
		return false
	}
	asked := Ask(s, r, had)
	return len(asked.NewScope) == 0 && len(asked.New.Essential) == 0 && len(asked.New.Voluntary) == 0
}
