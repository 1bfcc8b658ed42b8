package authorize

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// Asked is what a request asks of its subject, parted into what is new and what was consented to before.
type Asked struct {
	NewScope, ConsentedScope oauth.Scope
	New, Consented           Names
	OtherScope               oauth.Scope // on record although it is not asked for; only where the tenant wants it told
	OtherClaims              []string    // likewise, sorted
}

// Names are claim names, sorted: those the client marked essential, and the others (OIDC Core §5.5.1).
type Names struct {
	Essential, Voluntary []string
}

// Ask parts what r asks by what is on record in had, which may be nil. Claims are those of the claims parameter and those
// that scope values ask for (OIDC Core §5.4).
func Ask(s *tenant.Settings, r *request.Request, had *grant.Authorization) Asked {
	var scope oauth.Scope
	var claims []string
	if had != nil {
		scope, claims = had.Scope, had.Claims
	}
	a := Asked{NewScope: r.Scope.Without(scope), ConsentedScope: r.Scope.And(scope)}
	for name, essential := range requested(s, r) {
		to := &a.New
		if slices.Contains(claims, name) {
			to = &a.Consented
		}
		if essential {
			to.Essential = append(to.Essential, name)
		} else {
			to.Voluntary = append(to.Voluntary, name)
		}
	}
	if s.Authorization.OtherConsentInPrompt {
		asked := requested(s, r)
		a.OtherScope = scope.Without(r.Scope)
		a.OtherClaims = slices.DeleteFunc(slices.Sorted(slices.Values(claims)), func(name string) bool { _, ok := asked[name]; return ok })
	}
	for _, names := range [][]string{a.New.Essential, a.New.Voluntary, a.Consented.Essential, a.Consented.Voluntary} {
		slices.Sort(names)
	}
	return a
}

// requested returns each claim that r asks for, without language tag, and whether it is essential anywhere.
func requested(s *tenant.Settings, r *request.Request) map[string]bool {
	claims := map[string]bool{}
	for _, v := range r.Scope {
		for _, names := range [][]string{oauth.ScopeClaims(v), s.Authorization.ClaimsOfScope[v]} {
			for _, name := range names {
				claims[name] = false
			}
		}
	}
	for name, c := range verifiedOf(r.Claims) {
		claims[name] = c.Essential
	}
	if r.Claims != nil {
		for _, m := range []map[string]*oauth.Claim{r.Claims.UserInfo, r.Claims.IDToken} {
			for name, c := range m {
				if name = untagged(name); grant.Presettable(name) && !placed(name) && !strings.HasPrefix(name, tenant.Verified) {
					claims[name] = claims[name] || c != nil && c.Essential
				}
			}
		}
	}
	return claims
}

// verifiedOf returns the verified claims that c asks for in either place, without language, by name with tenant.Verified
// before: essential where they are anywhere, with the first purpose there is.
func verifiedOf(c *oauth.Claims) map[string]oauth.Claim {
	out := map[string]oauth.Claim{}
	if c == nil {
		return out
	}
	for _, v := range slices.Concat(c.VerifiedUserInfo, c.VerifiedIDToken) {
		for name, asked := range v.Claims {
			if name = untagged(name); !grant.Presettable(name) || placed(name) || strings.HasPrefix(name, tenant.Verified) {
				continue
			}
			all := out[tenant.Verified+name]
			if asked != nil {
				all.Essential, all.Purpose = all.Essential || asked.Essential, cmp.Or(all.Purpose, asked.Purpose)
			}
			out[tenant.Verified+name] = all
		}
	}
	return out
}

// Purposes are what the claims that r asks for are for, by name as Ask has it, as far as r says.
func Purposes(r *request.Request) map[string]string {
	out := map[string]string{}
	for name, c := range verifiedOf(r.Claims) {
		if c.Purpose != "" {
			out[name] = c.Purpose
		}
	}
	if r.Claims == nil {
		return out
	}
	for _, m := range []map[string]*oauth.Claim{r.Claims.IDToken, r.Claims.UserInfo} {
		for name, c := range m {
			if name = untagged(name); c != nil && c.Purpose != "" && grant.Presettable(name) && !placed(name) {
				out[name] = c.Purpose
			}
		}
	}
	return out
}

// requestedNames lists what requested returns, sorted.
func requestedNames(s *tenant.Settings, r *request.Request) []string {
	return slices.Sorted(maps.Keys(requested(s, r)))
}

// untagged cuts the language tag off a claim name (OIDC Core §5.2).
func untagged(name string) string {
	name, _, _ = strings.Cut(name, "#")
	return name
}
