package tenant

import (
	"strconv"

	"github.com/chancery-id/chancery/tenant/keys"
)

// MTLSSettings rule what client certificates are good for (RFC 8705). They reach the server over TLS, or by a trusted proxy.
type MTLSSettings struct {
	Enabled     bool     `json:"enabled,omitempty"`     // clients may authenticate with them, and tokens be bound to them
	Authorities []string `json:"authorities,omitempty"` // that vouch for clients: certificates in PEM; none: no tls_client_auth
}

// maxAuthority is the longest text of certificate authorities, in bytes.
const maxAuthority = 64 << 10

// mtls checks the certificate authorities.
func (c *checker) mtls(s *MTLSSettings) {
	_, err := keys.ParseAuthorities(s.Authorities)
	c.that(len(s.Authorities) <= maxItems && (err == nil || len(s.Authorities) == 1), "/mtls/authorities", "are not all certificates of authorities in PEM, or too many")
	for i, text := range s.Authorities {
		_, err := keys.ParseAuthorities([]string{text})
		c.that(len(text) <= maxAuthority && err == nil, "/mtls/authorities/"+strconv.Itoa(i), "is no certificate of an authority in PEM")
	}
}

// CertificateMetadata is what a client registers about certificates (RFC 8705 §2.1.2, §3.4), and about its change from one
// method of authentication to another.
type CertificateMetadata struct {
	TLSSubjectDN     string `json:"tls_client_auth_subject_dn,omitempty"`
	TLSSanDNS        string `json:"tls_client_auth_san_dns,omitempty"`
	TLSSanURI        string `json:"tls_client_auth_san_uri,omitempty"`
	TLSSanIP         string `json:"tls_client_auth_san_ip,omitempty"`
	TLSSanEmail      string `json:"tls_client_auth_san_email,omitempty"`
	CertificateBound bool   `json:"tls_client_certificate_bound_access_tokens,omitempty"` // all its access tokens
}

// A SubjectRule is one way to say which certificate is a client's (RFC 8705 §2.1.2).
type SubjectRule struct {
	Member string // of the metadata
	Of     func(*CertificateMetadata) *string
	Kind   keys.NameKind // of the subject alternative name; zero: the subject itself
}

// SubjectRules are all there are.
var SubjectRules = []SubjectRule{
	{"tls_client_auth_subject_dn", func(m *CertificateMetadata) *string { return &m.TLSSubjectDN }, 0},
	{"tls_client_auth_san_dns", func(m *CertificateMetadata) *string { return &m.TLSSanDNS }, keys.DNSName},
	{"tls_client_auth_san_uri", func(m *CertificateMetadata) *string { return &m.TLSSanURI }, keys.URIName},
	{"tls_client_auth_san_ip", func(m *CertificateMetadata) *string { return &m.TLSSanIP }, keys.IPName},
	{"tls_client_auth_san_email", func(m *CertificateMetadata) *string { return &m.TLSSanEmail }, keys.EmailName},
}

// NamedBy tells whether c is the certificate that the client's one subject rule speaks of.
func (m *CertificateMetadata) NamedBy(c *keys.Certificate) bool {
	for _, r := range SubjectRules {
		switch want := *r.Of(m); {
		case want == "":
		case r.Kind != 0:
			return c.Names(r.Kind, want)
		default:
			expected, err1 := keys.ParseSubject(want)
			has, err2 := c.Subject()
			return err1 == nil && err2 == nil && expected.Equal(has)
		}
	}
	return false
}
