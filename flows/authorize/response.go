package authorize

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Param is one parameter of an authorization response.
type Param struct{ Name, Value string }

// Response is an authorization response on its way to the client's redirect URI (RFC 6749 §4.1.2).
type Response struct {
	Mode        string // query, fragment or form_post
	RedirectURI string
	Params      []Param
	Err         *oauth.Error // of an error response, for logs
}

// responseMode is a way to carry a response to the client: by query, fragment or form, as parameters or as one that is a
// signed JWT.
type responseMode struct {
	name    string
	carrier string // empty: that of the response type where none is asked for
	signed  bool
}

// responseModes are the ways to carry a response (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode, JARM §2.3).
var responseModes = []responseMode{
	{oauth.ModeQuery, oauth.ModeQuery, false},
	{oauth.ModeFragment, oauth.ModeFragment, false},
	{oauth.ModeFormPost, oauth.ModeFormPost, false},
	{oauth.ModeJWT, "", true},
	{oauth.ModeQueryJWT, oauth.ModeQuery, true},
	{oauth.ModeFragmentJWT, oauth.ModeFragment, true},
	{oauth.ModeFormPostJWT, oauth.ModeFormPost, true},
}

// carriers say how the redirect URI is to be called.
var carriers = map[string]func(redirectURI, params string) string{
	oauth.ModeQuery: func(uri, params string) string {
		switch {
		case !strings.Contains(uri, "?"):
			return uri + "?" + params
		case strings.HasSuffix(uri, "?"), strings.HasSuffix(uri, "&"):
			return uri + params
		}
		return uri + "&" + params
	},
	oauth.ModeFragment: func(uri, params string) string { return uri + "#" + params },
	oauth.ModeFormPost: func(uri, _ string) string { return uri },
}

// modeOf returns the response mode of that name, which a validated request has.
func modeOf(name string) responseMode {
	i := slices.IndexFunc(responseModes, func(m responseMode) bool { return m.name == name && m.carrier != "" })
	return responseModes[max(i, 0)]
}

// ResponseModes lists the names of the response modes.
func ResponseModes() []string {
	names := make([]string, len(responseModes))
	for i, m := range responseModes {
		names[i] = m.name
	}
	return names
}

// URI is where to send the browser: for query and fragment the redirect URI with the response in it, for form_post the
// address of the form.
func (r *Response) URI() string {
	var b strings.Builder
	for i, p := range r.Params {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.Name + "=" + url.QueryEscape(p.Value))
	}
	return carriers[r.Mode](r.RedirectURI, b.String())
}

// respond makes the response to r that carries params, state and issuer (RFC 9207), as a JWT where the mode says so. It
// writes nothing.
func (s *Service) respond(ctx context.Context, t *tenant.Tenant, client *tenant.Client, r *request.Request, params ...Param) (*Response, error) {
	if r.State != "" {
		params = append(params, Param{"state", r.State})
	}
	t = t.At(r.Face) // which the client made its request to, whoever answers it
	mode := modeOf(r.ResponseMode)
	out := &Response{Mode: mode.carrier, RedirectURI: r.RedirectURI, Params: append(params, Param{"iss", t.Issuer})}
	if !mode.signed {
		return out, nil
	}
	jwt, err := s.sign(ctx, t, client, out.Params)
	if err != nil {
		return nil, err
	}
	out.Params = []Param{{"response", jwt}}
	return out, nil
}

// responseLife is how long a response that is a JWT counts (JARM §2.1).
const responseLife = 10 * time.Minute

// sign makes the JWT that a response is, and encrypts it to the client where that registered so (JARM §2.1, §2.2). The
// issuer is among params.
func (s *Service) sign(ctx context.Context, t *tenant.Tenant, client *tenant.Client, params []Param) (string, error) {
	claims := map[string]any{"aud": client.ID, "exp": s.Now().Add(responseLife).Unix()}
	for _, p := range params {
		claims[p.Name] = p.Value
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	jwt, err := s.Issuer.Seal(ctx, t, client, grant.ForAuthorization(client), "JWT", payload)
	if errors.Is(err, keys.ErrTooLarge) {
		err = oauth.InvalidRequest("the response would be longer than 16 KiB").Because(err)
	}
	return jwt, err
}

// respondError makes the error response to r (RFC 6749 §4.1.2.1).
func (s *Service) respondError(ctx context.Context, t *tenant.Tenant, client *tenant.Client, r *request.Request, e *oauth.Error) (*Response, error) {
	params := []Param{{"error", e.Code}}
	if e.Description != "" {
		params = append(params, Param{"error_description", e.Description})
	}
	if e.URI != "" {
		params = append(params, Param{"error_uri", e.URI})
	}
	resp, err := s.respond(ctx, t, client, r, params...)
	if err != nil {
		return nil, err
	}
	resp.Err = e
	return resp, nil
}
