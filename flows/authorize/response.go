package authorize

import (
	"net/url"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
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

// responseMode carries a response to the client. uri is the redirect URI as it is to be called.
type responseMode struct {
	name string
	uri  func(redirectURI string, params string) string
}

// responseModes are the ways to carry a response (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode).
var responseModes = []responseMode{
	{oauth.ModeQuery, func(uri, params string) string {
		switch {
		case !strings.Contains(uri, "?"):
			return uri + "?" + params
		case strings.HasSuffix(uri, "?"), strings.HasSuffix(uri, "&"):
			return uri + params
		}
		return uri + "&" + params
	}},
	{oauth.ModeFragment, func(uri, params string) string { return uri + "#" + params }},
	{oauth.ModeFormPost, func(uri, _ string) string { return uri }},
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
	i := slices.IndexFunc(responseModes, func(m responseMode) bool { return m.name == r.Mode })
	return responseModes[max(i, 0)].uri(r.RedirectURI, b.String())
}

// respond makes the response to r that carries params, state and issuer (RFC 9207).
func respond(t *tenant.Tenant, r *request.Request, params ...Param) *Response {
	if r.State != "" {
		params = append(params, Param{"state", r.State})
	}
	return &Response{Mode: r.ResponseMode, RedirectURI: r.RedirectURI, Params: append(params, Param{"iss", t.Issuer})}
}

// respondError makes the error response to r (RFC 6749 §4.1.2.1).
func respondError(t *tenant.Tenant, r *request.Request, e *oauth.Error) *Response {
	params := []Param{{"error", e.Code}}
	if e.Description != "" {
		params = append(params, Param{"error_description", e.Description})
	}
	if e.URI != "" {
		params = append(params, Param{"error_uri", e.URI})
	}
	resp := respond(t, r, params...)
	resp.Err = e
	return resp
}
