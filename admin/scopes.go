package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Scope is all that a tenant's settings say of one scope value.
type Scope struct {
	Name         string
	Description  string            // on the consent page
	Descriptions map[string]string // by language tag
	Claims       []string          // that it asks for
	Default      bool              // asked for by requests that name none
	Advertised   bool              // in scopes_supported
	Standard     bool              // OpenID Connect's, whose claims are fixed
}

// InUse means that clients registered what is to be removed.
type InUse struct{ Clients []string }

var errInUse = oauth.InvalidRequest("Clients have registered the scope").Because(tenant.ErrConflict)

// Error is for logs.
func (e *InUse) Error() string { return fmt.Sprintf("in use by %d clients", len(e.Clients)) }

// Unwrap returns the invalid_request.
func (e *InUse) Unwrap() error { return errInUse }

var errNoScope = oauth.NotFound("There is no such scope")

// inUseShown is how many clients are named that are in the way.
const inUseShown = 20

// scopesOf are the scope values that settings name, by name.
func scopesOf(s *tenant.Settings) []Scope {
	a := &s.Authorization
	names := slices.Concat(s.AdvertisedScopes(), slices.Collect(maps.Keys(a.ClaimsOfScope)), slices.Collect(maps.Keys(a.ScopeDetails)))
	slices.Sort(names)
	var out []Scope
	for _, name := range slices.Compact(names) {
		d := a.ScopeDetails[name]
		claims := oauth.ScopeClaims(name)
		out = append(out, Scope{Name: name, Description: d.Description, Descriptions: d.Descriptions, Default: d.Default, Advertised: slices.Contains(s.AdvertisedScopes(), name),
			Claims: slices.Concat(claims, a.ClaimsOfScope[name]), Standard: len(claims) > 0 || name == oauth.OpenID || name == oauth.OfflineAccess})
	}
	return out
}

// with returns settings that say v of its scope value. They share nothing with s.
func (v *Scope) with(s tenant.Settings) tenant.Settings {
	a := &s.Authorization
	advertised := slices.Clone(s.AdvertisedScopes())
	if i := slices.Index(advertised, v.Name); v.Advertised && i < 0 {
		a.Scopes = append(advertised, v.Name)
	} else if !v.Advertised && i >= 0 {
		a.Scopes = slices.Delete(advertised, i, i+1)
	}
	claims, details := maps.Clone(a.ClaimsOfScope), maps.Clone(a.ScopeDetails)
	if delete(claims, v.Name); len(v.Claims) > 0 && !(v.Standard && slices.Equal(v.Claims, oauth.ScopeClaims(v.Name))) {
		if claims == nil {
			claims = map[string][]string{}
		}
		claims[v.Name] = v.Claims
	}
	if delete(details, v.Name); v.Description != "" || len(v.Descriptions) > 0 || v.Default {
		if details == nil {
			details = map[string]tenant.ScopeDetails{}
		}
		details[v.Name] = tenant.ScopeDetails{Description: v.Description, Descriptions: v.Descriptions, Default: v.Default}
	}
	a.ClaimsOfScope, a.ScopeDetails = claims, details
	return s
}

// Scopes lists the scope values of a tenant by name, with the tenant they were read from.
func (c *Console) Scopes(ctx context.Context, id tenant.ID) ([]Scope, *tenant.Record, error) {
	r, err := c.record(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	return scopesOf(&r.Settings), r, nil
}

// Scope returns one scope value of a tenant, with the tenant it was read from.
func (c *Console) Scope(ctx context.Context, id tenant.ID, name string) (Scope, *tenant.Record, error) {
	all, r, err := c.Scopes(ctx, id)
	if err != nil {
		return Scope{}, nil, err
	}
	i := slices.IndexFunc(all, func(s Scope) bool { return s.Name == name })
	if i < 0 {
		return Scope{}, nil, errNoScope
	}
	return all[i], r, nil
}

// PutScope says of a scope value what v says, in the tenant's settings at that version; zero stands for whatever it is.
// What is not acceptable is *Invalid, with pointers into v.
func (c *Console) PutScope(ctx context.Context, id tenant.ID, version int64, v Scope, by By) (*tenant.Record, error) {
	v.Standard = len(oauth.ScopeClaims(v.Name)) > 0
	if !v.Advertised && !v.Default && v.Description == "" && len(v.Descriptions)+len(v.Claims) == 0 {
		return nil, invalid("/advertised", "must be true where nothing else is said")
	}
	return c.amend(ctx, id, version, &v, by)
}

// amend changes the settings by a scope value, and tries again when another change came between.
func (c *Console) amend(ctx context.Context, id tenant.ID, version int64, v *Scope, by By) (*tenant.Record, error) {
	for tries := 0; ; tries++ {
		r, err := c.record(ctx, id)
		if err != nil {
			return nil, err
		}
		at := version
		if at == 0 {
			at = r.Version
		}
		s := v.with(r.Settings)
		if len(s.Authorization.Scopes) == 0 && len(r.Settings.Authorization.Scopes) > 0 {
			return nil, invalid("/advertised", "cannot be taken from the last one that is")
		}
		out, err := c.UpdateTenant(ctx, id, at, Change{Settings: &s, scope: v.Name}, by)
		if version == 0 && errors.Is(err, tenant.ErrConflict) && tries < retries {
			continue
		}
		return out, v.located(err)
	}
}

// located is err with pointers into v in place of those into the settings.
func (v *Scope) located(err error) error {
	e, ok := errors.AsType[*Invalid](err)
	if !ok {
		return err
	}
	name := escape.Replace(v.Name)
	out := &Invalid{}
	for _, f := range e.Fields {
		for from, to := range map[string]string{"/settings/authorization/claims_of_scope/" + name: "/claims", "/settings/authorization/scope_details/" + name: ""} {
			if rest, ok := strings.CutPrefix(f.Pointer, from); ok && (rest == "" || rest[0] == '/') {
				f.Pointer = to + rest
				break
			}
		}
		out.Fields = append(out.Fields, f)
	}
	return out
}

// DeleteScope takes a scope value out of the tenant's settings. Where clients have registered it, it is *InUse unless forced; then
// it stays in what they registered, and is just no longer known.
func (c *Console) DeleteScope(ctx context.Context, id tenant.ID, version int64, name string, force bool, by By) error {
	v, r, err := c.Scope(ctx, id, name)
	if err != nil {
		return err
	}
	if version != 0 && version != r.Version {
		return errConflict
	}
	used := &InUse{}
	for after := ""; !force; {
		cs, err := c.Clients.Store.Clients(ctx, id, after, checkedAtOnce)
		if err != nil {
			return worded(err)
		}
		for i := range cs {
			if after = cs[i].ID; slices.Contains(strings.Fields(cs[i].Scope), name) && len(used.Clients) < inUseShown {
				used.Clients = append(used.Clients, cs[i].ID)
			}
		}
		if len(cs) == 0 || len(used.Clients) >= inUseShown {
			break
		}
	}
	if len(used.Clients) > 0 {
		return used
	}
	_, err = c.amend(ctx, id, version, &Scope{Name: v.Name}, by)
	return err
}
