package login

import (
	"errors"
	"html/template"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// askOwn asks for user name and password at a page of ours that serves no authorization request. client is whom the page
// is about, or nil; who is the browser's session, or nil.
func (u *UI) askOwn(c *gin.Context, t *tenant.Tenant, pg *page, client *tenant.Client, who *session.Session, e entry) error {
	in := signin{Client: pg.Brand.Name, Username: e.username, Problem: e.problem, Alone: client == nil}
	if client != nil {
		in.Client, in.Unchecked = pg.clientName(client), client.SelfRegistered
	}
	if who != nil {
		known, err := u.person(c, t, who.Subject)
		if err != nil {
			return err
		}
		in.Note = pg.Say("signin.again", known.Name)
		if e.switching {
			in.Note = pg.Say("signin.switch", known.Name)
		} else if in.Username == "" && e.problem == "" {
			in.Username = known.login
		}
	}
	pg.Title = pg.Plain("signin.title")
	if e.problem != "" {
		pg.Title = pg.Plain("error") + ": " + pg.Title
	}
	pg.Body = in
	render(c, http.StatusOK, "signin", pg, "form-action 'self'")
	return nil
}

// enter checks the user name and password of f and begins the browser's session. What can be put right is a problem to show
// with the page again.
func (u *UI) enter(c *gin.Context, t *tenant.Tenant, f form) (problem string, err error) {
	if f.Get("username") == "" || f.Get("password") == "" {
		return "signin.incomplete", nil
	}
	ctx := c.Request.Context()
	a, err := u.Accounts.Verify(ctx, t, f.Get("username"), f.Get("password"), address(c))
	if errors.Is(err, account.ErrDenied) {
		wire.EventOf(c).Fail(err)
		return "signin.denied", nil
	}
	if err != nil {
		return "", err
	}
	sid, err := u.Authorize.SignIn(ctx, t, u.SID(c, t), authorize.Authentication{
		Login: session.Login{Subject: a.Subject, AMR: []string{"pwd"}}, Address: address(c)})
	if err == nil {
		u.Signed(c, t, sid)
	}
	return "", err
}

// outcome is the content of a page that says what was done.
type outcome struct{ Key string }

// told says what was done.
func (u *UI) told(c *gin.Context, t *tenant.Tenant, key string) {
	pg := u.page(c, t, nil)
	pg.Title = pg.Plain(key + ".title")
	pg.Body = outcome{key}
	render(c, http.StatusOK, "done", pg, "form-action 'none'")
}

// ago says how long ago something was, at now.
func (p *page) ago(at, now time.Time) template.HTML {
	if w := p.wait(now.Sub(at)); w != "" {
		return p.Say("ago", w)
	}
	return p.Say("ago.now")
}
