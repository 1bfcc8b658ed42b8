package token

import (
	"encoding/json"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
)

// Wish is what a caller that the tenant trusts says of the tokens of one request, beside what was agreed. Lifetimes are
// in seconds; zero: as agreed. The tenant's limits hold for them as for any.
type Wish struct {
	AccessLifetime  int64
	RefreshLifetime int64                      // of a line of refresh tokens that begins with this request
	Claims          map[string]json.RawMessage // of a JWT access token, beside those agreed
	Twin            bool                       // with a JWT access token an identifier of the same token
}

// ErrWish is the error of a request whose client did nothing wrong, but whose Wish brings more into its tokens than fits.
// Nothing has changed then.
var ErrWish = oauth.InvalidRequest("the claims are more than fits into a token beside those agreed")

// on has the tokens that are made of g follow the wish. g is not written back.
func (w *Wish) on(g *grant.Grant) {
	a := &g.Terms.AccessToken
	if w.AccessLifetime > 0 {
		a.Lifetime = w.AccessLifetime
	}
	if w.RefreshLifetime > 0 {
		g.Terms.RefreshToken.Lifetime = w.RefreshLifetime
	}
	for name, value := range w.Claims {
		if a.Claims == nil {
			a.Claims = map[string]json.RawMessage{}
		}
		a.Claims[name] = value
	}
	a.Twin = w.Twin
}

// tell adds to out what is to be told of its tokens.
func tell(out *grant.Tokens, g *grant.Grant, audience []string, stored *grant.AccessToken, refresh *grant.RefreshState) {
	out.Grant, out.Audience, out.Refresh = g, audience, refresh
	if stored != nil {
		out.Twin = stored.Twin
	}
}
