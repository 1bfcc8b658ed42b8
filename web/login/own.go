package login

import (
	"html/template"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// askOwn asks for user name and password at a page of ours that serves no authorization request. client is whom the page
// is about, or nil; who is the browser's session, or nil.
func (u *UI) askOwn(c *gin.Context, t *tenant.Tenant, pg *page, client *tenant.Client, who *session.Session, e entry) error {
	if e.proof != "" {
		return u.askCodeOf(c, t, pg, e, client == nil, "form-action 'self'")
	}
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

// enter checks what f signs in with, and begins the browser's session. What is to be shown once more, or next, asks.
func (u *UI) enter(c *gin.Context, t *tenant.Tenant, f form, about string) (entry, error) {
	ctx := c.Request.Context()
	in, err := u.authenticate(ctx, c, t, f, about)
	if err != nil || in.entry.problem != "" || in.entry.proof != "" {
		return in.entry, err
	}
	sid, err := u.Authorize.SignIn(ctx, t, u.SID(c, t), authorize.Authentication{Login: in.login, Address: address(c)})
	if err == nil {
		u.Signed(c, t, sid)
	}
	return entry{}, err
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
