package request

import (
	"slices"
	"strconv"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// redirectURI proves the redirect URI (RFC 6749 §3.1.2.3, OIDC Core §3.1.2.1). It must be sent unless the client
// registered just one, the request is not for OpenID Connect, and the tenant does not demand it.
func (d *draft) redirectURI() error {
	sent, registered := d.get("redirect_uri"), d.client.RedirectURIs
	if sent == "" {
		if len(registered) != 1 || anyPort(registered[0]) || d.tenant.Settings.Authorization.RequireRedirectURI || slices.Contains(strings.Fields(d.get("scope")), oauth.OpenID) {
			return oauth.InvalidRequest("redirect_uri is missing")
		}
		d.RedirectURI = registered[0]
		return d.fillRedirect()
	}
	if !slices.ContainsFunc(registered, func(r string) bool { return sameRedirect(r, sent, d.client.Native()) }) {
		return oauth.InvalidRequest("redirect_uri is not registered for this client")
	}
	d.RedirectURI, d.RedirectSent = sent, true
	return d.fillRedirect()
}

// Redirects reports whether a response may go to uri now: c has registered it, or a template that it comes of.
func Redirects(c *tenant.Client, uri string) bool {
	return slices.ContainsFunc(c.RedirectURIs, func(r string) bool {
		template, ok := tenant.ParseRedirectTemplate(r)
		return sameRedirect(r, uri, c.Native()) || ok && template.Fits(uri)
	})
}

// fillRedirect puts what whoever answers the request gave for it into a redirect URI that is a template. One that is pushed
// is filled in once it is answered; until then it leads nowhere.
func (d *draft) fillRedirect() error {
	if template, ok := tenant.ParseRedirectTemplate(d.RedirectURI); ok && !d.filling.Later {
		if d.RedirectURI, ok = template.With(d.filling.Param); !ok {
			d.RedirectURI = ""
			return oauth.InvalidRequest("redirect_uri is a template, and nothing that fits is there to fill it in")
		}
	}
	return d.redirectQuery()
}

// redirectQuery refuses a redirect URI whose own query would stand for parts of our response, so that the client might
// read those instead (RFC 6749 §4.1.2, RFC 9207 §2.4).
func (d *draft) redirectQuery() error {
	_, query, _ := strings.Cut(d.RedirectURI, "?")
	own := Parse(query)
	for _, name := range []string{"code", "state", "iss", "error", "response", "id_token", "access_token"} {
		if own.Has(name) {
			return oauth.InvalidRequest("redirect_uri has a parameter of the response in its query")
		}
	}
	return nil
}

// loopbacks are the prefixes of loopback redirect URIs, whose port a native client chooses at run time (RFC 8252 §7.3).
var loopbacks = []string{"http://127.0.0.1", "http://[::1]"}

// localhost is a name of the loopback that only counts where the client registered any port of it.
const localhost = "http://localhost"

// anyPort reports whether a registered redirect URI stands for any port of the loopback: it has the port 0.
func anyPort(registered string) bool {
	for _, prefix := range append([]string{localhost}, loopbacks...) {
		if rest, ok := strings.CutPrefix(registered, prefix+":0"); ok && (rest == "" || rest[0] == '/' || rest[0] == '?') {
			return true
		}
	}
	return false
}

// sameRedirect compares a registered redirect URI with the one sent, as bytes (RFC 9700 §2.1). A native client's loopback
// URI may differ in its port alone.
func sameRedirect(registered, sent string, native bool) bool {
	if registered == sent {
		return true
	}
	if !native {
		return false
	}
	if anyPort(registered) {
		registered = strings.Replace(registered, ":0", "", 1)
		if r, ok := strings.CutPrefix(registered, localhost); ok {
			s, ok := strings.CutPrefix(sent, localhost)
			s, fits := withoutPort(s)
			return ok && fits && r == s
		}
	}
	for _, prefix := range loopbacks {
		r, ok := strings.CutPrefix(registered, prefix)
		s, ok2 := strings.CutPrefix(sent, prefix)
		if ok && ok2 {
			r, rok := withoutPort(r)
			s, sok := withoutPort(s)
			return rok && sok && r == s
		}
	}
	return false
}

// withoutPort cuts a leading ":port" off rest; ok is false unless what remains is empty, a path or a query.
func withoutPort(rest string) (tail string, ok bool) {
	if after, has := strings.CutPrefix(rest, ":"); has {
		tail = strings.TrimLeft(after, "0123456789")
		if port, err := strconv.ParseUint(after[:len(after)-len(tail)], 10, 16); err != nil || port == 0 {
			return "", false
		}
	} else {
		tail = rest
	}
	return tail, tail == "" || tail[0] == '/' || tail[0] == '?'
}
