package tenant

import (
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant/keys"
)

// ProfileMetadata switches one client to a profile, beside that of its tenant.
type ProfileMetadata struct {
	Profile string `json:"profile,omitempty"`
}

// The profiles that a tenant or a client can be switched to.
const (
	FAPI2Security       = "fapi2-security"        // FAPI 2.0 Security Profile
	FAPI2MessageSigning = "fapi2-message-signing" // FAPI 2.0 Message Signing
	FAPI1Advanced       = "fapi1-advanced"        // Financial-grade API Security Profile 1.0, Part 2
	OAuth21             = "oauth21"               // The OAuth 2.1 Authorization Framework (draft)
)

// Demands are what profiles demand. The zero value demands nothing; of a list, nil allows anything.
type Demands struct {
	Profiles []string // that demand it

	PAR            bool       // authorization requests are pushed
	PKCE           bool       // whoever asks for a code proves possession of its verifier
	Confidential   bool       // clients authenticate
	AuthMethods    []string   // by these methods
	Algs           []keys.Alg // of assertions, request objects, and of what we sign
	StrictAudience bool       // assertions name the issuer
	Bound          bool       // access tokens are bound to a key or a certificate
	Certificate    bool       // to a certificate
	SignedRequest  bool       // authorization requests are request objects
	SignedResponse bool       // authorization responses are signed: JWTs, or with a signed ID token among them
	KeepRefresh    bool       // refresh tokens are not rotated
	NoPassword     bool       // there is no password grant
	Redirects      bool       // redirect URIs are https, or of the loopback for native applications
	ResponseTypes  []string

	CodeLife    time.Duration // of codes, at most; zero: as the settings say
	PushedLife  time.Duration // of pushed requests, at most
	RequestLife time.Duration // from nbf to exp of request objects, at most
}

// strong are the methods by keys of the client's own (FAPI 2.0 Security Profile §5.3.2.1, FAPI 1.0 Part 2 §5.2.2).
var strong = []string{oauth.AuthPrivateJWT, oauth.AuthTLS, oauth.AuthSelfSignedTLS}

// fapi2 is what both profiles of FAPI 2.0 demand.
func fapi2(name string) Demands {
	return Demands{Profiles: []string{name}, PAR: true, PKCE: true, Confidential: true, AuthMethods: strong, Algs: []keys.Alg{keys.PS256, keys.ES256, keys.EdDSA},
		StrictAudience: true, Bound: true, KeepRefresh: true, NoPassword: true, Redirects: true, ResponseTypes: []string{oauth.ResponseCode},
		CodeLife: time.Minute, PushedLife: 599 * time.Second}
}

// signing is that of Message Signing besides (§5.3, §5.4).
func signing(d Demands) Demands {
	d.SignedRequest, d.SignedResponse, d.RequestLife = true, true, time.Hour
	return d
}

// profiles are all there are.
var profiles = map[string]Demands{
	FAPI2Security:       fapi2(FAPI2Security),
	FAPI2MessageSigning: signing(fapi2(FAPI2MessageSigning)),
	FAPI1Advanced: {Profiles: []string{FAPI1Advanced}, Confidential: true, AuthMethods: strong, Algs: []keys.Alg{keys.PS256, keys.ES256},
		Bound: true, Certificate: true, SignedRequest: true, SignedResponse: true, NoPassword: true, Redirects: true,
		ResponseTypes: []string{oauth.ResponseCode, "code id_token"}, RequestLife: time.Hour},
	OAuth21: {Profiles: []string{OAuth21}, PKCE: true, NoPassword: true, Redirects: true, ResponseTypes: []string{oauth.ResponseCode, "none", "id_token", "code id_token"}},
}

// ProfileNames are the names of the profiles, in order.
func ProfileNames() []string {
	return []string{FAPI1Advanced, FAPI2MessageSigning, FAPI2Security, OAuth21}
}

// DemandsOf returns what the profiles of these names demand together, or nil where they demand nothing. What is no
// profile's name is passed over.
func DemandsOf(names ...string) *Demands {
	var d *Demands
	for _, name := range names {
		p, ok := profiles[name]
		switch {
		case !ok || d != nil && slices.Contains(d.Profiles, name):
		case d == nil:
			d = &p
		default:
			d = d.and(&p)
		}
	}
	return d
}

// and returns the demands of both.
func (d *Demands) and(o *Demands) *Demands {
	least := func(a, b time.Duration) time.Duration {
		if a == 0 || b == 0 {
			return max(a, b)
		}
		return min(a, b)
	}
	return &Demands{Profiles: append(slices.Clone(d.Profiles), o.Profiles...), PAR: d.PAR || o.PAR, PKCE: d.PKCE || o.PKCE, Confidential: d.Confidential || o.Confidential,
		AuthMethods: both(d.AuthMethods, o.AuthMethods), Algs: both(d.Algs, o.Algs), StrictAudience: d.StrictAudience || o.StrictAudience, Bound: d.Bound || o.Bound,
		Certificate: d.Certificate || o.Certificate, SignedRequest: d.SignedRequest || o.SignedRequest, SignedResponse: d.SignedResponse || o.SignedResponse,
		KeepRefresh: d.KeepRefresh || o.KeepRefresh, NoPassword: d.NoPassword || o.NoPassword, Redirects: d.Redirects || o.Redirects,
		ResponseTypes: both(d.ResponseTypes, o.ResponseTypes), CodeLife: least(d.CodeLife, o.CodeLife), PushedLife: least(d.PushedLife, o.PushedLife), RequestLife: least(d.RequestLife, o.RequestLife)}
}

// both are the values of two lists, of which nil has all.
func both[V comparable](a, b []V) []V {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	return slices.DeleteFunc(slices.Clone(a), func(v V) bool { return !slices.Contains(b, v) })
}

// AllowsMethod tells whether clients may authenticate by method. Nil Demands allow any.
func (d *Demands) AllowsMethod(method string) bool {
	return d == nil || d.AuthMethods == nil || slices.Contains(d.AuthMethods, method)
}

// AllowsAlg tells whether clients, or we, may sign by alg.
func (d *Demands) AllowsAlg(alg keys.Alg) bool {
	return d == nil || d.Algs == nil || slices.Contains(d.Algs, alg)
}

// AllowsResponseType tells whether a request may have that response type, in its one spelling.
func (d *Demands) AllowsResponseType(responseType string) bool {
	return d == nil || d.ResponseTypes == nil || slices.Contains(d.ResponseTypes, responseType)
}

// WantsBound tells whether access tokens must be bound to a key or a certificate.
func (d *Demands) WantsBound() bool { return d != nil && d.Bound }

// OnlyBound tells whether the client takes no bearer tokens (RFC 9449 §5.2, RFC 8705 §3.4).
func (c *Client) OnlyBound() bool { return c.DPoPBound || c.CertificateBound || c.Demands.WantsBound() }

// WantsIssuer tells whether assertions must name the issuer as their audience.
func (d *Demands) WantsIssuer() bool { return d != nil && d.StrictAudience }

// WantsSigned tells whether a response of that type must be signed as a whole: an ID token that comes with a code signs it.
func (d *Demands) WantsSigned(responseType string) bool {
	return d != nil && d.SignedResponse && responseType == oauth.ResponseCode
}

// CodeLifetime is how long a code may be redeemed, where the settings allow life.
func (d *Demands) CodeLifetime(life time.Duration) time.Duration {
	if d == nil || d.CodeLife == 0 {
		return life
	}
	return min(life, d.CodeLife)
}

// RequestLifetime is the longest time from nbf to exp of a request object, where the settings allow life; zero: any.
func (d *Demands) RequestLifetime(life time.Duration) time.Duration {
	switch {
	case d == nil || d.RequestLife == 0:
		return life
	case life == 0:
		return d.RequestLife
	}
	return min(life, d.RequestLife)
}

// uphold turns on in s whatever its profile demands, so that nothing older than the profile slips by.
func (s *Settings) uphold() {
	d := DemandsOf(s.Profile)
	if d == nil {
		return
	}
	s.PAR.Required = s.PAR.Required || d.PAR
	s.Clients.StrictAudience = s.Clients.StrictAudience || d.StrictAudience
	s.Tokens.RefreshTokenKeep = s.Tokens.RefreshTokenKeep || d.KeepRefresh
	s.Authorization.CodeLifetime = int64(d.CodeLifetime(s.CodeLifetime()) / time.Second)
	s.Authorization.ResponseTypes = slices.DeleteFunc(slices.Clone(s.Authorization.ResponseTypes), func(v string) bool { return !d.AllowsResponseType(oauth.ResponseType(v)) })
	o := &s.RequestObjects
	o.Required, o.Unsigned = o.Required || d.SignedRequest, o.Unsigned && d.AllowsAlg(keys.None)
	o.Merge = o.Merge && !d.SignedRequest
	o.Lifetime = int64(d.RequestLifetime(s.RequestObjectLifetime()) / time.Second)
	if d.PushedLife > 0 {
		s.PAR.Lifetime = int64(min(s.PushedLifetime(), d.PushedLife) / time.Second)
	}
}

// Uphold turns on in m whatever the profiles demand of a client, of a tenant with settings s.
func (d *Demands) Uphold(s *Settings, m *Metadata) {
	if d == nil {
		return
	}
	m.RequirePAR = m.RequirePAR || d.PAR
	m.RequirePKCE = m.RequirePKCE || d.PKCE
	m.CertificateBound = m.CertificateBound || d.Certificate
	m.RequireSignedObject = m.RequireSignedObject || d.SignedRequest
	if d.SignedResponse && m.ResponseAlg == "" { // else it would be RS256 (JARM §3)
		m.ResponseAlg = string(s.IDTokenAlg(&Client{Metadata: *m}))
	}
	if d.KeepRefresh && m.Method() != oauth.AuthNone {
		m.RefreshRotation = new(false)
	}
}

// held returns c with what its profile and that of its tenant demand.
func (s *Settings) held(c *Client) *Client {
	d := DemandsOf(s.Profile, c.Profile)
	if d == nil {
		return c
	}
	held := *c
	held.Demands = d
	d.Uphold(s, &held.Metadata)
	return &held
}
