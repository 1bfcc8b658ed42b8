package request

import "encoding/json"

// ClaimsOf returns the member of the claims parameter of that name, userinfo or id_token, as it was sent; nil: it is not
// there.
func (r *Request) ClaimsOf(member string) json.RawMessage {
	var claims map[string]json.RawMessage
	if json.Unmarshal(r.RawClaims, &claims) != nil || string(claims[member]) == "null" {
		return nil
	}
	return claims[member]
}
