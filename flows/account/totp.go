package account

import (
	"context"
	"encoding/base32"
	"errors"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// TOTP is the generator of codes that a user carries (RFC 6238), as we know it.
type TOTP struct {
	Secret      []byte
	EnrolledAt  time.Time
	ConfirmedAt time.Time // by a first code; zero: it was not, and is not asked for
	UsedStep    int64     // the newest time step whose code was accepted
	Recovery    int       // codes left that stand in for it
}

// Parameters of our codes, which every authenticator app knows (RFC 6238 §4, RFC 4226 §5.3).
const (
	totpSecret = 20 // bytes, as RFC 4226 §4 advises
	totpStep   = 30 // seconds
	totpSkew   = 1  // steps before and after the present one whose codes are accepted (RFC 6238 §5.2)
)

// Recovery codes have 80 random bits each.
const (
	recoveryCodes = 10
	recoverySize  = 10 // bytes
	recoveryChars = 16
)

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// Enrolment is a TOTP secret as it is shown to its user, this once.
type Enrolment struct {
	Secret string // base32, to be typed in
	URI    string // otpauth, for a QR code
}

// EnrolTOTP gives an account a new TOTP secret, which counts once ConfirmTOTP was told a code of it. No account is not_found;
// one that has a TOTP is invalid_request, and ErrExists: it must be removed first.
func (s *Service) EnrolTOTP(ctx context.Context, t *tenant.Tenant, sub string, by By) (Enrolment, error) {
	a, err := s.account(ctx, t, sub)
	if err != nil {
		return Enrolment{}, err
	}
	f := TOTP{Secret: make([]byte, totpSecret), EnrolledAt: s.now()}
	if _, err := io.ReadFull(s.Rand, f.Secret); err != nil {
		return Enrolment{}, oauth.Unavailable().Because(err)
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuerName(t), AccountName: accountName(&a), Secret: f.Secret, Period: totpStep})
	if err != nil {
		return Enrolment{}, err
	}
	err = s.Factors.EnrolTOTP(ctx, t.ID, sub, f, s.event(audit.UserUpdated, sub, by, "totp_enrolled"))
	if errors.Is(err, ErrExists) {
		return Enrolment{}, oauth.InvalidRequest("The account has a TOTP, which must be removed first").Because(err)
	}
	return Enrolment{Secret: key.Secret(), URI: key.URL()}, worded(err)
}

// issuerName is what an authenticator app calls the tenant. A colon would end it.
func issuerName(t *tenant.Tenant) string {
	name := t.Settings.Name
	if u, err := url.Parse(t.Issuer); name == "" && err == nil {
		name = u.Host + u.Path
	}
	if name = strings.TrimSpace(strings.ReplaceAll(name, ":", " ")); name == "" {
		return string(t.ID)
	}
	return name
}

func accountName(a *Account) string {
	if name := strings.ReplaceAll(a.Username, ":", " "); name != "" {
		return name
	}
	return a.Subject
}

// ConfirmTOTP makes the TOTP of an account count, on a code of it, and returns its recovery codes, to be shown this once. A
// wrong code is ErrCode, or slow_down after too many; nothing to confirm is invalid_request.
func (s *Service) ConfirmTOTP(ctx context.Context, t *tenant.Tenant, sub, code string, by By) ([]string, error) {
	g := Guesser{Address: by.Address}
	f, err := s.totp(ctx, t, sub)
	switch {
	case err != nil:
		return nil, err
	case f == nil || !f.ConfirmedAt.IsZero():
		return nil, oauth.InvalidRequest("The account has no TOTP that waits to be confirmed")
	}
	step, err := s.guess(ctx, t, sub, f, digits(code), g)
	if err != nil {
		return nil, err
	}
	codes, hashes := make([]string, recoveryCodes), make([][]byte, recoveryCodes)
	for i := range codes {
		b := make([]byte, recoverySize)
		if _, err := io.ReadFull(s.Rand, b); err != nil {
			return nil, oauth.Unavailable().Because(err)
		}
		text := base32Text.EncodeToString(b)
		codes[i], hashes[i] = spaced(text), recoveryHash(t, sub, text)
	}
	err = s.Factors.ConfirmTOTP(ctx, t.ID, sub, f.EnrolledAt, s.now(), step, hashes, s.event(audit.UserUpdated, sub, by, "totp_confirmed"))
	if err != nil {
		return nil, worded(err)
	}
	s.right(ctx, t, sub, g)
	return codes, nil
}

// spaced is a recovery code as it is shown: four groups in lower case.
func spaced(text string) string {
	text = strings.ToLower(text)
	return text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
}

// recoveryHash is how a recovery code is kept: its 80 bits are not guessed at, and without the tenant's secret cannot be.
func recoveryHash(t *tenant.Tenant, sub, text string) []byte {
	return t.Secret.MAC("recovery code", []byte(sub), []byte(text))
}

// CheckTOTP returns nil where code is one of the account's TOTP, of the present time step or the one before or after it, or
// a recovery code of it; the code of a step, and a recovery code, counts once. Any other is ErrCode, too many wrong ones for
// the account, from the address or by the client are slow_down with a Wait. An account without a TOTP has no right code.
func (s *Service) CheckTOTP(ctx context.Context, t *tenant.Tenant, sub, code string, g Guesser) error {
	if err := s.closed(ctx, t, sub, g); err != nil {
		return err
	}
	f, err := s.totp(ctx, t, sub)
	if err != nil {
		return err
	}
	if f != nil && f.ConfirmedAt.IsZero() {
		f = nil
	}
	if text := recoveryText(code); f != nil && text != "" {
		return s.recover(ctx, t, sub, text, g)
	}
	step, err := s.guess(ctx, t, sub, f, digits(code), g)
	if err != nil {
		return err
	}
	err = s.Factors.UseTOTP(ctx, t.ID, sub, f.EnrolledAt, step)
	switch {
	case errors.Is(err, ErrReplayed):
		return s.refused(ctx, t, sub, "totp", g)
	case err != nil:
		return oauth.Unavailable().Because(err)
	}
	s.right(ctx, t, sub, g)
	return nil
}

// recover uses a recovery code.
func (s *Service) recover(ctx context.Context, t *tenant.Tenant, sub, text string, g Guesser) error {
	ev := audit.Event{At: s.now(), Kind: audit.RecoveryCodeUsed, Subject: sub, ClientID: g.ClientID, Address: g.Address}
	err := s.Factors.UseRecoveryCode(ctx, t.ID, sub, recoveryHash(t, sub, text), ev)
	switch {
	case errors.Is(err, ErrReplayed):
		s.wrong(ctx, t, sub, g)
		return s.refused(ctx, t, sub, "recovery", g)
	case err != nil:
		return oauth.Unavailable().Because(err)
	}
	s.right(ctx, t, sub, g)
	return nil
}

// guess returns the step that code is of. Guesses take turns, so that many at once are not more than are allowed.
func (s *Service) guess(ctx context.Context, t *tenant.Tenant, sub string, f *TOTP, code string, g Guesser) (int64, error) {
	s.guessing.Lock()
	err := s.closed(ctx, t, sub, g)
	var step int64
	var right bool
	if err == nil {
		if step, right = f.step(code, s.Now()); !right {
			s.wrong(ctx, t, sub, g)
		}
	}
	s.guessing.Unlock()
	switch {
	case err != nil:
		return 0, err
	case !right:
		return 0, s.refused(ctx, t, sub, "totp", g)
	}
	return step, nil
}

// step returns the time step near now that code is of. Each of them is looked at, right or not.
func (f *TOTP) step(code string, now time.Time) (found int64, right bool) {
	if f == nil {
		return 0, false
	}
	secret := base32Text.EncodeToString(f.Secret)
	for at := now.Unix()/totpStep - totpSkew; at <= now.Unix()/totpStep+totpSkew; at++ {
		same, err := hotp.ValidateCustom(code, uint64(max(at, 0)), secret, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if same && err == nil && !right {
			found, right = at, true
		}
	}
	return found, right
}

// digits is code without the spaces that people write into it.
func digits(code string) string {
	if len(code) > 64 {
		return ""
	}
	return strings.ReplaceAll(code, " ", "")
}

// recoveryText is code as a recovery code is hashed, or empty where it cannot be one.
func recoveryText(code string) string {
	text := strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(code[:min(len(code), 64)]))
	if len(text) != recoveryChars || strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
		return ""
	}
	return text
}

// HasTOTP reports whether the subject has an account with a TOTP that was confirmed.
func (s *Service) HasTOTP(ctx context.Context, t *tenant.Tenant, sub string) (bool, error) {
	f, err := s.totp(ctx, t, sub)
	return f != nil && !f.ConfirmedAt.IsZero(), err
}

// TOTPOf returns the TOTP of an account without its secret, confirmed or not, or nil. No account is not_found.
func (s *Service) TOTPOf(ctx context.Context, t *tenant.Tenant, sub string) (*TOTP, error) {
	if _, err := s.account(ctx, t, sub); err != nil {
		return nil, err
	}
	f, err := s.totp(ctx, t, sub)
	if f != nil {
		f.Secret = nil
	}
	return f, err
}

// RemoveTOTP takes the TOTP of an account away, confirmed or not, with its recovery codes. Whoever calls it for the subject
// itself has made sure that the subject authenticated anew. Without one it is not_found.
func (s *Service) RemoveTOTP(ctx context.Context, t *tenant.Tenant, sub string, by By) error {
	if !possible(sub) {
		return worded(ErrNotFound)
	}
	err := s.Factors.RemoveTOTP(ctx, t.ID, sub, s.event(audit.UserUpdated, sub, by, "totp_removed"))
	if errors.Is(err, ErrNotFound) {
		return oauth.NotFound("There is no TOTP").Because(err)
	}
	return worded(err)
}

// totp returns the TOTP of a subject, or nil.
func (s *Service) totp(ctx context.Context, t *tenant.Tenant, sub string) (*TOTP, error) {
	if !possible(sub) {
		return nil, nil
	}
	f, err := s.Factors.TOTP(ctx, t.ID, sub)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, oauth.Unavailable().Because(err)
	}
	return f, nil
}
