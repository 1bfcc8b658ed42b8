package access

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// Sources asks the hooks of a tenant that own claims. It is a grant.Sources.
type Sources struct {
	Now      func() time.Time
	Hooks    Hooks
	Sessions *session.Service
}

// Ask implements grant.Sources. Several sources are asked at once.
func (s *Sources) Ask(ctx context.Context, t *tenant.Tenant, q grant.Inquiry) (map[string]json.RawMessage, error) {
	owners := t.Settings.Owners(q.Names)
	hooks := slices.Sorted(maps.Keys(owners))
	told, errs := make([]map[string]json.RawMessage, len(hooks)), make([]error, len(hooks))
	var all sync.WaitGroup
	for i, name := range hooks {
		all.Go(func() { told[i], errs[i] = s.ask(ctx, t, name, owners[name], &q) })
	}
	all.Wait()
	claims := map[string]json.RawMessage{}
	for i := range hooks {
		if errs[i] != nil {
			return nil, errs[i]
		}
		maps.Copy(claims, told[i])
	}
	return claims, nil
}

// ask puts the question for these names to one hook.
func (s *Sources) ask(ctx context.Context, t *tenant.Tenant, name string, names []string, q *grant.Inquiry) (map[string]json.RawMessage, error) {
	h, g := t.Settings.Hook(name), q.Grant
	facts := map[string]any{"iss": t.Issuer, "sub": g.Subject, "claims": names, "claims_transport": q.Place, "scope": q.Scope}
	if len(g.Terms.ClaimsLocales) > 0 {
		facts["claims_locales"] = g.Terms.ClaimsLocales
	}
	if g.Terms.ClaimsData != nil {
		facts["claims_data"] = g.Terms.ClaimsData
	}
	if act := g.Acting(); act != nil {
		facts["act"] = act
	}
	if h.Session && g.SessionID != "" {
		told, err := s.session(ctx, t, g.SessionID, h.SID)
		if err != nil {
			return nil, err
		}
		if told != nil {
			facts["sub_session"] = told
		}
	}
	o, err := s.Hooks.Run(ctx, t, script.Event{Hook: name, Client: q.Client, Facts: facts})
	if err != nil {
		return nil, err
	}
	claims, err := claimsOf(&o, h, g.Subject)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(claims, func(claim string, _ json.RawMessage) bool { return !answers(claim, names) })
	return claims, nil
}

// answers reports whether a claim is told in answer to names: it is one of them, or one of them in some language (OIDC Core
// §5.2).
func answers(claim string, names []string) bool {
	base, _, _ := strings.Cut(claim, "#")
	return slices.ContainsFunc(names, func(name string) bool {
		return strings.EqualFold(name, claim) && strings.HasPrefix(name, base) || name == base
	})
}

// subjectSession is a session as sources are told of it. Times are Unix seconds.
type subjectSession struct {
	SID       string          `json:"sid,omitempty"`
	Subject   string          `json:"sub"`
	AuthTime  int64           `json:"auth_time"`
	CreatedAt int64           `json:"creation_time"`
	ACR       string          `json:"acr,omitempty"`
	AMR       []string        `json:"amr,omitempty"`
	Claims    json.RawMessage `json:"claims,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
}

// session is what is told of the session of that id; nil: it is over.
func (s *Sources) session(ctx context.Context, t *tenant.Tenant, id string, sid bool) (*subjectSession, error) {
	n, err := s.Sessions.Store.Session(ctx, t.ID, id)
	if errors.Is(err, session.ErrNotFound) || err == nil && !n.Open(s.Now()) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	told := &subjectSession{Subject: n.Subject, AuthTime: n.AuthTime.Unix(), CreatedAt: n.CreatedAt.Unix(), ACR: n.ACR, AMR: n.AMR, Claims: n.Claims, Data: n.Data}
	if sid {
		told.SID = s.Sessions.Handle(t, n)
	}
	return told, nil
}
