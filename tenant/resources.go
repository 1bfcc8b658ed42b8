package tenant

import (
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
)

// ResourceSettings describe a protected resource that the tenant issues access tokens for (RFC 9728 §2).
type ResourceSettings struct {
	Resource      string   `json:"resource"`                                    // its identifier (RFC 8707 §2)
	Name          string   `json:"resource_name,omitempty"`                     // for people
	Scopes        []string `json:"scopes_supported,omitempty"`                  // that requests to it may need
	Documentation string   `json:"resource_documentation,omitempty"`            // URL
	PolicyURI     string   `json:"resource_policy_uri,omitempty"`               // URL
	TOSURI        string   `json:"resource_tos_uri,omitempty"`                  // URL
	DPoPBound     bool     `json:"dpop_bound_access_tokens_required,omitempty"` // it takes no bearer tokens
}

// OwnResource is the name of our own protected resource, UserInfo, among those of a tenant.
const OwnResource = "userinfo"

// MayTarget reports whether a request may ask for tokens for that resource: any, unless the tenant takes only those it
// names, to which its UserInfo belongs, and the platform's administration.
func (t *Tenant) MayTarget(resource string) bool {
	if !t.Settings.ResourcesOnly || resource == t.Issuer+"/"+OwnResource || t.ID == Platform && resource == t.AdminAPI() {
		return true
	}
	for _, r := range t.Settings.Resources {
		if r.Resource == resource {
			return true
		}
	}
	return false
}

// resources checks the protected resources.
func (c *checker) resources(s *Settings) {
	c.that(len(s.Resources) <= maxItems, "/resources", "has too many members")
	var seen []string
	for name, r := range s.Resources {
		at := "/resources/" + escape.Replace(name)
		c.that(word(name) && len(name) <= maxItem && strings.Trim(name, ".") != "" && name != OwnResource, at,
			"must be named in letters, digits, dots, hyphens and underscores, and not userinfo")
		c.that(secureURL(r.Resource), at+"/resource", "must be an https URL without fragment; http only for the loopback")
		c.that(!slices.Contains(seen, r.Resource), at+"/resource", "is that of another resource")
		seen = append(seen, r.Resource)
		c.that(len(r.Name) <= maxName && !strings.ContainsFunc(r.Name, func(r rune) bool { return r < ' ' || r == 0x7f }), at+"/resource_name",
			"must be at most 200 bytes without control characters")
		c.list(at+"/scopes_supported", r.Scopes, oauth.ScopeValue, "is no scope value")
		for member, v := range map[string]string{"/resource_documentation": r.Documentation, "/resource_policy_uri": r.PolicyURI, "/resource_tos_uri": r.TOSURI} {
			c.that(v == "" || secureURL(v), at+member, "must be an https URL without fragment; http only for the loopback")
		}
	}
}
