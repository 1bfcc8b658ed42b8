package login

import (
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// PasswordPath is where a link leads whose holder sets the password of an account, before the link's token.
const PasswordPath = "/login/password/"

// Links are what administrators give people to set their passwords. *account.Service keeps them.
type Links interface {
	// Linked returns the account of a link, or account.ErrLink.
	Linked(ctx context.Context, t *tenant.Tenant, token string) (*account.Account, error)
	// SetByLink sets its password, once. What is wrong with the password is *account.Faults.
	SetByLink(ctx context.Context, t *tenant.Tenant, token, password, address string) error
}

// newPassword is the content of the page that sets a password.
type newPassword struct {
	Who     string
	Problem string // text key; empty: none
}

// askPassword asks for a new password. Looking at the page does not use the link up, as programs look at links too.
func (u *UI) askPassword(c *gin.Context, t *tenant.Tenant) {
	u.showPassword(c, t, u.Binding(c, t), "")
}

func (u *UI) showPassword(c *gin.Context, t *tenant.Tenant, binding, problem string) {
	token := c.Param("token")
	a, err := u.Links.Linked(c.Request.Context(), t, token)
	if err != nil {
		u.failLink(c, t, err)
		return
	}
	pg := u.page(c, t, nil)
	pg.CSRF = csrf(t, binding, aboutPassword, 0)
	pg.Title = pg.Plain("password.title")
	if problem != "" {
		pg.Title = pg.Plain("error") + ": " + pg.Title
	}
	pg.Body = newPassword{Who: shown(a.Username, a.Subject), Problem: problem}
	render(c, http.StatusOK, "password", pg, "form-action 'self'")
}

// aboutPassword is what the form is about. Which account it is for the link says.
const aboutPassword = "password"

// setPassword sets the password.
func (u *UI) setPassword(c *gin.Context, t *tenant.Tenant) {
	f, ok := u.form(c, t, aboutPassword)
	if !ok {
		return
	}
	if f.Get("password") != f.Get("again") {
		u.showPassword(c, t, f.binding, "password.differ")
		return
	}
	err := u.Links.SetByLink(c.Request.Context(), t, c.Param("token"), f.Get("password"), address(c))
	if _, ok := errors.AsType[*account.Faults](err); ok {
		wire.EventOf(c).Fail(err)
		u.showPassword(c, t, f.binding, "password.unfit")
		return
	}
	if err != nil {
		u.failLink(c, t, err)
		return
	}
	u.told(c, t, "password.done")
}

func (u *UI) failLink(c *gin.Context, t *tenant.Tenant, err error) {
	if errors.Is(err, account.ErrLink) {
		u.notice(c, t, http.StatusNotFound, "linkgone", account.ErrLink.Because(err))
		return
	}
	u.fail(c, t, err)
}
