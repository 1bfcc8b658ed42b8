// Package logout ends a subject's session at the wish of a relying party (OpenID Connect RP-Initiated Logout 1.0).
package logout

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// Service answers requests to log out.
type Service struct {
	Issuer   *grant.Issuer
	Sessions *session.Service
}

// Request is a request to log out (RP-Initiated Logout §2); all members may be empty. Its logout_hint decides nothing: a
// browser has one session, and what anyone may write spares its user no question.
type Request struct {
	IDTokenHint           string
	LogoutHint            string
	ClientID              string
	PostLogoutRedirectURI string
	State                 string
	UILocales             string // BCP 47 tags, separated by spaces
	SID                   string // handle of the browser's session
}

// Prompt is where a request to log out stands. Nothing has been ended.
type Prompt struct {
	Client    *tenant.Client   // who asks; nil: nobody is named
	Session   *session.Session // what is to be ended; nil: nothing is open
	Confirm   bool             // its user must be asked first
	Hinted    bool             // an ID token of ours came along
	Hint      string           // logout_hint, for a UI that can make something of it
	UILocales []string         // by preference
	to        string
}

// To is where the browser goes afterwards, with state; empty: nowhere.
func (p *Prompt) To() string { return p.to }

// Why a request is refused. None of them is answered by a redirect (RP-Initiated Logout §4).
var (
	ErrHint     = oauth.InvalidRequest("id_token_hint is not an ID token of this issuer")
	errMismatch = oauth.InvalidRequest("client_id is not the client that the ID token was issued to")
	errClient   = oauth.InvalidRequest("The client is unknown or disabled")
	ErrURI      = oauth.InvalidRequest("post_logout_redirect_uri is not registered for the client")
)

// Begin validates r. The user must be asked unless the hint, an ID token of t that may be expired, or encrypted to t, was
// issued in this very session (RP-Initiated Logout §2): a subject alone is what the holder of any old token knows, or of a
// secret that ID tokens are signed with. What is wrong with r is invalid_request.
//
// The post_logout_redirect_uri counts once the hint or client_id says whose it is (§3). Without a session there is nobody
// to ask, and then a client that registered itself is not followed: who wants to lead browsers astray could be one.
func (s *Service) Begin(ctx context.Context, t *tenant.Tenant, r Request) (Prompt, error) {
	p := Prompt{UILocales: strings.Fields(r.UILocales), Hinted: r.IDTokenHint != "", Hint: r.LogoutHint}
	hint, clientID, err := s.hinted(ctx, t, r)
	if err != nil {
		return Prompt{}, err
	}
	if clientID != "" {
		if p.Client, err = client(ctx, t, clientID); err != nil {
			return Prompt{}, err
		}
	}
	if p.Client != nil && r.PostLogoutRedirectURI != "" {
		if !slices.Contains(p.Client.PostLogoutRedirectURIs, r.PostLogoutRedirectURI) {
			return Prompt{}, ErrURI
		}
		p.to = withState(r.PostLogoutRedirectURI, r.State)
	}
	p.Session, err = s.Sessions.Current(ctx, t, r.SID)
	switch {
	case errors.Is(err, session.ErrNotFound):
		if p.Client != nil && p.Client.SelfRegistered {
			p.to = ""
		}
	case err != nil:
		return Prompt{}, err
	default:
		p.Confirm = !p.Hinted || !hint.Of(t, p.Session.ID)
	}
	return p, nil
}

// hinted returns what the hint says, if there is one, and the client that asks.
func (s *Service) hinted(ctx context.Context, t *tenant.Tenant, r Request) (h grant.Hint, clientID string, err error) {
	if r.IDTokenHint == "" {
		return h, r.ClientID, nil
	}
	h, err = s.Issuer.ParseIDTokenHint(ctx, t, r.IDTokenHint)
	switch {
	case err != nil:
		return h, "", ErrHint.Because(err)
	case r.ClientID == "" && len(h.ClientIDs) == 1:
		return h, h.ClientIDs[0], nil
	case !slices.Contains(h.ClientIDs, r.ClientID):
		return h, "", errMismatch
	}
	return h, r.ClientID, nil
}

func client(ctx context.Context, t *tenant.Tenant, id string) (*tenant.Client, error) {
	c, err := t.Clients.Client(ctx, id)
	switch {
	case errors.Is(err, tenant.ErrNoClient):
		return nil, errClient.Because(err)
	case err != nil:
		return nil, err
	case c.Disabled:
		return nil, errClient
	}
	return c, nil
}

// withState adds state to the query of a registered URI, which has no fragment.
func withState(uri, state string) string {
	if state == "" {
		return uri
	}
	sep := "?"
	if strings.Contains(uri, "?") {
		sep = "&"
	}
	return uri + sep + "state=" + url.QueryEscape(state)
}

// Ended is what is left to do once a session has ended.
type Ended struct {
	To     string   // where the browser goes; empty: nowhere
	Frames []string // URLs to be loaded by the browser first, each in a frame of its own (Front-Channel Logout §3)
}

// End ends the session of p, revokes what hangs on it, and has its relying parties told. The address is the browser's, for
// the record. Where p.Confirm is set its user must have agreed.
func (s *Service) End(ctx context.Context, t *tenant.Tenant, p Prompt, address string) (Ended, error) {
	out := Ended{To: p.to}
	if p.Session == nil {
		return out, nil
	}
	if err := s.Sessions.End(ctx, t, p.Session, address); err != nil {
		return Ended{}, err
	}
	out.Frames = s.frames(ctx, t, p.Session)
	return out, nil
}
