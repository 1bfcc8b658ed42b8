package console

import (
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/session"
)

// shownSession is a subject's session as an administrator sees it. Its id opens nothing.
type shownSession struct {
	ID         string     `json:"id"`
	Subject    string     `json:"sub"`
	ACR        string     `json:"acr,omitempty"`
	AMR        []string   `json:"amr,omitempty"`
	Clients    []string   `json:"clients" doc:"That got tokens in it"`
	AuthTime   time.Time  `json:"auth_time"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt time.Time  `json:"last_used_at"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty" doc:"Where it is not used again; left out where it never ends"`
}

func shownSessionOf(n *session.Session) shownSession {
	s := shownSession{ID: n.ID, Subject: n.Subject, ACR: n.ACR, AMR: n.AMR, Clients: n.Clients, AuthTime: n.AuthTime, CreatedAt: n.CreatedAt, LastUsedAt: n.UsedAt}
	if s.Clients == nil {
		s.Clients = []string{}
	}
	if at := n.ExpiresAt(); !at.IsZero() {
		s.ExpiresAt = &at
	}
	return s
}

// sessionList is a page of sessions. A page may have fewer than asked for, or none, and yet not be the last.
type sessionList struct {
	Sessions []shownSession `json:"sessions"`
	Next     string         `json:"next_cursor,omitempty"`
}

func (d *Door) listSessions(q *call) (*sessionList, error) {
	n, after, err := pageOf(q, "sessions")
	if err != nil {
		return nil, err
	}
	ss, next, err := d.Console.Sessions(q.Request.Context(), q.id, q.query.Get("sub"), after, n)
	if err != nil {
		return nil, err
	}
	page := &sessionList{Sessions: []shownSession{}}
	for i := range ss {
		page.Sessions = append(page.Sessions, shownSessionOf(&ss[i]))
	}
	if next != "" {
		page.Next = cursor(q.home, "sessions", next)
	}
	return page, nil
}

// pageOf returns how many entries are asked for, and what the list of that name goes on after.
func pageOf(q *call, list string) (n int, after string, err error) {
	if n, err = limitOf(q.query); err == nil {
		after, err = afterOf(q.home, list, q.query)
	}
	return n, after, err
}

func (d *Door) readSession(q *call) (shownSession, error) {
	n, err := d.Console.Session(q.Request.Context(), q.id, q.Param("session"))
	if err != nil {
		return shownSession{}, err
	}
	return shownSessionOf(n), nil
}

func (d *Door) endSession(q *call) (none, error) {
	return none{}, d.Console.EndSession(q.Request.Context(), q.id, q.Param("session"), q.by)
}

func (d *Door) endSessions(q *call) (none, error) {
	return none{}, d.Console.EndSessions(q.Request.Context(), q.id, q.query.Get("sub"), q.by)
}

// shownGrant is a grant as an administrator sees it.
type shownGrant struct {
	ID        string     `json:"id"`
	Subject   string     `json:"sub"`
	Actor     string     `json:"act,omitempty" doc:"Who acted as the subject"`
	ClientID  string     `json:"client_id"`
	SessionID string     `json:"session_id,omitempty"`
	Scope     string     `json:"scope,omitempty"`
	Audience  []string   `json:"audience,omitempty"`
	Offline   bool       `json:"offline" doc:"It outlives its session"`
	Refreshed *time.Time `json:"last_refreshed_at,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
}

func shownGrantOf(g *grant.Grant) shownGrant {
	s := shownGrant{ID: g.ID, Subject: g.Subject, Actor: g.Actor, ClientID: g.ClientID, SessionID: g.SessionID, Scope: g.Terms.Scope.String(),
		Audience: g.Terms.Audience, Offline: g.Outlives(), CreatedAt: g.CreatedAt, ExpiresAt: g.ExpiresAt}
	if g.Refresh != nil {
		s.Refreshed = &g.Refresh.UsedAt
	}
	return s
}

// grantList is a page of grants.
type grantList struct {
	Grants []shownGrant `json:"grants"`
	Next   string       `json:"next_cursor,omitempty"`
}

func (d *Door) listGrants(q *call) (*grantList, error) {
	n, after, err := pageOf(q, "grants")
	if err != nil {
		return nil, err
	}
	gs, next, err := d.Console.Grants(q.Request.Context(), q.id, q.query.Get("sub"), q.query.Get("client_id"), after, n)
	if err != nil {
		return nil, err
	}
	page := &grantList{Grants: []shownGrant{}}
	for i := range gs {
		page.Grants = append(page.Grants, shownGrantOf(&gs[i]))
	}
	if next != "" {
		page.Next = cursor(q.home, "grants", next)
	}
	return page, nil
}

func (d *Door) revokeGrant(q *call) (none, error) {
	return none{}, d.Console.RevokeGrant(q.Request.Context(), q.id, q.Param("grant"), q.by)
}

func (d *Door) withdrawGrants(q *call) (none, error) {
	return none{}, d.Console.Withdraw(q.Request.Context(), q.id, q.query.Get("sub"), q.query.Get("client_id"), q.by)
}
