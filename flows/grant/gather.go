package grant

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Sources tell claims that are a tenant's own to tell.
type Sources interface {
	// Ask returns what the sources of t tell of the claims that q names; what is nobody's is not asked. It is all or an
	// error: of a source that is down temporarily_unavailable.
	Ask(ctx context.Context, t *tenant.Tenant, q Inquiry) (map[string]json.RawMessage, error)
}

// Inquiry asks for claims of the subject of a grant.
type Inquiry struct {
	Grant  *Grant
	Client *tenant.Client // that is told
	Scope  oauth.Scope    // of the token that they are told with
	Place  Place
	Names  []string // of verified claims with tenant.Verified before
}

// Place is where claims are told.
type Place string

// The places.
const (
	InUserInfo    Place = "USERINFO"
	InIDToken     Place = "ID_TOKEN"
	InAccessToken Place = "ACCESS_TOKEN"
)

// Gather returns the claims of q that the subject's account holds, and of those that it does not hold and that are not given
// otherwise what sources of the tenant's own tell.
func (i *Issuer) Gather(ctx context.Context, t *tenant.Tenant, accounts Accounts, q Inquiry, given ...map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	if len(q.Names) == 0 {
		return nil, nil
	}
	found, err := accounts.Claims(ctx, t, q.Grant.Subject, unverified(q.Names), q.Grant.Terms.ClaimsLocales)
	if err != nil || i.Sources == nil || !t.Settings.Sourced() {
		return found, err
	}
	given = append(given, found)
	var missing []string
	for _, name := range q.Names {
		as := name
		if strings.HasPrefix(name, tenant.Verified) {
			as = oauth.VerifiedClaims
		}
		if Presettable(name) && !there(as, given) {
			missing = append(missing, name)
		}
	}
	if q.Names = missing; len(missing) == 0 {
		return found, nil
	}
	told, err := i.Sources.Ask(ctx, t, q)
	if err != nil {
		return nil, err
	}
	all := maps.Clone(told)
	if all == nil {
		all = map[string]json.RawMessage{}
	}
	maps.Copy(all, found)
	return all, nil
}

// unverified are names without those of verified claims, which no account holds.
func unverified(names []string) []string {
	verified := func(name string) bool { return strings.HasPrefix(name, tenant.Verified) }
	if !slices.ContainsFunc(names, verified) {
		return names
	}
	return slices.DeleteFunc(slices.Clone(names), verified)
}

// there reports whether one of sets holds the claim of that name, in whatever language.
func there(name string, sets []map[string]json.RawMessage) bool {
	for _, set := range sets {
		if _, ok := set[name]; ok {
			return true
		}
		for member := range set {
			if base, _, tagged := strings.Cut(member, "#"); tagged && base == name {
				return true
			}
		}
	}
	return false
}
