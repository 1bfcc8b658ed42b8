package login

import (
	"errors"
	"html/template"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// requestsPath is where subjects see the backchannel authentications that wait for them, and answer.
const requestsPath = "/account/requests"

// aboutRequests is what the forms of that page are about.
const aboutRequests = "requests"

// waiting is the content of the page of what waits for a subject.
type waiting struct {
	Who      person
	Requests []waitingRequest
}

// waitingRequest is one of them.
type waitingRequest struct {
	consent
	ID      string
	Message string        // that the client shows as well; empty: none
	Asked   template.HTML // when
}

var errNoRequests = oauth.NotFound("No requests are answered here")

// look is how often the page looks again while nothing waits, in seconds.
const look = "10"

// askRequests shows what waits for whoever is signed in, or asks to sign in.
func (u *UI) askRequests(c *gin.Context, t *tenant.Tenant) {
	if !t.Settings.ApprovalsOn() {
		u.Error(c, t, http.StatusNotFound, errNoRequests)
		return
	}
	if err := u.showRequests(c, t, u.Binding(c, t), entry{switching: c.Query("switch") != ""}); err != nil {
		u.fail(c, t, err)
	}
}

// showRequests writes the page for the browser as it stands.
func (u *UI) showRequests(c *gin.Context, t *tenant.Tenant, binding string, e entry) error {
	ctx := c.Request.Context()
	facts, err := u.Authorize.Current(ctx, t, u.SID(c, t), nil)
	if err != nil {
		return err
	}
	pg := u.page(c, t, nil)
	pg.CSRF = csrf(t, binding, aboutRequests, 0)
	if e.asks() || facts.Session == nil || !facts.Session.Fresh(u.Now()) {
		return u.askOwn(c, t, pg, nil, facts.Session, e)
	}
	ps, err := u.CIBA.Waiting(ctx, t, facts.Session.Subject)
	if err != nil {
		return err
	}
	in := waiting{}
	if in.Who, err = u.person(c, t, facts.Session.Subject); err != nil {
		return err
	}
	for i := range ps {
		p := &ps[i]
		asked := authorize.Ask(t.Settings, p.Request, nil)
		r := waitingRequest{ID: p.ID, Message: shown(p.Request.Backchannel.BindingMessage, ""), Asked: pg.ago(p.CreatedAt, u.Now())}
		r.consent = pg.consentTo(t, p.Client, p.Request, asked)
		in.Requests = append(in.Requests, r)
	}
	if len(in.Requests) == 0 {
		c.Header("Refresh", look)
	}
	pg.Title = pg.Plain("requests.title")
	pg.Body = in
	render(c, http.StatusOK, "requests", pg, "form-action 'self'")
	return nil
}

// answerRequest takes what a subject answered to a request, or its sign-in.
func (u *UI) answerRequest(c *gin.Context, t *tenant.Tenant) {
	f, ok := u.form(c, t, aboutRequests)
	if !ok {
		return
	}
	if !t.Settings.ApprovalsOn() {
		u.Error(c, t, http.StatusNotFound, errNoRequests)
		return
	}
	here := base(t) + requestsPath
	var err error
	switch f.Get("action") {
	case "login", "code":
		var e entry
		if e, err = u.enter(c, t, f, aboutRequests); err == nil && e.problem == "" && e.proof == "" {
			redirect(c, here)
			return
		}
		if err == nil {
			err = u.showRequests(c, t, f.binding, e)
		}
	case "allow":
		err = u.settleRequest(c, t, f, decoupled.Authorized)
	case "deny":
		err = u.settleRequest(c, t, f, decoupled.AccessDenied)
	default:
		u.Error(c, t, http.StatusBadRequest, errAction)
	}
	switch {
	case errors.Is(err, decoupled.ErrNotFound), errors.Is(err, decoupled.ErrConflict):
		u.notice(c, t, http.StatusNotFound, "requestgone", errGone.Because(err))
	case errors.Is(err, decoupled.ErrDisabled):
		u.Error(c, t, http.StatusForbidden, oauth.AccessDenied("The account is disabled").Because(err))
	case err != nil:
		u.fail(c, t, err)
	}
}

// settleRequest records the answer of whoever is signed in to a request that waits for it. Another's is as good as none. It
// asks to sign in first where an authorization request would.
func (u *UI) settleRequest(c *gin.Context, t *tenant.Tenant, f form, how decoupled.Result) error {
	ctx := c.Request.Context()
	p, err := u.CIBA.Flow().Find(ctx, t, f.Get("request"))
	if err != nil {
		return err
	}
	wire.EventOf(c).Client(p.Client.ID)
	facts, err := u.Authorize.Current(ctx, t, u.SID(c, t), p.Client)
	if err != nil {
		return err
	}
	who := facts.Session
	if who == nil {
		return u.showRequests(c, t, f.binding, entry{again: true})
	}
	if p.State != decoupled.Waiting || p.Subject == "" || p.Subject != who.Subject {
		return decoupled.ErrNotFound
	}
	facts.Chosen, facts.Began, facts.Answered = true, p.CreatedAt, !who.AuthTime.Before(p.CreatedAt)
	done := decoupled.Completion{Result: how, Address: address(c)}
	key := "requestdenied"
	if how == decoupled.Authorized {
		if d := authorize.Decide(u.Now(), t.Settings, p.Request, facts); d.Outcome == authorize.NeedLogin {
			return u.showRequests(c, t, f.binding, entry{again: true})
		}
		done.Subject, done.AuthTime, done.ACR, done.AMR = who.Subject, who.AuthTime, who.ACR, who.AMR
		key = "requestallowed"
	}
	if err := u.CIBA.Flow().Complete(ctx, t, p, done); err != nil {
		return err
	}
	u.told(c, t, key)
	return nil
}
