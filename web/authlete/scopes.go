package authlete

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"github.com/chancery-id/chancery/tenant"
)

// scopeObject is a scope value, with what the service says of it.
type scopeObject struct {
	Name         string   `json:"name"`
	Default      bool     `json:"defaultEntry"`
	Description  string   `json:"description,omitempty"`
	Descriptions []tagged `json:"descriptions,omitempty"`
	Attributes   []pair   `json:"attributes,omitempty"`
}

// ineffective are attributes of scope values that others act on, and that would be relied on in vain.
var ineffective = []string{"access_token.duration", "refresh_token.duration", "fapi", "fapi2", "regex"}

// scopesOf are those scope values as t tells of them.
func scopesOf(t *tenant.Tenant, values []string) []scopeObject {
	var out []scopeObject
	kept := saidBy[[]scopeObject](t, "supportedScopes")
	for _, v := range values {
		said := scopeObject{Name: v}
		if i := slices.IndexFunc(kept, func(k scopeObject) bool { return k.Name == v }); i >= 0 {
			said = kept[i]
		}
		details := t.Settings.Authorization.ScopeDetails[v]
		said.Default, said.Description = details.Default, cmp.Or(said.Description, details.Description)
		out = append(out, said)
	}
	return out
}

// takeScopes makes the values that are listed the only ones, and those among them that are default entries what a request asks
// for that names none.
func takeScopes(s *tenant.Settings, raw json.RawMessage) error {
	var scopes []scopeObject
	if err := into(raw, &scopes); err != nil {
		return err
	}
	details := maps.Clone(s.Authorization.ScopeDetails)
	for name, d := range details {
		d.Default = false
		details[name] = d
	}
	s.Authorization.Scopes = nil
	for _, v := range scopes {
		for _, a := range v.Attributes {
			if slices.Contains(ineffective, a.Key) {
				return contradiction("supportedScopes", "the attribute "+a.Key+" has no effect here")
			}
		}
		s.Authorization.Scopes = append(s.Authorization.Scopes, v.Name)
		if v.Default {
			if details == nil {
				details = map[string]tenant.ScopeDetails{}
			}
			d := details[v.Name]
			d.Default = true
			details[v.Name] = d
		}
	}
	maps.DeleteFunc(details, func(_ string, d tenant.ScopeDetails) bool {
		return !d.Default && d.Description == "" && len(d.Descriptions) == 0
	})
	s.Authorization.ScopeDetails = details
	return nil
}
