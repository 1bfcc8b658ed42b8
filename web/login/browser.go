package login

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// SID returns the handle of the browser's session that its cookie holds, or the empty string. It may be worthless.
func (u *UI) SID(c *gin.Context, t *tenant.Tenant) string { return u.cookie(c, t, sessionCookie) }

// Binding returns the browser's secret. A browser that has none is given one.
func (u *UI) Binding(c *gin.Context, t *tenant.Tenant) string {
	if s := u.binding(c, t); s != "" {
		return s
	}
	key := "login: binding of " + string(t.ID)
	if s := c.GetString(key); s != "" {
		return s
	}
	s := u.newSecret()
	c.Set(key, s)
	u.setCookie(c, t, bindingCookie, s)
	return s
}

// binding returns the secret that the browser sent, or the empty string.
func (u *UI) binding(c *gin.Context, t *tenant.Tenant) string {
	return secret(u.cookie(c, t, bindingCookie))
}

// Signed gives the browser the handle of its session.
func (u *UI) Signed(c *gin.Context, t *tenant.Tenant, sid string) {
	u.setCookie(c, t, sessionCookie, sid)
	u.watched(c, t, sid)
}

// Show takes the browser to where res stands: to the page that asks its user, or back to the client. It sets the
// session cookie where the session is new.
func (u *UI) Show(c *gin.Context, t *tenant.Tenant, res authorize.Result) {
	if res.Client != nil {
		wire.EventOf(c).Client(res.Client.ID)
	}
	if res.Session != nil {
		u.Signed(c, t, res.SID)
	}
	r := res.Response
	if r == nil {
		redirect(c, base(t)+interactionPath+res.Pending.Handle)
		return
	}
	if r.Err != nil {
		wire.EventOf(c).Fail(r.Err)
	}
	if r.Mode == oauth.ModeFormPost {
		u.formPost(c, t, res)
		return
	}
	redirect(c, r.URI())
}

// redirect answers 303, so that no form is posted on (RFC 9700 §4.12).
func redirect(c *gin.Context, to string) {
	wire.NoStore(c)
	c.Header("Location", to)
	c.Status(http.StatusSeeOther)
	c.Writer.WriteHeaderNow()
}

// formPost is the page that posts a response to the client (OAuth 2.0 Form Post Response Mode).
func (u *UI) formPost(c *gin.Context, t *tenant.Tenant, res authorize.Result) {
	r := res.Response
	p := u.page(c, t, nil)
	p.Title = p.Plain("formpost.title")
	p.Script = submit
	p.Body = handover{Action: formTarget(r.URI()), Params: r.Params, Client: p.clientName(res.Client)}
	render(c, http.StatusOK, "formpost", p, "form-action "+formAction(r.RedirectURI)+"; script-src "+submitHash)
}

// base is the path of the issuer, which the paths of our pages begin with.
func base(t *tenant.Tenant) string {
	issuer, err := url.Parse(t.Issuer)
	if err != nil {
		return ""
	}
	return strings.TrimRight(issuer.EscapedPath(), "/")
}
