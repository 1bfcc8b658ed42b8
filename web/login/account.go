package login

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// accountPath is where the page lies on which users see where they are signed in, and what they let apps do.
const accountPath = "/login/account"

// aboutAccount is what the forms of that page are about.
const aboutAccount = "account"

// overview is the content of the page.
type overview struct {
	Who      person
	Done     string // text of what was done; empty: nothing
	Here     shownSession
	Others   []shownSession
	Apps     []shownApp
	LoggedIn bool
	Problem  string // text of what was wrong; empty: nothing
	Account  bool   // the user has one with us, and with it perhaps a second factor
	HasTOTP  bool
}

// shownSession is a session as its subject sees it.
type shownSession struct {
	ID    string
	Since string // date and time, in UTC
	Used  string
	Apps  []string
}

// AppNames are the names of its apps in one text.
func (s shownSession) AppNames() string { return strings.Join(s.Apps, ", ") }

// beside is a value with the page that it is shown on, for a template within.
type beside struct {
	Page  *page
	Value any
}

// With is v beside the page.
func (p *page) With(v any) beside { return beside{p, v} }

// shownApp is a client as a subject sees it that let it in.
type shownApp struct {
	ID      string
	Name    string
	Scopes  []item
	Offline bool
	Since   string
}

// clock is how times are shown.
const timeForm = "2 January 2006, 15:04 UTC"

func shownTime(t time.Time) string { return t.UTC().Format(timeForm) }

// mySessions is how many sessions of a subject are looked at.
const mySessions = 100

// current returns the browser's session, or nil where there is none.
func (u *UI) current(c *gin.Context, t *tenant.Tenant) (*session.Session, error) {
	n, err := u.Sessions.Current(c.Request.Context(), t, u.SID(c, t))
	if errors.Is(err, session.ErrNotFound) {
		return nil, nil
	}
	return n, err
}

// showAccount shows a user's sessions and apps.
func (u *UI) showAccount(c *gin.Context, t *tenant.Tenant) { u.account(c, t, "", "") }

func (u *UI) account(c *gin.Context, t *tenant.Tenant, done, problem string) {
	if u.Access == nil || t.Settings.LoginURL != "" { // who signs users in elsewhere shows them this there
		u.notice(c, t, http.StatusNotFound, "missing", oauth.NotFound("there is no such page"))
		return
	}
	pg := u.page(c, t, nil)
	in, err := u.overview(c, t, pg)
	if err != nil {
		u.fail(c, t, err)
		return
	}
	in.Done, in.Problem = done, problem
	if pg.Title = pg.Plain("account.title"); problem != "" {
		pg.Title = pg.Plain("error") + ": " + pg.Title
	}
	pg.Body = in
	if in.LoggedIn {
		pg.CSRF = csrf(t, u.Binding(c, t), aboutAccount+" "+in.Here.ID, 0)
	}
	render(c, http.StatusOK, "account", pg, "form-action 'self'")
}

func (u *UI) overview(c *gin.Context, t *tenant.Tenant, pg *page) (in overview, err error) {
	ctx := c.Request.Context()
	own, err := u.current(c, t)
	if err != nil || own == nil {
		return in, err
	}
	in.LoggedIn = true
	if in.Who, err = u.person(c, t, own.Subject); err != nil {
		return in, err
	}
	switch a, err := u.Accounts.Get(ctx, t, own.Subject); {
	case err == nil:
		in.Account, in.HasTOTP = a.PasswordHash != "", a.HasTOTP
	case !errors.Is(err, account.ErrNotFound):
		return in, err
	}
	apps, err := u.Access.Apps(ctx, t, own.Subject)
	if err != nil {
		return in, err
	}
	names := map[string]string{}
	for _, a := range apps {
		s := shownApp{ID: a.ClientID, Name: shown(a.ClientID, "")}
		if a.Client != nil {
			s.Name = pg.clientName(a.Client)
		}
		names[a.ClientID] = s.Name
		var scope oauth.Scope
		since := time.Time{}
		if a.Consent != nil {
			scope, since = a.Consent.Scope, a.Consent.CreatedAt
		}
		for i := range a.Grants {
			g := &a.Grants[i]
			scope = scope.Plus(g.Terms.Scope)
			s.Offline = s.Offline || g.Outlives() && g.Refresh != nil
			if since.IsZero() || g.CreatedAt.Before(since) {
				since = g.CreatedAt
			}
		}
		s.Since = shownTime(since)
		s.Scopes = pg.items(t.Settings, scope, authorize.Names{})
		in.Apps = append(in.Apps, s)
	}
	all, _, err := u.Sessions.List(ctx, t, own.Subject, "", mySessions)
	if err != nil {
		return in, err
	}
	for i := range all {
		n := &all[i]
		s := shownSession{ID: n.ID, Since: shownTime(n.AuthTime), Used: shownTime(n.UsedAt)}
		for _, id := range n.Clients {
			if names[id] == "" { // it has no access any more
				names[id] = shown(id, "")
				if client, err := u.Access.Client(ctx, t, id); err != nil {
					return in, err
				} else if client != nil {
					names[id] = pg.clientName(client)
				}
			}
			s.Apps = append(s.Apps, names[id])
		}
		if n.ID == own.ID {
			in.Here = s
		} else {
			in.Others = append(in.Others, s)
		}
	}
	return in, nil
}

// changeAccount ends sessions, or withdraws what an app may do, as its page asks.
func (u *UI) changeAccount(c *gin.Context, t *tenant.Tenant) {
	own, err := u.current(c, t)
	if err != nil {
		u.fail(c, t, err)
		return
	}
	if own == nil || u.Access == nil || t.Settings.LoginURL != "" {
		u.account(c, t, "", "")
		return
	}
	f, ok := u.form(c, t, aboutAccount+" "+own.ID)
	if !ok {
		return
	}
	ctx, from := c.Request.Context(), address(c)
	var done, problem string
	switch act := factorActions[f.Get("action")]; f.Get("action") {
	case "end":
		done = "account.ended"
		err = u.Sessions.Close(ctx, t, f.Get("session"), own.Subject, session.By{Address: from})
	case "end_others":
		done = "account.ended"
		err = u.Sessions.CloseAll(ctx, t, own.Subject, own.ID, session.By{Address: from})
	case "withdraw":
		if f.Get("client") == "" {
			u.Error(c, t, http.StatusBadRequest, errAction)
			return
		}
		done = "account.withdrawn"
		err = u.Access.Withdraw(ctx, t, own.Subject, f.Get("client"), access.By{Address: from})
	default:
		if act == nil {
			u.Error(c, t, http.StatusBadRequest, errAction)
			return
		}
		if done, problem, err = act(u, c, t, own, f); errors.Is(err, errShown) {
			return
		}
	}
	if err != nil && !errors.Is(err, session.ErrNotFound) {
		u.fail(c, t, err)
		return
	}
	u.account(c, t, done, problem)
}
