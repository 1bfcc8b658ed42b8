package connect2id

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/web/wire"
)

// raw answers with an object as it was kept; nil: an empty one.
func raw(c *call, object json.RawMessage) {
	if object == nil {
		object = json.RawMessage("{}")
	}
	wire.Raw(c.Context, http.StatusOK, "application/json", object)
}

// count answers with how many sessions are open, and how many subjects have them: one number of the two.
func (d *Door) count(c *call, which func(sessions, subjects int64) int64) error {
	q, err := wire.Query(c.Context)
	if err != nil {
		return err
	}
	sessions, subjects, err := d.Authorize.Sessions.Count(c.Request.Context(), c.tenant, q.Get("subject"))
	if err != nil {
		return err
	}
	wire.JSON(c.Context, http.StatusOK, which(sessions, subjects))
	return nil
}

// countSessions tells how many sessions are open: a subject's, or all.
func (d *Door) countSessions(c *call) error {
	return d.count(c, func(sessions, _ int64) int64 { return sessions })
}

// countSubjects tells how many subjects have open sessions.
func (d *Door) countSubjects(c *call) error {
	return d.count(c, func(_, subjects int64) int64 { return subjects })
}

// subjects lists the subjects that have open sessions, in their order, after the one that the query names.
func (d *Door) subjects(c *call) error {
	q, err := wire.Query(c.Context)
	if err != nil {
		return err
	}
	out, err := d.Authorize.Sessions.Online(c.Request.Context(), c.tenant, q.Get("after"), maxSessions)
	if err != nil {
		return err
	}
	wire.JSON(c.Context, http.StatusOK, list(out))
	return nil
}

// putAuth records that the subject of the session authenticated anew.
func (d *Door) putAuth(c *call) error {
	var in struct {
		AuthTime *int64   `json:"auth_time"`
		ACR      string   `json:"acr"`
		AMR      []string `json:"amr"`
	}
	return d.amend(c, &in, func(n *session.Session) error {
		at, err := instant("auth_time", in.AuthTime)
		if err != nil {
			return err
		}
		return d.Authorize.Reauthenticated(c.Request.Context(), c.tenant, n, session.Login{AuthTime: at, ACR: in.ACR, AMR: in.AMR}, c.by())
	})
}

// dropSessionData forgets what login UIs keep with the session.
func (d *Door) dropSessionData(c *call) error {
	return d.drop(c, func(n *session.Session, none json.RawMessage) error {
		return d.Authorize.SetData(c.Request.Context(), c.tenant, n, none)
	})
}

// sessionClaims shows the claims of its ID tokens.
func (d *Door) sessionClaims(c *call) error {
	n, err := d.named(c)
	if err != nil {
		return err
	}
	raw(c, n.Claims)
	return nil
}

// dropSessionClaims forgets them.
func (d *Door) dropSessionClaims(c *call) error {
	return d.drop(c, func(n *session.Session, none json.RawMessage) error {
		return d.Authorize.SetClaims(c.Request.Context(), c.tenant, n, none, c.by())
	})
}

// drop sets an object of the session of the header SID to an empty one.
func (d *Door) drop(c *call, set func(*session.Session, json.RawMessage) error) error {
	n, err := d.named(c)
	if err == nil {
		err = set(n, json.RawMessage("{}"))
	}
	if err != nil {
		return err
	}
	wire.NoContent(c.Context)
	return nil
}

// purges are what can be purged. Indexes are the database's, which keeps them by itself, and the call always waits.
var purges = []string{"sessions", "index", "orphaned_index_keys", "async"}

// purge removes what is over now.
func (d *Door) purge(c *call) error {
	sessions := true
	if c.Request.ContentLength != 0 {
		f, err := wire.Form(c.Context, maxBody)
		if err != nil {
			return err
		}
		for name := range f {
			v := f.Get(name)
			switch {
			case !slices.Contains(purges, name):
				return oauth.InvalidRequest("A parameter is none of sessions, index, orphaned_index_keys and async")
			case v != "true" && v != "false":
				return oauth.InvalidRequest(name + " must be true or false")
			case name == "sessions":
				sessions = v == "true"
			}
		}
	}
	if sessions {
		if err := d.Authorize.Sessions.Purge(c.Request.Context(), c.tenant); err != nil {
			return err
		}
	}
	wire.NoContent(c.Context)
	return nil
}
