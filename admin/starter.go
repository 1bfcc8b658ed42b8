package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// starterGrants are the grants of a starter's client, of which it gets those there are.
var starterGrants = []string{oauth.AuthorizationCode, oauth.RefreshToken, oauth.ClientCredentials, oauth.CIBA, oauth.DeviceCode, oauth.TokenExchange}

// starterRedirect is where a program on the developer's own machine waits for the code.
const starterRedirect = "http://127.0.0.1:8765/cb"

// furnish gives a new tenant what a starter has: a confidential client that may ask for any scope, and a user.
func (c *Console) furnish(ctx context.Context, out *Created, r tenant.Record, n New, by By) error {
	t := snapshot(r)
	client, secret, err := c.Clients.New(ctx, t, tenant.Metadata{
		Name:                    "Starter",
		RedirectURIs:            []string{starterRedirect},
		TokenEndpointAuthMethod: oauth.AuthBasic,
		GrantTypes:              available(starterGrants),
		ResponseTypes:           []string{"code"},
	}, registration.Master(by.Actor, by.Address))
	if err != nil {
		return err
	}
	password, err := c.random(18)
	if err != nil {
		return err
	}
	name := cmp.Or(n.Username, "alice")
	user, err := c.Accounts.Create(ctx, t, account.New{
		Username: name,
		Password: password,
		Claims:   starterClaims(name),
		By:       account.By{Actor: by.Actor, Address: by.Address},
	})
	if err != nil {
		return err
	}
	out.Client = &CreatedClient{ID: client.ID, Secret: secret, RedirectURIs: client.RedirectURIs, GrantTypes: client.GrantTypes}
	out.User = &CreatedUser{Subject: user.Subject, Username: user.Username, Password: password}
	return nil
}

// plainName is a user name that is also good for the left side of an address.
var plainName = regexp.MustCompile(`^[a-z][a-z0-9._-]*$`)

// starterClaims are what a starter's user has to show (OIDC Core §5.1).
func starterClaims(username string) map[string]json.RawMessage {
	claims := map[string]string{"preferred_username": username}
	out := map[string]json.RawMessage{}
	if plainName.MatchString(username) {
		claims["name"] = strings.ToUpper(username[:1]) + username[1:]
		claims["email"] = username + "@example.com"
		out["email_verified"] = json.RawMessage("true")
	}
	for name, value := range claims {
		out[name], _ = json.Marshal(value) // a string always can be
	}
	return out
}

// available returns those grant types that the token endpoint knows.
func available(names []string) []string {
	known := token.GrantTypes()
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !slices.Contains(known, n) })
}

// snapshot returns a new tenant as flows see it, with neither clients nor revocations.
func snapshot(r tenant.Record) *tenant.Tenant {
	return &tenant.Tenant{ID: r.ID, ServiceID: r.ServiceID, Version: r.Version, Issuer: r.Issuer, Settings: &r.Settings,
		Keys: keys.NewSet(r.Keys), Secret: r.Secret, Tokens: r.Tokens, Revoked: tenant.NewJournal()}
}

// because returns err with undo, where that failed too, among its causes.
func because(err, undo error) error {
	if undo == nil {
		return err
	}
	e := oauth.ErrorOf(err)
	return e.Because(errors.Join(err, undo))
}
