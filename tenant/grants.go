package tenant

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant/keys"
)

// GrantSettings rule the grants that are decided at the token endpoint. Each is off unless the tenant has it on, and a
// client needs it registered beside. A hook of the same name, where there is one, decides in place of the rest.
type GrantSettings struct {
	TokenExchange ExchangeSettings `json:"token_exchange,omitzero"` // RFC 8693
	JWTBearer     BearerSettings   `json:"jwt_bearer,omitzero"`     // RFC 7523 §2.1
	Password      PasswordSettings `json:"password,omitzero"`       // RFC 6749 §4.3, which RFC 9700 §2.4 forbids
	Issuers       []TrustedIssuer  `json:"issuers,omitempty"`       // whose JWTs count
	Off           []string         `json:"off,omitempty"`           // of authorization_code, refresh_token and client_credentials, those that the token endpoint does not serve
}

// ExchangeSettings rule token exchange.
type ExchangeSettings struct {
	Enabled       bool     `json:"enabled,omitempty"`
	Backend       bool     `json:"backend,omitempty"`        // the tenant's backend decides, where a door hands out tickets
	Impersonation bool     `json:"impersonation,omitempty"`  // every client of the grant may be given a token that does not name it
	Delegation    bool     `json:"delegation,omitempty"`     // every client of the grant may act for a subject, which the token tells
	RefreshTokens bool     `json:"refresh_tokens,omitempty"` // may be requested
	Audience      []string `json:"audience,omitempty"`       // resources that may be asked for though the subject token is not for them, if the client registered them
	IDTokenScope  []string `json:"id_token_scope,omitempty"` // most scope that an ID token is worth: openid
}

// BearerSettings rule JWTs as grants.
type BearerSettings struct {
	Enabled bool `json:"enabled,omitempty"`
	Backend bool `json:"backend,omitempty"` // as in ExchangeSettings
}

// PasswordSettings rule the password grant.
type PasswordSettings struct {
	Enabled bool `json:"enabled,omitempty"`
	Backend bool `json:"backend,omitempty"` // as in ExchangeSettings
}

// What JWTs of a trusted issuer are good for.
const (
	UseExchange = HookTokenExchange
	UseBearer   = HookJWTBearer
	UseSoftware = "software_statement" // RFC 7591 §2.3; only where uses names it
)

// TrustedIssuer is somebody else whose JWTs the tenant takes. Its keys are in JWKS or behind JWKSURI.
type TrustedIssuer struct {
	Issuer        string          `json:"issuer"` // iss, exactly
	JWKS          json.RawMessage `json:"jwks,omitempty"`
	JWKSURI       string          `json:"jwks_uri,omitempty"`
	Algs          []string        `json:"algs,omitempty"`           // of its signatures: any asymmetric one
	Types         []string        `json:"types,omitempty"`          // typ of its JWTs: JWT, at+jwt or none
	Uses          []string        `json:"uses,omitempty"`           // token_exchange, jwt_bearer: both; software_statement where it is named
	Clients       []string        `json:"clients,omitempty"`        // that may present them: any of the grant
	Audience      []string        `json:"audience,omitempty"`       // aud that they may have beside the tenant's own issuer
	Scope         []string        `json:"scope,omitempty"`          // most that they are worth: what the client registered
	SubjectClaim  string          `json:"subject_claim,omitempty"`  // which names the subject: sub
	SubjectPrefix string          `json:"subject_prefix,omitempty"` // put before it, so that nobody else's subject is meant
	Accounts      bool            `json:"accounts,omitempty"`       // the subject must have an account here
	MaxLife       int64           `json:"max_life,omitempty"`       // seconds that exp may be ahead: 86400 for an exchange, 600 as a grant
}

// Issuer returns the trusted issuer of that name for that use, or nil.
func (g *GrantSettings) Issuer(iss, use string) *TrustedIssuer {
	i := slices.IndexFunc(g.Issuers, func(i TrustedIssuer) bool { return i.Issuer == iss })
	if i < 0 || len(g.Issuers[i].Uses) > 0 && !slices.Contains(g.Issuers[i].Uses, use) {
		return nil
	}
	return &g.Issuers[i]
}

// Longest is how far ahead exp of a JWT for that use may be.
func (i *TrustedIssuer) Longest(use string) time.Duration {
	if use == UseBearer {
		return or(i.MaxLife, 10*time.Minute)
	}
	return or(i.MaxLife, 24*time.Hour)
}

// Holder is the issuer as one whose keys ClientKeys finds. No client can have its id.
func (i *TrustedIssuer) Holder() *Client {
	return &Client{ID: "\x00" + i.Issuer, Metadata: Metadata{JWKS: i.JWKS, JWKSURI: i.JWKSURI}}
}

// grants checks the settings of grants.
func (c *checker) grants(g *GrantSettings) {
	c.list("/grants/off", g.Off, func(v string) bool { return slices.Contains(optional, v) }, "is no grant type that can be turned off here")
	c.list("/grants/token_exchange/audience", g.TokenExchange.Audience, func(v string) bool { return oauth.ScopeValue(v) && !strings.Contains(v, "#") }, "is no resource")
	c.list("/grants/token_exchange/id_token_scope", g.TokenExchange.IDTokenScope, oauth.ScopeValue, "is no scope value")
	c.that(len(g.Issuers) <= maxItems, "/grants/issuers", "has too many elements")
	for n := range g.Issuers {
		i, at := &g.Issuers[n], "/grants/issuers/"+strconv.Itoa(n)
		c.that(i.Issuer != "" && len(i.Issuer) <= MaxIssuer && printable(i.Issuer), at+"/issuer", "must be 1 to 512 printable characters")
		c.that(!slices.ContainsFunc(g.Issuers[:n], func(o TrustedIssuer) bool { return o.Issuer == i.Issuer }), at+"/issuer", "is repeated")
		c.that((len(i.JWKS) > 0) != (i.JWKSURI != ""), at, "must have either jwks or jwks_uri")
		if len(i.JWKS) > 0 {
			_, err := keys.ParseJWKS(i.JWKS)
			c.that(err == nil, at+"/jwks", "is no set of usable public keys")
		}
		c.that(i.JWKSURI == "" || secureURL(i.JWKSURI), at+"/jwks_uri", "must be an https URL without fragment; http only for the loopback")
		for _, l := range []struct {
			name    string
			values  []string
			legal   func(string) bool
			message string
		}{
			{"algs", i.Algs, func(v string) bool { return slices.Contains(keys.ClientAlgs(), keys.Alg(v)) }, "is no asymmetric signature algorithm of ours"},
			{"types", i.Types, func(v string) bool { return printable(v) && !strings.Contains(v, " ") }, "is no media type"},
			{"uses", i.Uses, func(v string) bool { return v == UseExchange || v == UseBearer || v == UseSoftware }, "must be token_exchange, jwt_bearer or software_statement"},
			{"clients", i.Clients, printable, "is no client id"},
			{"audience", i.Audience, printable, "is no audience"},
			{"scope", i.Scope, oauth.ScopeValue, "is no scope value"},
		} {
			c.list(at+"/"+l.name, l.values, func(v string) bool { return v != "" && l.legal(v) }, l.message)
		}
		c.that(i.SubjectClaim == "" || oauth.ClaimName(i.SubjectClaim), at+"/subject_claim", "is no claim name")
		c.that(len(i.SubjectPrefix) <= 100 && printable(i.SubjectPrefix), at+"/subject_prefix", "must be at most 100 printable characters")
		c.that(i.MaxLife == 0 || i.MaxLife >= 10 && i.MaxLife <= 30*day, at+"/max_life", "must be from 10 to 2592000, or 0 for the default")
	}
}

// printable reports whether s has printable ASCII characters alone.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e })
}
