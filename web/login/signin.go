package login

import (
	"encoding/json"
	"errors"
	"html/template"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// entry is how a user comes to the sign-in page.
type entry struct {
	username  string // as entered before
	problem   string // text of what was wrong with that; empty: nothing
	switching bool   // the user wants another account
	again     bool   // who is signed in has to show it anew
	subject   string // who is asked for a code; empty: nobody is
	proof     string // that the password was right; empty: it is asked for
}

// asks reports whether the user comes to sign in, whoever is signed in.
func (e entry) asks() bool { return e.switching || e.again || e.problem != "" || e.proof != "" }

// signin is the content of the sign-in page and of the choice of accounts.
type signin struct {
	Client    string
	Unchecked bool // nobody vouches for the client
	Username  string
	Problem   string        // text key; empty: none
	Note      template.HTML // why the page is shown, where that is not plain
	Who       person
	Alone     bool // there is nothing to go back to
}

// person is an account as we show it.
type person struct {
	Name     string
	Username string // empty where it is the same
	Initial  string
	login    string // what is entered as user name; empty: nothing is known
}

// person returns how the subject is shown. One without an account is shown by its identifier.
func (u *UI) person(c *gin.Context, t *tenant.Tenant, sub string) (person, error) {
	a, err := u.Accounts.Get(c.Request.Context(), t, sub)
	if errors.Is(err, account.ErrNotFound) {
		name := shown(sub, "")
		return person{Name: name, Initial: initial(name)}, nil
	}
	if err != nil {
		return person{}, err
	}
	w := person{Name: shown(a.Username, sub), login: a.Username}
	var full string
	if json.Unmarshal(a.Claims["name"], &full) == nil {
		if full = shown(full, ""); full != "" && full != w.Name {
			w.Name, w.Username = full, w.Name
		}
	}
	w.Initial = initial(w.Name)
	return w, nil
}

// pageOf begins a page of p.
func (u *UI) pageOf(c *gin.Context, t *tenant.Tenant, p *authorize.Pending, binding string) *page {
	pg := u.page(c, t, p.Request)
	pg.CSRF = csrf(t, binding, p.Handle, p.Version)
	return pg
}

// showSignIn asks for user name and password. who is the browser's session, or nil.
func (u *UI) showSignIn(c *gin.Context, t *tenant.Tenant, p *authorize.Pending, binding string, who *session.Session, e entry) error {
	pg := u.pageOf(c, t, p, binding)
	if e.proof != "" {
		return u.askCodeOf(c, t, pg, e, false, "form-action "+formAction(p.Request.RedirectURI))
	}
	in := signin{Client: pg.clientName(p.Client), Unchecked: p.Client.SelfRegistered, Username: e.username, Problem: e.problem}
	var known person // the account that we expect
	var err error
	switch r := p.Request; {
	// Only the bearer of an ID token learns whose it is; a sub that anyone may write into the claims parameter stays unnamed.
	case r.RequiredSub != "" && (r.IDTokenHint != "" || who != nil && who.Subject == r.RequiredSub):
		if known, err = u.person(c, t, r.RequiredSub); err != nil {
			return err
		}
		in.Note = pg.Say("signin.particular")
		if known.login != "" {
			in.Note = pg.Say("signin.required", known.Name)
		}
	case r.RequiredSub != "":
		in.Note = pg.Say("signin.particular")
	case r.Prompt.Has(oauth.PromptCreate):
		in.Note = pg.Say("signin.create", pg.Brand.Name)
	case who != nil:
		if known, err = u.person(c, t, who.Subject); err != nil {
			return err
		}
		in.Note = pg.Say("signin.again", known.Name)
		if e.switching || p.Step == authorize.StepConsent {
			in.Note, known = pg.Say("signin.switch", known.Name), person{}
		}
	}
	for _, name := range []string{p.Request.LoginHint, known.login} {
		if in.Username == "" && e.problem == "" {
			in.Username = name
		}
	}
	if r := p.Request; r.RequiredSub != "" && known.login != "" && e.problem == "" {
		in.Username = known.login
	}
	pg.Title = pg.Plain("signin.title")
	if e.problem != "" {
		pg.Title = pg.Plain("error") + ": " + pg.Title
	}
	pg.Body = in
	render(c, http.StatusOK, "signin", pg, "form-action "+formAction(p.Request.RedirectURI))
	return nil
}

// showChoice asks whether to go on with session who or to use another account.
func (u *UI) showChoice(c *gin.Context, t *tenant.Tenant, p *authorize.Pending, binding string, who *session.Session) error {
	pg := u.pageOf(c, t, p, binding)
	in := signin{Client: pg.clientName(p.Client), Unchecked: p.Client.SelfRegistered}
	var err error
	if in.Who, err = u.person(c, t, who.Subject); err != nil {
		return err
	}
	pg.Title = pg.Plain("choose.title")
	pg.Body = in
	render(c, http.StatusOK, "choose", pg, "form-action "+formAction(p.Request.RedirectURI))
	return nil
}
