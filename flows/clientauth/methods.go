package clientauth

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// A method is one way for a client to authenticate.
type method struct {
	name string // of the client metadata token_endpoint_auth_method
	// presented returns the client id that c names by this method, and whether c uses the method at all.
	presented func(c *Credentials) (id string, ok bool)
	// proves returns why a does not prove that its client is calling, or nil.
	proves func(s *Service, ctx context.Context, a *attempt) error
	guess  bool // what is presented is a secret that can be guessed
}

// An attempt is one try of a client, or of the decoy, to authenticate.
type attempt struct {
	*Credentials
	tenant *tenant.Tenant
	client *tenant.Client
	now    time.Time
}

// methods are all there are, in the order that metadata lists them. none comes last: it is what remains.
var methods = []method{
	{oauth.AuthBasic, basic, basicSecret, true},
	{oauth.AuthPost, post, postSecret, true},
	{oauth.AuthSecretJWT, secretJWT, (*Service).secretAssertion, true},  // OIDC Core §9
	{oauth.AuthPrivateJWT, privateJWT, (*Service).keyAssertion, false},  // RFC 7523 §2.2
	{oauth.AuthTLS, silent, (*Service).issuedCertificate, false},        // RFC 8705 §2.1
	{oauth.AuthSelfSignedTLS, silent, (*Service).ownCertificate, false}, // RFC 8705 §2.2
	{oauth.AuthNone, none, noSecret, false},
}

// offered are the methods that not every tenant offers.
var offered = map[string]func(*tenant.Settings) bool{
	oauth.AuthTLS:           func(s *tenant.Settings) bool { return s.MTLS.Enabled && len(s.MTLS.Authorities) > 0 },
	oauth.AuthSelfSignedTLS: func(s *tenant.Settings) bool { return s.MTLS.Enabled },
}

// Methods returns the names of the client authentication methods that t offers.
func Methods(t *tenant.Tenant) []string {
	var names []string
	d := tenant.DemandsOf(t.Settings.Profile)
	for _, m := range methods {
		if on := offered[m.name]; d.AllowsMethod(m.name) && t.Settings.TakesMethod(m.name) && (on == nil || on(t.Settings)) {
			names = append(names, m.name)
		}
	}
	return names
}

// Algs returns the algorithms that a client's assertion by that method may be signed with; none for other methods. The
// empty method stands for any.
func Algs(method string) []keys.Alg {
	switch method {
	case oauth.AuthSecretJWT:
		return keys.HMACAlgs()
	case oauth.AuthPrivateJWT:
		return keys.ClientAlgs()
	case "":
		return append(keys.ClientAlgs(), keys.HMACAlgs()...)
	}
	return nil
}

// errSecret is for the operator.
var errSecret = errors.New("the secret is not the client's")

func right(secret bool) error {
	if !secret {
		return errSecret
	}
	return nil
}

func basic(c *Credentials) (string, bool) { return c.BasicID, c.Basic }

func basicSecret(_ *Service, _ context.Context, a *attempt) error {
	return right(a.client.CheckSecret(a.BasicSecret, a.now))
}

func post(c *Credentials) (string, bool) { return c.FormID, c.FormSecretSent && c.FormSecret != "" }

func postSecret(_ *Service, _ context.Context, a *attempt) error {
	return right(a.client.CheckSecret(a.FormSecret, a.now))
}

func none(c *Credentials) (string, bool) { return c.FormID, c.FormID != "" }

func noSecret(*Service, context.Context, *attempt) error { return nil }

// asserts reports whether c holds an assertion, or half of one.
func (c *Credentials) asserts() bool { return c.Assertion != "" || c.AssertionType != "" }

// shared reports whether the assertion says that it is signed with a secret.
func (a *assertion) shared() bool { return a.signed != nil && a.signed.Alg.HMAC() }

func secretJWT(c *Credentials) (string, bool) {
	if !c.asserts() || !c.assertion.shared() {
		return "", false
	}
	return c.claimed(), true
}

func privateJWT(c *Credentials) (string, bool) {
	if !c.asserts() || c.assertion.shared() {
		return "", false
	}
	return c.claimed(), true
}

// claimed is the client that the assertion is about: its subject, or where that cannot be read, the client_id beside it.
func (c *Credentials) claimed() string {
	if c.assertion.sub == "" {
		return c.FormID
	}
	return c.assertion.sub
}

func (s *Service) secretAssertion(ctx context.Context, a *attempt) error {
	return s.asserted(ctx, a, oauth.AuthSecretJWT, func(j *keys.Signed) error { return a.client.CheckHMAC(j, a.now, keys.HMACAlgs()...) })
}

func (s *Service) keyAssertion(ctx context.Context, a *attempt) error {
	return s.asserted(ctx, a, oauth.AuthPrivateJWT, func(j *keys.Signed) error { return s.verify(ctx, a, j) })
}

// asserted checks the assertion of that method, which may be used once. The algorithm registered is that of the client's
// method, not of a former one.
func (s *Service) asserted(ctx context.Context, a *attempt, method string, verify func(*keys.Signed) error) error {
	if a.broken != nil {
		return a.broken
	}
	x := a.assertion
	if err := x.check(a.tenant, a.client, a.claimed(), s.TokenEndpoint, a.now); err != nil {
		return err
	}
	if alg := a.client.TokenEndpointAuthAlg; alg != "" && alg != string(x.signed.Alg) && method == a.client.Method() {
		return errAlg
	}
	if err := verify(x.signed); err != nil {
		return err
	}
	first, err := s.Replay.UseOnce(ctx, a.tenant.ID, used, x.use(), x.exp)
	switch {
	case err != nil:
		return oauth.Unavailable().Because(err)
	case !first:
		return errUsed
	}
	return nil
}

// used is the name of assertions at the Replay.
const used = "client_assertion"

// verify checks a signature by the client's keys, which are read again where they may be out of date.
func (s *Service) verify(ctx context.Context, a *attempt, j *keys.Signed) error {
	set, err := s.Keys.Of(ctx, a.tenant.ID, a.client)
	if err != nil {
		return err
	}
	err = set.Verify(j, keys.ClientAlgs()...)
	if !errors.Is(err, keys.ErrNoSuchKey) {
		return err
	}
	if newer, ok := s.Keys.Again(ctx, a.tenant.ID, a.client); ok {
		return newer.Verify(j, keys.ClientAlgs()...)
	}
	return err
}
