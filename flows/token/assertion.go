package token

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Limits of a JWT that somebody else issued.
const (
	skew       = 30 * time.Second // that its issuer's clock may be ahead
	maxSeconds = 1e11             // of a NumericDate: thousands of years
	maxJTI     = 255              // bytes
	maxChain   = 5                // actors, one after the other
)

// foreignTypes are the typ that a JWT of a trusted issuer has, unless the tenant says otherwise.
var foreignTypes = []string{"", "JWT", "at+jwt"}

// errBad is what every cause is that is for the operator alone: what was presented is no good.
var errBad = errors.New("token: no good")

func bad(why string) error { return fmt.Errorf("%w: %s", errBad, why) }

// The causes.
var (
	errClaims     = bad("a claim is missing or of the wrong type")
	errTyp        = bad("the JWT is of another typ")
	errIssuer     = bad("its issuer is not trusted for this")
	errAudience   = bad("aud is not this issuer")
	errExpired    = bad("it has expired")
	errLong       = bad("it lives too long")
	errEarly      = bad("it is not valid yet")
	errAlg        = bad("it is signed with an algorithm that its issuer does not use")
	errUsed       = bad("it was used before")
	errSelf       = bad("it is the client's own, but not about the client")
	errSubject    = bad("its subject cannot be one of ours")
	errBinding    = bad("it is bound to a key in a way that we do not know")
	errNotTheirs  = bad("its issuer is not trusted with this client")
	errNoAccount  = bad("its subject has no account here")
	errTooManyAct = bad("too many have acted before")
)

// A foreign token is a JWT that somebody else issued, taken apart. Until its signature is verified it is the sender's word.
type foreign struct {
	signed        *keys.Signed
	claims        map[string]json.RawMessage
	iss, jti      string
	aud           []string
	exp, nbf, iat time.Time // zero: none
	scope         oauth.Scope
	scoped        bool // it has the claim scope
	act, mayAct   *grant.Actor
	bound         oauth.Confirmation
}

// parseForeign takes a JWT apart. iss and exp are there.
func parseForeign(compact string) (*foreign, error) {
	signed, err := keys.ParseSigned(compact)
	if err != nil {
		return nil, err
	}
	f := &foreign{signed: signed}
	if json.Unmarshal(signed.Payload, &f.claims) != nil { // by their exact names: a struct would match them without case
		return nil, errClaims
	}
	for _, c := range []struct {
		name string
		due  bool
		read func(json.RawMessage) bool
	}{
		{"iss", true, stringOf(&f.iss)},
		{"jti", false, stringOf(&f.jti)},
		{"aud", true, f.readAudience},
		{"exp", true, dateOf(&f.exp)},
		{"nbf", false, dateOf(&f.nbf)},
		{"iat", false, dateOf(&f.iat)},
		{"scope", false, f.readScope},
		{"act", false, actorOf(&f.act)},
		{"may_act", false, actorOf(&f.mayAct)},
	} {
		raw, there := f.claims[c.name]
		if !there && c.due || there && !c.read(raw) {
			return nil, errClaims
		}
	}
	if len(f.jti) > maxJTI || len(f.iss) > tenant.MaxIssuer {
		return nil, errClaims
	}
	return f, f.readBinding()
}

func stringOf(to *string) func(json.RawMessage) bool {
	return func(raw json.RawMessage) bool {
		var v *string
		ok := json.Unmarshal(raw, &v) == nil && v != nil && *v != ""
		if ok {
			*to = *v
		}
		return ok
	}
}

// dateOf reads a NumericDate (RFC 7519 §2): a number without sign and exponent, in seconds; fractions are cut off.
func dateOf(to *time.Time) func(json.RawMessage) bool {
	return func(raw json.RawMessage) bool {
		if len(raw) == 0 || strings.Trim(string(raw), "0123456789.") != "" {
			return false
		}
		v, err := strconv.ParseFloat(string(raw), 64)
		*to = time.Unix(int64(min(v, maxSeconds)), 0)
		return err == nil && v > 0 && v < maxSeconds
	}
}

// readAudience reads aud in both its forms (RFC 7519 §4.1.3).
func (f *foreign) readAudience(raw json.RawMessage) bool {
	var one string
	if stringOf(&one)(raw) {
		f.aud = []string{one}
		return true
	}
	var many []json.RawMessage
	if json.Unmarshal(raw, &many) != nil || len(many) == 0 || len(many) > 32 {
		return false
	}
	for _, raw := range many {
		if !stringOf(&one)(raw) {
			return false
		}
		f.aud = append(f.aud, one)
	}
	return true
}

func (f *foreign) readScope(raw json.RawMessage) bool {
	var v *string
	if json.Unmarshal(raw, &v) != nil || v == nil {
		return false
	}
	var err error
	f.scope, err = oauth.ParseScope(*v)
	f.scoped = true
	return err == nil
}

// actorOf reads act or may_act (RFC 8693 §4.1, §4.4): an object whose identifying members are texts.
func actorOf(to **grant.Actor) func(json.RawMessage) bool {
	return func(raw json.RawMessage) bool {
		a, err := parseActor(raw, maxChain)
		*to = a
		return err == nil
	}
}

func parseActor(raw json.RawMessage, left int) (*grant.Actor, error) {
	members, err := oauth.Object(raw)
	if err != nil {
		return nil, errClaims
	}
	if left == 0 {
		return nil, errTooManyAct
	}
	a := &grant.Actor{}
	for name, to := range map[string]*string{"sub": &a.Subject, "iss": &a.Issuer, "client_id": &a.ClientID} {
		if raw, there := members[name]; there && (!stringOf(to)(raw) || len(*to) > tenant.MaxIssuer) {
			return nil, errClaims
		}
	}
	if a.Subject == "" && a.ClientID == "" {
		return nil, errClaims
	}
	if raw, there := members["act"]; there {
		a.Act, err = parseActor(raw, left-1)
	}
	return a, err
}

// readBinding reads cnf (RFC 7800 §3.1). A key of a kind that we cannot ask for is an error, not none.
func (f *foreign) readBinding() error {
	raw, there := f.claims["cnf"]
	if !there {
		return nil
	}
	members, err := oauth.Object(raw)
	if err != nil || len(members) != 1 || !stringOf(&f.bound.JKT)(members["jkt"]) {
		return errBinding
	}
	return nil
}

// refused is why because of cause, where what was presented is no good; any other error, and one that the client is to be
// told, stays what it is.
func refused(why *oauth.Error, cause error) error {
	if _, worded := errors.AsType[*oauth.Error](cause); worded {
		return cause
	}
	for _, e := range []error{errBad, keys.ErrInvalid, grant.ErrNotFound, tenant.ErrNoKeys} {
		if errors.Is(cause, e) {
			return why.Because(cause)
		}
	}
	return cause
}

// check returns why f is not for us at now, whoever signed it.
func (f *foreign) check(types []string, longest time.Duration, now time.Time) error {
	switch {
	case !f.signed.HasType(types...):
		return errTyp
	case !now.Before(f.exp):
		return errExpired
	case f.exp.After(now.Add(longest)):
		return errLong
	case f.nbf.After(now.Add(skew)), f.iat.After(now.Add(skew)):
		return errEarly
	}
	return nil
}

// trusted verifies f, a JWT presented by r's client for that use, and returns its issuer. The cause of what is refused is
// for the operator; keys that cannot be had are temporarily_unavailable.
func (s *Service) trusted(ctx context.Context, t *tenant.Tenant, r *Request, f *foreign, use string) (*tenant.TrustedIssuer, error) {
	i := t.Settings.Grants.Issuer(f.iss, use)
	if i == nil {
		return nil, errIssuer
	}
	types := i.Types
	if len(types) == 0 {
		types = foreignTypes
	}
	switch {
	case len(i.Clients) > 0 && !slices.Contains(i.Clients, r.Client.ID):
		return nil, errNotTheirs
	case len(i.Algs) > 0 && !slices.Contains(i.Algs, string(f.signed.Alg)):
		return nil, errAlg
	}
	if err := f.check(types, i.Longest(use), s.Now()); err != nil {
		return nil, err
	}
	return i, s.signedBy(ctx, t, i.Holder(), f)
}

// signedBy checks the signature of f by the keys of c, which are read again where they may be out of date.
func (s *Service) signedBy(ctx context.Context, t *tenant.Tenant, c *tenant.Client, f *foreign) error {
	set, err := s.Keys.Of(ctx, t.ID, c)
	if errors.Is(err, tenant.ErrNoKeys) && c.JWKSURI != "" {
		return oauth.Unavailable().Because(err) // we cannot know
	}
	if err != nil {
		return err
	}
	err = set.Verify(f.signed, keys.ClientAlgs()...)
	if errors.Is(err, keys.ErrNoSuchKey) {
		if newer, ok := s.Keys.Again(ctx, t.ID, c); ok {
			return newer.Verify(f.signed, keys.ClientAlgs()...)
		}
	}
	return err
}

// subjectOf returns whom a JWT of i is about.
func (s *Service) subjectOf(ctx context.Context, t *tenant.Tenant, r *Request, i *tenant.TrustedIssuer, f *foreign) (string, error) {
	name := i.SubjectClaim
	if name == "" {
		name = "sub"
	}
	var sub string
	if !stringOf(&sub)(f.claims[name]) {
		return "", errClaims
	}
	if sub = i.SubjectPrefix + sub; !subject(sub, r.Client) {
		return "", errSubject
	}
	if err := nobodys(ctx, t, sub); err != nil {
		return "", err
	}
	if i.Accounts {
		a, err := s.Passwords.Find(ctx, t, sub)
		if err != nil {
			return "", err
		}
		if a == nil || a.Subject != sub || a.Disabled {
			return "", errNoAccount
		}
	}
	return sub, nil
}

// nobodys returns why a subject of others cannot be called sub, or nil: it is a client's id, or could become one, and what is
// issued for it would pass for that client's own (RFC 9700 §4.15).
func nobodys(ctx context.Context, t *tenant.Tenant, sub string) error {
	if generatedID.MatchString(sub) || t.Settings.Documents.Takes(sub) {
		return errSubject
	}
	_, err := t.Clients.Client(ctx, sub)
	switch {
	case errors.Is(err, tenant.ErrNoClient):
		return nil
	case err != nil:
		return err
	}
	return errSubject
}

// generatedID is the form of the client ids that registration generates.
var generatedID = regexp.MustCompile(`^c_[A-Za-z0-9_-]{22}$`)

// limited is scope as far as a JWT of i is worth: what the tenant says, and what it says of itself.
func limited(i *tenant.TrustedIssuer, f *foreign, scope oauth.Scope) oauth.Scope {
	if len(i.Scope) > 0 {
		scope = scope.And(i.Scope)
	}
	if f.scoped {
		scope = scope.And(f.scope)
	}
	return scope
}

// told are the claims of f for a hook, as they came.
func (f *foreign) told() json.RawMessage { return bytes.Clone(f.signed.Payload) }
