package clientauth

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// JWTBearer is the client_assertion_type of JWTs (RFC 7523 §2.2).
const JWTBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// What an assertion's times may be.
const (
	maxAssertionLife = 10 * time.Minute // from now until exp
	maxSkew          = 30 * time.Second // that a client's clock is ahead
	maxSeconds       = 1e11             // of a NumericDate: thousands of years
)

// maxJTI is the longest jti, in bytes.
const maxJTI = 255

// assertionTypes are the types that a client's assertion may have: the usual one, the one of RFC 7523's revision, or none.
var assertionTypes = []string{"", "JWT", "client-authentication+jwt"}

// The causes, for the operator.
var (
	errAssertionType = errors.New("client_assertion_type is not that of JWTs, or there is no assertion")
	errClaims        = errors.New("a claim is missing or of the wrong type")
	errTyp           = errors.New("the assertion is of another typ")
	errIssuer        = errors.New("iss and sub are not one client id")
	errAudience      = errors.New("aud is not this issuer")
	errExpired       = errors.New("the assertion has expired")
	errLong          = errors.New("the assertion lives too long")
	errEarly         = errors.New("the assertion is not valid yet")
	errAlg           = errors.New("the assertion is signed with another algorithm than the client registered")
	errUsed          = errors.New("the assertion was used before")
)

// assertion is a client assertion taken apart (RFC 7523 §3, OIDC Core §9). Its claims are the sender's words until the
// signature is verified.
type assertion struct {
	signed        *keys.Signed
	iss, sub, jti string
	aud           string
	exp, nbf, iat time.Time // zero: none
}

// parseAssertion takes an assertion apart. Of what cannot be, it returns what it has, with the reason.
func parseAssertion(kind, compact string) (*assertion, error) {
	a := &assertion{}
	if kind != JWTBearer || compact == "" {
		return a, errAssertionType
	}
	var err error
	if a.signed, err = keys.ParseSigned(compact); err != nil {
		return a, err
	}
	var claims map[string]json.RawMessage // by their exact names: a struct would match them without case
	if err := json.Unmarshal(a.signed.Payload, &claims); err != nil {
		return a, errClaims
	}
	for name, to := range map[string]*string{"iss": &a.iss, "sub": &a.sub, "aud": &a.aud, "jti": &a.jti} {
		var v *string
		if json.Unmarshal(claims[name], &v) != nil || v == nil || *v == "" {
			return a, errClaims
		}
		*to = *v
	}
	for name, to := range map[string]*time.Time{"exp": &a.exp, "nbf": &a.nbf, "iat": &a.iat} {
		raw, there := claims[name]
		var ok bool
		switch {
		case !there && name != "exp":
			continue
		default:
			if *to, ok = numericDate(string(raw)); !ok {
				return a, errClaims
			}
		}
	}
	if len(a.jti) > maxJTI {
		return a, errClaims
	}
	return a, nil
}

// numericDate reads a NumericDate (RFC 7519 §2): a number without sign and exponent, in seconds; fractions are cut off.
func numericDate(raw string) (time.Time, bool) {
	if raw == "" || strings.Trim(raw, "0123456789.") != "" {
		return time.Time{}, false
	}
	v, err := strconv.ParseFloat(raw, 64)
	return time.Unix(int64(min(v, maxSeconds)), 0), err == nil && v > 0 && v < maxSeconds
}

// check returns why a, from the client c that it names by id, is not for us at now, whoever signed it.
func (a *assertion) check(t *tenant.Tenant, c *tenant.Client, id string, endpoint string, now time.Time) error {
	strict := endpoint == "" || t.Settings.Clients.StrictAudience || c.Demands.WantsIssuer()
	ours := a.aud == t.Issuer || !strict && a.aud == t.Issuer+endpoint
	switch {
	case !a.signed.HasType(assertionTypes...):
		return errTyp
	case a.iss != a.sub || a.sub != id:
		return errIssuer
	case !ours:
		return errAudience
	case !now.Before(a.exp):
		return errExpired
	case a.exp.After(now.Add(maxAssertionLife)):
		return errLong
	case a.nbf.After(now.Add(maxSkew)), a.iat.After(now.Add(maxSkew)):
		return errEarly
	}
	return nil
}

// use names the one use of a by a client: a jti is the client's own (RFC 7523 §3).
func (a *assertion) use() []byte {
	h := sha256.New()
	h.Write([]byte(strconv.Itoa(len(a.sub)) + ":" + a.sub))
	h.Write([]byte(a.jti))
	return h.Sum(nil)
}
