package grant

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Where in an access token a claim of Terms.AccessTokenClaims goes, by what stands before its name; without it stands beside
// the token's own.
const (
	FedUserInfo = "uip:" // claims for UserInfo, which tells them as long as the token lives
	FedData     = "dat:" // the data of the token
)

// The most claims that an access token is fed.
const (
	MaxFed   = 64
	maxFedIn = 2 << 10 // bytes of their names and values
)

var errFed = errors.New("grant: the claims for an access token are more than fits into it")

// Fed are claims of the subject that an access token was fed when it was issued.
type Fed struct {
	Claims   map[string]json.RawMessage `json:"claims,omitempty"`
	UserInfo map[string]json.RawMessage `json:"uip,omitempty"`
}

// feed gathers the claims that the access tokens of g are fed, and returns their data with those that go there. What is
// given with the grant is not replaced.
func (i *Issuer) feed(ctx context.Context, t *tenant.Tenant, c *tenant.Client, g *Grant, scope oauth.Scope) (*Fed, json.RawMessage, error) {
	data := g.Terms.Data
	if len(g.Terms.AccessTokenClaims) == 0 || i.Accounts == nil {
		return nil, data, nil
	}
	var names []string
	for _, v := range g.Terms.AccessTokenClaims {
		if _, name := destination(v); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	told, err := i.Gather(ctx, t, i.Accounts, Inquiry{Grant: g, Client: c, Scope: scope, Place: InAccessToken, Names: names})
	if err != nil {
		return nil, nil, err
	}
	var dat map[string]json.RawMessage
	if len(data) > 0 {
		if err := json.Unmarshal(data, &dat); err != nil {
			return nil, nil, err
		}
	}
	places := map[string]map[string]json.RawMessage{"": {}, FedUserInfo: {}, FedData: {}}
	size := 0
	for member, value := range told {
		for _, v := range g.Terms.AccessTokenClaims {
			to, name := destination(v)
			if !Presettable(member) || !there(name, []map[string]json.RawMessage{{member: value}}) {
				continue
			}
			_, given := g.Terms.AccessToken.Claims[member]
			_, inData := dat[member]
			if to == "" && given || to == FedData && inData {
				continue
			}
			places[to][member] = value
			size += len(member) + len(value)
		}
	}
	if size > maxFedIn {
		return nil, nil, errFed
	}
	if own := places[FedData]; len(own) > 0 {
		for name, v := range dat {
			own[name] = v
		}
		if data, err = json.Marshal(own); err != nil {
			return nil, nil, err
		}
	}
	fed := &Fed{}
	if len(places[""]) > 0 {
		fed.Claims = places[""]
	}
	if len(places[FedUserInfo]) > 0 {
		fed.UserInfo = places[FedUserInfo]
	}
	if fed.Claims == nil && fed.UserInfo == nil {
		fed = nil
	}
	return fed, data, nil
}

// destination parts a claim of Terms.AccessTokenClaims into where it goes and its name.
func destination(v string) (to, name string) {
	for _, to := range []string{FedUserInfo, FedData} {
		if name, ok := strings.CutPrefix(v, to); ok {
			return to, name
		}
	}
	return "", v
}

// fed are the claims of those names in the payload of an access token, and what it has for UserInfo; nil: nothing.
func fed(payload []byte, names []string, userInfo map[string]json.RawMessage) (*Fed, error) {
	if len(names) == 0 && len(userInfo) == 0 {
		return nil, nil
	}
	f := &Fed{UserInfo: userInfo}
	if len(names) == 0 {
		return f, nil
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(payload, &all); err != nil {
		return nil, err
	}
	f.Claims = map[string]json.RawMessage{}
	for _, name := range names {
		if v, ok := all[name]; ok && Presettable(name) {
			f.Claims[name] = v
		}
	}
	return f, nil
}

// Members are what introspection tells of f beside.
func (f *Fed) Members() map[string]json.RawMessage {
	if f == nil {
		return nil
	}
	out := map[string]json.RawMessage{}
	for name, v := range f.Claims {
		out[name] = v
	}
	if f.UserInfo != nil {
		out["uip"], _ = json.Marshal(f.UserInfo) // JSON as it was read: cannot fail
	}
	return out
}
