package account

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// LinkLife is for how long a link to set a password is good.
const LinkLife = time.Hour

// linkPurpose separates the MACs of links from others under a tenant's secret.
const linkPurpose = "password link"

// linkMAC is the length of a link's MAC in bytes.
const linkMAC = 32

// ErrLink is the one answer to a link that was used, has expired, or never was one.
var ErrLink = oauth.NotFound("The link is unknown, was used or has expired")

// Link returns what opens the page where whoever holds it sets the password of an account, once, until it ends. Nothing is
// stored: it is a MAC over the account as it was changed last, so any change of the account ends it. A disabled account has
// none.
func (s *Service) Link(ctx context.Context, t *tenant.Tenant, sub string) (token string, ends time.Time, err error) {
	a, err := s.account(ctx, t, sub)
	if err != nil {
		return "", ends, err
	}
	if a.Disabled {
		return "", ends, oauth.InvalidRequest("The account is disabled")
	}
	ends = s.now().Add(LinkLife).Truncate(time.Second)
	end := binary.BigEndian.AppendUint64(nil, uint64(ends.Unix()))
	token = base64.RawURLEncoding.EncodeToString(append(append(end, linkOf(t, &a, end)...), a.Subject...))
	return token, ends, nil
}

// linkOf is the MAC of a link.
func linkOf(t *tenant.Tenant, a *Account, end []byte) []byte {
	changed := binary.BigEndian.AppendUint64(nil, uint64(a.UpdatedAt.UnixMicro()))
	return t.Secret.MAC(linkPurpose, []byte(a.Subject), end, changed)[:linkMAC]
}

// Linked returns the account of a link, or ErrLink.
func (s *Service) Linked(ctx context.Context, t *tenant.Tenant, token string) (*Account, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) <= 8+linkMAC || !possible(string(b[8+linkMAC:])) {
		return nil, ErrLink
	}
	end, mac := b[:8], b[8:8+linkMAC]
	if at := binary.BigEndian.Uint64(end); at > 1<<40 || !s.now().Before(time.Unix(int64(at), 0)) {
		return nil, ErrLink
	}
	a, err := s.Store.Account(ctx, t.ID, string(b[8+linkMAC:]))
	if errors.Is(err, ErrNotFound) {
		return nil, ErrLink
	}
	if err != nil {
		return nil, worded(err)
	}
	changed := binary.BigEndian.AppendUint64(nil, uint64(a.UpdatedAt.UnixMicro()))
	if a.Disabled || !t.Secret.CheckMAC(mac, linkPurpose, []byte(a.Subject), end, changed) {
		return nil, ErrLink
	}
	return a, nil
}

// SetByLink gives the account of a link a password, by the rules of Create. Of any number of calls with one link one succeeds;
// the others get ErrLink.
func (s *Service) SetByLink(ctx context.Context, t *tenant.Tenant, token, password, address string) error {
	a, err := s.Linked(ctx, t, token)
	if err != nil {
		return err
	}
	if password == "" {
		return errNoPassword
	}
	if a.PasswordHash, err = s.credential(ctx, t, a.Username, password, ""); err != nil {
		return fault("/password", err)
	}
	if err = s.replace(ctx, t, a, By{Address: address}, "password by link"); errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return ErrLink.Because(err)
	}
	return err
}

var errNoPassword = &Faults{Fields: []tenant.FieldError{{Pointer: "/password", Message: "is empty"}}, why: oauth.InvalidRequest("The password is empty")}
