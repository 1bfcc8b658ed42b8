package registration

import (
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// redirectTemplate returns why uri may not be registered as a template of redirect URIs, or nil. Each URI that comes of it
// must be one that could be registered itself. A host is left open only where the tenant lets it be, or did when it was
// registered.
func redirectTemplate(t *tenant.Tenant, uri string, native, had bool) error {
	template, ok := tenant.ParseRedirectTemplate(uri)
	if !ok {
		return oauth.InvalidRedirectURI("A template of redirect URIs must hold [param] once, in its path or in a value of its query")
	}
	if template.Host && !had && !t.Settings.Clients.TemplateHosts {
		return oauth.InvalidRedirectURI("A template of redirect URIs leaves its host open")
	}
	sample, _ := template.With("x") // always fits
	return redirectURI(sample, native)
}

// withholdTemplates: who leaves a redirect URI open trusts whoever fills it in, and that is the tenant's to do.
func withholdTemplates(m, base *tenant.Metadata) error {
	for _, uri := range m.RedirectURIs {
		if strings.HasPrefix(uri, tenant.RedirectTemplatePrefix) && !slices.Contains(base.RedirectURIs, uri) {
			return oauth.InvalidClientMetadata("redirect_uris holds a template, which requires the master token")
		}
	}
	return nil
}
