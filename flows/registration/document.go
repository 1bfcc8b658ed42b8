package registration

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Document returns the client that doc, found at the URL id, describes to t (OAuth Client ID Metadata Document §4). It is
// invalid_client_metadata or invalid_redirect_uri where it may not be one. A document is written for every server there is,
// so what t does not offer is left out where a registration would be refused; what a client relies on is not.
func (s *Service) Document(t *tenant.Tenant, id string, doc []byte) (*tenant.Client, error) {
	r, err := Parse(doc)
	if err != nil {
		return nil, err
	}
	var shared struct {
		Secret  json.RawMessage `json:"client_secret"`
		Expires json.RawMessage `json:"client_secret_expires_at"`
	}
	_ = json.Unmarshal(doc, &shared) // Parse has read it
	m := &r.Metadata
	switch {
	case r.ClientID != id:
		return nil, oauth.InvalidClientMetadata("client_id is not the URL of the document")
	case shared.Secret != nil || shared.Expires != nil:
		return nil, oauth.InvalidClientMetadata("A metadata document holds a client secret")
	case m.SectorIdentifierURI != "": // nobody has looked whether the sector knows it
		return nil, oauth.InvalidClientMetadata("A metadata document has no sector_identifier_uri")
	case m.TokenEndpointAuthMethod == "":
		m.TokenEndpointAuthMethod = oauth.AuthNone
	case m.TokenEndpointAuthMethod != oauth.AuthNone && m.TokenEndpointAuthMethod != oauth.AuthPrivateJWT:
		return nil, oauth.InvalidClientMetadata("token_endpoint_auth_method of a metadata document is neither none nor private_key_jwt")
	case t.Settings.Documents.SameOrigin && !slices.ContainsFunc(m.RedirectURIs, func(uri string) bool { return kin(id, uri) }):
		return nil, oauth.InvalidRedirectURI("No redirect URI is of the origin of the metadata document")
	}
	if t.Settings.Documents.SameOrigin {
		m.RedirectURIs = slices.DeleteFunc(m.RedirectURIs, func(uri string) bool { return !kin(id, uri) })
	}
	s.offered(t, &r)
	now := s.now()
	if err := s.settle(t, &r, advertised(t), &tenant.Metadata{}, now); err != nil {
		return nil, err
	}
	r.Metadata.RequirePKCE = true
	return &tenant.Client{ID: id, CreatedAt: now, UpdatedAt: now, SelfRegistered: true, Document: true, Metadata: r.Metadata}, nil
}

// offered leaves out of r what t, or anybody's authority, does not offer.
func (s *Service) offered(t *tenant.Tenant, r *Request) {
	m := &r.Metadata
	r.PreferredID, r.PreferredSecret = "", ""
	m.Data, m.Audience, m.ChallengeAuthMethod, m.BackchannelMode, m.BackchannelUserCode = nil, nil, "", "", false
	m.RequirePKCE = false // they use it in any case, but where they authenticate
	m.GrantTypes = slices.DeleteFunc(m.GrantTypes, func(g string) bool { return !slices.Contains(ordinary, g) })
	m.ResponseTypes = slices.DeleteFunc(m.ResponseTypes, func(v string) bool { return v != "code" })
	if asked, err := oauth.ParseScope(m.Scope); err == nil {
		had, _ := oauth.ParseScope(advertised(t).Scope)
		m.Scope = slices.DeleteFunc(asked, func(v string) bool { return !had.Has(v) }).String()
	}
}

// kin reports whether a redirect URI is of the origin of id, or leads to the user's own device.
func kin(id, uri string) bool {
	a, err1 := url.Parse(id)
	b, err2 := url.Parse(uri)
	if err1 != nil || err2 != nil {
		return false
	}
	switch b.Scheme {
	case "https":
		return strings.EqualFold(a.Host, b.Host)
	case "http":
		return loopback[hostOf(b)]
	}
	return true
}
