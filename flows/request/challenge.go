package request

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"strconv"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// ErrNotFirstParty: the client did not register the scope value that marks it as first-party.
var ErrNotFirstParty = oauth.InvalidRequest("the client does not hold the scope authorization_challenge")

// ValidateChallenge runs the checks of Challenge over the parameters of a client that is known to be calling (OAuth 2.0
// for First-Party Applications §5.1). What they leave out is as in earlier, the request that they go on with, if any. A
// client that is not first-party is ErrNotFirstParty; other errors are those of an authorization request.
func (s *Service) ValidateChallenge(ctx context.Context, t *tenant.Tenant, client *tenant.Client, params url.Values, earlier *Request) (*Request, error) {
	d := &draft{Request: Request{Face: t.Face()}, service: s, ctx: ctx, tenant: t, client: client, params: params}
	d.ClientID = client.ID
	if earlier != nil {
		if err := d.carry(earlier); err != nil {
			return nil, err
		}
	}
	d.State = d.get("state")
	if err := d.run(Challenge); err != nil {
		return nil, err
	}
	return &d.Request, nil
}

// carried are the parameters that a later step need not repeat.
var carried = []struct {
	name string
	of   func(*Request) string
}{
	{"scope", func(r *Request) string { return r.Scope.String() }},
	{"state", func(r *Request) string { return r.State }},
	{"nonce", func(r *Request) string { return r.Nonce }},
	{"code_challenge", func(r *Request) string { return r.CodeChallenge }},
	{"dpop_jkt", func(r *Request) string { return r.DPoPJKT }},
	{"prompt", func(r *Request) string { return strings.Join(r.Prompt.Values(), " ") }},
	{"max_age", func(r *Request) string {
		if r.MaxAge == nil {
			return ""
		}
		return strconv.FormatInt(*r.MaxAge, 10)
	}},
	{"ui_locales", func(r *Request) string { return strings.Join(r.UILocales, " ") }},
	{"claims_locales", func(r *Request) string { return strings.Join(r.ClaimsLocales, " ") }},
	{"login_hint", func(r *Request) string { return r.LoginHint }},
	{"acr_values", func(r *Request) string { return strings.Join(r.ACRValues, " ") }},
	{"claims", func(r *Request) string { return string(r.RawClaims) }},
	{"authorization_details", func(r *Request) string {
		if len(r.Details) == 0 {
			return ""
		}
		b, _ := json.Marshal(r.Details) // JSON as it was read: cannot fail
		return string(b)
	}},
	{"id_token_hint", func(r *Request) string { return r.IDTokenHint }},
}

// Parameters are those of a request that was validated for the challenge, as they would be sent again.
func (r *Request) Parameters() url.Values {
	params := url.Values{}
	for _, c := range carried {
		if v := c.of(r); v != "" {
			params.Set(c.name, v)
		}
	}
	if r.CodeChallenge != "" {
		params.Set("code_challenge_method", oauth.S256)
	}
	if len(r.Resource) > 0 {
		params["resource"] = r.Resource
	}
	return params
}

// carry fills in what was said before. A code challenge and a key are said once and stay as they
// are, also as none.
func (d *draft) carry(earlier *Request) error {
	if sent := d.get("code_challenge"); sent != "" && sent != earlier.CodeChallenge {
		return oauth.InvalidRequest("code_challenge is not that of the first request")
	}
	if sent := d.get("dpop_jkt"); sent != "" && sent != earlier.DPoPJKT {
		return oauth.InvalidRequest("dpop_jkt is not that of the first request")
	}
	d.params = maps.Clone(d.params)
	for _, c := range carried {
		if v := c.of(earlier); d.get(c.name) == "" && v != "" {
			d.params.Set(c.name, v)
		}
	}
	if earlier.CodeChallenge != "" && d.get("code_challenge_method") == "" {
		d.params.Set("code_challenge_method", oauth.S256)
	}
	if len(d.params["resource"]) == 0 && len(earlier.Resource) > 0 {
		d.params["resource"] = earlier.Resource
	}
	return nil
}

// mayChallenge demands what a client needs to have registered. Its scope must name the value itself: one that may ask
// for any scope is not meant.
func (d *draft) mayChallenge() error {
	if !d.client.MayGrant(oauth.AuthorizationCode) {
		return oauth.UnauthorizedClient("the client may not use the grant type authorization_code")
	}
	if registered, err := oauth.ParseScope(d.client.Scope); err != nil || !registered.Has(oauth.AuthorizationChallenge) {
		return ErrNotFirstParty.Because(err)
	}
	if d.client.RequirePAR {
		return oauth.InvalidRequest("the client must push its requests, and use them at the authorization endpoint")
	}
	return nil
}

// codeOnly reads response_type, which clients of earlier drafts do not send.
func (d *draft) codeOnly() error {
	switch rt := d.get("response_type"); {
	case rt == "" && d.tenant.Settings.Challenge.RequireResponseType:
		return oauth.InvalidRequest("response_type is missing")
	case rt != "" && rt != "code":
		return oauth.UnsupportedResponseType("response_type must be code")
	}
	d.ResponseType = "code"
	return nil
}

// heldScope cuts what is asked to what the client registered, which may leave nothing.
func (d *draft) heldScope() error {
	err := d.scope()
	if d.Narrowed && len(d.Scope) == 0 {
		return nil
	}
	return err
}
