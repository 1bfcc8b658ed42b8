// Package proof answers which key the caller holds, by a DPoP proof (RFC 9449).
package proof

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Confirmation says which key was proved.
type Confirmation = oauth.Confirmation

// Request is a request that may hold a proof.
type Request struct {
	Proofs      []string // values of the DPoP header fields; none: the caller proves no key
	Method      string
	URL         string // of the endpoint, below the tenant's issuer, whatever host was called
	Alias       string // of the same endpoint, for clients with certificates (RFC 8705 §5); empty: none
	AccessToken string // that the proof goes with; empty: none (RFC 9449 §4.3, item 12)

	NonceRequired bool // also where the tenant does not demand one
}

// Service checks proofs.
type Service struct {
	Now    func() time.Time
	Replay Replay
}

// How far the time of a proof may lie from ours, and for how much longer its use is remembered: the clocks of two
// instances need not agree.
const (
	window = time.Minute
	spare  = time.Minute
)

// maxID is the longest jti in bytes.
const maxID = 512

// used is the kind of what the Replay store remembers.
const used = "dpop"

// What is wrong with a proof.
var (
	errSeveral = oauth.InvalidDPoPProof("there is more than one DPoP header")
	errProof   = oauth.InvalidDPoPProof("the DPoP proof is not a valid JWT of the type dpop+jwt, signed by the public key that it holds")
	errAlg     = oauth.InvalidDPoPProof("the DPoP proof is signed with an algorithm that the profile does not allow")
	errClaims  = oauth.InvalidDPoPProof("the DPoP proof lacks jti, htm, htu or iat, or has one of a wrong type")
	errMethod  = oauth.InvalidDPoPProof("htm of the DPoP proof is not the method of the request")
	errURL     = oauth.InvalidDPoPProof("htu of the DPoP proof is not the URL of the request")
	errTime    = oauth.InvalidDPoPProof("the DPoP proof is too old, or made in the future")
	errToken   = oauth.InvalidDPoPProof("ath of the DPoP proof is not the hash of the access token")
	errNonce   = oauth.UseDPoPNonce("the DPoP proof must hold the nonce of this answer")
	errUsed    = oauth.InvalidDPoPProof("the DPoP proof was used already")
)

// claims are those of a proof (RFC 9449 §4.2). What is nil is not there.
type claims struct {
	ID     *string
	Method *string
	URL    *string
	At     *float64
	Ends   *float64
	Hash   *string
	Nonce  *string
}

// Check returns the key that the caller proves to hold (RFC 9449 §4.3), the zero Confirmation where it sent no proof. A
// proof that is wrong in any way, or was used before, is invalid_dpop_proof; one without a nonce that counts, at a tenant
// that demands it, is use_dpop_nonce, and may be sent again with the Nonce.
func (s *Service) Check(ctx context.Context, t *tenant.Tenant, r Request) (Confirmation, error) {
	switch len(r.Proofs) {
	case 0:
		return Confirmation{}, nil
	case 1:
	default:
		return Confirmation{}, errSeveral
	}
	p, err := keys.ParseProof(r.Proofs[0])
	if err != nil {
		return Confirmation{}, errProof.Because(err)
	}
	if !tenant.DemandsOf(t.Settings.Profile).AllowsAlg(p.Alg) {
		return Confirmation{}, errAlg
	}
	now := s.Now()
	c, at, err := r.check(p.Payload, now)
	if err != nil {
		return Confirmation{}, err
	}
	if (t.Settings.DPoP.RequireNonce || r.NonceRequired) && (c.Nonce == nil || !current(t, *c.Nonce, now)) {
		return Confirmation{}, errNonce
	}
	first, err := s.Replay.UseOnce(ctx, t.ID, used, use(*c.ID, r.URL), at.Add(window+spare))
	switch {
	case err != nil:
		return Confirmation{}, err
	case !first:
		return Confirmation{}, errUsed
	}
	return Confirmation{JKT: p.Thumbprint}, nil
}

// check checks the claims of a proof, and returns them with the time that it was made.
func (r *Request) check(payload []byte, now time.Time) (c claims, at time.Time, err error) {
	if c, err = read(payload); err != nil {
		return c, at, err
	}
	at = time.Unix(int64(*c.At), 0)
	switch {
	case *c.Method != r.Method:
		return c, at, errMethod
	case !sameURL(*c.URL, r.URL) && (r.Alias == "" || !sameURL(*c.URL, r.Alias)):
		return c, at, errURL
	case at.Before(now.Add(-window)), at.After(now.Add(window)), c.Ends != nil && float64(now.Unix()) >= *c.Ends:
		return c, at, errTime
	case r.AccessToken != "" && (c.Hash == nil || subtle.ConstantTimeCompare([]byte(*c.Hash), []byte(Hash(r.AccessToken))) != 1):
		return c, at, errToken
	}
	return c, at, nil
}

// latest is the last second that a proof may speak of: of the year 9999.
const latest = 253402300799

// read reads the claims by their exact names. A claim of another type is refused, also where nothing asks for it.
func read(payload []byte) (claims, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(payload, &raw); err != nil {
		return claims{}, errClaims.Because(err)
	}
	var c claims
	for _, m := range []struct {
		name string
		to   any
	}{{"jti", &c.ID}, {"htm", &c.Method}, {"htu", &c.URL}, {"iat", &c.At}, {"exp", &c.Ends}, {"ath", &c.Hash}, {"nonce", &c.Nonce}} {
		if v, there := raw[m.name]; there {
			if err := json.Unmarshal(v, m.to); err != nil {
				return claims{}, errClaims.Because(err)
			}
		}
	}
	if c.ID == nil || *c.ID == "" || len(*c.ID) > maxID || c.Method == nil || c.URL == nil || c.At == nil || math.Abs(*c.At) > latest {
		return claims{}, errClaims
	}
	return c, nil
}

// use is what names the one use of a proof: its jti, and the endpoint it is for (RFC 9449 §11.1).
func use(id, endpoint string) []byte {
	h := sha256.New()
	u, _ := normalized(endpoint)
	h.Write([]byte(u + "\n" + id))
	return h.Sum(nil)
}

// Hash is the ath of an access token (RFC 9449 §4.2).
func Hash(token string) string {
	h := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// AlgsOf are the algorithms that proofs at t may be signed with (RFC 9449 §5.1).
func AlgsOf(t *tenant.Tenant) []keys.Alg {
	d := tenant.DemandsOf(t.Settings.Profile)
	return slices.DeleteFunc(keys.ProofAlgs(), func(a keys.Alg) bool { return !d.AllowsAlg(a) })
}
