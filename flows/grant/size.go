package grant

import (
	"encoding/json"

	"github.com/chancery-id/chancery/flows/oauth"
)

// The most that may come into the tokens of a grant, in bytes of JSON: so much that no token passes keys.ErrTooLarge with
// it. Claims of the login session count, and have a limit of their own, as consent that is remembered meets them later.
const (
	MaxTerms         = 8 << 10
	MaxSessionClaims = 2 << 10
)

// Check returns invalid_request where what t brings into tokens is more than fits. A token that is encrypted around
// another holds a quarter less.
func (t *Terms) Check() error {
	if len(t.Scope.String()) > oauth.MaxScope { // it could not be read back
		return oauth.InvalidRequest("scope is too long")
	}
	if len(t.AccessTokenClaims) > MaxFed {
		return oauth.InvalidRequest("claims names more for access tokens than fits into one")
	}
	parts := []any{t.Scope, t.Audience, t.PresetIDToken, t.PresetUserInfo, t.Data, t.AccessToken.Claims, &t.Login}
	if len(t.Details) > 0 {
		parts = append(parts, t.Details)
	}
	b, err := json.Marshal(parts)
	if err != nil {
		return oauth.InvalidRequest("what is to come into the tokens is not JSON").Because(err)
	}
	most := MaxTerms
	if t.AccessToken.Encrypt {
		most = MaxTerms * 3 / 4
	}
	if len(b) > most {
		return oauth.InvalidRequest("claims, data, scope and audience together are more than fits into a token")
	}
	return nil
}
