package request

import (
	"context"
	"errors"
	"io"
	"net/url"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Kind is the way a request came, so that a check knows whether it applies.
type Kind uint8

// The kinds of request.
const (
	Authorize   Kind = 1 << iota // the authorization endpoint, or its query handed over by a login UI
	Backchannel                  // the backchannel authentication endpoint
	Challenge                    // the authorization challenge endpoint
	Pushed                       // the pushed authorization request endpoint
	Device                       // the device authorization endpoint

	everyKind = Authorize | Backchannel | Challenge | Pushed | Device
)

// Service validates requests.
type Service struct {
	Now           func() time.Time
	Rand          io.Reader
	Store         Store
	Limit         Limiter      // of pushed requests; nil: they are not limited
	ResponseTypes []string     // that the engine has
	ResponseModes []string     // that the engine has
	Keys          ClientKeys   // of signed request objects; nil: there are none
	Fetch         tenant.Fetch // reads request objects by reference; nil: there are none
	Replay        Replay       // of request objects that count once
	// Granted returns the subject of an agreement that the client manages, or ErrGrantID; nil: none is managed.
	Granted func(ctx context.Context, t *tenant.Tenant, client *tenant.Client, id string) (sub string, err error)
	// Hint verifies an id_token_hint and returns the subject it was issued to (OIDC Core §3.1.2.1). Its expiry does
	// not matter.
	Hint func(ctx context.Context, t *tenant.Tenant, client *tenant.Client, token string) (sub string, err error)
}

// draft is a request on its way through the checks.
type draft struct {
	Request
	service *Service
	ctx     context.Context
	tenant  *tenant.Tenant
	client  *tenant.Client
	params  url.Values

	filling      Filling
	proven       bool // client and redirect URI are known: errors may go to the client
	objectSigned bool // it came in a signed request object
}

// IssuerParameter names the issuer that an authorization request was made to, among those of the tenant, where a login UI
// elsewhere hands it over: we put it there for an alias. It says no more than whose name the response carries.
const IssuerParameter = "issuer"

// get returns a parameter's value; empty counts as absent (RFC 6749 §3.1).
func (d *draft) get(name string) string { return d.params.Get(name) }

// Validate runs the checks of kind over params and returns the request and its client. Params of Authorize may refer to a
// pushed request, whose parameters are then checked in their place; those of a request object are too (RFC 9101).
//
// Where it fails before client and redirect URI are proven, the request is nil and nobody may be redirected. Where
// it fails later the request holds what an error response to the client needs: redirect URI, response mode and
// state. The error is an *oauth.Error, or what the client registry said.
func (s *Service) Validate(ctx context.Context, t *tenant.Tenant, kind Kind, params url.Values) (*Request, *tenant.Client, error) {
	return s.ValidateFilled(ctx, t, kind, params, Filling{})
}

// Filling is how the open part of a redirect URI that is a template is filled in. Without one the request goes nowhere.
type Filling struct {
	Param string // in the words of whoever answers the request
	Later bool   // they have not been asked yet
}

// ValidateFilled is Validate where a redirect URI may be a template.
func (s *Service) ValidateFilled(ctx context.Context, t *tenant.Tenant, kind Kind, params url.Values, f Filling) (*Request, *tenant.Client, error) {
	d, err := s.validate(ctx, t, kind, params, f)
	if !d.proven {
		return nil, d.client, err
	}
	return &d.Request, d.client, err
}

func (s *Service) validate(ctx context.Context, t *tenant.Tenant, kind Kind, params url.Values, f Filling) (*draft, error) {
	if issuer := params.Get(IssuerParameter); kind == Authorize && t.Owns(issuer) {
		t = t.At(issuer)
	}
	d := &draft{Request: Request{Face: t.Face()}, service: s, ctx: ctx, tenant: t, params: params, filling: f}
	if err := d.locate(kind); err != nil {
		return d, err
	}
	if err := d.prove(); err != nil {
		return d, err
	}
	return d, d.run(kind)
}

// locate finds the client, and the parameters that count: those that were sent, pushed, or signed.
func (d *draft) locate(kind Kind) error {
	if kind == Authorize && d.refersToPushed() {
		return d.recall()
	}
	if err := d.findClient(); err != nil {
		return err
	}
	if !d.sendsObject() || kind == Pushed && d.get("request_uri") != "" { // which noReference refuses
		return nil
	}
	err := d.unpack(kind)
	if err != nil && d.tenant.Settings.RequestObjects.Merge {
		_ = d.prove() // what stands beside the object counts, and so the error may go there
	}
	return err
}

// prove proves the redirect URI, and notes what an error response needs beside it.
func (d *draft) prove() error {
	if err := d.redirectURI(); err != nil {
		return err
	}
	d.proven, d.State, d.ResponseMode = true, d.get("state"), d.errorMode()
	return nil
}

// run runs the checks of kind.
func (d *draft) run(kind Kind) error {
	for _, c := range checks {
		if c.kinds&kind == 0 {
			continue
		}
		if err := c.check(d); err != nil {
			return err
		}
	}
	return nil
}

// findClient looks up client_id. A repeated client_id or redirect_uri proves nothing, so it is refused here.
func (d *draft) findClient() error {
	for _, name := range []string{"client_id", "redirect_uri"} {
		if len(d.params[name]) > 1 {
			return oauth.InvalidRequest(name + " is repeated")
		}
	}
	id := d.get("client_id")
	if id == "" {
		return oauth.InvalidRequest("client_id is missing")
	}
	if len(id) > maxClientID || notText(id) {
		return oauth.InvalidRequest("client_id is unknown")
	}
	c, err := d.tenant.Clients.Client(d.ctx, id)
	switch {
	case err == nil && c.Disabled:
		err = tenant.ErrClientLocked
		fallthrough
	case errors.Is(err, tenant.ErrNoClient):
		return oauth.InvalidRequest("client_id is unknown").Because(err)
	case err != nil:
		return err
	}
	d.client, d.ClientID = c, id
	return nil
}

// errorMode is the response mode of an error found before response_mode itself is checked: what was asked if it
// may be used, else the default of the response type.
func (d *draft) errorMode() string {
	rt := d.get("response_type")
	asked := d.get("response_mode")
	if m := effectiveMode(asked, rt); d.allowsMode(asked) && d.carries(m, rt) && len(d.params["response_mode"]) == 1 {
		return m
	}
	return usualMode(rt)
}
