package request

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Replay remembers what may be used once.
type Replay interface {
	// UseOnce records the use of what kind and hash name, and keeps that until expires. Of any number of calls, at
	// whatever instance, the first is told true.
	UseOnce(ctx context.Context, t tenant.ID, kind string, hash []byte, expires time.Time) (first bool, err error)
}

// Once is the one use of a request object.
type Once struct {
	Hash  []byte // of the client's id and jti
	Until time.Time
	Err   *oauth.Error // of every other use
}

// once is the name of request objects at the Replay.
const once = "request_object"

// maxJTI is the longest jti, in bytes.
const maxJTI = 255

// Spend uses up the request object that r came in, where that counts once. It is called when the request takes effect:
// looking at it changes nothing. Used up already, it is the error of Once.
func (s *Service) Spend(ctx context.Context, t *tenant.Tenant, r *Request) error {
	if r.Once == nil {
		return nil
	}
	first, err := s.Replay.UseOnce(ctx, t.ID, once, r.Once.Hash, r.Once.Until)
	switch {
	case err != nil:
		return oauth.Unavailable().Because(err)
	case !first:
		return r.Once.Err
	}
	return nil
}

// claimed are the claims by which a request object says who made it, for whom and when (RFC 9101 §4, RFC 7519 §4.1).
type claimed struct {
	iss, sub, jti string
	aud           []string
	exp, nbf, iat time.Time // zero: none
}

// claimed reads them. What is there and of the wrong type is an error.
func (o *object) claimed() (c claimed, err error) {
	malformed := oauth.InvalidRequestObject("a claim of the request object is of the wrong type")
	for name, to := range map[string]*string{"iss": &c.iss, "sub": &c.sub, "jti": &c.jti} {
		if raw, there := o.claims[name]; there {
			var v *string
			if json.Unmarshal(raw, &v) != nil || v == nil || *v == "" || len(*v) > maxClientID {
				return c, malformed
			}
			*to = *v
		}
	}
	for name, to := range map[string]*time.Time{"exp": &c.exp, "nbf": &c.nbf, "iat": &c.iat} {
		if raw, there := o.claims[name]; there {
			var ok bool
			if *to, ok = numericDate(string(raw)); !ok {
				return c, malformed
			}
		}
	}
	if raw, there := o.claims["aud"]; there {
		var one string
		if json.Unmarshal(raw, &one) == nil {
			c.aud = []string{one}
		} else if json.Unmarshal(raw, &c.aud) != nil || len(c.aud) == 0 {
			return c, malformed
		}
	}
	return c, nil
}

// numericDate reads a NumericDate (RFC 7519 §2): a number without sign and exponent, in seconds; fractions are cut off.
func numericDate(raw string) (time.Time, bool) {
	if raw == "" || strings.Trim(raw, "0123456789.") != "" {
		return time.Time{}, false
	}
	const most = 1e11 // thousands of years
	v, err := strconv.ParseFloat(raw, 64)
	return time.Unix(int64(min(v, most)), 0), err == nil && v > 0 && v < most
}

// checkClaims returns why o is not the client's for us at this time, and notes its one use where the tenant demands one.
func (d *draft) checkClaims(o *object) error {
	c, err := o.claimed()
	if err != nil {
		return err
	}
	s := d.tenant.Settings
	strict := !s.RequestObjects.Merge
	if err := c.check(d.tenant, d.client, d.service.Now(), strict); err != nil {
		return err
	}
	if life := d.client.Demands.RequestLifetime(s.RequestObjectLifetime()); life > 0 {
		if err := c.within(d.service.Now(), life); err != nil {
			return err
		}
	}
	if s.RequestObjects.OneTime {
		return d.once(&c, oauth.InvalidRequestObject("the request object was used before"))
	}
	return nil
}

// check holds c to what a JWT must be anywhere. Strict demands iss and aud, which OIDC Core §6.1 only recommends.
func (c *claimed) check(t *tenant.Tenant, client *tenant.Client, now time.Time, strict bool) error {
	switch {
	case c.iss != client.ID && (c.iss != "" || strict):
		return oauth.InvalidRequestObject("iss of the request object is not the client")
	case !slices.Contains(c.aud, t.Issuer) && (len(c.aud) > 0 || strict):
		return oauth.InvalidRequestObject("aud of the request object is not this issuer")
	case c.sub == client.ID: // it could be a client assertion (RFC 9101 §10.8)
		return oauth.InvalidRequestObject("sub of the request object must not be the client")
	case !c.exp.IsZero() && !now.Before(c.exp):
		return oauth.InvalidRequestObject("the request object has expired")
	case c.nbf.After(now.Add(maxSkew)), c.iat.After(now.Add(maxSkew)):
		return oauth.InvalidRequestObject("the request object is not valid yet")
	}
	return nil
}

// within demands that exp and nbf are there and no further apart than life.
func (c *claimed) within(now time.Time, life time.Duration) error {
	if c.exp.IsZero() || c.nbf.IsZero() || c.exp.Sub(c.nbf) > life || now.Sub(c.nbf) > life {
		return oauth.InvalidRequestObject("exp or nbf of the request object is missing, or they are too far apart")
	}
	return nil
}

// once notes the one use of the request object, and what another one is told.
func (d *draft) once(c *claimed, used *oauth.Error) error {
	if c.jti == "" || len(c.jti) > maxJTI || c.exp.IsZero() {
		return oauth.InvalidRequestObject("jti or exp of the request object is missing")
	}
	h := sha256.New()
	h.Write([]byte(strconv.Itoa(len(d.client.ID)) + ":" + d.client.ID))
	h.Write([]byte(c.jti))
	d.Once = &Once{Hash: h.Sum(nil), Until: c.exp, Err: used}
	return nil
}
