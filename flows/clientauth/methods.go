package clientauth

import (
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// A method is one way for a client to authenticate.
type method struct {
	name string // of the client metadata token_endpoint_auth_method
	// presented returns the client id that c names by this method, and whether c uses the method at all.
	presented func(c *Credentials) (id string, ok bool)
	// proves reports whether c proves that the client is calling.
	proves func(c *Credentials, client *tenant.Client, now time.Time) bool
	guess  bool // what is presented is a secret that can be guessed
}

// methods are all there are, in the order that metadata lists them. none comes last: it is what remains.
var methods = []method{
	{oauth.AuthBasic, basic, basicSecret, true},
	{oauth.AuthPost, post, postSecret, true},
	{oauth.AuthNone, none, noSecret, false},
}

// Methods returns the names of the client authentication methods that t offers.
func Methods(_ *tenant.Tenant) []string {
	names := make([]string, len(methods))
	for i, m := range methods {
		names[i] = m.name
	}
	return names
}

func basic(c *Credentials) (string, bool) { return c.BasicID, c.Basic }

func basicSecret(c *Credentials, client *tenant.Client, now time.Time) bool {
	return client.CheckSecret(c.BasicSecret, now)
}

func post(c *Credentials) (string, bool) { return c.FormID, c.FormSecretSent && c.FormSecret != "" }

func postSecret(c *Credentials, client *tenant.Client, now time.Time) bool {
	return client.CheckSecret(c.FormSecret, now)
}

func none(c *Credentials) (string, bool) { return c.FormID, c.FormID != "" }

func noSecret(*Credentials, *tenant.Client, time.Time) bool { return true }
