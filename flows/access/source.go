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
	"github.com/chancery-id/chancery/flows/oauth"
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
	verified := slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, tenant.Verified) })
	if asked := map[grant.Place]json.RawMessage{grant.InUserInfo: g.Terms.Verified.UserInfo, grant.InIDToken: g.Terms.Verified.IDToken}[q.Place]; verified && asked != nil {
		facts[oauth.VerifiedClaims] = asked
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
	of := claims[oauth.VerifiedClaims]
	maps.DeleteFunc(claims, func(claim string, _ json.RawMessage) bool { return !answers(claim, names) })
	if verified && of != nil && string(of) != "null" {
		told, err := verifiedClaims(of, names)
		if err != nil {
			return nil, o.Fault(err)
		}
		if told != nil {
			claims[oauth.VerifiedClaims] = told
		}
	}
	return claims, nil
}

// errHookVerified: neither an object with verification and claims, nor an array of such.
var errHookVerified = errors.New("access: the hook tells verified claims without verification, or in another form")

// verifiedClaims is what is left of raw, verified_claims as a source tells them, in answer to names: verification and those of the
// claims that were asked. nil: nothing.
func verifiedClaims(raw json.RawMessage, names []string) (json.RawMessage, error) {
	var asked []string
	for _, name := range names {
		if name, ok := strings.CutPrefix(name, tenant.Verified); ok {
			asked = append(asked, name)
		}
	}
	var elements []json.RawMessage
	many := json.Unmarshal(raw, &elements) == nil
	if !many {
		elements = []json.RawMessage{raw}
	}
	type verified struct {
		Verification json.RawMessage            `json:"verification"`
		Claims       map[string]json.RawMessage `json:"claims"`
	}
	var out []verified
	for _, e := range elements {
		members, err := oauth.Object(e)
		if err != nil {
			return nil, errHookVerified
		}
		_, notVerified := oauth.Object(members["verification"])
		claims, err := oauth.Object(members["claims"])
		if notVerified != nil || err != nil {
			return nil, errHookVerified
		}
		maps.DeleteFunc(claims, func(claim string, _ json.RawMessage) bool { return !answers(claim, asked) })
		if len(claims) > 0 {
			out = append(out, verified{members["verification"], claims})
		}
	}
	switch {
	case len(out) == 0:
		return nil, nil
	case many:
		return json.Marshal(out)
	}
	return json.Marshal(out[0])
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
