package registration

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// ChallengeScope lets a client use the authorization challenge endpoint; only master authority gives it.
const ChallengeScope = oauth.AuthorizationChallenge

// ordinary are the grant types that a client may take for itself.
var ordinary = []string{oauth.AuthorizationCode, oauth.RefreshToken, oauth.Implicit}

// advertised is what an openly registered client may ask for: the scope values that the tenant advertises.
func advertised(t *tenant.Tenant) *tenant.Metadata {
	values := oauth.Scope(t.Settings.Authorization.Scopes)
	if len(values) == 0 {
		values = oauth.Scope{oauth.OpenID, "profile", "email", "address", "phone", oauth.OfflineAccess}
	}
	return &tenant.Metadata{Scope: values.Without(oauth.Scope{ChallengeScope}).String()}
}

// withhold holds r to what a caller without master authority may have: what base has, and what is harmless. It keeps
// base's values where r leaves a privileged member out, and returns invalid_client_metadata where r asks for more.
func withhold(r *Request, base *tenant.Metadata) error {
	m := &r.Metadata
	if r.PreferredID != "" || r.PreferredSecret != "" {
		return oauth.InvalidClientMetadata("preferred_client_id and preferred_client_secret require the master token")
	}
	if r.SecretHash != "" {
		return oauth.InvalidClientMetadata("encoded_client_secret requires the master token")
	}
	if err := withholdTemplates(m, base); err != nil {
		return err
	}
	if err := withholdSector(r, base); err != nil {
		return err
	}
	if m.Data == nil {
		m.Data = base.Data
	} else if !same(m.Data, base.Data) {
		return oauth.InvalidClientMetadata("data requires the master token")
	}
	if len(m.Audience) == 0 {
		m.Audience = base.Audience
	} else if !oauth.Scope(m.Audience).Within(base.Audience) {
		return oauth.InvalidClientMetadata("audience requires the master token")
	}
	if len(m.DetailsTypes) == 0 {
		m.DetailsTypes = base.DetailsTypes
	} else if !oauth.Scope(m.DetailsTypes).Within(base.DetailsTypes) {
		return oauth.InvalidClientMetadata("authorization_details_types requires the master token")
	}
	if m.RequirePKCE && !base.RequirePKCE && m.TokenEndpointAuthMethod != oauth.AuthNone {
		return oauth.InvalidClientMetadata("require_pkce requires the master token")
	}
	m.RequirePKCE = m.RequirePKCE || base.RequirePKCE
	m.RequirePAR = m.RequirePAR || base.RequirePAR
	m.RequireSignedObject = m.RequireSignedObject || base.RequireSignedObject
	m.DPoPBound = m.DPoPBound || base.DPoPBound
	m.CertificateBound = m.CertificateBound || base.CertificateBound
	if m.ChallengeAuthMethod != "" && m.ChallengeAuthMethod != base.ChallengeAuthMethod {
		return oauth.InvalidClientMetadata("authorization_challenge_endpoint_auth_method requires the master token")
	}
	m.ChallengeAuthMethod = base.ChallengeAuthMethod
	if m.FormerMethod != "" && m.MigrationMetadata != base.MigrationMetadata {
		return oauth.InvalidClientMetadata("former_token_endpoint_auth_method requires the master token")
	}
	m.MigrationMetadata = base.MigrationMetadata
	if m.Profile != "" && m.Profile != base.Profile {
		return oauth.InvalidClientMetadata("profile requires the master token")
	}
	m.Profile = base.Profile
	if base.Pairwise() && m.SubjectType == tenant.PublicSubjects {
		return oauth.InvalidClientMetadata("subject_type public requires the master token, as it is pairwise")
	}
	if m.SubjectType == "" {
		m.SubjectType = base.SubjectType
	}
	if err := withholdPolicy(&m.TokenPolicy, base.TokenPolicy); err != nil {
		return err
	}
	for _, g := range m.GrantTypes {
		if !slices.Contains(ordinary, g) && !slices.Contains(base.GrantTypes, g) {
			return oauth.InvalidClientMetadata("grant_types holds one that requires the master token")
		}
	}
	return withholdScope(m, base)
}

// withholdScope: an empty scope of base stands for any but ChallengeScope.
func withholdScope(m, base *tenant.Metadata) error {
	if m.Scope == "" {
		m.Scope = base.Scope
		return nil
	}
	asked, err := oauth.ParseScope(m.Scope)
	if err != nil {
		return oauth.InvalidClientMetadata("scope is not valid").Because(err)
	}
	had, err := oauth.ParseScope(base.Scope)
	if err != nil {
		return err
	}
	if len(asked) == 0 {
		m.Scope = base.Scope
	}
	if asked.Has(ChallengeScope) && !had.Has(ChallengeScope) || base.Scope != "" && !asked.Within(had) {
		return oauth.InvalidClientMetadata("scope holds values that require the master token")
	}
	return nil
}

// same reports whether two JSON values are equal but for the order of their members.
func same(a, b json.RawMessage) bool {
	canonical := func(raw json.RawMessage) []byte {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var v any
		if d.Decode(&v) != nil {
			return nil
		}
		out, _ := json.Marshal(v) // cannot fail: it was just decoded
		return out
	}
	ca := canonical(a)
	return ca != nil && bytes.Equal(ca, canonical(b))
}
