package discovery

import (
	"maps"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// ProtectedResource is where metadata of protected resources are (RFC 9728 §3), each below it by its name.
const ProtectedResource = "/.well-known/oauth-protected-resource"

// Resource is the metadata document of a protected resource (RFC 9728 §2). Absent members are absent, never null.
type Resource struct {
	Resource         string   `json:"resource"`
	Servers          []string `json:"authorization_servers"`
	Scopes           []string `json:"scopes_supported,omitempty"`
	Methods          []string `json:"bearer_methods_supported"`
	Name             string   `json:"resource_name,omitempty"`
	Documentation    string   `json:"resource_documentation,omitempty"`
	PolicyURI        string   `json:"resource_policy_uri,omitempty"`
	TOSURI           string   `json:"resource_tos_uri,omitempty"`
	CertificateBound bool     `json:"tls_client_certificate_bound_access_tokens,omitempty"`
	DPoPAlgs         []string `json:"dpop_signing_alg_values_supported,omitempty"`
	DPoPBound        bool     `json:"dpop_bound_access_tokens_required,omitempty"`
}

// ResourceOf returns the metadata of t's resource of that name: UserInfo, which is our own, or one of its settings.
func ResourceOf(t *tenant.Tenant, name string, now time.Time) (Resource, bool) {
	if name == tenant.OwnResource {
		m := MetadataOf(t, now)
		return Resource{Resource: t.Issuer + UserInfo, Servers: []string{t.Issuer}, Methods: []string{"header", "body"},
			Scopes:   slices.DeleteFunc(slices.Clone(m.Scopes), func(s string) bool { return s == oauth.OfflineAccess }),
			DPoPAlgs: m.DPoPAlgs, CertificateBound: m.CertificateBound}, true
	}
	r, ok := t.Settings.Resources[name]
	if !ok {
		return Resource{}, false
	}
	return Resource{Resource: r.Resource, Servers: []string{t.Issuer}, Scopes: r.Scopes, Methods: []string{"header"}, Name: r.Name, Documentation: r.Documentation,
		PolicyURI: r.PolicyURI, TOSURI: r.TOSURI, DPoPAlgs: names(keys.ProofAlgs()), DPoPBound: r.DPoPBound}, true
}

// AdminResource is the metadata of the administration, whose tokens the platform issues.
func AdminResource(platform *tenant.Tenant) Resource {
	return Resource{Resource: platform.AdminAPI(), Servers: []string{platform.Issuer}, Methods: []string{"header"}, Name: "Chancery administration",
		Scopes:   []string{tenant.AdminScope},
		DPoPAlgs: names(keys.ProofAlgs())}
}

// ResourceMetadata is where the metadata of t's resource of that name are.
func ResourceMetadata(t *tenant.Tenant, name string) string {
	return t.Issuer + ProtectedResource + "/" + name
}

// resources are the identifiers of the protected resources of t (RFC 9728 §4).
func resources(t *tenant.Tenant) []string {
	ids := []string{t.Issuer + UserInfo}
	for _, name := range slices.Sorted(maps.Keys(t.Settings.Resources)) {
		ids = append(ids, t.Settings.Resources[name].Resource)
	}
	return ids
}
