package tenant

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Subject types (OIDC Core §8).
const (
	PublicSubjects   = "public"
	PairwiseSubjects = "pairwise"
)

// Subjects are how a client is told who somebody is (OIDC Core §8). Clients of one sector are told the same.
type Subjects struct {
	SubjectType         string `json:"subject_type,omitempty"` // public where empty
	SectorIdentifierURI string `json:"sector_identifier_uri,omitempty"`
}

// Pairwise reports whether the client is told of subjects by names of its sector's own.
func (m *Metadata) Pairwise() bool { return m.SubjectType == PairwiseSubjects }

// Sector is the host that the client's pairwise subjects are of (OIDC Core §8.1): that of sector_identifier_uri, or all of
// it where it is a URN, else the one that all redirect URIs have, else that of jwks_uri (CIBA Core §4). It is empty where
// there is none of these.
func (m *Metadata) Sector() string {
	if SectorURN(m.SectorIdentifierURI) {
		return m.SectorIdentifierURI
	}
	if m.SectorIdentifierURI != "" {
		return hostOf(m.SectorIdentifierURI)
	}
	if len(m.RedirectURIs) == 0 {
		return hostOf(m.JWKSURI)
	}
	hosts := make([]string, len(m.RedirectURIs))
	for i, uri := range m.RedirectURIs {
		hosts[i] = sectorOf(uri)
	}
	if hosts = slices.Compact(hosts); len(hosts) != 1 {
		return ""
	}
	return hosts[0]
}

// sectorURN is a name of a sector that the tenant itself gives.
var sectorURN = regexp.MustCompile(`^urn:[a-z0-9][a-z0-9-]{1,31}:[A-Za-z0-9._~:-]{1,200}$`)

// SectorURN reports whether a sector_identifier_uri is a URN (RFC 8141): a sector that the tenant names, and no document lists.
func SectorURN(uri string) bool { return sectorURN.MatchString(uri) }

// sectorOf is the host of a redirect URI, also of a template that does not leave it open.
func sectorOf(uri string) string {
	if t, ok := ParseRedirectTemplate(uri); ok {
		if t.Host {
			return ""
		}
		uri, _ = t.With("x") // always fits
	}
	return hostOf(uri)
}

// pairwise is what pairwise subjects are derived for.
const pairwise = "pairwise subject"

// maxReversible is the longest subject whose pairwise form stays within the 255 characters of a sub (OIDC Core §2).
const maxReversible = 175

// SubjectFor is sub as client c is told it: a pairwise subject of c's sector (OIDC Core §8.1), or sub itself. It is the
// same in all that c can read, and only the tenant's secret leads back.
func (t *Tenant) SubjectFor(c *Client, sub string) string {
	if sub == "" || !c.Pairwise() || sub == c.ID {
		return sub
	}
	if len(sub) > maxReversible { // its name would be too long: this one does not lead back
		return base64.RawURLEncoding.EncodeToString(t.Secret.MAC("long "+pairwise, []byte(c.Sector()), []byte(sub)))
	}
	return t.Secret.Pseudonym(pairwise, c.Sector(), sub)
}

// SubjectOf is the subject that client c was told of as sub.
func (t *Tenant) SubjectOf(c *Client, sub string) string {
	if !c.Pairwise() {
		return sub
	}
	if own, ok := t.Secret.RevealPseudonym(pairwise, c.Sector(), sub); ok {
		return own
	}
	return sub // it was told before the client had pairwise subjects
}

// hostOf is the host of an http or https URL without its port, in lower case.
func hostOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return strings.ToLower(u.Hostname())
}
