package access

import (
	"context"
	"encoding/json"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Types of the JWTs that answer (RFC 9701 §5; OIDC Core §5.3.2).
const (
	introspectionType = "token-introspection+jwt"
	userInfoType      = "JWT"
)

// SealUserInfo returns the claims that c is told as the JWT that it registered for, signed, encrypted or both, with iss
// and aud (OIDC Core §5.3.2); empty where it has them as JSON. Errors are those of grant.Issuer.Seal.
func (s *Service) SealUserInfo(ctx context.Context, t *tenant.Tenant, c *tenant.Client, claims map[string]any) (string, error) {
	p := grant.ForUserInfo(c)
	if p.Alg == "" && p.EncAlg == "" {
		return "", nil
	}
	claims["iss"], claims["aud"] = t.Issuer, c.ID
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return s.Issuer.Seal(ctx, t, c, p, userInfoType, payload)
}

// SealIntrospection returns the answer that c is given about a token as a JWT (RFC 9701 §5). It says nothing of a subject
// or an end beside the answer itself, so that it is no access or ID token (§8.1). Errors are those of grant.Issuer.Seal.
func (s *Service) SealIntrospection(ctx context.Context, t *tenant.Tenant, c *tenant.Client, answer json.RawMessage) (string, error) {
	payload, err := s.introspection(t, c.ID, answer)
	if err != nil {
		return "", err
	}
	return s.Issuer.Seal(ctx, t, c, grant.ForIntrospection(c), introspectionType, payload)
}

// SignIntrospection is SealIntrospection for a resource that is no client of ours. The algorithm is one of signatures.
func (s *Service) SignIntrospection(ctx context.Context, t *tenant.Tenant, resource string, alg keys.Alg, answer json.RawMessage) (string, error) {
	payload, err := s.introspection(t, resource, answer)
	if err != nil {
		return "", err
	}
	return t.Keys.Sign(ctx, s.Now(), alg, introspectionType, payload)
}

// introspection are the claims of a JWT that answers (RFC 9701 §5).
func (s *Service) introspection(t *tenant.Tenant, audience string, answer json.RawMessage) ([]byte, error) {
	return json.Marshal(struct {
		Issuer   string          `json:"iss"`
		Audience string          `json:"aud"`
		IssuedAt int64           `json:"iat"`
		Answer   json.RawMessage `json:"token_introspection"`
	}{t.Issuer, audience, s.Now().Unix(), answer})
}
