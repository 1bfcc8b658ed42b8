package authorize

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// What stands before the name of a claim in a Consent, to say where it goes. Without it a claim goes to UserInfo.
const (
	idTokenPrefix     = "id_token:"
	accessTokenPrefix = "access_token:" // beside the token's own claims, or with grant.FedUserInfo or grant.FedData behind in uip or dat
)

// claimPlace is where a claim goes. Every requested claim may go there at once, where all; verified ones go only there, too.
type claimPlace struct {
	prefix string
	all    bool
	of     func(*grant.Terms) *[]string
	kept   string // before the name there
}

// claimPlaces are looked through from the first: a longer prefix stands before one that it begins with.
var claimPlaces = []claimPlace{
	{accessTokenPrefix + grant.FedUserInfo, false, accessTokenClaims, grant.FedUserInfo},
	{accessTokenPrefix + grant.FedData, false, accessTokenClaims, grant.FedData},
	{accessTokenPrefix, false, accessTokenClaims, ""},
	{idTokenPrefix, true, func(t *grant.Terms) *[]string { return &t.IDTokenClaims }, ""},
	{"", true, func(t *grant.Terms) *[]string { return &t.Claims }, ""},
}

func accessTokenClaims(t *grant.Terms) *[]string { return &t.AccessTokenClaims }

// placeOf parts v, a claim of a Consent, into where it goes and its name.
func placeOf(v string) (place *claimPlace, name string) {
	at := slices.IndexFunc(claimPlaces, func(p claimPlace) bool { return strings.HasPrefix(v, p.prefix) })
	return &claimPlaces[at], v[len(claimPlaces[at].prefix):]
}

// placed reports whether name begins with what says where a claim goes. No claim of a request does.
func placed(name string) bool {
	return strings.HasPrefix(name, idTokenPrefix) || strings.HasPrefix(name, accessTokenPrefix)
}

// checkClaims returns invalid_request where a claim of a Consent cannot be one.
func checkClaims(claims []string) error {
	for _, v := range claims {
		place, name := placeOf(v)
		verified, isVerified := strings.CutPrefix(name, tenant.Verified)
		switch {
		case name == "*" && place.all:
		case name == "*":
			return oauth.InvalidRequest("claims with the prefix access_token: must be named: there is no * of them")
		case !oauth.ClaimName(name) || isVerified && (verified == "" || verified == "*"):
			return oauth.InvalidRequest("claims holds a name that is not allowed")
		case placed(name) || placed(verified) || strings.HasPrefix(verified, tenant.Verified):
			return oauth.InvalidRequest("claims holds a name with more prefixes than one")
		case isVerified && !place.all:
			return oauth.InvalidRequest("verified claims do not go into access tokens")
		}
	}
	return nil
}

// agreeClaims puts claims, of a Consent about r, where they go.
func agreeClaims(terms *grant.Terms, s *tenant.Settings, r *request.Request, claims []string) {
	for _, v := range claims {
		place, name := placeOf(v)
		names := []string{name}
		if name == "*" {
			names = requestedNames(s, r)
		}
		for _, n := range names {
			inIDToken, inUserInfo := places(r, n)
			if place.prefix == "" && (inIDToken || !inUserInfo && r.ResponseType == oauth.ResponseIDToken) { // there is no access token to ask with
				terms.IDTokenClaims = add(terms.IDTokenClaims, n)
			}
			if to := place.of(terms); place.prefix != "" || inUserInfo || !inIDToken {
				*to = add(*to, place.kept+n)
			}
		}
	}
	userInfo, idToken := verifiedAsked(r, "userinfo"), verifiedAsked(r, "id_token")
	if anyVerified(terms.Claims) {
		if terms.Verified.UserInfo = userInfo; userInfo == nil {
			terms.Verified.UserInfo = idToken
		}
	}
	if anyVerified(terms.IDTokenClaims) {
		if terms.Verified.IDToken = idToken; idToken == nil {
			terms.Verified.IDToken = userInfo
		}
	}
}

func anyVerified(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, tenant.Verified) })
}

// verifiedAsked is the verified_claims of a member of the claims parameter of r, as it was sent; nil: there is none.
func verifiedAsked(r *request.Request, member string) json.RawMessage {
	var asked map[string]json.RawMessage
	if r.Claims == nil || len(r.Claims.VerifiedUserInfo)+len(r.Claims.VerifiedIDToken) == 0 || json.Unmarshal(r.ClaimsOf(member), &asked) != nil {
		return nil
	}
	return asked[oauth.VerifiedClaims]
}

// recorded are the claims of terms as they are remembered: without language, those for access tokens with where they go.
func recorded(terms *grant.Terms) []string {
	var out []string
	for _, set := range [][]string{terms.Claims, terms.IDTokenClaims, FedClaims(terms)} {
		for _, name := range set {
			out = append(out, untagged(name))
		}
	}
	return out
}

// FedClaims are the claims of terms that go into access tokens, as a Consent names them.
func FedClaims(terms *grant.Terms) []string {
	out := make([]string, len(terms.AccessTokenClaims))
	for i, name := range terms.AccessTokenClaims {
		out[i] = accessTokenPrefix + name
	}
	return out
}
