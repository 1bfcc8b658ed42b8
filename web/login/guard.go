package login

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// maxForm is the size of our largest form, in bytes.
const maxForm = 16 << 10

// csrfKey is the purpose of the MAC in a form.
const csrfKey = "login form"

// csrf is the token of a form: the version of what the form was made for, bound by a MAC to the browser and to what
// the form answers.
func csrf(t *tenant.Tenant, binding, about string, version int64) string {
	v := strconv.FormatInt(version, 10)
	return v + "." + base64.RawURLEncoding.EncodeToString(t.Secret.MAC(csrfKey, []byte(binding), []byte(about), []byte(v)))
}

// checkCSRF returns the version within a token that csrf made for the same browser and form.
func checkCSRF(t *tenant.Tenant, token, binding, about string) (version int64, ok bool) {
	v, sum, _ := strings.Cut(token, ".")
	mac, err := base64.RawURLEncoding.Strict().DecodeString(sum)
	if err != nil || !t.Secret.CheckMAC(mac, csrfKey, []byte(binding), []byte(about), []byte(v)) {
		return 0, false
	}
	version, err = strconv.ParseInt(v, 10, 64)
	return version, err == nil
}

// form is an answer that one of our pages sent.
type form struct {
	url.Values
	binding string // the browser's secret
	version int64  // of what the page was made for
}

// form reads the form of a page about that. Where ok is false the request has been answered.
func (u *UI) form(c *gin.Context, t *tenant.Tenant, about string) (f form, ok bool) {
	sent, err := wire.Form(c, maxForm)
	if err != nil {
		u.fail(c, t, err)
		return f, false
	}
	return u.guard(c, t, about, sent)
}

// guard accepts what was sent if it is the form of a page about that, in the browser that the page was made for. Where ok
// is false the request has been answered.
func (u *UI) guard(c *gin.Context, t *tenant.Tenant, about string, sent url.Values) (f form, ok bool) {
	if err := crossOrigin(c.Request, t); err != nil {
		u.notice(c, t, http.StatusForbidden, "forged", errForeign.Because(err))
		return f, false
	}
	f = form{Values: sent, binding: u.binding(c, t)}
	if f.binding == "" {
		u.stranger(c, t)
		return f, false
	}
	if f.version, ok = checkCSRF(t, f.Get("csrf"), f.binding, about); !ok {
		u.notice(c, t, http.StatusForbidden, "forged", errForged)
	}
	return f, ok
}

// crossOrigin refuses what a browser sends for another site. The issuer's own origin is ours, whatever host a proxy
// names.
func crossOrigin(r *http.Request, t *tenant.Tenant) error {
	if issuer, err := url.Parse(t.Issuer); err == nil && r.Header.Get("Origin") == issuer.Scheme+"://"+issuer.Host {
		return nil
	}
	var p http.CrossOriginProtection
	return p.Check(r)
}
