package login

import (
	"context"
	"errors"
	"net/http"
	"net/netip"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// ask shows the page of an interaction: consent, a choice of accounts, or sign-in.
func (u *UI) ask(c *gin.Context, t *tenant.Tenant) {
	binding := u.binding(c, t)
	if binding == "" {
		u.stranger(c, t)
		return
	}
	p, err := u.load(c, t, binding)
	if err == nil {
		err = u.show(c, t, p, binding, entry{switching: c.Query("switch") != ""})
	}
	if err != nil {
		u.fail(c, t, err)
	}
}

// load returns the interaction of the path. Only one that our own pages lead has a binding at all.
func (u *UI) load(c *gin.Context, t *tenant.Tenant, binding string) (*authorize.Pending, error) {
	handle := secret(c.Param("handle"))
	if handle == "" {
		return nil, authorize.ErrNotFound
	}
	p, err := u.Authorize.Load(c.Request.Context(), t, handle, binding)
	if err != nil {
		return nil, err
	}
	wire.EventOf(c).Client(p.Client.ID)
	return p, nil
}

// show writes the page that p stands at.
func (u *UI) show(c *gin.Context, t *tenant.Tenant, p *authorize.Pending, binding string, e entry) error {
	if err := u.Authorize.Resume(c.Request.Context(), t, p); err != nil {
		return err
	}
	if p.Step == authorize.StepConsent && p.Session != nil && !e.switching && e.proof == "" {
		return u.showConsent(c, t, p, binding)
	}
	who, _, err := u.present(c, t, p)
	if err != nil {
		return err
	}
	if !e.asks() && who != nil {
		d := authorize.Decide(u.Now(), t.Settings, p.Request, authorize.Facts{Session: who, Chosen: true, Client: p.Client})
		if d.Outcome == authorize.NeedConsent || d.Outcome == authorize.Approved {
			return u.showChoice(c, t, p, binding, who)
		}
		lacks, err := u.lacksCode(c, t, p.Request, who, d)
		if err != nil {
			return err
		}
		if lacks {
			e = entry{subject: who.Subject, proof: first{who.Subject, who.AuthTime}.proof(t, binding, p.Handle, u.Now())}
		}
	}
	return u.showSignIn(c, t, p, binding, who, e)
}

// present returns the open session that the browser's cookie opens, and its handle, or nil.
func (u *UI) present(c *gin.Context, t *tenant.Tenant, p *authorize.Pending) (*session.Session, string, error) {
	sid := u.SID(c, t)
	if p.Session != nil && u.Sessions.Owns(t, sid, p.Session) {
		return p.Session, sid, nil
	}
	who, err := u.Sessions.Current(c.Request.Context(), t, sid)
	if errors.Is(err, session.ErrNotFound) {
		return nil, "", nil
	}
	return who, sid, err
}

// suffices reports whether the request can go on with session who once its user has chosen it.
func (u *UI) suffices(t *tenant.Tenant, p *authorize.Pending, who *session.Session) bool {
	if who == nil {
		return false
	}
	d := authorize.Decide(u.Now(), t.Settings, p.Request, authorize.Facts{Session: who, Chosen: true, Client: p.Client})
	return d.Outcome == authorize.NeedConsent || d.Outcome == authorize.Approved
}

// actions are what the forms of an interaction can ask for, by the value of their button.
var actions = map[string]func(*UI, context.Context, *gin.Context, *tenant.Tenant, *authorize.Pending, form) (authorize.Result, error){
	"login":    (*UI).signIn,
	"code":     (*UI).signIn,
	"continue": (*UI).goOn,
	"allow":    (*UI).allow,
	"deny":     (*UI).refuse,
	"cancel":   (*UI).refuse,
}

// answer takes what the user of an interaction answered.
func (u *UI) answer(c *gin.Context, t *tenant.Tenant) {
	f, ok := u.form(c, t, c.Param("handle"))
	if !ok {
		return
	}
	here := base(t) + interactionPath + c.Param("handle")
	if f.Get("action") == "switch" {
		redirect(c, here+"?switch=1")
		return
	}
	act := actions[f.Get("action")]
	if act == nil {
		u.Error(c, t, http.StatusBadRequest, errAction)
		return
	}
	p, err := u.load(c, t, f.binding)
	if err != nil {
		u.fail(c, t, err)
		return
	}
	if p.Version != f.version {
		redirect(c, here) // answered elsewhere; what is asked now may be another thing
		return
	}
	res, err := act(u, c.Request.Context(), c, t, p, f)
	switch {
	case errors.Is(err, errShown):
	case errors.Is(err, authorize.ErrConflict):
		redirect(c, here)
	case err != nil:
		u.fail(c, t, err)
	default:
		u.Show(c, t, res)
	}
}

// errShown says that an action has answered the request itself.
var errShown = errors.New("login: answered")

// signIn checks user name and password, or the code that goes with them. At a consent step it takes the interaction back to login, for another account.
func (u *UI) signIn(ctx context.Context, c *gin.Context, t *tenant.Tenant, p *authorize.Pending, f form) (authorize.Result, error) {
	in, err := u.authenticate(ctx, c, t, f, p.Handle)
	if err != nil {
		return authorize.Result{}, err
	}
	if in.entry.problem != "" || in.entry.proof != "" {
		return authorize.Result{}, u.repeat(c, t, p, f, in.entry)
	}
	p.Step = authorize.StepLogin
	// The session to be replaced is the browser's, which another tab may have begun in the meantime.
	if id, ok := session.ID(u.SID(c, t)); ok && id != p.SessionID {
		who, _, err := u.present(c, t, p)
		if err != nil {
			return authorize.Result{}, err
		}
		if who != nil {
			p.SessionID = who.ID
		}
	}
	res, err := u.Authorize.Login(ctx, t, p, authorize.Authentication{
		Login: in.login, Turn: true, Address: address(c)})
	if err == nil && res.Pending != nil && res.Pending.Step == authorize.StepLogin {
		return u.Authorize.Refuse(ctx, t, p, errUnmet, address(c)) // asking again would not help
	}
	return res, err
}

// errUnmet: a password is not enough for what the client demands (OpenID Connect Core Error Code
// unmet_authentication_requirements 1.0).
var errUnmet = &oauth.Error{Code: "unmet_authentication_requirements", Description: "The required authentication cannot be performed"}

// repeat shows the sign-in page once more. Its status is 200: 401 would demand a WWW-Authenticate challenge (RFC 9110
// §15.5.2), which browsers answer with a dialogue of their own.
func (u *UI) repeat(c *gin.Context, t *tenant.Tenant, p *authorize.Pending, f form, e entry) error {
	if err := u.show(c, t, p, f.binding, e); err != nil {
		return err
	}
	return errShown
}

// goOn continues with the browser's session.
func (u *UI) goOn(ctx context.Context, c *gin.Context, t *tenant.Tenant, p *authorize.Pending, _ form) (authorize.Result, error) {
	who, sid, err := u.present(c, t, p)
	if err != nil {
		return authorize.Result{}, err
	}
	if p.Step != authorize.StepLogin || !u.suffices(t, p, who) {
		return authorize.Result{}, authorize.ErrConflict
	}
	return u.Authorize.Login(ctx, t, p, authorize.Authentication{SID: sid, Address: address(c)})
}

// allow grants what was asked, and remembers it.
func (u *UI) allow(ctx context.Context, c *gin.Context, t *tenant.Tenant, p *authorize.Pending, _ form) (authorize.Result, error) {
	consent := authorize.Consent{Scope: p.Request.Scope, Claims: []string{"*"}, LongLived: true,
		Offline: p.Request.Scope.Has(oauth.OfflineAccess), Address: address(c)}
	consent.RefreshToken.Issue = true
	return u.Authorize.Complete(ctx, t, p, consent)
}

// refuse ends the request as its user wishes.
func (u *UI) refuse(ctx context.Context, c *gin.Context, t *tenant.Tenant, p *authorize.Pending, _ form) (authorize.Result, error) {
	return u.Authorize.Refuse(ctx, t, p, oauth.AccessDenied("The user denied the request"), address(c))
}

// address is where the browser is, for the record; empty where it is not known.
func address(c *gin.Context) string {
	if a := wire.AddressOf(c); a != (netip.Addr{}) {
		return a.String()
	}
	return ""
}
