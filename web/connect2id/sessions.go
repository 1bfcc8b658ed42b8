package connect2id

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// webContext is the context of browsers' sessions, which has no name in the flows.
const webContext = "web"

// contextOf is the context that a caller names.
func contextOf(ctx string) string {
	if ctx == webContext {
		return session.Browser
	}
	return ctx
}

// contextNamed is the other way.
func contextNamed(ctx string) string { return cmp.Or(ctx, webContext) }

// maxSessions is how many of a subject's sessions are looked at.
const maxSessions = 1000

// newSession begins a session.
type newSession struct {
	login
	Ctx string `json:"ctx"`
}

// mountSessions registers the calls by which the tenant's backend looks after the sessions of its subjects.
func (d *Door) mountSessions(r *wire.Router) {
	at := func(method, path string, h func(*Door, *call) error) {
		r.API(method, "/session-store/rest/v2"+path, tenant.SessionAPI, func(c *gin.Context, t *tenant.Tenant) {
			wire.EventOf(c).Flow("session")
			if err := h(d, &call{Context: c, tenant: t, version: versions[len(versions)-1]}); err != nil {
				if errors.Is(err, session.ErrNotFound) {
					err = &wire.Status{Err: errNoSession.Because(err), HTTP: http.StatusNotFound}
				}
				wire.Error(c, err)
			}
		})
	}
	at(http.MethodPost, "/sessions", (*Door).beginSession)
	at(http.MethodGet, "/sessions", (*Door).sessions)
	at(http.MethodDelete, "/sessions", (*Door).endSession)
	at(http.MethodGet, "/sessions/count", (*Door).countSessions)
	at(http.MethodPut, "/sessions/subject-auth", (*Door).putAuth)
	at(http.MethodPut, "/sessions/subject-auth-life", (*Door).putAuthLife)
	at(http.MethodGet, "/sessions/data", (*Door).sessionData)
	at(http.MethodPut, "/sessions/data", (*Door).putSessionData)
	at(http.MethodDelete, "/sessions/data", (*Door).dropSessionData)
	at(http.MethodGet, "/sessions/claims", (*Door).sessionClaims)
	at(http.MethodPut, "/sessions/claims", (*Door).putSessionClaims)
	at(http.MethodDelete, "/sessions/claims", (*Door).dropSessionClaims)
	at(http.MethodGet, "/subjects", (*Door).subjects)
	at(http.MethodGet, "/subjects/count", (*Door).countSubjects)
	at(http.MethodPost, "/purge", (*Door).purge)
}

var (
	errNoSession   = &oauth.Error{Code: "session_not_found", Description: "The subject session is unknown or over"}
	errNoSID       = oauth.InvalidRequest("The header SID is missing")
	errContext     = oauth.InvalidRequest("ctx is for the sessions of a subject")
	errAllContexts = oauth.InvalidRequest("A subject's sessions end in all contexts: ctx cannot be given")
	errWhich       = oauth.InvalidRequest("Either the header SID or subject must be given")
)

// by is who calls, for the record.
func (c *call) by() session.By {
	return session.By{Actor: wire.TokenOf(c.Context).ID, Address: c.address()}
}

// named returns the session, of any context, that the header SID opens, or session.ErrNotFound.
func (d *Door) named(c *call) (*session.Session, error) {
	sid := c.GetHeader("SID")
	if sid == "" {
		return nil, errNoSID
	}
	return d.Authorize.Sessions.Find(c.Request.Context(), c.tenant, sid)
}

// which reads whether a call is about the session of the header SID, or about those of a subject.
func which(c *call) (w whose, err error) {
	q, err := wire.Query(c.Context)
	if err != nil {
		return w, err
	}
	w.subject, w.ctx = q.Get("subject"), q.Get("ctx")
	switch {
	case (w.subject == "") == (c.GetHeader("SID") == ""):
		return w, errWhich
	case w.ctx != "" && w.subject == "":
		return w, errContext
	}
	if err := session.CheckContext(w.ctx); err != nil {
		return w, err
	}
	switch q.Get("skip_last_used_update") {
	case "", "false":
	case "true":
		w.skipUse = true
	default:
		return w, oauth.InvalidRequest("skip_last_used_update must be true or false")
	}
	return w, nil
}

// whose is what a call is about.
type whose struct {
	subject string // empty: the session of the header SID
	ctx     string // the context of its sessions; empty: any
	skipUse bool
}

// beginSession begins a session for a subject that the caller has authenticated.
func (d *Door) beginSession(c *call) error {
	var in newSession
	if err := wire.ReadJSON(c.Context, maxBody, &in); err != nil {
		return err
	}
	l, err := in.login.login("")
	if err != nil {
		return err
	}
	l.Context = contextOf(in.Ctx)
	by := c.by()
	sid, err := d.Authorize.SignIn(c.Request.Context(), c.tenant, "", authorize.Authentication{Login: l, Actor: by.Actor, Address: by.Address})
	if err != nil {
		return err
	}
	c.Header("SID", sid)
	wire.NoStore(c.Context)
	c.Status(http.StatusCreated)
	c.Writer.WriteHeaderNow()
	return nil
}

// sessions shows the session of the header SID, which counts as its use, or those of a subject by their SIDs.
func (d *Door) sessions(c *call) error {
	ctx, s := c.Request.Context(), d.Authorize.Sessions
	w, err := which(c)
	if err != nil {
		return err
	}
	if w.subject != "" {
		open, _, err := s.List(ctx, c.tenant, w.subject, "", maxSessions)
		if err != nil {
			return err
		}
		out := make(map[string]*subSession, len(open))
		for i := range open {
			if w.ctx != "" && contextOf(w.ctx) != open[i].Context {
				continue
			}
			out[s.Handle(c.tenant, &open[i])] = c.subSession(&open[i], "")
		}
		wire.JSON(c.Context, http.StatusOK, out)
		return nil
	}
	n, err := d.named(c)
	if err == nil && !w.skipUse {
		err = d.Authorize.Used(ctx, c.tenant, n)
	}
	if err != nil {
		return err
	}
	wire.JSON(c.Context, http.StatusOK, c.subSession(n, ""))
	return nil
}

// endSession ends the session of the header SID, or all of a subject.
func (d *Door) endSession(c *call) error {
	ctx, s := c.Request.Context(), d.Authorize.Sessions
	w, err := which(c)
	switch {
	case err != nil:
		return err
	case w.ctx != "":
		return errAllContexts
	case w.subject != "":
		err = s.CloseAll(ctx, c.tenant, w.subject, "", c.by())
	default:
		var n *session.Session
		if n, err = d.named(c); err == nil {
			err = s.EndBy(ctx, c.tenant, n, c.by())
		}
	}
	if err != nil {
		return err
	}
	wire.NoContent(c.Context)
	return nil
}

// amend reads what a call changes of the session of the header SID, and has it changed.
func (d *Door) amend(c *call, in any, change func(*session.Session) error) error {
	n, err := d.named(c)
	if err == nil {
		err = wire.ReadStrictJSON(c.Context, maxBody, in)
	}
	if err == nil {
		err = change(n)
	}
	if err != nil {
		return err
	}
	wire.NoContent(c.Context)
	return nil
}

// putAuthLife sets for how many minutes its authentication counts.
func (d *Door) putAuthLife(c *call) error {
	var in struct {
		AuthLife *int64 `json:"auth_life"`
	}
	return d.amend(c, &in, func(n *session.Session) error {
		if in.AuthLife == nil {
			return oauth.InvalidRequest("auth_life is missing")
		}
		return d.Authorize.SetAuthLife(c.Request.Context(), c.tenant, n, *in.AuthLife, c.by())
	})
}

// sessionData shows what login UIs keep with it.
func (d *Door) sessionData(c *call) error {
	n, err := d.named(c)
	if err != nil {
		return err
	}
	raw(c, n.Data)
	return nil
}

// putSessionData replaces that.
func (d *Door) putSessionData(c *call) error {
	var in json.RawMessage
	return d.amend(c, &in, func(n *session.Session) error {
		if len(in) == 0 {
			return oauth.InvalidRequest("data must be an object")
		}
		if err := object("data", in); err != nil {
			return err
		}
		return d.Authorize.SetData(c.Request.Context(), c.tenant, n, in)
	})
}

// putSessionClaims replaces the claims of its ID tokens.
func (d *Door) putSessionClaims(c *call) error {
	var in json.RawMessage
	return d.amend(c, &in, func(n *session.Session) error {
		if len(in) == 0 {
			return oauth.InvalidRequest("claims must be an object")
		}
		if err := object("claims", in); err != nil {
			return err
		}
		return d.Authorize.SetClaims(c.Request.Context(), c.tenant, n, in, c.by())
	})
}
