package console

import (
	"time"
)

// shownTOTP is a user's second factor as an administrator sees it.
type shownTOTP struct {
	State       string     `json:"state" doc:"none, enrolled (not asked for until it is confirmed) or confirmed"`
	EnrolledAt  *time.Time `json:"enrolled_at,omitempty"`
	ConfirmedAt *time.Time `json:"confirmed_at,omitempty"`
	Recovery    int        `json:"recovery_codes_left"`
}

func (d *Door) readTOTP(q *call) (shownTOTP, error) {
	f, err := d.Console.UserTOTP(q.Request.Context(), q.id, q.Param("sub"))
	out := shownTOTP{State: "none"}
	if f != nil {
		out = shownTOTP{State: "enrolled", EnrolledAt: &f.EnrolledAt, Recovery: f.Recovery}
		if !f.ConfirmedAt.IsZero() {
			out.State, out.ConfirmedAt = "confirmed", &f.ConfirmedAt
		}
	}
	return out, err
}

// newTOTP is a secret that is shown this once.
type newTOTP struct {
	Secret string `json:"secret" doc:"Base32, to be typed into an authenticator app"`
	URI    string `json:"otpauth_uri" doc:"The same to be shown as a QR code"`
}

func (d *Door) enrolTOTP(q *call) (newTOTP, error) {
	e, err := d.Console.EnrolUserTOTP(q.Request.Context(), q.id, q.Param("sub"), q.by)
	return newTOTP{e.Secret, e.URI}, err
}

// totpCode is the body that confirms a second factor.
type totpCode struct {
	Code string `json:"code" need:"yes" doc:"Six digits, as the user's app shows them now"`
}

// recoveryCodes are the answer to it.
type recoveryCodes struct {
	Codes []string `json:"recovery_codes" doc:"Each is accepted once in place of a code; they are shown this once"`
}

func (d *Door) confirmTOTP(q *call, b *totpCode) (recoveryCodes, error) {
	codes, err := d.Console.ConfirmUserTOTP(q.Request.Context(), q.id, q.Param("sub"), b.Code, q.by)
	return recoveryCodes{codes}, err
}

func (d *Door) removeTOTP(q *call) (none, error) {
	return none{}, d.Console.RemoveUserTOTP(q.Request.Context(), q.id, q.Param("sub"), q.by)
}
