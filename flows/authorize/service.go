package authorize

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// Service leads authorization requests from their beginning to their response.
type Service struct {
	Now      func() time.Time
	Rand     io.Reader
	Requests *request.Service
	Sessions *session.Service
	Issuer   *grant.Issuer
	Accounts grant.Accounts // of claims for ID tokens that are issued at once
	Store    Store
	Managed  grant.Managed // nil where nothing manages grants
}

// Start is an authorization request as it arrived.
type Start struct {
	Params  url.Values
	SID     string                         // handle of the browser's subject session; empty or worthless: none
	FPT     string                         // fingerprint of the user agent; a session that is bound to another ends. Empty: not known
	Binding string                         // the browser's secret, where our own pages lead the interaction; empty: a login UI does
	Data    json.RawMessage                // object that a login UI keeps with the interaction
	Address string                         // of the browser, for the record
	Carries func(responseMode string) bool // whether a response can be handed over in that mode; nil: in any

	RedirectParam string // fills in a redirect URI that is a template; empty: nothing does
}

// ErrMode: whoever hands the response over cannot do so in the mode that the request asks for.
var ErrMode = oauth.InvalidRequest("response_mode is none that the response can be handed over in")

// Pending is an interaction that waits for its subject, with all that whoever asks the subject must know.
type Pending struct {
	Handle  string // reaches the interaction
	Client  *tenant.Client
	Session *session.Session // current and open, or nil
	SID     string           // its handle
	Asked   Asked            // of a consent step
	Interaction
}

// Result is where an authorization request stands. Exactly one of Pending and Response is set.
type Result struct {
	Pending  *Pending
	Response *Response
	Issued   Issued // by the Response
	Client   *tenant.Client
	Subject  string           // of the session, if there is one
	Current  *session.Session // of a Response: that the browser has now, if any
	Session  *session.Session // when it is new, was authenticated anew or was switched to: the browser's cookie must be set to SID
	SID      string
	Why      string // the rule that decided, for logs
}

// Begin validates a request and decides on it. Where neither login nor consent is needed it completes at once. The error
// of a request that may not be answered by a redirect is an *oauth.Error; every other refusal is a Response.
func (s *Service) Begin(ctx context.Context, t *tenant.Tenant, in Start) (Result, error) {
	r, client, err := s.Requests.ValidateFilled(ctx, t, request.Authorize, in.Params, request.Filling{Param: in.RedirectParam})
	if err == nil {
		err = s.Requests.Spend(ctx, t, r)
	}
	if r != nil && in.Carries != nil && !in.Carries(modeOf(r.ResponseMode).carrier) {
		return Result{Client: client}, ErrMode
	}
	if err != nil {
		e := oauth.ErrorOf(err)
		if r == nil || e.Code == "server_error" || e.Code == "temporarily_unavailable" {
			return Result{Client: client}, err
		}
		resp, failed := s.respondError(ctx, t, client, r, e)
		if failed != nil {
			return Result{Client: client}, failed
		}
		res := Result{Client: client, Response: resp}
		if client.SelfRegistered {
			// Nobody vouches for a client that registered itself, so it gets no browser sent before its subject is known.
			facts, failed := s.current(ctx, t, in.SID, client)
			switch {
			case failed != nil:
				return Result{Client: client}, failed
			case facts.Session == nil:
				return Result{Client: client}, err
			}
			res.Subject, res.Current = facts.Session.Subject, facts.Session
		}
		return res, nil
	}
	now := s.Now()
	i := Interaction{Request: r, Data: in.Data, Binding: bind(in.Binding), CreatedAt: now, ExpiresAt: now.Add(t.Settings.InteractionLifetime())}
	facts, err := s.current(ctx, t, in.SID, client)
	if err != nil {
		return Result{}, err
	}
	if r.FPT = in.FPT; facts.Session != nil && bound(facts.Session, in.FPT) {
		if err := s.Sessions.End(ctx, t, facts.Session, in.Address); err != nil {
			return Result{}, err
		}
		facts = Facts{}
	}
	p := &Pending{Interaction: i, Client: client}
	if facts.Session != nil {
		p.Session, p.SID, p.SessionID = facts.Session, in.SID, facts.Session.ID
	}
	res, err := s.settle(ctx, t, p, facts, change{address: in.Address})
	return res, usedUp(r, err)
}

// usedUp is err of the beginning of r. Nothing is there to be missed yet, but the request that it was pushed as.
func usedUp(r *request.Request, err error) error {
	if r.Pushed != nil && errors.Is(err, ErrNotFound) {
		return request.ErrRequestURI.Because(err)
	}
	return err
}

// current returns what is known of the browser's session. A handle that opens nothing is as good as none.
func (s *Service) current(ctx context.Context, t *tenant.Tenant, sid string, client *tenant.Client) (Facts, error) {
	who, err := s.holder(ctx, t, sid, client)
	return Facts{Session: who.Session, Had: remembered(t, client, who.Authorization), Client: client}, err
}

// holder returns whose open session sid opens, or nobody: the subject of one may have been disabled.
func (s *Service) holder(ctx context.Context, t *tenant.Tenant, sid string, client *tenant.Client) (Subject, error) {
	id, ok := session.ID(sid)
	if !ok {
		return Subject{}, nil
	}
	who, err := s.Store.Subject(ctx, t.ID, id, client.ID)
	if err != nil {
		return Subject{}, err
	}
	if who.Session == nil || who.Disabled || !s.Sessions.Owns(t, sid, who.Session) || !who.Session.Open(s.Now()) {
		return Subject{}, nil
	}
	return who, nil
}

// remembered is had, unless the client registered itself or is our own: then its subject is asked each time.
func remembered(t *tenant.Tenant, client *tenant.Client, had *grant.Authorization) *grant.Authorization {
	if client.BuiltIn || client.SelfRegistered && !(client.Document && t.Settings.Documents.RememberConsent) {
		return nil
	}
	return had
}

// Load returns the interaction that handle reaches, and binding where it has one, or ErrNotFound: also once the redirect URI was
// taken from the client, as nothing may be sent there any more.
func (s *Service) Load(ctx context.Context, t *tenant.Tenant, handle, binding string) (*Pending, error) {
	i, err := s.Store.Load(ctx, t.ID, s.Now(), hashHandle(handle))
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(i.Binding, bind(binding)) != 1 {
		return nil, ErrNotFound
	}
	client, err := t.Clients.Client(ctx, i.Request.ClientID)
	if errors.Is(err, tenant.ErrNoClient) || err == nil && client.Disabled {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	if uri := i.Request.RedirectURI; uri != "" && !request.Redirects(client, uri) {
		return nil, ErrNotFound
	}
	return &Pending{Handle: handle, Interaction: *i, Client: client}, nil
}

// Resume fills in the session and what is asked, for showing a pending interaction again.
func (s *Service) Resume(ctx context.Context, t *tenant.Tenant, p *Pending) error {
	var had *grant.Authorization
	if p.SessionID != "" {
		who, err := s.Store.Subject(ctx, t.ID, p.SessionID, p.Client.ID)
		if err != nil {
			return err
		}
		if who.Session != nil && who.Session.Open(s.Now()) {
			p.Session, p.SID = who.Session, s.Sessions.Handle(t, who.Session)
		}
		had = remembered(t, p.Client, who.Authorization)
	}
	p.Asked = Ask(t.Settings, p.Request, had)
	return nil
}

// PutData replaces the data that a login UI keeps with the interaction, or ErrNotFound.
func (s *Service) PutData(ctx context.Context, t *tenant.Tenant, p *Pending, data json.RawMessage) error {
	return s.Store.PutData(ctx, t.ID, s.Now(), p.Hash, data)
}

// Refuse ends an interaction with an error response to the client, as its subject or a login UI wishes.
func (s *Service) Refuse(ctx context.Context, t *tenant.Tenant, p *Pending, e *oauth.Error, address string) (Result, error) {
	resp, err := s.respondError(ctx, t, p.Client, p.Request, e)
	if err != nil {
		return Result{}, err
	}
	now := s.Now()
	ev := audit.Event{At: now, Kind: audit.Denied, ClientID: p.Client.ID, Session: p.SessionID, Address: address, Detail: map[string]string{"error": e.Code}}
	if _, err := s.Store.Finish(ctx, t.ID, now, FinishEffect{Hash: p.Hash, Version: p.Version, Pushed: p.Request.Pushed, Events: []audit.Event{ev}}); err != nil {
		return Result{}, err
	}
	return Result{Client: p.Client, Current: p.Session, Response: resp}, nil
}

// newHandle makes the handle of an interaction: 256 random bits, base64url.
func (s *Service) newHandle() string {
	b := make([]byte, 32)
	_, _ = io.ReadFull(s.Rand, b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func hashHandle(handle string) []byte {
	h := sha256.Sum256([]byte(handle))
	return h[:]
}

// bind is how a browser's secret is stored; none is stored as nothing.
func bind(secret string) []byte {
	if secret == "" {
		return []byte{}
	}
	return hashHandle(secret)
}
