// Package challenge is the first-party authorization challenge (OAuth 2.0 for First-Party Applications): a client posts
// what it asked its user for, step by step, until it gets an authorization code.
package challenge

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/proof"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// Service leads first-party clients to their codes.
type Service struct {
	Now       func() time.Time
	Rand      io.Reader
	Clients   *clientauth.Service
	Requests  *request.Service
	Authorize *authorize.Service
	Decider   Decider
	Store     Store
	Grants    Grants
	Proofs    Proofs  // nil: none are asked for
	Limit     Guesses // nil: clients are not limited
}

// Guesses limit how often clients guess.
type Guesses interface {
	Blocked(ctx context.Context, t tenant.ID, what, key, source string) (retryAfter time.Duration, blocked bool)
	Fail(ctx context.Context, t tenant.ID, what, key, source string)
}

// guessed is the name of wrong guesses at the limiter, counted for the client.
const guessed = "challenge"

// Request is one call.
type Request struct {
	Credentials clientauth.Credentials
	Params      url.Values // each at most once, but for resource; empty ones are left out
	Proof       proof.Request
	UserAgent   string
}

// Answer is what a call comes to. Exactly one of Code, Error and Web is set.
type Answer struct {
	ClientID    string
	Code        string          // authorization code
	Error       string          // error code that says what is next
	Data        json.RawMessage // that goes with it; nil: none
	Over        bool            // with Error: nothing is next, it is a refusal
	Description string          // of a refusal; may be empty
	Web         *Redirect
	Style       string // that the client registered
	AuthSession string // to go on with; empty: there is none
	Former      bool   // the client calls it device_session, as it was called before
	SID         string // handle of the login session that began with the code; empty: none did
}

// What a call is told that no step is asked about.
var (
	errOff     = oauth.NotFound("the authorization challenge endpoint is turned off")
	errSession = oauth.InvalidSession("auth_session is invalid, has expired or is over")
	errClient  = oauth.UnauthorizedClient("client_id is missing")
	errNoStep  = errors.New("challenge: the tenant names a step that there is not")
)

// call is a Request on its way.
type call struct {
	Request
	handle  string // of the auth_session; empty: none was sent
	wanted  bool   // the client wants one
	former  bool
	session *authSession // nil: there is none
	fresh   *authSession // the one that may begin, where there is none
	params  url.Values   // as they are validated
	key     oauth.Confirmation
	client  *tenant.Client
	request *request.Request
}

// Step takes one call. Its errors are those of an authorization request, of client authentication, and invalid_session
// for an auth_session that cannot be gone on with, whatever the reason. A client that is not first-party is
// request.ErrNotFirstParty.
func (s *Service) Step(ctx context.Context, t *tenant.Tenant, in Request) (Answer, error) {
	if !t.Settings.Challenge.Enabled {
		return Answer{}, errOff
	}
	c := named(in)
	var err error
	if c.handle != "" {
		if c.session, err = s.find(ctx, t, c.handle); err != nil {
			return Answer{}, err
		}
	}
	if c.client, err = s.caller(ctx, t, c); err != nil {
		return Answer{}, err
	}
	out := Answer{ClientID: c.client.ID, Former: c.former, Style: c.client.ChallengeErrorStyle}
	if c.handle != "" && (c.session == nil || c.session.Request.ClientID != c.client.ID || c.session.again && !c.session.repeats(s.Now(), c.handle, c.Params) ||
		c.session.spent(c.handle, c.Params)) {
		return out, errSession
	}
	if err = s.hold(ctx, t, c); err != nil {
		return out, err
	}
	if c.session != nil && c.session.again {
		return s.answered(t, c, out), nil
	}
	if err = s.validate(ctx, t, c); err != nil {
		return out, err
	}
	if s.Limit != nil {
		if wait, blocked := s.Limit.Blocked(ctx, t.ID, guessed, c.client.ID, ""); blocked {
			return out, oauth.SlowDown("Too many failed attempts, try again later").Because(oauth.Wait(wait))
		}
	}
	return s.decide(ctx, t, c, out)
}

// validate makes the request of what the call says and what those before it said.
func (s *Service) validate(ctx context.Context, t *tenant.Tenant, c *call) (err error) {
	if c.params, err = c.bound(); err != nil {
		return err
	}
	var earlier *request.Request
	switch a := c.session; {
	case a == nil:
	case a.state.Grant != "":
		if err := s.stepUp(ctx, t, c); err != nil {
			return err
		}
	default:
		r := *a.Request
		if r.DPoPJKT == "" && c.Params.Get("dpop_jkt") == "" {
			r.DPoPJKT = c.key.JKT // the first that is proved
		}
		earlier = &r
	}
	c.request, err = s.Requests.ValidateChallenge(ctx, t, c.client, c.params, earlier)
	return err
}

// named reads the parameters that concern the auth_session, under their present or their former name.
func named(in Request) *call {
	c := &call{Request: in, handle: in.Params.Get("auth_session")}
	if v := in.Params.Get("device_session"); v != "" && c.handle == "" {
		c.handle, c.former = v, true
	}
	wanted := in.Params.Get("use_auth_session")
	if v := in.Params.Get("use_device_session"); v != "" && wanted == "" {
		wanted, c.former = v, true
	}
	c.wanted = strings.EqualFold(wanted, "true")
	return c
}

// caller returns the client that is calling: the one that its credentials name, or that of the session. It must
// authenticate as at the token endpoint, unless it is registered to name itself only.
func (s *Service) caller(ctx context.Context, t *tenant.Tenant, c *call) (*tenant.Client, error) {
	cred := c.Credentials
	if cred.Empty() {
		switch {
		case c.session != nil:
			cred.FormID = c.session.Request.ClientID
		case c.handle != "":
			return nil, errSession
		default:
			return nil, errClient
		}
	}
	client, err := s.Clients.Authenticate(ctx, t, cred)
	if !errors.Is(err, clientauth.ErrFailed) || !cred.OnlyID() || len(cred.FormID) > tenant.MaxClientID {
		return client, err
	}
	client, err = t.Clients.Client(ctx, cred.FormID)
	switch {
	case errors.Is(err, tenant.ErrNoClient), err == nil && (client.Disabled || client.ChallengeAuthMethod != oauth.AuthNone):
		return nil, clientauth.ErrFailed
	case err != nil:
		return nil, oauth.Unavailable().Because(err)
	}
	return client, nil
}

// answered repeats an answer that was lost.
func (s *Service) answered(t *tenant.Tenant, c *call, out Answer) Answer {
	out.Error, out.Data, out.AuthSession = c.session.state.Last.Code, c.session.state.Last.Data, c.session.handle(t)
	return out
}

// decide has the step decide, and does what it says.
func (s *Service) decide(ctx context.Context, t *tenant.Tenant, c *call, out Answer) (Answer, error) {
	in := Input{Client: c.client, Request: c.request, Params: c.Params, Session: c.wanted || c.session != nil, Address: c.Credentials.Address, UserAgent: c.UserAgent}
	a := c.session
	if a == nil {
		c.fresh = s.newAuthSession(t)
		a = c.fresh
	}
	a.state.Proved = a.state.Proved.fresh(t, c.request, s.Now())
	in.Attributes, in.Exchange, in.Proved = a.state.Attributes, a.Hash, a.state.Proved
	v, err := s.Decider.Decide(ctx, t, in)
	if v.Wrong && s.Limit != nil {
		s.Limit.Fail(ctx, t.ID, guessed, c.client.ID, "")
	}
	if err != nil {
		return out, err
	}
	out, err = s.follow(ctx, t, c, in, v, out)
	if why, ok := errors.AsType[misstep](err); ok && v.Blame != nil {
		v.Blame(why)
	}
	return out, err
}

// misstep is why what a step decided cannot be followed.
type misstep string

func (m misstep) Error() string { return "challenge: the step " + string(m) }

// follow does what the step decided on in.
func (s *Service) follow(ctx context.Context, t *tenant.Tenant, c *call, in Input, v Verdict, out Answer) (_ Answer, err error) {
	switch {
	case v.Outcome == Allow:
		return s.allow(ctx, t, c, v, out)
	case v.Outcome == Web, v.Outcome == Deny && v.Code == RedirectToWeb:
		if out.Web, err = s.web(ctx, t, c); err != nil {
			return out, err
		}
		v.Code = RedirectToWeb
		return out, s.end(ctx, t, c, v)
	}
	if err := v.asks(); err != nil {
		return out, err
	}
	out.Error, out.Data, out.Over, out.Description = v.Code, v.Data, v.Outcome == Deny, v.Description
	wrong := c.session != nil && v.Wrong && c.session.state.Wrong+1 >= maxWrong
	switch {
	case v.Outcome == Deny, wrong:
		return out, s.end(ctx, t, c, v)
	case in.Session, len(v.Keep) > 0, v.Proved != nil:
		return s.goOn(ctx, t, c, v, out)
	}
	return out, nil
}

// asks is why no client can be told what v says, or nil.
func (v *Verdict) asks() error {
	switch {
	case v.Outcome != Ask && v.Outcome != Deny, !legible(v.Code):
		return misstep("says neither what is next nor that all is done")
	case slices.Contains(own, v.Code):
		return misstep("names as what is next a member of every answer")
	}
	return nil
}

// own are the members of answers that say something already, so that none of them can be the code of a step.
var own = []string{"error", "error_description", "error_uri", "state", "auth_session", "device_session", "authorization_code", "request_uri", "expires_in"}

// legible reports whether code may be an error code (RFC 6749 §5.2).
func legible(code string) bool {
	return code != "" && len(code) <= 64 && !strings.ContainsFunc(code, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' })
}

// allow ends the exchange in a code.
func (s *Service) allow(ctx context.Context, t *tenant.Tenant, c *call, v Verdict, out Answer) (Answer, error) {
	a := authorize.Authentication{Login: session.Login{Subject: v.Subject, ACR: v.ACR, AMR: v.AMR}, Address: c.Credentials.Address}
	if a.ACR == "" {
		a.ACR = t.Settings.ChallengeACR()
	}
	if err := v.allows(a, c.client.ID, c.request.Scope, s.Now()); err != nil {
		return out, err
	}
	switch r, a := c.request, a.Login; {
	case c.session != nil && c.session.state.Proved != nil && c.session.state.Proved.StepUp && c.session.state.Proved.Subject != a.Subject:
		return out, oauth.LoginRequired("the auth_session is another subject's")
	case r.RequiredSub != "" && r.RequiredSub != a.Subject:
		return out, oauth.LoginRequired("another subject was asked for")
	case len(r.EssentialACR) > 0 && !slices.Contains(r.EssentialACR, a.ACR):
		return out, oauth.UnmetAuthenticationRequirements("the subject was not authenticated as the request demands")
	}
	p := &authorize.Pending{Client: c.client, Interaction: authorize.Interaction{Request: c.request}}
	if c.session != nil {
		p.Hash, p.Version = c.session.Hash, c.session.Version
	}
	given := authorize.Given{ID: s.Authorize.Issuer.NewID(), Claims: v.Claims, X5T: c.key.X5T}
	given.Scope = v.Scope
	var err error
	if given.Kept, err = s.kept(t, c, Proved{Subject: a.Subject, AMR: a.AMR, At: s.Now().Unix()}, given.ID); err != nil {
		return out, err
	}
	granted, err := s.Authorize.Grant(ctx, t, p, a, given)
	if authorize.IsGone(err) {
		return out, errSession.Because(err)
	}
	if err != nil {
		return out, err
	}
	out.Code, out.SID = granted.Code, granted.SID
	if held := cmp.Or(c.session, c.fresh); given.Kept != nil && c.client.ChallengeErrorStyle == oauth.StyleDraft {
		out.AuthSession = held.handle(t)
	}
	return out, nil
}

// allows is why a, whom v allows at now to the client of that id that asked for scope, cannot be let in, or nil.
func (v *Verdict) allows(a authorize.Authentication, client string, scope oauth.Scope, now time.Time) error {
	if err := a.Check(now); err != nil {
		return misstep("allows nobody who can be: " + err.Error())
	}
	switch {
	case a.Subject == client:
		return misstep("allows the client itself")
	case v.Scope != nil && !v.Scope.Within(scope):
		return misstep("allows scope that was not asked for")
	}
	return nil
}

// goOn stores what is to be known at the next call, and gives the session its next handle.
func (s *Service) goOn(ctx context.Context, t *tenant.Tenant, c *call, v Verdict, out Answer) (Answer, error) {
	a, now := c.session, s.Now()
	if a == nil {
		a = c.fresh
	} else {
		a.state.Turn++
		a.state.Last = &last{Mark: mark(c.handle, c.Params), Code: v.Code, Data: v.Data, At: now}
	}
	if v.Proved != nil {
		p := *v.Proved
		p.At = cmp.Or(p.At, now.Unix())
		a.state.Proved = &p
	}
	a.state.Key = c.key
	if v.Wrong {
		a.state.Wrong++
	}
	a.Request = c.request
	err := a.keep(v.Keep, c.Params)
	if err == nil {
		a.Data, err = json.Marshal(a.state)
	}
	if err != nil {
		return out, err
	}
	if c.session == nil {
		err = s.Authorize.Store.Begin(ctx, t.ID, a.Interaction, nil)
	} else {
		err = s.Store.Advance(ctx, t.ID, now, a.Interaction)
	}
	if authorize.IsGone(err) {
		return s.outrun(ctx, t, c, out)
	}
	if err != nil {
		return out, err
	}
	out.AuthSession = a.handle(t)
	return out, nil
}

// outrun answers a call that another has outrun: as that one was, if they are the same.
func (s *Service) outrun(ctx context.Context, t *tenant.Tenant, c *call, out Answer) (Answer, error) {
	out.Error = ""
	a, err := s.find(ctx, t, c.handle)
	switch {
	case err != nil:
		return out, err
	case a == nil || !a.repeats(s.Now(), c.handle, c.Params):
		return out, errSession
	}
	c.session = a
	return s.answered(t, c, out), nil
}

// end ends the session, if there is one.
func (s *Service) end(ctx context.Context, t *tenant.Tenant, c *call, v Verdict) error {
	if c.session == nil {
		return nil
	}
	now := s.Now()
	ev := audit.Event{At: now, Kind: audit.Denied, ClientID: c.client.ID, Address: c.Credentials.Address, Detail: map[string]string{"error": v.Code}}
	_, err := s.Authorize.Store.Finish(ctx, t.ID, now, authorize.FinishEffect{Hash: c.session.Hash, Version: c.session.Version, Events: []audit.Event{ev}})
	if authorize.IsGone(err) {
		return errSession.Because(err)
	}
	return err
}
