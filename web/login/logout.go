package login

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// aboutLogout is what the form of the logout page is about.
const aboutLogout = "logout"

// signout is the content of the pages about logout.
type signout struct {
	Who person
	Key string // text of what was done
}

// askLogout asks whether to end the browser's session (RP-Initiated Logout §2).
func (u *UI) askLogout(c *gin.Context, t *tenant.Tenant) {
	who, err := u.Sessions.Current(c.Request.Context(), t, u.SID(c, t))
	if errors.Is(err, session.ErrNotFound) {
		u.done(c, t, "signedout")
		return
	}
	if err != nil {
		u.fail(c, t, err)
		return
	}
	p := u.page(c, t, nil)
	in := signout{}
	if in.Who, err = u.person(c, t, who.Subject); err != nil {
		u.fail(c, t, err)
		return
	}
	p.CSRF = csrf(t, u.Binding(c, t), aboutLogout, 0)
	p.Title = p.Plain("logout.title")
	p.Body = in
	render(c, http.StatusOK, "logout", p, "form-action 'self'")
}

// logout ends the browser's session.
func (u *UI) logout(c *gin.Context, t *tenant.Tenant) {
	f, ok := u.form(c, t, aboutLogout)
	if !ok {
		return
	}
	switch f.Get("action") {
	case "logout":
	case "cancel":
		u.done(c, t, "stayed")
		return
	default:
		u.Error(c, t, http.StatusBadRequest, errAction)
		return
	}
	who, err := u.Sessions.Current(c.Request.Context(), t, u.SID(c, t))
	if err == nil {
		err = u.Sessions.End(c.Request.Context(), t, who, address(c))
	}
	if err != nil && !errors.Is(err, session.ErrNotFound) {
		u.fail(c, t, err)
		return
	}
	u.setCookie(c, t, sessionCookie, "")
	u.done(c, t, "signedout")
}

// done says what became of a wish to sign out.
func (u *UI) done(c *gin.Context, t *tenant.Tenant, key string) {
	p := u.page(c, t, nil)
	p.Title = p.Plain(key + ".title")
	p.Body = signout{Key: key}
	render(c, http.StatusOK, "done", p, "form-action 'none'")
}
