package registration

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// maxSector is the longest sector document, in bytes.
const maxSector = 64 << 10

// Fetch reads what is at a URL, of at most max bytes: outbound.Client.Get. Its key is the tenant's id.
type Fetch func(ctx context.Context, key, url string, max int64) (body []byte, contentType string, err error)

// subjectType checks by which names the client is told of people (OIDC Core §8.1).
func subjectType(s *Service, _ *tenant.Tenant, m, _ *tenant.Metadata, _ time.Time) error {
	switch {
	case m.SubjectType != "" && m.SubjectType != tenant.PublicSubjects && m.SubjectType != tenant.PairwiseSubjects:
		return oauth.InvalidClientMetadata("subject_type is neither public nor pairwise")
	case m.SectorIdentifierURI != "" && !tenant.SectorURN(m.SectorIdentifierURI) && s.permits(m.SectorIdentifierURI) != nil:
		return oauth.InvalidClientMetadata("sector_identifier_uri is not an https URL of a public host")
	case m.Pairwise() && m.Sector() == "":
		return oauth.InvalidClientMetadata("subject_type pairwise needs a sector_identifier_uri, as the redirect URIs have no one host")
	}
	return nil
}

// sector checks that the document at sector_identifier_uri lists all redirect URIs (OIDC Registration §5). It is read each
// time that the client is registered or changed, and at no other. A URN is the tenant's own name of a sector.
func (s *Service) sector(ctx context.Context, t *tenant.Tenant, m *tenant.Metadata) error {
	if m.SectorIdentifierURI == "" || tenant.SectorURN(m.SectorIdentifierURI) {
		return nil
	}
	if s.Fetch == nil {
		return oauth.InvalidClientMetadata("sector_identifier_uri is not supported")
	}
	unread := oauth.InvalidClientMetadata("sector_identifier_uri leads to no JSON array of redirect URIs")
	body, _, err := s.Fetch(ctx, string(t.ID), m.SectorIdentifierURI, maxSector)
	if err != nil {
		return unread.Because(err)
	}
	var listed []*string
	if err := json.Unmarshal(body, &listed); err != nil || listed == nil {
		return unread.Because(err)
	}
	for _, uri := range m.RedirectURIs {
		if !slices.ContainsFunc(listed, func(l *string) bool { return l != nil && *l == uri }) {
			return oauth.InvalidClientMetadata("sector_identifier_uri does not list all redirect URIs")
		}
	}
	return nil
}

// withholdSector: a sector that the tenant named is the tenant's to give and to take.
func withholdSector(r *Request, base *tenant.Metadata) error {
	m := &r.Metadata
	switch named := tenant.SectorURN(base.SectorIdentifierURI); {
	case r.By.permit.namesSector():
	case m.SectorIdentifierURI == "" && named:
		m.SectorIdentifierURI = base.SectorIdentifierURI
	case m.SectorIdentifierURI != base.SectorIdentifierURI && (named || tenant.SectorURN(m.SectorIdentifierURI)):
		return oauth.InvalidClientMetadata("sector_identifier_uri is a URN, which requires the master token")
	}
	return nil
}
