// Package sts is a security token service for JWTs that others present to this server: clients that leave signing to it, and
// whoever names a user to a client without telling who that is. What it makes is for this server alone, names who presents it,
// and lives for minutes.
package sts

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// ClientKeys finds the public keys of clients: tenant.ClientKeys.
type ClientKeys interface {
	Of(ctx context.Context, t tenant.ID, c *tenant.Client) (*keys.ClientSet, error)
	Again(ctx context.Context, t tenant.ID, c *tenant.Client) (*keys.ClientSet, bool)
}

// Service makes tokens.
type Service struct {
	Now  func() time.Time
	Rand io.Reader
	Keys ClientKeys
}

// How long a token lives, unless its caller says otherwise, and at most.
const (
	usualLife = time.Minute
	maxLife   = 5 * time.Minute
)

// Wish is what a token is to say.
type Wish struct {
	ClientID   string
	Subject    string                     // of a login hint
	Lifetime   int64                      // seconds; zero: a minute
	Parameters map[string]json.RawMessage // of a request object
}

// Issued is a token that was made.
type Issued struct {
	Token     string
	ExpiresIn time.Duration
}

// The types of what is signed, so that nothing is taken for anything else.
const (
	objectType    = "oauth-authz-req+jwt"       // RFC 9101 §10.8
	assertionType = "client-authentication+jwt" // of the revision of RFC 7523
)

var (
	errClient     = oauth.InvalidRequest("client_id names no client that is enabled")
	errNotOurs    = oauth.InvalidRequest("the client has not registered the keys of this server as its own")
	errNoKeyAuth  = oauth.InvalidRequest("the client does not authenticate by private_key_jwt")
	errLifetime   = oauth.InvalidRequest("lifetime must be 1 to 300 seconds")
	errParameter  = oauth.InvalidRequest("parameters holds what a request object must not hold, or what is not the caller's to say")
	errParameters = oauth.InvalidRequest("parameters are for a request object")
	errLong       = oauth.InvalidRequest("the token would be longer than 16 KiB")
	errSubject    = oauth.InvalidRequest("sub must have 1 to 255 printable ASCII characters")
)

// own are the claims of a request object that are no parameters, or that this service says itself.
var own = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "request", "request_uri"}

// RequestObject makes a request object of a client (RFC 9101), with the parameters that w names.
func (s *Service) RequestObject(ctx context.Context, t *tenant.Tenant, w Wish) (Issued, error) {
	client, life, err := s.begin(ctx, t, w)
	if err != nil {
		return Issued{}, err
	}
	claims := map[string]any{}
	for name, v := range w.Parameters {
		if name == "" || slices.Contains(own, name) || string(v) == "null" {
			return Issued{}, errParameter
		}
		claims[name] = v
	}
	now := s.Now()
	claims["iss"], claims["aud"], claims["client_id"], claims["jti"] = client.ID, t.Issuer, client.ID, s.id()
	claims["iat"], claims["nbf"], claims["exp"] = now.Unix(), now.Unix(), now.Add(life).Unix()
	return s.sign(ctx, t, client, keys.Alg(client.RequestAlg), objectType, claims, life)
}

// ClientAssertion makes an assertion by which a client authenticates to this server once (RFC 7523 §3).
func (s *Service) ClientAssertion(ctx context.Context, t *tenant.Tenant, w Wish) (Issued, error) {
	client, life, err := s.begin(ctx, t, w)
	switch {
	case err != nil:
		return Issued{}, err
	case w.Parameters != nil:
		return Issued{}, errParameters
	case client.Method() != oauth.AuthPrivateJWT:
		return Issued{}, errNoKeyAuth
	}
	now := s.Now()
	claims := map[string]any{"iss": client.ID, "sub": client.ID, "aud": t.Issuer, "jti": s.id(), "iat": now.Unix(), "exp": now.Add(life).Unix()}
	return s.sign(ctx, t, client, keys.Alg(client.TokenEndpointAuthAlg), assertionType, claims, life)
}

// LoginHintToken makes a login_hint_token (CIBA Core §7.1) about a subject, who need not have an account here. It does not tell
// whoever presents it who that is. Where w names a client it is good for no other.
func (s *Service) LoginHintToken(ctx context.Context, t *tenant.Tenant, w Wish) (Issued, error) {
	life, err := w.life()
	switch {
	case err != nil:
		return Issued{}, err
	case w.Parameters != nil:
		return Issued{}, errParameters
	case !session.Subject(w.Subject):
		return Issued{}, errSubject
	}
	if w.ClientID != "" {
		if _, err := s.client(ctx, t, w.ClientID); err != nil {
			return Issued{}, err
		}
	}
	b, err := json.Marshal(request.NewHint(t, s.id(), w.Subject, w.ClientID, s.Now(), life))
	if err != nil {
		return Issued{}, err
	}
	token, err := t.Keys.Sign(ctx, s.Now(), t.Settings.DefaultIDTokenAlg(), request.HintTokenType, b)
	return Issued{token, life}, err
}

// begin reads what is common to tokens that a client signs.
func (s *Service) begin(ctx context.Context, t *tenant.Tenant, w Wish) (*tenant.Client, time.Duration, error) {
	life, err := w.life()
	if err != nil {
		return nil, 0, err
	}
	if w.Subject != "" {
		return nil, 0, oauth.InvalidRequest("sub is for a login hint")
	}
	client, err := s.client(ctx, t, w.ClientID)
	return client, life, err
}

func (s *Service) client(ctx context.Context, t *tenant.Tenant, id string) (*tenant.Client, error) {
	client, err := t.Clients.Client(ctx, id)
	if errors.Is(err, tenant.ErrNoClient) || err == nil && (client.Disabled || client.BuiltIn) {
		return nil, errClient.Because(err)
	}
	return client, err
}

func (w *Wish) life() (time.Duration, error) {
	switch {
	case w.Lifetime == 0:
		return usualLife, nil
	case w.Lifetime < 0 || w.Lifetime > int64(maxLife/time.Second):
		return 0, errLifetime
	}
	return time.Duration(w.Lifetime) * time.Second, nil
}

// id names a token: 128 random bits.
func (s *Service) id() string {
	b := make([]byte, 16)
	_, _ = io.ReadFull(s.Rand, b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// sign signs claims as the client, by the key of the tenant that the client registered as one of its own: no other signature is
// given away. registered is the algorithm that it signs such things with; empty: any.
func (s *Service) sign(ctx context.Context, t *tenant.Tenant, c *tenant.Client, registered keys.Alg, typ string, claims map[string]any, life time.Duration) (Issued, error) {
	b, err := json.Marshal(claims)
	if err != nil {
		return Issued{}, errParameter.Because(err)
	}
	set, err := s.Keys.Of(ctx, t.ID, c)
	switch {
	case errors.Is(err, tenant.ErrNoKeys) && c.JWKSURI == "":
		return Issued{}, errNotOurs.Because(err)
	case err != nil:
		return Issued{}, oauth.Unavailable().Because(err)
	}
	now := s.Now()
	for _, again := range []bool{false, true} {
		if again {
			newer, ok := s.Keys.Again(ctx, t.ID, c)
			if !ok {
				break
			}
			set = newer
		}
		for _, alg := range t.Keys.Algs(now) {
			if registered != "" && alg != registered || !c.Demands.AllowsAlg(alg) {
				continue
			}
			token, err := t.Keys.Sign(ctx, now, alg, typ, b)
			if errors.Is(err, keys.ErrTooLarge) {
				return Issued{}, errLong.Because(err)
			}
			if err != nil {
				return Issued{}, err
			}
			signed, err := keys.ParseSigned(token)
			if err != nil {
				return Issued{}, errParameter.Because(err)
			}
			if set.Verify(signed, alg) == nil {
				return Issued{token, life}, nil
			}
		}
	}
	return Issued{}, errNotOurs
}
