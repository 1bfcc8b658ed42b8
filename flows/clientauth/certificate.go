package clientauth

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// What is wrong with a client's certificate, for the operator.
var (
	errNoCertificate = errors.New("the client presented no certificate")
	errOff           = errors.New("the tenant takes no client certificates for this method")
	errSubject       = errors.New("the certificate is another's than the client registered")
	errNotTheirs     = errors.New("the certificate is not among the client's keys")
)

// silent is how a request shows that its client authenticates by the certificate of its connection: by nothing but the
// client_id, as a public client's does (RFC 8705 §2). Which of them it is the registry tells.
func silent(*Credentials) (string, bool) { return "", false }

// of returns the methods of the client that m, as the request shows it, stands for at now: m itself, or those by
// certificate for a client that named itself only. There is none where the client may not authenticate so.
func (m *method) of(client *tenant.Client, now time.Time) (ways []*method) {
	if client == nil || client.Disabled {
		return nil
	}
	for i := range methods {
		way := &methods[i]
		if (way == m || m.name == oauth.AuthNone && slices.Contains(byCertificate, way.name)) && client.AuthenticatesBy(way.name, now) {
			ways = append(ways, way)
		}
	}
	return ways
}

// byCertificate are the methods that a request does not show.
var byCertificate = []string{oauth.AuthTLS, oauth.AuthSelfSignedTLS}

// issuedCertificate checks a certificate that an authority of the tenant has issued (RFC 8705 §2.1).
func (*Service) issuedCertificate(_ context.Context, a *attempt) error {
	switch {
	case a.Certificate == nil:
		return errNoCertificate
	case !offered[oauth.AuthTLS](a.tenant.Settings):
		return errOff
	case !a.client.NamedBy(a.Certificate):
		return errSubject
	}
	authorities, err := keys.ParseAuthorities(a.tenant.Settings.MTLS.Authorities)
	if err != nil {
		return err
	}
	return a.Certificate.IssuedBy(authorities, a.now)
}

// ownCertificate checks a certificate that the client has registered among its keys, whoever issued it (RFC 8705 §2.2).
func (s *Service) ownCertificate(ctx context.Context, a *attempt) error {
	switch {
	case a.Certificate == nil:
		return errNoCertificate
	case !offered[oauth.AuthSelfSignedTLS](a.tenant.Settings):
		return errOff
	}
	if err := a.Certificate.Current(a.now); err != nil {
		return err
	}
	set, err := s.Keys.Of(ctx, a.tenant.ID, a.client)
	if err != nil {
		return err
	}
	if set.Holds(a.Certificate) {
		return nil
	}
	if newer, ok := s.Keys.Again(ctx, a.tenant.ID, a.client); ok && newer.Holds(a.Certificate) {
		return nil
	}
	return errNotTheirs
}
