package request

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// requestURI is how the request_uri of a pushed request begins (RFC 9126 §2.2).
const requestURI = "urn:ietf:params:oauth:request_uri:"

// ErrRequestURI is the one answer to a request_uri that is unknown, has expired, is another client's, or was used up by an
// authorization (OIDC Core §3.1.2.6).
var ErrRequestURI = oauth.InvalidRequestURI("request_uri is unknown, expired or already used")

// Limiter counts calls.
type Limiter interface {
	// Allow counts one call under the limit of that name, by each key. Where a limit is reached it says for how long.
	Allow(ctx context.Context, t tenant.ID, what string, keys ...string) (retryAfter time.Duration, ok bool)
}

// limited is the name of the limit on pushed requests: source, and client where it has authenticated. Nobody who only
// names a public client uses up what is the client's.
const limited = "push"

// credentials are the parameters of client authentication, which are no part of the authorization request (RFC 9126 §2.1).
var credentials = []string{"client_secret", "client_assertion", "client_assertion_type"}

// Receipt is the answer to a pushed request (RFC 9126 §2.2).
type Receipt struct {
	RequestURI string
	ExpiresIn  time.Duration
}

// Push validates the authorization request of a client that is known to be calling, from address, and keeps it under a
// request_uri (RFC 9126 §2). Its code is bound to the DPoP key that the client proved with it, which a dpop_jkt beside the
// proof must name too (RFC 9449 §10.1). Calls without an address come from one who acts for the tenant, and are not limited.
// The error is an *oauth.Error of an authorization request, invalid_dpop_proof, or slow_down with a Wait.
func (s *Service) Push(ctx context.Context, t *tenant.Tenant, client *tenant.Client, params url.Values, proved oauth.Confirmation, address string) (Receipt, error) {
	if s.Limit != nil && address != "" {
		keys := []string{address}
		if !client.Public() {
			keys = append(keys, client.ID)
		}
		if wait, ok := s.Limit.Allow(ctx, t.ID, limited, keys...); !ok {
			return Receipt{}, oauth.SlowDown("Too many requests").Because(oauth.Wait(wait))
		}
	}
	params = maps.Clone(params)
	for _, name := range credentials {
		delete(params, name)
	}
	switch id := params["client_id"]; {
	case len(id) == 0 || len(id) == 1 && id[0] == "":
		params.Set("client_id", client.ID)
	case id[0] != client.ID:
		return Receipt{}, oauth.InvalidRequest("client_id is not that of the client that is calling")
	}
	switch jkt := params.Get("dpop_jkt"); {
	case proved.JKT == "":
	case jkt != "" && jkt != proved.JKT:
		return Receipt{}, oauth.InvalidDPoPProof("dpop_jkt is not the key of the DPoP proof")
	default:
		params.Set("dpop_jkt", proved.JKT)
	}
	d, err := s.validate(ctx, t, Pushed, params, Filling{Later: true})
	if err == nil {
		err = s.Spend(ctx, t, &d.Request)
	}
	if err != nil {
		return Receipt{}, err
	}
	b := make([]byte, 32)
	_, _ = io.ReadFull(s.Rand, b)
	out := Receipt{requestURI + base64.RawURLEncoding.EncodeToString(b), t.Settings.PushedLifetime()}
	p := PushedRequest{Hash: hashURI(out.RequestURI), ClientID: client.ID, Params: d.params, EndsAt: s.Now().Add(out.ExpiresIn)}
	if err := s.Store.Push(ctx, t.ID, p); err != nil {
		return Receipt{}, err
	}
	return out, nil
}

func hashURI(uri string) []byte {
	h := sha256.Sum256([]byte(uri))
	return h[:]
}

// refersToPushed reports whether the request is one that was pushed.
func (d *draft) refersToPushed() bool { return strings.HasPrefix(d.get("request_uri"), requestURI) }

// recall puts the parameters that were pushed in the place of those that were sent, of which only client_id and
// request_uri count (RFC 9126 §4, RFC 9101 §5).
func (d *draft) recall() error {
	switch {
	case len(d.params["request_uri"]) > 1:
		return oauth.InvalidRequest("request_uri is repeated")
	case d.get("request") != "":
		return oauth.InvalidRequest("request and request_uri must not be used together")
	}
	if err := d.findClient(); err != nil {
		return err
	}
	p, err := d.service.Store.Pushed(d.ctx, d.tenant.ID, d.service.Now(), hashURI(d.get("request_uri")))
	if errors.Is(err, ErrNotFound) || err == nil && p.ClientID != d.client.ID {
		return ErrRequestURI.Because(err)
	}
	if err != nil {
		return err
	}
	d.params, d.Pushed = p.Params, p.Hash
	return nil
}

// noReference refuses a request_uri inside a pushed request (RFC 9126 §2.1).
func (d *draft) noReference() error {
	if d.get("request_uri") != "" {
		return oauth.InvalidRequest("request_uri must not be in a pushed request")
	}
	return nil
}

// mustPush demands a pushed request where client or tenant does (RFC 9126 §5, §6).
func (d *draft) mustPush() error {
	if d.Pushed == nil && (d.client.RequirePAR || d.tenant.Settings.PAR.Required) {
		return oauth.InvalidRequest("the request must be pushed first")
	}
	return nil
}
