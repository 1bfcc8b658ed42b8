package registration

import (
	"net/netip"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// certificates checks by what a client's certificate is known, and whether tokens can be bound to it (RFC 8705 §2.1.2,
// §3.4).
func certificates(_ *Service, t *tenant.Tenant, m, had *tenant.Metadata, _ time.Time) error {
	if m.CertificateBound && !had.CertificateBound && !t.Settings.MTLS.Enabled {
		return oauth.InvalidClientMetadata("tls_client_certificate_bound_access_tokens is not supported")
	}
	rules := 0
	for _, r := range tenant.SubjectRules {
		v := *r.Of(&m.CertificateMetadata)
		if v == "" {
			continue
		}
		if rules++; len(v) > maxURI || !subjects[r.Kind](v) {
			return oauth.InvalidClientMetadata(r.Member + " is not valid")
		}
	}
	switch by := m.Uses(oauth.AuthTLS); {
	case by && rules != 1:
		return oauth.InvalidClientMetadata("token_endpoint_auth_method tls_client_auth needs exactly one of tls_client_auth_subject_dn, tls_client_auth_san_dns, tls_client_auth_san_uri, tls_client_auth_san_ip and tls_client_auth_san_email")
	case !by && rules > 0:
		return oauth.InvalidClientMetadata("tls_client_auth_subject_dn and the like go with token_endpoint_auth_method tls_client_auth only")
	}
	return nil
}

// subjects tell what may be registered of each kind of name.
var subjects = map[keys.NameKind]func(string) bool{
	0: func(v string) bool {
		_, err := keys.ParseSubject(v)
		return err == nil
	},
	keys.DNSName: func(v string) bool {
		return !strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r >= 0x7f })
	},
	keys.URIName: func(v string) bool {
		return strings.Contains(v, ":") && !strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r >= 0x7f })
	},
	keys.EmailName: func(v string) bool {
		return strings.Contains(v, "@") && !strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r >= 0x7f })
	},
	keys.IPName: func(v string) bool {
		a, err := netip.ParseAddr(v)
		return err == nil && a.Zone() == ""
	},
}
