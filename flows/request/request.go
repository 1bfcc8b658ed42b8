// Package request validates authorization requests (RFC 6749 §4.1.1, OIDC Core §3.1.2.1).
package request

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
)

// Request is a validated authorization request. Its JSON is stored while the request waits for its subject.
type Request struct {
	Face          string          `json:"face,omitempty"` // of the tenant that it was made to
	ClientID      string          `json:"client_id"`
	ResponseType  string          `json:"response_type"`
	ResponseMode  string          `json:"response_mode"`                 // effective: not jwt
	ModeAsked     string          `json:"response_mode_asked,omitempty"` // as sent
	RedirectURI   string          `json:"redirect_uri"`                  // effective
	RedirectSent  bool            `json:"redirect_sent,omitempty"`       // so the token request must repeat it (RFC 6749 §4.1.3)
	Scope         oauth.Scope     `json:"scope,omitempty"`               // after the cut to what the client registered
	State         string          `json:"state,omitempty"`
	Nonce         string          `json:"nonce,omitempty"`
	CodeChallenge string          `json:"code_challenge,omitempty"` // S256
	DPoPJKT       string          `json:"dpop_jkt,omitempty"`       // thumbprint of the key that the code is bound to (RFC 9449 §10)
	Prompt        oauth.Prompt    `json:"prompt,omitempty"`
	MaxAge        *int64          `json:"max_age,omitempty"` // seconds, also from the client's default
	Display       string          `json:"display,omitempty"`
	UILocales     []string        `json:"ui_locales,omitempty"`
	ClaimsLocales []string        `json:"claims_locales,omitempty"`
	LoginHint     string          `json:"login_hint,omitempty"`
	IDTokenHint   string          `json:"id_token_hint,omitempty"`
	RequiredSub   string          `json:"required_sub,omitempty"` // from id_token_hint or claims
	ACRValues     []string        `json:"acr_values,omitempty"`   // voluntary, also from the client's default
	EssentialACR  []string        `json:"essential_acr,omitempty"`
	Claims        *oauth.Claims   `json:"claims,omitempty"`
	RawClaims     json.RawMessage `json:"raw_claims,omitempty"`
	Resource      []string        `json:"resource,omitempty"`              // RFC 8707
	Details       oauth.Details   `json:"authorization_details,omitempty"` // RFC 9396
	Narrowed      bool            `json:"narrowed,omitempty"`              // Scope is less than was asked
	Backchannel   Decoupled       `json:"backchannel,omitzero"`
	GrantAction   string          `json:"grant_management_action,omitempty"` // what becomes of an agreement
	GrantID       string          `json:"grant_id,omitempty"`                // of which; empty: of a new one

	Pushed []byte `json:"pushed,omitempty"` // hash of the request_uri of a request that was pushed, which its end uses up

	Once *Once `json:"-"` // the one use of the request object that it came in; nil: it may come again

	FPT string `json:"fpt,omitempty"` // fingerprint of the user agent that it came from; empty: not known

	Object json.RawMessage `json:"-"` // payload of the request object that it came in just now

	Purpose string `json:"purpose,omitempty"` // of it all, to be told to the subject (OpenID Connect for Identity Assurance)

	Shown map[string][]string `json:"shown,omitempty"` // parameters that the tenant's prompts show, as sent
}

// Gives reports whether the response type has that value: what is given in the response itself.
func (r *Request) Gives(value string) bool {
	return slices.Contains(strings.Fields(r.ResponseType), value)
}

// OpenID reports whether the request is an OpenID Connect authentication request.
func (r *Request) OpenID() bool { return r.Scope.Has(oauth.OpenID) }
